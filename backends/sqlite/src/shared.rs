//! What the threads of one open store have in common.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process;
use std::sync::{Mutex, PoisonError};

use quorate_datasync::{Error, ErrorKind, Incarnation, Link, Result, StoreStatus};
use rustix::event::{EventfdFlags, eventfd};
use tokio::sync::watch;

use crate::SqliteOptions;
use crate::abandoned::Abandoned;
use crate::error::classify_io;
use crate::fs::{FileId, beside};

/// What the threads of one open store have in common: where it is, how it does, and what is left to do.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Free of links, so that the side files have one name for all.
    pub(crate) path: PathBuf,
    pub(crate) options: SqliteOptions,
    pub(crate) boot: String,
    pub(crate) status: watch::Sender<StoreStatus>,
    /// Wakes the thread that waits for the bell.
    wake: OwnedFd,
    owner: Owner,
    pub(crate) abandoned: Abandoned,
    /// The file that the store was last found in; `None` while it is lost.
    live: Mutex<Option<FileId>>,
    /// Leases to be ended by whoever writes next. A dropped lease cannot wait for room in a queue.
    revocations: Mutex<Vec<i64>>,
}

impl Shared {
    pub(crate) fn new(path: PathBuf, options: SqliteOptions, boot: String) -> Result<Self> {
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|error| classify_io("open", &path, error.into()))?;
        let (status, _) = watch::channel(StoreStatus::connecting());
        let (owner, abandoned) = (Owner::current(), Abandoned::default());
        let (live, revocations) = (Mutex::default(), Mutex::default());
        Ok(Self { path, options, boot, status, wake, owner, abandoned, live, revocations })
    }

    /// The path of a side file.
    pub(crate) fn beside(&self, suffix: &str) -> PathBuf {
        beside(&self.path, suffix)
    }

    /// Fails in a process that was forked from the one that opened the store: it has none of its threads, and
    /// SQLite forbids to carry a connection across.
    pub(crate) fn check_process(&self, operation: &'static str) -> Result<()> {
        self.owner.check(process::id(), operation)
    }

    /// Wakes the thread that waits for the bell.
    pub(crate) fn wake(&self) {
        // It fails only if the counter is full, and then the thread is awake.
        let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
    }

    pub(crate) const fn wake_fd(&self) -> &OwnedFd {
        &self.wake
    }

    /// Says that the store is in this file, and which life of the store it holds.
    pub(crate) fn set_live(&self, file: FileId, incarnation: Incarnation) {
        *self.live.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
        let live = StoreStatus::live(incarnation, format!("SQLite {}", rusqlite::version()));
        self.status.send_if_modified(|status| {
            let changed = status.link != Link::Closed && *status != live;
            if changed {
                *status = live;
            }
            changed
        });
    }

    /// Says that the store is lost if the file that it was last found in is not at its path any more.
    pub(crate) fn note_loss(&self) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let found = FileId::at(&self.path).unwrap_or_default();
        if live.take_if(|live| Some(*live) != found).is_some() {
            drop(live);
            let what = if found.is_none() { "removed" } else { "replaced" };
            tracing::warn!(path = %self.path.display(), "the store's file was {what}");
            self.set_lost(&format!("the file was {what}"));
        }
    }

    /// Says why what is there now cannot be opened, unless another thread has it open.
    pub(crate) fn set_unusable(&self, reason: &str) {
        if self.live.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
            self.set_lost(reason);
        }
    }

    fn set_lost(&self, reason: &str) {
        let lost = Link::Lost { reason: reason.into() };
        self.status.send_if_modified(|status| {
            let changed = matches!(status.link, Link::Live | Link::Lost { .. }) && status.link != lost;
            if changed {
                status.link = lost;
            }
            changed
        });
    }

    pub(crate) fn set_closed(&self) {
        self.status.send_modify(|status| status.link = Link::Closed);
    }

    /// Leaves a lease to be ended.
    pub(crate) fn revoke_later(&self, lease: i64) {
        self.revocations.lock().unwrap_or_else(PoisonError::into_inner).push(lease);
    }

    /// Takes the leases that are left to be ended.
    pub(crate) fn take_revocations(&self) -> Vec<i64> {
        std::mem::take(&mut *self.revocations.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The process that opened a store.
#[derive(Clone, Copy, Debug)]
struct Owner(u32);

impl Owner {
    fn current() -> Self {
        Self(process::id())
    }

    fn check(self, process: u32, operation: &'static str) -> Result<()> {
        if process == self.0 {
            return Ok(());
        }
        let detail = "it was opened before this process was forked, and must be opened anew";
        Err(Error::new(ErrorKind::Closed, operation).because(detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forked_process_is_refused() {
        let owner = Owner(100);
        assert!(owner.check(100, "get").is_ok());
        let error = owner.check(101, "get").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
        assert!(error.to_string().contains("forked"));
    }
}
