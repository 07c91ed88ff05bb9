//! Servers that do not know every operation.

use quorate_zk::{
    Acls, CreateError, CreateMode, ErrorCode, GetAllChildrenNumberError, GetEphemeralsError, MultiReadOp,
    MultiReadResult, OpCode, Outcome, ServerVersion, Ttl, WhoAmIError,
};
use quorate_zk_fake::{FakeZooKeeper, ServerVersion as FakeVersion};

use crate::world::{World, create, exists, path, soon};

async fn world(version: FakeVersion) -> World {
    World::of(FakeZooKeeper::builder().version(version)).await
}

fn asked(world: &World, op: OpCode) -> usize {
    world.as_fake().requests().iter().filter(|request| request.op == op).count()
}

#[tokio::test]
async fn a_znode_is_created_on_a_server_that_does_not_tell_its_stat() {
    let world = world(FakeVersion::V3_4).await;
    let client = world.client();
    for text in ["/a", "/b", "/c"] {
        let created = client.create(&path(text), "data", CreateMode::Persistent, Acls::open());
        let created = soon(created).await.unwrap();
        assert_eq!((created.path, created.stat), (path(text), None));
    }
    assert_eq!(asked(&world, OpCode::Create2), 1, "it is asked once");
}

#[tokio::test]
async fn a_server_whose_version_is_told_is_not_asked_for_what_it_does_not_know() {
    let world = world(FakeVersion::V3_4).await;
    let client = world.options().server_version(ServerVersion::V3_4).connect().unwrap();
    create(&client, "/a").await;
    let refused = soon(client.create(&path("/b"), "", CreateMode::Container, Acls::open())).await;
    let error = refused.unwrap_err();
    assert!(matches!(error, CreateError::Unsupported(_)));
    assert_eq!(error.request_error().outcome(), Outcome::NotSent);
    assert_eq!((asked(&world, OpCode::Create2), asked(&world, OpCode::CreateContainer)), (0, 0));
}

#[tokio::test]
async fn what_has_no_older_form_is_asked_once_and_then_refused_here() {
    let world = world(FakeVersion::V3_5).await;
    let client = world.client();
    for outcome in [Outcome::Failed, Outcome::NotSent, Outcome::NotSent] {
        let error = soon(client.get_ephemerals("/")).await.unwrap_err();
        assert!(matches!(error, GetEphemeralsError::Unsupported(_)));
        assert_eq!(error.request_error().outcome(), outcome);
    }
    let count = soon(client.get_all_children_number(&path("/"))).await;
    assert!(matches!(count, Err(GetAllChildrenNumberError::Unsupported(_))), "{count:?}");
    assert!(matches!(soon(client.who_am_i()).await, Err(WhoAmIError::Unsupported(_))));
    create(&client, "/still-works").await;
    assert_eq!(asked(&world, OpCode::GetEphemerals), 1);
}

#[tokio::test]
async fn several_reads_are_made_one_by_one() {
    let world = world(FakeVersion::V3_5).await;
    let client = world.client();
    create(&client, "/node").await;
    for _ in 0..2 {
        let reads = vec![
            MultiReadOp::Children(path("/node")),
            MultiReadOp::Data(path("/missing")),
            MultiReadOp::Data(path("/node")),
        ];
        let results = soon(client.multi_read(reads)).await.unwrap();
        assert_eq!(results[0], MultiReadResult::Children { names: vec![] });
        assert_eq!(results[1], MultiReadResult::Error(ErrorCode::NoNode));
        assert!(matches!(results[2], MultiReadResult::Data { .. }));
    }
    assert_eq!(soon(client.multi_read(vec![])).await, Ok(vec![]));
    assert_eq!(asked(&world, OpCode::MultiRead), 1);
}

#[tokio::test]
async fn a_mode_that_is_switched_off_is_unsupported() {
    let world = World::of(FakeZooKeeper::builder()).await;
    let client = world.client();
    let mode = CreateMode::PersistentWithTtl(Ttl::from_millis(1000).unwrap());
    let refused = soon(client.create(&path("/ttl"), "", mode, Acls::open())).await;
    assert!(matches!(refused, Err(CreateError::Unsupported(_))), "{refused:?}");
    assert!(!exists(&client, "/ttl").await);
}

#[tokio::test]
async fn an_ephemeral_znode_made_in_the_older_form_is_the_sessions() {
    let world = world(FakeVersion::V3_4).await;
    let client = world.client();
    let created = client.create(&path("/mine"), "", CreateMode::Ephemeral, Acls::open());
    soon(created).await.unwrap();
    let stat = soon(client.exists(&path("/mine"))).await.unwrap().unwrap();
    assert_eq!(stat.ephemeral_owner, soon(client.session()).await.unwrap().id());
}
