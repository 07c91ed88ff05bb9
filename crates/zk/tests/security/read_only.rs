//! Ensembles and servers that lost their quorum, and the way back to one with it.

use std::time::Duration;

use quorate_testkit::{Ensemble, ServerOptions, ZooKeeper};
use quorate_zk::{Acl, ClientOptions, ClientState, CreateMode, EnsembleConfig};
use quorate_zk_fake::FakeZooKeeper;

use crate::{
    script::{Part, Script},
    support::{path, soon, until},
};

#[tokio::test]
async fn a_client_moves_to_a_server_that_writes() {
    let reads = Script::start(Part::ReadOnly).await;
    let writes = FakeZooKeeper::start().await.unwrap();
    writes.stop_listening().await.unwrap();
    let hosts = [reads.connect_string(), writes.connect_string()];
    let client = ClientOptions::new(hosts).in_order().read_only_allowed().connect().unwrap();
    let state = until(&client, ClientState::is_connected).await;
    let ClientState::Connected { read_only: true, server, .. } = state else { panic!("{state}") };
    assert_eq!(server, reads.addr());
    writes.listen_again().await.unwrap();
    let is_moved = |state: &ClientState| matches!(state, ClientState::Connected { read_only: false, server, .. } if *server == writes.addr());
    until(&client, is_moved).await;
    soon(client.exists(&path("/"))).await.unwrap();
    assert_eq!(writes.sessions().len(), 1);
}

#[tokio::test]
async fn a_client_that_wants_to_write_waits_for_a_server_that_does() {
    let writes = FakeZooKeeper::start().await.unwrap();
    let client = ClientOptions::new([writes.connect_string()]).read_only_allowed().connect().unwrap();
    let state = until(&client, ClientState::is_connected).await;
    assert!(matches!(state, ClientState::Connected { read_only: false, .. }), "{state}");
}

/// Members that go on reading without a quorum. From 3.7 on they take only sessions of their own for that
/// (ZOOKEEPER-3864).
async fn forgiving() -> Ensemble {
    let options = ServerOptions::default().tick(Duration::from_millis(500)).read_only_mode();
    Ensemble::start_with(3, &options.config_line("localSessionsEnabled=true")).await
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_client_reads_where_there_is_no_quorum() {
    let mut ensemble = forgiving().await;
    ensemble.member_mut(0).stop().await;
    ensemble.member_mut(1).stop().await;
    ensemble.member_mut(2).wait_read_only().await;
    let client = ClientOptions::new([ensemble.addrs()[2].to_string()]).read_only_allowed().connect().unwrap();
    let state = until(&client, ClientState::is_connected).await;
    assert!(matches!(state, ClientState::Connected { read_only: true, .. }), "{state}");
    soon(client.exists(&path("/zookeeper"))).await.unwrap().unwrap();
    let write = soon(client.create(&path("/a"), "", CreateMode::Persistent, vec![Acl::open()])).await;
    let refused = write.unwrap_err();
    assert!(refused.to_string().contains("read"), "{refused}");
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_client_stays_with_an_ensemble_that_loses_its_quorum_and_finds_it_again() {
    let mut ensemble = forgiving().await;
    let hosts: Vec<_> = ensemble.addrs().iter().map(ToString::to_string).collect();
    let client = ClientOptions::new(hosts).read_only_allowed().connect().unwrap();
    until(&client, |state| matches!(state, ClientState::Connected { read_only: false, .. })).await;
    ensemble.member_mut(0).stop().await;
    ensemble.member_mut(1).stop().await;
    until(&client, |state| matches!(state, ClientState::Connected { read_only: true, .. })).await;
    ensemble.launch(0);
    ensemble.launch(1);
    until(&client, |state| matches!(state, ClientState::Connected { read_only: false, .. })).await;
    soon(client.create(&path("/a"), "", CreateMode::Persistent, vec![Acl::open()])).await.unwrap();
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn an_ensemble_says_where_its_members_are() {
    let ensemble = ZooKeeper::ensemble(3).await;
    let mut addrs: Vec<_> = ensemble.addrs().iter().map(ToString::to_string).collect();
    let client = ClientOptions::new([addrs[0].clone()]).connect().unwrap();
    let data = soon(client.get_data(&path("/zookeeper/config"))).await.unwrap().data.unwrap();
    let config = EnsembleConfig::parse(&data).unwrap();
    assert_eq!(config.members.iter().map(|member| member.id).collect::<Vec<_>>(), [1, 2, 3]);
    let mut hosts: Vec<_> = config.connect_hosts().collect();
    assert!(hosts.iter().all(|host| addrs.contains(host)), "{hosts:?} in {addrs:?}: {data:?}");
    hosts.sort();
    addrs.sort();
    assert_eq!(hosts, addrs);
}
