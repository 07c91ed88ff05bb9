//! The promises of subscriptions and publishers, on the store in memory.

use std::sync::Arc;

use quorate_datasync::Memory;
use quorate_testkit::conformance::Harness;

async fn memory() -> Harness {
    let store = Memory::new();
    let second = store.handle();
    Harness::new(Arc::new(store), Arc::new(second))
}

quorate_testkit::subscribe_suite!(memory);
