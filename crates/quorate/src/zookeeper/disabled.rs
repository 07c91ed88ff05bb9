//! Without ZooKeeper.

use quorate_datasync::{Key, Result};

use crate::{Findings, OpenOptions, OpenStore, OpenStoreError, StoreUrl, ZooKeeperUrl};

/// There is none.
#[derive(Clone, Debug)]
pub(crate) enum Examiner {}

impl Examiner {
    /// Cannot be called, since there is nothing to call it on.
    #[expect(clippy::unused_async, reason = "with ZooKeeper the server is asked")]
    pub(crate) async fn examine(&self, _: &Key) -> Result<Findings> {
        match *self {}
    }
}

/// There is none.
pub(crate) enum Opening {}

impl Opening {
    pub(crate) fn new(url: &ZooKeeperUrl, _: &OpenOptions) -> std::result::Result<Self, OpenStoreError> {
        let url = StoreUrl::ZooKeeper(Box::new(url.clone()));
        Err(OpenStoreError::NotBuiltIn { url, feature: "zookeeper" })
    }

    /// Cannot be called, since there is nothing to call it on.
    #[expect(clippy::unused_async, reason = "with ZooKeeper files are read")]
    pub(crate) async fn open(self) -> Result<OpenStore> {
        match self {}
    }
}
