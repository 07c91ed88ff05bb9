//! Znodes: what each operation does and refuses.

use std::time::Duration;

use quorate_zk_fake::{FakeZooKeeper, NodeKind};
use quorate_zk_proto::*;

use crate::client::*;

#[tokio::test]
async fn a_znode_is_created_read_set_and_deleted() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    assert_eq!(client.create("/a", CreateMode::Persistent).await, Ok("/a".into()));
    let data = client.ask(Request::GetData(GetData { path: path("/a"), watch: false })).await.unwrap();
    let stat = client.stat("/a").await.unwrap();
    assert_eq!(data, ReplyBody::Data { data: Some("data".into()), stat });
    assert_eq!((stat.version, stat.data_length, stat.czxid, stat.mzxid), (0, 4, Zxid::new(2), Zxid::new(2)));
    let Ok(ReplyBody::Stat(after)) = client.ask(Request::SetData(set("/a", 0))).await else { panic!() };
    assert_eq!(
        (after.version, after.czxid, after.mzxid, after.pzxid),
        (1, stat.czxid, Zxid::new(3), stat.czxid)
    );
    assert_eq!(client.ask(delete("/a")).await, Ok(ReplyBody::Done));
    assert_eq!(client.stat("/a").await, Err(ErrorCode::NoNode));
    assert_eq!(server.node("/a"), None);
}

#[tokio::test]
async fn each_refusal_has_its_code() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    client.create("/a", CreateMode::Persistent).await.unwrap();
    client.create("/a/e", CreateMode::Ephemeral).await.unwrap();
    assert_eq!(client.create("/a", CreateMode::Persistent).await, Err(ErrorCode::NodeExists));
    assert_eq!(client.create("/x/y", CreateMode::Persistent).await, Err(ErrorCode::NoNode));
    assert_eq!(
        client.create("/a/e/c", CreateMode::Persistent).await,
        Err(ErrorCode::NoChildrenForEphemerals)
    );
    assert_eq!(client.ask(Request::SetData(set("/a", 1))).await, Err(ErrorCode::BadVersion));
    assert_eq!(client.ask(Request::SetData(set("/x", ANY_VERSION))).await, Err(ErrorCode::NoNode));
    assert_eq!(client.ask(delete("/a")).await, Err(ErrorCode::NotEmpty));
    assert_eq!(client.ask(delete("/x")).await, Err(ErrorCode::NoNode));
    assert_eq!(client.ask(delete("/zookeeper")).await, Err(ErrorCode::BadArguments));
    let bare = Create { acl: vec![], ..create("/b", CreateMode::Persistent) };
    assert_eq!(client.ask(Request::Create(bare)).await, Err(ErrorCode::InvalidAcl));
    let lasting = CreateMode::PersistentWithTtl(Ttl::from_millis(1).unwrap());
    assert_eq!(client.create("/t", lasting).await, Err(ErrorCode::Unimplemented));
    assert!(client.ping().await.err.is_ok(), "none of them closes the connection");
}

#[tokio::test]
async fn a_refused_write_takes_a_zxid_and_a_read_does_not() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    assert_eq!(client.ping().await.zxid, Zxid::new(1), "the session itself is the first transaction");
    let (refused, _) = client.ask_for_header(delete("/x")).await;
    assert_eq!((refused.zxid, refused.err), (Zxid::new(2), ErrorCode::NoNode));
    let (read, _) = client.ask_for_header(exists("/x", false)).await;
    assert_eq!((read.zxid, read.err), (Zxid::new(2), ErrorCode::NoNode));
}

#[tokio::test]
async fn suffixes_count_the_children_ever_created() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    client.create("/q", CreateMode::Persistent).await.unwrap();
    let sequential = CreateMode::EphemeralSequential;
    assert_eq!(client.create("/q/n-", sequential).await, Ok("/q/n-0000000000".into()));
    client.create("/q/other", CreateMode::Persistent).await.unwrap();
    client.ask(delete("/q/other")).await.unwrap();
    assert_eq!(client.create("/q/n-", sequential).await, Ok("/q/n-0000000002".into()));
    let stat = client.stat("/q").await.unwrap();
    assert_eq!((stat.cversion, stat.num_children, stat.pzxid), (4, 2, server.zxid()));
}

#[tokio::test]
async fn a_fresh_tree_holds_the_servers_own_znodes() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    let root = client.stat("/").await.unwrap();
    assert_eq!((root.cversion, root.num_children, root.czxid), (-1, 1, Zxid::ZERO));
    assert_eq!(server.children("/zookeeper"), ["config", "quota"]);
}

#[tokio::test]
async fn only_the_container_operation_makes_containers_and_only_used_ones_are_reaped() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    client.create("/unused", CreateMode::Container).await.unwrap();
    client.create("/used", CreateMode::Container).await.unwrap();
    client.create("/used/child", CreateMode::Persistent).await.unwrap();
    let plain = create("/plain", CreateMode::Container);
    client.send_op(OpCode::Create.code(), |out| plain.encode(out)).await;
    assert_eq!(client.reply().await.0.err, ErrorCode::Ok);
    assert_eq!(server.node("/plain").unwrap().kind, NodeKind::Persistent);
    assert_eq!(client.stat("/used").await.unwrap().ephemeral_owner, SessionId::NONE);
    assert_eq!(server.reap_containers(), []);
    client.ask(delete("/used/child")).await.unwrap();
    assert_eq!(server.reap_containers(), [path("/used")]);
    assert_eq!(server.node("/unused").unwrap().kind, NodeKind::Container);
}

#[tokio::test(start_paused = true)]
async fn a_znode_is_reaped_after_its_time_to_live() {
    let server = FakeZooKeeper::builder().ttl_nodes_enabled().start().await.unwrap();
    let mut client = Client::new(&server).await;
    let mode = CreateMode::PersistentWithTtl(Ttl::from_millis(1000).unwrap());
    client.create("/t", mode).await.unwrap();
    tokio::time::advance(Duration::from_millis(900)).await;
    assert_eq!(server.reap_containers(), []);
    tokio::time::advance(Duration::from_millis(200)).await;
    assert_eq!(server.reap_containers(), [path("/t")]);
}

#[tokio::test]
async fn null_and_empty_data_stay_apart() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    let null = Create { data: None, ..create("/null", CreateMode::Persistent) };
    client.ask(Request::Create(null)).await.unwrap();
    server.set_raw("/empty", "").unwrap();
    let reads = ["/null", "/empty"].map(|at| MultiReadOp::Data(path(at))).to_vec();
    let Ok(ReplyBody::MultiRead(read)) = client.ask(Request::MultiRead(MultiRead { ops: reads })).await
    else {
        panic!()
    };
    let of_null = MultiReadResult::Data { data: None, stat: client.stat("/null").await.unwrap() };
    let empty = client.stat("/empty").await.unwrap();
    let of_empty = MultiReadResult::Data { data: Some(bytes::Bytes::new()), stat: empty };
    assert_eq!((read, empty.data_length), (vec![of_null, of_empty], 0));
}

#[tokio::test]
async fn items_of_a_multi_read_fail_each_on_its_own() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    let ops = vec![MultiReadOp::Data(path("/x")), MultiReadOp::Children(path("/"))];
    let read = client.ask(Request::MultiRead(MultiRead { ops })).await;
    let children = MultiReadResult::Children { names: vec!["zookeeper".into()] };
    assert_eq!(read, Ok(ReplyBody::MultiRead(vec![MultiReadResult::Error(ErrorCode::NoNode), children])));
}

#[tokio::test]
async fn sessions_and_subtrees_can_be_asked_about() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    client.create("/a", CreateMode::Persistent).await.unwrap();
    client.create("/a/e", CreateMode::Ephemeral).await.unwrap();
    client.create("/e", CreateMode::Ephemeral).await.unwrap();
    let mut ephemerals = async |prefix: &str| {
        client.ask(Request::GetEphemerals(GetEphemerals { prefix: prefix.into() })).await.unwrap()
    };
    assert_eq!(ephemerals("/a").await, ReplyBody::Ephemerals(vec!["/a/e".into()]));
    assert_eq!(ephemerals("/").await, ReplyBody::Ephemerals(vec!["/a/e".into(), "/e".into()]));
    let number = Request::GetAllChildrenNumber(GetAllChildrenNumber { path: ZnodePath::root() });
    assert_eq!(client.ask(number).await, Ok(ReplyBody::AllChildrenNumber(6)));
    let sync = Request::Sync(SyncRequest { path: path("/a") });
    assert_eq!(client.ask(sync).await, Ok(ReplyBody::Synced { path: "/a".into() }));
}

#[tokio::test]
async fn access_lists_are_kept_and_enforced() {
    let server = FakeZooKeeper::start().await.unwrap();
    let (mut owner, mut other) = (Client::new(&server).await, Client::new(&server).await);
    let auth = Auth::new("digest", Secret::new("super:test"));
    let (header, accepted) = owner.ask_for_header(Request::Auth(auth)).await;
    assert_eq!((accepted, header.zxid, header.xid), (Ok(ReplyBody::Done), Zxid::ZERO, Xid::AUTH));
    let mine = Create { acl: vec![Acl::creator_all()], ..create("/mine", CreateMode::Persistent) };
    owner.ask(Request::Create(mine.clone())).await.unwrap();
    let id = Id::new("digest", "super:D/InIHSb7yEEbrWz8b9l71RjZJU=");
    let stat = owner.stat("/mine").await.unwrap();
    let get_acl = Request::GetAcl(GetAcl { path: path("/mine") });
    assert_eq!(
        owner.ask(get_acl.clone()).await,
        Ok(ReplyBody::Acl { acl: vec![Acl::new(Perms::ALL, id)], stat })
    );
    assert_eq!(other.ask(get_acl).await, Err(ErrorCode::NoAuth));
    assert_eq!(other.ask(Request::SetData(set("/mine", ANY_VERSION))).await, Err(ErrorCode::NoAuth));
    assert_eq!(other.create("/mine/c", CreateMode::Persistent).await, Err(ErrorCode::NoAuth));
    assert_eq!(other.ask(Request::Create(mine)).await, Err(ErrorCode::InvalidAcl), "not authenticated");
    assert_eq!(other.stat("/mine").await, Ok(stat), "to know that it exists takes no permission");
}

#[tokio::test]
async fn hard_quotas_hold_where_they_are_enforced() {
    for enforced in [true, false] {
        let builder = FakeZooKeeper::builder();
        let builder = if enforced { builder.quotas_enforced() } else { builder };
        let server = builder.start().await.unwrap();
        let mut client = Client::new(&server).await;
        client.create("/q", CreateMode::Persistent).await.unwrap();
        let limits = "count=-1,bytes=-1=;byteHardLimit=10;countHardLimit=3";
        server.set_raw("/zookeeper/quota/q/zookeeper_limits", limits).unwrap();
        client.create("/q/a", CreateMode::Persistent).await.unwrap();
        let set = |bytes: usize| SetData { data: Some(vec![0; bytes].into()), ..set("/q/a", ANY_VERSION) };
        let exceeded = if enforced { Some(ErrorCode::QuotaExceeded) } else { None };
        assert!(client.ask(Request::SetData(set(6))).await.is_ok());
        assert_eq!(client.ask(Request::SetData(set(7))).await.err(), exceeded, "more than ten bytes");
        client.ask(Request::SetData(set(0))).await.unwrap();
        client.create("/q/b", CreateMode::Persistent).await.unwrap();
        assert_eq!(client.create("/q/c", CreateMode::Persistent).await.err(), exceeded, "more than three");
        assert!(client.create("/elsewhere", CreateMode::Persistent).await.is_ok());
    }
}
