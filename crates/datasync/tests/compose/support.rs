//! What the tests of compositions share.

use std::sync::Arc;

use quorate_datasync::{Key, Memory, Overlay, Prefix, Selection, Sources, Store};
use quorate_testkit::conformance::Observer;

pub(crate) fn key(text: &str) -> Key {
    Key::parse(text).expect("a test names valid keys")
}

pub(crate) fn prefix(text: &str) -> Prefix {
    Prefix::parse(text).expect("a test names valid prefixes")
}

/// A store, and another handle to it that can be disconnected alone.
pub(crate) fn memory() -> (Arc<Memory>, Arc<dyn Store>) {
    let memory = Arc::new(Memory::new());
    let store: Arc<dyn Store> = Arc::clone(&memory) as _;
    (memory, store)
}

/// An overlay of two whole stores, of which the second wins.
pub(crate) fn low_and_high(low: &Arc<dyn Store>, high: &Arc<dyn Store>) -> Arc<Overlay> {
    let sources =
        Sources::new().add("low", low, Prefix::root(), 0).add("high", high, Prefix::root(), 10).open();
    Arc::new(sources.expect("the names differ"))
}

/// Follows all that an overlay shows.
pub(crate) async fn observe(overlay: &Arc<Overlay>) -> Observer {
    let store: Arc<dyn Store> = Arc::clone(overlay) as _;
    Observer::start(&store, Selection::Prefix(Prefix::root())).await.expect("an open overlay can be watched")
}

pub(crate) async fn put(store: &Arc<dyn Store>, at: &str, value: &str) {
    let txn = quorate_datasync::Txn::new().put(&key(at), value.to_owned());
    store.commit(txn).await.expect("a store in memory takes a value");
}

pub(crate) async fn delete(store: &Arc<dyn Store>, at: &str) {
    let txn = quorate_datasync::Txn::new().delete(&key(at));
    store.commit(txn).await.expect("a store in memory deletes a key");
}
