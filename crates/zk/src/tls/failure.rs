//! What it means when TLS fails, in words that say what to do.

use std::{error::Error, fmt, io};

use rustls::{AlertDescription, CertificateError};

/// A connection that could not be secured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsFailure {
    detail: String,
}

impl TlsFailure {
    pub(crate) fn new(detail: impl Into<String>) -> Self {
        Self { detail: detail.into() }
    }

    /// Explains the error of a handshake.
    pub(super) fn of_handshake(error: &io::Error) -> Self {
        Self::of(error).unwrap_or_else(|| match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Self::new(
                "the server closed the connection during the TLS handshake: its port may not speak TLS, or it \
                 wants a certificate of the client",
            ),
            _ => Self::new(error.to_string()),
        })
    }

    /// Explains an error if TLS is its cause. A server may refuse a certificate long after our handshake is done.
    pub(crate) fn of(error: &io::Error) -> Option<Self> {
        let cause = error.get_ref()?;
        if let Some(failure) = cause.downcast_ref::<Self>() {
            return Some(failure.clone());
        }
        cause.downcast_ref::<rustls::Error>().map(Self::explain)
    }

    fn explain(error: &rustls::Error) -> Self {
        Self::new(match meaning(error) {
            Some(meaning) => format!("{meaning} ({error})"),
            None => error.to_string(),
        })
    }
}

impl fmt::Display for TlsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl Error for TlsFailure {}

impl From<TlsFailure> for io::Error {
    fn from(failure: TlsFailure) -> Self {
        Self::new(io::ErrorKind::InvalidData, failure)
    }
}

const fn meaning(error: &rustls::Error) -> Option<&'static str> {
    Some(match error {
        rustls::Error::InvalidMessage(_) => "the server does not speak TLS on this port",
        // An authority of the same name with another key signs badly.
        rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        ) => "the certificate of the server is not signed by a trusted authority",
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "the certificate of the server is made out to another name",
        rustls::Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => "the certificate of the server has expired",
        rustls::Error::InvalidCertificate(_) => "the certificate of the server cannot be used",
        rustls::Error::AlertReceived(alert) => return meaning_of_alert(*alert),
        _ => return None,
    })
}

const fn meaning_of_alert(alert: AlertDescription) -> Option<&'static str> {
    Some(match alert {
        AlertDescription::CertificateRequired => "the server wants a certificate of the client",
        // Java's server has this for a client without a certificate too.
        AlertDescription::BadCertificate | AlertDescription::NoCertificate => {
            "the server wants another certificate of the client, or one at all"
        }
        // What a client has signed cannot be checked with the key of an authority that has only the name in common.
        AlertDescription::DecryptError
        | AlertDescription::UnknownCA
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::AccessDenied => "the server does not accept the certificate of the client",
        AlertDescription::ProtocolVersion | AlertDescription::InsufficientSecurity => {
            "the server and the client have no version or cipher of TLS in common"
        }
        // Up to TLS 1.2 it stands for a missing certificate too.
        AlertDescription::HandshakeFailure => {
            "the server wants a certificate of the client, or there is no cipher of TLS in common"
        }
        _ => return None,
    })
}
