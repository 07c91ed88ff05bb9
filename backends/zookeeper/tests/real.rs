//! The contract of every store, of a shared struct and of followers, on a real ZooKeeper: one server for all claims.

use std::sync::Arc;

use quorate_datasync::Store;
use quorate_testkit::conformance::Harness;
use quorate_testkit::follow::{Fault, Subject};
use quorate_testkit::{Link, ZooKeeper as Server};
use quorate_zookeeper::ZooKeeper;

async fn real() -> Harness {
    let server = Server::shared().await;
    let open = || ZooKeeper::options([server.connect_string()]).chroot("/test/real").open();
    let store: Arc<dyn Store> = Arc::new(open().await.expect("a store opens"));
    let second: Arc<dyn Store> = Arc::new(open().await.expect("a store opens"));
    Harness::new(store, second).keep(server)
}

async fn followed() -> Subject {
    let server = Server::shared().await;
    let link = Link::to(server.addr()).await.expect("a link opens");
    let open = |hosts: String| ZooKeeper::options([hosts]).chroot("/test/real").open();
    let store: Arc<dyn Store> = Arc::new(open(link.connect_string()).await.expect("a store opens"));
    let second: Arc<dyn Store> = Arc::new(open(server.connect_string()).await.expect("a store opens"));
    Subject::new(Harness::new(store, second).keep(server)).fail(move |fault| match fault {
        Fault::Lost => link.refuse(),
        Fault::Over => link.accept(),
    })
}

mod contract {
    quorate_testkit::conformance_suite!(
        #[ignore = "needs a ZooKeeper server"]
        super::real
    );
}

mod shared {
    quorate_testkit::shared_suite!(
        #[ignore = "needs a ZooKeeper server"]
        super::real
    );
}

mod follow {
    quorate_testkit::follow_suite!(
        #[ignore = "needs a ZooKeeper server"]
        super::followed
    );
}

mod subscribe {
    quorate_testkit::subscribe_suite!(
        #[ignore = "needs a ZooKeeper server"]
        super::real
    );
}
