//! Znodes, their data and their stats.

use quorate_testkit::{Value, json, zk_cli};
use quorate_zk::{ANY_VERSION, CreateMode, Stat};

use crate::world::{World, path, soon, text_of};

fn all_bytes() -> Vec<u8> {
    (0..=u8::MAX).collect()
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn kazoo_reads_the_data_that_we_write() {
    let mut world = World::start().await;
    world.create("/we-write", Some(b""), CreateMode::Persistent).await;
    let cases =
        [("/we-write/bytes", Some(all_bytes())), ("/we-write/empty", Some(vec![])), ("/we-write/null", None)];
    for (place, data) in cases {
        world.create(place, data.as_deref(), CreateMode::Persistent).await;
        let read = world.kazoo("get", json!({ "path": place })).await;
        assert_eq!(read[0], json!(data.as_deref().map(text_of)), "{place}");
    }
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn we_read_the_data_that_kazoo_writes() {
    let mut world = World::start().await;
    let cases = [("/kazoo-bytes", Some(all_bytes())), ("/kazoo-empty", Some(vec![])), ("/kazoo-null", None)];
    for (place, data) in cases {
        let value = json!(data.as_deref().map(text_of));
        world.kazoo("create", json!({ "path": place, "value": value })).await;
        let read = soon(world.ours.get_data(&path(place))).await.unwrap();
        assert_eq!(read.data.as_deref(), data.as_deref(), "{place}");
    }
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn the_command_line_and_we_read_each_others_data() {
    let world = World::start().await;
    world.create("/for-the-shell", Some("gr\u{fc}n".as_bytes()), CreateMode::Persistent).await;
    assert_eq!(zk_cli(world.addr(), &["get", "/for-the-shell"]).await.lines, ["gr\u{fc}n"]);
    assert!(zk_cli(world.addr(), &["set", "/for-the-shell", "blau"]).await.success);
    let read = soon(world.ours.get_data(&path("/for-the-shell"))).await.unwrap();
    assert_eq!((read.data.as_deref(), read.stat.version), (Some(&b"blau"[..]), 1));
    world.end().await;
}

/// A stat with kazoo's names.
fn shown(stat: &Stat) -> Value {
    json!({
        "czxid": stat.czxid.get(), "mzxid": stat.mzxid.get(), "ctime": stat.ctime, "mtime": stat.mtime,
        "version": stat.version, "cversion": stat.cversion, "aversion": stat.aversion,
        "ephemeralOwner": stat.ephemeral_owner.get(), "dataLength": stat.data_length,
        "numChildren": stat.num_children, "pzxid": stat.pzxid.get(),
    })
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn both_read_the_same_stat() {
    let mut world = World::start().await;
    let stated = path("/stated");
    world.create("/stated", Some(b"x"), CreateMode::Persistent).await;
    let set = soon(world.ours.set_data(&stated, "longer", 0)).await.unwrap();
    assert_eq!(world.kazoo("exists", json!({ "path": "/stated" })).await, shown(&set));
    world.kazoo("create", json!({ "path": "/stated/child" })).await;
    let changed = world.kazoo("set", json!({ "path": "/stated", "value": "y", "version": 1 })).await;
    let stat = soon(world.ours.exists(&stated)).await.unwrap().unwrap();
    assert_eq!(shown(&stat), changed);
    assert_eq!((stat.version, stat.num_children, stat.data_length), (2, 1, 1));
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn versions_of_the_other_are_respected() {
    let mut world = World::start().await;
    world.create("/versioned", Some(b"0"), CreateMode::Persistent).await;
    world.kazoo("set", json!({ "path": "/versioned", "value": "1" })).await;
    let stale = soon(world.ours.set_data(&path("/versioned"), "2", 0)).await.unwrap_err();
    assert!(stale.to_string().contains("version"), "{stale}");
    soon(world.ours.set_data(&path("/versioned"), "2", 1)).await.unwrap();
    let arguments = json!({ "path": "/versioned", "version": 1 });
    assert_eq!(world.kazoo_fails("delete", arguments).await, "BadVersionError");
    world.kazoo("delete", json!({ "path": "/versioned", "version": 2 })).await;
    assert_eq!(soon(world.ours.exists(&path("/versioned"))).await.unwrap(), None);
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn both_list_the_children_of_both() {
    let mut world = World::start().await;
    world.create("/listed", None, CreateMode::Persistent).await;
    for name in ["a", "\u{e4}", "\u{20ac}"] {
        world.create(&format!("/listed/ours-{name}"), None, CreateMode::Persistent).await;
        world.kazoo("create", json!({ "path": format!("/listed/kazoo-{name}") })).await;
    }
    let mut ours = soon(world.ours.get_children(&path("/listed"))).await.unwrap().names;
    let listed = world.kazoo("get_children", json!({ "path": "/listed" })).await;
    let mut theirs: Vec<_> = listed.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    ours.sort_unstable();
    theirs.sort_unstable();
    assert_eq!((ours.len(), &ours[..]), (6, &theirs.iter().map(ToString::to_string).collect::<Vec<_>>()[..]));
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn what_one_deletes_is_gone_for_the_other() {
    let mut world = World::start().await;
    world.create("/deleted", None, CreateMode::Persistent).await;
    world.kazoo("create", json!({ "path": "/deleted/child" })).await;
    let occupied = soon(world.ours.delete(&path("/deleted"), ANY_VERSION)).await.unwrap_err();
    assert!(occupied.to_string().contains("children"), "{occupied}");
    soon(world.ours.delete(&path("/deleted/child"), ANY_VERSION)).await.unwrap();
    assert_eq!(world.kazoo_fails("get", json!({ "path": "/deleted/child" })).await, "NoNodeError");
    world.kazoo("delete", json!({ "path": "/deleted" })).await;
    assert_eq!(soon(world.ours.exists(&path("/deleted"))).await.unwrap(), None);
    world.end().await;
}
