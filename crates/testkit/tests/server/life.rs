//! Servers and ensembles that start, stop, pause and come back.

use std::time::Duration;

use quorate_testkit::{Direction, Link, ServerOptions, ZooKeeper, four_letter, zk_cli};
use tokio::time::timeout;

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_started_server_serves_at_its_address() {
    let server = ZooKeeper::start().await;
    assert_eq!(server.four_letter("ruok").await.unwrap(), "imok");
    assert!(four_letter(server.addr(), "srvr").await.unwrap().contains("Mode: standalone"));
    assert_eq!(server.connect_string(), server.addr().to_string());
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn options_reach_the_server() {
    let options =
        ServerOptions::default().tick(Duration::from_millis(500)).config_line("maxSessionTimeout=7000");
    let server = ZooKeeper::start_with(&options).await;
    let conf = server.four_letter("conf").await.unwrap();
    for line in ["tickTime=500", "minSessionTimeout=1000", "maxSessionTimeout=7000", "maxClientCnxns=0"] {
        assert!(conf.lines().any(|l| l == line), "{line} is not in {conf}");
    }
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn zookeepers_own_client_writes_and_reads() {
    let server = ZooKeeper::start().await;
    assert!(zk_cli(server.addr(), &["create", "/a", "hello there"]).await.success);

    let read = zk_cli(server.addr(), &["get", "/a"]).await;
    assert_eq!(read.lines, ["hello there"]);

    let absent = zk_cli(server.addr(), &["get", "/b"]).await;
    assert!(!absent.success);
    assert!(absent.errors.contains("Node does not exist: /b"), "{absent:?}");
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn containers_and_ttl_nodes_are_enabled() {
    let server = ZooKeeper::start().await;
    assert!(zk_cli(server.addr(), &["create", "-c", "/container"]).await.success);
    let ttl = zk_cli(server.addr(), &["create", "-t", "60000", "/ttl"]).await;
    assert!(ttl.success, "{ttl:?}");
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn data_survives_a_kill_and_the_address_stays() {
    let mut server = ZooKeeper::start().await;
    let addr = server.addr();
    assert!(zk_cli(addr, &["create", "/kept", "1"]).await.success);

    server.stop().await;
    assert!(four_letter(addr, "ruok").await.is_err());

    server.restart().await;
    assert_eq!(server.addr(), addr);
    assert_eq!(zk_cli(addr, &["get", "/kept"]).await.lines, ["1"]);
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_paused_server_answers_once_it_is_resumed() {
    let server = ZooKeeper::start().await;
    server.pause();
    let mut answer = std::pin::pin!(server.four_letter("ruok"));
    assert!(timeout(Duration::from_millis(300), &mut answer).await.is_err());
    server.resume();
    assert_eq!(answer.await.unwrap(), "imok");
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_dropped_server_is_gone() {
    let server = ZooKeeper::start().await;
    let addr = server.addr();
    let mut paused = tokio::net::TcpStream::connect(addr).await.unwrap();
    server.pause();
    drop(server);
    // The kernel closes the connection of a process that ended, and only then.
    let mut end = [0; 1];
    let read = tokio::io::AsyncReadExt::read(&mut paused, &mut end);
    assert!(matches!(timeout(Duration::from_secs(10), read).await, Ok(Ok(0) | Err(_))));
    assert!(four_letter(addr, "ruok").await.is_err());
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn servers_run_side_by_side() {
    let (one, two) = tokio::join!(ZooKeeper::start(), ZooKeeper::start());
    assert_ne!(one.addr(), two.addr());
    assert!(zk_cli(one.addr(), &["create", "/only-here"]).await.success);
    assert!(!zk_cli(two.addr(), &["get", "/only-here"]).await.success);
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn an_ensemble_elects_again_when_its_leader_dies() {
    let mut ensemble = ZooKeeper::ensemble(3).await;
    assert!(zk_cli(ensemble.addrs()[0], &["create", "/shared", "1"]).await.success);
    let leader = ensemble.leader().await.expect("an ensemble that serves has a leader");

    ensemble.member_mut(leader).stop().await;
    // The others serve as before until they notice; each look is a round trip to all of them.
    let elected = async { while ensemble.leader().await.is_none() {} };
    timeout(Duration::from_secs(60), elected).await.expect("two of three elect a leader");
    let other = (leader + 1) % 3;
    ensemble.member_mut(other).wait_serving().await;
    let read = zk_cli(ensemble.addrs()[other], &["get", "/shared"]).await;
    assert_eq!(read.lines, ["1"]);
    assert_ne!(ensemble.leader().await, Some(leader));

    ensemble.member_mut(leader).restart().await;
    assert_eq!(zk_cli(ensemble.addrs()[leader], &["get", "/shared"]).await.lines, ["1"]);
    assert_eq!(ensemble.connect_string().split(',').count(), 3);
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_link_sees_the_frames_of_a_real_session() {
    let server = ZooKeeper::start().await;
    let link = Link::to(server.addr()).await.unwrap();
    assert!(zk_cli(link.addr(), &["create", "/through", "x"]).await.success);

    // The connect request and the create, each answered. This client leaves without closing its session.
    assert_eq!(link.traffic(Direction::ToServer).frames, 2);
    assert_eq!(link.traffic(Direction::ToClient).frames, 2);
    assert_eq!((link.round_trips(), link.connections()), (2, 1));
    assert!(link.frames()[2].body.windows(8).any(|bytes| bytes == b"/through"));
}
