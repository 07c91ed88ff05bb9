//! Everything that exists only for the demo, and how it goes away.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use quorate::{Document, Key, Store};
use tempfile::TempDir;
use tokio::time::Instant;

use super::cast::Cast;
use super::model::DIRECTORY;
use super::voice::Voice;

/// How long the story may take. A tenth of it is usual.
const STORY_TIME: Duration = Duration::from_secs(16);

/// How long the store may take to close.
const CLOSE_TIME: Duration = Duration::from_secs(2);

/// The temporary directory, the store in it, and the processes that use it.
///
/// The fields are dropped in their order, so even a stage that is not cleared kills the processes first.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) cast: Cast,
    pub(super) voice: Voice,
    pub(super) document: Document,
    pub(super) store: Arc<dyn Store>,
    pub(super) url: String,
    pub(super) started: Instant,
    pub(super) deadline: Instant,
    directory: TempDir,
}

impl Stage {
    /// Makes the directory and opens the store.
    pub(super) async fn set() -> Result<Self> {
        let started = Instant::now();
        let deadline = started + STORY_TIME;
        let directory =
            tempfile::Builder::new().prefix("quorate-demo-").tempdir().context("no temporary directory")?;
        let url = format!("sqlite:{}", directory.path().join("demo.db").display());
        let store = quorate::open(&url).await.with_context(|| format!("{url} cannot be opened"))?;
        let document = Document::below(&store, Key::parse(DIRECTORY)?)?;
        let (cast, voice) = (Cast::new(deadline), Voice::default());
        Ok(Self { cast, voice, document, store, url, started, deadline, directory })
    }

    /// Ends the processes, closes the store and removes the directory, in this order.
    pub(super) async fn clear(mut self) -> Result<()> {
        self.cast.kill_all().await;
        // What a store that does not close in time still holds goes with this process.
        let _ = tokio::time::timeout(CLOSE_TIME, self.store.close()).await;
        let path = self.directory.path().to_owned();
        self.directory.close().with_context(|| format!("{} cannot be removed", path.display()))
    }
}
