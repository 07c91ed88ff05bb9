//! Protected creation behind a link that is cut, in front of real servers.

use std::time::Duration;

use quorate_testkit::{Direction, Link, ServerOptions, ZooKeeper};
use quorate_zk::{Acls, Client, ClientOptions, CreateMode};

use crate::world::{create, path, soon};

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn wherever_the_connection_is_cut_the_znode_exists_once() {
    let server = ZooKeeper::start_with(&ServerOptions::default().tick(Duration::from_millis(500))).await;
    let link = Link::to(server.addr()).await.unwrap();
    let outsider = ClientOptions::new([server.connect_string()]).connect().unwrap();
    let client = ClientOptions::new([link.connect_string()]).connect().unwrap();
    for direction in [Direction::ToServer, Direction::ToClient] {
        for position in 1..6 {
            let parent = format!("/{direction:?}{position}");
            create(&outsider, &parent).await;
            create(&client, &format!("{parent}-warm")).await;
            link.cut_before(direction, position);
            let created = creating(&client, &parent).await;
            // A cut that did not come about is not for the next one.
            link.cut_before(direction, u64::MAX);
            soon(outsider.sync(&path("/"))).await.unwrap();
            assert_eq!(names(&outsider, &parent).await, [created], "{parent}");
        }
    }
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn one_that_is_dropped_behind_a_cut_connection_is_deleted() {
    let server = ZooKeeper::start_with(&ServerOptions::default().tick(Duration::from_millis(500))).await;
    let link = Link::to(server.addr()).await.unwrap();
    let outsider = ClientOptions::new([server.connect_string()]).connect().unwrap();
    let client = ClientOptions::new([link.connect_string()]).connect().unwrap();
    create(&client, "/parent").await;
    link.cut_before(Direction::ToClient, 1);
    let mut changes = outsider.add_watch(&path("/parent"), quorate_zk::WatchMode::Persistent).await.unwrap();
    let creation = client.create_protected(&path("/parent/a"), "", CreateMode::Persistent, Acls::open());
    soon(changes.next()).await.expect("it was created");
    drop(creation);
    soon(changes.next()).await.expect("it was deleted");
    assert_eq!(names(&outsider, "/parent").await, Vec::<String>::new());
}

async fn creating(client: &Client, parent: &str) -> String {
    let path = path(&format!("{parent}/lock-"));
    let created = client.create_protected(&path, "", CreateMode::EphemeralSequential, Acls::open());
    soon(created).await.unwrap().path.name().unwrap().to_owned()
}

async fn names(client: &Client, parent: &str) -> Vec<String> {
    soon(client.get_children(&path(parent))).await.unwrap().names
}
