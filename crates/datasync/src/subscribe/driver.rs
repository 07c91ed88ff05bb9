//! The task of a hub: it watches what the board wants, and tells it the time.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::{AbortHandle, abortable};
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until};

use super::board::Plan;
use super::shared::Shared;
use super::source::SourceId;
use crate::{Prefix, Selection, Store, Watch};

/// How many events are taken from a watch at once, before others have their turn.
const EVENTS_MAX: usize = 1024;

/// How long the task sleeps when nothing is due.
const IDLE: std::time::Duration = std::time::Duration::from_secs(3600);

/// Closes the board if the task ends before its time: a store panicked, or the runtime went. Nobody waits for what
/// will not come.
struct Closing(Option<Arc<Shared>>);

impl Drop for Closing {
    fn drop(&mut self) {
        if let Some(shared) = self.0.take() {
            shared.with(|board, _| board.close());
        }
    }
}

/// Runs until nobody subscribes any more, or the store is closed.
pub(super) async fn run(shared: Arc<Shared>, store: Arc<dyn Store>) {
    let mut watches = FuturesUnordered::new();
    let mut handles: HashMap<SourceId, AbortHandle> = HashMap::new();
    let mut closing = Closing(Some(Arc::clone(&shared)));
    loop {
        let Plan { begun, ended, deadline, is_over } = shared.with(|board, _| board.plan());
        if is_over {
            closing.0 = None;
            return;
        }
        for (id, prefix) in begun {
            let (watch, handle) = abortable(follow(Arc::clone(&shared), Arc::clone(&store), id, prefix));
            watches.push(watch);
            handles.insert(id, handle);
        }
        for handle in ended.iter().filter_map(|id| handles.remove(id)) {
            handle.abort();
        }
        let deadline = deadline.unwrap_or_else(|| Instant::now() + IDLE);
        tokio::select! {
            () = shared.rung() => {}
            Some(_) = watches.next() => {}
            () = sleep_until(deadline) => shared.with(|board, now| board.on_time(now)),
        }
    }
}

/// Feeds the board what one watch tells. It ends when the store is closed.
async fn follow(shared: Arc<Shared>, store: Arc<dyn Store>, id: SourceId, prefix: Prefix) {
    let mut watch = Watch::new(&store, Selection::Prefix(prefix)).ready_chunks(EVENTS_MAX);
    while let Some(told) = watch.next().await {
        shared.with(|board, now| board.feed(id, told, now));
        // A watch that always has something to tell would keep the others, and the deadlines, from their turn.
        tokio::task::yield_now().await;
    }
    shared.with(|board, _| board.close());
}
