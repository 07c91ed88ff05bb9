//! From certificates and keys to what handshakes are made with.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    client::{WantsClientCert, danger::ServerCertVerifier},
    crypto::ring,
};

use super::{
    TlsConfigError, TlsOptions,
    material::{Identity, Material, Pem},
    verifier::ChainVerifier,
};

/// Builds the configuration. Blocks as long as reading the operating system's authorities does.
pub(super) fn build(options: &TlsOptions, material: &Material) -> Result<Arc<ClientConfig>, TlsConfigError> {
    let provider = Arc::new(ring::default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let roots = Arc::new(roots(options, material)?);
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsConfigError::Unsupported { detail: error.to_string() })?;
    let builder = if options.without_hostname_check {
        let verifier: Arc<dyn ServerCertVerifier> = Arc::new(ChainVerifier::new(roots, algorithms));
        builder.dangerous().with_custom_certificate_verifier(verifier)
    } else {
        builder.with_root_certificates(roots)
    };
    with_identity(builder, material.identity.as_ref()).map(Arc::new)
}

fn with_identity(
    builder: rustls::ConfigBuilder<ClientConfig, WantsClientCert>,
    identity: Option<&Identity<Pem>>,
) -> Result<ClientConfig, TlsConfigError> {
    let Some(Identity { cert, key }) = identity else { return Ok(builder.with_no_client_auth()) };
    builder
        .with_client_auth_cert(cert.certificates()?, key.private_key()?)
        .map_err(|error| TlsConfigError::InvalidIdentity { detail: error.to_string() })
}

fn roots(options: &TlsOptions, material: &Material) -> Result<RootCertStore, TlsConfigError> {
    let mut roots = RootCertStore::empty();
    for pem in &material.roots {
        let (added, ignored) = roots.add_parsable_certificates(pem.certificates()?);
        if added == 0 {
            return Err(TlsConfigError::NoAuthority { place: pem.place().to_owned() });
        }
        if ignored > 0 {
            tracing::warn!(place = pem.place(), ignored, "certificates of authorities that cannot be used");
        }
    }
    if options.trusts_platform() {
        add_platform_roots(&mut roots)?;
    }
    Ok(roots)
}

/// That of the operating system may contain much that is of no use; what counts is that something is.
fn add_platform_roots(roots: &mut RootCertStore) -> Result<(), TlsConfigError> {
    let found = rustls_native_certs::load_native_certs();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 && roots.is_empty() {
        let detail = found.errors.first().map_or_else(|| "none found".to_owned(), ToString::to_string);
        return Err(TlsConfigError::NoPlatformRoots { detail });
    }
    Ok(())
}
