//! Helpers.

use std::{future::Future, time::Duration};

use quorate_testkit::{TestCa, TestCert};
use quorate_zk::{
    Acl, Client, ClientOptions, ClientState, CreateMode, DisconnectReason, SessionId, TlsOptions, ZnodePath,
};
use quorate_zk_fake::FakeZooKeeper;
use tokio::time::timeout;

use crate::terminal::{Terminal, server};

/// Nothing in these tests takes this long; a hang should be an error.
const PATIENCE: Duration = Duration::from_secs(30);

/// A fake behind TLS.
pub(crate) struct World {
    pub(crate) fake: FakeZooKeeper,
    pub(crate) terminal: Terminal,
    pub(crate) ca: TestCa,
}

impl World {
    /// A server whose certificate is made out to these names.
    pub(crate) async fn named(names: &[&str]) -> Self {
        let ca = TestCa::new();
        let cert = ca.issue("server", names);
        Self::with(ca, &cert).await
    }

    pub(crate) async fn with(ca: TestCa, cert: &TestCert) -> Self {
        let fake = FakeZooKeeper::start().await.unwrap();
        let terminal = Terminal::start(fake.addr(), server(cert)).await;
        Self { fake, terminal, ca }
    }

    /// The options of a client that trusts this server.
    pub(crate) fn tls(&self) -> TlsOptions {
        TlsOptions::new().ca_pem(self.ca.cert_pem())
    }

    pub(crate) fn options(&self, tls: TlsOptions) -> ClientOptions {
        ClientOptions::new([self.terminal.connect_string()]).tls(tls)
    }
}

/// Waits for something that must happen.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it happens soon")
}

pub(crate) fn path(text: &str) -> ZnodePath {
    ZnodePath::new(text).unwrap()
}

/// Connects, writes, and reads back.
pub(crate) async fn works(options: ClientOptions) -> Client {
    let client = options.connect().unwrap();
    soon(client.session()).await.unwrap();
    soon(client.create(&path("/node"), "data", CreateMode::Persistent, vec![Acl::open()])).await.unwrap();
    reads(&client).await;
    client
}

/// Reads what [`works`] has written.
pub(crate) async fn reads(client: &Client) {
    assert_eq!(soon(client.get_data(&path("/node"))).await.unwrap().data.as_deref(), Some(&b"data"[..]));
}

/// Waits until a client's state is as wanted.
pub(crate) async fn until(client: &Client, wanted: impl FnMut(&ClientState) -> bool) -> ClientState {
    soon(client.state().wait_for(wanted)).await.unwrap().clone()
}

/// Waits until the session is up, and returns its id.
pub(crate) async fn connected(client: &Client) -> SessionId {
    until(client, ClientState::is_connected).await.session_id().unwrap()
}

/// Waits until a client has lost its connection.
pub(crate) async fn disconnected(client: &Client) {
    until(client, |state| !state.is_connected()).await;
}

/// Connects, and waits until TLS is said to be what is wrong.
pub(crate) async fn tls_failure(options: ClientOptions) -> String {
    let client = options.connect().unwrap();
    let is_failed = |state: &ClientState| {
        matches!(state, ClientState::Disconnected { reason: DisconnectReason::TlsFailed { .. }, .. })
    };
    match until(&client, is_failed).await {
        ClientState::Disconnected { reason: DisconnectReason::TlsFailed { detail }, .. } => detail,
        other => panic!("{other}"),
    }
}
