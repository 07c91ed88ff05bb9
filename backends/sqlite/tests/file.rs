//! What holds for the file, and for what happens to it.

#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt;
use quorate_datasync::{
    ErrorKind, Key, Link, Prefix, RawChange, RawChanges, Revision, Selection, Store, StoreExt, Txn, WatchFrom,
};
use quorate_sqlite::Sqlite;
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::time::timeout;

/// How long anything may take before it counts as never.
const PATIENCE: Duration = Duration::from_secs(30);

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

fn everything() -> Selection {
    Selection::Prefix(Prefix::root())
}

fn names(folder: &TempDir) -> Vec<String> {
    let files = folder.path().read_dir().unwrap();
    let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

async fn next(changes: &mut RawChanges) -> RawChange {
    timeout(PATIENCE, changes.next()).await.expect("it is told in time").expect("the watch goes on")
}

/// The next change that is no progress.
async fn next_change(changes: &mut RawChanges) -> RawChange {
    loop {
        match next(changes).await {
            RawChange::Progress { .. } => {}
            change => return change,
        }
    }
}

async fn fresh() -> (TempDir, std::path::PathBuf, Sqlite) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = Sqlite::open(&path).await.unwrap();
    (folder, path, store)
}

#[tokio::test]
async fn all_files_are_private_and_only_the_database_is_left() {
    let (folder, path, store) = fresh().await;
    let second = Sqlite::open(&path).await.unwrap();
    let lease = store.grant(Duration::from_secs(1)).await.unwrap();
    store.commit(Txn::new().put_under(&key("/a"), "", &lease.reference())).await.unwrap();
    assert_eq!(second.names(&Prefix::root()).await.unwrap(), ["a"]);
    assert_eq!(names(&folder).len(), 5, "{:?}", names(&folder));
    for name in names(&folder) {
        let mode = fs::metadata(folder.path().join(&name)).unwrap().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}");
    }
    store.close().await;
    assert!(second.names(&Prefix::root()).await.unwrap().is_empty());
    second.close().await;
    assert_eq!(names(&folder), ["state.db"]);
}

#[tokio::test]
async fn a_dropped_store_is_closed_and_its_watches_end() {
    let (folder, _, store) = fresh().await;
    let mut status = store.status();
    let mut changes = store.watch(&everything(), WatchFrom::Now).await.unwrap();
    drop(store);
    timeout(PATIENCE, status.wait_for(|status| status.link == Link::Closed)).await.unwrap().unwrap();
    while changes.next().await.is_some() {}
    assert_eq!(names(&folder), ["state.db"]);
}

#[tokio::test]
async fn what_was_written_is_there_when_the_file_is_opened_again() {
    let (_folder, path, store) = fresh().await;
    let incarnation = store.status().borrow().incarnation;
    let revision = store.put(&key("/a"), "1").await.unwrap();
    store.close().await;
    let store = Sqlite::open(&path).await.unwrap();
    let entry = store.entry(&key("/a")).await.unwrap().unwrap();
    assert_eq!((entry.revision, &*entry.value), (revision, &b"1"[..]));
    assert_eq!(store.status().borrow().incarnation, incarnation);
    assert!(store.put(&key("/a"), "2").await.unwrap() > revision);
    store.close().await;
}

#[tokio::test]
async fn a_foreign_file_is_refused_and_nothing_is_made_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    fs::write(&path, "not a database").unwrap();
    let error = Sqlite::open(&path).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Foreign);
    assert_eq!(names(&folder), ["state.db"]);
    assert_eq!(fs::read(&path).unwrap(), b"not a database");
}

#[tokio::test]
async fn a_missing_directory_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = Sqlite::open(folder.path().join("nowhere/state.db")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.to_string().contains("nowhere does not exist"), "{error}");
}

#[tokio::test]
async fn a_read_only_file_is_read_and_not_written() {
    let (_folder, path, store) = fresh().await;
    store.put(&key("/a"), "1").await.unwrap();
    store.close().await;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    let store = Sqlite::open(&path).await.unwrap();
    assert_eq!(store.entry(&key("/a")).await.unwrap().unwrap().value, "1");
    assert_eq!(store.put(&key("/a"), "2").await.unwrap_err().kind(), ErrorKind::ReadOnly);
    assert_eq!(store.grant(Duration::from_secs(1)).await.unwrap_err().kind(), ErrorKind::ReadOnly);
    store.close().await;
}

#[tokio::test]
async fn a_store_opened_for_reading_follows_those_who_write() {
    let (folder, path, store) = fresh().await;
    let reader = Sqlite::options().read_only().open(&path).await.unwrap();
    let mut changes = reader.watch(&everything(), WatchFrom::Now).await.unwrap();
    store.put(&key("/a"), "1").await.unwrap();
    assert!(matches!(next_change(&mut changes).await, RawChange::Put(entry) if entry.value == "1"));
    let error = reader.put(&key("/a"), "2").await.unwrap_err();
    assert_eq!((error.kind(), error.maybe_applied()), (ErrorKind::ReadOnly, false));
    store.close().await;
    reader.close().await;
    assert_eq!(names(&folder), ["state.db"]);
}

#[tokio::test]
async fn nothing_is_opened_for_reading_where_nothing_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let error = Sqlite::options().read_only().open(&path).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(names(&folder).is_empty());
}

#[tokio::test]
async fn watches_are_served_without_inotify() {
    let (_folder, path, store) = fresh().await;
    let deaf = Sqlite::options().without_inotify().open(&path).await.unwrap();
    let mut changes = deaf.watch(&everything(), WatchFrom::Now).await.unwrap();
    for value in ["1", "2"] {
        store.put(&key("/a"), value).await.unwrap();
        assert!(matches!(next_change(&mut changes).await, RawChange::Put(entry) if entry.value == value));
    }
    deaf.close().await;
    store.close().await;
}

#[tokio::test]
async fn a_quiet_watch_is_told_that_it_is_current() {
    let (_folder, _, store) = fresh().await;
    let revision = store.put(&key("/a"), "1").await.unwrap();
    let mut changes = store.watch(&Selection::Key(key("/b")), WatchFrom::Now).await.unwrap();
    let RawChange::Progress { revision: proved, asked } = next(&mut changes).await else {
        panic!("no progress")
    };
    let RawChange::Progress { asked: later, .. } = next(&mut changes).await else { panic!("no progress") };
    assert!(proved == revision && later > asked);
    store.close().await;
}

/// Does something to the file of a store that is watched, and expects another store afterwards.
async fn expect_another_store(happen: impl FnOnce(&Path)) {
    let (_folder, path, store) = fresh().await;
    store.put(&key("/a"), "old").await.unwrap();
    let lease = store.grant(Duration::from_secs(1)).await.unwrap();
    let before = store.status().borrow().incarnation;
    let mut changes = store.watch(&everything(), WatchFrom::Now).await.unwrap();
    happen(&path);
    while next(&mut changes).await != RawChange::Gap {}
    assert_ne!(store.status().borrow().incarnation, before);
    assert_eq!(store.status().borrow().link, Link::Live);
    assert!(store.entry(&key("/a")).await.unwrap().is_none());
    timeout(PATIENCE, lease.ended()).await.expect("the lease went with the file");
    store.put(&key("/b"), "new").await.unwrap();
    assert!(matches!(next_change(&mut changes).await, RawChange::Put(entry) if entry.value == "new"));
    store.close().await;
    let conn = Connection::open(&path).unwrap();
    let verdict: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}

#[tokio::test]
async fn a_removed_file_is_another_store() {
    expect_another_store(|path| fs::remove_file(path).unwrap()).await;
}

#[tokio::test]
async fn a_replaced_file_is_another_store() {
    let other = tempfile::tempdir().unwrap();
    let spare = other.path().join("spare.db");
    Sqlite::open(&spare).await.unwrap().close().await;
    expect_another_store(|path| fs::rename(&spare, path).unwrap()).await;
}

#[tokio::test]
async fn while_a_foreign_file_is_in_its_place_a_store_is_lost() {
    let (folder, path, store) = fresh().await;
    let aside = folder.path().join("aside");
    store.put(&key("/a"), "1").await.unwrap();
    fs::rename(&path, &aside).unwrap();
    fs::write(&path, "not a database").unwrap();
    assert_eq!(store.entry(&key("/a")).await.unwrap_err().kind(), ErrorKind::Foreign);
    assert!(matches!(store.status().borrow().link, Link::Lost { .. }));
    fs::remove_file(&path).unwrap();
    assert!(store.entry(&key("/a")).await.unwrap().is_none());
    assert_eq!(store.status().borrow().link, Link::Live);
    store.close().await;
    assert_eq!(fs::read(&aside).unwrap().get(..15), Some(&b"SQLite format 3"[..]));
}

#[tokio::test]
async fn behind_the_history_is_a_gap() {
    let (_folder, path, store) = fresh().await;
    for value in ["1", "2", "3"] {
        store.put(&key("/a"), value).await.unwrap();
    }
    Connection::open(&path).unwrap().execute("UPDATE store SET floor = 2", []).unwrap();
    let after = |at| WatchFrom::After(Revision::new(at));
    let mut changes = store.watch(&everything(), after(1)).await.unwrap();
    assert_eq!(next_change(&mut changes).await, RawChange::Gap);
    let mut changes = store.watch(&Selection::Key(key("/a")), after(1)).await.unwrap();
    assert_eq!(next_change(&mut changes).await, RawChange::Dirty(key("/a")));
    let mut changes = store.watch(&everything(), after(2)).await.unwrap();
    assert!(matches!(next_change(&mut changes).await, RawChange::Put(entry) if entry.value == "3"));
    store.close().await;
}

#[tokio::test]
async fn a_file_that_stays_locked_is_a_timeout_and_nothing_is_applied() {
    let (_folder, path, store) = fresh().await;
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = timeout(PATIENCE, store.put(&key("/a"), "1")).await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.maybe_applied()), (ErrorKind::TimedOut, false));
    assert!(store.entry(&key("/a")).await.unwrap().is_none(), "reads go on meanwhile");
    conn.execute_batch("ROLLBACK").unwrap();
    store.put(&key("/a"), "1").await.unwrap();
    drop(conn);
    store.close().await;
}

#[tokio::test]
async fn a_read_sees_what_became_of_an_abandoned_commit() {
    let (_folder, _, store) = fresh().await;
    for at in 0..50 {
        let value = at.to_string();
        // It is polled once, so the request is on its way when the future goes.
        let _ = timeout(Duration::ZERO, store.put(&key("/a"), value.clone())).await;
        assert_eq!(store.entry(&key("/a")).await.unwrap().unwrap().value, value);
    }
    store.close().await;
}
