//! The same against real servers.

use quorate_testkit::{ServerOptions, TestCa, TestCert, ZooKeeper};
use quorate_zk::{
    Acl, Client, ClientOptions, ClientState, CreateMode, DisconnectReason, Id, Perms, Secret, TlsOptions,
};

use crate::support::{connected, disconnected, path, reads, soon, tls_failure, until, works};

fn trusting(ca: &TestCa) -> TlsOptions {
    TlsOptions::new().ca_pem(ca.cert_pem())
}

fn known(ca: &TestCa, cert: &TestCert) -> TlsOptions {
    trusting(ca).client_cert_pem(cert.cert_pem().to_owned(), Secret::new(cert.key_pem().to_owned()))
}

fn secure(server: &ZooKeeper, tls: TlsOptions) -> ClientOptions {
    ClientOptions::new([server.secure_connect_string()]).tls(tls)
}

async fn mine(client: &Client, acl: Acl) {
    soon(client.create(&path("/mine"), "x", CreateMode::Persistent, vec![acl])).await.unwrap();
}

async fn is_readable(client: &Client) -> bool {
    soon(client.get_data(&path("/mine"))).await.is_ok()
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_server_is_talked_to_over_tls() {
    let ca = TestCa::new();
    let mut server = ZooKeeper::start_with(&ServerOptions::default().tls(ca.server_files())).await;
    let client = works(secure(&server, trusting(&ca))).await;
    assert!(soon(client.server_version()).await.is_some_and(|version| version.starts_with("3.")));
    let session = connected(&client).await;
    server.restart().await;
    disconnected(&client).await;
    assert_eq!(connected(&client).await, session);
    reads(&client).await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn each_failure_of_tls_is_told_as_what_it_is() {
    let ca = TestCa::new();
    let options = ServerOptions::default().tls(ca.server_files()).client_cert_required();
    let server = ZooKeeper::start_with(&options).await;
    let unknown = tls_failure(secure(&server, trusting(&TestCa::new()))).await;
    assert!(unknown.contains("not signed by a trusted authority"), "{unknown}");
    let other_name = tls_failure(secure(&server, trusting(&ca).server_name("zk.example"))).await;
    assert!(other_name.contains("made out to another name"), "{other_name}");
    let nobody = tls_failure(secure(&server, trusting(&ca))).await;
    assert!(nobody.contains("certificate of the client"), "{nobody}");
    let foreign = known(&ca, &TestCa::new().issue("client", &[]));
    let foreign = tls_failure(secure(&server, foreign)).await;
    assert!(foreign.contains("certificate of the client"), "{foreign}");
    let plain_port = ClientOptions::new([server.connect_string()]).tls(trusting(&ca));
    let plain_port = tls_failure(plain_port).await;
    assert!(plain_port.contains("may not speak TLS"), "{plain_port}");
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_client_without_tls_does_not_get_through_to_the_secure_port() {
    let ca = TestCa::new();
    let server = ZooKeeper::start_with(&ServerOptions::default().tls(ca.server_files())).await;
    let client = ClientOptions::new([server.secure_connect_string()]).connect().unwrap();
    let state = until(&client, |state| matches!(state, ClientState::Disconnected { .. })).await;
    let ClientState::Disconnected { reason, .. } = state else { panic!("{state}") };
    let is_told = matches!(reason, DisconnectReason::TlsFailed { .. } | DisconnectReason::HandshakeLost);
    assert!(is_told, "{reason}");
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn the_subject_of_a_certificate_is_an_identity() {
    let ca = TestCa::new();
    let options = ServerOptions::default().tls(ca.server_files()).client_cert_required();
    let server = ZooKeeper::start_with(&options).await;
    let alice = secure(&server, known(&ca, &ca.issue("alice", &[]))).connect().unwrap();
    mine(&alice, Acl::new(Perms::ALL, Id::x509("CN=alice"))).await;
    assert!(is_readable(&alice).await);
    let bob = secure(&server, known(&ca, &ca.issue("bob", &[]))).connect().unwrap();
    assert!(!is_readable(&bob).await);
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_digest_is_an_identity_and_a_superuser_needs_none() {
    let server = ZooKeeper::start_with(&ServerOptions::default().superuser("super", "secret")).await;
    let options = ClientOptions::new([server.connect_string()]);
    let user = |user: &str, password: &'static str| {
        options.clone().digest_auth(user, Secret::new(password)).connect().unwrap()
    };
    let bob = user("bob", "word");
    mine(&bob, Acl::new(Perms::ALL, Id::digest("bob", "word"))).await;
    assert!(is_readable(&bob).await);
    assert!(is_readable(&user("super", "secret")).await);
    assert!(!is_readable(&user("super", "guess")).await);
    assert!(!is_readable(&options.connect().unwrap()).await);
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn users_prove_themselves_by_sasl_on_every_connection() {
    let options =
        ServerOptions::default().sasl_users([("alice", "wonder"), ("bob", "builder")]).require_sasl();
    let mut server = ZooKeeper::start_with(&options).await;
    let options = ClientOptions::new([server.connect_string()]);
    let user = |user: &str, password: &'static str| {
        options.clone().sasl_digest_md5(user, Secret::new(password)).connect().unwrap()
    };
    let alice = user("alice", "wonder");
    mine(&alice, Acl::new(Perms::ALL, Id::sasl("alice"))).await;
    let session = connected(&alice).await;
    server.restart().await;
    disconnected(&alice).await;
    assert_eq!(connected(&alice).await, session);
    assert!(is_readable(&alice).await);
    assert!(!is_readable(&user("bob", "builder")).await);
    let wrong = user("alice", "wander");
    until(&wrong, |state| matches!(state, ClientState::AuthFailed { .. })).await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn sasl_goes_through_tls() {
    let ca = TestCa::new();
    let options = ServerOptions::default().sasl_users([("alice", "wonder")]).require_sasl();
    let server = ZooKeeper::start_with(&options.tls(ca.server_files())).await;
    let options = secure(&server, known(&ca, &ca.issue("client", &[])));
    works(options.sasl_digest_md5("alice", Secret::new("wonder"))).await;
}
