//! Who a session has proved to be.

use quorate_zk_proto::{Auth, ClientIdentity, ErrorCode, FailureKind, ReplyBody, Request, Secret};
use thiserror::Error;

use super::{
    error::operation_error,
    operation::{Finish, Operation},
    waiting::Answer,
};
use crate::{
    auth::Credentials,
    client::Client,
    error::{RequestError, Subject},
};

operation_error! {
    /// Why the identities of the session were not listed.
    pub enum WhoAmIError {
        /// The server is older than 3.7.
        Unsupported = Unimplemented, "server does not tell identities";
    }
}

/// Why an identity was not added to the session.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AddAuthError {
    /// The server does not know the scheme, or refused the credentials. The session is over, and with it the client.
    #[error("credentials refused")]
    Refused(#[source] RequestError),
    /// Everything else.
    #[error(transparent)]
    Session(#[from] RequestError),
}

impl AddAuthError {
    /// Returns why the request failed.
    #[must_use]
    pub const fn request_error(&self) -> &RequestError {
        match self {
            Self::Refused(error) | Self::Session(error) => error,
        }
    }
}

impl Client {
    /// Adds an identity to the session, for this and every later connection and session of the client.
    ///
    /// Resolves when a server has accepted it; operations submitted later have it anyway. Lost connections do not fail
    /// it. Credentials never show in debug output and logs. A client keeps up to 64 identities.
    ///
    /// # Errors
    ///
    /// [`AddAuthError`]. Where the server refuses the credentials the client is over.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future takes the identity back only while there is no connection yet.
    pub fn add_auth(&self, scheme: impl Into<String>, credentials: Secret) -> Operation<(), AddAuthError> {
        self.present(Auth::new(scheme, credentials))
    }

    /// Adds the identity of a user with a password, in the scheme `digest`, like [`add_auth`](Self::add_auth).
    ///
    /// The server does not check it: it only compares it with access lists. The password crosses the network in the clear
    /// unless there is TLS.
    ///
    /// # Errors
    ///
    /// As for [`add_auth`](Self::add_auth). A user with a colon in the name is refused as
    /// [`ErrorCode::BadArguments`], since it would be taken for another one.
    ///
    /// # Cancel safety
    ///
    /// As for [`add_auth`](Self::add_auth).
    pub fn add_digest_auth(&self, user: impl Into<String>, password: Secret) -> Operation<(), AddAuthError> {
        match (Credentials::Digest { user: user.into(), password }).packet() {
            Ok(auth) => self.present(auth),
            Err(_) => {
                let subject = Subject::of(&Request::Auth(Auth::new("digest", Secret::default())));
                let error = subject.not_sent(FailureKind::Server(ErrorCode::BadArguments));
                Operation::refused(error, finish_auth)
            }
        }
    }

    /// Lists the identities of the connection. Needs a server of 3.7 or later.
    ///
    /// A server that does not know the operation is asked once and not again.
    ///
    /// # Errors
    ///
    /// [`WhoAmIError`].
    pub fn who_am_i(&self) -> Operation<Vec<ClientIdentity>, WhoAmIError> {
        self.operate(Request::WhoAmI, Finish::Reply(finish_identities))
    }

    /// Credentials outlive lost connections, so there is nothing to make again.
    fn present(&self, auth: Auth) -> Operation<(), AddAuthError> {
        Operation::new(self.request(Request::Auth(auth)), finish_auth).on(self.terms())
    }
}

fn finish_auth(answer: Answer) -> Result<(), AddAuthError> {
    match answer {
        Ok(_) => Ok(()),
        Err(error) if error.is_auth_failed() => Err(AddAuthError::Refused(error)),
        Err(error) => Err(AddAuthError::Session(error)),
    }
}

fn finish_identities(answer: Answer) -> Result<Vec<ClientIdentity>, WhoAmIError> {
    match answer.map_err(WhoAmIError::classify)?.body {
        ReplyBody::Identities(identities) => Ok(identities),
        _ => Err(RequestError::of_another_kind().into()),
    }
}
