//! What subscriptions and publishers promise, on two handles that share nothing but the file.

#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

use std::sync::Arc;

use quorate_sqlite::Sqlite;
use quorate_testkit::conformance::Harness;

async fn open() -> Harness {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = Sqlite::open(&path).await.unwrap();
    let second = Sqlite::open(&path).await.unwrap();
    Harness::new(Arc::new(store), Arc::new(second)).keep(folder)
}

quorate_testkit::subscribe_suite!(open);
