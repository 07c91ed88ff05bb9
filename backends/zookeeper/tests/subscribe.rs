//! What subscriptions and publishers on ZooKeeper do when the link or the session fails, on the fake server.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use quorate_datasync::{Delivery, Hub, Outcome, Prefix, Publisher, ResyncCause, Store, Subscription};
use quorate_zk_fake::FakeZooKeeper;
use quorate_zookeeper::ZooKeeper;
use tokio::time::timeout;

const WAIT: Duration = Duration::from_secs(30);

struct Rig {
    server: FakeZooKeeper,
    store: Arc<dyn Store>,
    hub: Hub,
}

impl Rig {
    async fn start() -> Self {
        let server = FakeZooKeeper::start().await.expect("a fake server starts");
        let options = ZooKeeper::options([server.connect_string()]).session_timeout(Duration::from_secs(4));
        let store: Arc<dyn Store> = Arc::new(options.open().await.expect("a store opens"));
        let hub = Hub::new(&store);
        Self { server, store, hub }
    }

    async fn subscribe(&self, name: &str, prefix: &str) -> Subscription {
        let mut sub = self.hub.subscribe(name, [prefix]).await.expect("the rig works");
        next(&mut sub).await.ack();
        sub
    }

    fn watched(&self) -> usize {
        self.server.sessions().iter().map(|session| self.server.watched_paths(session.id).len()).sum()
    }

    fn value(&self, path: &str) -> Option<String> {
        let node = self.server.node(path)?;
        Some(String::from_utf8_lossy(&node.data.unwrap_or_default()).into_owned())
    }
}

async fn next(sub: &mut Subscription) -> Delivery {
    timeout(WAIT, sub.next()).await.expect("a delivery comes in time").expect("the subscription goes on")
}

#[tokio::test]
async fn many_subscriptions_leave_no_watch_behind() {
    let rig = Rig::start().await;
    let before = rig.watched();
    let mut subs = Vec::new();
    for at in 0..10_000 {
        let prefix = Prefix::parse(&format!("/config/{}", at % 50)).unwrap();
        subs.push(rig.hub.subscribe(&at.to_string(), [prefix]).await.unwrap());
    }
    for sub in &mut subs {
        next(sub).await.ack();
    }
    assert_eq!(rig.watched(), before + 50, "each prefix is watched once");
    drop(subs);
    let gone = rig.server.wait_until(|_| rig.watched() == before);
    timeout(WAIT, gone).await.expect("no watch is left");
}

#[tokio::test]
async fn after_a_lost_connection_subscribers_of_separate_watches_are_told_in_order() {
    let rig = Rig::start().await;
    let publisher = Publisher::new(&rig.store);
    publisher.put("/config/if/a", &1).await.unwrap();
    let mut interfaces = rig.subscribe("interfaces", "/config/if").await;
    let mut routes = rig.subscribe("routes", "/config/route").await;
    let mut reports = rig.hub.reports();
    rig.server.delete_raw("/config/if/a").unwrap();
    rig.server.drop_connections();
    // What was changed may have been told before the link went; the resync comes all the same.
    let told = async {
        loop {
            let delivery = next(&mut interfaces).await;
            let is_resync = delivery.is_resync();
            delivery.ack();
            if is_resync {
                return;
            }
        }
    };
    let (report, (), ()) = tokio::join!(reports.next(), told, async { next(&mut routes).await.ack() });
    let report = report.unwrap();
    assert_eq!(report.cause, ResyncCause::Gap);
    assert_eq!(
        report.outcomes,
        [("interfaces".into(), Outcome::Applied), ("routes".into(), Outcome::Applied)]
    );
}

#[tokio::test]
async fn a_key_of_a_lifetime_comes_back_when_its_session_expired() {
    let rig = Rig::start().await;
    let publisher = Publisher::new(&rig.store);
    publisher.put("/status/agent", &1).lifetime().await.unwrap();
    publisher.put("/status/agent", &2).lifetime().await.unwrap();
    publisher.put("/status/other", &1).lifetime().await.unwrap();
    publisher.delete("/status/other").await.unwrap();
    let before = rig.server.sessions()[0].id;
    rig.server.expire_all();
    let back = rig.server.wait_until(|server| {
        rig.value("/status/agent").as_deref() == Some("2")
            && server.sessions().iter().all(|one| one.id != before)
    });
    timeout(WAIT, back).await.expect("the key comes back");
    assert!(rig.server.node("/status/other").is_none(), "it was deleted");
    drop(publisher);
    let gone = rig.server.wait_until(|_| rig.value("/status/agent").is_none());
    timeout(WAIT, gone).await.expect("the key vanishes with its publisher");
}
