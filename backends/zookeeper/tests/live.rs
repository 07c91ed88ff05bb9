//! The product's main job on a real ZooKeeper.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use quorate_datasync::{Change, Link as StoreLink, Origin, Shared, Store};
use quorate_testkit::{Direction, Link, ZooKeeper as Server, zk_cli};
use quorate_zookeeper::ZooKeeper;
use serde_json::{Value, json};
use tokio::time::timeout;

const WAIT: Duration = Duration::from_secs(60);

async fn open(connect: String) -> Arc<dyn Store> {
    Arc::new(ZooKeeper::options([connect]).open().await.expect("a store opens"))
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn an_outsiders_edit_arrives_as_one_field_level_change() {
    let server = Server::shared().await;
    let store = open(server.connect_string()).await;
    let agent = Shared::<Value>::open(&store, "/outsider/web");
    let agent = agent.create(json!({"processes": ["systemd*", "rsync*"]})).await.unwrap();
    let mut changes = agent.changes();
    let text = r#"{"processes":["systemd*","rsync*","firefox*"]}"#;
    let output = zk_cli(server.addr(), &["set", "/outsider/web/payload", text]).await;
    assert!(output.success, "{output:?}");
    let set = timeout(WAIT, changes.next()).await.unwrap().unwrap();
    assert_eq!(*set.changes, [Change::Added { path: "/processes/2".into(), value: json!("firefox*") }]);
    assert_eq!(set.origin, Origin::Remote);
    store.close().await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn an_uncontended_update_takes_two_round_trips() {
    let server = Server::shared().await;
    let link = Link::to(server.addr()).await.unwrap();
    let store = open(link.connect_string()).await;
    let counter = Shared::<Value>::open(&store, "/round-trips").create(json!({"n": 0})).await.unwrap();
    counter.update(|value| value["n"] = json!(1)).await.unwrap();
    // A slow link keeps what was sent together together.
    link.delay(Direction::ToServer, Duration::from_millis(5));
    link.delay(Direction::ToClient, Duration::from_millis(5));
    for n in 2..=6 {
        link.clear();
        counter.update(|value| value["n"] = json!(n)).await.unwrap();
        assert_eq!(link.round_trips(), 2, "{:?}", link.frames());
    }
    store.close().await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_restarted_server_is_survived_with_nothing_missed_and_nothing_repeated() {
    let mut server = Server::start().await;
    let store = open(server.connect_string()).await;
    let agent = Shared::<Value>::open(&store, "/agents/web").create(json!({"n": 0})).await.unwrap();
    let mut changes = agent.changes();
    for round in 1..=3 {
        server.stop().await;
        let mut status = agent.status();
        let lost = status.wait_for(|status| matches!(status.link, StoreLink::Lost { .. }));
        timeout(WAIT, lost).await.unwrap().unwrap();
        server.restart().await;
        let output =
            zk_cli(server.addr(), &["set", "/agents/web/payload", &format!("{{\"n\":{round}}}")]).await;
        assert!(output.success, "{output:?}");
        let set = timeout(WAIT, changes.next()).await.unwrap().unwrap();
        let change = Change::Modified { path: "/n".into(), old: json!(round - 1), new: json!(round) };
        assert_eq!(*set.changes, [change]);
    }
    agent.update(|value| value["n"] = json!(100)).await.unwrap();
    let set = timeout(WAIT, changes.next()).await.unwrap().unwrap();
    assert_eq!((set.origin, set.changes.len()), (Origin::Local, 1));
    store.close().await;
}
