//! Many who came and went leave no memory behind, counted in bytes. In a binary of its own: what others allocate
//! meanwhile would be counted too.

use std::alloc::System;
use std::sync::{Arc, Mutex, PoisonError};

use quorate_datasync::Memory;
use quorate_testkit::leftovers::Leftovers;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// One at a time.
static TURN: Mutex<()> = Mutex::new(());

fn live() -> usize {
    let stats = HEAP.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

fn check(claim: impl AsyncFnOnce(&Leftovers)) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime starts").block_on(async {
        let leftovers = Leftovers::of(Arc::new(Memory::new()), live).await;
        claim(&leftovers).await;
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

#[test]
fn ten_thousand_structs_of_a_map_leave_no_memory_behind() {
    check(Leftovers::of_a_map);
}
