//! Finding a server, also when most are not there.

use std::time::Duration;

use quorate_testkit::{Link, ServerOptions, ZooKeeper};
use quorate_zk::{
    Client, ClientOptions, ClientState, ConfigError, DisconnectReason, ErrorCode, WatchMode, Watched,
};
use quorate_zk_fake::{FakeZooKeeper, ServerVersion};

use crate::world::{World, create, next, path, soon, until};

#[tokio::test]
async fn a_client_needs_hosts_that_can_be_read() {
    assert_eq!(ClientOptions::new(Vec::<String>::new()).connect().unwrap_err(), ConfigError::NoHosts);
    let invalid = ClientOptions::new(["h1:port"]).connect().unwrap_err();
    assert_eq!(invalid, ConfigError::InvalidHost { host: "h1:port".to_owned() });
}

#[test]
fn a_client_needs_a_runtime() {
    assert_eq!(ClientOptions::new(["h1"]).connect().unwrap_err(), ConfigError::NoRuntime);
}

#[tokio::test]
async fn the_one_host_that_serves_is_found() {
    let world = World::fake().await;
    let refusing = Link::to(world.addr()).await.unwrap();
    refusing.refuse();
    let (dead, live) = ("127.0.0.1:1".to_owned(), world.link.connect_string());
    for _ in 0..5 {
        let hosts = [dead.clone(), refusing.connect_string(), "nowhere.invalid".to_owned(), live.clone()];
        let client = ClientOptions::new(hosts).connect().unwrap();
        soon(client.session()).await.unwrap();
        let server = match &*client.state().borrow() {
            ClientState::Connected { server, .. } => *server,
            other => panic!("{other}"),
        };
        assert_eq!(server, world.link.addr());
    }
}

#[tokio::test]
async fn a_client_out_of_reach_says_why_and_goes_on_trying() {
    let world = World::fake().await;
    let fake = FakeZooKeeper::start().await.unwrap();
    fake.stop_listening().await.unwrap();
    let client = ClientOptions::new([fake.connect_string()]).connect().unwrap();
    let state = until(&client, |state| matches!(state, ClientState::Disconnected { .. })).await;
    let ClientState::Disconnected { reason: DisconnectReason::Unreachable { detail }, .. } = state else {
        panic!("{state}");
    };
    assert!(detail.starts_with(&fake.connect_string()), "{detail}");
    fake.listen_again().await.unwrap();
    soon(client.session()).await.unwrap();
    drop(world);
}

#[tokio::test]
async fn a_session_timeout_beyond_all_measure_breaks_nothing() {
    let world = World::fake().await;
    let client = world.options().session_timeout(Duration::MAX).connect().unwrap();
    create(&client, "/node").await;
    world.as_fake().close_handshakes(2);
    world.as_fake().drop_connections();
    while let Err(error) = soon(client.exists(&path("/node"))).await {
        assert!(error.request_error().is_retryable(), "{error}");
    }
}

#[tokio::test]
async fn a_session_moves_to_another_host() {
    let world = World::fake().await;
    let other = Link::to(world.addr()).await.unwrap();
    let client = ClientOptions::new([world.link.connect_string(), other.connect_string()]).connect().unwrap();
    let token = soon(client.session()).await.unwrap();
    for (away, back) in [(&world.link, &other), (&other, &world.link)] {
        away.refuse();
        let is_there = |state: &ClientState| matches!(state, ClientState::Connected { server, .. } if *server == back.addr());
        until(&client, is_there).await;
        away.accept();
    }
    assert!(!token.has_expired());
}

#[tokio::test]
async fn a_wiped_ensemble_is_accepted_in_the_end_and_said_to_be_another() {
    let fake = FakeZooKeeper::builder().tick(Duration::from_millis(50)).start().await.unwrap();
    let options = ClientOptions::new([fake.connect_string()]).session_timeout(Duration::from_millis(300));
    let client: Client = options.connect().unwrap();
    create(&client, "/node").await;
    let mut watcher = soon(client.add_watch(&path("/node"), WatchMode::Persistent)).await.unwrap();
    fake.wipe();
    assert_eq!(next(&mut watcher).await, Watched::Resync);
    assert_eq!(client.state().borrow().history(), 1);
    assert_eq!(soon(client.exists(&path("/node"))).await, Ok(None));
}

#[tokio::test]
async fn a_server_without_persistent_watches_refuses_them_and_is_asked_no_more() {
    let fake = FakeZooKeeper::builder().version(ServerVersion::V3_5).start().await.unwrap();
    let client = ClientOptions::new([fake.connect_string()]).connect().unwrap();
    let error = soon(client.add_watch(&path("/"), WatchMode::Persistent)).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::Unimplemented));
    create(&client, "/node").await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_session_outlives_the_servers_of_an_ensemble_one_by_one() {
    let mut ensemble =
        quorate_testkit::Ensemble::start_with(3, &ServerOptions::default().tick(Duration::from_millis(500)))
            .await;
    let hosts: Vec<_> = ensemble.addrs().iter().map(ToString::to_string).collect();
    let client = ClientOptions::new(hosts).session_timeout(Duration::from_secs(10)).connect().unwrap();
    let token = soon(client.session()).await.unwrap();
    create(&client, "/node").await;
    for index in 0..3 {
        let member: &mut ZooKeeper = ensemble.member_mut(index);
        member.restart().await;
        while soon(client.set_data(&path("/node"), "", None)).await.is_err() {}
    }
    assert!(!token.has_expired());
}
