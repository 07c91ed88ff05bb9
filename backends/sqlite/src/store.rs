//! The store as its users hold it.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use quorate_datasync::{
    Capabilities, Committed, Consistency, Error, ErrorKind, Key, Lease, Link, List, Listing, Prefix,
    RawChanges, Read, Result, Selection, Store, StoreStatus, Txn, Want, WatchFrom,
};
use tokio::sync::{mpsc, oneshot, watch};

use crate::error::{classify_io, describe};
use crate::fs::{refuse_network, resolve};
use crate::keeper::Keeper;
use crate::lease::Control;
use crate::options::POLL;
use crate::read::lease_id;
use crate::request::{Granted, REQUESTS_MAX, ReadRequest, WatchRequest, WriteRequest};
use crate::shared::Shared;
use crate::writer::{Others, Writer};
use crate::{SqliteOptions, clock, reader};

/// The longest value.
const VALUE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How many keys one transaction may check and write.
const TXN_KEYS_MAX: usize = 10_000;

/// The step of times to live.
const TTL_GRANULARITY: Duration = Duration::from_millis(1);

/// How many threads read.
const READERS: usize = 2;

/// A store in one SQLite file, for all processes of one machine.
///
/// Every process opens the file itself; there is no server. A commit is on disk when it is acknowledged. Watches of
/// all processes are told of it at once, by inotify; a process that is killed loses its leases at once.
///
/// Dropping it closes the store in the background; [`close`](Store::close) waits until that is done.
///
/// ```
/// use quorate_datasync::{Key, Store, StoreExt};
/// use quorate_sqlite::Sqlite;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("state.db");
/// let store = Sqlite::open(&path).await?;
/// let key = Key::parse("/motd")?;
/// store.put(&key, "hello").await?;
/// assert_eq!(store.entry(&key).await?.unwrap().value, "hello");
/// store.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Sqlite {
    shared: Arc<Shared>,
    writes: mpsc::Sender<WriteRequest>,
    reads: mpsc::Sender<ReadRequest>,
    watches: mpsc::Sender<WatchRequest>,
}

impl Sqlite {
    /// Opens the store in the file at `path`; an absent or empty file is an empty store.
    ///
    /// A file that is removed or replaced while the store is open is another store: the status is
    /// [`Lost`](Link::Lost) until it is opened, watches are told a gap, leases end, and the incarnation is a new
    /// one. To restore a backup, move it into place; do not copy it over the file.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Unreachable`] if the directory does not exist.
    /// - [`ErrorKind::Foreign`] if the file is not a store, is damaged, or was written by a newer version. Nothing
    ///   is written to it or beside it then.
    /// - [`ErrorKind::Unsupported`] if the file is on a network file system.
    /// - [`ErrorKind::Denied`] if this process may not open it.
    /// - [`ErrorKind::TimedOut`] if another process keeps the file locked for seconds.
    ///
    /// # Cancel safety
    ///
    /// A dropped future closes what was opened.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(SqliteOptions::new(), path.as_ref()).await
    }

    /// Begins to say how a store is opened.
    pub const fn options() -> SqliteOptions {
        SqliteOptions::new()
    }

    pub(crate) async fn open_with(options: SqliteOptions, path: &Path) -> Result<Self> {
        let path = path.to_owned();
        let (reply, opened) = oneshot::channel();
        // To open a file can take long, so it is done by the thread that will own it.
        thread::Builder::new()
            .name("quorate-sql-w".into())
            .spawn(move || match Self::start(options, &path) {
                Ok((store, writer, others)) => {
                    // A store that nobody waits for any more is dropped here, which ends the writer below.
                    let _ = reply.send(Ok(store));
                    writer.run(others);
                }
                Err(error) => drop(reply.send(Err(error))),
            })
            .map_err(|error| classify_io("open", Path::new("thread"), error))?;
        opened.await.unwrap_or_else(|_| Err(gone("open")))
    }

    /// Opens the file and starts the other threads.
    fn start(options: SqliteOptions, path: &Path) -> Result<(Self, Writer, Others)> {
        let path = resolve(path)?;
        refuse_network(&path)?;
        let shared = Arc::new(Shared::new(path, options, clock::boot()?)?);
        let (writes, write_requests) = mpsc::channel(REQUESTS_MAX);
        let (reads, read_requests) = mpsc::channel(REQUESTS_MAX);
        let (watches, watch_requests) = mpsc::channel(REQUESTS_MAX);
        let writer = Writer::open(Arc::clone(&shared), write_requests)?;
        let spawn = |name: &str, run: Box<dyn FnOnce() + Send>| {
            let spawned = thread::Builder::new().name(name.into()).spawn(run);
            spawned.map_err(|error| classify_io("open", Path::new("thread"), error))
        };
        let stop = Arc::new(AtomicBool::new(false));
        let keeper = Keeper::new(Arc::clone(&shared), watch_requests, writes.downgrade(), Arc::clone(&stop));
        let queue = Arc::new(Mutex::new(read_requests));
        let readers = (0..READERS)
            .map(|_| {
                let (shared, queue) = (Arc::clone(&shared), Arc::clone(&queue));
                spawn("quorate-sql-r", Box::new(move || reader::run(&shared, &queue)))
            })
            .collect::<Result<_>>()?;
        let keeper = spawn("quorate-sql-k", Box::new(move || keeper.run()))?;
        let others = Others { reads: reads.clone(), readers, stop, keeper };
        Ok((Self { shared, writes, reads, watches }, writer, others))
    }

    /// Fails if this handle cannot be used any more.
    fn check(&self, operation: &'static str) -> Result<()> {
        self.shared.check_process(operation)?;
        if self.writes.is_closed() { Err(closed(operation)) } else { Ok(()) }
    }

    /// Waits for the commits that were submitted through this handle and abandoned, so that the read that follows
    /// sees them.
    async fn settle(&self, operation: &'static str) -> Result<()> {
        if self.shared.abandoned.any() {
            let (reply, settled) = oneshot::channel();
            self.writes.send(WriteRequest::Barrier { reply }).await.map_err(|_| closed(operation))?;
            // If the barrier failed then so did what it waited for.
            let _ = settled.await;
        }
        Ok(())
    }
}

fn closed(operation: &'static str) -> Error {
    Error::new(ErrorKind::Closed, operation)
}

/// A thread ended without an answer.
fn gone(operation: &'static str) -> Error {
    Error::new(ErrorKind::Backend, operation).because("the thread that owns the file is gone")
}

#[async_trait]
impl Store for Sqlite {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new(VALUE_BYTES_MAX)
            .txn_keys_max(TXN_KEYS_MAX)
            .with_atomic_watch()
            .with_history()
            .with_linearizable()
            .ttl_granularity(TTL_GRANULARITY)
    }

    fn status(&self) -> watch::Receiver<StoreStatus> {
        self.shared.status.subscribe()
    }

    /// Every read sees all that was acknowledged before it, at every consistency: one machine holds the file. It also
    /// sees what became of the commits that this handle had submitted, though nobody waits for them any more.
    async fn get(&self, key: &Key, want: Want, _: Consistency) -> Result<Read> {
        self.check("get")?;
        self.settle("get").await?;
        let (reply, answer) = oneshot::channel();
        let request = ReadRequest::Get { key: key.clone(), want, reply };
        self.reads.send(request).await.map_err(|_| closed("get"))?;
        answer.await.unwrap_or_else(|_| Err(closed("get"))).map_err(|error| error.on(key))
    }

    async fn list(&self, prefix: &Prefix, want: List, _: Consistency) -> Result<Listing> {
        self.check("list")?;
        self.settle("list").await?;
        let (reply, answer) = oneshot::channel();
        let request = ReadRequest::List { prefix: prefix.clone(), want, reply };
        self.reads.send(request).await.map_err(|_| closed("list"))?;
        answer.await.unwrap_or_else(|_| Err(closed("list")))
    }

    async fn commit(&self, txn: Txn) -> Result<Committed> {
        self.check("commit")?;
        txn.validate(&self.capabilities())?;
        let (reply, answer) = oneshot::channel();
        let request = WriteRequest::Commit { txn, reply };
        self.writes.send(request).await.map_err(|_| closed("commit"))?;
        let outcome = self.shared.abandoned.wait_for(answer).answer().await;
        outcome.unwrap_or_else(|_| Err(gone("commit").perhaps_applied()))
    }

    async fn watch(&self, what: &Selection, from: WatchFrom) -> Result<RawChanges> {
        self.check("watch")?;
        let (reply, armed) = oneshot::channel();
        let request = WatchRequest { selection: what.clone(), from, reply };
        self.watches.send(request).await.map_err(|_| closed("watch"))?;
        self.shared.wake();
        armed.await.unwrap_or_else(|_| Err(closed("watch"))).map(RawChanges::new)
    }

    /// The time to live is not counted: the lease ends with the process, which others notice within a second.
    async fn grant(&self, _: Duration) -> Result<Lease> {
        self.check("grant")?;
        let (reply, answer) = oneshot::channel();
        self.writes.send(WriteRequest::Grant { reply }).await.map_err(|_| closed("grant"))?;
        let Granted { lease, ended } = answer.await.unwrap_or_else(|_| Err(gone("grant")))?;
        let (shared, writer) = (Arc::clone(&self.shared), self.writes.downgrade());
        let control = Arc::new(Control { lease, shared, writer });
        Ok(Lease::new(lease_id(lease), 0, POLL, ended, control))
    }

    async fn close(&self) {
        if let Err(error) = self.shared.check_process("close") {
            tracing::warn!(reason = describe(&error), "the store is not closed");
            return;
        }
        let (reply, closed) = oneshot::channel();
        if self.writes.send(WriteRequest::Close { reply }).await.is_ok() {
            // Without an answer the thread has ended, and the store with it.
            let _ = closed.await;
        }
        // Somebody else may have been first: the end is the same for both.
        let mut status = self.shared.status.subscribe();
        let _ = status.wait_for(|status| status.link == Link::Closed).await;
    }
}
