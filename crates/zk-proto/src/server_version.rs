//! Which operations a server knows.

use crate::op::OpCode;

/// A version of ZooKeeper, as far as its protocol goes.
///
/// The protocol does not tell it; a server does, when asked by the word `srvr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ServerVersion {
    /// 3.4: no stat on create, no containers, no removing of watches, no reconfiguration.
    V3_4,
    /// 3.5: no persistent watches, no multi read, no listing of ephemeral znodes.
    V3_5,
    /// 3.6: no `whoAmI`.
    V3_6,
    /// 3.7: quotas are enforced, and an overloaded server may refuse requests.
    V3_7,
    /// 3.8: like 3.7.
    V3_8,
    /// 3.9: all kinds of watches side by side on one path.
    V3_9,
}

impl ServerVersion {
    /// Returns the version whose number a server tells, such as `3.8.0`; the newest known for later ones, `None` for
    /// ones before 3.4 and for what is no version.
    #[must_use]
    pub fn parse(number: &str) -> Option<Self> {
        let mut parts = number.split('.');
        let major: u32 = parts.next()?.parse().ok()?;
        let minor: u32 = parts.next()?.parse().ok()?;
        match (major, minor) {
            (3, 4) => Some(Self::V3_4),
            (3, 5) => Some(Self::V3_5),
            (3, 6) => Some(Self::V3_6),
            (3, 7) => Some(Self::V3_7),
            (3, 8) => Some(Self::V3_8),
            (3, 9..) | (4.., _) => Some(Self::V3_9),
            _ => None,
        }
    }

    /// Returns whether such a server does not know the operation: it would answer
    /// [`ErrorCode::Unimplemented`](crate::ErrorCode::Unimplemented) and close the connection.
    #[must_use]
    pub fn lacks(self, op: OpCode) -> bool {
        let since = match op {
            OpCode::Create2
            | OpCode::CreateContainer
            | OpCode::CreateTtl
            | OpCode::Reconfig
            | OpCode::CheckWatches
            | OpCode::RemoveWatches => Self::V3_5,
            OpCode::MultiRead
            | OpCode::GetEphemerals
            | OpCode::GetAllChildrenNumber
            | OpCode::SetWatches2
            | OpCode::AddWatch => Self::V3_6,
            OpCode::WhoAmI => Self::V3_7,
            _ => Self::V3_4,
        };
        self < since
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_servers_write_them() {
        let cases = [
            ("3.4.14", Some(ServerVersion::V3_4)),
            ("3.8.0", Some(ServerVersion::V3_8)),
            ("3.9", Some(ServerVersion::V3_9)),
            ("3.10.1", Some(ServerVersion::V3_9)),
            ("4.0.0", Some(ServerVersion::V3_9)),
            ("3.3.6", None),
            ("3", None),
            ("", None),
            ("x.y", None),
        ];
        for (number, version) in cases {
            assert_eq!(ServerVersion::parse(number), version, "{number}");
        }
    }

    #[test]
    fn an_operation_is_lacked_by_the_servers_before_it() {
        for (version, op, lacks) in [
            (ServerVersion::V3_4, OpCode::Create, false),
            (ServerVersion::V3_4, OpCode::Multi, false),
            (ServerVersion::V3_4, OpCode::Create2, true),
            (ServerVersion::V3_5, OpCode::Reconfig, false),
            (ServerVersion::V3_5, OpCode::MultiRead, true),
            (ServerVersion::V3_6, OpCode::AddWatch, false),
            (ServerVersion::V3_6, OpCode::WhoAmI, true),
            (ServerVersion::V3_9, OpCode::WhoAmI, false),
        ] {
            assert_eq!(version.lacks(op), lacks, "{version:?} {op:?}");
        }
    }
}
