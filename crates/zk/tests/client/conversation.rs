//! One scripted conversation, cut at every packet and every byte in both directions, and what is told of each of
//! its requests.

use std::{future::Future, time::Duration};

use quorate_zk::{
    Acl, Client, Create, CreateMode, Multi, MultiOp, Outcome, Perms, Request, RequestError, Secret, SetData,
    Watched,
};
use quorate_zk_fake::{Direction, FakeZooKeeper};
use tokio::task::JoinSet;

use crate::world::{path, soon};

/// How many conversations are held at a time.
const AT_A_TIME: usize = 8;

/// What was told of a request, and what its effect shows by.
struct Told {
    what: &'static str,
    result: Result<(), RequestError>,
    is_applied: fn(&FakeZooKeeper) -> bool,
}

fn exists(fake: &FakeZooKeeper, node: &str) -> bool {
    fake.node(node).is_some()
}

fn mine() -> Vec<Acl> {
    vec![Acl::creator_all()]
}

fn create(node: &str) -> Create {
    let mode = CreateMode::Persistent;
    Create { path: path(node), data: Some("new".into()), acl: mine(), mode }
}

/// Submits everything at once: pipelined, so that a cut finds requests in every state.
async fn converse(client: &Client) -> (Vec<Told>, Option<Result<Watched, RequestError>>) {
    let watched = client.with_watcher().exists(&path("/one"));
    let one = client.request(Request::Create(create("/one")));
    let set = SetData { path: path("/set"), data: Some("new".into()), version: 0 };
    let set = client.request(Request::SetData(set));
    let ops = vec![
        MultiOp::Create(create("/two")),
        MultiOp::SetData(SetData { path: path("/two"), data: Some("newer".into()), version: 0 }),
    ];
    let multi = client.request(Request::Multi(Multi { ops }));
    let read = client.request(Request::GetData(quorate_zk::GetData { path: path("/set"), watch: false }));
    let delete = quorate_zk::Delete { path: path("/gone"), version: -1 };
    let delete = client.request(Request::Delete(delete));

    // The requests were submitted above: their futures may be awaited in any order.
    let watched = match soon(watched).await {
        Ok((_, watcher)) => Some(Ok(watcher)),
        Err(error) => Some(Err(error.request_error().clone())),
    };
    let told = vec![
        Told { what: "create", result: ended(one).await, is_applied: |fake| exists(fake, "/one") },
        Told {
            what: "set",
            result: ended(set).await,
            is_applied: |fake| fake.node("/set").is_some_and(|node| node.stat.version == 1),
        },
        Told { what: "multi", result: ended(multi).await, is_applied: |fake| exists(fake, "/two") },
        Told { what: "delete", result: ended(delete).await, is_applied: |fake| !exists(fake, "/gone") },
    ];
    if let Err(error) = ended(read).await {
        assert_ne!(error.outcome(), Outcome::Unknown, "a read has no effect that could be unknown");
    }
    // If the znode was not created, nothing will happen to it.
    let is_created = told[0].result.is_ok();
    let fired = match watched {
        Some(Ok(watcher)) if is_created => Some(Ok(soon(watcher).await.expect("the client is open"))),
        Some(Ok(_)) | None => None,
        Some(Err(error)) => Some(Err(error)),
    };
    (told, fired)
}

async fn ended<T>(response: impl Future<Output = Result<T, RequestError>>) -> Result<(), RequestError> {
    soon(response).await.map(drop)
}

/// Holds the conversation with one fault. Returns whether the fault came about.
async fn hold(arm: impl Fn(&FakeZooKeeper)) -> bool {
    let fake = FakeZooKeeper::builder().tick(Duration::from_secs(1)).start().await.unwrap();
    let digest = || quorate_zk::ClientOptions::new([fake.connect_string()]).digest_auth("ann", secret());
    let outsider = digest().connect().unwrap();
    for node in ["/set", "/gone"] {
        soon(outsider.create(&path(node), "old", CreateMode::Persistent, mine())).await.unwrap();
    }
    soon(outsider.close()).await;

    arm(&fake);
    let client = digest().connect().unwrap();
    let (told, fired) = converse(&client).await;
    let token = soon(client.session()).await.unwrap();
    soon(client.close()).await;
    assert!(token.has_expired());
    for Told { what, result, is_applied } in told {
        let is_applied = is_applied(&fake);
        match result {
            Ok(()) => assert!(is_applied, "{what} was acknowledged and has no effect"),
            Err(error) if error.outcome() == Outcome::Unknown => {}
            Err(error) => assert!(!is_applied, "{what} had an effect: {error}"),
        }
    }
    if let Some(Err(error)) = fired {
        assert!(error.is_connection_lost(), "{error}");
    }
    check_access(&fake);
    !fake.is_cut_armed()
}

/// Whatever was created belongs to the identity that was presented, on the second connection too.
fn check_access(fake: &FakeZooKeeper) {
    for node in ["/one", "/two"].into_iter().filter_map(|node| fake.node(node)) {
        assert_eq!(node.acl.len(), 1);
        assert_eq!((node.acl[0].perms, &*node.acl[0].id.scheme), (Perms::ALL, "digest"));
    }
}

fn secret() -> Secret {
    Secret::new(&b"opensesame"[..])
}

/// Cuts further and further into the conversation until the cut no longer comes about. Returns how often it did.
async fn walk(arm: impl Fn(&FakeZooKeeper, u64) + Clone + Send + Sync + 'static) -> u64 {
    let (mut next, mut walked, mut is_over) = (0, 0, false);
    let mut held = JoinSet::new();
    loop {
        while !is_over && held.len() < AT_A_TIME {
            let (arm, place) = (arm.clone(), next);
            held.spawn(async move { hold(|fake| arm(fake, place)).await });
            next += 1;
        }
        match held.join_next().await.transpose().unwrap() {
            Some(true) => walked += 1,
            Some(false) => is_over = true,
            None => return walked,
        }
    }
}

/// The identity, the watch, five more requests and the end. The handshake is cut by bytes.
const PACKETS: u64 = 8;

#[tokio::test]
async fn a_conversation_is_cut_before_every_request() {
    let walked = walk(|fake, count| fake.cut_after_packets(Direction::Requests, count)).await;
    assert!(walked >= PACKETS, "{walked} packets");
}

#[tokio::test]
async fn a_conversation_is_cut_before_every_reply_and_notification() {
    let walked = walk(|fake, count| fake.cut_after_packets(Direction::Replies, count)).await;
    assert!(walked >= PACKETS, "{walked} packets");
}

#[tokio::test]
async fn a_conversation_is_cut_at_every_byte_of_the_replies() {
    let walked = walk(|fake, count| fake.cut_after_link_bytes(Direction::Replies, count)).await;
    assert!(walked >= 300, "{walked} places");
}

#[tokio::test]
async fn a_conversation_is_cut_at_every_byte_of_the_requests() {
    let walked = walk(|fake, count| fake.cut_after_link_bytes(Direction::Requests, count)).await;
    assert!(walked >= 300, "{walked} places");
}
