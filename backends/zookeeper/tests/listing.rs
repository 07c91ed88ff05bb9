//! Listing and loading large subtrees, on the fake server.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use quorate_datasync::{
    Consistency, Entry, ErrorKind, Event, Key, List, Listing, Prefix, Replica, Selection, Store, Txn, Watch,
};
use quorate_zk::{Acl, Client, CreateMode, ErrorCode, Id, OpCode, Perms, ZnodePath};
use quorate_zk_fake::{Direction, FakeZooKeeper, ServerVersion};
use quorate_zookeeper::ZooKeeper;
use tokio::time::timeout;

const WAIT: Duration = Duration::from_secs(60);

async fn open(server: &FakeZooKeeper) -> Arc<dyn Store> {
    Arc::new(ZooKeeper::options([server.connect_string()]).open().await.expect("a store opens"))
}

fn everything() -> Prefix {
    Prefix::parse("/nodes").expect("it is good")
}

/// Makes directories of so many znodes each with a value.
fn fill(server: &FakeZooKeeper, directories: usize, each: usize, value: &str) {
    for directory in 0..directories {
        for n in 0..each {
            server.set_raw(&format!("/nodes/d{directory}/{n}"), value.to_owned()).expect("it is made");
        }
    }
}

async fn entries(store: &Arc<dyn Store>) -> quorate_datasync::Result<Vec<Entry>> {
    let prefix = everything();
    let listing = store.list(&prefix, List::Entries, Consistency::Synced);
    timeout(WAIT, listing).await.expect("a listing ends in time").map(Listing::into_entries)
}

fn asked(server: &FakeZooKeeper, op: OpCode) -> usize {
    server.requests().iter().filter(|request| request.op == op).count()
}

#[tokio::test]
async fn ten_thousand_entries_cost_fewer_than_a_hundred_and_twenty_requests() {
    let server = FakeZooKeeper::start().await.unwrap();
    let store = open(&server).await;
    fill(&server, 10, 1_000, &"v".repeat(100));
    let before = server.counters().requests;
    let mut watch = Watch::new(&store, Selection::Prefix(everything()));
    let mut told = 0;
    while let Some(event) = timeout(WAIT, watch.next()).await.expect("the content is told in time") {
        match event.unwrap() {
            Event::Resync(_) => told += 1,
            Event::ResyncDone { .. } => break,
            _ => {}
        }
    }
    let requests = server.counters().requests - before;
    assert_eq!(told, 10_000);
    assert!(requests < 120, "{requests} requests");
}

#[tokio::test]
async fn entries_come_in_the_order_of_their_keys_at_every_depth() {
    let server = FakeZooKeeper::start().await.unwrap();
    let store = open(&server).await;
    let names = ["/nodes/a", "/nodes/a-b", "/nodes/a/b", "/nodes/a/b/c/d", "/nodes/b/z", "/other"];
    for name in names.iter().rev() {
        store.commit(Txn::new().put(&Key::parse(name).unwrap(), *name)).await.unwrap();
    }
    let listed = entries(&store).await.unwrap();
    assert!(listed.iter().map(|entry| entry.key.as_str()).eq(names[..5].iter().copied()));
    assert!(listed.iter().all(|entry| entry.value == entry.key.as_str()));
    let keys = store.list(&everything(), List::Keys, Consistency::Synced).await.unwrap().into_keys();
    assert!(listed.iter().map(|entry| &entry.key).eq(&keys));
}

#[tokio::test]
async fn a_server_without_the_multi_read_is_read_one_by_one() {
    let server = FakeZooKeeper::builder().version(ServerVersion::V3_5).start().await.unwrap();
    let store = open(&server).await;
    fill(&server, 3, 200, "value");
    for _ in 0..2 {
        assert_eq!(entries(&store).await.unwrap().len(), 600);
    }
    assert!(asked(&server, OpCode::MultiRead) <= 4, "it is asked once, and what was under way with it");
}

/// Cuts the link at every packet of a listing, before or after the server has read.
async fn a_listing_survives_every_cut(direction: Direction) {
    let server = FakeZooKeeper::start().await.expect("a fake server starts");
    let store = open(&server).await;
    fill(&server, 2, 20, "value");
    for position in 0.. {
        server.cut_after_packets(direction, position);
        let listed = entries(&store).await.expect("it is listed");
        assert_eq!(listed.len(), 40, "cut {position}");
        let is_over = server.is_cut_armed();
        server.disarm_cut();
        if is_over {
            assert!(position > 5, "a listing has a barrier, names, directories and entries");
            return;
        }
    }
}

#[tokio::test]
async fn a_listing_survives_a_cut_before_any_request() {
    a_listing_survives_every_cut(Direction::Requests).await;
}

#[tokio::test]
async fn a_listing_survives_a_cut_before_any_reply() {
    a_listing_survives_every_cut(Direction::Replies).await;
}

#[tokio::test]
async fn an_answer_that_never_fits_is_asked_for_in_smaller_parts() {
    let server = FakeZooKeeper::start().await.unwrap();
    let store = open(&server).await;
    fill(&server, 1, 200, &"v".repeat(200));
    let cut_often = async {
        loop {
            // About seventy entries fit between two cuts.
            server.cut_after_reply_bytes(20_000);
            server.wait_until(|server| !server.is_cut_armed()).await;
        }
    };
    let listed = tokio::select! {
        listed = entries(&store) => listed.unwrap(),
        () = cut_often => unreachable!("it goes on for ever"),
    };
    assert_eq!(listed.len(), 200);
    server.disarm_cut();
}

#[tokio::test]
async fn what_is_deleted_while_the_listing_is_made_is_left_out() {
    let server = FakeZooKeeper::start().await.unwrap();
    let store = open(&server).await;
    fill(&server, 2, 300, "value");
    let other = open(&server).await;
    let victim = Key::parse("/nodes/d0/299").unwrap();
    for n in 0..299 {
        let key = Key::parse(&format!("/nodes/d0/{n}")).unwrap();
        let delete = other.commit(Txn::new().delete(&key));
        let (listed, deleted) = tokio::join!(entries(&store), delete);
        deleted.unwrap();
        let count = listed.unwrap().len();
        assert!((600 - n - 1..=600 - n).contains(&count), "{count} after {n}");
        if n > 40 {
            break;
        }
    }
    assert!(entries(&store).await.unwrap().iter().any(|entry| entry.key == victim));
}

#[tokio::test]
async fn a_znode_that_may_not_be_read_fails_the_listing_of_entries_and_not_that_of_keys() {
    let server = FakeZooKeeper::start().await.unwrap();
    let store = open(&server).await;
    fill(&server, 1, 5, "value");
    let (client, _events) = Client::connect(&server.connect_string()).await.unwrap();
    let closed = vec![Acl::new(Perms::READ, Id::new("ip", "203.0.113.1"))];
    let path = ZnodePath::new("/nodes/d0/closed").unwrap();
    client.create(&path, "secret", CreateMode::Persistent, closed).await.unwrap();
    let error = entries(&store).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert_eq!(error.key().map(Key::as_str), Some("/nodes/d0/closed"));
    let keys = store.list(&everything(), List::Keys, Consistency::Local).await.unwrap().into_keys();
    assert_eq!(keys.len(), 6);
}

#[tokio::test]
async fn a_server_that_is_busy_is_asked_again() {
    let server = FakeZooKeeper::start().await.unwrap();
    let store = open(&server).await;
    fill(&server, 2, 10, "value");
    server.refuse_next(OpCode::MultiRead, ErrorCode::ThrottledOp);
    assert_eq!(entries(&store).await.unwrap().len(), 20);
}

#[tokio::test]
async fn large_values_are_asked_for_a_few_at_a_time() {
    let server = FakeZooKeeper::start().await.unwrap();
    let store = open(&server).await;
    for n in 0..100 {
        let key = Key::parse(&format!("/nodes/d/{n}")).unwrap();
        server.set_raw(key.as_str(), vec![b'v'; 300_000]).unwrap();
    }
    server.forget_requests();
    let listed = entries(&store).await.unwrap();
    assert!(listed.len() == 100 && listed.iter().all(|entry| entry.value.len() == 300_000));
    assert!(asked(&server, OpCode::MultiRead) >= 40);
}

#[tokio::test]
async fn a_dropped_listing_leaves_the_store_as_it_was() {
    let server = FakeZooKeeper::start().await.unwrap();
    let store = open(&server).await;
    fill(&server, 4, 100, "value");
    for step in 0..20 {
        drop(timeout(Duration::from_micros(step * 200), entries(&store)).await);
    }
    assert_eq!(entries(&store).await.unwrap().len(), 400);
}

/// Follows until the copy is as the server's tree, which no longer changes.
async fn follow_to_the_end(server: &FakeZooKeeper, watch: &mut Watch, replica: &mut Replica) {
    let is_equal = |replica: &Replica| {
        let count: usize = server
            .children("/nodes")
            .iter()
            .map(|name| server.children(&format!("/nodes/{name}")).len())
            .sum();
        let is_same = |entry: &Entry| {
            let node = server.node(entry.key.as_str());
            node.and_then(|node| node.data).is_some_and(|data| data == entry.value)
        };
        replica.is_synced() && replica.len() == count && replica.iter().all(is_same)
    };
    let following = async {
        while !is_equal(replica) {
            if let Ok(event) = watch.next().await.expect("the store is open") {
                replica.apply(event);
            }
        }
    };
    timeout(WAIT, following).await.expect("the copy is right in time");
}

#[tokio::test]
async fn a_copy_is_right_whatever_packet_of_its_load_was_lost() {
    let server = FakeZooKeeper::start().await.unwrap();
    let store = open(&server).await;
    fill(&server, 3, 30, "value");
    for position in 0.. {
        let (mut watch, mut replica) = (Watch::new(&store, Selection::Prefix(everything())), Replica::new());
        server.cut_after_packets(Direction::Replies, position);
        let is_over = tokio::select! {
            biased;
            () = server.wait_until(|server| !server.is_cut_armed()) => false,
            () = follow_to_the_end(&server, &mut watch, &mut replica) => server.is_cut_armed(),
        };
        if is_over {
            assert!(position > 4, "a load has a watch, a barrier, names and entries");
            return;
        }
        // While the connection is lost nobody is told of this.
        server.set_raw(&format!("/nodes/d1/{position}"), format!("new {position}")).unwrap();
        server.delete_raw(&format!("/nodes/d0/{position}")).unwrap();
        follow_to_the_end(&server, &mut watch, &mut replica).await;
    }
}

#[tokio::test]
async fn a_content_of_two_lives_of_an_ensemble_is_never_told() {
    let server = FakeZooKeeper::builder().tick(Duration::from_millis(100)).start().await.unwrap();
    let options = ZooKeeper::options([server.connect_string()]).session_timeout(Duration::from_millis(400));
    let store: Arc<dyn Store> = Arc::new(options.open().await.unwrap());
    fill(&server, 4, 500, "old life");
    let mut watch = Watch::new(&store, Selection::Prefix(everything()));
    server.forget_requests();
    let wipe = async {
        server.wait_until(|server| asked(server, OpCode::MultiRead) >= 3).await;
        server.wipe();
        fill(&server, 1, 10, "new life");
    };
    let follow = async {
        let mut told = Vec::new();
        loop {
            match watch.next().await.unwrap() {
                Ok(Event::ResyncStart { .. }) => told.clear(),
                Ok(Event::Resync(entry)) => told.push(entry.value),
                Ok(Event::ResyncDone { .. }) => {
                    assert!(told.is_sorted_by(|a, b| a == b), "two lives in one content");
                    if told.len() == 10 {
                        return;
                    }
                }
                _ => {}
            }
        }
    };
    let both = async { tokio::join!(wipe, follow) };
    timeout(WAIT, both).await.expect("the new life is told");
}
