//! The same store for its creator alone: by a password, by SASL and by a certificate, on the fake ZooKeeper.

use std::sync::Arc;
use std::time::Duration;

use quorate_datasync::{
    Consistency, Document, ErrorKind, Key, List, Lock, LockError, Prefix, Shared, Store, StoreExt, Txn,
};
use quorate_testkit::conformance::Harness;
use quorate_zk::OpCode;
use quorate_zk_fake::{FakeZooKeeper, ServerVersion, TestCertificates};
use quorate_zookeeper::{Acl, Credentials, Id, Perms, Secret, TlsOptions, ZooKeeper, ZooKeeperOptions};
use tokio::time::timeout;

const WAIT: Duration = Duration::from_secs(30);

fn user(name: &str, password: &'static str) -> Credentials {
    Credentials::new(name, Secret::new(password))
}

fn closed(server: &FakeZooKeeper) -> ZooKeeperOptions {
    ZooKeeper::options([server.connect_string()]).acl([Acl::creator_all()])
}

async fn open(options: ZooKeeperOptions) -> Arc<dyn Store> {
    Arc::new(options.open().await.expect("a store opens"))
}

/// Two stores of one user, below a chroot that is theirs too.
async fn pair(server: FakeZooKeeper, options: ZooKeeperOptions) -> Harness {
    let options = options.chroot("/test/closed");
    Harness::new(open(options.clone()).await, open(options).await).keep(server)
}

async fn digest() -> Harness {
    let server = FakeZooKeeper::start().await.expect("a fake server starts");
    let options = closed(&server).digest_auth(user("bob", "word"));
    pair(server, options).await
}

async fn sasl() -> Harness {
    let server = FakeZooKeeper::builder().sasl_user("alice", "wonder").sasl_required().start().await;
    let server = server.expect("a fake server starts");
    let options = closed(&server).sasl_digest_md5(user("alice", "wonder"));
    pair(server, options).await
}

async fn certificate() -> Harness {
    let certificates = TestCertificates::generate().expect("certificates are made");
    let config = certificates.mutual_server_config().expect("the certificate fits its key");
    let server = FakeZooKeeper::builder().tls(config).start().await.expect("a fake server starts");
    let client = certificates.client("web").expect("a certificate is made");
    let tls = TlsOptions::new().ca_pem(certificates.ca_pem());
    let tls = tls.client_cert_pem(client.certificate_pem, Secret::new(client.key_pem));
    let options = closed(&server).tls(tls);
    pair(server, options).await
}

mod digest_contract {
    quorate_testkit::conformance_suite!(super::digest);
}

mod digest_shared {
    quorate_testkit::shared_suite!(super::digest);
}

mod sasl_contract {
    quorate_testkit::conformance_suite!(super::sasl);
}

mod certificate_contract {
    quorate_testkit::conformance_suite!(super::certificate);
}

fn key(text: &str) -> Key {
    Key::parse(text).expect("the key is valid")
}

/// All paths below one, but what the server keeps for itself.
fn paths(server: &FakeZooKeeper, top: &str) -> Vec<String> {
    let mut paths = vec![top.to_owned()];
    let mut next = 0;
    while let Some(path) = paths.get(next).cloned() {
        paths.extend(server.children(&path).iter().map(|name| format!("{path}/{name}")));
        next += 1;
    }
    paths
}

#[tokio::test]
async fn every_znode_gets_the_access_list() {
    let server = FakeZooKeeper::start().await.unwrap();
    let store = open(closed(&server).digest_auth(user("bob", "word")).chroot("/prod")).await;
    let agent = Shared::<u64>::open(&store, "/agents/web").create(0).await.unwrap();
    agent.update(|n| *n += 1).await.unwrap();
    store.put(&key("/deep/down/value"), "v").await.unwrap();
    let lease = store.grant(WAIT).await.unwrap();
    let unique = Txn::new().create_unique(&key("/deep/unique"), "n-", "v", &lease.reference());
    store.commit(unique).await.unwrap();
    let document = Document::below(&store, key("/agents/web")).unwrap();
    let held = document.write_lock().unwrap().acquire(WAIT).await.unwrap();
    let bob = [Acl::new(Perms::ALL, Id::digest("bob", "word"))];
    let paths = paths(&server, "/prod");
    for part in ["payload", "listeners/", "write_lock/_c_", "deep/down/value", "unique/n-"] {
        assert!(paths.iter().any(|path| path.contains(part)), "{part}: {paths:?}");
    }
    for path in paths {
        assert_eq!(server.node(&path).unwrap().acl, bob, "{path}");
    }
    held.release().await.unwrap();
}

#[tokio::test]
async fn somebody_else_is_denied_and_told_where() {
    let server = FakeZooKeeper::start().await.unwrap();
    let bob = open(closed(&server).digest_auth(user("bob", "word"))).await;
    let (value, other) = (key("/dir/value"), key("/dir/other"));
    bob.put(&value, "v").await.unwrap();
    let version = bob.entry(&value).await.unwrap().unwrap().version;
    let eve = open(closed(&server).digest_auth(user("eve", "guess"))).await;
    let errors = [
        eve.entry(&value).await.unwrap_err(),
        eve.list(&Prefix::parse("/dir").unwrap(), List::Names, Consistency::Synced).await.unwrap_err(),
        eve.put(&value, "w").await.unwrap_err(),
        eve.put(&other, "w").await.unwrap_err(),
        eve.commit(Txn::new().check_version(&value, version).put(&key("/mine"), "w")).await.unwrap_err(),
        eve.commit(Txn::new().delete(&value)).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
        assert!(!error.maybe_applied(), "{error}");
    }
    let locked = timeout(WAIT, Lock::new(&eve, key("/dir")).acquire(WAIT)).await.unwrap();
    assert!(matches!(locked, Err(LockError::Store(error)) if error.kind() == ErrorKind::Denied));
    assert_eq!(server.children("/dir"), ["value"]);
}

#[tokio::test]
async fn a_directory_above_may_belong_to_somebody_else() {
    let server = FakeZooKeeper::start().await.unwrap();
    let admin = ZooKeeper::options([server.connect_string()]).digest_auth(user("admin", "secret"));
    let admin = open(admin.acl([Acl::creator_all(), Acl::read()])).await;
    admin.put(&key("/prod/here"), "v").await.unwrap();
    server.set_raw("/prod/app", "").unwrap();
    let bob = closed(&server).digest_auth(user("bob", "word"));
    // Below `/prod` nothing may be made by bob, but this was made for all.
    let app = open(bob.clone().chroot("/prod/app")).await;
    app.put(&key("/deep/value"), "v").await.unwrap();
    let other = open(bob.chroot("/prod/other")).await;
    let error = other.put(&key("/deep/value"), "v").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
}

#[tokio::test]
async fn without_an_identity_nothing_is_made_for_a_creator() {
    let server = FakeZooKeeper::start().await.unwrap();
    let error = open(closed(&server)).await.put(&key("/value"), "v").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(error.to_string().contains("knows no identity"), "{error}");
}

#[tokio::test]
async fn a_refused_password_is_denied_at_once() {
    let server = FakeZooKeeper::builder().sasl_user("alice", "wonder").start().await.unwrap();
    let store = open(closed(&server).sasl_digest_md5(user("alice", "wander"))).await;
    let error = timeout(WAIT, store.entry(&key("/value"))).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
}

#[tokio::test]
async fn what_cannot_be_used_is_invalid_and_names_the_file() {
    for options in [
        ZooKeeper::options(["h"]).tls(TlsOptions::new().ca_file("nowhere.pem")),
        ZooKeeper::options(["h"]).digest_auth(Credentials::file("nowhere.pem")),
        ZooKeeper::options(["h"]).sasl_digest_md5(Credentials::file("nowhere.pem")),
    ] {
        let error = options.open().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.to_string().contains("nowhere.pem"), "{error}");
    }
    let error = ZooKeeper::options(["h"]).acl([]).open().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_server_that_knows_no_sasl_is_not_believed_to_know_us() {
    let server = FakeZooKeeper::start().await.unwrap();
    let options = ZooKeeper::options([server.connect_string()]).sasl_digest_md5(user("alice", "wonder"));
    let error = timeout(WAIT, open(options).await.put(&key("/value"), "v")).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
}

#[tokio::test]
async fn an_older_server_is_not_asked_who_we_are() {
    let server = FakeZooKeeper::builder().version(ServerVersion::V3_6).start().await.unwrap();
    let store = ZooKeeper::options([server.connect_string()]).digest_auth(user("bob", "word"));
    let found = store.open().await.unwrap().examine(&key("/probe")).await.unwrap();
    assert_eq!(found.identities, None);
    assert!(server.requests().iter().all(|request| request.op != OpCode::WhoAmI));
}

#[tokio::test]
async fn an_examination_says_who_we_are_and_what_is_open() {
    let server = FakeZooKeeper::start().await.unwrap();
    let options = ZooKeeper::options([server.connect_string()]).digest_auth(user("bob", "word"));
    let found = options.clone().open().await.unwrap().examine(&key("/probe")).await.unwrap();
    assert!(!found.is_secure && !found.is_read_only);
    assert_eq!(found.session_timeout, Duration::from_secs(15));
    assert!(found.identities.unwrap().contains(&"digest:bob".to_owned()));
    assert_eq!(found.warnings.len(), 2, "{:?}", found.warnings);
    let closed = options.chroot("/prod").acl([Acl::creator_all()]).open().await.unwrap();
    closed.put(&key("/value"), "v").await.unwrap();
    assert_eq!(closed.examine(&key("/probe")).await.unwrap().warnings, [""; 0]);
    assert!(server.children("/").iter().all(|name| name != "probe"));
    assert_eq!(server.children("/prod"), ["value"]);
}
