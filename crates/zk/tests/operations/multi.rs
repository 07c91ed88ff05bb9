//! Several operations that happen together or not at all.

use quorate_zk::{Acls, CreateMode, ErrorCode, MultiError, MultiFate, MultiItem, MultiResult};

use crate::world::{World, create, exists, path, soon};

claims! {
    each_operation_of_a_multi_tells_what_it_did,
    a_failed_multi_tells_what_became_of_each_operation,
    operations_of_a_multi_see_those_before_them,
    a_multi_may_be_empty,
    the_first_operation_that_fails_is_the_culprit,
    a_multi_creates_znodes_of_all_kinds,
    a_multi_gives_raw_results_too,
}

async fn each_operation_of_a_multi_tells_what_it_did(world: World) {
    let client = world.client();
    create(&client, "/set").await;
    create(&client, "/gone").await;
    let multi = client
        .multi()
        .check(&path("/set"), 0)
        .create(&path("/new-"), "data", CreateMode::PersistentSequential, Acls::open())
        .set_data(&path("/set"), "data", 0)
        .delete(&path("/gone"), None);
    let done = soon(multi.run()).await.unwrap();
    let [
        MultiItem::Checked,
        MultiItem::Created { path: new, .. },
        MultiItem::DataSet(stat),
        MultiItem::Deleted,
    ] = done.as_slice()
    else {
        panic!("{done:?}")
    };
    assert!(exists(&client, new.as_str()).await && new.as_str().len() == "/new-".len() + 10);
    assert_eq!((stat.version, stat.data_length), (1, 4));
    assert!(!exists(&client, "/gone").await);
}

async fn a_failed_multi_tells_what_became_of_each_operation(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    let multi = client
        .multi()
        .set_data(&path("/node"), "lost", None)
        .check(&path("/node"), 7)
        .delete(&path("/missing"), None);
    let failed = soon(multi.run()).await.unwrap_err();
    assert!(!failed.maybe_applied());
    assert_eq!(failed.to_string(), "operation 1 of the multi failed");
    let MultiError::Failed { index: 1, code: ErrorCode::BadVersion, fates, .. } = failed else {
        panic!("{failed:?}")
    };
    let culprit = MultiFate::Failed(ErrorCode::BadVersion);
    assert_eq!(fates, [MultiFate::RolledBack, culprit, MultiFate::Skipped]);
    let read = soon(client.get_data(&path("/node"))).await.unwrap();
    assert_eq!((read.data.as_deref(), read.stat.version), (Some(&b""[..]), 0));
}

async fn operations_of_a_multi_see_those_before_them(world: World) {
    let client = world.client();
    let multi = client
        .multi()
        .create(&path("/a"), "", CreateMode::Persistent, Acls::open())
        .create(&path("/a/b"), "", CreateMode::Persistent, Acls::open())
        .check(&path("/a/b"), None)
        .set_data(&path("/a/b"), "", 0)
        .delete(&path("/a/b"), 1);
    assert_eq!(soon(multi.run()).await.unwrap().len(), 5);
    assert_eq!(soon(client.get_children(&path("/a"))).await.unwrap().names, Vec::<String>::new());
}

async fn a_multi_may_be_empty(world: World) {
    let client = world.client();
    assert_eq!(soon(client.multi().run()).await, Ok(vec![]));
    assert_eq!(soon(client.multi_ops(vec![])).await, Ok(vec![]));
}

async fn the_first_operation_that_fails_is_the_culprit(world: World) {
    let client = world.client();
    let multi = client
        .multi()
        .create(&path("/a/b"), "", CreateMode::Persistent, Acls::open())
        .delete(&path("/"), None);
    let failed = soon(multi.run()).await;
    assert!(
        matches!(failed, Err(MultiError::Failed { index: 0, code: ErrorCode::NoNode, .. })),
        "{failed:?}"
    );
}

async fn a_multi_creates_znodes_of_all_kinds(world: World) {
    let client = world.client();
    let multi = client.multi().create(&path("/container"), "", CreateMode::Container, Acls::open()).create(
        &path("/container/mine-"),
        "",
        CreateMode::EphemeralSequential,
        Acls::open(),
    );
    soon(multi.run()).await.unwrap();
    let session = soon(client.session()).await.unwrap().id();
    let stat = soon(client.exists(&path("/container/mine-0000000000"))).await.unwrap();
    assert_eq!(stat.map(|stat| stat.ephemeral_owner), Some(session));
}

async fn a_multi_gives_raw_results_too(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    let ops = client.multi().check(&path("/node"), None).delete(&path("/node"), None).ops().to_vec();
    let done = soon(client.multi_ops(ops)).await.unwrap();
    assert_eq!(done, [MultiResult::Checked, MultiResult::Deleted]);
}
