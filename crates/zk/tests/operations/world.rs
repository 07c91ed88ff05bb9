//! A place for one claim: a server, and paths that nobody else uses there.

use std::{future::Future, time::Duration};

use quorate_zk::{Acls, Client, ClientOptions, CreateMode, Secret, ZnodePath};
use quorate_zk_fake::{Builder, FakeZooKeeper};
use tokio::time::timeout;

/// Nothing in these tests takes this long; a hang should be an error.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct World {
    hosts: String,
    root: ZnodePath,
    /// Lives as long as the world.
    fake: Option<FakeZooKeeper>,
}

impl World {
    pub(crate) async fn fake() -> Self {
        Self::of(FakeZooKeeper::builder().ttl_nodes_enabled()).await
    }

    pub(crate) async fn of(builder: Builder) -> Self {
        let fake = builder.tick(Duration::from_millis(100)).start().await.unwrap();
        Self { hosts: fake.connect_string(), root: ZnodePath::root(), fake: Some(fake) }
    }

    /// A place on a server with other tenants, below a znode that exists.
    pub(crate) fn at(hosts: &str, root: ZnodePath) -> Self {
        Self { hosts: hosts.to_owned(), root, fake: None }
    }

    pub(crate) fn as_fake(&self) -> &FakeZooKeeper {
        self.fake.as_ref().expect("only the fake can do that")
    }

    pub(crate) fn options(&self) -> ClientOptions {
        ClientOptions::new(self.hosts.split(',')).chroot(self.root.clone())
    }

    /// A client with a session of its own.
    pub(crate) fn client(&self) -> Client {
        self.options().connect().unwrap()
    }

    /// A client that has proved to be a user.
    pub(crate) fn user(&self, name: &str) -> Client {
        self.options().digest_auth(name, Secret::new("word")).connect().unwrap()
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
    let created = client.create(&path(text), "", CreateMode::Persistent, Acls::open());
    soon(created).await.unwrap();
}

pub(crate) async fn exists(client: &Client, text: &str) -> bool {
    soon(client.exists(&path(text))).await.unwrap().is_some()
}
