//! One connection to the database, and how it is had again when the file is another one.

use std::path::Path;
use std::thread;
use std::time::Duration;

use quorate_datasync::{Error, ErrorKind, Incarnation, Result};
use rusqlite::{Connection, OpenFlags};

use crate::error::{During, classify_io, describe};
use crate::fs::{FileId, is_on_read_only_mount, is_read_only};
use crate::lease::Holders;
use crate::log::Log;
use crate::schema;
use crate::shared::Shared;

/// How long a connection waits for other processes to let go of the file.
pub(crate) const BUSY_PATIENCE: Duration = Duration::from_secs(5);

/// How long it waits between two attempts. SQLite's own waits grow to 100 ms, by which a busy writer starves.
const BUSY_RETRY: Duration = Duration::from_millis(1);

/// How many prepared statements a connection keeps: all that there are.
const STATEMENTS_MAX: usize = 64;

/// How often the file may be replaced while it is being opened.
const ATTEMPTS_MAX: u32 = 10;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It writes, and brings the file up to date first.
    Writer,
    /// It reads.
    Reader,
}

/// One connection to one file. It stays with the thread that opened it.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) conn: Connection,
    pub(crate) incarnation: Incarnation,
    /// Who is alive among those that hold leases.
    pub(crate) holders: Holders,
    pub(crate) file: FileId,
    log: Log,
}

/// A session that is opened when it is needed, and anew when another file took the place of its own.
#[derive(Debug)]
pub(crate) struct Link {
    role: Role,
    session: Option<Session>,
    /// What the session before left beside a file that is gone.
    left: Option<Log>,
}

impl Link {
    pub(crate) const fn new(role: Role) -> Self {
        Self { role, session: None, left: None }
    }

    /// The session with the file that is at the path now. While there is none the store's status is lost.
    pub(crate) fn session(&mut self, shared: &Shared) -> Result<&mut Session> {
        let current = self.session.as_ref().map(|session| session.file);
        let found = FileId::at(&shared.path).map_err(|error| classify_io("open", &shared.path, error))?;
        if let Some(session) = self.session.take_if(|_| found.is_none() || found != current) {
            self.left = Some(session.log);
        }
        if self.session.is_none() {
            shared.note_loss();
            if let Some(log) = self.left.take_if(|_| !shared.options.read_only) {
                log.discard(&shared.path)?;
            }
            let session = Session::open(shared, self.role).inspect_err(|error| {
                if error.kind() != ErrorKind::TimedOut {
                    shared.set_unusable(&describe(error));
                }
            })?;
            shared.set_live(session.file, session.incarnation);
            self.session = Some(session);
        }
        Ok(self.session.as_mut().expect("it was opened above"))
    }

    /// The session as it is, if there is one.
    pub(crate) const fn opened(&mut self) -> Option<&mut Session> {
        self.session.as_mut()
    }
}

impl Session {
    fn open(shared: &Shared, role: Role) -> Result<Self> {
        let at_path = || FileId::at(&shared.path).map_err(|error| classify_io("open", &shared.path, error));
        for _ in 0..ATTEMPTS_MAX {
            if shared.options.read_only {
                schema::check_header(&shared.path)?;
            } else {
                schema::establish(&shared.path)?;
            }
            let before = at_path()?;
            let (conn, incarnation) = connect(shared, role)?;
            let (after, log) = (at_path()?, Log::beside(&shared.path)?);
            match after {
                Some(file) if before == after => {
                    let holders = Holders::new(&shared.path);
                    return Ok(Self { conn, incarnation, holders, file, log });
                }
                _ => {}
            }
        }
        Err(Error::new(ErrorKind::Unreachable, "open").because("the file keeps being replaced"))
    }
}

/// Opens a connection and looks into the file.
fn connect(shared: &Shared, role: Role) -> Result<(Connection, Incarnation)> {
    let path = &*shared.path;
    let mut conn = open(path)?;
    prepare(&mut conn).during("open")?;
    let writable = !conn.is_readonly("main").during("open")?;
    let incarnation = if writable && !shared.options.read_only {
        schema::set_wal(&conn)?;
        schema::adopt(&mut conn, path, &shared.boot)?
    } else {
        schema::inspect(&conn, path)?
    };
    if role == Role::Reader {
        conn.pragma_update(None, "query_only", true).during("open")?;
    }
    Ok((conn, incarnation))
}

/// Opens the file, to write where that is possible: whoever may not write cannot tidy up the log either.
fn open(path: &Path) -> Result<Connection> {
    let private = OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let unwritable = is_read_only(path).map_err(|error| classify_io("open", path, error))?;
    if !unwritable {
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | private).during("open")
    } else if is_on_read_only_mount(path) {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | private;
        Connection::open_with_flags(schema::immutable_uri(path), flags).during("open")
    } else {
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | private).during("open")
    }
}

/// Sets what every connection needs.
fn prepare(conn: &mut Connection) -> rusqlite::Result<()> {
    let attempts_max = i32::try_from(BUSY_PATIENCE.as_millis() / BUSY_RETRY.as_millis()).unwrap_or(i32::MAX);
    conn.busy_handler(Some(move |attempt: i32| {
        thread::sleep(BUSY_RETRY);
        attempt < attempts_max
    }))?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // An error while reading mapped memory is a signal, not an error.
    conn.pragma_update(None, "mmap_size", 0)?;
    // What was acknowledged survives a loss of power.
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.pragma_update(None, "cell_size_check", true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SqliteOptions, clock};

    fn shared(folder: &tempfile::TempDir, options: SqliteOptions) -> Shared {
        Shared::new(folder.path().join("state.db"), options, clock::boot().unwrap()).unwrap()
    }

    fn pragma<T: rusqlite::types::FromSql>(conn: &Connection, name: &str) -> T {
        conn.pragma_query_value(None, name, |row| row.get(0)).unwrap()
    }

    #[test]
    fn sqlite_is_recent_enough_for_many_writers_of_one_log() {
        assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
    }

    #[test]
    fn a_connection_is_durable_uses_a_log_and_maps_no_memory() {
        let folder = tempfile::tempdir().unwrap();
        let shared = shared(&folder, SqliteOptions::new());
        for role in [Role::Writer, Role::Reader] {
            let mut link = Link::new(role);
            let conn = &link.session(&shared).unwrap().conn;
            assert_eq!(pragma::<i64>(conn, "mmap_size"), 0);
            assert_eq!(pragma::<i64>(conn, "synchronous"), 2);
            assert_eq!(pragma::<String>(conn, "journal_mode"), "wal");
        }
    }

    #[test]
    fn a_replaced_file_is_opened_anew_and_its_log_is_not_applied_to_another() {
        let folder = tempfile::tempdir().unwrap();
        let shared = shared(&folder, SqliteOptions::new());
        let other = folder.path().join("other.db");
        schema::establish(&other).unwrap();
        let mut link = Link::new(Role::Writer);
        let session = link.session(&shared).unwrap();
        let first = session.incarnation;
        session.conn.execute("UPDATE store SET revision = 7", []).unwrap();
        std::fs::rename(&other, &shared.path).unwrap();
        let session = link.session(&shared).unwrap();
        assert_ne!(session.incarnation, first);
        let revision: i64 =
            session.conn.query_row("SELECT revision FROM store", [], |row| row.get(0)).unwrap();
        assert_eq!(revision, 0);
        assert_eq!(pragma::<String>(&session.conn, "integrity_check"), "ok");
    }
}
