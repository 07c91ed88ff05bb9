//! Ensembles that can be changed, and members that have lost theirs.

use std::time::Duration;

use quorate_testkit::{Ensemble, ServerOptions, ZooKeeper, zk_cli};

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn the_configuration_names_the_members_and_where_they_serve() {
    let ensemble = ZooKeeper::ensemble(3).await;
    let config = zk_cli(ensemble.addrs()[0], &["config"]).await;
    for member in ensemble.members() {
        assert!(config.lines.contains(&member.server_line()), "{config:?}");
    }
}

/// An ensemble that anybody may change, since this command line cannot authenticate in the same breath. With it the
/// indexes of its leader and of a follower, without which the leader stays.
async fn changeable() -> (Ensemble, usize, usize) {
    let options = ServerOptions::default().reconfig_enabled().config_line("skipACL=yes");
    let ensemble = Ensemble::start_with(3, &options).await;
    let leader = ensemble.leader().await.expect("an ensemble that serves has a leader");
    (ensemble, leader, (leader + 1) % 3)
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_member_leaves_and_joins_again_where_that_is_enabled() {
    let (ensemble, leader, follower) = changeable().await;
    let (addr, line) = (ensemble.addrs()[leader], ensemble.members()[follower].server_line());
    let left = zk_cli(addr, &["reconfig", "-remove", &(follower + 1).to_string()]).await;
    assert!(left.success && !left.lines.contains(&line), "{left:?}");
    let joined = zk_cli(addr, &["reconfig", "-add", &line]).await;
    assert!(joined.success && joined.lines.contains(&line), "{joined:?}");
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_member_restarts_after_a_reconfiguration() {
    let (mut ensemble, leader, follower) = changeable().await;
    let addr = ensemble.addrs()[leader];
    assert!(zk_cli(addr, &["reconfig", "-remove", &(follower + 1).to_string()]).await.success);
    ensemble.member_mut(leader).restart().await;
    let config = zk_cli(addr, &["config"]).await;
    assert!(config.lines.contains(&ensemble.members()[leader].server_line()), "{config:?}");
    assert!(!config.lines.contains(&ensemble.members()[follower].server_line()), "{config:?}");
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn reconfiguration_is_refused_where_it_is_not_enabled() {
    let ensemble = ZooKeeper::ensemble(3).await;
    let refused = zk_cli(ensemble.addrs()[0], &["reconfig", "-remove", "1"]).await;
    assert!(!refused.success && refused.errors.contains("Reconfig is disabled"), "{refused:?}");
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_server_on_its_own_can_be_an_ensemble_of_one() {
    let mut server = ZooKeeper::start_with(&ServerOptions::default().reconfig_enabled()).await;
    let config = zk_cli(server.addr(), &["config"]).await;
    assert!(config.lines.contains(&server.server_line()), "{config:?}");
    server.restart().await;
    assert!(zk_cli(server.addr(), &["create", "/a"]).await.success);
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_member_without_a_quorum_turns_read_only_and_back() {
    let options = ServerOptions::default().tick(Duration::from_millis(500)).read_only_mode();
    let mut ensemble = Ensemble::start_with(3, &options).await;
    ensemble.member_mut(0).stop().await;
    ensemble.member_mut(1).stop().await;
    ensemble.member_mut(2).wait_read_only().await;
    assert_eq!(ensemble.members()[2].four_letter("isro").await.unwrap(), "ro");
    ensemble.launch(0);
    ensemble.member_mut(2).wait_serving().await;
    assert_eq!(ensemble.members()[2].four_letter("isro").await.unwrap(), "rw");
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_server_behind_netty_serves() {
    let server = ZooKeeper::start_with(&ServerOptions::default().netty()).await;
    assert!(zk_cli(server.addr(), &["create", "/a", "1"]).await.success);
    assert_eq!(zk_cli(server.addr(), &["get", "/a"]).await.lines, ["1"]);
}
