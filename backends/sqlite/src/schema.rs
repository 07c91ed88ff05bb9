//! The database file: whose it is, how it is made, and how an older one is brought up to date.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use quorate_datasync::{Error, ErrorKind, Incarnation, Result};
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use rustix::fs::FlockOperation;
use uuid::Uuid;

use crate::clock;
use crate::error::{During, classify_io};
use crate::fs::{beside, create_private, hold_within, remove, sync_directory};

/// Marks a file as ours: "Qort".
const APPLICATION_ID: i32 = 0x516f_7274;

/// What brings a file from each version to the next; the first makes it.
const MIGRATIONS: &[&str] = &[include_str!("schema.sql")];

/// How long to wait for another process that makes the same file.
const CREATION_PATIENCE: Duration = Duration::from_secs(5);

/// Looks at the header of the file and makes the file if it is absent or empty.
///
/// Nothing is written, neither to the file nor beside it, if it is not ours.
pub(crate) fn establish(path: &Path) -> Result<()> {
    if !is_empty(path)? {
        return check_header(path);
    }
    alone(path, || if is_empty(path)? { create(path) } else { check_header(path) })
}

/// Makes or removes files of a database while no other process does.
pub(crate) fn alone(path: &Path, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let guard_path = beside(path, "-init");
    let failed = |error| classify_io("open", &guard_path, error);
    let guard = hold_within(&guard_path, FlockOperation::NonBlockingLockExclusive, CREATION_PATIENCE)
        .map_err(failed)?;
    let done = work();
    remove(&guard_path).map_err(failed)?;
    drop(guard);
    done
}

/// Whether a path leads to nothing, or to an empty file.
fn is_empty(path: &Path) -> Result<bool> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(metadata.len() == 0),
        Ok(_) => Err(foreign(path, "not a regular file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(classify_io("open", path, error)),
    }
}

/// Fails if the file is not a store of ours that this version can read.
///
/// SQLite reads it, as a file that nobody changes: so no lock is taken and nothing is made beside it. To open the
/// file by other means would, on closing it, drop the locks of other stores that this process has open on it.
pub(crate) fn check_header(path: &Path) -> Result<()> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(immutable_uri(path), flags).during("open")?;
    check_identity(&conn, path)
}

/// Fails if what the connection reads is not ours.
fn check_identity(conn: &Connection, path: &Path) -> Result<()> {
    let read = |pragma| conn.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0)).during("open");
    if read("application_id")? != APPLICATION_ID {
        return Err(foreign(path, "a database of another program"));
    }
    let (found, known) = (read("user_version")?, version(MIGRATIONS));
    if !(1..=known).contains(&found) {
        return Err(foreign(
            path,
            &format!("a store of version {found}, and this program knows up to {known}"),
        ));
    }
    Ok(())
}

fn foreign(path: &Path, what: &str) -> Error {
    Error::new(ErrorKind::Foreign, "open").because(format!("{} is {what}", path.display()))
}

/// The name under which SQLite reads a file as if nobody could change it.
pub(crate) fn immutable_uri(path: &Path) -> String {
    use std::fmt::Write as _;
    let mut uri = String::from("file:");
    for &byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri.push_str("?immutable=1");
    uri
}

/// Makes the file: complete and under another name, so that nobody ever sees half of it.
///
/// Only one process does so at a time.
fn create(path: &Path) -> Result<()> {
    let draft = beside(path, "-new");
    let failed = |error| classify_io("open", &draft, error);
    for suffix in ["", "-journal", "-wal", "-shm"] {
        remove(&beside(&draft, suffix)).map_err(failed)?;
    }
    create_private(&draft).map_err(failed)?;
    let mut conn = Connection::open_with_flags(&draft, OpenFlags::SQLITE_OPEN_READ_WRITE).during("open")?;
    conn.pragma_update(None, "application_id", APPLICATION_ID).during("open")?;
    migrate(&mut conn, MIGRATIONS)?;
    conn.execute(
        "INSERT INTO store VALUES (1, ?1, ?2, ?3, 0, 0, 0, 0)",
        (Uuid::new_v4().into_bytes(), home(&draft)?, clock::boot()?),
    )
    .during("open")?;
    // Last, since what the header says while the journal is a WAL may stand in the WAL alone.
    set_wal(&conn)?;
    conn.close().map_err(|(_, error)| error).during("open")?;
    // Left by a database that was removed, they would be taken for those of this one.
    for suffix in ["-journal", "-wal", "-shm"] {
        remove(&beside(path, suffix)).map_err(failed)?;
    }
    fs::rename(&draft, path).and_then(|()| sync_directory(path)).map_err(failed)
}

/// Switches to a write-ahead log.
pub(crate) fn set_wal(conn: &Connection) -> Result<()> {
    let mode: String =
        conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).during("open")?;
    if mode == "wal" {
        Ok(())
    } else {
        Err(Error::unsupported("open", "a file system without shared memory"))
    }
}

/// Brings the file up to date in one transaction.
fn migrate(conn: &mut Connection, migrations: &[&str]) -> Result<()> {
    let read = |conn: &Connection| -> Result<usize> {
        let found: i32 = conn.pragma_query_value(None, "user_version", |row| row.get(0)).during("open")?;
        Ok(usize::try_from(found).unwrap_or(usize::MAX))
    };
    // Mostly there is nothing to do, and whoever comes to read need not wait for those who write.
    if read(conn)? >= migrations.len() {
        return Ok(());
    }
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).during("open")?;
    let found = read(&tx)?;
    if let Some(missing) = migrations.get(found..).filter(|missing| !missing.is_empty()) {
        missing.iter().try_for_each(|step| tx.execute_batch(step)).during("open")?;
        tx.pragma_update(None, "user_version", version(migrations)).during("open")?;
    }
    tx.commit().during("open")
}

fn version(migrations: &[&str]) -> i32 {
    i32::try_from(migrations.len()).unwrap_or(i32::MAX)
}

/// What tells this file from a copy of it.
///
/// A copy, as a restored backup is one, has another number or another time of birth.
fn home(path: &Path) -> Result<String> {
    let metadata = fs::metadata(path).map_err(|error| classify_io("open", path, error))?;
    let born =
        metadata.created().ok().and_then(|born| born.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    Ok(format!("{}:{}", metadata.ino(), born.as_nanos()))
}

/// Reads which life of the store a file holds, after checking that it is ours.
pub(crate) fn inspect(conn: &Connection, path: &Path) -> Result<Incarnation> {
    check_identity(conn, path)?;
    conn.query_row("SELECT incarnation FROM store", [], |row| row.get(0).map(incarnation)).during("open")
}

/// Checks that the file is ours, brings it up to date, and reads which life of the store it holds.
///
/// A file that was copied begins a new life, since its revisions may have been told before to somebody who saw
/// more. In another boot of the machine nobody knows how long it was off: the times to live begin anew, so
/// nothing vanishes before its time.
pub(crate) fn adopt(conn: &mut Connection, path: &Path, boot: &str) -> Result<Incarnation> {
    check_identity(conn, path)?;
    migrate(conn, MIGRATIONS)?;
    let home = home(path)?;
    let place = "SELECT home = ?1, boot = ?2 FROM store";
    let read = |conn: &Connection| conn.query_row(place, (&home, boot), |row| Ok((row.get(0)?, row.get(1)?)));
    if (true, true) != read(conn).during("open")? {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).during("open")?;
        let (same_home, same_boot) = read(&tx).during("open")?;
        if !same_home {
            tx.execute("UPDATE store SET home = ?1, incarnation = ?2", (&home, Uuid::new_v4().into_bytes()))
                .during("open")?;
        }
        if !same_boot {
            tx.execute("UPDATE entry SET deadline = ?1 + ttl WHERE ttl IS NOT NULL", [clock::uptime_ms()])
                .during("open")?;
            tx.execute("UPDATE store SET boot = ?1", [boot]).during("open")?;
        }
        tx.commit().during("open")?;
    }
    inspect(conn, path)
}

pub(crate) const fn incarnation(bytes: [u8; 16]) -> Incarnation {
    Incarnation::new(u128::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn refused(make: impl FnOnce(&Path)) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        make(&path);
        let before = (listing(folder.path()), fs::read(&path).ok());
        let error = establish(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Foreign, "{error}");
        assert_eq!((listing(folder.path()), fs::read(&path).ok()), before);
        error.to_string()
    }

    #[test]
    fn an_absent_or_empty_file_becomes_a_private_store() {
        let folder = tempfile::tempdir().unwrap();
        for (name, touch) in [("absent.db", false), ("empty.db", true)] {
            let path = folder.path().join(name);
            if touch {
                fs::write(&path, "").unwrap();
            }
            establish(&path).unwrap();
            check_header(&path).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        }
        assert_eq!(listing(folder.path()), ["absent.db", "empty.db"]);
    }

    #[test]
    fn what_is_no_database_is_refused_and_untouched() {
        refused(|path| fs::write(path, "some notes of mine, ".repeat(300)).unwrap());
        refused(|path| fs::write(path, "x").unwrap());
        let text = refused(|path| fs::create_dir(path).unwrap());
        assert!(text.contains("not a regular file"), "{text}");
    }

    #[test]
    fn a_damaged_header_is_refused_and_untouched() {
        refused(|path| {
            establish(path).unwrap();
            let mut bytes = fs::read(path).unwrap();
            bytes[..16].fill(0);
            fs::write(path, bytes).unwrap();
        });
    }

    #[test]
    fn a_database_of_another_program_is_refused_and_untouched() {
        let text = refused(|path| {
            let conn = Connection::open(path).unwrap();
            conn.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (x)").unwrap();
        });
        assert!(text.contains("another program"), "{text}");
    }

    #[test]
    fn a_newer_store_is_refused_and_untouched() {
        let text = refused(|path| {
            establish(path).unwrap();
            Connection::open(path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        });
        assert!(text.contains("version 99"), "{text}");
    }

    #[test]
    fn an_older_file_is_migrated_in_one_transaction() {
        let mut conn = Connection::open_in_memory().unwrap();
        let steps = ["CREATE TABLE a (x)", "CREATE TABLE b (x)", "CREATE TABLE b (x)"];
        migrate(&mut conn, &steps[..1]).unwrap();
        migrate(&mut conn, &steps).unwrap_err();
        let version =
            |conn: &Connection| conn.pragma_query_value(None, "user_version", |r| r.get::<_, i32>(0));
        assert_eq!(version(&conn).unwrap(), 1);
        migrate(&mut conn, &steps[..2]).unwrap();
        assert_eq!(version(&conn).unwrap(), 2);
        conn.execute_batch("SELECT * FROM a, b").unwrap();
    }

    #[test]
    fn a_copy_is_a_new_incarnation_and_another_boot_begins_times_to_live_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (path, copy) = (folder.path().join("state.db"), folder.path().join("copy.db"));
        establish(&path).unwrap();
        let mut conn = Connection::open(&path).unwrap();
        let boot = clock::boot().unwrap();
        let first = adopt(&mut conn, &path, &boot).unwrap();
        assert_eq!(adopt(&mut conn, &path, &boot).unwrap(), first);
        conn.execute("INSERT INTO entry VALUES ('/a', 1, 1, NULL, NULL, 60000, 5, 1, 1)", []).unwrap();
        assert_eq!(adopt(&mut conn, &path, "another boot").unwrap(), first);
        let deadline: i64 = conn.query_row("SELECT deadline FROM entry", [], |row| row.get(0)).unwrap();
        assert!(deadline >= 60_000);
        drop(conn);
        fs::copy(&path, &copy).unwrap();
        let mut conn = Connection::open(&copy).unwrap();
        assert_ne!(adopt(&mut conn, &copy, &boot).unwrap(), first);
    }

    #[test]
    fn any_path_can_be_read_as_immutable() {
        assert_eq!(immutable_uri(Path::new("/a b/c?d#e%f")), "file:/a%20b/c%3Fd%23e%25f?immutable=1");
    }
}
