//! Many who came and went leave no memory behind, counted in bytes: that of the client and of the fake server that it
//! talks to. In a binary of its own: what others allocate meanwhile would be counted too.

use std::alloc::System;
use std::sync::{Arc, Mutex, PoisonError};

use quorate_testkit::leftovers::Leftovers;
use quorate_zk_fake::FakeZooKeeper;
use quorate_zookeeper::ZooKeeper;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What a connection reads into, at both of its ends, has room for so much, and is used again.
const BUFFERS_BYTES: usize = 4 * 256 * 1024;

/// One at a time.
static TURN: Mutex<()> = Mutex::new(());

/// Without what the fake server remembers of requests.
fn live(server: &FakeZooKeeper) -> usize {
    server.forget_requests();
    let stats = HEAP.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

fn check(claim: impl AsyncFnOnce(&Leftovers)) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime starts").block_on(async {
        let server = FakeZooKeeper::start().await.expect("a fake server starts");
        let store = ZooKeeper::options([server.connect_string()]).open().await.expect("a store opens");
        let leftovers = Leftovers::of(Arc::new(store), move || live(&server)).await;
        claim(&leftovers.beside_buffers(BUFFERS_BYTES)).await;
    });
}

#[test]
fn ten_thousand_subscriptions_leave_no_memory_behind() {
    check(Leftovers::of_subscriptions);
}

#[test]
fn ten_thousand_followers_leave_no_memory_behind() {
    check(Leftovers::of_followers);
}

#[test]
fn ten_thousand_handles_of_structs_with_their_streams_leave_no_memory_behind() {
    check(Leftovers::of_shared);
}
