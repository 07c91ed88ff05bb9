//! What a user says about TLS.

use std::path::PathBuf;

use bytes::Bytes;
use quorate_zk_proto::Secret;

use super::material::{Identity, PemSource};

/// How a client secures its connections with TLS.
///
/// The certificate of a server must be signed by an authority that is trusted, directly or through others, and
/// be made out to the server's name or address as given in the list of hosts. Versions 1.2 and 1.3 are spoken.
///
/// Files are read when the client is made, and again before every connection. What they say then holds for the
/// connections from that one on, so certificates are renewed without restarting anything. If what is there then
/// cannot be used, perhaps because it is just being replaced, the last good state goes on being used, with a
/// warning.
///
/// # Examples
///
/// ```
/// use quorate_zk::{ClientOptions, ConfigError, TlsConfigError, TlsOptions};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let tls = TlsOptions::new().ca_file("ca.pem").client_cert_files("client.pem", "client.key");
/// let error = ClientOptions::new(["zk1.example:2281"]).tls(tls).connect().unwrap_err();
/// assert!(matches!(error, ConfigError::Tls(TlsConfigError::Unreadable { .. })), "there is no ca.pem here");
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct TlsOptions {
    pub(super) roots: Vec<PemSource>,
    pub(super) platform_roots: bool,
    pub(super) identity: Option<Identity<PemSource>>,
    pub(super) server_name: Option<String>,
    pub(super) without_hostname_check: bool,
}

impl TlsOptions {
    /// Starts from the defaults: the authorities that the operating system trusts, no certificate of our own.
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts the authorities in a PEM file, beside those named already. Those of the operating system are then
    /// trusted only if [`platform_roots`](Self::platform_roots) says so.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.roots.push(PemSource::File(path.into()));
        self
    }

    /// Trusts the authorities in a PEM text. Otherwise like [`ca_file`](Self::ca_file).
    pub fn ca_pem(mut self, pem: impl Into<Bytes>) -> Self {
        self.roots.push(PemSource::Memory(Secret::new(pem)));
        self
    }

    /// Trusts the authorities of the operating system too. They are trusted anyway if no other is named, and read
    /// again only together with a file that has changed. As for other programs, the environment variables
    /// `SSL_CERT_FILE` and `SSL_CERT_DIR` say where they are, if not in the usual places.
    pub const fn platform_roots(mut self) -> Self {
        self.platform_roots = true;
        self
    }

    /// Presents a certificate to servers that ask for one, with its key; both are PEM files, and may be one and
    /// the same. The certificate comes first, then those that link it to an authority. The key is PKCS#8, PKCS#1
    /// or SEC1, not encrypted.
    pub fn client_cert_files(mut self, cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        let (cert, key) = (PemSource::File(cert.into()), PemSource::File(key.into()));
        self.identity = Some(Identity { cert, key });
        self
    }

    /// Presents a certificate given as PEM texts. Otherwise like [`client_cert_files`](Self::client_cert_files).
    pub fn client_cert_pem(mut self, cert: impl Into<Bytes>, key: Secret) -> Self {
        let cert = PemSource::Memory(Secret::new(cert));
        self.identity = Some(Identity { cert, key: PemSource::Memory(key) });
        self
    }

    /// Expects this name or address in the certificates of all servers, whatever they are called in the list of
    /// hosts.
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// Accepts a certificate whoever it is made out to, as long as a trusted authority has signed it.
    ///
    /// Anybody with any certificate of such an authority can then pose as the server. That may do with an authority
    /// that serves nothing but this ensemble, and does not with those of the operating system.
    pub const fn dangerous_without_hostname_check(mut self) -> Self {
        self.without_hostname_check = true;
        self
    }

    /// Returns whether the authorities of the operating system are trusted.
    pub(super) const fn trusts_platform(&self) -> bool {
        self.platform_roots || self.roots.is_empty()
    }
}
