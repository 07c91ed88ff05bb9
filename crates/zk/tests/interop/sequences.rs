//! Numbers that both take from one parent.

use quorate_testkit::json;
use quorate_zk::CreateMode;

use crate::world::{World, path, soon};

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn both_count_on_one_parent() {
    let mut world = World::start().await;
    world.create("/counted", None, CreateMode::Persistent).await;
    let sequential = [CreateMode::PersistentSequential, CreateMode::EphemeralSequential];
    for (round, mode) in sequential.into_iter().cycle().take(6).enumerate() {
        let ours = world.create("/counted/n-", None, mode).await;
        assert_eq!(ours, format!("/counted/n-{:010}", 2 * round));
        let arguments = json!({ "path": "/counted/m-", "sequence": true, "ephemeral": round % 2 == 0 });
        let theirs = world.kazoo("create", arguments).await;
        assert_eq!(theirs, format!("/counted/m-{:010}", 2 * round + 1));
    }
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_name_that_is_a_number_alone_is_read() {
    let mut world = World::start().await;
    world.create("/numbers", None, CreateMode::Persistent).await;
    let theirs = world.kazoo("create", json!({ "path": "/numbers/", "sequence": true })).await;
    assert_eq!(theirs, "/numbers/0000000000");
    let listed = soon(world.ours.get_children(&path("/numbers"))).await.unwrap();
    assert_eq!(listed.names, ["0000000000"]);
    world.end().await;
}
