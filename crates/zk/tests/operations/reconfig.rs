//! Changing the members of an ensemble.

use quorate_testkit::{Ensemble, ServerOptions};
use quorate_zk::{Client, ClientOptions, EnsembleConfig, Reconfig, ReconfigError, Secret, ZnodePath};
use quorate_zk_fake::FakeZooKeeper;

use crate::world::soon;

const LINES: [&str; 3] = [
    "server.1=127.0.0.1:1:2:participant;127.0.0.1:3",
    "server.2=127.0.0.1:4:5:participant;127.0.0.1:6",
    "server.3=127.0.0.1:7:8:participant;127.0.0.1:9",
];

#[tokio::test]
async fn a_member_leaves_and_joins_on_the_fake() {
    let builder = FakeZooKeeper::builder().reconfig_enabled().members(LINES).super_user("super", "word");
    let fake = builder.start().await.unwrap();
    a_member_leaves_and_joins(&fake.connect_string(), 3).await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_member_leaves_and_joins_on_an_ensemble_of_three() {
    let options = ServerOptions::default().reconfig_enabled().superuser("super", "word");
    let ensemble = Ensemble::start_with(3, &options).await;
    // Neither through the one that leaves, which closes its connections, nor the leader: all would lose theirs.
    let leader = ensemble.leader().await.expect("an ensemble that serves has a leader");
    let leaves = usize::from(leader == 0);
    let mut hosts: Vec<_> = ensemble.addrs().iter().map(ToString::to_string).collect();
    hosts.remove(leaves);
    a_member_leaves_and_joins(&hosts.join(","), i64::try_from(leaves).unwrap() + 1).await;
}

async fn a_member_leaves_and_joins(hosts: &str, id: i64) {
    let options = || ClientOptions::new(hosts.split(','));
    let somebody = options().connect().unwrap();
    let admin = options().digest_auth("super", Secret::new("word")).connect().unwrap();
    let before = config(&admin).await;
    assert_eq!(ids(&before), [1, 2, 3]);
    let line = line(&admin, id).await;
    let others: Vec<_> = [1, 2, 3].into_iter().filter(|other| *other != id).collect();

    let refused = soon(somebody.reconfig(leaving(id))).await;
    assert!(matches!(refused, Err(ReconfigError::NoAuth(_))), "{refused:?}");

    let left = soon(admin.reconfig(leaving(id))).await.unwrap().config.unwrap();
    assert_eq!(ids(&left), others);
    assert!(left.version > before.version);
    assert_eq!(config(&admin).await, left);

    let from_config = i64::try_from(before.version).unwrap();
    let stale = soon(admin.reconfig(Reconfig { from_config, ..joining(&line) })).await;
    assert!(matches!(stale, Err(ReconfigError::BadVersion(_))), "{stale:?}");
    let malformed = soon(admin.reconfig(joining("server.4=nonsense"))).await;
    assert!(matches!(malformed, Err(ReconfigError::BadArguments(_))), "{malformed:?}");

    let joined = soon(admin.reconfig(joining(&line))).await.unwrap().config.unwrap();
    assert_eq!(ids(&joined), [1, 2, 3]);
}

fn joining(line: &str) -> Reconfig {
    Reconfig { joining: Some(line.to_owned()), leaving: None, new_members: None, from_config: -1 }
}

fn leaving(id: i64) -> Reconfig {
    Reconfig { joining: None, leaving: Some(id.to_string()), new_members: None, from_config: -1 }
}

fn ids(config: &EnsembleConfig) -> Vec<i64> {
    config.members.iter().map(|member| member.id).collect()
}

async fn config(client: &Client) -> EnsembleConfig {
    soon(client.sync(&ZnodePath::root())).await.unwrap();
    soon(client.get_config()).await.unwrap().config.unwrap()
}

async fn line(client: &Client, id: i64) -> String {
    let raw = soon(client.get_config()).await.unwrap().raw;
    let text = String::from_utf8(raw.to_vec()).unwrap();
    text.lines().find(|line| line.starts_with(&format!("server.{id}="))).unwrap().to_owned()
}
