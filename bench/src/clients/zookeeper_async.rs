use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::oneshot::{Receiver, channel};
use zookeeper_async::{Acl, CreateMode, WatchedEvent, ZooKeeper};

use super::Client;

pub(crate) struct ZookeeperAsync(ZooKeeper);

impl Client for ZookeeperAsync {
    const IS_LAZY: bool = true;
    type Path = String;
    type Watch = Receiver<()>;

    async fn connect(addr: SocketAddr) -> Self {
        let ignore = |_: WatchedEvent| {};
        let addr = addr.to_string();
        let connecting = ZooKeeper::connect(&addr, Duration::from_secs(15), ignore);
        Self(connecting.await.expect("the address is good"))
    }

    fn path(path: &str) -> String {
        path.to_owned()
    }

    async fn get(&self, path: &String) -> usize {
        self.0.get_data(path, false).await.expect("get works").0.len()
    }

    async fn set(&self, path: &String, data: &'static [u8]) {
        self.0.set_data(path, data.to_vec(), None).await.expect("set works");
    }

    async fn create<'a>(&'a self, path: &'a String, data: &'static [u8]) {
        let acl = Acl::open_unsafe().clone();
        self.0.create(path, data.to_vec(), acl, CreateMode::Persistent).await.expect("create works");
    }

    async fn delete(&self, path: &String) {
        self.0.delete(path, None).await.expect("delete works");
    }

    async fn watch(&self, path: &String) -> Receiver<()> {
        let (sender, receiver) = channel();
        // If nobody waits any more the process is about to end.
        let tell = move |_| _ = sender.send(());
        self.0.get_data_w(path, tell).await.expect("watching works");
        receiver
    }

    async fn fired(watch: Receiver<()>) {
        watch.await.expect("the watch fires");
    }
}
