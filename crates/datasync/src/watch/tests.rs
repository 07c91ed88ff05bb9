//! What a watch promises beside what the state machine does.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use tokio::time::Instant;

use super::*;
use crate::{Memory, Prefix, Replica, StoreExt, Txn};

fn everything() -> Selection {
    Selection::Prefix(Prefix::root())
}

async fn filled(count: usize) -> (Arc<Memory>, Arc<dyn Store>) {
    let memory = Arc::new(Memory::new());
    let store: Arc<dyn Store> = Arc::clone(&memory) as _;
    let keys = (0..count).map(|n| Key::parse(&format!("/nodes/{n}")).expect("it is good"));
    let txn = keys.fold(Txn::new(), |txn, key| txn.put(&key, "v"));
    store.commit(txn).await.expect("it is written");
    (memory, store)
}

/// Follows until the content is told once more, and says how long that took.
async fn reloaded(watch: &mut Watch) -> Duration {
    let since = Instant::now();
    while !matches!(watch.next().await, Some(Ok(Event::ResyncDone { .. }))) {}
    since.elapsed()
}

/// How long each of ten watches waits before it loads again, once the connection is back.
async fn waits_after_a_reconnect(count: usize) -> Vec<Duration> {
    let (memory, store) = filled(count).await;
    let mut watches: Vec<Watch> = (0..10).map(|_| Watch::new(&store, everything())).collect();
    let first = join_all(watches.iter_mut().map(reloaded)).await;
    assert!(first.iter().all(Duration::is_zero), "the first load waits for nothing");
    tokio::time::advance(Duration::from_secs(60)).await;
    memory.disconnect();
    memory.reconnect();
    join_all(watches.iter_mut().map(reloaded)).await
}

#[tokio::test(start_paused = true)]
async fn after_a_reconnect_large_contents_are_not_all_loaded_in_one_moment() {
    let waits = waits_after_a_reconnect(6_000).await;
    let (least, most) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
    assert!(*most <= Duration::from_millis(501), "{waits:?}");
    assert!(*most - *least > Duration::from_millis(50), "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn after_a_reconnect_small_contents_are_loaded_at_once() {
    assert!(waits_after_a_reconnect(1_000).await.iter().all(Duration::is_zero));
}

#[tokio::test(start_paused = true)]
async fn gaps_without_end_are_followed_at_growing_intervals() {
    let (memory, store) = filled(10).await;
    let mut watch = Watch::new(&store, everything());
    let since = Instant::now();
    let mut loads = 0;
    while since.elapsed() < Duration::from_secs(120) {
        reloaded(&mut watch).await;
        loads += 1;
        memory.disconnect();
        memory.reconnect();
    }
    // The waits grow to between nothing and five seconds.
    assert!((24..150).contains(&loads), "{loads}");
}

#[tokio::test(start_paused = true)]
async fn what_is_written_while_a_load_waits_is_told_with_it() {
    let (memory, store) = filled(6_000).await;
    let (mut watch, mut replica) = (Watch::new(&store, everything()), Replica::new());
    reloaded(&mut watch).await;
    tokio::time::advance(Duration::from_secs(60)).await;
    memory.disconnect();
    memory.reconnect();
    let put = async {
        for n in 0..100 {
            store.put(&Key::parse(&format!("/new/{n}")).unwrap(), "v").await.unwrap();
        }
    };
    let follow = async {
        while replica.len() < 6_100 {
            replica.apply(watch.next().await.unwrap().unwrap());
        }
    };
    tokio::join!(put, follow);
    assert!(replica.is_synced());
}

#[tokio::test]
async fn a_content_is_told_in_the_order_of_its_keys() {
    let (_, store) = filled(2_000).await;
    let mut watch = Watch::new(&store, everything());
    let mut keys = Vec::new();
    loop {
        match watch.next().await.unwrap().unwrap() {
            Event::Resync(entry) => keys.push(entry.key),
            Event::ResyncDone { .. } => break,
            _ => {}
        }
    }
    assert!(keys.len() == 2_000 && keys.is_sorted());
}
