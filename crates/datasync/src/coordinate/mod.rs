//! Coordination over any store: written once, so it works on every one.

mod contender;
mod keeper;
mod lock;

pub(crate) use keeper::LeaseKeeper;
pub use lock::{Lock, LockError, LockGuard};
pub(crate) use lock::{LockRequest, Tenure, after, release};
