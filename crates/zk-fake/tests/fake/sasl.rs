//! SASL DIGEST-MD5.

use quorate_zk_fake::{Builder, FakeZooKeeper};
use quorate_zk_proto::*;

use crate::client::*;

fn builder() -> Builder {
    FakeZooKeeper::builder().sasl_user("bob", "secret").sasl_user("eve", "other")
}

/// Sends a token and returns the answer: its header, and its token.
async fn step(client: &mut Client, token: &[u8]) -> (ReplyHeader, Result<ReplyBody, ErrorCode>) {
    let token = SaslToken { token: Secret::new(token.to_vec()) };
    client.send_op(OpCode::Sasl.code(), |out| token.encode(out)).await;
    client.reply().await
}

async fn token(client: &mut Client, sent: &[u8]) -> Result<bytes::Bytes, ErrorCode> {
    match step(client, sent).await.1? {
        ReplyBody::SaslToken(token) => Ok(token.unwrap_or_default()),
        other => panic!("{other:?}"),
    }
}

/// Goes through the whole exchange.
async fn log_in(client: &mut Client, user: &str, password: &'static str) -> Result<SaslStep, ErrorCode> {
    let mut exchange = DigestMd5Client::new(user, Secret::new(password), "a client's nonce");
    let challenge = token(client, b"").await?;
    assert_eq!(exchange.step(b"").unwrap(), SaslStep::Respond("".into()));
    let SaslStep::Respond(response) = exchange.step(&challenge).unwrap() else { panic!("too early") };
    let answer = token(client, &response).await?;
    Ok(exchange.step(&answer).unwrap())
}

#[tokio::test]
async fn a_user_who_knows_the_password_gets_that_identity() {
    let server = builder().start().await.unwrap();
    let mut client = Client::new(&server).await;
    assert_eq!(log_in(&mut client, "bob", "secret").await, Ok(SaslStep::Done));
    let private = Create { acl: vec![Acl::creator_all()], ..create("/a", CreateMode::Persistent) };
    client.ask(Request::Create(private)).await.unwrap();
    assert_eq!(server.node("/a").unwrap().acl, [Acl::new(Perms::ALL, Id::sasl("bob"))]);
    assert_eq!(Client::new(&server).await.data("/a").await, Err(ErrorCode::NoAuth));
    let mut again = client.again(&server).await;
    assert_eq!(again.data("/a").await, Err(ErrorCode::NoAuth), "identities end with their connection");
}

#[tokio::test]
async fn a_wrong_password_is_refused_with_a_null_token_and_the_end() {
    let server = builder().start().await.unwrap();
    for (user, password) in [("bob", "other"), ("mallory", "secret")] {
        let mut client = Client::new(&server).await;
        assert_eq!(log_in(&mut client, user, password).await, Err(ErrorCode::AuthFailed));
        assert!(client.is_closed().await);
    }
    let mut client = Client::new(&server).await;
    assert!(token(&mut client, b"whatever").await.is_ok(), "the first token is not looked at");
    assert_eq!(token(&mut client, b"nonsense").await, Err(ErrorCode::AuthFailed));
}

#[tokio::test]
async fn where_sasl_is_required_nothing_else_will_do() {
    let server = builder().sasl_required().start().await.unwrap();
    let mut client = Client::new(&server).await;
    client.auth("digest", "bob:secret").await.unwrap();
    assert_eq!(client.stat("/").await, Err(ErrorCode::SessionClosedRequireSaslAuth));
    let mut client = Client::new(&server).await;
    let refused = log_in(&mut client, "bob", "wrong").await;
    assert_eq!(refused, Err(ErrorCode::SessionClosedRequireSaslAuth));
    let mut client = Client::new(&server).await;
    log_in(&mut client, "bob", "secret").await.unwrap();
    assert!(client.stat("/").await.is_ok());
}

#[tokio::test]
async fn a_server_without_users_has_no_token() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut client = Client::new(&server).await;
    assert_eq!(step(&mut client, b"").await.1, Ok(ReplyBody::SaslToken(None)));
    let sasl = vec![Acl::new(Perms::ALL, Id::sasl("bob"))];
    client.create("/a", CreateMode::Persistent).await.unwrap();
    assert_eq!(client.set_acl("/a", sasl).await, Err(ErrorCode::InvalidAcl));
}
