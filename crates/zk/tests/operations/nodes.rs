//! Reading, writing and deleting znodes.

use quorate_zk::{DeleteError, ErrorCode, GetDataError, Outcome, SetDataError};

use crate::world::{World, create, exists, path, soon};

claims! {
    what_is_set_is_read,
    data_is_set_at_the_version_expected_only,
    a_failed_check_of_a_version_says_what_was_expected,
    a_missing_znode_has_no_data_and_no_stat,
    a_znode_is_deleted_at_the_version_expected_only,
    a_znode_with_children_is_not_deleted,
    a_version_starts_again_when_a_znode_is_created_again,
    an_empty_multi_brings_what_others_wrote,
    sync_tells_how_far_the_server_is,
}

async fn what_is_set_is_read(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    let stat = soon(client.set_data(&path("/node"), "two", None)).await.unwrap();
    let read = soon(client.get_data(&path("/node"))).await.unwrap();
    assert_eq!((read.data.as_deref(), read.stat), (Some(&b"two"[..]), stat));
    assert_eq!(soon(client.exists(&path("/node"))).await, Ok(Some(stat)));
    assert!(read.zxid >= stat.mzxid);
}

async fn data_is_set_at_the_version_expected_only(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    for version in 0..3 {
        let stat = soon(client.set_data(&path("/node"), version.to_string(), version)).await.unwrap();
        assert_eq!(stat.version, version + 1);
    }
    let stale = soon(client.set_data(&path("/node"), "stale", 1)).await;
    assert!(matches!(stale, Err(SetDataError::BadVersion { .. })), "{stale:?}");
    let read = soon(client.get_data(&path("/node"))).await.unwrap();
    assert_eq!(read.data.as_deref(), Some(&b"2"[..]));
}

async fn a_failed_check_of_a_version_says_what_was_expected(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    let error = soon(client.set_data(&path("/node"), "", 7)).await.unwrap_err();
    assert_eq!(error.to_string(), "znode does not have version 7");
    let SetDataError::BadVersion { expected: 7, source } = error else { panic!("{error:?}") };
    assert_eq!((source.code(), source.outcome()), (Some(ErrorCode::BadVersion), Outcome::Failed));
    assert_eq!(source.path(), Some(&path("/node")));
}

async fn a_missing_znode_has_no_data_and_no_stat(world: World) {
    let client = world.client();
    let missing = path("/missing");
    assert_eq!(soon(client.exists(&missing)).await, Ok(None));
    assert!(matches!(soon(client.get_data(&missing)).await, Err(GetDataError::NoNode(_))));
    assert!(matches!(soon(client.set_data(&missing, "", None)).await, Err(SetDataError::NoNode(_))));
    assert!(matches!(soon(client.delete(&missing, None)).await, Err(DeleteError::NoNode(_))));
}

async fn a_znode_is_deleted_at_the_version_expected_only(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    let stale = soon(client.delete(&path("/node"), 1)).await;
    assert!(matches!(stale, Err(DeleteError::BadVersion { expected: 1, .. })), "{stale:?}");
    let zxid = soon(client.delete(&path("/node"), 0)).await.unwrap();
    assert!(!exists(&client, "/node").await);
    assert!(soon(client.sync(&path("/"))).await.unwrap() >= zxid);
}

async fn a_znode_with_children_is_not_deleted(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    create(&client, "/node/child").await;
    let refused = soon(client.delete(&path("/node"), None)).await;
    assert!(matches!(refused, Err(DeleteError::NotEmpty(_))), "{refused:?}");
}

async fn a_version_starts_again_when_a_znode_is_created_again(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    let old = soon(client.set_data(&path("/node"), "", 0)).await.unwrap();
    soon(client.delete(&path("/node"), 1)).await.unwrap();
    create(&client, "/node").await;
    let new = soon(client.exists(&path("/node"))).await.unwrap().unwrap();
    assert_eq!(new.version, 0);
    assert!(new.czxid > old.mzxid);
}

/// At a follower `sync` would do. At the leader it is an ordinary read, and the leader may have told its followers to
/// commit what it has yet to apply itself; so this asks the quorum.
async fn an_empty_multi_brings_what_others_wrote(world: World) {
    let (writer, reader) = (world.client(), world.client());
    create(&writer, "/node").await;
    for version in 0..20 {
        let stat = soon(writer.set_data(&path("/node"), "", version)).await.unwrap();
        let barrier = reader.multi().run();
        let read = reader.get_data(&path("/node"));
        soon(barrier).await.unwrap();
        assert!(soon(read).await.unwrap().stat.mzxid >= stat.mzxid);
    }
}

async fn sync_tells_how_far_the_server_is(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    for version in 0..20 {
        let stat = soon(client.set_data(&path("/node"), "", version)).await.unwrap();
        assert!(soon(client.sync(&path("/node"))).await.unwrap() >= stat.mzxid);
    }
}
