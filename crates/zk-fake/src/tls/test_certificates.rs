//! Certificates for tests, made when they are needed.

use std::{fmt, io, net::Ipv4Addr, sync::Arc};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, KeyPair, SanType,
};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    server::WebPkiClientVerifier,
};

/// A certificate authority of its own, and a certificate for `localhost` and `127.0.0.1`. For tests only: the
/// keys are in memory, and no clock or list revokes anything.
#[derive(Debug)]
pub struct TestCertificates {
    authority: CertifiedIssuer<'static, KeyPair>,
    server: TestIdentity,
}

/// A certificate with its key. Debug output does not show the key.
#[non_exhaustive]
pub struct TestIdentity {
    /// The certificate, without its issuer's.
    pub certificate: CertificateDer<'static>,
    /// Its key.
    pub key: PrivateKeyDer<'static>,
    /// The certificate as a file has it.
    pub certificate_pem: String,
    /// The key as a file has it.
    pub key_pem: String,
}

impl TestCertificates {
    /// Makes an authority and the server's certificate.
    ///
    /// # Errors
    ///
    /// If there is no randomness to be had.
    pub fn generate() -> io::Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name = name("Quorate test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let authority = CertifiedIssuer::self_signed(params, key).map_err(io::Error::other)?;
        let server = issue(&authority, "localhost", ExtendedKeyUsagePurpose::ServerAuth)?;
        Ok(Self { authority, server })
    }

    /// Makes a certificate for a client: `common_name` becomes the subject `CN=common_name`.
    ///
    /// # Errors
    ///
    /// If there is no randomness to be had.
    pub fn client(&self, common_name: &str) -> io::Result<TestIdentity> {
        issue(&self.authority, common_name, ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// Returns the authority's certificate, which clients have to trust.
    #[must_use]
    pub fn ca(&self) -> CertificateDer<'static> {
        self.authority.der().clone()
    }

    /// Returns the authority's certificate as a file has it.
    #[must_use]
    pub fn ca_pem(&self) -> String {
        self.authority.pem()
    }

    /// Returns settings for a server that asks no certificate of its clients.
    ///
    /// # Errors
    ///
    /// If the certificate does not fit its key, which is not to be expected.
    pub fn server_config(&self) -> io::Result<ServerConfig> {
        let builder = builder()?.with_no_client_auth();
        let TestIdentity { certificate, key, .. } = &self.server;
        builder.with_single_cert(vec![certificate.clone()], key.clone_key()).map_err(io::Error::other)
    }

    /// Returns settings for a server whose clients have to show a certificate of this authority.
    ///
    /// # Errors
    ///
    /// If the certificate does not fit its key, which is not to be expected.
    pub fn mutual_server_config(&self) -> io::Result<ServerConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.ca()).map_err(io::Error::other)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let verifier = verifier.build().map_err(io::Error::other)?;
        let TestIdentity { certificate, key, .. } = &self.server;
        let builder = builder()?.with_client_cert_verifier(verifier);
        builder.with_single_cert(vec![certificate.clone()], key.clone_key()).map_err(io::Error::other)
    }
}

impl fmt::Debug for TestIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestIdentity").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

type Unverified = rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier>;

fn builder() -> io::Result<Unverified> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)
}

fn issue(
    authority: &CertifiedIssuer<'static, KeyPair>,
    common_name: &str,
    purpose: ExtendedKeyUsagePurpose,
) -> io::Result<TestIdentity> {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).map_err(io::Error::other)?;
    params.subject_alt_names.push(SanType::IpAddress(Ipv4Addr::LOCALHOST.into()));
    params.distinguished_name = name(common_name);
    params.extended_key_usages = vec![purpose];
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let certificate = params.signed_by(&key, authority).map_err(io::Error::other)?;
    Ok(TestIdentity {
        certificate: certificate.der().clone(),
        key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        certificate_pem: certificate.pem(),
        key_pem: key.serialize_pem(),
    })
}

fn name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}
