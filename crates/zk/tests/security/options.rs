//! What is found out before anything is connected.

use quorate_testkit::TestCa;
use quorate_zk::{ClientOptions, ConfigError, Secret, TlsConfigError, TlsOptions};

fn refusal(tls: TlsOptions) -> TlsConfigError {
    match ClientOptions::new(["h1"]).tls(tls).connect() {
        Err(ConfigError::Tls(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn trusting() -> TlsOptions {
    TlsOptions::new().ca_pem(TestCa::new().cert_pem())
}

#[tokio::test]
async fn files_must_be_there() {
    let ca = refusal(TlsOptions::new().ca_file("/nowhere/ca.pem"));
    assert!(matches!(&ca, TlsConfigError::Unreadable { place, .. } if place == "/nowhere/ca.pem"), "{ca}");
    let cert = refusal(trusting().client_cert_files("/nowhere/cert.pem", "/nowhere/key.pem"));
    assert!(
        matches!(&cert, TlsConfigError::Unreadable { place, .. } if place == "/nowhere/cert.pem"),
        "{cert}"
    );
}

#[tokio::test]
async fn an_authority_must_be_one() {
    let nothing = refusal(TlsOptions::new().ca_pem("nothing of the kind"));
    assert!(matches!(nothing, TlsConfigError::NoCertificate { .. }), "{nothing}");
    let cut = refusal(TlsOptions::new().ca_pem("-----BEGIN CERTIFICATE-----\nMIIB"));
    assert!(matches!(cut, TlsConfigError::Malformed { .. }), "{cut}");
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let no_cert = refusal(TlsOptions::new().ca_pem(garbage));
    assert!(matches!(no_cert, TlsConfigError::NoAuthority { .. }), "{no_cert}");
}

#[tokio::test]
async fn a_certificate_needs_its_own_key() {
    let ca = TestCa::new();
    let (one, two) = (ca.issue("one", &[]), ca.issue("two", &[]));
    let key = Secret::new(two.key_pem().to_owned());
    let other = refusal(trusting().client_cert_pem(one.cert_pem().to_owned(), key));
    assert!(matches!(other, TlsConfigError::InvalidIdentity { .. }), "{other}");
    let none = refusal(trusting().client_cert_pem(one.cert_pem().to_owned(), Secret::new("none")));
    assert!(matches!(none, TlsConfigError::NoKey { .. }), "{none}");
}

#[tokio::test]
async fn an_encrypted_key_is_named_as_such() {
    let cert = TestCa::new().issue("client", &[]);
    let key = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let error = refusal(trusting().client_cert_pem(cert.cert_pem().to_owned(), Secret::new(key)));
    assert!(matches!(error, TlsConfigError::EncryptedKey { .. }), "{error}");
    assert!(error.to_string().contains("decrypt it first"), "{error}");
}

#[tokio::test]
async fn a_name_to_expect_must_be_one() {
    let error = refusal(trusting().server_name("not a name"));
    assert_eq!(error, TlsConfigError::InvalidServerName { name: "not a name".to_owned() });
}

#[tokio::test]
async fn users_must_be_expressible() {
    let error = ClientOptions::new(["h1"]).digest_auth("a:b", Secret::new("c")).connect().unwrap_err();
    assert_eq!(error, ConfigError::InvalidUser { user: "a:b".to_owned() });
}
