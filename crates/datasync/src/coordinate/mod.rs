//! Coordination over any store: written once, so it works on every one.

mod contender;
mod keeper;
mod lock;
mod queue;
mod tenure;

pub(crate) use keeper::LeaseKeeper;
pub use lock::{Lock, LockError, LockGuard};
pub(crate) use queue::{ANSWER_TIME, LockRequest, after};
pub(crate) use tenure::{Tenure, release};
