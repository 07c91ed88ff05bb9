//! The contract of every store, and of a shared struct, on a real ZooKeeper: one server for all claims.

use std::sync::Arc;

use quorate_datasync::Store;
use quorate_testkit::ZooKeeper as Server;
use quorate_testkit::conformance::Harness;
use quorate_zookeeper::ZooKeeper;

async fn real() -> Harness {
    let server = Server::shared().await;
    let open = || ZooKeeper::options([server.connect_string()]).chroot("/test/real").open();
    let store: Arc<dyn Store> = Arc::new(open().await.expect("a store opens"));
    let second: Arc<dyn Store> = Arc::new(open().await.expect("a store opens"));
    Harness::new(store, second).keep(server)
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

mod subscribe {
    quorate_testkit::subscribe_suite!(
        #[ignore = "needs a ZooKeeper server"]
        super::real
    );
}
