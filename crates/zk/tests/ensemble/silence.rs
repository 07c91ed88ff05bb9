//! A server that says nothing any more, without closing its connections.

use std::time::{Duration, Instant};

use quorate_testkit::Ensemble;
use quorate_zk::{Client, ClientState, CreateMode};

use crate::world::{client, create, ensemble, soon, value};

/// After two thirds of it a silent server is given up.
const SESSION: Duration = Duration::from_secs(6);
const SILENT_MAX: Duration = Duration::from_secs(4);

/// To find another server, on a busy machine. Less than the third of a session that a silent one takes.
const SLACK: Duration = Duration::from_secs(1);

async fn server_of(client: &Client) -> std::net::SocketAddr {
    let mut state = client.state();
    let connected = soon(state.wait_for(ClientState::is_connected)).await.unwrap();
    match &*connected {
        ClientState::Connected { server, .. } => *server,
        other => panic!("it is connected, not {other:?}"),
    }
}

/// A client whose server is a follower, which the ensemble can do without.
async fn client_of_a_follower(ensemble: &Ensemble) -> (Client, usize) {
    let leader = ensemble.leader().await.expect("an ensemble that serves has a leader");
    loop {
        let client = client(&ensemble.connect_string(), SESSION);
        let server = server_of(&client).await;
        let index = ensemble.addrs().iter().position(|addr| *addr == server).expect("it is one of them");
        if index != leader {
            return (client, index);
        }
        client.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a ZooKeeper server"]
async fn reads_move_on_from_a_silent_server_within_two_thirds_of_the_session_timeout() {
    let ensemble = ensemble().await;
    let (client, index) = client_of_a_follower(&ensemble).await;
    soon(client.request(create("/read", "x", CreateMode::Persistent))).await.unwrap();
    let session = soon(client.session()).await.unwrap();

    ensemble.members()[index].pause();
    let silent = Instant::now();
    assert_eq!(value(&client, "/read").await, (0, "x".to_owned()));
    let moved = silent.elapsed();

    assert!(moved <= SILENT_MAX + SLACK, "{moved:?}");
    assert_ne!(server_of(&client).await, ensemble.addrs()[index]);
    assert!(!session.has_expired());
    ensemble.members()[index].resume();
    client.close().await;
}
