//! Watches. What each kind is told on 3.8 is held to a real server in `like_the_real_server`.

use quorate_zk_fake::{FakeZooKeeper, ServerVersion};
use quorate_zk_proto::*;

use crate::client::*;
use EventType::{NodeChildrenChanged, NodeCreated, NodeDataChanged, NodeDeleted};

async fn server(version: ServerVersion) -> FakeZooKeeper {
    FakeZooKeeper::builder().version(version).start().await.unwrap()
}

#[tokio::test]
async fn a_notification_stands_before_every_reply_that_could_show_its_change() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    client.ask(exists("/a", true)).await.unwrap_err();
    server.set_raw("/a", "1").unwrap();
    client.send(&exists("/a", false)).await;
    let event = Packet::Event(Zxid::new(-1), NodeCreated, "/a".into());
    assert_eq!(client.packet().await, Some(event));
    assert!(matches!(client.packet().await, Some(Packet::Reply(_, Some(_)))));
}

#[tokio::test]
async fn notifications_carry_their_zxid_from_3_9_on() {
    let server = server(ServerVersion::V3_9).await;
    let mut client = Client::new(&server).await;
    client.add_watch("/a", WatchMode::Persistent).await;
    let stat = server.set_raw("/a", "1").unwrap();
    assert_eq!(client.packet().await, Some(Packet::Event(stat.czxid, NodeCreated, "/a".into())));
}

/// Counts the events of two changes of data, with a persistent watch and then a one-shot one on the path.
async fn events_of_two_changes(version: ServerVersion) -> usize {
    let server = server(version).await;
    server.set_raw("/a", "0").unwrap();
    let mut client = Client::new(&server).await;
    client.add_watch("/a", WatchMode::Persistent).await;
    client.ask(exists("/a", true)).await.unwrap();
    server.set_raw("/a", "1").unwrap();
    server.set_raw("/a", "2").unwrap();
    client.events().await.len()
}

#[tokio::test]
async fn a_one_shot_watch_breaks_a_persistent_one_up_to_3_8_only() {
    assert_eq!(events_of_two_changes(ServerVersion::V3_8).await, 1);
    assert_eq!(events_of_two_changes(ServerVersion::V3_9).await, 2);
}

#[tokio::test]
async fn on_3_9_a_persistent_and_a_recursive_watch_share_a_path() {
    let server = server(ServerVersion::V3_9).await;
    let mut client = Client::new(&server).await;
    client.add_watch("/a", WatchMode::Persistent).await;
    client.add_watch("/a", WatchMode::PersistentRecursive).await;
    server.set_raw("/a/b", "1").unwrap();
    let created = |at: &str| (NodeCreated, at.to_owned());
    let children = (NodeChildrenChanged, "/a".to_owned());
    assert_eq!(client.events().await, [created("/a"), created("/a/b"), children]);
    assert_eq!(client.remove_watches("/a", WatcherType::Persistent).await, Ok(ReplyBody::Done));
    server.delete_raw("/a").unwrap();
    assert_eq!(client.events().await, [(NodeDeleted, "/a/b".into()), (NodeDeleted, "/a".into())]);
    let removed = client.remove_watches("/a", WatcherType::PersistentRecursive).await;
    assert_eq!(removed, Ok(ReplyBody::Done));
    assert_eq!(client.remove_watches("/a", WatcherType::Any).await, Err(ErrorCode::NoWatcher));
}

#[tokio::test]
async fn on_3_9_removing_one_kind_leaves_the_others() {
    let server = server(ServerVersion::V3_9).await;
    server.set_raw("/a", "0").unwrap();
    let mut client = Client::new(&server).await;
    client.add_watch("/a", WatchMode::Persistent).await;
    assert_eq!(client.remove_watches("/a", WatcherType::Data).await, Err(ErrorCode::NoWatcher));
    client.ask(exists("/a", true)).await.unwrap();
    assert_eq!(client.remove_watches("/a", WatcherType::Data).await, Ok(ReplyBody::Done));
    server.set_raw("/a", "1").unwrap();
    assert_eq!(client.events().await, [(NodeDataChanged, "/a".into())]);
}

#[tokio::test]
async fn watches_end_with_their_connection_not_with_their_session() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    client.add_watch("/a", WatchMode::Persistent).await;
    let mut again = client.again(&server).await;
    server.set_raw("/a", "1").unwrap();
    assert_eq!(again.events().await, []);
    assert!(client.is_closed().await, "its session came back on another link");
}

#[tokio::test]
async fn sessions_that_watch_the_same_path_do_not_disturb_each_other() {
    let server = FakeZooKeeper::start().await.unwrap();
    let (mut one, mut two) = (Client::new(&server).await, Client::new(&server).await);
    one.add_watch("/a", WatchMode::Persistent).await;
    two.ask(exists("/a", true)).await.unwrap_err();
    server.set_raw("/a", "1").unwrap();
    server.set_raw("/a", "2").unwrap();
    assert_eq!(one.events().await, [(NodeCreated, "/a".into()), (NodeDataChanged, "/a".into())]);
    assert_eq!(two.events().await, [(NodeCreated, "/a".into())]);
}

#[tokio::test]
async fn from_3_9_on_nobody_is_told_of_what_they_may_not_read() {
    for (version, heard) in [(ServerVersion::V3_8, 3), (ServerVersion::V3_9, 0)] {
        let server = FakeZooKeeper::builder().version(version).start().await.unwrap();
        let (mut owner, mut other) = (Client::new(&server).await, Client::new(&server).await);
        owner.auth("digest", "bob:secret").await.unwrap();
        owner.create("/a", CreateMode::Persistent).await.unwrap();
        other.add_watch("/a", WatchMode::Persistent).await;
        let private = Acl::new(Perms::ALL, Id::digest("bob", "secret"));
        owner.set_acl("/a", vec![private.clone()]).await.unwrap();
        owner.ask(Request::SetData(set("/a", ANY_VERSION))).await.unwrap();
        owner.create("/a/child", CreateMode::Persistent).await.unwrap();
        owner.ask(delete("/a/child")).await.unwrap();
        assert_eq!(other.events().await.len(), heard, "{version:?}");
        owner.set_acl("/a", vec![private, Acl::read()]).await.unwrap();
        owner.ask(delete("/a")).await.unwrap();
        assert_eq!(other.events().await.len(), 1, "{version:?}");
    }
}
