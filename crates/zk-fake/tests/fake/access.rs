//! Who may do what.

use quorate_zk_fake::{FakeZooKeeper, ServerVersion};
use quorate_zk_proto::*;

use crate::client::*;

#[tokio::test]
async fn digests_are_masked_for_those_who_may_not_administrate() {
    let server = FakeZooKeeper::start().await.unwrap();
    let (mut owner, mut other) = (Client::new(&server).await, Client::new(&server).await);
    owner.create("/a", CreateMode::Persistent).await.unwrap();
    let bob = Id::digest("bob", "secret");
    let acl = vec![Acl::new(Perms::ALL, bob.clone()), Acl::read()];
    owner.set_acl("/a", acl.clone()).await.unwrap();
    assert_eq!(other.acl("/a").await.unwrap()[0].id, Id::new("digest", "bob:x"));
    assert_eq!(other.set_acl("/a", vec![Acl::open()]).await, Err(ErrorCode::NoAuth));
    other.auth("digest", "bob:secret").await.unwrap();
    assert_eq!(other.acl("/a").await.unwrap(), acl);
    assert!(other.set_acl("/a", vec![Acl::open()]).await.is_ok());
}

#[tokio::test]
async fn credentials_that_prove_nothing_close_the_connection() {
    let server = FakeZooKeeper::start().await.unwrap();
    for (scheme, credentials) in [("world", "anyone"), ("sasl", "bob"), ("digest", "no colon")] {
        let mut client = Client::new(&server).await;
        let (header, _) =
            client.ask_for_header(Request::Auth(Auth::new(scheme, Secret::new(credentials)))).await;
        assert_eq!((header.err, header.zxid), (ErrorCode::AuthFailed, Zxid::ZERO), "{scheme}");
        assert!(client.is_closed().await, "{scheme}");
    }
}

#[tokio::test]
async fn addresses_allow_whoever_comes_from_there() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    client.create("/a", CreateMode::Persistent).await.unwrap();
    client.set_acl("/a", vec![Acl::new(Perms::ALL, Id::ip("127.0.0.0/8"))]).await.unwrap();
    assert!(client.data("/a").await.is_ok());
    assert_eq!(
        client.set_acl("/a", vec![Acl::new(Perms::ALL, Id::ip("nowhere"))]).await,
        Err(ErrorCode::InvalidAcl)
    );
    client.set_acl("/a", vec![Acl::new(Perms::ALL, Id::ip("10.0.0.0/8"))]).await.unwrap();
    assert_eq!(client.data("/a").await, Err(ErrorCode::NoAuth));
}

#[tokio::test]
async fn the_super_user_may_do_everything() {
    let server = FakeZooKeeper::builder().super_user("super", "secret").start().await.unwrap();
    let mut client = Client::new(&server).await;
    client.create("/a", CreateMode::Persistent).await.unwrap();
    client.set_acl("/a", vec![Acl::new(Perms::ALL, Id::digest("bob", "x"))]).await.unwrap();
    client.auth("digest", "super:wrong").await.unwrap();
    assert_eq!(client.data("/a").await, Err(ErrorCode::NoAuth));
    client.auth("digest", "super:secret").await.unwrap();
    assert!(client.data("/a").await.is_ok());
}

#[tokio::test]
async fn a_server_that_wants_proof_hears_nobody_without() {
    let server = FakeZooKeeper::builder().auth_required(["digest", "sasl"]).start().await.unwrap();
    let mut client = Client::new(&server).await;
    let refused = client.ask_for_header(exists("/", false)).await.0;
    assert_eq!(refused.err, ErrorCode::SessionClosedRequireSaslAuth);
    assert!(client.is_closed().await);
    let mut again = client.again(&server).await;
    again.auth("digest", "bob:secret").await.unwrap();
    assert!(again.stat("/").await.is_ok() && again.ping().await.err.is_ok());
}

#[tokio::test]
async fn who_am_i_tells_users_without_their_passwords() {
    let server = FakeZooKeeper::builder().version(ServerVersion::V3_7).start().await.unwrap();
    let mut client = Client::new(&server).await;
    client.auth("digest", "bob:secret").await.unwrap();
    let identity = |scheme: &str, user: &str| ClientIdentity { scheme: scheme.into(), user: user.into() };
    let known = vec![identity("ip", "127.0.0.1"), identity("digest", "bob")];
    assert_eq!(client.ask(Request::WhoAmI).await, Ok(ReplyBody::Identities(known)));
}
