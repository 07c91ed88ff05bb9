//! The order between own commits and observations.
//!
//! While a commit of this handle is undecided, observations of its key wait for it. So an own write is told once,
//! and as own, whether the answer to the commit or the store's notification arrives first.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::sync::{Notify, oneshot};

use super::snapshot::Origin;
use crate::mutex::lock;
use crate::{Entry, Event, Incarnation, Moment};

/// What the updaters and readers of a handle hand to the owner of its copy.
#[derive(Debug, Default)]
pub(crate) struct Fence {
    state: Mutex<State>,
    moved: Notify,
}

#[derive(Debug, Default)]
struct State {
    undecided: usize,
    own: VecDeque<Fed>,
    seen: VecDeque<Fed>,
    is_closed: bool,
}

/// An entry that was written or read beside the watch.
#[derive(Debug)]
pub(crate) struct Fed {
    pub(crate) event: Event,
    pub(crate) origin: Origin,
    /// When it was asked for, if it proves that the copy is current.
    pub(crate) asked: Option<Moment>,
    /// The life of the store that it is of.
    pub(crate) incarnation: Option<Incarnation>,
    /// Told whether the copy has it, or something newer, now; it has not if it is of another life of the store.
    pub(crate) done: oneshot::Sender<bool>,
}

/// A commit whose outcome is open. Dropping it lets the observations pass.
#[derive(Debug)]
pub(crate) struct Undecided(Arc<Fence>);

impl Fence {
    /// A commit is about to be sent.
    pub(crate) fn begin(self: &Arc<Self>) -> Undecided {
        lock(&self.state).undecided += 1;
        self.moved.notify_one();
        Undecided(Arc::clone(self))
    }

    /// Hands over what an own commit was made on, which others wrote if the copy does not have it yet, then what
    /// became of the commit. Waits until it is readable: whether the copy has it, or something newer. Both pass the
    /// fence.
    ///
    /// # Cancel safety
    ///
    /// What was handed over is taken all the same.
    pub(crate) async fn decide(
        &self,
        base: Option<&Entry>,
        event: Event,
        origin: Origin,
        of: Option<Incarnation>,
    ) -> bool {
        let own = |state: &mut State, fed| state.own.push_back(fed);
        if let Some(base) = base {
            drop(self.feed(Event::Put(base.clone()), Origin::Remote, None, of, own));
        }
        readable(self.feed(event, origin, None, of, own)).await
    }

    /// Hands over what was read beside the watch, and waits until it is readable: whether the copy has it, or
    /// something newer.
    ///
    /// # Cancel safety
    ///
    /// What was handed over is taken all the same.
    pub(crate) async fn observe(&self, event: Event, asked: Option<Moment>, of: Option<Incarnation>) -> bool {
        let seen = |state: &mut State, fed| state.seen.push_back(fed);
        readable(self.feed(event, Origin::Remote, asked, of, seen)).await
    }

    /// Hands over an event; `None` if nothing is taken any more.
    fn feed(
        &self,
        event: Event,
        origin: Origin,
        asked: Option<Moment>,
        incarnation: Option<Incarnation>,
        queue: impl FnOnce(&mut State, Fed),
    ) -> Option<oneshot::Receiver<bool>> {
        let (done, readable) = oneshot::channel();
        {
            let mut state = lock(&self.state);
            if state.is_closed {
                return None;
            }
            queue(&mut state, Fed { event, origin, asked, incarnation, done });
        }
        self.moved.notify_one();
        Some(readable)
    }

    /// Whether a commit is undecided.
    pub(crate) fn is_undecided(&self) -> bool {
        lock(&self.state).undecided > 0
    }

    /// Waits for something to take, or for `was_undecided` to be no longer true (then it gives `None`).
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost.
    pub(crate) async fn next(&self, was_undecided: bool) -> Option<Fed> {
        loop {
            {
                let mut state = lock(&self.state);
                if let Some(fed) = state.own.pop_front() {
                    return Some(fed);
                }
                let is_undecided = state.undecided > 0;
                if !is_undecided && let Some(fed) = state.seen.pop_front() {
                    return Some(fed);
                }
                if is_undecided != was_undecided {
                    return None;
                }
            }
            self.moved.notified().await;
        }
    }

    /// The owner has stopped: nothing is taken any more, and nobody waits for it.
    pub(crate) fn close(&self) {
        let mut state = lock(&self.state);
        state.is_closed = true;
        state.own.clear();
        state.seen.clear();
    }
}

/// Waits until what was handed over is readable; nothing is where the owner has stopped.
async fn readable(fed: Option<oneshot::Receiver<bool>>) -> bool {
    match fed {
        Some(readable) => readable.await.unwrap_or(false),
        None => false,
    }
}

impl Drop for Undecided {
    fn drop(&mut self) {
        lock(&self.0.state).undecided -= 1;
        self.0.moved.notify_one();
    }
}
