//! Followers against the oracle, on two handles that share nothing but the file.

#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

use std::sync::Arc;

use quorate_sqlite::Sqlite;
use quorate_testkit::Rigged;
use quorate_testkit::conformance::Harness;
use quorate_testkit::follow::Subject;

async fn open() -> Subject {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = Sqlite::open(&path).await.unwrap();
    let second = Sqlite::open(&path).await.unwrap();
    let (store, fail) = Rigged::interrupted(Arc::new(store));
    Subject::new(Harness::new(store, Arc::new(second)).keep(folder)).fail(fail)
}

quorate_testkit::follow_suite!(open);
