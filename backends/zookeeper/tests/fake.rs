//! The contract of every store, of a shared struct and of followers, on the fake ZooKeeper.

use std::sync::Arc;

use quorate_datasync::Store;
use quorate_testkit::conformance::Harness;
use quorate_testkit::follow::{Fault, Subject};
use quorate_zk_fake::FakeZooKeeper;
use quorate_zookeeper::ZooKeeper;

async fn fake() -> Harness {
    let server = FakeZooKeeper::start().await.expect("a fake server starts");
    let open = || ZooKeeper::options([server.connect_string()]).chroot("/test/fake").open();
    let store: Arc<dyn Store> = Arc::new(open().await.expect("a store opens"));
    let second: Arc<dyn Store> = Arc::new(open().await.expect("a store opens"));
    Harness::new(store, second).keep(server)
}

async fn followed() -> Subject {
    let server = FakeZooKeeper::start().await.expect("a fake server starts");
    let open = || ZooKeeper::options([server.connect_string()]).chroot("/test/fake").open();
    let store: Arc<dyn Store> = Arc::new(open().await.expect("a store opens"));
    let second: Arc<dyn Store> = Arc::new(open().await.expect("a store opens"));
    Subject::new(Harness::new(store, second)).fail(move |fault| {
        if fault == Fault::Lost {
            server.drop_connections();
        }
    })
}

mod contract {
    quorate_testkit::conformance_suite!(super::fake);
}

mod shared {
    quorate_testkit::shared_suite!(super::fake);
}

mod follow {
    quorate_testkit::follow_suite!(super::followed);
}

mod subscribe {
    quorate_testkit::subscribe_suite!(super::fake);
}
