//! TLS on the port, if the feature of that name is on.

#[cfg(not(feature = "tls"))]
mod disabled;
#[cfg(feature = "tls")]
mod enabled;
#[cfg(feature = "tls")]
mod subject;
#[cfg(feature = "tls")]
mod test_certificates;

#[cfg(not(feature = "tls"))]
pub(crate) use disabled::Acceptor;
#[cfg(feature = "tls")]
pub(crate) use enabled::Acceptor;
#[cfg(feature = "tls")]
pub use test_certificates::{TestCertificates, TestIdentity};
