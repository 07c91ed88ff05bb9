//! The struct that the claims are made of.

use std::time::Duration;

use futures_util::{Stream, StreamExt};
use quorate_datasync::{Document, Key, Open, Shared};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::conformance::Stage;

/// The longest wait for anything that should come by itself.
const PATIENCE: Duration = Duration::from_secs(20);

/// An agent that watches processes, as in the story that the project began with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "claims write it out")]
pub struct Agent {
    /// The processes to watch, as globs.
    pub processes: Vec<String>,
    /// How often to look.
    #[serde(default)]
    pub interval: u64,
}

impl Agent {
    pub(crate) fn watching(processes: &[&str]) -> Self {
        Self { processes: processes.iter().map(ToString::to_string).collect(), interval: 0 }
    }
}

impl Stage {
    pub(crate) fn agent(&self) -> Open<Agent> {
        Shared::open(&self.store, self.key("agent"))
    }

    pub(crate) fn other(&self) -> Open<Agent> {
        Shared::open(&self.second, self.key("agent"))
    }

    /// The struct as a client sees it that knows nothing of its type.
    pub(crate) fn document(&self) -> Document {
        Document::below(&self.second, self.key("agent")).expect("a claim's key has room for parts")
    }

    pub(crate) fn payload(&self) -> Key {
        self.key("agent/payload")
    }

    /// Whether nobody holds the lock or waits for it, once what goes on in the background is done.
    pub(crate) async fn assert_lock_is_free(&self) {
        let lock = self.document().write_lock().expect("a struct with a directory has a lock");
        let guard = lock.acquire(PATIENCE).await.expect("the lock is free");
        guard.release().await.expect("the lock can be freed");
    }
}

/// The next item of a stream, which must come.
pub(crate) async fn next<S: Stream + Unpin>(stream: &mut S) -> S::Item {
    timeout(PATIENCE, stream.next()).await.expect("something is told in time").expect("the stream goes on")
}

/// Waits until a condition on shared state holds.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waited = timeout(PATIENCE, async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what} did not come true in {PATIENCE:?}");
}
