//! The versions that can be imitated.

use quorate_zk_proto::OpCode;

/// The version of ZooKeeper that is imitated: which operations it knows, and how its watches behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ServerVersion {
    /// 3.4: no containers, no stat on create, no removing of watches.
    V3_4,
    /// 3.5: no persistent watches, no multi read.
    V3_5,
    /// 3.6: no `whoAmI`.
    V3_6,
    /// 3.7: like 3.8.
    V3_7,
    /// 3.8.0: one watch mode for each path and session, and no zxid in notifications.
    V3_8,
    /// 3.9.5: all watch modes side by side, the zxid in notifications, and neither these nor `exists` without
    /// permission to read.
    V3_9,
}

impl ServerVersion {
    /// Returns whether such a server knows the operation. It closes the connection on others.
    #[must_use]
    pub fn knows(self, op: OpCode) -> bool {
        let since = match op {
            OpCode::Create2
            | OpCode::Reconfig
            | OpCode::CheckWatches
            | OpCode::RemoveWatches
            | OpCode::CreateContainer
            | OpCode::CreateTtl => Self::V3_5,
            OpCode::MultiRead
            | OpCode::GetEphemerals
            | OpCode::GetAllChildrenNumber
            | OpCode::SetWatches2
            | OpCode::AddWatch => Self::V3_6,
            OpCode::WhoAmI => Self::V3_7,
            _ => Self::V3_4,
        };
        self >= since
    }

    /// Returns the version as a server writes it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::V3_4 => "3.4.14",
            Self::V3_5 => "3.5.10",
            Self::V3_6 => "3.6.4",
            Self::V3_7 => "3.7.1",
            Self::V3_8 => "3.8.0",
            Self::V3_9 => "3.9.5",
        }
    }
}
