//! Certificates for tests: an authority of our own and what it vouches for.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

/// What a server is told of as itself, whatever it is called by the clients of a test.
const SERVER_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A certificate authority that nobody else trusts. Two of them do not trust each other.
#[derive(Debug)]
pub struct TestCa {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl TestCa {
    /// Makes an authority with a fresh key.
    ///
    /// # Panics
    ///
    /// If there is no randomness for the key.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "two defaults would differ")]
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "an authority for tests");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, fresh_key()).expect("the parameters are valid");
        Self { issuer }
    }

    /// Issues a certificate with the common name `subject` to a client or a server. `names` are the host names and
    /// addresses that it is good for; a client needs none.
    ///
    /// # Panics
    ///
    /// If a name is none.
    #[must_use]
    pub fn issue(&self, subject: &str, names: &[&str]) -> TestCert {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        self.sign(subject, CertificateParams::new(names).expect("the names are valid"))
    }

    /// Issues a certificate like [`issue`](Self::issue), that was good for the year 2000 only.
    ///
    /// # Panics
    ///
    /// If a name is none.
    #[must_use]
    pub fn issue_expired(&self, subject: &str, names: &[&str]) -> TestCert {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("the names are valid");
        params.not_before = rcgen::date_time_ymd(2000, 1, 1);
        params.not_after = rcgen::date_time_ymd(2000, 12, 31);
        self.sign(subject, params)
    }

    /// The files of a server on loopback whose certificate is of this authority, and that trusts the clients of this
    /// authority.
    #[must_use]
    pub fn server_files(&self) -> TlsFiles {
        TlsFiles::new(&self.issue("server", &SERVER_NAMES), self)
    }

    /// The authority's own certificate, which clients must trust.
    #[must_use]
    pub fn cert_pem(&self) -> String {
        self.issuer.pem()
    }

    /// Writes the authority's own certificate into the folder `dir`, and returns the file.
    ///
    /// # Panics
    ///
    /// If the folder takes no file.
    #[must_use]
    pub fn write(&self, dir: &Path) -> PathBuf {
        written(dir.join("ca.pem"), &self.cert_pem())
    }

    fn sign(&self, subject: &str, mut params: CertificateParams) -> TestCert {
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, subject);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = fresh_key();
        let cert = params.signed_by(&key, &self.issuer).expect("the parameters are valid");
        TestCert { subject: subject.to_owned(), cert_pem: cert.pem(), key_pem: key.serialize_pem() }
    }
}

/// A certificate and its private key.
#[derive(Clone)]
pub struct TestCert {
    subject: String,
    cert_pem: String,
    key_pem: String,
}

impl TestCert {
    /// The certificate.
    #[must_use]
    pub fn cert_pem(&self) -> &str {
        &self.cert_pem
    }

    /// The private key, in PKCS #8.
    #[must_use]
    pub fn key_pem(&self) -> &str {
        &self.key_pem
    }

    /// Writes both into the folder `dir`, named for the subject, and returns the file of the certificate and that of
    /// the key. What an earlier certificate of the same subject left there is replaced.
    ///
    /// # Panics
    ///
    /// If the folder takes no file.
    #[must_use]
    pub fn write(&self, dir: &Path) -> (PathBuf, PathBuf) {
        let cert = written(dir.join(format!("{}.pem", self.subject)), &self.cert_pem);
        let key = written(dir.join(format!("{}.key", self.subject)), &self.key_pem);
        (cert, key)
    }

    /// Both in one text, as ZooKeeper wants its key stores.
    pub(super) fn store_pem(&self) -> String {
        format!("{}{}", self.cert_pem, self.key_pem)
    }
}

impl std::fmt::Debug for TestCert {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestCert").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// What a server needs for TLS: its own certificate with the key, and the authority that its clients are of.
#[derive(Clone)]
pub struct TlsFiles {
    key_store: String,
    trust_store: String,
}

impl TlsFiles {
    /// A server with this certificate, that trusts the clients of `trusted`.
    #[must_use]
    pub fn new(cert: &TestCert, trusted: &TestCa) -> Self {
        Self { key_store: cert.store_pem(), trust_store: trusted.cert_pem() }
    }

    /// Writes the key store and the trust store into a folder.
    pub(super) fn write(&self, dir: &Path) -> (PathBuf, PathBuf) {
        // The server tells the format from the ending.
        let key_store = written(dir.join("key-store.pem"), &self.key_store);
        (key_store, written(dir.join("trust-store.pem"), &self.trust_store))
    }
}

impl std::fmt::Debug for TlsFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsFiles").finish_non_exhaustive()
    }
}

fn fresh_key() -> KeyPair {
    KeyPair::generate().expect("there is randomness")
}

fn written(path: PathBuf, text: &str) -> PathBuf {
    fs::write(&path, text).expect("the folder takes a file");
    path
}
