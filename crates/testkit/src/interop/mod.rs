//! Clients of other makes, to write what ours reads and to read what ours writes.

mod kazoo;

pub use kazoo::{Kazoo, KazooError};
