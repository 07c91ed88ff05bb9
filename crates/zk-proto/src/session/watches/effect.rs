//! What a request asks of the watches, and what its reply makes of that.

use super::Kinds;
use crate::{
    error_code::ErrorCode,
    op::{Request, WatchMode, WatcherType},
    path::ZnodePath,
};

/// What a request asks of the watches of its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::session) enum Asked {
    Nothing,
    Data,
    Exist,
    Child,
    Add(WatchMode),
    Remove(WatcherType),
}

/// What a reply will change among the watches.
#[derive(Debug)]
pub(in crate::session) struct WatchEffect {
    pub(super) path: ZnodePath,
    pub(super) asked: Asked,
    /// The server was not asked for this watch, since one that it has already tells all that this one would.
    pub(super) is_covered: bool,
}

impl Asked {
    #[inline]
    pub(in crate::session) const fn of(request: &Request) -> Self {
        match request {
            Request::Exists(exists) if exists.watch => Self::Exist,
            Request::GetData(get) if get.watch => Self::Data,
            Request::GetChildren(list) | Request::GetChildrenWithStat(list) if list.watch => Self::Child,
            Request::AddWatch(add) => Self::Add(add.mode),
            Request::RemoveWatches(remove) => Self::Remove(remove.kind),
            _ => Self::Nothing,
        }
    }

    /// Which watches a reply has proved. One on a missing znode is set by `exists` alone.
    pub(super) const fn armed_by(self, code: ErrorCode) -> Kinds {
        match (self, code) {
            (Self::Data | Self::Exist, ErrorCode::Ok) => Kinds::DATA,
            (Self::Exist, ErrorCode::NoNode) => Kinds::EXIST,
            (Self::Child, ErrorCode::Ok) => Kinds::CHILD,
            (Self::Add(WatchMode::Persistent), ErrorCode::Ok) => Kinds::PERSISTENT,
            (Self::Add(WatchMode::PersistentRecursive), ErrorCode::Ok) => Kinds::RECURSIVE,
            _ => Kinds::NONE,
        }
    }

    /// Which watches a reply has proved to be gone.
    pub(super) const fn removed_by(self, code: ErrorCode) -> Kinds {
        match (self, code) {
            // Without a watcher at the server there is none to arm again.
            (Self::Remove(kind), ErrorCode::Ok | ErrorCode::NoWatcher) => Kinds::removed_by(kind),
            _ => Kinds::NONE,
        }
    }
}

impl WatchEffect {
    /// Takes the path out of a request that asks for something.
    #[inline]
    pub(in crate::session) fn new(request: Request, asked: Asked, is_covered: bool) -> Option<Self> {
        if asked == Asked::Nothing {
            return None;
        }
        let path = match request {
            Request::Exists(body) => body.path,
            Request::GetData(body) => body.path,
            Request::GetChildren(body) | Request::GetChildrenWithStat(body) => body.path,
            Request::AddWatch(body) => body.path,
            Request::RemoveWatches(body) => body.path,
            _ => return None,
        };
        Some(Self { path, asked, is_covered })
    }
}

/// Takes out of a request what would break a watch that the server has.
pub(super) const fn cover(request: &mut Request) {
    match request {
        Request::Exists(body) => body.watch = false,
        Request::GetData(body) => body.watch = false,
        Request::GetChildren(body) | Request::GetChildrenWithStat(body) => body.watch = false,
        Request::AddWatch(body) => body.mode = WatchMode::PersistentRecursive,
        _ => {}
    }
}
