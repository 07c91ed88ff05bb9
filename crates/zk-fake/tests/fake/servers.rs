//! Several servers that share one tree.

use std::{io::ErrorKind, time::Duration};

use quorate_zk_fake::{FakeZooKeeper, ServerVersion};
use quorate_zk_proto::*;
use tokio::net::TcpStream;

use crate::client::*;

async fn three() -> FakeZooKeeper {
    FakeZooKeeper::builder().servers(3).version(ServerVersion::V3_9).start().await.unwrap()
}

async fn at(server: &FakeZooKeeper, number: usize) -> Client {
    Client::over(server.server(number).connect(), connect_request(30_000)).await.unwrap()
}

#[tokio::test]
async fn a_write_at_one_server_is_seen_and_told_at_the_others() {
    let server = three().await;
    let (mut one, mut two) = (at(&server, 0).await, at(&server, 1).await);
    two.ask(exists("/a", true)).await.unwrap_err();
    one.create("/a", CreateMode::Persistent).await.unwrap();
    assert_eq!(two.events().await, [(EventType::NodeCreated, "/a".into())]);
    assert!(two.stat("/a").await.is_ok());
    let connect_string = server.connect_string();
    assert_eq!(connect_string.split(',').count(), 3, "{connect_string}");
    for member in server.servers() {
        assert!(TcpStream::connect(member.addr()).await.is_ok());
    }
}

#[tokio::test]
async fn a_session_that_moved_is_closed_where_it_was_on_its_next_write() {
    let server = three().await;
    let mut old = at(&server, 0).await;
    let mut new = Client::over(server.server(1).connect(), old.resume()).await.unwrap();
    assert_eq!(new.session.session_id, old.session.session_id);
    assert_eq!(server.sessions()[0].server, Some(1));
    assert!(old.stat("/").await.is_ok(), "reads do not ask the leader");
    assert_eq!(server.requests()[0].server, 0);
    old.send(&Request::Create(create("/a", CreateMode::Persistent))).await;
    assert!(old.is_closed().await);
    assert!(new.create("/a", CreateMode::Persistent).await.is_ok(), "it was not applied");
}

#[tokio::test]
async fn a_stopped_server_hangs_up_refuses_and_comes_back() {
    let server = three().await;
    let mut client = at(&server, 2).await;
    server.server(2).stop().await.unwrap();
    assert!(client.is_closed().await);
    let refused = TcpStream::connect(server.server(2).addr()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert!(Client::over(server.server(2).connect(), connect_request(1)).await.is_none());
    assert!(server.has_quorum() && !server.server(2).is_running());
    let mut moved = client.again(&server).await;
    moved.create("/a", CreateMode::Persistent).await.unwrap();
    server.server(2).start().await.unwrap();
    assert!(at(&server, 2).await.stat("/a").await.is_ok());
}

#[tokio::test]
async fn most_servers_have_to_run() {
    let server = three().await;
    let mut client = at(&server, 0).await;
    server.server(1).stop().await.unwrap();
    assert!(client.ping().await.err.is_ok(), "two of three are enough");
    server.server(2).stop().await.unwrap();
    assert!(client.is_closed().await && !server.has_quorum());
    server.server(1).start().await.unwrap();
    assert!(server.has_quorum());
    assert!(client.again(&server).await.create("/a", CreateMode::Persistent).await.is_ok());
}

#[tokio::test]
async fn a_lagging_server_shows_what_is_old_and_turns_away_who_has_seen_more() {
    let server = three().await;
    let (mut fresh, mut stale) = (at(&server, 0).await, at(&server, 1).await);
    fresh.create("/a", CreateMode::Persistent).await.unwrap();
    server.server(1).lag();
    fresh.ask(Request::SetData(set("/a", ANY_VERSION))).await.unwrap();
    assert_eq!(
        (fresh.data("/a").await.unwrap(), stale.data("/a").await.unwrap()),
        ("new".into(), "data".into())
    );
    let seen = ConnectRequest { last_zxid_seen: server.zxid(), ..fresh.resume() };
    assert!(Client::over(server.server(1).connect(), seen.clone()).await.is_none());
    assert!(Client::over(server.server(2).connect(), seen).await.is_some());
    assert!(stale.ping().await.zxid < server.zxid());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_catches_up_tells_all_it_missed_in_order() {
    let server = three().await;
    let (mut fresh, mut stale) = (at(&server, 0).await, at(&server, 1).await);
    stale.add_watch("/a", WatchMode::PersistentRecursive).await;
    server.server(1).lag();
    fresh.create("/a", CreateMode::Persistent).await.unwrap();
    stale.send(&Request::SetData(set("/a", ANY_VERSION))).await;
    stale.send(&exists("/a", false)).await;
    server.wait_until(|server| server.node("/a").is_some_and(|node| node.stat.version == 1)).await;
    fresh.ask(delete("/a")).await.unwrap();
    assert!(is_silent(&mut stale).await, "neither events nor answers come through");
    server.server(1).catch_up();
    let mut told = Vec::new();
    for _ in 0..5 {
        told.push(match stale.packet().await.unwrap() {
            Packet::Event(_, event_type, _) => format!("{event_type:?}"),
            Packet::Reply(header, _) => format!("{:?}", header.err),
        });
    }
    assert_eq!(told, ["NodeCreated", "NodeDataChanged", "Ok", "NodeDeleted", "NoNode"]);
}

/// Returns whether nothing comes for a second of virtual time.
async fn is_silent(client: &mut Client) -> bool {
    tokio::time::timeout(Duration::from_secs(1), client.packet()).await.is_err()
}

#[tokio::test]
async fn a_session_starts_at_a_lagging_server_once_it_has_caught_up() {
    let server = three().await;
    server.server(1).lag();
    let starting = tokio::spawn(Client::over(server.server(1).connect(), connect_request(30_000)));
    server.wait_until(|server| server.sessions().len() == 1).await;
    assert!(!starting.is_finished());
    server.server(1).catch_up();
    assert!(starting.await.unwrap().unwrap().ping().await.err.is_ok());
}

#[tokio::test]
async fn a_session_ends_at_a_lagging_server_with_its_answer() {
    let server = three().await;
    let mut client = at(&server, 1).await;
    server.server(1).lag();
    client.send_op(OpCode::CloseSession.code(), |_| ()).await;
    server.wait_until(|server| server.sessions().is_empty()).await;
    server.server(1).catch_up();
    assert!(client.reply().await.0.err.is_ok() && client.is_closed().await);
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_does_not_stop_the_others() {
    let server = three().await;
    let (mut one, mut two) = (at(&server, 0).await, at(&server, 1).await);
    server.server(1).pause();
    two.send(&exists("/", false)).await;
    for _ in 0..4 {
        tokio::time::advance(Duration::from_secs(10)).await;
        one.ping().await;
    }
    assert_eq!(server.sessions().len(), 1, "the session at the silent one has expired");
    server.server(1).resume();
    assert!(two.is_closed().await);
}

#[tokio::test]
async fn a_server_that_missed_too_much_hangs_up() {
    let server = three().await;
    let mut client = at(&server, 1).await;
    server.server(1).lag();
    for number in 0..=100_000 {
        server.set_raw("/a", number.to_string()).unwrap();
    }
    server.server(1).catch_up();
    assert!(client.is_closed().await);
    let mut again = Client::over(server.server(1).connect(), client.resume()).await.unwrap();
    assert_eq!(again.data("/a").await.unwrap(), "100000");
}
