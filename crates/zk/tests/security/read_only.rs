//! Servers without a quorum, and the way back to one with it.

use quorate_zk::{ClientOptions, ClientState};
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
