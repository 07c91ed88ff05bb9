//! What takes a step of a transaction back.

use quorate_zk_proto::ZnodePath;

use super::znode::Head;

/// A step that was taken, with what it replaced.
#[derive(Clone, Debug)]
pub(crate) enum Undo {
    Created(ZnodePath),
    Deleted(ZnodePath, Head),
    Touched(ZnodePath, Head),
}
