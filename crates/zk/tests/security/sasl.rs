//! Users that prove themselves by SASL, and servers that must.

use quorate_zk::{Client, ClientOptions, ClientState, Secret};
use quorate_zk_fake::FakeZooKeeper;

use crate::{
    script::{Part, Script},
    support::{path, soon, until},
};

fn client(server: &Script, password: &'static str) -> Client {
    let options = ClientOptions::new([server.connect_string()]);
    options.sasl_digest_md5("alice", Secret::new(password)).connect().unwrap()
}

async fn is_refused(client: &Client) {
    until(client, |state| matches!(state, ClientState::AuthFailed { .. })).await;
    assert!(soon(client.session()).await.unwrap_err().is_auth_failed());
}

#[tokio::test]
async fn a_user_proves_to_know_the_password() {
    let server = Script::start(Part::Sasl).await;
    let client = client(&server, "wonder");
    until(&client, ClientState::is_connected).await;
}

#[tokio::test]
async fn a_wrong_password_ends_the_client() {
    let server = Script::start(Part::Sasl).await;
    is_refused(&client(&server, "wander")).await;
}

#[tokio::test]
async fn a_server_that_does_not_know_the_password_ends_the_client() {
    let server = Script::start(Part::SaslImpostor).await;
    is_refused(&client(&server, "wonder")).await;
}

#[tokio::test]
async fn nothing_is_said_before_the_proof() {
    let server = Script::start(Part::SaslImpostor).await;
    let options = ClientOptions::new([server.connect_string()]).digest_auth("bob", Secret::new("word"));
    let client = options.sasl_digest_md5("alice", Secret::new("wonder")).connect().unwrap();
    let read = client.exists(&path("/"));
    let error = soon(read).await.unwrap_err();
    assert!(error.to_string().contains("not sent"), "{error}");
    is_refused(&client).await;
}

#[tokio::test]
async fn a_server_without_sasl_is_not_taken_for_one_with_it() {
    let fake = FakeZooKeeper::start().await.unwrap();
    let options = ClientOptions::new([fake.connect_string()]);
    let client = options.sasl_digest_md5("alice", Secret::new("wonder")).connect().unwrap();
    let state = until(&client, |state| !matches!(state, ClientState::Connecting { .. })).await;
    assert!(!state.is_connected(), "{state}");
}
