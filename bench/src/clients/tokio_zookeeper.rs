use std::net::SocketAddr;
use std::time::Duration;

use futures_channel::oneshot::Receiver;
use tokio_zookeeper::{Acl, CreateMode, WatchedEvent, ZooKeeper, ZooKeeperBuilder};

use super::{Client, Multi};

pub(crate) struct TokioZookeeper(ZooKeeper);

impl Client for TokioZookeeper {
    const IS_LAZY: bool = true;
    type Path = String;
    type Watch = Receiver<WatchedEvent>;

    async fn connect(addr: SocketAddr) -> Self {
        let mut builder = ZooKeeperBuilder::default();
        builder.set_timeout(Duration::from_secs(15));
        // Nobody listens to the stream of all events: it would be work that the others do not have.
        let (client, _events) = builder.connect(&addr).await.expect("the server is there");
        Self(client)
    }

    fn path(path: &str) -> String {
        path.to_owned()
    }

    async fn get(&self, path: &String) -> usize {
        self.0.get_data(path).await.expect("get works").map_or(0, |(data, _)| data.len())
    }

    async fn set(&self, path: &String, data: &'static [u8]) {
        self.0.set_data(path, None, data).await.expect("the server is there").expect("set works");
    }

    async fn create<'a>(&'a self, path: &'a String, data: &'static [u8]) {
        let create = self.0.create(path, data, Acl::open_unsafe(), CreateMode::Persistent);
        create.await.expect("the server is there").expect("create works");
    }

    async fn delete(&self, path: &String) {
        self.0.delete(path, None).await.expect("the server is there").expect("delete works");
    }

    async fn watch(&self, path: &String) -> Receiver<WatchedEvent> {
        let watching = self.0.with_watcher().get_data(path).await.expect("watching works");
        watching.expect("the znode exists").0
    }

    async fn fired(watch: Receiver<WatchedEvent>) {
        watch.await.expect("the watch fires");
    }
}

impl Multi for TokioZookeeper {
    async fn multi(&self, paths: &[String], data: &'static [u8]) -> usize {
        let multi = paths.iter().fold(self.0.multi(), |multi, path| multi.set_data(path, None, data));
        let results = multi.run().await.expect("multi works");
        assert!(results.iter().all(Result::is_ok), "every operation works");
        results.len()
    }
}
