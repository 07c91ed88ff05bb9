//! Following the ensemble's own configuration.

use std::time::Duration;

use quorate_zk::{ClientOptions, ClientState, Reconfig, Request, Secret, Watched};
use quorate_zk_fake::FakeZooKeeper;

use crate::world::{create, path, soon, until};

fn options(hosts: &str) -> ClientOptions {
    ClientOptions::new([hosts]).session_timeout(Duration::from_secs(2))
}

async fn ensemble() -> FakeZooKeeper {
    let tick = Duration::from_millis(200);
    let builder = FakeZooKeeper::builder().tick(tick).servers(3).reconfig_enabled();
    builder.super_user("super", "secret").start().await.unwrap()
}

#[tokio::test]
async fn a_client_that_knows_one_server_goes_on_at_the_others() {
    let fake = ensemble().await;
    let client = options(&fake.server(0).addr().to_string()).follow_ensemble().connect().unwrap();
    create(&client, "/node").await;
    let session = soon(client.session()).await.unwrap();
    for number in [0, 1] {
        fake.server(number).stop().await.unwrap();
        let addr = fake.server(number).addr();
        let elsewhere = |state: &ClientState| match state {
            ClientState::Connected { server, .. } => *server != addr,
            _ => false,
        };
        until(&client, elsewhere).await;
        assert!(soon(client.exists(&path("/node"))).await.unwrap().is_some());
        fake.server(number).start().await.unwrap();
    }
    assert!(!session.has_expired());
}

#[tokio::test]
async fn a_change_of_the_configuration_is_followed_without_a_reconnect() {
    let fake = ensemble().await;
    let first = fake.server(0).addr().to_string();
    let client = options(&first).follow_ensemble().connect().unwrap();
    create(&client, "/node").await;
    // The configuration has been read once a later request is answered.
    let super_user = options(&first).digest_auth("super", Secret::new("secret")).connect().unwrap();
    let leaving =
        Reconfig { joining: None, leaving: Some("3".to_owned()), new_members: None, from_config: -1 };
    soon(super_user.request(Request::Reconfig(leaving))).await.unwrap();
    soon(client.sync(&path("/"))).await.unwrap();
    soon(client.sync(&path("/"))).await.unwrap();
    fake.server(0).stop().await.unwrap();
    let second = fake.server(1).addr();
    let at_the_second =
        |state: &ClientState| matches!(state, ClientState::Connected { server, .. } if *server == second);
    until(&client, at_the_second).await;
}

#[tokio::test]
async fn a_watch_tells_of_a_changed_configuration_whatever_the_chroot() {
    let fake = ensemble().await;
    let first = fake.server(0).addr().to_string();
    let super_user = options(&first).digest_auth("super", Secret::new("secret")).connect().unwrap();
    let below = options(&first).chroot(path("/app")).connect().unwrap();
    let (before, watcher) = soon(below.with_watcher().get_config()).await.unwrap();
    assert_eq!(before.config.unwrap().members.len(), 3);
    let leaving =
        Reconfig { joining: None, leaving: Some("3".to_owned()), new_members: None, from_config: -1 };
    let after = soon(super_user.reconfig(leaving)).await.unwrap();
    assert_eq!(after.config.unwrap().members.len(), 2);
    match soon(watcher).await {
        Some(Watched::Event(event)) => assert_eq!(event.path.as_str(), "/zookeeper/config"),
        other => panic!("an event was expected, not {other:?}"),
    }
}
