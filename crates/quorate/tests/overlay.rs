//! Stores of different kinds as one.

use std::sync::Arc;
use std::time::Duration;

use quorate::{Key, Link, Overlay, Prefix, Sources, Store, StoreExt};
use quorate_testkit::ZooKeeper;
use tempfile::TempDir;

fn key(text: &str) -> Key {
    Key::parse(text).expect("a test names valid keys")
}

fn prefix(text: &str) -> Prefix {
    Prefix::parse(text).expect("a test names valid prefixes")
}

async fn file() -> (TempDir, Arc<dyn Store>) {
    let directory = tempfile::tempdir().expect("there is room for a file");
    let url = format!("sqlite:{}", directory.path().join("state.db").display());
    (directory, quorate::open(&url).await.expect("a new file is a store"))
}

/// Waits until the overlay shows this value.
async fn until(overlay: &Overlay, at: &str, value: &str) {
    let shows = async {
        while overlay.entry(&key(at)).await.expect("it is open").is_none_or(|entry| entry.value != value) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), shows)
        .await
        .unwrap_or_else(|_| panic!("{at} is not {value}"));
}

#[tokio::test]
async fn a_file_covers_a_memory_store_and_uncovers_it() {
    let (_directory, file) = file().await;
    let memory = quorate::open("mem:").await.unwrap();
    memory.put(&key("/defaults/mtu"), "1500").await.unwrap();
    let overlay = Sources::new()
        .add("defaults", &memory, prefix("/defaults"), 0)
        .add("site", &file, prefix("/site"), 1)
        .open()
        .unwrap();
    until(&overlay, "/mtu", "1500").await;
    file.put(&key("/site/mtu"), "9000").await.unwrap();
    until(&overlay, "/mtu", "9000").await;
    file.delete(&key("/site/mtu")).await.unwrap();
    until(&overlay, "/mtu", "1500").await;
    overlay.close().await;
    file.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a ZooKeeper server"]
async fn a_server_that_is_restarted_takes_nothing_from_a_file() {
    let mut server = ZooKeeper::start().await;
    let (_directory, file) = file().await;
    let remote = quorate::open(&format!("zk://{}", server.connect_string())).await.unwrap();
    file.put(&key("/both"), "file").await.unwrap();
    remote.put(&key("/both"), "remote").await.unwrap();
    let sources =
        Sources::new().add("file", &file, Prefix::root(), 0).add("remote", &remote, Prefix::root(), 1);
    let overlay = sources.open().unwrap();
    overlay.synced().await;
    until(&overlay, "/both", "remote").await;
    server.stop().await;
    let mut status = overlay.status();
    let names = |link: &Link| matches!(link, Link::Lost { reason } if reason.contains("remote"));
    status.wait_for(|status| names(&status.link)).await.unwrap();
    file.put(&key("/file"), "goes on").await.unwrap();
    until(&overlay, "/file", "goes on").await;
    until(&overlay, "/both", "remote").await;
    server.restart().await;
    status.wait_for(|status| status.link == Link::Live).await.unwrap();
    remote.delete(&key("/both")).await.unwrap();
    until(&overlay, "/both", "file").await;
    overlay.close().await;
    remote.close().await;
    file.close().await;
}
