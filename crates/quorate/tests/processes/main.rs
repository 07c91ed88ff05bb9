//! Processes share one counter: nothing is lost and nothing is counted twice, whatever is underneath, and also when
//! some of them are killed.

mod crowd;
mod writer;

use std::time::Duration;

use quorate_testkit::{ServerOptions, ZooKeeper};

use crowd::{Crowd, Killed};

const CROWDS: [Crowd; 3] = [
    Crowd { writers: 2, increments: 100 },
    Crowd { writers: 8, increments: 50 },
    Crowd { writers: 32, increments: 20 },
];

async fn on_a_file(killed: Killed) {
    for crowd in CROWDS {
        let directory = tempfile::tempdir().expect("there is room for a file");
        let url = format!("sqlite:{}", directory.path().join("state.db").display());
        crowd.counts_exactly(&url, killed).await;
    }
}

async fn on_zookeeper(killed: Killed) {
    // Sessions may be short where the ticks are.
    let server = ZooKeeper::start_with(&ServerOptions::default().tick(Duration::from_millis(500))).await;
    for crowd in CROWDS {
        // The others wait for the end of the sessions of those who are killed.
        let place = format!("{}/crowd-{}", server.connect_string(), crowd.writers);
        let url = format!("zk://{place}?session_timeout=3s");
        crowd.counts_exactly(&url, killed).await;
    }
}

#[tokio::test]
async fn crowds_of_processes_lose_no_increment_on_a_file() {
    on_a_file(Killed::None).await;
}

#[tokio::test]
async fn what_a_killed_process_acknowledged_is_counted_once_on_a_file() {
    on_a_file(Killed::Third).await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn crowds_of_processes_lose_no_increment_on_zookeeper() {
    on_zookeeper(Killed::None).await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn what_a_killed_process_acknowledged_is_counted_once_on_zookeeper() {
    on_zookeeper(Killed::Third).await;
}
