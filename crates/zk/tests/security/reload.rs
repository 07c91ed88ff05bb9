//! Certificates that are replaced while a client runs.

use std::{fs, path::PathBuf};

use quorate_testkit::TestCa;
use quorate_zk::{Client, TlsOptions};
use tempfile::TempDir;

use crate::{
    support::{World, connected, disconnected, reads, tls_failure, works},
    terminal::mutual_server,
};

/// A server and a client that know each other by files.
struct Renewal {
    world: World,
    dir: TempDir,
}

impl Renewal {
    async fn start() -> (Self, Client) {
        let world = World::named(&["127.0.0.1"]).await;
        let renewal = Self { world, dir: tempfile::tempdir().unwrap() };
        let ca = TestCa::new();
        let tls = renewal.client_trusts(&ca);
        renewal.server_trusts(&ca);
        let client = works(renewal.world.options(tls)).await;
        (renewal, client)
    }

    /// Writes the client's files.
    fn client_trusts(&self, ca: &TestCa) -> TlsOptions {
        let (cert, key) = ca.issue("client", &[]).write(self.dir.path());
        TlsOptions::new().ca_file(ca.write(self.dir.path())).client_cert_files(cert, key)
    }

    /// Replaces the server's certificates, and cuts its connections.
    fn server_trusts(&self, ca: &TestCa) {
        self.world.terminal.replace(mutual_server(&ca.issue("server", &["127.0.0.1"]), ca));
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

async fn comes_back(client: &Client) {
    disconnected(client).await;
    connected(client).await;
    reads(client).await;
}

#[tokio::test]
async fn new_certificates_are_used_from_the_next_connection_on() {
    let (renewal, client) = Renewal::start().await;
    let session = connected(&client).await;
    for _ in 0..3 {
        let next = TestCa::new();
        let _ = renewal.client_trusts(&next);
        reads(&client).await;
        renewal.server_trusts(&next);
        comes_back(&client).await;
    }
    assert_eq!(connected(&client).await, session);
}

#[tokio::test]
async fn a_client_whose_files_come_late_finds_them() {
    let (renewal, client) = Renewal::start().await;
    let next = TestCa::new();
    renewal.server_trusts(&next);
    disconnected(&client).await;
    let _ = renewal.client_trusts(&next);
    connected(&client).await;
    reads(&client).await;
}

#[tokio::test]
async fn broken_files_leave_the_last_good_state() {
    let (renewal, client) = Renewal::start().await;
    let breakages: [(&str, &[u8]); 4] = [
        ("ca.pem", b"-----BEGIN CERTIFICATE-----\nMII"),
        ("client.pem", b""),
        ("client.key", b"\xff\x00\xff"),
        ("client.key", b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMII\n-----END ENCRYPTED PRIVATE KEY-----\n"),
    ];
    for (name, text) in breakages {
        let before = fs::read(renewal.file(name)).unwrap();
        fs::write(renewal.file(name), text).unwrap();
        renewal.world.terminal.cut();
        comes_back(&client).await;
        fs::write(renewal.file(name), before).unwrap();
    }
}

#[tokio::test]
async fn missing_and_half_replaced_files_leave_the_last_good_state() {
    let (renewal, client) = Renewal::start().await;
    fs::remove_file(renewal.file("ca.pem")).unwrap();
    renewal.world.terminal.cut();
    comes_back(&client).await;
    let next = TestCa::new();
    let _ = next.write(renewal.dir.path());
    fs::write(renewal.file("client.pem"), next.issue("client", &[]).cert_pem()).unwrap();
    renewal.world.terminal.cut();
    comes_back(&client).await;
    // Only now is everything there.
    let _ = renewal.client_trusts(&next);
    renewal.server_trusts(&next);
    comes_back(&client).await;
}

#[tokio::test]
async fn an_authority_that_is_no_longer_trusted_is_not() {
    let (renewal, client) = Renewal::start().await;
    let (cert, key) = (renewal.file("client.pem"), renewal.file("client.key"));
    let ca = renewal.file("ca.pem");
    fs::write(&ca, TestCa::new().cert_pem()).unwrap();
    let options = renewal.world.options(TlsOptions::new().ca_file(&ca).client_cert_files(cert, key));
    assert!(tls_failure(options).await.contains("not signed by a trusted authority"));
    reads(&client).await;
}
