//! The live copies of a map: at most one for each key.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use tokio::sync::OwnedMutexGuard;

use crate::Shared;
use crate::mutex::lock;
use crate::shared::WeakShared;

/// How many slots there are at least before those that came to nothing are looked for.
const SLOTS_MIN: usize = 64;

/// The live copies, by the segment of their key.
#[derive(Debug)]
pub(super) struct Slots<T>(Mutex<Inner<T>>);

#[derive(Debug)]
struct Inner<T> {
    slots: BTreeMap<String, Slot<T>>,
    /// How many slots there may be before those that came to nothing go.
    sweep_at: usize,
    /// Those that are kept although nobody may use them, the last one asked for first.
    kept: VecDeque<(String, Shared<T>)>,
}

/// One key that was asked for: whose turn it is to open it, and what was opened.
type Slot<T> = Arc<tokio::sync::Mutex<WeakShared<T>>>;

/// The turn of one who asks for a key. Nobody else opens or removes it meanwhile.
pub(super) type Turn<T> = OwnedMutexGuard<WeakShared<T>>;

impl<T> Slots<T> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Inner { slots: BTreeMap::new(), sweep_at: SLOTS_MIN, kept: VecDeque::new() }))
    }

    /// Waits for the turn to treat one key.
    pub(super) async fn turn(&self, segment: &str) -> Turn<T> {
        let slot = {
            let mut inner = lock(&self.0);
            if inner.slots.len() >= inner.sweep_at {
                // Those that nobody uses and nobody waits for: what was asked for was not opened.
                inner.slots.retain(|_, slot| is_needed(slot));
                inner.sweep_at = (inner.slots.len() * 2).max(SLOTS_MIN);
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
        let mut inner = lock(&self.0);
        let known = inner.kept.iter().position(|(kept, _)| kept == segment);
        let out = match known {
            Some(at) => inner.kept.remove(at),
            None if inner.kept.len() >= max => inner.kept.pop_back(),
            None => None,
        };
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

    /// The copy of this key has ended. Unless somebody is about to open another, nothing is left of it.
    pub(super) fn sweep(&self, segment: &str) {
        let mut inner = lock(&self.0);
        if inner.slots.get(segment).is_some_and(|slot| !is_needed(slot)) {
            inner.slots.remove(segment);
        }
    }

    /// How many copies are alive.
    pub(super) fn live(&self) -> usize {
        lock(&self.0).slots.values().filter(|slot| is_live(slot)).count()
    }
}

/// Whether a slot has a copy that somebody uses, or somebody waits for it.
fn is_needed<T>(slot: &Slot<T>) -> bool {
    Arc::strong_count(slot) > 1 || is_live(slot)
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
        assert!(lock(&slots.0).slots.len() <= SLOTS_MIN);
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
