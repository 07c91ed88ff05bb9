//! Eight processes share one counter: nothing is lost and nothing is counted twice, whatever is underneath.

use std::process::Stdio;

use quorate::Shared;
use quorate_testkit::ZooKeeper;
use serde::{Deserialize, Serialize};
use tokio::process::Command;

const PROCESSES: u64 = 8;
const INCREMENTS: u64 = 50;
const DIRECTORY: &str = "/processes/counter";
/// Tells a child process which store to write to; without it the child's part is no test of its own.
const STORE: &str = "QUORATE_TEST_STORE";

#[derive(Clone, Default, Serialize, Deserialize)]
struct Counter {
    n: u64,
}

/// Runs this test binary again, once for each writer, and waits for all of them.
async fn eight_writers_count_to_400(url: &str) {
    let store = quorate::open(url).await.expect("the store opens");
    let counter = Shared::<Counter>::open(&store, DIRECTORY).create(Counter::default()).await;
    let counter = counter.expect("the struct is created");
    let writers: Vec<_> = (0..PROCESSES)
        .map(|_| {
            Command::new(std::env::current_exe().expect("a test knows its own file"))
                .args(["--exact", "increments_as_a_child_process", "--nocapture"])
                .env(STORE, url)
                .stdout(Stdio::null())
                .kill_on_drop(true)
                .spawn()
                .expect("a writer starts")
        })
        .collect();
    for mut writer in writers {
        assert!(writer.wait().await.expect("a writer ends").success());
    }
    let total = counter.read_consistent().await.expect("the counter is read").n;
    assert_eq!(total, PROCESSES * INCREMENTS);
    store.close().await;
}

/// One writer. It does nothing unless a test above started it.
#[tokio::test]
async fn increments_as_a_child_process() {
    let Some(url) = std::env::var_os(STORE) else { return };
    let url = url.into_string().expect("a URL is text");
    let store = quorate::open(&url).await.unwrap();
    let counter = Shared::<Counter>::open(&store, DIRECTORY).unlisted().join().await.unwrap();
    for _ in 0..INCREMENTS {
        counter.update(|counter| counter.n += 1).await.unwrap();
    }
    store.close().await;
}

#[tokio::test]
async fn eight_processes_lose_no_increment_on_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", directory.path().join("state.db").display());
    eight_writers_count_to_400(&url).await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn eight_processes_lose_no_increment_on_zookeeper() {
    let server = ZooKeeper::start().await;
    eight_writers_count_to_400(&format!("zk://{}", server.connect_string())).await;
}
