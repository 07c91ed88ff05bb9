//! Everything that can be asked of a session.

use bytes::BytesMut;

use crate::{
    codec::{Codec, DecodeError},
    op::{
        AddWatch, Auth, CheckWatches, Create, Delete, Exists, GetAcl, GetAllChildrenNumber, GetChildren,
        GetData, GetEphemerals, Multi, MultiRead, OpCode, Reconfig, RemoveWatches, SetAcl, SetData,
        SyncRequest,
    },
    path::ZnodePath,
    reader::Reader,
};

/// An operation with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {
    /// Creates a znode; works on every server unless the mode asks for more.
    Create(Create),
    /// Creates a znode and reads its stat. Servers from 3.5 on.
    CreateWithStat(Create),
    /// Deletes a znode.
    Delete(Delete),
    /// Reads a znode's stat.
    Exists(Exists),
    /// Reads a znode's data.
    GetData(GetData),
    /// Sets a znode's data.
    SetData(SetData),
    /// Reads a znode's access list.
    GetAcl(GetAcl),
    /// Sets a znode's access list.
    SetAcl(SetAcl),
    /// Lists a znode's children.
    GetChildren(GetChildren),
    /// Lists a znode's children and reads its stat.
    GetChildrenWithStat(GetChildren),
    /// Waits for the server to catch up with the leader.
    Sync(SyncRequest),
    /// Does several things or none.
    Multi(Multi),
    /// Reads several things. Servers from 3.6 on.
    MultiRead(MultiRead),
    /// Adds a persistent watch. Servers from 3.6 on.
    AddWatch(AddWatch),
    /// Asks whether a watch is set. Servers from 3.5 on.
    CheckWatches(CheckWatches),
    /// Removes watches. Servers from 3.5 on.
    RemoveWatches(RemoveWatches),
    /// Adds an identity to the session, for this and every later connection.
    Auth(Auth),
    /// Changes the members of the ensemble. Servers from 3.5 on.
    Reconfig(Reconfig),
    /// Lists the session's ephemeral znodes. Servers from 3.6 on.
    GetEphemerals(GetEphemerals),
    /// Counts the znodes below one. Servers from 3.6 on.
    GetAllChildrenNumber(GetAllChildrenNumber),
    /// Lists the connection's identities. Servers from 3.7 on.
    WhoAmI,
}

impl Request {
    /// Reads the body of the operation `op`, as a server does.
    ///
    /// # Errors
    ///
    /// [`DecodeError`]; its [`UnknownCode`](DecodeError::UnknownCode) also for operations that are not
    /// requests of a user.
    pub fn decode(op: OpCode, reader: &mut Reader) -> Result<Self, DecodeError> {
        Ok(match op {
            OpCode::Create | OpCode::CreateContainer | OpCode::CreateTtl => {
                Self::Create(Create::decode(reader)?)
            }
            OpCode::Create2 => Self::CreateWithStat(Create::decode(reader)?),
            OpCode::Delete => Self::Delete(Delete::decode(reader)?),
            OpCode::Exists => Self::Exists(Exists::decode(reader)?),
            OpCode::GetData => Self::GetData(GetData::decode(reader)?),
            OpCode::SetData => Self::SetData(SetData::decode(reader)?),
            OpCode::GetAcl => Self::GetAcl(GetAcl::decode(reader)?),
            OpCode::SetAcl => Self::SetAcl(SetAcl::decode(reader)?),
            OpCode::GetChildren => Self::GetChildren(GetChildren::decode(reader)?),
            OpCode::GetChildren2 => Self::GetChildrenWithStat(GetChildren::decode(reader)?),
            OpCode::Sync => Self::Sync(SyncRequest::decode(reader)?),
            OpCode::Multi => Self::Multi(Multi::decode(reader)?),
            OpCode::MultiRead => Self::MultiRead(MultiRead::decode(reader)?),
            OpCode::AddWatch => Self::AddWatch(AddWatch::decode(reader)?),
            OpCode::CheckWatches => Self::CheckWatches(CheckWatches::decode(reader)?),
            OpCode::RemoveWatches => Self::RemoveWatches(RemoveWatches::decode(reader)?),
            OpCode::Auth => Self::Auth(Auth::decode(reader)?),
            OpCode::Reconfig => Self::Reconfig(Reconfig::decode(reader)?),
            OpCode::GetEphemerals => Self::GetEphemerals(GetEphemerals::decode(reader)?),
            OpCode::GetAllChildrenNumber => Self::GetAllChildrenNumber(GetAllChildrenNumber::decode(reader)?),
            OpCode::WhoAmI => Self::WhoAmI,
            _ => return Err(DecodeError::UnknownCode { field: "Request", code: op.code() }),
        })
    }

    /// Appends the body of the operation [`op`](Self::op), without header and length.
    pub fn encode(&self, out: &mut BytesMut) {
        match self {
            Self::Create(body) | Self::CreateWithStat(body) => body.encode(out),
            Self::Delete(body) => body.encode(out),
            Self::Exists(body) => body.encode(out),
            Self::GetData(body) => body.encode(out),
            Self::SetData(body) => body.encode(out),
            Self::GetAcl(body) => body.encode(out),
            Self::SetAcl(body) => body.encode(out),
            Self::GetChildren(body) | Self::GetChildrenWithStat(body) => body.encode(out),
            Self::Sync(body) => body.encode(out),
            Self::Multi(body) => body.encode(out),
            Self::MultiRead(body) => body.encode(out),
            Self::AddWatch(body) => body.encode(out),
            Self::CheckWatches(body) => body.encode(out),
            Self::RemoveWatches(body) => body.encode(out),
            Self::Auth(body) => body.encode(out),
            Self::Reconfig(body) => body.encode(out),
            Self::GetEphemerals(body) => body.encode(out),
            Self::GetAllChildrenNumber(body) => body.encode(out),
            Self::WhoAmI => {}
        }
    }

    /// Returns the operation's code.
    #[must_use]
    pub const fn op(&self) -> OpCode {
        match self {
            Self::Create(create) => create.op(),
            Self::CreateWithStat(create) => create.op_with_stat(),
            Self::Delete(_) => OpCode::Delete,
            Self::Exists(_) => OpCode::Exists,
            Self::GetData(_) => OpCode::GetData,
            Self::SetData(_) => OpCode::SetData,
            Self::GetAcl(_) => OpCode::GetAcl,
            Self::SetAcl(_) => OpCode::SetAcl,
            Self::GetChildren(_) => OpCode::GetChildren,
            Self::GetChildrenWithStat(_) => OpCode::GetChildren2,
            Self::Sync(_) => OpCode::Sync,
            Self::Multi(_) => OpCode::Multi,
            Self::MultiRead(_) => OpCode::MultiRead,
            Self::AddWatch(_) => OpCode::AddWatch,
            Self::CheckWatches(_) => OpCode::CheckWatches,
            Self::RemoveWatches(_) => OpCode::RemoveWatches,
            Self::Auth(_) => OpCode::Auth,
            Self::Reconfig(_) => OpCode::Reconfig,
            Self::GetEphemerals(_) => OpCode::GetEphemerals,
            Self::GetAllChildrenNumber(_) => OpCode::GetAllChildrenNumber,
            Self::WhoAmI => OpCode::WhoAmI,
        }
    }

    /// Returns the path it is about, where there is exactly one.
    #[must_use]
    pub const fn path(&self) -> Option<&ZnodePath> {
        match self {
            Self::Create(body) | Self::CreateWithStat(body) => Some(&body.path),
            Self::Delete(body) => Some(&body.path),
            Self::Exists(body) => Some(&body.path),
            Self::GetData(body) => Some(&body.path),
            Self::SetData(body) => Some(&body.path),
            Self::GetAcl(body) => Some(&body.path),
            Self::SetAcl(body) => Some(&body.path),
            Self::GetChildren(body) | Self::GetChildrenWithStat(body) => Some(&body.path),
            Self::Sync(body) => Some(&body.path),
            Self::AddWatch(body) => Some(&body.path),
            Self::CheckWatches(body) => Some(&body.path),
            Self::RemoveWatches(body) => Some(&body.path),
            Self::GetAllChildrenNumber(body) => Some(&body.path),
            Self::Multi(_)
            | Self::MultiRead(_)
            | Self::Auth(_)
            | Self::Reconfig(_)
            | Self::GetEphemerals(_)
            | Self::WhoAmI => None,
        }
    }

    /// Returns whether it may change the tree, or the ensemble.
    #[must_use]
    pub const fn is_write(&self) -> bool {
        matches!(
            self,
            Self::Create(_)
                | Self::CreateWithStat(_)
                | Self::Delete(_)
                | Self::SetData(_)
                | Self::SetAcl(_)
                | Self::Multi(_)
                | Self::Reconfig(_)
        )
    }
}
