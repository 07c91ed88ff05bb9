//! Multis: all or nothing, under one zxid.

use quorate_zk_fake::{FakeZooKeeper, ServerVersion};
use quorate_zk_proto::*;

use crate::client::*;

fn check(at: &str, version: i32) -> MultiOp {
    MultiOp::Check(Check { path: path(at), version })
}

#[tokio::test]
async fn a_failed_multi_names_its_culprit_and_leaves_no_trace() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    client.create("/a", CreateMode::Persistent).await.unwrap();
    let before = server.node("/a");
    let results = client
        .multi(vec![
            MultiOp::SetData(set("/a", 0)),
            MultiOp::Create(create("/a/s-", CreateMode::PersistentSequential)),
            check("/a", 7),
            MultiOp::Delete(Delete { path: path("/a"), version: 1 }),
        ])
        .await;
    let codes = [ErrorCode::Ok, ErrorCode::Ok, ErrorCode::BadVersion, ErrorCode::RuntimeInconsistency];
    assert_eq!(results, codes.map(MultiResult::Error));
    assert_eq!((server.node("/a"), server.children("/a").len()), (before, 0));
    let next = client.create("/a/s-", CreateMode::PersistentSequential).await;
    assert_eq!(next, Ok("/a/s-0000000000".into()), "the number was given back too");
}

#[tokio::test]
async fn a_roll_back_brings_deleted_znodes_back_with_their_children() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    server.set_raw("/a/b/c", "deep").unwrap();
    let before = ["/a", "/a/b", "/a/b/c"].map(|at| server.node(at));
    let deletion = |at: &str| MultiOp::Delete(Delete { path: path(at), version: ANY_VERSION });
    let results = client
        .multi(vec![deletion("/a/b/c"), deletion("/a/b"), deletion("/a"), check("/a", ANY_VERSION)])
        .await;
    assert_eq!(MultiResult::first_error(&results), Some((3, ErrorCode::NoNode)));
    assert_eq!(["/a", "/a/b", "/a/b/c"].map(|at| server.node(at)), before);
    assert_eq!((server.children("/a"), server.children("/a/b")), (vec!["b".into()], vec!["c".into()]));
}

#[tokio::test]
async fn an_empty_multi_takes_a_zxid_of_its_own() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    let before = server.zxid();
    let (header, results) = client.ask_for_header(Request::Multi(Multi::default())).await;
    assert_eq!((header.zxid.get(), results), (before.get() + 1, Ok(ReplyBody::Multi(vec![]))));
}

#[tokio::test]
async fn a_failed_multi_has_a_good_header_and_takes_a_zxid() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    let before = server.zxid();
    let failing = Request::Multi(Multi { ops: vec![check("/missing", ANY_VERSION)] });
    let (header, _) = client.ask_for_header(failing).await;
    assert_eq!((header.zxid.get(), header.err), (before.get() + 1, ErrorCode::Ok));
}

#[tokio::test]
async fn create2_in_a_multi_answers_with_a_stat_from_3_9_on() {
    for (version, with_stat) in [(ServerVersion::V3_8, false), (ServerVersion::V3_9, true)] {
        let server = FakeZooKeeper::builder().version(version).start().await.unwrap();
        let mut client = Client::new(&server).await;
        let op = MultiOp::CreateWithStat(create("/a", CreateMode::Persistent));
        let results = client.multi(vec![op]).await;
        let [MultiResult::Created { stat, .. }] = &results[..] else { panic!("{results:?}") };
        assert_eq!(stat.is_some(), with_stat, "{version:?}");
    }
}

#[tokio::test]
async fn all_events_of_a_multi_come_before_its_reply() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    client.add_watch("/", WatchMode::PersistentRecursive).await;
    let ops = ["/a", "/b"].map(|at| MultiOp::Create(create(at, CreateMode::Persistent)));
    client.send(&Request::Multi(Multi { ops: ops.to_vec() })).await;
    for at in ["/a", "/b"] {
        let event = Packet::Event(Zxid::new(-1), EventType::NodeCreated, at.into());
        assert_eq!(client.packet().await, Some(event));
    }
    assert!(matches!(client.packet().await, Some(Packet::Reply(..))));
}
