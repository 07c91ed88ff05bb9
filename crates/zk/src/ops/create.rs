//! Creating a znode.

use bytes::Bytes;
use quorate_zk_proto::{Acl, Create, CreateMode, Reply, ReplyBody, Request, Stat, ZnodePath, Zxid};

use super::{error::operation_error, operation::Operation};
use crate::{client::Client, error::RequestError};

operation_error! {
    /// Why a znode was not created.
    pub enum CreateError {
        /// There is one already.
        NodeExists = NodeExists, "znode exists already";
        /// The parent does not exist.
        NoParent = NoNode, "parent znode does not exist";
        /// The parent is ephemeral and cannot have children.
        NoChildrenForEphemerals = NoChildrenForEphemerals, "parent znode is ephemeral";
        /// The session may not create children there.
        NoAuth = NoAuth, "not allowed to create a znode";
        /// The access list is empty or names an unknown scheme.
        InvalidAcl = InvalidAcl, "invalid access list";
    }
}

/// A znode that was created.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Created {
    /// Its path, with the number of a sequential one.
    pub path: ZnodePath,
    /// Its stat.
    pub stat: Option<Stat>,
    /// The transaction that created it.
    pub zxid: Zxid,
}

impl Client {
    /// Creates a znode with its data.
    ///
    /// Takes effect in the order of the calls. If the connection is lost before the reply arrives it may or may
    /// not exist now: see [`RequestError::outcome`]. Needs a server of 3.5 or later.
    ///
    /// # Errors
    ///
    /// [`CreateError`].
    pub fn create(
        &self,
        path: &ZnodePath,
        data: impl Into<Bytes>,
        mode: CreateMode,
        acl: Vec<Acl>,
    ) -> Operation<Created, CreateError> {
        let create = Create { path: path.clone(), data: Some(data.into()), acl, mode };
        Operation::new(self.request(Request::CreateWithStat(create)), finish)
    }
}

fn finish(answer: Result<Reply, RequestError>) -> Result<Created, CreateError> {
    let reply = answer.map_err(CreateError::classify)?;
    let ReplyBody::Created { path, stat } = reply.body else {
        return Err(RequestError::of_another_kind().into());
    };
    Ok(Created { path, stat, zxid: reply.zxid })
}
