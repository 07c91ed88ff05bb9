//! Who may do what.

use quorate_zk::{
    Acl, Acls, CreateError, CreateMode, DeleteError, ErrorCode, GetAclError, GetChildrenError, GetDataError,
    Id, MultiError, Outcome, Perms, Secret, SetAclError, SetDataError,
};

use crate::world::{World, create, path, soon};

claims! {
    the_access_list_of_a_znode_is_read_and_set,
    an_access_list_is_set_at_the_version_expected_only,
    a_missing_znode_has_no_access_list,
    what_the_creator_alone_may_do_nobody_else_may,
    a_digest_names_whoever_knows_the_password,
    an_address_names_whoever_connects_from_it,
    identities_of_other_schemes_are_refused_where_nothing_proves_them,
    permissions_are_told_apart,
    digests_are_masked_for_those_who_may_not_administrate,
    an_identity_added_later_counts_from_then_on,
    a_refused_operation_fails_its_multi,
}

async fn the_access_list_of_a_znode_is_read_and_set(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    let read = soon(client.get_acl(&path("/node"))).await.unwrap();
    assert_eq!((read.acl, read.stat.aversion), (vec![Acl::open()], 0));
    let acls = Acls::read().and(Acl::new(Perms::WRITE | Perms::ADMIN, Id::anyone()));
    let stat = soon(client.set_acl(&path("/node"), acls.clone(), 0)).await.unwrap();
    assert_eq!((stat.aversion, stat.version), (1, 0));
    let read = soon(client.get_acl(&path("/node"))).await.unwrap();
    assert_eq!((read.acl.as_slice(), read.stat), (acls.as_slice(), stat));
}

async fn an_access_list_is_set_at_the_version_expected_only(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    let stale = soon(client.set_acl(&path("/node"), Acl::open(), 3)).await;
    assert!(matches!(stale, Err(SetAclError::BadVersion { expected: 3, .. })), "{stale:?}");
    let invalid = soon(client.set_acl(&path("/node"), vec![], None)).await;
    assert!(matches!(invalid, Err(SetAclError::InvalidAcl(_))), "{invalid:?}");
}

async fn a_missing_znode_has_no_access_list(world: World) {
    let client = world.client();
    let missing = path("/missing");
    assert!(matches!(soon(client.get_acl(&missing)).await, Err(GetAclError::NoNode(_))));
    assert!(matches!(soon(client.set_acl(&missing, Acl::open(), None)).await, Err(SetAclError::NoNode(_))));
}

async fn what_the_creator_alone_may_do_nobody_else_may(world: World) {
    let (owner, other) = (world.user("owner"), world.client());
    let node = path("/node");
    soon(owner.create(&node, "", CreateMode::Persistent, Acls::creator_all())).await.unwrap();
    soon(other.sync(&node)).await.unwrap();
    assert!(matches!(soon(other.get_data(&node)).await, Err(GetDataError::NoAuth(_))));
    assert!(matches!(soon(other.get_children(&node)).await, Err(GetChildrenError::NoAuth(_))));
    assert!(matches!(soon(other.set_data(&node, "", None)).await, Err(SetDataError::NoAuth(_))));
    assert!(matches!(soon(other.get_acl(&node)).await, Err(GetAclError::NoAuth(_))));
    assert!(matches!(soon(other.set_acl(&node, Acl::open(), None)).await, Err(SetAclError::NoAuth(_))));
    let child = other.create(&path("/node/child"), "", CreateMode::Persistent, Acl::open());
    let refused = soon(child).await.unwrap_err();
    assert!(matches!(refused, CreateError::NoAuth(_)));
    assert_eq!(refused.request_error().outcome(), Outcome::Failed);
    soon(owner.set_data(&node, "", None)).await.unwrap();
}

async fn a_digest_names_whoever_knows_the_password(world: World) {
    let (client, node) = (world.client(), path("/node"));
    let acl = Acl::new(Perms::READ, Id::digest("reader", "word"));
    soon(client.create(&node, "secret", CreateMode::Persistent, acl)).await.unwrap();
    assert!(matches!(soon(client.get_data(&node)).await, Err(GetDataError::NoAuth(_))));
    let reader = world.user("reader");
    soon(reader.sync(&node)).await.unwrap();
    assert_eq!(soon(reader.get_data(&node)).await.unwrap().data.as_deref(), Some(&b"secret"[..]));
    assert!(matches!(soon(reader.set_data(&node, "", None)).await, Err(SetDataError::NoAuth(_))));
}

async fn an_address_names_whoever_connects_from_it(world: World) {
    let client = world.client();
    let (here, elsewhere) = (path("/here"), path("/elsewhere"));
    for (node, network) in [(&here, "127.0.0.1"), (&elsewhere, "192.0.2.0/24")] {
        let acl = Acl::new(Perms::ALL, Id::ip(network));
        soon(client.create(node, "", CreateMode::Persistent, acl)).await.unwrap();
    }
    soon(client.get_data(&here)).await.unwrap();
    assert!(matches!(soon(client.get_data(&elsewhere)).await, Err(GetDataError::NoAuth(_))));
}

async fn identities_of_other_schemes_are_refused_where_nothing_proves_them(world: World) {
    let client = world.client();
    let acl = Acl::new(Perms::ALL, Id::new("made-up", "me"));
    let refused = soon(client.create(&path("/node"), "", CreateMode::Persistent, acl)).await;
    assert!(matches!(refused, Err(CreateError::InvalidAcl(_))), "{refused:?}");
}

async fn permissions_are_told_apart(world: World) {
    let client = world.client();
    let node = path("/node");
    let acl = Acl::new(Perms::CREATE | Perms::WRITE, Id::anyone());
    soon(client.create(&node, "", CreateMode::Persistent, acl)).await.unwrap();
    let child = path("/node/child");
    soon(client.create(&child, "", CreateMode::Persistent, Acl::open())).await.unwrap();
    soon(client.set_data(&node, "", None)).await.unwrap();
    assert!(matches!(soon(client.get_data(&node)).await, Err(GetDataError::NoAuth(_))));
    assert!(matches!(soon(client.delete(&child, None)).await, Err(DeleteError::NoAuth(_))));
}

async fn digests_are_masked_for_those_who_may_not_administrate(world: World) {
    let (owner, other) = (world.user("owner"), world.client());
    let digest = Id::digest("owner", "word");
    let acls = [Acl::new(Perms::ALL, digest.clone()), Acl::read()];
    soon(owner.create(&path("/node"), "", CreateMode::Persistent, acls)).await.unwrap();
    let shown = async |client: &quorate_zk::Client| {
        soon(client.sync(&path("/node"))).await.unwrap();
        soon(client.get_acl(&path("/node"))).await.unwrap().acl[0].id.clone()
    };
    assert_eq!(shown(&owner).await, digest);
    assert_eq!(shown(&other).await, Id::new("digest", "owner:x"));
}

async fn an_identity_added_later_counts_from_then_on(world: World) {
    let client = world.client();
    soon(client.add_digest_auth("late", Secret::new("word"))).await.unwrap();
    let node = path("/node");
    soon(client.create(&node, "", CreateMode::Persistent, Acls::creator_all())).await.unwrap();
    let read = soon(client.get_acl(&node)).await.unwrap();
    assert_eq!(read.acl, [Acl::new(Perms::ALL, Id::digest("late", "word"))]);
    let error = soon(client.add_digest_auth("a:b", Secret::new("word"))).await.unwrap_err();
    assert_eq!(error.request_error().code(), Some(ErrorCode::BadArguments));
}

async fn a_refused_operation_fails_its_multi(world: World) {
    let client = world.client();
    let acl = Acl::new(Perms::READ, Id::anyone());
    soon(client.create(&path("/node"), "", CreateMode::Persistent, acl)).await.unwrap();
    let multi = client.multi().create(&path("/other"), "", CreateMode::Persistent, Acl::open()).set_data(
        &path("/node"),
        "",
        None,
    );
    let failed = soon(multi.run()).await;
    assert!(
        matches!(failed, Err(MultiError::Failed { index: 1, code: ErrorCode::NoAuth, .. })),
        "{failed:?}"
    );
}
