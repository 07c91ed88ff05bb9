//! The lens: how the bytes of a node become what the view holds of it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;

use super::Follow;
use crate::{Decode, DecodeError, Key};

/// How the bytes of a node become what the view holds of it, and what counts as a difference.
pub(super) trait Lens<V>: Send + Sync {
    /// What the view is to hold of a node; `None` if the node does not belong to it.
    fn view(&self, key: &Key, bytes: &Bytes) -> Result<Option<V>, DecodeError>;

    /// Whether a value of other bytes is no news beside the one that is held.
    fn is_same(&self, held: &V, new: &V) -> bool;
}

/// The lens of a follower that was built: a codec, a filter of keys, a projection.
pub(super) struct Projected<T, C, V> {
    pub(super) codec: C,
    pub(super) passes: Box<dyn Fn(&Key) -> bool + Send + Sync>,
    pub(super) project: Box<dyn Fn(T) -> Option<V> + Send + Sync>,
    pub(super) is_same: fn(&V, &V) -> bool,
}

/// The lens of a [`Follow`]: its `filter` and its `equals`, behind what was built.
pub(super) struct Filtered<'a, L, F> {
    pub(super) lens: &'a L,
    pub(super) follow: &'a F,
}

impl<T, C: Decode<T>, V> Lens<V> for Projected<T, C, V> {
    fn view(&self, key: &Key, bytes: &Bytes) -> Result<Option<V>, DecodeError> {
        if !(self.passes)(key) {
            return Ok(None);
        }
        let value = self.codec.decode(bytes)?;
        guarded(|| (self.project)(value))
    }

    fn is_same(&self, held: &V, new: &V) -> bool {
        // A comparison that panics finds a difference.
        catch_unwind(AssertUnwindSafe(|| (self.is_same)(held, new))).unwrap_or(false)
    }
}

impl<V: Send + Sync + 'static, L: Lens<V>, F: Follow<V>> Lens<V> for Filtered<'_, L, F> {
    fn view(&self, key: &Key, bytes: &Bytes) -> Result<Option<V>, DecodeError> {
        let value = self.lens.view(key, bytes)?;
        Ok(value.filter(|value| self.follow.filter(key, value)))
    }

    fn is_same(&self, held: &V, new: &V) -> bool {
        self.lens.is_same(held, new) || self.follow.equals(held, new)
    }
}

/// Runs a projection: a node on which it panics is rejected, and the others are followed on.
fn guarded<V>(project: impl FnOnce() -> Option<V>) -> Result<Option<V>, DecodeError> {
    catch_unwind(AssertUnwindSafe(project))
        .map_err(|_| DecodeError::WrongShape("the projection panicked".into()))
}
