//! A server, a link in front of it that fails on command, and helpers.

use std::{future::Future, net::SocketAddr, time::Duration};

use quorate_testkit::{Link, ServerOptions, ZooKeeper};
use quorate_zk::{
    Acl, Client, ClientOptions, ClientState, CreateMode, SessionToken, Watched, WatchedEvent, Watcher,
    ZnodePath,
};
use quorate_zk_fake::FakeZooKeeper;
use tokio::time::timeout;

/// Nothing in these tests takes this long; a hang should be an error.
const PATIENCE: Duration = Duration::from_secs(30);

enum Server {
    Fake(FakeZooKeeper),
    Real(Box<ZooKeeper>),
}

pub(crate) struct World {
    server: Server,
    pub(crate) link: Link,
    timeout: Duration,
}

impl World {
    /// Time is real, since sockets do not wait for a paused clock; so sessions are short.
    pub(crate) async fn fake() -> Self {
        Self::with_fake(FakeZooKeeper::builder().tick(Duration::from_millis(100)).start().await.unwrap())
            .await
    }

    pub(crate) async fn with_fake(fake: FakeZooKeeper) -> Self {
        let link = Link::to(fake.addr()).await.unwrap();
        Self { server: Server::Fake(fake), link, timeout: Duration::from_millis(900) }
    }

    pub(crate) async fn real() -> Self {
        let server = ZooKeeper::start_with(&ServerOptions::default().tick(Duration::from_millis(500))).await;
        let link = Link::to(server.addr()).await.unwrap();
        Self { server: Server::Real(Box::new(server)), link, timeout: Duration::from_secs(4) }
    }

    pub(crate) fn as_fake(&self) -> &FakeZooKeeper {
        match &self.server {
            Server::Fake(fake) => fake,
            Server::Real(_) => panic!("only the fake can do that"),
        }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        match &self.server {
            Server::Fake(fake) => fake.addr(),
            Server::Real(server) => server.addr(),
        }
    }

    /// The options of a client that goes through the link.
    pub(crate) fn options(&self) -> ClientOptions {
        ClientOptions::new([self.link.connect_string()]).session_timeout(self.timeout)
    }

    pub(crate) fn client(&self) -> Client {
        self.options().connect().unwrap()
    }

    /// A client that the link's faults do not concern.
    pub(crate) fn outsider(&self) -> Client {
        ClientOptions::new([self.addr().to_string()]).session_timeout(self.timeout).connect().unwrap()
    }

    /// Ends the session of a client behind the link, at the server too, and lets the client come back.
    pub(crate) async fn expire(&self, token: &SessionToken) {
        self.link.refuse();
        soon(token.expired().wait_for(|expired| *expired)).await.unwrap();
        self.link.accept();
    }

    pub(crate) async fn restart(&mut self) {
        match &mut self.server {
            Server::Fake(fake) => {
                fake.stop_listening().await.unwrap();
                fake.drop_connections();
                fake.listen_again().await.unwrap();
            }
            Server::Real(server) => server.restart().await,
        }
    }

    /// Waits until the server holds no watch of anybody.
    pub(crate) async fn wait_unwatched(&self, removals: usize) {
        match &self.server {
            Server::Fake(fake) => {
                use quorate_zk::OpCode::RemoveWatches;
                let removed = |fake: &FakeZooKeeper| {
                    fake.requests().iter().filter(|request| request.op == RemoveWatches).count()
                };
                soon(fake.wait_until(|fake| removed(fake) == removals)).await;
            }
            Server::Real(server) => {
                // The server has no event for this; asking again is a round trip, not a guess.
                let is_watching =
                    async || !server.four_letter("wchs").await.unwrap().contains("Total watches:0");
                soon(async { while is_watching().await {} }).await;
            }
        }
    }
}

/// Waits for something that must happen.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it happens soon")
}

pub(crate) fn path(text: &str) -> ZnodePath {
    ZnodePath::new(text).unwrap()
}

pub(crate) async fn create(client: &Client, text: &str) {
    create_as(client, text, CreateMode::Persistent).await;
}

pub(crate) async fn create_as(client: &Client, text: &str, mode: CreateMode) -> String {
    let created = soon(client.create(&path(text), "", mode, vec![Acl::open()])).await.unwrap();
    created.path.as_str().to_owned()
}

/// Waits until a client's state is as wanted.
pub(crate) async fn until(client: &Client, wanted: impl FnMut(&ClientState) -> bool) -> ClientState {
    soon(client.state().wait_for(wanted)).await.unwrap().clone()
}

pub(crate) async fn next(watcher: &mut Watcher) -> Watched {
    soon(watcher.next()).await.expect("the client is open")
}

/// Waits for the next item, which must be an event, and returns it as `(type, path)`.
pub(crate) async fn next_event(watcher: &mut Watcher) -> (quorate_zk::EventType, String) {
    match next(watcher).await {
        Watched::Event(WatchedEvent { event_type, path, .. }) => (event_type, path.as_str().to_owned()),
        other => panic!("an event was expected, not {other:?}"),
    }
}
