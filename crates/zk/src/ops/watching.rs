//! Reads that set a one-shot watch.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use quorate_zk_proto::{Exists, GetChildren, GetData, Request, Stat, ZnodePath};

use super::{
    Children, ExistsError, GetChildrenError, GetDataError, NodeData, Operation,
    operation::Finish,
    read::{finish_children, finish_data, finish_exists},
    waiting::Answer,
};
use crate::{client::Client, one_shot::OneshotWatcher, response::Response};

/// Reads that set a one-shot watch which is told to the session-wide stream ([`SessionEvents`]).
///
/// Made by [`Client::watch`]. A read that fails sets no watch, except that [`exists`](Self::exists) sets one also
/// where there is no znode. Watches are armed again on every connection of the session; when it expires the
/// stream says [`SessionEvent::WatchesLost`].
///
/// [`SessionEvents`]: crate::SessionEvents
/// [`SessionEvent::WatchesLost`]: crate::SessionEvent::WatchesLost
#[derive(Clone, Copy, Debug)]
pub struct Watch<'a> {
    pub(super) client: &'a Client,
}

/// Reads that set a one-shot watch with a watcher of its own ([`OneshotWatcher`]).
///
/// Made by [`Client::with_watcher`]. A read that fails sets no watch, except that [`exists`](Self::exists) sets
/// one also where there is no znode. The deadline of the handle applies; a read that failed is not made again.
#[derive(Clone, Copy, Debug)]
pub struct WithWatcher<'a> {
    pub(super) client: &'a Client,
}

impl Client {
    /// Gives the reads that set a one-shot watch which is told to the session-wide stream.
    #[must_use]
    pub const fn watch(&self) -> Watch<'_> {
        Watch { client: self }
    }

    /// Gives the reads that set a one-shot watch with a watcher of its own.
    ///
    /// # Examples
    ///
    /// ```
    /// # use quorate_zk_fake::FakeZooKeeper;
    /// use quorate_zk::{Acl, ClientOptions, CreateMode, Watched, ZnodePath};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = FakeZooKeeper::start().await?;
    /// # let client = ClientOptions::new([server.connect_string()]).connect()?;
    /// let path = ZnodePath::new("/config")?;
    /// client.create(&path, "1", CreateMode::Persistent, vec![Acl::open()]).await?;
    /// let (node, watcher) = client.with_watcher().get_data(&path).await?;
    /// client.set_data(&path, "2", node.stat.version).await?;
    /// assert!(matches!(watcher.await, Some(Watched::Event(_))));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn with_watcher(&self) -> WithWatcher<'_> {
        WithWatcher { client: self }
    }
}

impl Watch<'_> {
    /// Reads the stat of a znode; `None` if it does not exist. The watch fires when the znode is created, deleted
    /// or its data set.
    ///
    /// # Errors
    ///
    /// [`ExistsError`].
    pub fn exists(&self, path: &ZnodePath) -> Operation<Option<Stat>, ExistsError> {
        self.client.operate(exists(path), Finish::Reply(finish_exists))
    }

    /// Reads the data and stat of a znode. The watch fires when the data is set or the znode deleted.
    ///
    /// # Errors
    ///
    /// [`GetDataError`].
    pub fn get_data(&self, path: &ZnodePath) -> Operation<NodeData, GetDataError> {
        self.client.operate(get_data(path), Finish::Reply(finish_data))
    }

    /// Lists the children of a znode. The watch fires when a child is created or deleted, or the znode deleted.
    ///
    /// # Errors
    ///
    /// [`GetChildrenError`].
    pub fn get_children(&self, path: &ZnodePath) -> Operation<Children, GetChildrenError> {
        self.client.operate(get_children(path), Finish::Reply(finish_children))
    }
}

impl WithWatcher<'_> {
    /// Reads the stat of a znode; `None` if it does not exist. The watch fires when the znode is created, deleted
    /// or its data set.
    ///
    /// # Errors
    ///
    /// [`ExistsError`].
    pub fn exists(&self, path: &ZnodePath) -> WatchedOperation<Option<Stat>, ExistsError> {
        let (response, watcher) = self.client.request_with_watcher(exists(path));
        self.operate(response, finish_exists, watcher)
    }

    /// Reads the data and stat of a znode. The watch fires when the data is set or the znode deleted.
    ///
    /// # Errors
    ///
    /// [`GetDataError`].
    pub fn get_data(&self, path: &ZnodePath) -> WatchedOperation<NodeData, GetDataError> {
        let (response, watcher) = self.client.request_with_watcher(get_data(path));
        self.operate(response, finish_data, watcher)
    }

    /// Lists the children of a znode. The watch fires when a child is created or deleted, or the znode deleted.
    ///
    /// # Errors
    ///
    /// [`GetChildrenError`].
    pub fn get_children(&self, path: &ZnodePath) -> WatchedOperation<Children, GetChildrenError> {
        let (response, watcher) = self.client.request_with_watcher(get_children(path));
        self.operate(response, finish_children, watcher)
    }
}

impl WithWatcher<'_> {
    pub(super) fn operate<T, E>(
        &self,
        response: Response,
        finish: fn(Answer) -> Result<T, E>,
        watcher: OneshotWatcher,
    ) -> WatchedOperation<T, E> {
        let operation = Operation::new(response, finish).on(self.client.terms());
        WatchedOperation { operation, watcher: Some(watcher) }
    }
}

fn exists(path: &ZnodePath) -> Request {
    Request::Exists(Exists { path: path.clone(), watch: true })
}

fn get_data(path: &ZnodePath) -> Request {
    Request::GetData(GetData { path: path.clone(), watch: true })
}

fn get_children(path: &ZnodePath) -> Request {
    Request::GetChildrenWithStat(GetChildren { path: path.clone(), watch: true })
}

/// The result of a read that is submitted already, and the watcher that goes with it.
///
/// # Cancel safety
///
/// Dropping it withdraws the read while it waits for room in the window, and takes the watch back, at the server
/// too if it got that far.
#[derive(Debug)]
#[must_use = "dropping the operation withdraws it if it was not sent yet"]
pub struct WatchedOperation<T, E> {
    operation: Operation<T, E>,
    watcher: Option<OneshotWatcher>,
}

impl<T, E> Future for WatchedOperation<T, E> {
    type Output = Result<(T, OneshotWatcher), E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = ready!(Pin::new(&mut self.operation).poll(cx));
        let watcher = self.watcher.take().expect("a finished future is not polled again");
        Poll::Ready(result.map(|found| (found, watcher)))
    }
}
