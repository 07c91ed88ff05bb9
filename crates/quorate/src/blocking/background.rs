//! The thread that does what goes on between calls.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use quorate_datasync::Store;

/// How long closing the store may take when its last handle is dropped.
const CLOSE_MAX: Duration = Duration::from_secs(2);

/// A runtime on a thread of its own, which lives as long as one of these.
#[derive(Clone, Debug)]
pub(super) struct Background(Arc<Inner>);

struct Inner {
    handle: Handle,
    /// What is closed at the end.
    store: Mutex<Option<Arc<dyn Store>>>,
    stop: Option<oneshot::Sender<Option<Arc<dyn Store>>>>,
    thread: Option<JoinHandle<()>>,
    /// Hung up by the thread when it ends.
    ended: Mutex<mpsc::Receiver<()>>,
}

impl Background {
    /// Starts the thread.
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<Option<Arc<dyn Store>>>();
        let (ends, ended) = mpsc::channel();
        let run = move || {
            let _ends: mpsc::Sender<()> = ends;
            // Dropped before that: its tasks have ended when the end is seen.
            let runtime = runtime;
            runtime.block_on(async {
                if let Ok(Some(store)) = stopped.await {
                    // What cannot be closed in time ends with its connection.
                    let _ = tokio::time::timeout(CLOSE_MAX, store.close()).await;
                }
            });
        };
        let thread = thread::Builder::new().name("quorate".into()).spawn(run)?;
        let (stop, thread, store) = (Some(stop), Some(thread), Mutex::new(None));
        Ok(Self(Arc::new(Inner { handle, store, stop, thread, ended: Mutex::new(ended) })))
    }

    /// Closes this store when the thread ends.
    pub(super) fn own(&self, store: &Arc<dyn Store>) {
        *self.0.store.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(store));
    }

    /// Runs a future here and now.
    pub(super) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.0.handle.block_on(future)
    }

    /// Does something that starts or ends tasks of the thread.
    pub(super) fn enter<R>(&self, work: impl FnOnce() -> R) -> R {
        // A thread that kept a handle for itself drops it when it ends, and can enter nothing by then.
        let is_over = Handle::try_current().is_err_and(|error| error.is_thread_local_destroyed());
        let _entered = (!is_over).then(|| self.0.handle.enter());
        work()
    }
}

impl Drop for Inner {
    /// Ends the thread, and waits for it where that is allowed. It may not end, where a handler waits for whoever
    /// drops this.
    fn drop(&mut self) {
        let store = self.store.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(stop) = self.stop.take() {
            // An error means that the thread has ended already.
            let _ = stop.send(store);
        }
        // A handle that is dropped in a task, perhaps one of the thread itself, must not hold it up.
        if Handle::try_current().is_err()
            && let Some(thread) = self.thread.take()
            && self.has_ended_within(CLOSE_MAX)
        {
            // An error would be a panic of the thread, which was told on its own.
            let _ = thread.join();
        }
    }
}

impl Inner {
    /// Waits until the thread has ended, for so long.
    fn has_ended_within(&mut self, wait: Duration) -> bool {
        let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        ended.recv_timeout(wait) == Err(mpsc::RecvTimeoutError::Disconnected)
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Background").finish_non_exhaustive()
    }
}

/// Something that is dropped in the context of the thread, since it may have to end what runs there.
pub(super) struct Held<T> {
    value: Option<T>,
    background: Background,
}

impl<T> Held<T> {
    pub(super) const fn new(background: Background, value: T) -> Self {
        Self { value: Some(value), background }
    }

    pub(super) const fn background(&self) -> &Background {
        &self.background
    }

    pub(super) fn value(&self) -> &T {
        self.value.as_ref().expect("it is taken out only at the end")
    }

    pub(super) fn value_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("it is taken out only at the end")
    }
}

impl<T: Clone> Clone for Held<T> {
    fn clone(&self) -> Self {
        Self::new(self.background.clone(), self.value().clone())
    }
}

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        let value = self.value.take();
        self.background.enter(|| drop(value));
    }
}
