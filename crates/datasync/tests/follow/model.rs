//! Followers against the oracle, on the store in memory.

use std::sync::Arc;

use quorate_datasync::Memory;
use quorate_testkit::conformance::Harness;
use quorate_testkit::follow::{Fault, Subject};

async fn memory() -> Subject {
    let store = Arc::new(Memory::new());
    let second = store.handle();
    let followed = Arc::clone(&store);
    Subject::new(Harness::new(followed, Arc::new(second))).fail(move |fault| match fault {
        Fault::Lost => store.disconnect(),
        Fault::Over => store.reconnect(),
    })
}

quorate_testkit::follow_suite!(memory);
