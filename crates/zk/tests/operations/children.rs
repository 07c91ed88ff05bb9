//! Listing, counting, and reading several znodes at once.

use quorate_zk::{
    Acls, CreateMode, ErrorCode, GetAllChildrenNumberError, GetChildrenError, MultiReadOp, MultiReadResult,
};

use crate::world::{World, create, path, soon};

claims! {
    children_are_listed_with_the_stat_of_their_parent,
    a_missing_znode_has_no_children,
    znodes_are_counted_at_any_depth,
    the_ephemeral_znodes_of_a_session_are_listed_by_prefix,
    several_reads_have_a_result_each,
    no_reads_have_no_results,
}

async fn children_are_listed_with_the_stat_of_their_parent(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    for child in ["/node/b", "/node/a", "/node/\u{e9}"] {
        create(&client, child).await;
    }
    let mut children = soon(client.get_children(&path("/node"))).await.unwrap();
    children.names.sort();
    assert_eq!(children.names, ["a", "b", "\u{e9}"]);
    let stat = children.stat.expect("servers of today tell it");
    assert_eq!((stat.num_children, stat.cversion), (3, 3));
}

async fn a_missing_znode_has_no_children(world: World) {
    let client = world.client();
    let listed = soon(client.get_children(&path("/missing"))).await;
    assert!(matches!(listed, Err(GetChildrenError::NoNode(_))), "{listed:?}");
    let counted = soon(client.get_all_children_number(&path("/missing"))).await;
    assert!(matches!(counted, Err(GetAllChildrenNumberError::NoNode(_))), "{counted:?}");
}

async fn znodes_are_counted_at_any_depth(world: World) {
    let client = world.client();
    for text in ["/a", "/a/b", "/a/b/c", "/a/d", "/ab"] {
        create(&client, text).await;
    }
    assert_eq!(soon(client.get_all_children_number(&path("/a"))).await, Ok(3));
    assert_eq!(soon(client.get_all_children_number(&path("/ab"))).await, Ok(0));
}

async fn the_ephemeral_znodes_of_a_session_are_listed_by_prefix(world: World) {
    let (client, other) = (world.client(), world.client());
    create(&client, "/a").await;
    for (client, text) in [(&client, "/a/1"), (&client, "/a2"), (&client, "/b"), (&other, "/a3")] {
        soon(client.create(&path(text), "", CreateMode::Ephemeral, Acls::open())).await.unwrap();
    }
    let mut listed = soon(client.get_ephemerals("/a")).await.unwrap();
    listed.sort();
    assert_eq!(listed, [path("/a/1"), path("/a2")]);
    assert_eq!(soon(client.get_ephemerals("/")).await.unwrap().len(), 3);
    assert_eq!(soon(client.get_ephemerals("/none")).await, Ok(vec![]));
}

async fn several_reads_have_a_result_each(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    create(&client, "/node/child").await;
    let reads = vec![
        MultiReadOp::Data(path("/node")),
        MultiReadOp::Data(path("/missing")),
        MultiReadOp::Children(path("/node")),
    ];
    let results = soon(client.multi_read(reads)).await.unwrap();
    assert!(matches!(&results[0], MultiReadResult::Data { data: Some(data), .. } if data.is_empty()));
    assert_eq!(results[1], MultiReadResult::Error(ErrorCode::NoNode));
    assert_eq!(results[2], MultiReadResult::Children { names: vec!["child".to_owned()] });
}

async fn no_reads_have_no_results(world: World) {
    let client = world.client();
    assert_eq!(soon(client.multi_read(vec![])).await, Ok(vec![]));
}
