//! Clients that say who they are.

use quorate_testkit::TestCa;
use quorate_zk::{Acl, ClientOptions, ClientState, CreateMode, Secret, TlsOptions};
use quorate_zk_fake::FakeZooKeeper;

use crate::{
    support::{World, connected, disconnected, path, soon, tls_failure, until, works},
    terminal::{mutual_server, mutual_server_of},
};

/// A server that wants certificates of its own authority.
async fn strict() -> World {
    let world = World::named(&["127.0.0.1"]).await;
    world.terminal.replace(mutual_server(&world.ca.issue("server", &["127.0.0.1"]), &world.ca));
    world
}

#[tokio::test]
async fn a_client_with_a_certificate_is_let_in() {
    let world = strict().await;
    let cert = world.ca.issue("client", &[]);
    let key = Secret::new(cert.key_pem().to_owned());
    works(world.options(world.tls().client_cert_pem(cert.cert_pem().to_owned(), key))).await;
}

#[tokio::test]
async fn a_certificate_and_its_key_may_be_in_one_file() {
    let world = strict().await;
    let cert = world.ca.issue("client", &[]);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("both.pem");
    std::fs::write(&file, format!("{}{}", cert.key_pem(), cert.cert_pem())).unwrap();
    works(world.options(world.tls().client_cert_files(&file, &file))).await;
}

#[tokio::test]
async fn a_key_may_be_in_the_older_format_of_elliptic_curves() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};

    let world = strict().await;
    let cert = world.ca.issue("client", &[]);
    let pkcs8 = PrivatePkcs8KeyDer::from_pem_slice(cert.key_pem().as_bytes()).unwrap();
    // The older format is the octets at the end of the newer one: a sequence that starts with version 1.
    let der = pkcs8.secret_pkcs8_der();
    let start = der.windows(5).position(|window| window[0] == 0x30 && window[2..] == [2, 1, 1]).unwrap();
    let text = STANDARD.encode(&der[start..]);
    let sec1 = format!("-----BEGIN EC PRIVATE KEY-----\n{text}\n-----END EC PRIVATE KEY-----\n");
    works(world.options(world.tls().client_cert_pem(cert.cert_pem().to_owned(), Secret::new(sec1)))).await;
}

#[tokio::test]
async fn a_client_without_a_certificate_is_told_so() {
    let world = strict().await;
    let detail = tls_failure(world.options(world.tls())).await;
    assert!(detail.contains("the server wants a certificate of the client"), "{detail}");
}

#[tokio::test]
async fn older_versions_of_tls_are_spoken_and_their_refusals_understood() {
    let world = strict().await;
    let server = world.ca.issue("server", &["127.0.0.1"]);
    world.terminal.replace(mutual_server_of(&server, &world.ca, &[&rustls::version::TLS12]));
    let detail = tls_failure(world.options(world.tls())).await;
    assert!(detail.contains("the server wants a certificate of the client"), "{detail}");
    let cert = world.ca.issue("client", &[]);
    let key = Secret::new(cert.key_pem().to_owned());
    works(world.options(world.tls().client_cert_pem(cert.cert_pem().to_owned(), key))).await;
}

#[tokio::test]
async fn a_client_with_a_foreign_certificate_is_told_so() {
    let world = strict().await;
    let foreign = TestCa::new().issue("client", &[]);
    let key = Secret::new(foreign.key_pem().to_owned());
    let tls = world.tls().client_cert_pem(foreign.cert_pem().to_owned(), key);
    let detail = tls_failure(world.options(tls)).await;
    assert!(detail.contains("does not accept the certificate of the client"), "{detail}");
}

#[tokio::test]
async fn a_user_is_the_same_after_a_lost_connection() {
    let fake = FakeZooKeeper::start().await.unwrap();
    let options = ClientOptions::new([fake.connect_string()]);
    let bob = options.clone().digest_auth("bob", Secret::new("word")).connect().unwrap();
    let mine = path("/mine");
    soon(bob.create(&mine, "secret", CreateMode::Persistent, vec![Acl::creator_all()])).await.unwrap();
    for _ in 0..3 {
        fake.drop_connections();
        disconnected(&bob).await;
        connected(&bob).await;
        soon(bob.get_data(&mine)).await.unwrap();
    }
    let other = options.digest_auth("bob", Secret::new("other")).connect().unwrap();
    assert!(soon(other.get_data(&mine)).await.is_err());
}

#[tokio::test]
async fn a_user_is_the_same_in_another_session() {
    let fake = FakeZooKeeper::start().await.unwrap();
    let bob = ClientOptions::new([fake.connect_string()])
        .digest_auth("bob", Secret::new("word"))
        .connect()
        .unwrap();
    let mine = path("/mine");
    soon(bob.create(&mine, "secret", CreateMode::Persistent, vec![Acl::creator_all()])).await.unwrap();
    let before = connected(&bob).await;
    fake.expire_all();
    until(&bob, |state| state.session_id().is_some_and(|session| session != before)).await;
    soon(bob.get_data(&mine)).await.unwrap();
}

#[tokio::test]
async fn an_identity_that_is_refused_ends_the_client() {
    let fake = FakeZooKeeper::start().await.unwrap();
    let client =
        ClientOptions::new([fake.connect_string()]).auth("unheard-of", Secret::new("x")).connect().unwrap();
    let error = soon(client.exists(&path("/"))).await.unwrap_err();
    until(&client, |state| matches!(state, ClientState::AuthFailed { .. })).await;
    assert!(error.to_string().contains("/"), "{error}");
}

#[tokio::test]
async fn a_user_and_a_certificate_go_together() {
    let world = strict().await;
    let cert = world.ca.issue("client", &[]);
    let key = Secret::new(cert.key_pem().to_owned());
    let tls: TlsOptions = world.tls().client_cert_pem(cert.cert_pem().to_owned(), key);
    works(world.options(tls).digest_auth("bob", Secret::new("word"))).await;
}
