//! The live copies of a map: at most one for each key.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use tokio::sync::OwnedMutexGuard;

use crate::Shared;
use crate::mutex::lock;
use crate::shared::WeakShared;

/// The live copies, by the segment of their key.
#[derive(Debug)]
pub(super) struct Slots<T>(Mutex<Inner<T>>);

#[derive(Debug)]
struct Inner<T> {
    slots: HashMap<String, Slot<T>>,
    /// Those that are kept although nobody may use them, the last one asked for first.
    kept: VecDeque<(String, Shared<T>)>,
}

/// One key that was asked for: whose turn it is to open it, and what was opened.
type Slot<T> = Arc<tokio::sync::Mutex<WeakShared<T>>>;

/// The turn of one who asks for a key. Nobody else opens or removes it meanwhile.
pub(super) type Turn<T> = OwnedMutexGuard<WeakShared<T>>;

impl<T> Slots<T> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Inner { slots: HashMap::new(), kept: VecDeque::new() }))
    }

    /// Waits for the turn to treat one key.
    pub(super) async fn turn(&self, segment: &str) -> Turn<T> {
        let slot = {
            let mut inner = lock(&self.0);
            if inner.slots.len() == inner.slots.capacity() {
                // Before there is room made for more: those that nobody uses and nobody waits for.
                inner.slots.retain(|_, slot| Arc::strong_count(slot) > 1 || is_live(slot));
            }
            Arc::clone(inner.slots.entry(segment.to_owned()).or_default())
        };
        slot.lock_owned().await
    }

    /// The copy was asked for: it is kept, and the one that was not asked for the longest is not, past `max`.
    pub(super) fn keep(&self, segment: &str, shared: &Shared<T>, max: usize) {
        if max == 0 {
            return;
        }
        // What falls out may end with this, which is not to happen under the lock.
        let mut out = None;
        let mut inner = lock(&self.0);
        let known = inner.kept.iter().position(|(kept, _)| kept == segment);
        match known {
            Some(at) => drop(inner.kept.remove(at)),
            None if inner.kept.len() >= max => out = inner.kept.pop_back(),
            None => {}
        }
        inner.kept.push_front((segment.to_owned(), shared.clone()));
        drop(inner);
        drop(out);
    }

    /// The copy of this key is not kept any longer.
    pub(super) fn forget(&self, segment: &str) {
        let mut inner = lock(&self.0);
        let known = inner.kept.iter().position(|(kept, _)| kept == segment);
        let out = known.and_then(|at| inner.kept.remove(at));
        drop(inner);
        drop(out);
    }

    /// How many copies are alive.
    pub(super) fn live(&self) -> usize {
        lock(&self.0).slots.values().filter(|slot| is_live(slot)).count()
    }
}

/// Whether a slot has a copy that somebody uses. While somebody has the turn it is not known, and nothing is lost.
fn is_live<T>(slot: &Slot<T>) -> bool {
    slot.try_lock().is_ok_and(|weak| weak.is_live())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keys_that_nobody_uses_cost_nothing() {
        let slots = Slots::<u64>::new();
        for at in 0..10_000 {
            drop(slots.turn(&at.to_string()).await);
        }
        assert!(lock(&slots.0).slots.capacity() < 100);
        assert_eq!(slots.live(), 0);
    }

    #[tokio::test]
    async fn turns_of_one_key_exclude_each_other_and_those_of_two_do_not() {
        let slots = Slots::<u64>::new();
        let turn = slots.turn("a").await;
        let _other = slots.turn("b").await;
        let mut next = looked(slots.turn("a"));
        assert!(next.is_pending());
        drop(turn);
        assert!(!next.is_pending());
    }

    /// A future that is looked at from outside.
    struct Looked<F>(std::pin::Pin<Box<F>>);

    fn looked<F: Future>(future: F) -> Looked<F> {
        Looked(Box::pin(future))
    }

    impl<F: Future> Looked<F> {
        fn is_pending(&mut self) -> bool {
            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
            self.0.as_mut().poll(&mut cx).is_pending()
        }
    }
}
