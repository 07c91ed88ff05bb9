//! The files that SQLite keeps beside a database.

use std::path::Path;

use quorate_datasync::Result;

use crate::error::classify_io;
use crate::fs::{FileId, beside, remove};
use crate::schema::alone;

/// The log and its index that belong to a database; they are found by name, so they may survive it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Log([Option<FileId>; 2]);

impl Log {
    const SUFFIXES: [&str; 2] = ["-wal", "-shm"];

    /// The files beside the database now.
    pub(crate) fn beside(path: &Path) -> Result<Self> {
        let at = |suffix| {
            let path = beside(path, suffix);
            FileId::at(&path).map_err(|error| classify_io("open", &path, error))
        };
        Ok(Self([at(Self::SUFFIXES[0])?, at(Self::SUFFIXES[1])?]))
    }

    /// Removes these files if they are still there, though the database they belong to is not: SQLite would
    /// apply the log to whatever took its place.
    pub(crate) fn discard(self, path: &Path) -> Result<()> {
        alone(path, || {
            for (suffix, (old, now)) in Self::SUFFIXES.iter().zip(self.0.iter().zip(Self::beside(path)?.0)) {
                if now.is_some() && *old == now {
                    let stale = beside(path, suffix);
                    remove(&stale).map_err(|error| classify_io("open", &stale, error))?;
                }
            }
            Ok(())
        })
    }
}
