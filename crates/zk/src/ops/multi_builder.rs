//! Putting a multi together.

use bytes::Bytes;
use quorate_zk_proto::{
    ANY_VERSION, Check, Create, CreateMode, Delete, Multi, MultiOp, MultiResult, Request, SetData, Stat,
    ZnodePath,
};

use super::{
    multi::{MultiError, finish as finish_multi},
    operation::{Finish, Operation},
    waiting::Answer,
};
use crate::{acls::Acls, client::Client};

/// Several operations that are to happen together or not at all, in this order. Nothing is sent until
/// [`run`](Self::run).
#[derive(Clone, Debug)]
#[must_use = "nothing happens until it is run"]
pub struct MultiBuilder {
    client: Client,
    ops: Vec<MultiOp>,
}

/// What one operation of a multi did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MultiItem {
    /// Created a znode.
    #[non_exhaustive]
    Created {
        /// Its path, with the number of a sequential one.
        path: ZnodePath,
        /// Its stat, where the server tells it: of containers and of znodes with a time to live.
        stat: Option<Stat>,
    },
    /// Set data; this is the new stat.
    DataSet(Stat),
    /// Deleted a znode.
    Deleted,
    /// Found what was to be checked.
    Checked,
}

impl MultiBuilder {
    pub(super) const fn new(client: Client) -> Self {
        Self { client, ops: Vec::new() }
    }

    /// Creates a znode with its data.
    pub fn create(
        self,
        path: &ZnodePath,
        data: impl Into<Bytes>,
        mode: CreateMode,
        acl: impl Into<Acls>,
    ) -> Self {
        let (data, acl) = (Some(data.into()), acl.into().into_vec());
        // The other form, with a stat, fails the whole multi on servers before 3.5, and tells no stat up to 3.8.1.
        self.op(MultiOp::Create(Create { path: path.clone(), data, acl, mode }))
    }

    /// Sets the data of a znode, if it has this version; `None` for any.
    pub fn set_data(self, path: &ZnodePath, data: impl Into<Bytes>, version: impl Into<Option<i32>>) -> Self {
        let version = version.into().unwrap_or(ANY_VERSION);
        self.op(MultiOp::SetData(SetData { path: path.clone(), data: Some(data.into()), version }))
    }

    /// Deletes a znode without children, if its data has this version; `None` for any.
    pub fn delete(self, path: &ZnodePath, version: impl Into<Option<i32>>) -> Self {
        let version = version.into().unwrap_or(ANY_VERSION);
        self.op(MultiOp::Delete(Delete { path: path.clone(), version }))
    }

    /// Checks that the data of a znode has this version, or that the znode exists if `None`.
    pub fn check(self, path: &ZnodePath, version: impl Into<Option<i32>>) -> Self {
        let version = version.into().unwrap_or(ANY_VERSION);
        self.op(MultiOp::Check(Check { path: path.clone(), version }))
    }

    /// Adds an operation as it goes over the wire.
    pub fn op(mut self, op: MultiOp) -> Self {
        self.ops.push(op);
        self
    }

    /// Returns the operations so far.
    #[must_use]
    pub fn ops(&self) -> &[MultiOp] {
        &self.ops
    }

    /// Submits it, and returns the future of what each operation did.
    ///
    /// Takes effect in the order of the calls. If the connection is lost before the reply arrives all of it or
    /// nothing may have happened: see [`MultiError::maybe_applied`]. An empty one goes through the quorum too.
    ///
    /// # Errors
    ///
    /// [`MultiError`].
    pub fn run(self) -> Operation<Vec<MultiItem>, MultiError> {
        let count = self.ops.len();
        self.client.operate(Request::Multi(Multi { ops: self.ops }), Finish::Counted(finish, count))
    }
}

fn finish(answer: Answer, count: usize) -> Result<Vec<MultiItem>, MultiError> {
    finish_multi(answer, count).map(|results| results.into_iter().filter_map(item).collect())
}

/// Names what an operation did. There is no error among the results of a multi that was applied.
fn item(result: MultiResult) -> Option<MultiItem> {
    match result {
        MultiResult::Created { path, stat } => Some(MultiItem::Created { path, stat }),
        MultiResult::DataSet(stat) => Some(MultiItem::DataSet(stat)),
        MultiResult::Deleted => Some(MultiItem::Deleted),
        MultiResult::Checked => Some(MultiItem::Checked),
        MultiResult::Error(_) => None,
    }
}
