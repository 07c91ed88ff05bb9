//! A [Quorate](quorate_datasync) store in one SQLite file, for all processes of one machine.
//!
//! [`Sqlite`] is the embedded default: no server, one file, as many processes as like. What it promises:
//!
//! - **Commits** are on disk when they are acknowledged, and follow one order in all processes. Commits that wait
//!   at the same time share one sync of the disk.
//! - **Watches** tell whole commits. After each one a byte is written to a bell file beside the database, which
//!   others hear by inotify; a poll once a second stands behind it, and twenty times a second it serves alone where
//!   there is no inotify. A process without watches is never woken.
//! - **History** keeps the last 10,000 revisions or 64 MiB; a watch from before that is told a gap.
//! - **Leases** end with the process. Each store that holds leases locks a file of its own; who finds it unlocked
//!   knows that its holder is dead. Every read asks, so a dead holder's keys are invisible at once; watches tell
//!   their deletion a moment later.
//! - **Times to live** count the time since the machine was started, suspend included. When it is started again
//!   they begin anew, since nobody knows how long it was off: a key may live longer, never shorter.
//!
//! Beside the database `state.db` lie `state.db-wal` and `state.db-shm` (SQLite's own), `state.db-bell`, and
//! `state.db-lease-*`. When the last process closes the store only the database is left. All are private
//! (mode 0600). It runs on Linux.

mod abandoned;
mod batch;
mod bell;
mod clock;
mod commit;
mod error;
mod fs;
mod history;
mod hub;
mod keeper;
mod lease;
mod log;
mod options;
mod read;
mod reader;
mod request;
mod schema;
mod seen;
mod session;
mod shared;
mod store;
mod watch;
mod writer;

pub use options::SqliteOptions;
pub use store::Sqlite;
