//! Keys that live as long as their publisher, when the store fails on the way.

use std::sync::Arc;
use std::time::Duration;

use quorate_datasync::{Conflict, Key, Memory, Publisher, Store, StoreExt};

const A_WHILE: Duration = Duration::from_secs(30);

struct Rig {
    faulty: Arc<Memory>,
    outside: Memory,
    publisher: Publisher,
}

fn rig() -> Rig {
    let faulty = Arc::new(Memory::new());
    let outside = faulty.handle();
    let store: Arc<dyn Store> = Arc::clone(&faulty) as Arc<dyn Store>;
    Rig { faulty, outside, publisher: Publisher::new(&store) }
}

impl Rig {
    async fn value(&self, name: &str) -> Option<String> {
        let entry = self.outside.entry(&key(name)).await.expect("the rig works")?;
        Some(String::from_utf8_lossy(&entry.value).into_owned())
    }
}

fn key(text: &str) -> Key {
    Key::parse(text).expect("the rig works")
}

#[tokio::test(start_paused = true)]
async fn a_put_that_was_lost_on_the_way_is_put_again_while_the_lease_goes_on() {
    let rig = rig();
    rig.publisher.put("/status/other", &1).lifetime().await.unwrap();
    tokio::time::sleep(A_WHILE).await;
    rig.faulty.lose_next_request();
    assert!(rig.publisher.put("/status/a", &1).lifetime().await.unwrap_err().maybe_applied());
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(rig.value("/status/a").await.as_deref(), Some("1"));
}

#[tokio::test(start_paused = true)]
async fn a_put_under_a_condition_that_was_lost_on_the_way_is_not_put_without_it() {
    let rig = rig();
    let stale = rig.publisher.put("/status/a", &1).lifetime().await.unwrap();
    rig.publisher.put("/status/a", &2).lifetime().await.unwrap();
    rig.faulty.lose_next_request();
    let put = rig.publisher.put("/status/a", &3).if_version(stale.version).lifetime();
    assert!(put.await.unwrap_err().maybe_applied());
    tokio::time::sleep(A_WHILE).await;
    rig.faulty.expire_leases();
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(rig.value("/status/a").await.as_deref(), Some("2"));
}

#[tokio::test(start_paused = true)]
async fn a_put_under_a_condition_whose_answer_was_lost_is_kept() {
    let rig = rig();
    rig.faulty.lose_next_reply();
    let put = rig.publisher.put("/status/a", &1).if_absent().lifetime();
    assert!(put.await.unwrap_err().maybe_applied());
    tokio::time::sleep(A_WHILE).await;
    rig.faulty.expire_leases();
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(rig.value("/status/a").await.as_deref(), Some("1"));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_absent_while_its_prefix_is_deleted_does_not_come_back() {
    let rig = rig();
    rig.publisher.put("/status/a", &1).lifetime().await.unwrap();
    rig.publisher.put("/other/a", &1).lifetime().await.unwrap();
    rig.faulty.expire_leases();
    rig.publisher.delete_prefix("/status").await.unwrap();
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(rig.value("/status/a").await, None);
    assert_eq!(rig.value("/other/a").await.as_deref(), Some("1"));
}

#[tokio::test(start_paused = true)]
async fn a_key_whose_deletion_was_refused_still_comes_back() {
    let rig = rig();
    let stale = rig.publisher.put("/status/a", &1).lifetime().await.unwrap();
    rig.publisher.put("/status/a", &2).lifetime().await.unwrap();
    let refused = rig.publisher.delete("/status/a").if_version(stale.version).await.unwrap_err();
    assert_eq!(refused.as_conflict(), Some(Conflict::Version));
    rig.faulty.expire_leases();
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(rig.value("/status/a").await.as_deref(), Some("2"));
}
