//! The claims on real servers.
//!
//! To try them on any other server by hand, name it as `host:port` in `QUORATE_TEST_ZOOKEEPER`; the test of the server on
//! its own then uses that one. What the claims create is deleted again.

use std::pin::Pin;

use quorate_testkit::ZooKeeper;
use quorate_zk::{Client, ClientOptions, ZnodePath};
use tokio::task::JoinSet;

use crate::world::{World, create, soon};

/// A claim and its name.
pub(crate) type Claim = (&'static str, fn(World) -> Pin<Box<dyn Future<Output = ()> + Send>>);

const CLAIMS: [&[Claim]; 7] = [
    crate::access::CLAIMS,
    crate::children::CLAIMS,
    crate::create::CLAIMS,
    crate::ensure_path::CLAIMS,
    crate::multi::CLAIMS,
    crate::nodes::CLAIMS,
    crate::server::CLAIMS,
];

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn every_claim_holds_on_a_server_on_its_own() {
    #[expect(clippy::disallowed_methods, reason = "a person names the server to try")]
    if let Ok(hosts) = std::env::var("QUORATE_TEST_ZOOKEEPER") {
        return hold_all(&hosts).await;
    }
    let server = ZooKeeper::shared().await;
    hold_all(&server.connect_string()).await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn every_claim_holds_on_an_ensemble_of_three() {
    let ensemble = ZooKeeper::ensemble(3).await;
    hold_all(&ensemble.connect_string()).await;
}

/// Runs all claims side by side, and names those that do not hold.
async fn hold_all(hosts: &str) {
    let client = ClientOptions::new(hosts.split(',')).connect().unwrap();
    let base = format!("/operations-{}", fastrand::u64(..));
    create(&client, &base).await;
    let mut running = JoinSet::new();
    let mut names = std::collections::HashMap::new();
    for (number, (name, claim)) in CLAIMS.iter().flat_map(|claims| claims.iter()).enumerate() {
        let root = format!("{base}/{number}");
        create(&client, &root).await;
        let world = World::at(hosts, ZnodePath::new(&root).unwrap());
        names.insert(running.spawn(claim(world)).id(), *name);
    }
    let mut broken = Vec::new();
    while let Some(end) = running.join_next_with_id().await {
        broken.extend(end.err().map(|error| names[&error.id()]));
    }
    delete_all(&client, ZnodePath::new(&base).unwrap()).await;
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Deletes a znode and all below it, leaves first.
async fn delete_all(client: &Client, base: ZnodePath) {
    let mut found = vec![base];
    let mut next = 0;
    while let Some(path) = found.get(next) {
        // Ephemeral znodes and containers may go by themselves meanwhile.
        let names = soon(client.get_children(path)).await.map_or_else(|_| Vec::new(), |list| list.names);
        let children: Vec<_> = names.iter().map(|name| path.join(name).unwrap()).collect();
        found.extend(children);
        next += 1;
    }
    for path in found.iter().rev() {
        drop(soon(client.delete(path, None)).await);
    }
}
