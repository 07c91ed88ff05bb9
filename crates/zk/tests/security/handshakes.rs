//! Servers that can be trusted, and those that cannot.

use quorate_testkit::TestCa;
use quorate_zk::{ClientOptions, ClientState, TlsOptions};
use quorate_zk_fake::FakeZooKeeper;

use crate::support::{World, connected, disconnected, path, reads, soon, tls_failure, until, works};

#[tokio::test]
async fn a_server_is_known_by_its_address() {
    let world = World::named(&["127.0.0.1"]).await;
    works(world.options(world.tls())).await;
}

#[tokio::test]
async fn a_server_is_known_by_its_name() {
    let world = World::named(&["localhost"]).await;
    let host = format!("localhost:{}", world.terminal.addr().port());
    let client = works(ClientOptions::new([host]).tls(world.tls())).await;
    assert!(soon(client.server_version()).await.is_some(), "asked over TLS too");
}

#[tokio::test]
async fn a_server_may_be_known_by_another_name_than_its_host() {
    let world = World::named(&["zk.example"]).await;
    works(world.options(world.tls().server_name("zk.example"))).await;
}

#[tokio::test]
async fn an_authority_may_be_one_of_many_in_a_file() {
    let world = World::named(&["127.0.0.1"]).await;
    let dir = tempfile::tempdir().unwrap();
    let bundle = dir.path().join("bundle.pem");
    std::fs::write(&bundle, format!("{}\n{}", TestCa::new().cert_pem(), world.ca.cert_pem())).unwrap();
    works(world.options(TlsOptions::new().ca_file(bundle))).await;
}

#[tokio::test]
async fn a_server_of_an_unknown_authority_is_not_trusted() {
    let world = World::named(&["127.0.0.1"]).await;
    let detail = tls_failure(world.options(TlsOptions::new().ca_pem(TestCa::new().cert_pem()))).await;
    assert!(detail.starts_with(&world.terminal.connect_string()), "{detail}");
    assert!(detail.contains("not signed by a trusted authority"), "{detail}");
    assert_eq!(world.fake.sessions().len(), 0);
}

#[tokio::test]
async fn nobody_is_trusted_on_the_word_of_the_operating_system() {
    let world = World::named(&["127.0.0.1"]).await;
    let detail =
        tls_failure(world.options(TlsOptions::new().ca_pem(TestCa::new().cert_pem()).platform_roots()));
    assert!(detail.await.contains("not signed by a trusted authority"));
}

#[tokio::test]
async fn a_server_under_another_name_is_not_trusted() {
    let world = World::named(&["zk.example", "127.0.0.2"]).await;
    let detail = tls_failure(world.options(world.tls())).await;
    assert!(detail.contains("made out to another name"), "{detail}");
    assert!(detail.contains("zk.example"), "it says to whom: {detail}");
    let detail = tls_failure(world.options(world.tls().server_name("other.example"))).await;
    assert!(detail.contains("made out to another name"), "{detail}");
}

#[tokio::test]
async fn the_check_of_names_can_be_given_up_alone() {
    let world = World::named(&["zk.example"]).await;
    works(world.options(world.tls().dangerous_without_hostname_check())).await;
    let stranger = TlsOptions::new().ca_pem(TestCa::new().cert_pem()).dangerous_without_hostname_check();
    let detail = tls_failure(world.options(stranger)).await;
    assert!(detail.contains("not signed by a trusted authority"), "{detail}");
}

#[tokio::test]
async fn an_expired_certificate_is_not_trusted_whoever_checks_names() {
    let ca = TestCa::new();
    let cert = ca.issue_expired("server", &["127.0.0.1"]);
    let world = World::with(ca, &cert).await;
    for tls in [world.tls(), world.tls().dangerous_without_hostname_check()] {
        let detail = tls_failure(world.options(tls)).await;
        assert!(detail.contains("has expired"), "{detail}");
    }
}

#[tokio::test]
async fn a_client_with_tls_never_talks_to_a_server_without() {
    let fake = FakeZooKeeper::start().await.unwrap();
    let tls = TlsOptions::new().ca_pem(TestCa::new().cert_pem());
    let detail = tls_failure(ClientOptions::new([fake.connect_string()]).tls(tls)).await;
    assert!(detail.contains("may not speak TLS"), "{detail}");
    assert_eq!(fake.sessions().len(), 0);
}

#[tokio::test]
async fn a_client_without_tls_is_told_that_the_server_has_it() {
    let world = World::named(&["127.0.0.1"]).await;
    let detail = tls_failure(ClientOptions::new([world.terminal.connect_string()])).await;
    assert!(detail.contains("the server speaks TLS on this port"), "{detail}");
}

#[tokio::test]
async fn a_host_that_no_certificate_can_name_is_passed_over() {
    let world = World::named(&["localhost"]).await;
    let port = world.terminal.addr().port();
    // The zone of an address is no part of it in a certificate, and a dead host is no reason to give up.
    let hosts = ["127.0.0.1:1".to_owned(), format!("127.0.0.1:{port}"), format!("localhost:{port}")];
    works(ClientOptions::new(hosts).in_order().tls(world.tls())).await;
}

#[tokio::test]
async fn a_session_outlives_its_connections_and_handshakes_get_shorter() {
    let world = World::named(&["127.0.0.1"]).await;
    let client = works(world.options(world.tls())).await;
    let session = connected(&client).await;
    for _ in 0..3 {
        world.terminal.cut();
        disconnected(&client).await;
        assert_eq!(connected(&client).await, session);
        reads(&client).await;
    }
    assert!(world.terminal.resumed() > 0, "no handshake was resumed");
}

#[tokio::test]
async fn much_goes_through_in_both_directions() {
    let world = World::named(&["127.0.0.1"]).await;
    let client = works(world.options(world.tls())).await;
    let large = vec![b'x'; 900_000];
    let writes: Vec<_> = (0..20).map(|_| client.set_data(&path("/node"), large.clone(), None)).collect();
    let reads: Vec<_> = (0..20).map(|_| client.get_data(&path("/node"))).collect();
    for write in writes {
        soon(write).await.unwrap();
    }
    for read in reads {
        assert_eq!(soon(read).await.unwrap().data.as_deref(), Some(&large[..]));
    }
}

#[tokio::test]
async fn a_client_that_closes_ends_its_session() {
    let world = World::named(&["127.0.0.1"]).await;
    let client = works(world.options(world.tls())).await;
    soon(client.close()).await;
    assert_eq!(world.fake.sessions().len(), 0);
    until(&client, |state| matches!(state, ClientState::Closed { .. })).await;
}
