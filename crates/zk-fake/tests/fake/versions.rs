//! What older servers do not know.

use quorate_zk_fake::{FakeZooKeeper, ServerVersion};
use quorate_zk_proto::*;

use crate::client::*;

#[tokio::test]
async fn an_operation_newer_than_the_server_is_refused_and_closes_the_connection() {
    let create2 = Request::CreateWithStat(create("/a", CreateMode::Persistent));
    let watch = Request::AddWatch(AddWatch { path: path("/a"), mode: WatchMode::Persistent });
    let reconfig = Reconfig { joining: None, leaving: None, new_members: None, from_config: -1 };
    let cases = [
        (ServerVersion::V3_4, create2),
        (ServerVersion::V3_4, Request::Create(create("/a", CreateMode::Container))),
        (
            ServerVersion::V3_4,
            Request::CheckWatches(CheckWatches { path: path("/a"), kind: WatcherType::Any }),
        ),
        (ServerVersion::V3_4, Request::Reconfig(reconfig)),
        (ServerVersion::V3_5, watch),
        (ServerVersion::V3_6, Request::WhoAmI),
    ];
    for (version, request) in cases {
        let server = FakeZooKeeper::builder().version(version).start().await.unwrap();
        let mut client = Client::new(&server).await;
        let refused = client.ask(request).await;
        assert_eq!((refused, client.is_closed().await), (Err(ErrorCode::Unimplemented), true), "{version:?}");
        assert!(client.again(&server).await.ping().await.err.is_ok(), "the session lives on");
    }
}
