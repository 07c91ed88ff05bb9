//! The clients, behind one trait each way of working needs.

mod quorate;
mod tokio_zookeeper;
mod zookeeper_async;
mod zookeeper_client;

use std::future::Future;
use std::net::SocketAddr;

pub(crate) use self::{
    quorate::Quorate, tokio_zookeeper::TokioZookeeper, zookeeper_async::ZookeeperAsync,
    zookeeper_client::ZookeeperClient,
};
use crate::works::{Kind, Place, Work};

/// What every client can do. Whatever fails here panics: a benchmark of failures tells nothing.
pub(crate) trait Client: Send + Sync + Sized + 'static {
    /// Whether an operation begins with the first poll, and not with the call.
    const IS_LAZY: bool;
    /// A path as this client wants it, made beforehand.
    type Path: Send + Sync;
    /// An armed one-shot watch.
    type Watch: Send;

    fn connect(addr: SocketAddr) -> impl Future<Output = Self> + Send;
    fn path(path: &str) -> Self::Path;
    /// Gives the length of the data.
    fn get(&self, path: &Self::Path) -> impl Future<Output = usize> + Send;
    fn set(&self, path: &Self::Path, data: &'static [u8]) -> impl Future<Output = ()> + Send;
    fn create<'a>(&'a self, path: &'a Self::Path, data: &'static [u8]) -> impl Future<Output = ()> + Send;
    fn delete(&self, path: &Self::Path) -> impl Future<Output = ()> + Send;
    fn watch(&self, path: &Self::Path) -> impl Future<Output = Self::Watch> + Send;
    fn fired(watch: Self::Watch) -> impl Future<Output = ()> + Send;
}

/// What some cannot.
pub(crate) trait Multi: Client {
    /// Sets the data of all paths in one transaction, and gives the number of results.
    fn multi(&self, paths: &[Self::Path], data: &'static [u8]) -> impl Future<Output = usize> + Send;
}

/// A client, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// Requests encoded beforehand, and replies counted: what no client can beat.
    Raw,
    Quorate,
    QuorateNagle,
    ZookeeperClient,
    TokioZookeeper,
    ZookeeperAsync,
}

impl Who {
    pub(crate) const ALL: [Self; 6] = [
        Self::Raw,
        Self::Quorate,
        Self::QuorateNagle,
        Self::ZookeeperClient,
        Self::TokioZookeeper,
        Self::ZookeeperAsync,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Quorate => "quorate-zk",
            Self::QuorateNagle => "quorate-zk, nagle",
            Self::ZookeeperClient => "zookeeper-client",
            Self::TokioZookeeper => "tokio-zookeeper",
            Self::ZookeeperAsync => "zookeeper-async",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|who| who.name() == name)
    }

    pub(crate) const fn is_peer(self) -> bool {
        matches!(self, Self::ZookeeperClient | Self::TokioZookeeper | Self::ZookeeperAsync)
    }

    /// A canned server answers at once, so that nothing there waits for an acknowledgement.
    pub(crate) const fn can(self, work: Work) -> bool {
        match self {
            Self::ZookeeperAsync => !matches!(work.kind, Kind::Multi),
            Self::QuorateNagle => matches!(work.place, Place::Real),
            _ => true,
        }
    }
}
