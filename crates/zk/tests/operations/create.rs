//! Creating znodes of all kinds.

use std::time::Duration;

use quorate_zk::{
    Acls, Client, CreateError, CreateMode, Created, ErrorCode, Operation, Outcome, SessionId, Ttl,
};

use crate::world::{World, create, exists, path, soon};

claims! {
    a_created_znode_has_the_data_and_the_stat_told,
    data_may_be_empty,
    sequential_znodes_get_ascending_numbers,
    an_ephemeral_znode_belongs_to_its_session_and_goes_with_it,
    a_container_and_a_znode_with_a_time_to_live_are_created,
    a_znode_is_created_once,
    a_znode_needs_a_parent_that_can_have_children,
    a_znode_needs_a_valid_access_list,
}

fn creating(client: &Client, text: &str, mode: CreateMode) -> Operation<Created, CreateError> {
    client.create(&path(text), "data", mode, Acls::open())
}

async fn a_created_znode_has_the_data_and_the_stat_told(world: World) {
    let client = world.client();
    let created = soon(creating(&client, "/node", CreateMode::Persistent)).await.unwrap();
    assert_eq!(created.path, path("/node"));
    let stat = created.stat.expect("servers from 3.5 on tell it");
    assert_eq!((stat.czxid, stat.version, stat.data_length), (created.zxid, 0, 4));
    assert_eq!(stat.ephemeral_owner, SessionId::NONE);
    let read = soon(client.get_data(&path("/node"))).await.unwrap();
    assert_eq!((read.data.as_deref(), read.stat), (Some(&b"data"[..]), stat));
}

async fn data_may_be_empty(world: World) {
    let client = world.client();
    create(&client, "/empty").await;
    let read = soon(client.get_data(&path("/empty"))).await.unwrap();
    assert_eq!(read.data.as_deref(), Some(&b""[..]));
}

async fn sequential_znodes_get_ascending_numbers(world: World) {
    let client = world.client();
    let modes = [CreateMode::PersistentSequential, CreateMode::EphemeralSequential];
    create(&client, "/queue").await;
    for number in 0..4 {
        let created = soon(creating(&client, "/queue/n-", modes[number % 2])).await.unwrap();
        assert_eq!(created.path, path(&format!("/queue/n-{number:010}")));
    }
}

async fn an_ephemeral_znode_belongs_to_its_session_and_goes_with_it(world: World) {
    let (client, other) = (world.client(), world.client());
    let created = soon(creating(&client, "/mine", CreateMode::Ephemeral)).await.unwrap();
    let session = soon(client.session()).await.unwrap().id();
    assert_eq!(created.stat.map(|stat| stat.ephemeral_owner), Some(session));
    soon(client.close()).await;
    soon(other.sync(&path("/"))).await.unwrap();
    assert!(!exists(&other, "/mine").await);
}

async fn a_container_and_a_znode_with_a_time_to_live_are_created(world: World) {
    let client = world.client();
    let ttl = Ttl::new(Duration::from_secs(3600)).unwrap();
    for (text, mode) in [
        ("/container", CreateMode::Container),
        ("/ttl", CreateMode::PersistentWithTtl(ttl)),
        ("/ttls-", CreateMode::PersistentSequentialWithTtl(ttl)),
    ] {
        let created = soon(creating(&client, text, mode)).await.unwrap();
        assert!(exists(&client, created.path.as_str()).await, "{text}");
        assert_eq!(created.stat.map(|stat| stat.ephemeral_owner), Some(SessionId::NONE));
    }
}

async fn a_znode_is_created_once(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    let error = soon(creating(&client, "/node", CreateMode::Persistent)).await.unwrap_err();
    assert!(matches!(error, CreateError::NodeExists(_)));
    let error = error.request_error();
    assert_eq!((error.code(), error.outcome()), (Some(ErrorCode::NodeExists), Outcome::Failed));
    assert_eq!(error.path(), Some(&path("/node")));
}

async fn a_znode_needs_a_parent_that_can_have_children(world: World) {
    let client = world.client();
    let orphan = soon(creating(&client, "/a/b", CreateMode::Persistent)).await;
    assert!(matches!(orphan, Err(CreateError::NoParent(_))), "{orphan:?}");
    soon(creating(&client, "/a", CreateMode::Ephemeral)).await.unwrap();
    let child = soon(creating(&client, "/a/b", CreateMode::Persistent)).await;
    assert!(matches!(child, Err(CreateError::NoChildrenForEphemerals(_))), "{child:?}");
}

async fn a_znode_needs_a_valid_access_list(world: World) {
    let client = world.client();
    for acls in [Acls::from(vec![]), Acls::creator_all()] {
        let refused = soon(client.create(&path("/node"), "", CreateMode::Persistent, acls)).await;
        assert!(matches!(refused, Err(CreateError::InvalidAcl(_))), "{refused:?}");
    }
}
