use std::future::Future;
use std::net::SocketAddr;

use bytes::Bytes;
use quorate_zk::{
    Acl, Client as Inner, ClientOptions, CreateMode, MultiOp, OneshotWatcher, SetData, Watched, ZnodePath,
};

use super::{Client, Multi};

/// Of two kinds: with Nagle's algorithm, as all the others use it, and without, as it is unless asked for.
pub(crate) struct Quorate<const IS_NAGLE: bool>(Inner);

/// A watch that was armed. A future itself, it is kept from being awaited too early.
pub(crate) struct Armed(OneshotWatcher);

impl<const IS_NAGLE: bool> Client for Quorate<IS_NAGLE> {
    const IS_LAZY: bool = false;
    type Path = ZnodePath;
    type Watch = Armed;

    async fn connect(addr: SocketAddr) -> Self {
        let options = ClientOptions::new([addr.to_string()]);
        let options = if IS_NAGLE { options.nagle() } else { options };
        let client = options.connect().expect("the address is good");
        client.session().await.expect("the server is there");
        Self(client)
    }

    fn path(path: &str) -> ZnodePath {
        ZnodePath::new(path).expect("the path is good")
    }

    fn get(&self, path: &ZnodePath) -> impl Future<Output = usize> + Send {
        let get = self.0.get_data(path);
        async { get.await.expect("get works").data.map_or(0, |data| data.len()) }
    }

    fn set(&self, path: &ZnodePath, data: &'static [u8]) -> impl Future<Output = ()> + Send {
        let set = self.0.set_data(path, Bytes::from_static(data), None);
        async { _ = set.await.expect("set works") }
    }

    fn create<'a>(&'a self, path: &'a ZnodePath, data: &'static [u8]) -> impl Future<Output = ()> + Send {
        let acl = vec![Acl::open()];
        let create = self.0.create(path, Bytes::from_static(data), CreateMode::Persistent, acl);
        async { _ = create.await.expect("create works") }
    }

    fn delete(&self, path: &ZnodePath) -> impl Future<Output = ()> + Send {
        let delete = self.0.delete(path, None);
        async { _ = delete.await.expect("delete works") }
    }

    fn watch(&self, path: &ZnodePath) -> impl Future<Output = Armed> + Send {
        let watching = self.0.with_watcher().get_data(path);
        async { Armed(watching.await.expect("watching works").1) }
    }

    async fn fired(watch: Armed) {
        assert!(matches!(watch.0.await, Some(Watched::Event(_))), "the watch fires");
    }
}

impl<const IS_NAGLE: bool> Multi for Quorate<IS_NAGLE> {
    fn multi(&self, paths: &[ZnodePath], data: &'static [u8]) -> impl Future<Output = usize> + Send {
        let op = |path: &ZnodePath| {
            MultiOp::SetData(SetData {
                path: path.clone(),
                data: Some(Bytes::from_static(data)),
                version: -1,
            })
        };
        let multi = self.0.multi_ops(paths.iter().map(op).collect());
        async { multi.await.expect("multi works").len() }
    }
}
