//! Access lists of the scheme `digest`.

use quorate_testkit::{Kazoo, Value, json, zk_cli};
use quorate_zk::{
    Acl, Auth, Create, CreateMode, ErrorCode, GetAcl, Id, Perms, ReplyBody, Request, Secret, SetAcl,
};

use crate::world::{World, path, soon};

/// What kazoo makes of the name `user` and the password `pw`.
const USER: &str = "user:2Om+GBbT2q/tS6pdvACZbbm7/1A=";

impl World {
    async fn create_closed(&self, place: &str, acl: Vec<Acl>) {
        let create = Create { path: path(place), data: None, acl, mode: CreateMode::Persistent };
        self.request(Request::Create(create)).await.unwrap();
    }

    async fn authenticate(&self, credentials: &'static str) {
        let auth = Auth::new("digest", Secret::new(credentials));
        self.request(Request::Auth(auth)).await.unwrap();
    }

    async fn acl(&self, place: &str) -> Vec<Acl> {
        match self.request(Request::GetAcl(GetAcl { path: path(place) })).await.unwrap().body {
            ReplyBody::Acl { acl, .. } => acl,
            other => panic!("an access list was expected, not {other:?}"),
        }
    }
}

async fn acl_by(kazoo: &mut Kazoo, place: &str) -> Value {
    kazoo.call("get_acls", json!({ "path": place })).await.unwrap()[0].clone()
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn kazoo_obeys_the_access_list_that_we_write() {
    let mut world = World::start().await;
    let acl = vec![Acl::new(Perms::ALL, Id::new("digest", USER))];
    world.create_closed("/ours-alone", acl).await;
    assert_eq!(world.kazoo_fails("get", json!({ "path": "/ours-alone" })).await, "NoAuthError");
    let mut user = world.kazoo_as("user:pw").await;
    assert_eq!(acl_by(&mut user, "/ours-alone").await, json!([["digest", USER, 31]]));
    user.call("set", json!({ "path": "/ours-alone", "value": "x" })).await.unwrap();
    user.close().await;
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn we_obey_the_access_list_that_kazoo_writes() {
    let mut world = World::start().await;
    let acl = json!([["digest", USER, 31], ["world", "anyone", 8]]);
    world.kazoo("create", json!({ "path": "/theirs-alone", "acl": acl })).await;
    let refused = soon(world.ours.get_data(&path("/theirs-alone"))).await.unwrap_err();
    assert_eq!(refused.request_error().code(), Some(ErrorCode::NoAuth));
    world.authenticate("user:pw").await;
    soon(world.ours.get_data(&path("/theirs-alone"))).await.unwrap();
    let expected = vec![Acl::new(Perms::ALL, Id::new("digest", USER)), Acl::new(Perms::DELETE, Id::anyone())];
    assert_eq!(world.acl("/theirs-alone").await, expected);
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_creators_list_names_the_same_user_by_both() {
    let world = World::start().await;
    world.authenticate("user:pw").await;
    world.create_closed("/ours-as-creator", vec![Acl::creator_all()]).await;
    let mut user = world.kazoo_as("user:pw").await;
    let acl = json!([["auth", "", 31]]);
    user.call("create", json!({ "path": "/theirs-as-creator", "acl": acl })).await.unwrap();
    assert_eq!(world.acl("/ours-as-creator").await, world.acl("/theirs-as-creator").await);
    assert_eq!(acl_by(&mut user, "/ours-as-creator").await, json!([["digest", USER, 31]]));
    user.close().await;
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_list_that_one_changes_is_changed_for_the_other() {
    let mut world = World::start().await;
    world.create("/changed-list", None, CreateMode::Persistent).await;
    let acl = vec![Acl::new(Perms::READ | Perms::ADMIN, Id::anyone())];
    let set = SetAcl { path: path("/changed-list"), acl, version: 0 };
    world.request(Request::SetAcl(set)).await.unwrap();
    let arguments = json!({ "path": "/changed-list", "value": "x" });
    assert_eq!(world.kazoo_fails("set", arguments).await, "NoAuthError");
    let acls = json!([["world", "anyone", 31]]);
    world.kazoo("set_acls", json!({ "path": "/changed-list", "acls": acls, "version": 1 })).await;
    assert_eq!(world.acl("/changed-list").await, [Acl::open()]);
    world.end().await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn the_command_line_shows_the_list_that_we_write() {
    let world = World::start().await;
    world.authenticate("user:pw").await;
    let acl = vec![
        Acl::new(Perms::ALL, Id::new("digest", USER)),
        Acl::new(Perms::READ | Perms::ADMIN, Id::anyone()),
    ];
    world.create_closed("/shown-list", acl).await;
    let shown = zk_cli(world.addr(), &["getAcl", "/shown-list"]).await;
    let digest = format!("'digest,'{USER}");
    assert_eq!(shown.lines, [digest.as_str(), ": cdrwa", "'world,'anyone", ": ra"]);
    world.end().await;
}
