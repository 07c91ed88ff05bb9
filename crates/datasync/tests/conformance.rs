//! The store that lives in the process does what every store must do.

use std::sync::Arc;

use quorate_datasync::Memory;
use quorate_testkit::conformance::Harness;

async fn open() -> Harness {
    let store = Memory::new();
    let second = store.handle();
    Harness::new(Arc::new(store), Arc::new(second))
}

quorate_testkit::conformance_suite!(open);
