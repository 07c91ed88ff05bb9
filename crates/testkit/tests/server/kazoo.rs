//! kazoo, driven from here.

use quorate_testkit::{Kazoo, ServerOptions, TestCa, ZooKeeper};
use serde_json::{Value, json};

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn kazoo_writes_reads_and_raises() {
    let server = ZooKeeper::start().await;
    let mut kazoo = Kazoo::connect(&server.connect_string()).await;
    let created = kazoo.call("create", json!({ "path": "/a", "value": "\u{0}\u{ff}" })).await.unwrap();
    assert_eq!(created, "/a");
    let read = kazoo.call("get", json!({ "path": "/a" })).await.unwrap();
    assert_eq!((&read[0], &read[1]["version"]), (&json!("\u{0}\u{ff}"), &json!(0)));
    let absent = kazoo.call("get", json!({ "path": "/b" })).await.unwrap_err();
    assert_eq!(absent.name, "NoNodeError");
    kazoo.close().await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn kazoo_tells_what_its_watches_tell() {
    let server = ZooKeeper::start().await;
    let mut kazoo = Kazoo::connect(&server.connect_string()).await;
    kazoo.call("watch_data", json!({ "path": "/a" })).await.unwrap();
    assert_eq!(kazoo.event().await["data"], Value::Null);
    kazoo.call("create", json!({ "path": "/a", "value": "x" })).await.unwrap();
    assert_eq!(kazoo.event().await, json!({ "watch": "data", "path": "/a", "data": "x", "version": 0 }));
    kazoo.close().await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn kazoo_authenticates_by_sasl() {
    let options = ServerOptions::default().sasl_users([("alice", "wonder")]).require_sasl();
    let server = ZooKeeper::start_with(&options).await;
    let login = json!({ "mechanism": "DIGEST-MD5", "username": "alice", "password": "wonder" });
    let arguments = json!({ "sasl_options": login });
    let mut kazoo = Kazoo::connect_with(&server.connect_string(), &arguments).await.unwrap();
    let acl = json!([["sasl", "alice", 31]]);
    kazoo.call("create", json!({ "path": "/hers", "acl": acl })).await.unwrap();
    assert_eq!(kazoo.call("get_acls", json!({ "path": "/hers" })).await.unwrap()[0], acl);
    kazoo.close().await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn kazoo_speaks_tls_and_shows_its_certificate() {
    let ca = TestCa::new();
    let options = ServerOptions::default().tls(ca.server_files()).client_cert_required();
    let server = ZooKeeper::start_with(&options).await;
    let dir = tempfile::TempDir::new().unwrap();
    let (cert, key) = ca.issue("client", &[]).write(dir.path());
    let arguments = json!({ "use_ssl": true, "ca": ca.write(dir.path()), "certfile": cert, "keyfile": key });
    let mut kazoo = Kazoo::connect_with(&server.secure_connect_string(), &arguments).await.unwrap();
    assert_eq!(kazoo.call("create", json!({ "path": "/a" })).await.unwrap(), "/a");
    kazoo.close().await;
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn the_superuser_passes_every_access_list() {
    let server = ZooKeeper::start_with(&ServerOptions::default().superuser("super", "secret")).await;
    let mut plain = Kazoo::connect(&server.connect_string()).await;
    let acl = json!([["digest", "somebody:else", 31]]);
    plain.call("create", json!({ "path": "/closed", "acl": acl })).await.unwrap();
    assert_eq!(plain.call("get", json!({ "path": "/closed" })).await.unwrap_err().name, "NoAuthError");
    let arguments = json!({ "auth_data": [["digest", "super:secret"]] });
    let mut superuser = Kazoo::connect_with(&server.connect_string(), &arguments).await.unwrap();
    superuser.call("get", json!({ "path": "/closed" })).await.unwrap();
    plain.close().await;
    superuser.close().await;
}
