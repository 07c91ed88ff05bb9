//! TLS, and clients known by their certificates.

use std::sync::Arc;

use quorate_zk_fake::{FakeZooKeeper, TestCertificates, TestIdentity};
use quorate_zk_proto::*;
use rustls::{ClientConfig, RootCertStore};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::client::*;

async fn dial(
    server: &FakeZooKeeper,
    trusted: &TestCertificates,
    identity: Option<TestIdentity>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.ca()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.unwrap().with_root_certificates(roots);
    let config = match identity {
        Some(identity) => builder.with_client_auth_cert(vec![identity.certificate], identity.key).unwrap(),
        None => builder.with_no_client_auth(),
    };
    let stream = TcpStream::connect(server.addr()).await?;
    TlsConnector::from(Arc::new(config)).connect("localhost".try_into().unwrap(), stream).await
}

#[tokio::test]
async fn clients_that_trust_the_authority_talk_over_tls() {
    let certificates = TestCertificates::generate().unwrap();
    let config = certificates.server_config().unwrap();
    let server = FakeZooKeeper::builder().tls(config).start().await.unwrap();
    let stream = dial(&server, &certificates, None).await.unwrap();
    let mut client = Client::over(stream, connect_request(30_000)).await.unwrap();
    assert!(client.create("/a", CreateMode::Persistent).await.is_ok());
    let stranger = TestCertificates::generate().unwrap();
    assert!(dial(&server, &stranger, None).await.is_err());
    assert!(certificates.ca_pem().starts_with("-----BEGIN CERTIFICATE-----"));
}

#[tokio::test]
async fn what_is_not_tls_gets_no_session() {
    let config = TestCertificates::generate().unwrap().server_config().unwrap();
    let server = FakeZooKeeper::builder().tls(config).start().await.unwrap();
    let mut plain = TcpStream::connect(server.addr()).await.unwrap();
    plain.write_all(b"srvr, and more than that").await.unwrap();
    let mut answer = Vec::new();
    // Whether an alert comes first is up to the kernel, which may lose it with the connection.
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"Zookeeper") && server.sessions().is_empty());
}

#[tokio::test]
async fn a_client_is_known_by_the_subject_of_its_certificate() {
    let certificates = TestCertificates::generate().unwrap();
    let config = certificates.mutual_server_config().unwrap();
    let server = FakeZooKeeper::builder().tls(config).start().await.unwrap();
    let stream = dial(&server, &certificates, certificates.client("web").ok()).await.unwrap();
    let mut client = Client::over(stream, connect_request(30_000)).await.unwrap();
    client.create("/a", CreateMode::Persistent).await.unwrap();
    let web = Acl::new(Perms::ALL, Id::x509("CN=web"));
    client.set_acl("/a", vec![web]).await.unwrap();
    assert!(client.data("/a").await.is_ok());
    assert_eq!(Client::new(&server).await.data("/a").await, Err(ErrorCode::NoAuth));
}

#[tokio::test]
async fn a_client_without_a_certificate_is_not_heard_where_one_is_asked_for() {
    let certificates = TestCertificates::generate().unwrap();
    let config = certificates.mutual_server_config().unwrap();
    let server = FakeZooKeeper::builder().tls(config).start().await.unwrap();
    // The client's half of the handshake is over before the server has looked.
    let client = match dial(&server, &certificates, None).await {
        Ok(stream) => Client::over(stream, connect_request(30_000)).await,
        Err(_) => None,
    };
    assert!(client.is_none());
    server.wait_until(|server| server.sessions().is_empty()).await;
}
