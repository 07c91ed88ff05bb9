//! What holds between processes, also when one of them is killed.

#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod helper;

use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt;
use quorate_datasync::{
    Consistency, Found, Key, Moment, Prefix, RawChange, RawChanges, Selection, Store, StoreExt, Want,
    WatchFrom,
};
use quorate_sqlite::Sqlite;
use rusqlite::Connection;
use tokio::time::timeout;

use helper::{Helper, Role};

/// How long anything may take before it counts as never.
const PATIENCE: Duration = Duration::from_secs(60);

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

async fn next(changes: &mut RawChanges) -> RawChange {
    timeout(PATIENCE, changes.next()).await.expect("it is told in time").expect("the watch goes on")
}

async fn number(store: &Sqlite, name: &str) -> u64 {
    let entry = store.entry(&key(name)).await.unwrap().unwrap();
    std::str::from_utf8(&entry.value).unwrap().parse().unwrap()
}

fn check_integrity(path: &Path) {
    let conn = Connection::open(path).unwrap();
    let verdict: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}

#[tokio::test]
async fn eight_processes_that_compare_and_set_lose_no_increment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = Sqlite::open(&path).await.unwrap();
    store.put(&key("/counter"), "0").await.unwrap();
    let mut helpers: Vec<_> = (0..8).map(|_| Helper::start(Role::Increment, &path)).collect();
    for helper in &mut helpers {
        assert_eq!(helper.line().await.as_deref(), Some("done"));
        helper.ended().await;
    }
    assert_eq!(number(&store, "/counter").await, 400);
    store.close().await;
    let left: Vec<_> = folder.path().read_dir().unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["state.db"]);
}

#[tokio::test]
async fn a_killed_writer_loses_nothing_that_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    for round in 0..25_usize {
        let mut helper = Helper::start(Role::Write, &path);
        let mut acknowledged = None;
        for _ in 0..=(round * 7 % 23) {
            acknowledged = helper.line().await;
        }
        helper.kill().await;
        // What was said before the end still counts.
        while let Some(line) = helper.line().await {
            acknowledged = Some(line);
        }
        let store = Sqlite::open(&path).await.unwrap();
        let acknowledged: u64 = acknowledged.expect("something was acknowledged").parse().unwrap();
        for name in ["/first", "/second"] {
            assert!(number(&store, name).await >= acknowledged);
        }
        assert_eq!(number(&store, "/first").await, number(&store, "/second").await);
        store.close().await;
        check_integrity(&path);
    }
}

#[tokio::test]
async fn a_killed_holder_is_invisible_at_once_and_its_end_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = Sqlite::open(&path).await.unwrap();
    let held = Prefix::parse("/held").unwrap();
    let mut helper = Helper::start(Role::Hold, &path);
    assert_eq!(helper.line().await.as_deref(), Some("held"));
    assert_eq!(store.names(&held).await.unwrap(), ["key"]);
    let mut changes = store.watch(&Selection::Prefix(held.clone()), WatchFrom::Now).await.unwrap();
    helper.kill().await;
    let killed = Moment::now();
    let read = store.get(&key("/held/key"), Want::Value, Consistency::Local).await.unwrap();
    assert_eq!(read.found, Found::Absent);
    assert!(store.names(&held).await.unwrap().is_empty());
    while !matches!(next(&mut changes).await, RawChange::Delete(gone, _) if gone == key("/held/key")) {}
    helper::report(&format!("the end of a killed holder was told after {:?}", killed.elapsed()));
    store.create(&key("/held/key"), "mine").await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn a_dead_holder_is_no_obstacle_for_whoever_writes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = Sqlite::open(&path).await.unwrap();
    let mut helper = Helper::start(Role::Hold, &path);
    assert_eq!(helper.line().await.as_deref(), Some("held"));
    assert!(store.create(&key("/held/key"), "mine").await.is_err());
    helper.kill().await;
    store.create(&key("/held/key"), "mine").await.unwrap();
    store.close().await;
    let left: Vec<_> = folder.path().read_dir().unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["state.db"]);
}

#[tokio::test]
async fn what_a_killed_process_left_is_deleted_when_the_file_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let mut helper = Helper::start(Role::Hold, &path);
    assert_eq!(helper.line().await.as_deref(), Some("held"));
    helper.kill().await;
    Sqlite::open(&path).await.unwrap().close().await;
    let conn = Connection::open(&path).unwrap();
    let left =
        |table| conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0));
    assert_eq!((left("entry").unwrap(), left("holder").unwrap()), (0, 0));
}

#[tokio::test]
async fn a_commit_is_told_to_another_process() {
    const ROUNDS: usize = 200;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = folder.path().join("state.db");
    let store = Sqlite::open(&path).await.unwrap();
    let mut changes = store.watch(&Selection::Key(key("/stamp")), WatchFrom::Now).await.unwrap();
    let mut helper = Helper::start(Role::Stamp, &path);
    let (mut told, mut committed) = (Vec::new(), Vec::new());
    while told.len() < ROUNDS {
        let RawChange::Put(entry) = next(&mut changes).await else { continue };
        let now = Moment::now();
        let sent: u64 = std::str::from_utf8(&entry.value).unwrap().parse().unwrap();
        told.push(now.since(Moment::from_nanos(sent)));
        let nanos = helper.line().await.unwrap().parse().unwrap();
        committed.push(Duration::from_nanos(nanos));
        helper.go_on().await;
    }
    told.sort();
    committed.sort();
    let (told_at, committed_at) = (told[ROUNDS / 2], committed[ROUNDS / 2]);
    helper::report(&format!(
        "from before a commit until another process is told: median {told_at:?}, worst {:?}; the commit itself: median {committed_at:?}",
        told[ROUNDS - 1]
    ));
    helper.kill().await;
    store.close().await;
}
