//! ZooKeeper, if the feature of that name is on.

#[cfg(not(feature = "zookeeper"))]
mod disabled;
#[cfg(feature = "zookeeper")]
mod enabled;

#[cfg(not(feature = "zookeeper"))]
pub(crate) use disabled::{Examiner, Opening};
#[cfg(feature = "zookeeper")]
pub(crate) use enabled::{Examiner, Opening};
