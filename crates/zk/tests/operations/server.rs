//! What a server tells of itself, of the session and of the ensemble.

use quorate_zk::{ClientIdentity, Reconfig, ReconfigError, WatchMode, WatcherType};

use crate::world::{World, create, path, soon};

claims! {
    the_identities_of_a_session_are_told,
    the_configuration_is_read_whatever_the_chroot,
    a_change_of_members_is_refused_where_it_is_switched_off,
    a_watch_is_found_where_it_is_set_and_nowhere_else,
    requests_may_be_many_and_keep_their_order,
}

async fn the_identities_of_a_session_are_told(world: World) {
    let nobody = soon(world.client().who_am_i()).await.unwrap();
    assert!(nobody.iter().all(|identity| identity.scheme != "digest"), "{nobody:?}");
    let known = soon(world.user("me").who_am_i()).await.unwrap();
    let me = ClientIdentity { scheme: "digest".to_owned(), user: "me".to_owned() };
    assert!(known.contains(&me), "{known:?}");
}

async fn the_configuration_is_read_whatever_the_chroot(world: World) {
    let client = world.client();
    create(&client, "/chroot").await;
    let found = soon(client.chroot(&path("/chroot")).get_config()).await.unwrap();
    // A server on its own has no members.
    let config = found.config.unwrap();
    assert_eq!(config.members.is_empty(), !found.raw.starts_with(b"server."), "{:?}", found.raw);
}

async fn a_change_of_members_is_refused_where_it_is_switched_off(world: World) {
    let client = world.client();
    let leaving = Some("3".to_owned());
    let change = Reconfig { joining: None, leaving, new_members: None, from_config: -1 };
    let error = soon(client.reconfig(change)).await.unwrap_err();
    assert!(matches!(error, ReconfigError::Disabled(_) | ReconfigError::Unsupported(_)), "{error:?}");
    assert!(!error.request_error().maybe_applied());
}

async fn a_watch_is_found_where_it_is_set_and_nowhere_else(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    let watcher = soon(client.add_watch(&path("/node"), WatchMode::Persistent)).await.unwrap();
    assert_eq!(soon(client.check_watches(&path("/node"), WatcherType::Any)).await, Ok(true));
    assert_eq!(soon(client.check_watches(&path("/"), WatcherType::Any)).await, Ok(false));
    drop(watcher);
}

async fn requests_may_be_many_and_keep_their_order(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    let sets: Vec<_> = (0..300).map(|version| client.set_data(&path("/node"), "", version)).collect();
    for (version, set) in (1..).zip(sets) {
        assert_eq!(soon(set).await.unwrap().version, version);
    }
}
