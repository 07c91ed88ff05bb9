//! Creating a znode.

use bytes::Bytes;

use crate::{acl::Acl, create_mode::CreateMode, op::OpCode, path::ZnodePath, record::record};

record! {
    /// Creates a znode. The layout is the same for all four operation codes: the time to live of
    /// `createTTL` follows the flags of the mode.
    pub struct Create {
        /// Where; for a sequential one, what the number is added to.
        pub path: ZnodePath,
        /// Its data. Null and empty are different things to a server.
        pub data: Option<Bytes>,
        /// Who may do what; must not be empty.
        pub acl: Vec<Acl>,
        /// What kind.
        pub mode: CreateMode,
    }
}

impl Create {
    /// Returns the operation that creates such a znode and answers with its path alone where it can.
    pub(crate) const fn op(&self) -> OpCode {
        match self.mode {
            CreateMode::Container => OpCode::CreateContainer,
            CreateMode::PersistentWithTtl(_) | CreateMode::PersistentSequentialWithTtl(_) => {
                OpCode::CreateTtl
            }
            _ => OpCode::Create,
        }
    }

    /// Returns the operation that also answers with the stat.
    pub(crate) const fn op_with_stat(&self) -> OpCode {
        match self.op() {
            OpCode::Create => OpCode::Create2,
            op => op,
        }
    }
}
