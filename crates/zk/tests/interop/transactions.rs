//! Several operations that happen together or not at all.

use quorate_testkit::{Value, json};
use quorate_zk::{
    Acl, Check, Create, CreateMode, Delete, ErrorCode, EventType, Multi, MultiOp, MultiResult, ReplyBody,
    Request, SetData, WatchMode,
};

use crate::world::{World, next_event, path, soon};

fn create(place: &str) -> MultiOp {
    let (path, acl) = (path(place), vec![Acl::open()]);
    MultiOp::Create(Create { path, data: Some("new".into()), acl, mode: CreateMode::Persistent })
}

fn set(place: &str, version: i32) -> MultiOp {
    MultiOp::SetData(SetData { path: path(place), data: Some("set".into()), version })
}

fn check(place: &str, version: i32) -> MultiOp {
    MultiOp::Check(Check { path: path(place), version })
}

impl World {
    async fn multi(&self, ops: Vec<MultiOp>) -> Vec<MultiResult> {
        match self.request(Request::Multi(Multi { ops })).await.unwrap().body {
            ReplyBody::Multi(results) => results,
            other => panic!("results were expected, not {other:?}"),
        }
    }

    /// The names of what kazoo's transaction raised, one for each operation.
    async fn kazoo_multi(&mut self, ops: Value) -> Value {
        self.kazoo("transaction", json!({ "ops": ops })).await
    }
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn kazoo_sees_all_of_our_transaction() {
    let mut world = World::start().await;
    world.create("/all", None, CreateMode::Persistent).await;
    world.create("/all/old", None, CreateMode::Persistent).await;
    world.kazoo("watch_children", json!({ "path": "/all" })).await;
    assert_eq!(world.kazoo.event().await["children"], json!(["old"]));
    let delete = MultiOp::Delete(Delete { path: path("/all/old"), version: 0 });
    let ops = vec![check("/all", 0), create("/all/a"), create("/all/b"), delete, set("/all", 0)];
    let results = world.multi(ops).await;
    assert_eq!(MultiResult::first_error(&results), None);
    // Never one without the other.
    assert_eq!(world.kazoo.event().await["children"], json!(["a", "b"]));
    assert_eq!(world.kazoo("get", json!({ "path": "/all" })).await[0], "set");
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn we_see_all_of_kazoos_transaction_in_its_order() {
    let mut world = World::start().await;
    let base = path("/theirs");
    let mut watcher = soon(world.ours.add_watch(&base, WatchMode::PersistentRecursive)).await.unwrap();
    let results = world
        .kazoo_multi(json!([
            { "call": "create", "args": { "path": "/theirs" } },
            { "call": "create", "args": { "path": "/theirs/a", "value": "x" } },
            { "call": "set_data", "args": { "path": "/theirs", "value": "y" } },
        ]))
        .await;
    assert_eq!((&results[0], &results[1]), (&json!("/theirs"), &json!("/theirs/a")));
    assert_eq!(next_event(&mut watcher).await, (EventType::NodeCreated, "/theirs".to_owned()));
    assert_eq!(next_event(&mut watcher).await, (EventType::NodeCreated, "/theirs/a".to_owned()));
    assert_eq!(next_event(&mut watcher).await, (EventType::NodeDataChanged, "/theirs".to_owned()));
    let (outer, inner) = (world.ours.get_data(&base), world.ours.get_data(&path("/theirs/a")));
    let (outer, inner) = (soon(outer).await.unwrap(), soon(inner).await.unwrap());
    assert_eq!(outer.stat.czxid, inner.stat.czxid);
    assert_eq!(outer.stat.mzxid, inner.stat.czxid);
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_transaction_that_fails_fails_alike_for_both() {
    let mut world = World::start().await;
    world.create("/none", None, CreateMode::Persistent).await;
    let results = world.multi(vec![create("/none/a"), check("/none", 7), set("/none", 0)]).await;
    let codes = [ErrorCode::Ok, ErrorCode::BadVersion, ErrorCode::RuntimeInconsistency];
    assert_eq!(results, codes.map(MultiResult::Error));
    let theirs = world
        .kazoo_multi(json!([
            { "call": "create", "args": { "path": "/none/a" } },
            { "call": "check", "args": { "path": "/none", "version": 7 } },
            { "call": "set_data", "args": { "path": "/none", "value": "x" } },
        ]))
        .await;
    let names = ["RolledBackError", "BadVersionError", "RuntimeInconsistency"];
    assert_eq!(theirs, json!(names.map(|name| json!({ "error": name }))));
    assert_eq!(world.kazoo("get_children", json!({ "path": "/none" })).await, json!([]));
    world.end().await;
}
