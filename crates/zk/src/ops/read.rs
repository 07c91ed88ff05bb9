//! Reading a znode: its stat, its data, its children.

use bytes::Bytes;
use quorate_zk_proto::{ErrorCode, Exists, GetChildren, GetData, ReplyBody, Request, Stat, ZnodePath, Zxid};

use super::{
    error::operation_error,
    operation::{Finish, Operation},
    waiting::Answer,
};
use crate::{client::Client, error::RequestError};

operation_error! {
    /// Why the stat of a znode was not read. That it does not exist is no error.
    pub enum ExistsError {
        /// The session may not look at it.
        NoAuth = NoAuth, "not allowed to look at the znode";
    }
}

operation_error! {
    /// Why the data of a znode was not read.
    pub enum GetDataError {
        /// It does not exist.
        NoNode = NoNode, "znode does not exist";
        /// The session may not read it.
        NoAuth = NoAuth, "not allowed to read the znode";
    }
}

operation_error! {
    /// Why the children of a znode were not read.
    pub enum GetChildrenError {
        /// It does not exist.
        NoNode = NoNode, "znode does not exist";
        /// The session may not read it.
        NoAuth = NoAuth, "not allowed to list the znode";
    }
}

/// A znode's data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeData {
    /// The data, or null. It shares its memory, some 256 KiB, with what was read together with it: copy what is kept
    /// for long and small.
    pub data: Option<Bytes>,
    /// The stat that goes with it.
    pub stat: Stat,
    /// The last transaction the server had applied.
    pub zxid: Zxid,
}

/// A znode's children.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Children {
    /// Their names, in no order.
    pub names: Vec<String>,
    /// The znode's stat. Servers that do not know this form of the operation do not tell it.
    pub stat: Option<Stat>,
    /// The last transaction the server had applied.
    pub zxid: Zxid,
}

impl Client {
    /// Reads the stat of a znode; `None` if it does not exist.
    ///
    /// Sees at least what this client has read or written before it, and what [`sync`](Self::sync) brought.
    ///
    /// # Errors
    ///
    /// [`ExistsError`].
    pub fn exists(&self, path: &ZnodePath) -> Operation<Option<Stat>, ExistsError> {
        let exists = Exists { path: path.clone(), watch: false };
        self.operate(Request::Exists(exists), Finish::Reply(finish_exists))
    }

    /// Reads the data and stat of a znode.
    ///
    /// Sees at least what this client has read or written before it, and what [`sync`](Self::sync) brought.
    ///
    /// # Errors
    ///
    /// [`GetDataError`].
    pub fn get_data(&self, path: &ZnodePath) -> Operation<NodeData, GetDataError> {
        let get_data = GetData { path: path.clone(), watch: false };
        self.operate(Request::GetData(get_data), Finish::Reply(finish_data))
    }

    /// Lists the children of a znode.
    ///
    /// Sees at least what this client has read or written before it, and what [`sync`](Self::sync) brought.
    ///
    /// # Errors
    ///
    /// [`GetChildrenError`].
    pub fn get_children(&self, path: &ZnodePath) -> Operation<Children, GetChildrenError> {
        let list = GetChildren { path: path.clone(), watch: false };
        self.operate(Request::GetChildrenWithStat(list), Finish::Reply(finish_children))
    }
}

pub(super) fn finish_exists(answer: Answer) -> Result<Option<Stat>, ExistsError> {
    match answer.map(|reply| reply.body) {
        Ok(ReplyBody::Stat(stat)) => Ok(Some(stat)),
        Ok(_) => Err(RequestError::of_another_kind().into()),
        Err(error) if error.code() == Some(ErrorCode::NoNode) => Ok(None),
        Err(error) => Err(ExistsError::classify(error)),
    }
}

pub(super) fn finish_data(answer: Answer) -> Result<NodeData, GetDataError> {
    let reply = answer.map_err(GetDataError::classify)?;
    match reply.body {
        ReplyBody::Data { data, stat } => Ok(NodeData { data, stat, zxid: reply.zxid }),
        _ => Err(RequestError::of_another_kind().into()),
    }
}

pub(super) fn finish_children(answer: Answer) -> Result<Children, GetChildrenError> {
    let reply = answer.map_err(GetChildrenError::classify)?;
    match reply.body {
        ReplyBody::Children { names, stat } => Ok(Children { names, stat, zxid: reply.zxid }),
        _ => Err(RequestError::of_another_kind().into()),
    }
}
