//! Servers that ask who their clients are.

use quorate_testkit::{ServerOptions, TestCa, ZkCli, ZooKeeper, zk_cli};

fn with_users() -> ServerOptions {
    ServerOptions::default().sasl_users([("alice", "wonder"), ("bob", "builder")])
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn users_authenticate_by_sasl_and_others_are_anonymous() {
    let server = ZooKeeper::start_with(&with_users()).await;
    let alice = ZkCli::new(server.addr()).sasl("alice", "wonder");
    let created = alice.run(&["create", "/hers", "x", "sasl:alice:cdrwa"]).await;
    assert!(created.success, "{created:?}");
    assert_eq!(alice.run(&["get", "/hers"]).await.lines, ["x"]);
    let bob = ZkCli::new(server.addr()).sasl("bob", "builder");
    assert!(!bob.run(&["get", "/hers"]).await.success);
    assert!(zk_cli(server.addr(), &["create", "/open"]).await.success);
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn who_does_not_authenticate_is_turned_away_where_sasl_is_required() {
    let server = ZooKeeper::start_with(&with_users().require_sasl()).await;
    let alice = ZkCli::new(server.addr()).sasl("alice", "wonder");
    assert!(alice.run(&["create", "/a"]).await.success);
    assert!(!zk_cli(server.addr(), &["create", "/b"]).await.success);
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_server_with_sasl_and_tls_has_both() {
    let ca = TestCa::new();
    let options = with_users().require_sasl().tls(ca.server_files());
    let server = ZooKeeper::start_with(&options).await;
    let cli = ZkCli::new(server.secure_addr()).tls(&ca.issue("client", &[]), &ca);
    assert!(cli.sasl("bob", "builder").run(&["create", "/a"]).await.success);
}
