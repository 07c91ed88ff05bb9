//! A server with two clients of different makes, and helpers.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use quorate_testkit::{Kazoo, Value, ZooKeeper, json};
use quorate_zk::{
    Acl, Client, ClientOptions, Create, CreateMode, EventType, Reply, ReplyBody, Request, RequestError,
    Watched, Watcher, ZnodePath,
};
use tokio::time::timeout;

/// Nothing in these tests takes this long; a hang should be an error.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct World {
    server: Arc<ZooKeeper>,
    pub(crate) ours: Client,
    pub(crate) kazoo: Kazoo,
}

impl World {
    /// The server is that of all tests here, so every test works below a znode of its own.
    pub(crate) async fn start() -> Self {
        let server = ZooKeeper::shared().await;
        let kazoo = Kazoo::connect(&server.connect_string()).await;
        let ours = ClientOptions::new([server.connect_string()]).connect().unwrap();
        Self { server, ours, kazoo }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// Another kazoo at the same server, authenticated as this user.
    pub(crate) async fn kazoo_as(&self, credentials: &str) -> Kazoo {
        let arguments = json!({ "auth_data": [["digest", credentials]] });
        Kazoo::connect_with(&self.server.connect_string(), &arguments).await.unwrap()
    }

    /// Asks kazoo something that it must do.
    pub(crate) async fn kazoo(&mut self, name: &str, arguments: Value) -> Value {
        self.kazoo.call(name, arguments).await.unwrap()
    }

    /// Asks kazoo something that it must fail at. Gives the name of what it raised.
    pub(crate) async fn kazoo_fails(&mut self, name: &str, arguments: Value) -> String {
        self.kazoo.call(name, arguments).await.unwrap_err().name
    }

    /// Creates an open znode with the original operation, which can also write null.
    pub(crate) async fn create(&self, text: &str, data: Option<&[u8]>, mode: CreateMode) -> String {
        let data = data.map(|data| data.to_vec().into());
        let create = Create { path: path(text), data, acl: vec![Acl::open()], mode };
        match self.request(Request::Create(create)).await.unwrap().body {
            ReplyBody::Created { path, .. } => path.as_str().to_owned(),
            other => panic!("a path was expected, not {other:?}"),
        }
    }

    pub(crate) async fn request(&self, request: Request) -> Result<Reply, RequestError> {
        soon(self.ours.request(request)).await
    }

    /// Closes both clients.
    pub(crate) async fn end(self) {
        soon(self.ours.close()).await;
        self.kazoo.close().await;
    }
}

/// Waits for something that must happen.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it happens soon")
}

pub(crate) fn path(text: &str) -> ZnodePath {
    ZnodePath::new(text).unwrap()
}

/// Waits for the next item, which must be an event, and returns it as `(type, path)`.
pub(crate) async fn next_event(watcher: &mut Watcher) -> (EventType, String) {
    match soon(watcher.next()).await {
        Some(Watched::Event(event)) => (event.event_type, event.path.as_str().to_owned()),
        other => panic!("an event was expected, not {other:?}"),
    }
}

/// Bytes as kazoo is told them: one character for each.
pub(crate) fn text_of(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}
