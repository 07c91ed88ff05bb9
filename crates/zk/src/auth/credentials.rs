//! Credentials of the schemes that a server knows.

use bytes::{BufMut, BytesMut};
use quorate_zk_proto::{Auth, Secret};

use crate::error::ConfigError;

/// What parts a user from a password in a digest.
const COLON: char = ':';

/// An identity, presented on every connection.
#[derive(Clone, Debug)]
pub(crate) enum Credentials {
    Digest { user: String, password: Secret },
    Other { scheme: String, secret: Secret },
}

impl Credentials {
    /// Returns the packet that presents it.
    pub(crate) fn packet(&self) -> Result<Auth, ConfigError> {
        match self {
            Self::Digest { user, .. } if user.contains(COLON) => {
                Err(ConfigError::InvalidUser { user: user.clone() })
            }
            Self::Digest { user, password } => {
                let password = password.expose();
                let mut pair = BytesMut::with_capacity(user.len() + 1 + password.len());
                pair.put_slice(user.as_bytes());
                pair.put_u8(b':');
                pair.put_slice(password);
                Ok(Auth::new("digest", Secret::new(pair.freeze())))
            }
            Self::Other { scheme, secret } => Ok(Auth::new(scheme, secret.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_user_and_password_with_a_colon_between() {
        let password = Secret::new("pass:word");
        let digest = Credentials::Digest { user: "bob".to_owned(), password };
        let packet = digest.packet().unwrap();
        assert_eq!(packet.scheme, "digest");
        assert_eq!(&packet.credentials.expose()[..], b"bob:pass:word");
    }

    #[test]
    fn a_user_with_a_colon_would_be_another_user() {
        let digest = Credentials::Digest { user: "b:ob".to_owned(), password: Secret::new("word") };
        assert_eq!(digest.packet().unwrap_err(), ConfigError::InvalidUser { user: "b:ob".to_owned() });
    }
}
