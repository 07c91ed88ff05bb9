//! Protected creation: a znode is found again, or is not there.

use quorate_zk::{Acls, Client, CreateError, CreateMode, OpCode, ProtectedCreate, SessionId};
use quorate_zk_fake::{Direction, FakeZooKeeper, ServerVersion};

use crate::world::{World, create, path, soon};

const MODES: [CreateMode; 2] = [CreateMode::EphemeralSequential, CreateMode::Persistent];

async fn place() -> (World, Client) {
    let world = World::fake().await;
    let client = world.client();
    create(&client, "/locks").await;
    (world, client)
}

fn creating(client: &Client, mode: CreateMode) -> ProtectedCreate {
    client.create_protected(&path("/locks/lock-"), "me", mode, Acls::open())
}

/// Waits until the server has seen a deletion.
async fn swept(fake: &FakeZooKeeper) {
    soon(fake.wait_until(|fake| fake.children("/locks").is_empty())).await;
}

#[tokio::test]
async fn the_name_is_curators() {
    let (world, client) = place().await;
    let created = soon(creating(&client, CreateMode::EphemeralSequential)).await.unwrap();
    let name = created.path.name().unwrap();
    assert!(name.starts_with("_c_") && name.ends_with("-lock-0000000000"), "{name}");
    assert_eq!(name.len(), "_c_".len() + 36 + "-lock-0000000000".len());
    assert_eq!(world.as_fake().children("/locks"), [name]);
}

#[tokio::test]
async fn wherever_the_connection_is_cut_the_znode_exists_once() {
    for mode in MODES {
        for direction in [Direction::Requests, Direction::Replies] {
            for position in 0.. {
                let (world, client) = place().await;
                world.as_fake().cut_after_packets(direction, position);
                let created = soon(creating(&client, mode)).await.unwrap();
                let names = world.as_fake().children("/locks");
                assert_eq!(names, [created.path.name().unwrap()], "{mode:?} {direction:?} {position}");
                if world.as_fake().is_cut_armed() {
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn it_survives_two_lost_connections() {
    for second in 0..6 {
        let (world, client) = place().await;
        world.as_fake().cut_after_packets(Direction::Replies, 0);
        let creation = creating(&client, CreateMode::EphemeralSequential);
        soon(world.as_fake().wait_until(|fake| !fake.is_cut_armed())).await;
        world.as_fake().cut_after_packets(Direction::Replies, second);
        let created = soon(creation).await.unwrap();
        assert_eq!(world.as_fake().children("/locks"), [created.path.name().unwrap()]);
    }
}

#[tokio::test]
async fn a_creation_that_is_refused_leaves_nothing_to_look_for() {
    let (world, client) = place().await;
    let orphan = client.create_protected(&path("/none/a"), "", CreateMode::Persistent, Acls::open());
    assert!(matches!(soon(orphan).await, Err(CreateError::NoParent(_))));
    let lists = world.as_fake().requests().iter().filter(|request| request.op == OpCode::GetChildren).count();
    assert_eq!(lists, 0);
}

#[tokio::test]
async fn dropping_it_deletes_the_znode_in_the_background() {
    for mode in MODES {
        let (world, client) = place().await;
        let creation = creating(&client, mode);
        soon(world.as_fake().wait_until(|fake| !fake.children("/locks").is_empty())).await;
        drop(creation);
        swept(world.as_fake()).await;
    }
}

#[tokio::test]
async fn dropping_it_while_the_connection_is_lost_deletes_the_znode_too() {
    for mode in MODES {
        let (world, client) = place().await;
        world.as_fake().stop_listening().await.unwrap();
        world.as_fake().cut_after_packets(Direction::Replies, 0);
        let creation = creating(&client, mode);
        soon(world.as_fake().wait_until(|fake| !fake.children("/locks").is_empty())).await;
        drop(creation);
        // The last handle may go: the znode is deleted all the same.
        drop(client);
        world.as_fake().listen_again().await.unwrap();
        swept(world.as_fake()).await;
        soon(world.as_fake().wait_until(|fake| fake.sessions().is_empty())).await;
    }
}

#[tokio::test]
async fn an_ephemeral_znode_of_a_session_that_expired_is_not_taken_for_ones_own() {
    let (world, client) = place().await;
    let session = soon(client.session()).await.unwrap();
    world.as_fake().stop_listening().await.unwrap();
    world.as_fake().cut_after_packets(Direction::Replies, 0);
    let creation = creating(&client, CreateMode::EphemeralSequential);
    soon(world.as_fake().wait_until(|fake| !fake.is_cut_armed())).await;
    world.as_fake().expire_session(session.id());
    world.as_fake().listen_again().await.unwrap();
    let error = soon(creation).await.unwrap_err();
    assert!(error.request_error().is_session_expired() && error.maybe_applied(), "{error:?}");
    swept(world.as_fake()).await;
}

#[tokio::test]
async fn a_persistent_znode_of_a_session_that_expired_is_found() {
    let (world, client) = place().await;
    let session = soon(client.session()).await.unwrap();
    world.as_fake().stop_listening().await.unwrap();
    world.as_fake().cut_after_packets(Direction::Replies, 0);
    let creation = creating(&client, CreateMode::Persistent);
    soon(world.as_fake().wait_until(|fake| !fake.is_cut_armed())).await;
    world.as_fake().expire_session(session.id());
    world.as_fake().listen_again().await.unwrap();
    let created = soon(creation).await.unwrap();
    assert_eq!(created.stat.map(|stat| stat.ephemeral_owner), Some(SessionId::NONE));
    assert_eq!(world.as_fake().children("/locks"), [created.path.name().unwrap()]);
}

#[tokio::test]
async fn it_works_on_servers_that_do_not_tell_the_stat_and_before_the_first_session() {
    let world = World::of(FakeZooKeeper::builder().version(ServerVersion::V3_4)).await;
    world.as_fake().set_raw("/locks", "").unwrap();
    let client = world.client();
    let created = soon(creating(&client, CreateMode::EphemeralSequential)).await.unwrap();
    assert_eq!(world.as_fake().children("/locks"), [created.path.name().unwrap()]);
}

#[tokio::test]
async fn a_client_that_is_closed_creates_nothing() {
    let (_world, client) = place().await;
    soon(client.close()).await;
    let error = soon(creating(&client, CreateMode::Persistent)).await.unwrap_err();
    assert!(error.request_error().is_closed());
}

#[tokio::test]
async fn dropping_it_at_any_moment_leaves_nothing_behind() {
    for mode in MODES {
        for moment in 0..8 {
            let (world, client) = place().await;
            world.as_fake().forget_requests();
            world.as_fake().cut_after_packets(Direction::Replies, 0);
            let mut creation = creating(&client, mode);
            let reached = world.as_fake().wait_until(|fake| fake.requests().len() >= moment);
            // Whatever comes first: it is driven up to that moment, or done.
            let is_done = soon(async {
                tokio::select! {
                    biased;
                    () = reached => false,
                    created = &mut creation => created.is_ok(),
                }
            });
            if is_done.await {
                break;
            }
            drop(creation);
            swept(world.as_fake()).await;
            // Nothing comes after it.
            soon(client.sync(&path("/"))).await.ok();
            soon(client.close()).await;
            assert_eq!(world.as_fake().children("/locks"), Vec::<String>::new(), "{mode:?} {moment}");
        }
    }
}

#[tokio::test]
async fn one_that_was_never_sent_is_not_looked_for() {
    let (world, client) = place().await;
    world.as_fake().stop_listening().await.unwrap();
    world.as_fake().drop_connections();
    soon(client.state().wait_for(|state| !state.is_connected())).await.unwrap();
    world.as_fake().forget_requests();
    drop(creating(&client, CreateMode::Persistent));
    world.as_fake().listen_again().await.unwrap();
    soon(client.sync(&path("/"))).await.unwrap();
    let ops: Vec<_> = world.as_fake().requests().iter().map(|request| request.op).collect();
    assert_eq!(ops, [OpCode::Sync]);
}

#[tokio::test]
async fn a_server_that_only_refuses_is_not_asked_for_ever() {
    let (world, client) = place().await;
    let acl = Acls::from(quorate_zk::Acl::new(quorate_zk::Perms::CREATE, quorate_zk::Id::anyone()));
    soon(client.set_acl(&path("/locks"), acl, None)).await.unwrap();
    world.as_fake().cut_after_packets(Direction::Replies, 0);
    let error = soon(creating(&client, CreateMode::Persistent)).await.unwrap_err();
    assert!(error.maybe_applied(), "a list that may not be read proves nothing: {error:?}");
}
