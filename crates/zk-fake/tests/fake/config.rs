//! The members of the ensemble, and changing them.

use quorate_zk_fake::{Builder, FakeZooKeeper};
use quorate_zk_proto::*;

use crate::client::*;

fn change(joining: &str, from_config: i64) -> Request {
    Request::Reconfig(Reconfig {
        joining: Some(joining.into()),
        leaving: None,
        new_members: None,
        from_config,
    })
}

const FOURTH: &str = "server.4=d:2888:3888;2181";

fn builder() -> Builder {
    let lines =
        ["server.1=a:2888:3888;a:2181", "server.2=b:2888:3888;b:2181", "server.3=c:2888:3888:observer"];
    FakeZooKeeper::builder().members(lines).reconfig_enabled().super_user("super", "secret")
}

#[tokio::test]
async fn several_servers_name_their_addresses() {
    let server = FakeZooKeeper::builder().servers(2).start().await.unwrap();
    let config = Client::new(&server).await.data("/zookeeper/config").await.unwrap();
    let line = |at: usize| {
        let (quorum, election) = (2888 + at, 3888 + at);
        format!("server.{}=127.0.0.1:{quorum}:{election}:participant;{}\n", at + 1, server.server(at).addr())
    };
    assert_eq!(config, format!("{}{}version=100000000", line(0), line(1)));
    let stat = server.node("/zookeeper/config").unwrap().stat;
    assert_eq!((stat.version, stat.mzxid), (-1, Zxid::new(0x1_0000_0000)));
}

#[tokio::test]
async fn a_change_is_answered_told_and_counted() {
    let server = builder().start().await.unwrap();
    let (mut admin, mut reader) = (Client::new(&server).await, Client::new(&server).await);
    reader.ask(Request::GetData(GetData { path: path("/zookeeper/config"), watch: true })).await.unwrap();
    admin.auth("digest", "super:secret").await.unwrap();
    let Ok(ReplyBody::Data { data, stat }) = admin.ask(change(FOURTH, 0x1_0000_0000)).await else {
        panic!("refused")
    };
    let config = String::from_utf8(data.unwrap().into()).unwrap();
    assert!(config.contains("\nserver.4=d:2888:3888:participant;0.0.0.0:2181\n"), "{config}");
    assert!(config.ends_with(&format!("version={:x}", server.zxid().get())), "{config}");
    assert_eq!((stat.version, stat.mzxid), (-1, server.zxid()));
    assert_eq!(reader.data("/zookeeper/config").await.unwrap(), config);
    assert_eq!(reader.events().await, [(EventType::NodeDataChanged, "/zookeeper/config".into())]);
    assert_eq!(admin.ask(change(FOURTH, 0x1_0000_0000)).await, Err(ErrorCode::BadVersion), "it has moved on");
}

#[tokio::test]
async fn only_who_may_write_the_configuration_can_change_it() {
    let server = builder().start().await.unwrap();
    let mut client = Client::new(&server).await;
    assert_eq!(client.ask(change(FOURTH, -1)).await, Err(ErrorCode::NoAuth));
    client.auth("digest", "super:secret").await.unwrap();
    client.set_acl("/zookeeper/config", vec![Acl::open()]).await.unwrap();
    assert!(Client::new(&server).await.ask(change(FOURTH, -1)).await.is_ok());
}

#[tokio::test]
async fn reconfiguration_is_off_by_default_and_nothing_for_a_server_alone() {
    let server = FakeZooKeeper::builder().servers(3).start().await.unwrap();
    assert_eq!(Client::new(&server).await.ask(change(FOURTH, -1)).await, Err(ErrorCode::ReconfigDisabled));
    let server = FakeZooKeeper::builder().reconfig_enabled().start().await.unwrap();
    let mut client = Client::new(&server).await;
    assert_eq!(client.ask(change(FOURTH, -1)).await, Err(ErrorCode::Unimplemented));
    assert!(client.ping().await.err.is_ok(), "an error of the operation, not of its code");
}

#[tokio::test]
async fn a_member_that_cannot_be_read_is_an_error_at_the_start() {
    let refused = FakeZooKeeper::builder().members(["server.one=a"]).start().await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
}
