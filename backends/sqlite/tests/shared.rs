//! What a shared struct promises, on two handles that share nothing but the file.

#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use quorate_datasync::{ListenerEvent, Shared, Store};
use quorate_sqlite::Sqlite;
use quorate_testkit::conformance::Harness;
use tokio::time::timeout;

async fn open() -> Harness {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = Sqlite::open(&path).await.unwrap();
    let second = Sqlite::open(&path).await.unwrap();
    Harness::new(Arc::new(store), Arc::new(second)).keep(folder)
}

quorate_testkit::shared_suite!(open);

#[tokio::test]
async fn a_listener_is_back_by_itself_in_a_file_that_took_the_place_of_the_old() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store: Arc<dyn Store> = Arc::new(Sqlite::open(&path).await.unwrap());
    let level = Shared::<u64>::open(&store, "/level").create(1).await.unwrap();
    let mut listeners = level.watch_listeners().unwrap();
    let Some(ListenerEvent::Snapshot(first)) = listeners.next().await else { panic!("who is there") };
    std::fs::remove_file(&path).unwrap();
    let told = async { [listeners.next().await, listeners.next().await] };
    let told = timeout(Duration::from_secs(20), told).await.expect("the listener is back");
    let [me] = &first[..] else { panic!("{first:?}") };
    assert_eq!(told, [Some(ListenerEvent::Left(me.clone())), Some(ListenerEvent::Joined(me.clone()))]);
    store.close().await;
}
