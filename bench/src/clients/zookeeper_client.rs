use std::future::Future;
use std::net::SocketAddr;

use zookeeper_client::{Acls, Client as Inner, CreateMode, CreateOptions, OneshotWatcher};

use super::{Client, Multi};

const OPTIONS: CreateOptions<'static> = CreateMode::Persistent.with_acls(Acls::anyone_all());

pub(crate) struct ZookeeperClient(Inner);

impl Client for ZookeeperClient {
    const IS_LAZY: bool = false;
    type Path = String;
    type Watch = OneshotWatcher;

    async fn connect(addr: SocketAddr) -> Self {
        Self(Inner::connect(&addr.to_string()).await.expect("the server is there"))
    }

    fn path(path: &str) -> String {
        path.to_owned()
    }

    fn get(&self, path: &String) -> impl Future<Output = usize> + Send {
        let get = self.0.get_data(path);
        async { get.await.expect("get works").0.len() }
    }

    fn set(&self, path: &String, data: &'static [u8]) -> impl Future<Output = ()> + Send {
        let set = self.0.set_data(path, data, None);
        async { _ = set.await.expect("set works") }
    }

    fn create<'a>(&'a self, path: &'a String, data: &'static [u8]) -> impl Future<Output = ()> + Send {
        let create = self.0.create(path, data, &OPTIONS);
        async { _ = create.await.expect("create works") }
    }

    fn delete(&self, path: &String) -> impl Future<Output = ()> + Send {
        let delete = self.0.delete(path, None);
        async { delete.await.expect("delete works") }
    }

    fn watch(&self, path: &String) -> impl Future<Output = OneshotWatcher> + Send {
        let watching = self.0.get_and_watch_data(path);
        async { watching.await.expect("watching works").2 }
    }

    async fn fired(watch: OneshotWatcher) {
        watch.changed().await;
    }
}

impl Multi for ZookeeperClient {
    fn multi(&self, paths: &[String], data: &'static [u8]) -> impl Future<Output = usize> + Send {
        let mut writer = self.0.new_multi_writer();
        for path in paths {
            writer.add_set_data(path, data, None).expect("the path is good");
        }
        let commit = writer.commit();
        async { commit.await.expect("multi works").len() }
    }
}
