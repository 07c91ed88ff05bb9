//! Reading and setting the access list of a znode.

use quorate_zk_proto::{ANY_VERSION, Acl, GetAcl, ReplyBody, Request, SetAcl, Stat, ZnodePath, Zxid};

use super::{
    error::operation_error,
    operation::{Finish, Operation},
    waiting::Answer,
};
use crate::{acls::Acls, client::Client, error::RequestError};

operation_error! {
    /// Why the access list of a znode was not read.
    pub enum GetAclError {
        /// It does not exist.
        NoNode = NoNode, "znode does not exist";
        /// The session may not read it.
        NoAuth = NoAuth, "not allowed to read the access list";
    }
}

operation_error! {
    /// Why the access list of a znode was not set.
    pub enum SetAclError with BadVersion, "access list does not have version {expected}" {
        /// It does not exist.
        NoNode = NoNode, "znode does not exist";
        /// The session may not administrate it.
        NoAuth = NoAuth, "not allowed to set the access list";
        /// The access list is empty, names an unknown scheme, or the creator who did not authenticate.
        InvalidAcl = InvalidAcl, "invalid access list";
    }
}

/// A znode's access list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeAcl {
    /// The list; digests are masked for those who may not administrate the znode.
    pub acl: Vec<Acl>,
    /// The stat that goes with it.
    pub stat: Stat,
    /// The last transaction the server had applied.
    pub zxid: Zxid,
}

impl Client {
    /// Reads the access list and stat of a znode.
    ///
    /// Sees at least what this client has read or written before it, and what [`sync`](Self::sync) brought.
    ///
    /// # Errors
    ///
    /// [`GetAclError`].
    pub fn get_acl(&self, path: &ZnodePath) -> Operation<NodeAcl, GetAclError> {
        self.operate(Request::GetAcl(GetAcl { path: path.clone() }), Finish::Reply(finish_get))
    }

    /// Sets the access list of an existing znode, if the list has this version; `None` for any. Gives the new stat.
    ///
    /// The version is [`Stat::aversion`], not that of the data. Takes effect in the order of the calls. If the
    /// connection is lost before the reply arrives the write may or may not have happened: see
    /// [`RequestError::outcome`].
    ///
    /// # Errors
    ///
    /// [`SetAclError`].
    pub fn set_acl(
        &self,
        path: &ZnodePath,
        acl: impl Into<Acls>,
        version: impl Into<Option<i32>>,
    ) -> Operation<Stat, SetAclError> {
        let version = version.into().unwrap_or(ANY_VERSION);
        let set_acl = SetAcl { path: path.clone(), acl: acl.into().into_vec(), version };
        self.operate(Request::SetAcl(set_acl), Finish::Versioned(finish_set, version))
    }
}

fn finish_get(answer: Answer) -> Result<NodeAcl, GetAclError> {
    let reply = answer.map_err(GetAclError::classify)?;
    match reply.body {
        ReplyBody::Acl { acl, stat } => Ok(NodeAcl { acl, stat, zxid: reply.zxid }),
        _ => Err(RequestError::of_another_kind().into()),
    }
}

fn finish_set(answer: Answer, version: i32) -> Result<Stat, SetAclError> {
    match answer.map_err(|error| SetAclError::classify_versioned(error, version))?.body {
        ReplyBody::Stat(stat) => Ok(stat),
        _ => Err(RequestError::of_another_kind().into()),
    }
}
