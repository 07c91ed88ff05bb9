//! The contract of every store for its creator alone, on real ZooKeeper servers: one for all claims of a kind.

use std::sync::{Arc, Weak};

use quorate_datasync::Store;
use quorate_testkit::conformance::Harness;
use quorate_testkit::{ServerOptions, TestCa, ZooKeeper as Server};
use quorate_zookeeper::{Acl, Credentials, Secret, TlsOptions, ZooKeeper, ZooKeeperOptions};
use tokio::sync::Mutex;

/// A server, and the authority that its clients must trust and be of.
struct Closed {
    server: Server,
    ca: TestCa,
}

impl Closed {
    async fn start(options: ServerOptions) -> Self {
        let ca = TestCa::new();
        let server = Server::start_with(&options.tls(ca.server_files())).await;
        Self { server, ca }
    }

    fn tls(&self) -> TlsOptions {
        TlsOptions::new().ca_pem(self.ca.cert_pem())
    }

    fn secure(&self, tls: TlsOptions) -> ZooKeeperOptions {
        ZooKeeper::options([self.server.secure_connect_string()]).tls(tls)
    }
}

type Shared = Mutex<Weak<Closed>>;

/// Gives the server that claims share: started by the first, ended by the last who lets go of it.
async fn shared(place: &Shared, options: ServerOptions) -> Arc<Closed> {
    let mut place = place.lock().await;
    if let Some(closed) = place.upgrade() {
        return closed;
    }
    let closed = Arc::new(Closed::start(options).await);
    *place = Arc::downgrade(&closed);
    closed
}

async fn pair(closed: Arc<Closed>, options: ZooKeeperOptions) -> Harness {
    let options = options.acl([Acl::creator_all()]);
    let store: Arc<dyn Store> = Arc::new(options.clone().open().await.expect("a store opens"));
    let second: Arc<dyn Store> = Arc::new(options.open().await.expect("a store opens"));
    Harness::new(store, second).keep(closed)
}

fn user(name: &str, password: &'static str) -> Credentials {
    Credentials::new(name, Secret::new(password))
}

async fn digest() -> Harness {
    static SERVER: Shared = Shared::const_new(Weak::new());
    let closed = shared(&SERVER, ServerOptions::default()).await;
    let options = closed.secure(closed.tls()).digest_auth(user("bob", "word")).chroot("/test/digest");
    pair(closed, options).await
}

static STRICT: Shared = Shared::const_new(Weak::new());

async fn strict() -> Arc<Closed> {
    let options = ServerOptions::default().client_cert_required().sasl_users([("alice", "wonder")]);
    shared(&STRICT, options).await
}

async fn certificate() -> Harness {
    let closed = strict().await;
    let web = closed.ca.issue("web", &[]);
    let key = Secret::new(web.key_pem().to_owned());
    let tls = closed.tls().client_cert_pem(web.cert_pem().to_owned(), key);
    let options = closed.secure(tls).chroot("/test/certificate");
    pair(closed, options).await
}

async fn sasl() -> Harness {
    let closed = strict().await;
    let options = ZooKeeper::options([closed.server.connect_string()]);
    let options = options.sasl_digest_md5(user("alice", "wonder")).chroot("/test/sasl");
    pair(closed, options).await
}

mod digest_contract {
    quorate_testkit::conformance_suite!(
        #[ignore = "needs a ZooKeeper server"]
        super::digest
    );
}

mod digest_shared {
    quorate_testkit::shared_suite!(
        #[ignore = "needs a ZooKeeper server"]
        super::digest
    );
}

mod certificate_contract {
    quorate_testkit::conformance_suite!(
        #[ignore = "needs a ZooKeeper server"]
        super::certificate
    );
}

mod sasl_contract {
    quorate_testkit::conformance_suite!(
        #[ignore = "needs a ZooKeeper server"]
        super::sasl
    );
}
