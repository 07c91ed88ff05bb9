//! The scenarios. Each uses its own sessions and its own part of the tree; zxids are compared across all.

use quorate_zk_proto::*;

use super::script::Script;
use crate::client::{connect_request, create, delete, exists, path, set};

pub(crate) async fn run(script: &mut Script) {
    handshakes(script).await;
    nodes(script).await;
    refusals(script).await;
    sequences(script).await;
    containers(script).await;
    multis(script).await;
    failed_multis(script).await;
    multi_reads(script).await;
    access_lists(script).await;
    questions(script).await;
    one_shot_watches(script).await;
    persistent_watches(script).await;
    broken_watches(script).await;
    removed_watches(script).await;
    rearmed_watches(script).await;
    ended_sessions(script).await;
    odd_requests(script).await;
    checked_watches(script).await;
    addresses(script).await;
    switched_off(script).await;
}

fn make(at: &str, mode: CreateMode) -> Request {
    Request::Create(create(at, mode))
}

fn get(at: &str, watch: bool) -> Request {
    Request::GetData(GetData { path: path(at), watch })
}

fn list(at: &str, watch: bool) -> Request {
    Request::GetChildrenWithStat(GetChildren { path: path(at), watch })
}

fn put(at: &str) -> Request {
    Request::SetData(set(at, ANY_VERSION))
}

fn watch(at: &str, mode: WatchMode) -> Request {
    Request::AddWatch(AddWatch { path: path(at), mode })
}

fn unwatch(at: &str, kind: WatcherType) -> Request {
    Request::RemoveWatches(RemoveWatches { path: path(at), kind })
}

fn watched(at: &str, kind: WatcherType) -> Request {
    Request::CheckWatches(CheckWatches { path: path(at), kind })
}

fn multi(ops: Vec<MultiOp>) -> Request {
    Request::Multi(Multi { ops })
}

fn check(at: &str, version: i32) -> MultiOp {
    MultiOp::Check(Check { path: path(at), version })
}

fn paths(all: &[&str]) -> Vec<ZnodePath> {
    all.iter().map(|at| path(at)).collect()
}

async fn handshakes(script: &mut Script) {
    script.scenario("handshakes", 1).await;
    for timeout in [1, 4_000, 10_000, 1_000_000, -1] {
        let mut client = script.connect(connect_request(timeout)).await.unwrap();
        client.send_op(OpCode::CloseSession.code(), |_| ()).await;
        client.reply().await.1.unwrap();
    }
    script.connect(ConnectRequest { last_zxid_seen: Zxid::new(1 << 40), ..connect_request(1) }).await;
    script.connect(ConnectRequest { session_id: SessionId::new(4711), ..connect_request(1) }).await;
    let old = ConnectRequest { read_only: None, session_id: SessionId::new(4711), ..connect_request(1) };
    script.connect(old).await;
    script.events(0).await;
    script.reconnect(0).await;
    script.events(0).await;
    script.end().await;
}

async fn nodes(script: &mut Script) {
    script.scenario("nodes", 1).await;
    for at in ["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"] {
        script.ask(0, exists(at, false)).await;
        script.ask(0, list(at, false)).await;
    }
    script.ask(0, make("/n", CreateMode::Persistent)).await;
    script.ask(0, get("/n", false)).await;
    script.ask(0, put("/n")).await;
    script.ask(0, Request::SetData(set("/n", 1))).await;
    script.ask(0, Request::SetData(SetData { path: path("/n"), data: None, version: 2 })).await;
    script.ask(0, get("/n", false)).await;
    script.ask(0, Request::CreateWithStat(create("/n/a", CreateMode::Persistent))).await;
    script.ask(0, Request::CreateWithStat(create("/n/e", CreateMode::Ephemeral))).await;
    script.ask(0, Request::GetChildren(GetChildren { path: path("/n"), watch: false })).await;
    script.ask(0, list("/n", false)).await;
    script.ask(0, delete("/n/a")).await;
    script.ask(0, exists("/n", false)).await;
    script.ask(0, Request::Sync(SyncRequest { path: path("/n") })).await;
    script.ask(0, Request::Sync(SyncRequest { path: path("/missing") })).await;
    script.end().await;
}

async fn refusals(script: &mut Script) {
    script.scenario("refusals", 1).await;
    script.ask(0, make("/r", CreateMode::Persistent)).await;
    script.ask(0, make("/r", CreateMode::Persistent)).await;
    script.ask(0, make("/", CreateMode::Persistent)).await;
    script.ask(0, make("/r/e", CreateMode::Ephemeral)).await;
    script.ask(0, make("/r/e/child", CreateMode::Persistent)).await;
    script.ask(0, make("/r/missing/child", CreateMode::Persistent)).await;
    script.ask(0, delete("/r")).await;
    script.ask(0, delete("/r/missing")).await;
    script.ask(0, Request::Delete(Delete { path: path("/r/e"), version: 7 })).await;
    for at in ["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"] {
        script.ask(0, delete(at)).await;
    }
    script.ask(0, Request::SetData(set("/r", 7))).await;
    script.ask(0, put("/r/missing")).await;
    script.ask(0, get("/r/missing", true)).await;
    script.ask(0, list("/r/missing", true)).await;
    script.ask(0, exists("/r/missing", false)).await;
    script.ask(0, Request::Create(Create { acl: vec![], ..create("/r/bare", CreateMode::Persistent) })).await;
    script.ask(0, Request::GetAcl(GetAcl { path: path("/r/missing") })).await;
    let set_acl = |at: &str, acl: Vec<Acl>, version| Request::SetAcl(SetAcl { path: path(at), acl, version });
    script.ask(0, set_acl("/r", vec![], -1)).await;
    script.ask(0, set_acl("/r", vec![Acl::open()], 7)).await;
    script.ask(0, set_acl("/r/missing", vec![Acl::open()], -1)).await;
    script.end().await;
}

async fn sequences(script: &mut Script) {
    script.scenario("sequences", 1).await;
    script.ask(0, make("/seq", CreateMode::Persistent)).await;
    script.ask(0, make("/seq/a-", CreateMode::PersistentSequential)).await;
    script.ask(0, make("/seq/b", CreateMode::Persistent)).await;
    script.ask(0, delete("/seq/b")).await;
    script.ask(0, make("/seq/a-", CreateMode::EphemeralSequential)).await;
    script.ask(0, make("/seq/0", CreateMode::PersistentSequential)).await;
    let ttl = Ttl::from_millis(60_000).unwrap();
    script.ask(0, make("/seq/t-", CreateMode::PersistentSequentialWithTtl(ttl))).await;
    script.ask(0, list("/seq", false)).await;
    script.end().await;
}

async fn containers(script: &mut Script) {
    script.scenario("containers", 1).await;
    script.ask(0, make("/c", CreateMode::Container)).await;
    script.ask(0, exists("/c", false)).await;
    script.ask(0, make("/c", CreateMode::Container)).await;
    script.ask(0, make("/c/child", CreateMode::Ephemeral)).await;
    let ttl = Ttl::from_millis(60_000).unwrap();
    script.ask(0, make("/c/ttl", CreateMode::PersistentWithTtl(ttl))).await;
    script.ask(0, exists("/c/ttl", false)).await;
    script.ask(0, make("/c/ttl/child", CreateMode::Persistent)).await;
    let mut body = bytes::BytesMut::new();
    create("/c/by-flag", CreateMode::Container).encode(&mut body);
    script.send_raw(0, OpCode::Create.code(), &body).await;
    script.ask(0, make("/c/by-flag/child", CreateMode::Persistent)).await;
    script.end().await;
}

async fn multis(script: &mut Script) {
    script.scenario("multis", 1).await;
    script.ask(0, multi(vec![])).await;
    script.ask(0, exists("/zookeeper", false)).await;
    script
        .ask(
            0,
            multi(vec![
                MultiOp::Create(create("/m", CreateMode::Persistent)),
                MultiOp::Create(create("/m/s-", CreateMode::EphemeralSequential)),
                MultiOp::CreateWithStat(create("/m/s-", CreateMode::PersistentSequential)),
                MultiOp::Create(create("/m/c", CreateMode::Container)),
                MultiOp::SetData(set("/m", 0)),
                check("/m", 1),
                check("/m", ANY_VERSION),
                MultiOp::Create(create("/m/gone", CreateMode::Persistent)),
                MultiOp::Delete(Delete { path: path("/m/gone"), version: 0 }),
            ]),
        )
        .await;
    script.ask(0, list("/m", false)).await;
    script.ask(0, multi(vec![check("/m", 1)])).await;
    script.end().await;
}

async fn failed_multis(script: &mut Script) {
    script.scenario("failed multis", 2).await;
    script.ask(0, make("/f", CreateMode::Persistent)).await;
    script.ask(1, watch("/f", WatchMode::PersistentRecursive)).await;
    let failing = [
        vec![MultiOp::SetData(set("/f", 0)), check("/f", 0), check("/missing", -1)],
        vec![check("/missing", -1), MultiOp::SetData(set("/f", 0))],
        vec![MultiOp::Create(create("/f/s-", CreateMode::PersistentSequential)), check("/f", 9)],
        vec![MultiOp::Create(create("/f", CreateMode::Persistent))],
        vec![
            MultiOp::Create(create("/f/a", CreateMode::Persistent)),
            MultiOp::Delete(Delete { path: path("/f"), version: 0 }),
            MultiOp::Delete(Delete { path: path("/f/a"), version: 0 }),
        ],
    ];
    for ops in failing {
        script.ask(0, multi(ops)).await;
    }
    script.ask(0, list("/f", false)).await;
    script.ask(0, make("/f/s-", CreateMode::PersistentSequential)).await;
    script.events(1).await;
    script.end().await;
}

async fn multi_reads(script: &mut Script) {
    script.scenario("multi reads", 1).await;
    script.ask(0, make("/mr", CreateMode::Persistent)).await;
    script.ask(0, make("/mr/a", CreateMode::Persistent)).await;
    let ops = vec![
        MultiReadOp::Data(path("/mr")),
        MultiReadOp::Data(path("/missing")),
        MultiReadOp::Children(path("/mr")),
        MultiReadOp::Children(path("/missing")),
    ];
    script.ask(0, Request::MultiRead(MultiRead { ops })).await;
    script.ask(0, Request::MultiRead(MultiRead { ops: vec![] })).await;
    script.end().await;
}

async fn access_lists(script: &mut Script) {
    script.scenario("access lists", 2).await;
    script.ask(0, Request::WhoAmI).await;
    script.ask(0, Request::Auth(Auth::new("digest", Secret::new("super:test")))).await;
    script.ask(0, Request::WhoAmI).await;
    let get_acl = |at: &str| Request::GetAcl(GetAcl { path: path(at) });
    let owned = |at: &str, acl| Request::Create(Create { acl, ..create(at, CreateMode::Persistent) });
    script.ask(0, owned("/acl", vec![Acl::creator_all()])).await;
    script.ask(1, owned("/acl2", vec![Acl::creator_all()])).await;
    script.ask(1, owned("/acl3", vec![Acl::new(Perms::ALL, Id::new("nonsense", "x"))])).await;
    script.ask(1, owned("/acl4", vec![Acl::new(Perms::ALL, Id::new("world", "x"))])).await;
    script.ask(1, owned("/acl5", vec![Acl::new(Perms::ALL, Id::new("digest", "x"))])).await;
    for client in [0, 1] {
        script.ask(client, get_acl("/acl")).await;
        script.ask(client, exists("/acl", false)).await;
        script.ask(client, get("/acl", false)).await;
        script.ask(client, list("/acl", false)).await;
        script.ask(client, put("/acl")).await;
        script.ask(client, make("/acl/child", CreateMode::Persistent)).await;
        script.ask(client, multi(vec![check("/acl", -1)])).await;
    }
    script.ask(1, delete("/acl/child")).await;
    let id = Id::new("digest", "super:D/InIHSb7yEEbrWz8b9l71RjZJU=");
    let shared = vec![Acl::new(Perms::ALL, id), Acl::read()];
    let set_acl = Request::SetAcl(SetAcl { path: path("/acl"), acl: shared, version: 0 });
    script.ask(1, set_acl.clone()).await;
    script.ask(0, set_acl).await;
    script.ask(0, get_acl("/acl")).await;
    script.ask(1, get_acl("/acl")).await;
    script.ask(1, Request::Auth(Auth::new("nonsense", Secret::new("x")))).await;
    script.expect_end(1).await;
    script.reconnect(1).await;
    script.end().await;
}

async fn questions(script: &mut Script) {
    script.scenario("questions", 2).await;
    script.ask(0, make("/q", CreateMode::Persistent)).await;
    script.ask(0, make("/q/e", CreateMode::Ephemeral)).await;
    script.ask(0, make("/q2", CreateMode::Ephemeral)).await;
    script.ask(1, make("/q3", CreateMode::Ephemeral)).await;
    for prefix in ["/", "/q", "/q/", "/q2", "/missing", ""] {
        script.ask(0, Request::GetEphemerals(GetEphemerals { prefix: prefix.into() })).await;
    }
    for at in ["/", "/q", "/q/e", "/missing"] {
        script.ask(0, Request::GetAllChildrenNumber(GetAllChildrenNumber { path: path(at) })).await;
    }
    script.end().await;
}

async fn one_shot_watches(script: &mut Script) {
    script.scenario("one-shot watches", 2).await;
    script.ask(1, exists("/w", true)).await;
    script.ask(0, make("/w", CreateMode::Persistent)).await;
    script.ask(0, put("/w")).await;
    script.events(1).await;
    script.ask(1, get("/w", true)).await;
    script.ask(1, exists("/w", true)).await;
    script.ask(1, list("/w", true)).await;
    script.ask(0, make("/w/a", CreateMode::Persistent)).await;
    script.ask(0, make("/w/b", CreateMode::Persistent)).await;
    script.ask(0, put("/w")).await;
    script.ask(0, put("/w")).await;
    script.events(1).await;
    script.ask(1, get("/w/a", true)).await;
    script.ask(1, list("/w/a", true)).await;
    script.ask(1, list("/w", true)).await;
    script.ask(0, delete("/w/a")).await;
    script.events(1).await;
    script.ask(0, get("/w/b", true)).await;
    script.ask(0, put("/w/b")).await;
    script.end().await;
}

/// Everything that can happen to a znode and its child.
async fn disturb(script: &mut Script, base: &str) {
    let child = format!("{base}/child");
    script.ask(0, put(base)).await;
    script.ask(0, make(&child, CreateMode::Persistent)).await;
    script.ask(0, put(&child)).await;
    script.ask(0, delete(&child)).await;
    script.ask(0, delete(base)).await;
    script.events(1).await;
    script.ask(0, make(base, CreateMode::Persistent)).await;
    script.events(1).await;
}

async fn persistent_watches(script: &mut Script) {
    script.scenario("persistent watches", 2).await;
    for (base, mode) in [("/p", WatchMode::Persistent), ("/pr", WatchMode::PersistentRecursive)] {
        script.ask(1, watch(base, mode)).await;
        script.ask(0, make(base, CreateMode::Persistent)).await;
        disturb(script, base).await;
        disturb(script, base).await;
    }
    script.ask(1, get("/pr", false)).await;
    script.end().await;
}

async fn broken_watches(script: &mut Script) {
    use WatchMode::{Persistent, PersistentRecursive};
    script.scenario("broken watches", 2).await;
    let breakers: [fn(&str) -> Request; 5] = [
        |at| exists(at, true),
        |at| get(at, true),
        |at| list(at, true),
        |at| watch(at, Persistent),
        |at| watch(at, PersistentRecursive),
    ];
    for (number, breaker) in breakers.into_iter().enumerate() {
        for (letter, mode) in [("p", Persistent), ("r", PersistentRecursive)] {
            let base = format!("/b{letter}{number}");
            script.ask(0, make(&base, CreateMode::Persistent)).await;
            script.ask(1, watch(&base, mode)).await;
            script.ask(1, breaker(&base)).await;
            disturb(script, &base).await;
            disturb(script, &base).await;
        }
    }
    script.ask(0, make("/bc", CreateMode::Persistent)).await;
    script.ask(0, make("/bc/child", CreateMode::Persistent)).await;
    script.ask(1, watch("/bc", PersistentRecursive)).await;
    script.ask(1, get("/bc/child", true)).await;
    script.ask(0, put("/bc/child")).await;
    script.ask(0, put("/bc/child")).await;
    script.events(1).await;
    script.end().await;
}

async fn removed_watches(script: &mut Script) {
    use WatcherType::{Any, Children, Data, Persistent, PersistentRecursive};
    script.scenario("removed watches", 2).await;
    for (number, kind) in [Children, Data, Any, Persistent, PersistentRecursive].into_iter().enumerate() {
        let base = format!("/rw{number}");
        script.ask(0, make(&base, CreateMode::Persistent)).await;
        script.ask(1, unwatch(&base, kind)).await;
        script.ask(1, get(&base, true)).await;
        script.ask(1, list(&base, true)).await;
        script.ask(1, unwatch(&base, kind)).await;
        script.ask(1, unwatch(&base, kind)).await;
        disturb(script, &base).await;
        for mode in [WatchMode::Persistent, WatchMode::PersistentRecursive] {
            script.ask(1, watch(&base, mode)).await;
            script.ask(1, unwatch(&base, kind)).await;
            script.ask(1, unwatch(&base, kind)).await;
            disturb(script, &base).await;
            script.ask(1, unwatch(&base, Any)).await;
        }
    }
    script.end().await;
}

async fn rearmed_watches(script: &mut Script) {
    script.scenario("re-armed watches", 2).await;
    for at in ["/sw", "/sw/old", "/sw/set", "/sw/grown"] {
        script.ask(0, make(at, CreateMode::Persistent)).await;
    }
    let seen = script.last_zxid(0).await;
    script.ask(0, put("/sw/set")).await;
    script.ask(0, make("/sw/grown/child", CreateMode::Persistent)).await;
    script.ask(0, make("/sw/made", CreateMode::Persistent)).await;
    let one_shot = SetWatches {
        relative_zxid: seen,
        data: paths(&["/sw/old", "/sw/set", "/sw/gone"]),
        exist: paths(&["/sw/missing", "/sw/made"]),
        child: paths(&["/sw/old", "/sw/grown", "/sw/gone"]),
    };
    let mut body = bytes::BytesMut::new();
    one_shot.encode(&mut body);
    script.reconnect(1).await;
    script.send_raw(1, OpCode::SetWatches.code(), &body).await;
    for at in ["/sw/old", "/sw/set", "/sw/made"] {
        script.ask(0, put(at)).await;
    }
    script.ask(0, make("/sw/missing", CreateMode::Persistent)).await;
    script.ask(0, make("/sw/old/child", CreateMode::Persistent)).await;
    script.events(1).await;

    let nothing = SetWatches { data: vec![], exist: vec![], child: vec![], ..one_shot };
    let all = SetWatches2 {
        one_shot: nothing,
        persistent: paths(&["/sw/p"]),
        persistent_recursive: paths(&["/sw/r"]),
    };
    for at in ["/sw/p", "/sw/r"] {
        script.ask(0, make(at, CreateMode::Persistent)).await;
    }
    let mut body = bytes::BytesMut::new();
    all.encode(&mut body);
    script.reconnect(1).await;
    script.send_raw(1, OpCode::SetWatches2.code(), &body).await;
    disturb(script, "/sw/p").await;
    disturb(script, "/sw/r").await;
    script.end().await;
}

async fn ended_sessions(script: &mut Script) {
    script.scenario("ended sessions", 2).await;
    script.ask(0, make("/es", CreateMode::Persistent)).await;
    script.ask(1, make("/es/e", CreateMode::Ephemeral)).await;
    script.ask(0, exists("/es/e", true)).await;
    script.ask(0, list("/es", true)).await;
    script.ask(1, get("/es/e", true)).await;
    script.send_raw(1, OpCode::CloseSession.code(), &[]).await;
    script.expect_end(1).await;
    script.events(0).await;
    script.ask(0, exists("/es", false)).await;
    let gone = script.request_of(1);
    script.connect(gone).await;
    script.forget(1);
    script.end().await;
}

async fn odd_requests(script: &mut Script) {
    script.scenario("odd requests", 3).await;
    script.send_raw(0, OpCode::GetData.code(), &[0, 0]).await;
    script.send_raw(0, OpCode::Create.code(), &[0, 0]).await;
    script.send_raw(0, OpCode::SetData.code(), &[]).await;
    script.send_raw(0, OpCode::Multi.code(), &[0]).await;
    script.send_raw(0, OpCode::AddWatch.code(), &[0, 0, 0, 2, b'/', b'x', 0, 0, 0, 9]).await;
    script.send_raw(0, OpCode::RemoveWatches.code(), &[0, 0, 0, 2, b'/', b'x', 0, 0, 0, 9]).await;
    script.send_raw(0, OpCode::Exists.code(), &[0, 0, 0, 4, b'/', b'/', b'x', b'/', 0]).await;
    script.send_raw(0, OpCode::SetData.code(), &[0, 0, 0, 3, b'/', b'x', b'/', 0, 0, 0, 0, 0, 0, 0, 0]).await;
    script.events(0).await;
    script.send_raw(1, 4711, &[0; 12]).await;
    script.expect_end(1).await;
    script.reconnect(1).await;
    let too_long = vec![0; REQUEST_BYTES_MAX];
    script.send_raw(2, OpCode::SetData.code(), &too_long).await;
    script.reconnect(2).await;
    script.end().await;
}

async fn checked_watches(script: &mut Script) {
    use WatcherType::{Any, Children, Data, Persistent, PersistentRecursive};
    script.scenario("checked watches", 2).await;
    script.ask(0, make("/cw", CreateMode::Persistent)).await;
    script.ask(0, make("/cw/child", CreateMode::Persistent)).await;
    let setters: [fn(&str) -> Request; 5] = [
        |at| put(at),
        |at| get(at, true),
        |at| list(at, true),
        |at| watch(at, WatchMode::Persistent),
        |at| watch(at, WatchMode::PersistentRecursive),
    ];
    for setter in setters {
        script.ask(1, setter("/cw")).await;
        for client in [0, 1] {
            for kind in [Children, Data, Any, Persistent, PersistentRecursive] {
                script.ask(client, watched("/cw", kind)).await;
                script.ask(client, watched("/cw/child", kind)).await;
            }
        }
        script.ask(1, unwatch("/cw", Any)).await;
    }
    script.end().await;
}

/// A server that nobody configured for it.
async fn switched_off(script: &mut Script) {
    script.scenario("switched off", 2).await;
    let (joining, from_config) = (Some("server.2=127.0.0.1:1:2;3".into()), -1);
    let reconfig = Reconfig { joining, leaving: None, new_members: None, from_config };
    script.ask(0, Request::Reconfig(reconfig)).await;
    script.ask(0, get("/zookeeper/config", true)).await;
    script.send_raw(0, OpCode::Sasl.code(), &[0, 0, 0, 0]).await;
    script.send_raw(0, OpCode::Reconfig.code(), &[0, 0]).await;
    script.send_raw(0, OpCode::CheckWatches.code(), &[0, 0, 0, 2, b'/', b'x', 0, 0, 0, 9]).await;
    script.ask(0, Request::Auth(Auth::new("sasl", Secret::new("bob")))).await;
    script.expect_end(0).await;
    script.reconnect(0).await;
    script.ask(1, make("/so", CreateMode::Persistent)).await;
    for id in [Id::sasl("bob"), Id::x509("CN=bob"), Id::new("super", "")] {
        script.ask(1, set_acl("/so", id)).await;
    }
    script.end().await;
}

async fn addresses(script: &mut Script) {
    script.scenario("addresses", 1).await;
    script.ask(0, make("/ip", CreateMode::Persistent)).await;
    let ids = ["127.0.0.1", "127.0.0.1/32", "126.0.0.0/7", "1.2.3.4/0", "::1", "nowhere", "127.0.0.1/33", ""];
    for id in ids {
        script.ask(0, set_acl("/ip", Id::ip(id))).await;
        script.ask(0, get("/ip", false)).await;
    }
    script.ask(0, set_acl("/ip", Id::ip("10.0.0.0/8"))).await;
    script.ask(0, get("/ip", false)).await;
    script.end().await;
}

fn set_acl(at: &str, id: Id) -> Request {
    Request::SetAcl(SetAcl { path: path(at), acl: vec![Acl::new(Perms::ALL, id)], version: ANY_VERSION })
}
