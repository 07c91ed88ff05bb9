//! Clients of an ensemble, and helpers.

use std::{future::Future, time::Duration};

use quorate_testkit::{Ensemble, ServerOptions};
use quorate_zk::{
    Acl, Client, ClientOptions, Create, CreateMode, GetChildren, GetData, Reply, ReplyBody, Request,
    RequestError, ZnodePath,
};
use tokio::time::timeout;

/// No request may be without its answer for so long. A session in trouble is over, or well, before that.
const PATIENCE: Duration = Duration::from_secs(60);

/// Three servers that give up soon on a leader or a follower that does not get ready.
///
/// Debian's 3.8.0 may take the late answer of a follower for an answer to its new leader, and then both wait in vain
/// (ZOOKEEPER-4685), often several times in a row. By default each time is ten ticks, which costs sessions.
pub(crate) async fn ensemble() -> Ensemble {
    let options = ServerOptions::default()
        .tick(Duration::from_secs(1))
        .config_line("initLimit=2")
        .config_line("syncLimit=2");
    Ensemble::start_with(3, &options).await
}

pub(crate) fn client(hosts: &str, session: Duration) -> Client {
    ClientOptions::new(hosts.split(',')).session_timeout(session).connect().unwrap()
}

/// Waits for something that must happen.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it happens soon")
}

pub(crate) fn path(text: &str) -> ZnodePath {
    ZnodePath::new(text).unwrap()
}

pub(crate) fn create(place: &str, data: &str, mode: CreateMode) -> Request {
    let data = Some(data.to_owned().into());
    Request::Create(Create { path: path(place), data, acl: vec![Acl::open()], mode })
}

/// Asks until there is an answer of the server, which only reads may.
async fn read(client: &Client, request: &Request) -> Reply {
    loop {
        match soon(client.request(request.clone())).await {
            Ok(reply) => return reply,
            Err(error) => assert!(is_passing(&error), "{error}"),
        }
    }
}

/// Whether a failure is one that a lost connection explains.
pub(crate) fn is_passing(error: &RequestError) -> bool {
    error.is_connection_lost()
}

/// A value as a server has it: the version and the data.
pub(crate) type Value = (i32, String);

pub(crate) async fn value(client: &Client, place: &str) -> Value {
    let get = Request::GetData(GetData { path: path(place), watch: false });
    match read(client, &get).await.body {
        ReplyBody::Data { data, stat } => {
            (stat.version, String::from_utf8(data.unwrap_or_default().to_vec()).unwrap())
        }
        other => panic!("data was expected, not {other:?}"),
    }
}

pub(crate) async fn children(client: &Client, place: &str) -> Vec<String> {
    let list = Request::GetChildren(GetChildren { path: path(place), watch: false });
    match read(client, &list).await.body {
        ReplyBody::Children { names, .. } => names,
        other => panic!("children were expected, not {other:?}"),
    }
}

/// Waits until the server of this client has all that the leader had.
pub(crate) async fn catch_up(client: &Client) {
    // An empty transaction goes through a quorum; a sync does not.
    let barrier = Request::Multi(quorate_zk::Multi { ops: Vec::new() });
    read(client, &barrier).await;
}
