//! Cuts at every position, and replies that come late or never.

use std::time::Duration;

use quorate_zk_fake::{Direction, FakeZooKeeper};
use quorate_zk_proto::*;
use tokio::time::Instant;

use crate::client::*;

/// A conversation as a client has it, and how far it came: the number of good answers.
async fn converse(server: &FakeZooKeeper) -> usize {
    let Some(mut client) = Client::over(server.connect(), connect_request(30_000)).await else { return 0 };
    let requests = [
        Request::Auth(Auth::new("digest", Secret::new("bob:secret"))),
        Request::Create(create("/a", CreateMode::Persistent)),
        Request::AddWatch(AddWatch { path: path("/a"), mode: WatchMode::Persistent }),
        Request::SetData(set("/a", ANY_VERSION)),
    ];
    let mut answered = 1;
    for request in requests {
        client.send(&request).await;
        loop {
            match client.packet().await {
                None => return answered,
                Some(Packet::Event(..)) => {}
                Some(Packet::Reply(..)) => break,
            }
        }
        answered += 1;
    }
    answered
}

/// Walks through all positions and returns how many there are.
async fn walk(arm: impl Fn(&FakeZooKeeper, u64)) -> u64 {
    for position in 0.. {
        let server = FakeZooKeeper::start().await.unwrap();
        arm(&server, position);
        let answered = converse(&server).await;
        if server.is_cut_armed() {
            assert_eq!(answered, 5);
            return position;
        }
        assert!(answered < 5, "position {position}");
        let applied = server.node("/a").map_or(0, |node| 1 + usize::from(node.stat.version == 1));
        assert!(applied + 1 >= answered.saturating_sub(2), "position {position}: {applied} of {answered}");
    }
    unreachable!("the conversation ends")
}

#[tokio::test]
async fn every_packet_and_byte_of_a_conversation_can_be_the_last() {
    use Direction::{Replies, Requests};
    assert_eq!(walk(|server, count| server.cut_after_packets(Requests, count)).await, 4);
    assert_eq!(walk(|server, count| server.cut_after_packets(Replies, count)).await, 5, "with an event");
    let requests = walk(FakeZooKeeper::cut_after_request_bytes).await;
    let replies = walk(FakeZooKeeper::cut_after_reply_bytes).await;
    let handshake = (4 + 45, 4 + 37);
    let all = walk(|server, count| server.cut_after_link_bytes(Requests, count)).await;
    assert_eq!(all, requests + handshake.0);
    let all = walk(|server, count| server.cut_after_link_bytes(Replies, count)).await;
    assert_eq!(all, replies + handshake.1);
}

#[tokio::test]
async fn a_request_that_is_cut_within_is_not_applied() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    server.cut_after_request_bytes(40);
    client.send(&Request::Create(create("/a", CreateMode::Persistent))).await;
    assert!(client.is_closed().await);
    assert_eq!((server.node("/a"), server.is_cut_armed()), (None, false));
}

#[tokio::test]
async fn a_half_closed_link_still_takes_requests() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    server.half_close_connections();
    assert!(client.is_closed().await, "nothing more comes from there");
    client.send(&Request::Create(create("/a", CreateMode::Persistent))).await;
    server.wait_until(|server| server.node("/a").is_some()).await;
    assert!(server.sessions()[0].connected);
}

#[tokio::test(start_paused = true)]
async fn a_late_reply_holds_up_what_is_behind_it() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    server.delay_next_reply(OpCode::Create, Duration::from_secs(7));
    let started = Instant::now();
    client.send(&Request::Create(create("/a", CreateMode::Persistent))).await;
    server.wait_until(|server| server.node("/a").is_some()).await;
    assert_eq!(started.elapsed(), Duration::ZERO, "it is applied at once");
    client.send(&exists("/a", false)).await;
    assert!(client.reply().await.1.is_ok());
    assert_eq!(started.elapsed().as_secs(), 7);
    assert!(client.reply().await.1.is_ok());
    assert!(client.stat("/a").await.is_ok());
    assert_eq!(started.elapsed().as_secs(), 7, "it happens once");
}

#[tokio::test]
async fn a_reply_can_be_lost_without_its_connection() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    server.lose_next_reply(OpCode::Create);
    client.send(&Request::Create(create("/a", CreateMode::Persistent))).await;
    let (header, _) = client.ask_for_header(Request::Create(create("/a", CreateMode::Persistent))).await;
    assert_eq!((header.xid, header.err), (Xid::new(2), ErrorCode::NodeExists));
}

#[tokio::test]
async fn handshakes_can_end_without_an_answer() {
    let server = FakeZooKeeper::start().await.unwrap();
    server.close_handshakes(2);
    for _ in 0..2 {
        assert!(Client::over(server.connect(), connect_request(30_000)).await.is_none());
    }
    assert!(Client::new(&server).await.ping().await.err.is_ok());
}

#[tokio::test]
async fn a_keeper_that_resumes_nothing_gives_new_sessions() {
    let server = FakeZooKeeper::builder().never_resume_sessions().start().await.unwrap();
    let mut client = Client::new(&server).await;
    client.create("/e", CreateMode::Ephemeral).await.unwrap();
    let again = client.again(&server).await;
    assert_ne!(again.session.session_id, client.session.session_id);
    assert!(again.session.timeout_millis > 0 && server.node("/e").is_some());
    assert_eq!(server.sessions().len(), 2);
}
