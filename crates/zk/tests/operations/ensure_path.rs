//! Making a znode with all that is above it.

use quorate_zk::{Acl, Acls, CreateError, CreateMode, Id, Perms, ZnodePath};

use crate::world::{World, create, exists, path, soon};

claims! {
    a_path_is_made_with_all_above_it_and_what_is_there_stays,
    what_may_not_be_made_and_is_there_is_no_failure,
    what_is_not_there_and_may_not_be_made_is_a_failure,
    nothing_is_made_below_an_ephemeral_znode,
}

async fn a_path_is_made_with_all_above_it_and_what_is_there_stays(world: World) {
    let client = world.client();
    soon(client.create(&path("/a"), "kept", CreateMode::Persistent, Acls::open())).await.unwrap();
    soon(client.ensure_path(&path("/a/b/c"), Acl::open())).await.unwrap();
    soon(client.ensure_path(&path("/a/b/c"), Acl::open())).await.unwrap();
    soon(client.ensure_path(&ZnodePath::root(), Acl::open())).await.unwrap();
    assert!(exists(&client, "/a/b/c").await);
    assert_eq!(soon(client.get_data(&path("/a"))).await.unwrap().data.as_deref(), Some(&b"kept"[..]));
}

async fn what_may_not_be_made_and_is_there_is_no_failure(world: World) {
    let client = world.client();
    create(&client, "/a").await;
    create(&client, "/a/b").await;
    let no_more = Acl::new(Perms::READ | Perms::ADMIN, Id::anyone());
    soon(client.set_acl(&path("/a"), no_more, None)).await.unwrap();
    soon(client.ensure_path(&path("/a/b"), Acl::open())).await.unwrap();
    soon(client.ensure_path(&path("/a/b/c"), Acl::open())).await.unwrap();
    assert!(exists(&client, "/a/b/c").await);
}

async fn what_is_not_there_and_may_not_be_made_is_a_failure(world: World) {
    let client = world.client();
    let no_more = Acl::new(Perms::READ, Id::anyone());
    soon(client.create(&path("/a"), "", CreateMode::Persistent, no_more)).await.unwrap();
    let failed = soon(client.ensure_path(&path("/a/b/c"), Acl::open())).await;
    let Err(CreateError::NoAuth(error)) = &failed else { panic!("{failed:?}") };
    assert_eq!(error.path(), Some(&path("/a/b")));
}

async fn nothing_is_made_below_an_ephemeral_znode(world: World) {
    let client = world.client();
    soon(client.create(&path("/a"), "", CreateMode::Ephemeral, Acl::open())).await.unwrap();
    let failed = soon(client.ensure_path(&path("/a/b"), Acl::open())).await;
    assert!(matches!(failed, Err(CreateError::NoChildrenForEphemerals(_))), "{failed:?}");
}
