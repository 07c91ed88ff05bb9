//! The bell: a file beside the database that is written to after every commit, and heard by inotify.
//!
//! The log itself cannot be watched: it is written before the commit can be seen.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::FlockOperation;
use rustix::fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init, remove_watch};

use crate::fs::{FileId, hold_within, remove};
use crate::lease::holder_path;

/// How long a store that closes may hold the bell for itself.
const PATIENCE: Duration = Duration::from_secs(1);

/// Room for the events that are read at once.
const EVENTS_BYTES: usize = 4096;

/// The bell as those see it who ring it. Every store that is open holds it, so that the last one can tell.
#[derive(Debug)]
pub(crate) struct Bell {
    path: PathBuf,
    file: File,
}

impl Bell {
    /// Opens the bell, making it if it is not there.
    pub(crate) fn open(path: PathBuf) -> io::Result<Self> {
        let file = hold_within(&path, FlockOperation::NonBlockingLockShared, PATIENCE)?;
        Ok(Self { path, file })
    }

    /// Tells all who listen that there was a commit.
    pub(crate) fn ring(&mut self) -> io::Result<()> {
        if FileId::at(&self.path)? != Some(FileId::of(&self.file)?) {
            *self = Self::open(self.path.clone())?;
        }
        self.file.write_all_at(b"\n", 0)
    }

    /// Lets the bell go, and removes it if nobody else holds it.
    pub(crate) fn leave(self) -> io::Result<()> {
        let alone = rustix::fs::flock(&self.file, FlockOperation::NonBlockingLockExclusive).is_ok();
        if alone && FileId::at(&self.path)? == Some(FileId::of(&self.file)?) {
            remove(&self.path)?;
        }
        Ok(())
    }
}

/// What was heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    /// The bell was rung, or became another one.
    pub(crate) bell: bool,
    /// A holder of leases closed its file. Its lock ends a moment later.
    pub(crate) holder: bool,
}

/// Hears the bell, and the end of the processes that hold leases.
#[derive(Debug)]
pub(crate) struct Ear {
    inotify: OwnedFd,
    /// The bell that is listened to.
    bell: Option<(i32, FileId)>,
    holders: HashMap<i64, i32>,
}

impl Ear {
    /// An ear that listens to nothing yet. It fails where inotify is missing or used up.
    pub(crate) fn open() -> io::Result<Self> {
        let inotify = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        Ok(Self { inotify, bell: None, holders: HashMap::new() })
    }

    pub(crate) const fn fd(&self) -> &OwnedFd {
        &self.inotify
    }

    /// Listens to the bell that is at `path` now. Returns whether it is another one than before: then something
    /// may have been missed.
    pub(crate) fn listen(&mut self, path: &Path) -> io::Result<bool> {
        let Some(found) = FileId::at(path)? else {
            return Err(io::ErrorKind::NotFound.into());
        };
        if self.bell.is_some_and(|(_, file)| file == found) {
            return Ok(false);
        }
        if let Some((old, _)) = self.bell.take() {
            // It fails if the kernel has dropped it already, with its file.
            let _ = remove_watch(&self.inotify, old);
        }
        let events =
            WatchFlags::MODIFY | WatchFlags::ATTRIB | WatchFlags::DELETE_SELF | WatchFlags::MOVE_SELF;
        let watch = add_watch(&self.inotify, path, events)?;
        self.bell = Some((watch, found));
        Ok(true)
    }

    /// Whether a bell is listened to.
    pub(crate) const fn is_listening(&self) -> bool {
        self.bell.is_some()
    }

    /// Listens for the end of these holders, and of no others.
    pub(crate) fn attend(&mut self, database: &Path, holders: &[i64]) {
        let inotify = &self.inotify;
        self.holders.retain(|holder, watch| {
            let stays = holders.contains(holder);
            if !stays {
                let _ = remove_watch(inotify, *watch);
            }
            stays
        });
        for holder in holders {
            if !self.holders.contains_key(holder)
                && let Ok(watch) = add_watch(inotify, holder_path(database, *holder), WatchFlags::CLOSE_WRITE)
            {
                self.holders.insert(*holder, watch);
            }
        }
    }

    /// Takes what was heard since the last time.
    pub(crate) fn drain(&mut self) -> Heard {
        let mut heard = Heard::default();
        let mut buffer = [MaybeUninit::uninit(); EVENTS_BYTES];
        let mut events = Reader::new(&self.inotify, &mut buffer);
        while let Ok(event) = events.next() {
            if event.events().contains(ReadFlags::QUEUE_OVERFLOW) {
                heard = Heard { bell: true, holder: true };
            } else if self.bell.is_some_and(|(watch, _)| watch == event.wd()) {
                heard.bell = true;
                if event.events().contains(ReadFlags::IGNORED) {
                    self.bell = None;
                }
            } else if event.events().contains(ReadFlags::CLOSE_WRITE) {
                heard.holder = true;
            }
        }
        heard
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lease::OwnLock;

    const RANG: Heard = Heard { bell: true, holder: false };

    #[test]
    fn a_ring_is_heard() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bell");
        let mut bell = Bell::open(path.clone()).unwrap();
        let mut ear = Ear::open().unwrap();
        assert!(ear.listen(&path).unwrap());
        assert!(!ear.listen(&path).unwrap());
        assert_eq!(ear.drain(), Heard::default());
        bell.ring().unwrap();
        assert_eq!(ear.drain(), RANG);
    }

    #[test]
    fn a_bell_that_was_removed_is_made_again_and_heard() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bell");
        let mut bell = Bell::open(path.clone()).unwrap();
        let mut ear = Ear::open().unwrap();
        ear.listen(&path).unwrap();
        remove(&path).unwrap();
        assert_eq!(ear.drain(), RANG);
        bell.ring().unwrap();
        assert!(ear.listen(&path).unwrap());
        bell.ring().unwrap();
        assert_eq!(ear.drain(), RANG);
    }

    #[test]
    fn the_last_one_removes_the_bell() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bell");
        let (one, two) = (Bell::open(path.clone()).unwrap(), Bell::open(path.clone()).unwrap());
        one.leave().unwrap();
        assert!(path.exists());
        two.leave().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn the_end_of_a_holder_is_heard() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("state.db");
        let own = OwnLock::take(&database).unwrap();
        let mut ear = Ear::open().unwrap();
        ear.attend(&database, &[own.holder]);
        assert_eq!(ear.drain(), Heard::default());
        drop(own);
        assert_eq!(ear.drain(), Heard { bell: false, holder: true });
    }
}
