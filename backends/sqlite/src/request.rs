//! What is asked of the threads that own the connections.

use quorate_datasync::{
    Committed, Key, List, Listing, Prefix, Read, Result, Selection, Txn, Want, WatchFrom,
};
use tokio::sync::{mpsc, oneshot, watch};

use crate::watch::Changes;

/// How many requests wait for a thread. Past it the caller waits.
pub(crate) const REQUESTS_MAX: usize = 256;

/// Where an answer goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T>>;

/// What is asked of the thread that writes.
#[derive(Debug)]
pub(crate) enum WriteRequest {
    Commit {
        txn: Txn,
        reply: Reply<Committed>,
    },
    Grant {
        reply: Reply<Granted>,
    },
    Revoke {
        lease: i64,
        reply: Reply<()>,
    },
    /// Answer once all requests before it are settled.
    Barrier {
        reply: Reply<()>,
    },
    /// Delete what the dead and the past have left, and end the leases that were dropped.
    Tend,
    Close {
        reply: oneshot::Sender<()>,
    },
}

impl WriteRequest {
    /// Has the writer tend, unless there is none any more.
    pub(crate) fn tend(writer: &mpsc::WeakSender<Self>) {
        if let Some(writer) = writer.upgrade() {
            // If the queue is full the writer is about to do it anyway.
            let _ = writer.try_send(Self::Tend);
        }
    }
}

/// What is asked of the threads that read.
#[derive(Debug)]
pub(crate) enum ReadRequest {
    Get { key: Key, want: Want, reply: Reply<Read> },
    List { prefix: Prefix, want: List, reply: Reply<Listing> },
    Stop,
}

/// A watch to be armed.
#[derive(Debug)]
pub(crate) struct WatchRequest {
    pub(crate) selection: Selection,
    pub(crate) from: WatchFrom,
    pub(crate) reply: Reply<Changes>,
}

/// A lease that was granted.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) lease: i64,
    pub(crate) ended: watch::Receiver<bool>,
}
