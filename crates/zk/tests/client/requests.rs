//! Requests: their order, their number, their failures.

use quorate_testkit::Direction;
use quorate_zk::{
    ANY_VERSION, Acl, Check, Create, CreateError, CreateMode, Delete, DeleteError, ErrorCode, Exists,
    FailureKind, GetData, MultiError, MultiOp, MultiResult, Outcome, RemoveWatches, Request, SetData,
    SetDataError, WatcherType,
};

use crate::world::{World, create, create_as, path, soon, until};

on_both_servers! {
    operations_answer_with_what_they_did,
    requests_take_effect_in_the_order_of_the_calls,
    requests_are_pipelined,
    a_window_limits_what_is_in_flight,
    a_request_dropped_before_it_was_sent_is_never_sent,
    a_write_whose_reply_is_lost_may_have_been_applied,
    errors_name_operation_path_and_code,
    a_multi_happens_together_or_not_at_all,
    sequential_znodes_get_ascending_names,
    a_chroot_stands_for_the_root,
    requests_that_would_break_watches_are_refused,
    a_request_over_the_limit_is_refused_before_it_is_sent,
}

async fn operations_answer_with_what_they_did(world: World) {
    let client = world.client();
    let node = path("/node");
    let created = soon(client.create(&node, "one", CreateMode::Persistent, vec![Acl::open()])).await.unwrap();
    assert_eq!(created.stat.map(|stat| stat.czxid), Some(created.zxid));
    let stat = soon(client.set_data(&node, "two", 0)).await.unwrap();
    assert_eq!(stat.version, 1);
    let read = soon(client.get_data(&node)).await.unwrap();
    assert_eq!((read.data.as_deref(), read.stat), (Some(&b"two"[..]), stat));
    create(&client, "/node/child").await;
    assert_eq!(soon(client.get_children(&node)).await.unwrap().names, ["child"]);
    let zxid = soon(client.delete(&path("/node/child"), None)).await.unwrap();
    assert!(soon(client.sync(&node)).await.unwrap() >= zxid);
    assert_eq!(soon(client.exists(&path("/node/child"))).await, Ok(None));
}

async fn requests_take_effect_in_the_order_of_the_calls(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    let set = |number: i32| {
        let data = Some(number.to_string().into());
        client.request(Request::SetData(SetData { path: path("/node"), data, version: number }))
    };
    let responses: Vec<_> = (0..100).map(set).collect();
    for response in responses.into_iter().rev() {
        soon(response).await.expect("each found the version that the one before it made");
    }
    assert_eq!(soon(client.get_data(&path("/node"))).await.unwrap().data.as_deref(), Some(&b"99"[..]));
}

async fn requests_are_pipelined(world: World) {
    let client = world.client();
    create(&client, "/node").await;
    world.link.clear();
    let get = Request::GetData(GetData { path: path("/node"), watch: false });
    for response in client.request_all(vec![get; 500]) {
        soon(response).await.unwrap();
    }
    assert!(world.link.round_trips() <= 3, "{} round trips", world.link.round_trips());
    assert!(
        world.link.traffic(Direction::ToServer).flushes <= 10,
        "{:?}",
        world.link.traffic(Direction::ToServer)
    );
}

async fn a_window_limits_what_is_in_flight(world: World) {
    let client = world.options().in_flight_max(4).connect().unwrap();
    soon(client.session()).await.unwrap();
    world.link.clear();
    let exists = Request::Exists(Exists { path: path("/"), watch: false });
    for response in client.request_all(vec![exists; 100]) {
        soon(response).await.unwrap();
    }
    let mut in_flight = 0;
    for frame in world.link.frames() {
        in_flight += if frame.direction == Direction::ToServer { 1 } else { -1 };
        // A ping may be under way besides.
        assert!(in_flight <= 5, "{in_flight} in flight");
    }
}

async fn a_request_dropped_before_it_was_sent_is_never_sent(world: World) {
    let client = world.client();
    soon(client.session()).await.unwrap();
    world.link.refuse();
    until(&client, |state| !state.is_connected()).await;
    drop(client.create(&path("/dropped"), "", CreateMode::Persistent, vec![Acl::open()]));
    let kept = client.create(&path("/kept"), "", CreateMode::Persistent, vec![Acl::open()]);
    world.link.accept();
    soon(kept).await.unwrap();
    assert_eq!(soon(client.exists(&path("/dropped"))).await, Ok(None));
}

async fn a_write_whose_reply_is_lost_may_have_been_applied(world: World) {
    let client = world.client();
    soon(client.session()).await.unwrap();
    world.link.cut_before(Direction::ToClient, 1);
    let created = soon(client.create(&path("/node"), "", CreateMode::Persistent, vec![Acl::open()])).await;
    let error = created.unwrap_err().request_error().clone();
    assert!(error.maybe_applied() && error.is_connection_lost(), "{error}");
    assert!(soon(client.exists(&path("/node"))).await.unwrap().is_some(), "it was applied indeed");
}

async fn errors_name_operation_path_and_code(world: World) {
    let client = world.client();
    let missing = path("/missing");
    let error = soon(client.set_data(&missing, "", None)).await.unwrap_err();
    assert!(matches!(error, SetDataError::NoNode(_)));
    let error = error.request_error();
    assert_eq!((error.code(), error.outcome()), (Some(ErrorCode::NoNode), Outcome::Failed));
    assert_eq!(error.path(), Some(&missing));
    assert_eq!(error.to_string(), "SetData /missing: server answered no node (-101)");
    create(&client, "/node").await;
    let again = client.create(&path("/node"), "", CreateMode::Persistent, vec![Acl::open()]);
    assert!(matches!(soon(again).await, Err(CreateError::NodeExists(_))));
    assert!(matches!(
        soon(client.delete(&path("/node"), 7)).await,
        Err(DeleteError::BadVersion { expected: 7, .. })
    ));
}

async fn a_multi_happens_together_or_not_at_all(world: World) {
    let client = world.client();
    let create_op = |text| {
        let acl = vec![Acl::open()];
        MultiOp::Create(Create { path: path(text), data: None, acl, mode: CreateMode::Persistent })
    };
    let check = |text| MultiOp::Check(Check { path: path(text), version: ANY_VERSION });
    let failed = soon(client.multi_ops(vec![create_op("/a"), check("/missing")])).await;
    assert!(matches!(failed, Err(MultiError::Failed { index: 1, code: ErrorCode::NoNode, .. })));
    assert_eq!(soon(client.exists(&path("/a"))).await, Ok(None));
    let delete = MultiOp::Delete(Delete { path: path("/a"), version: ANY_VERSION });
    let done = soon(client.multi_ops(vec![create_op("/a"), check("/a"), delete])).await.unwrap();
    assert_eq!(done[1..], [MultiResult::Checked, MultiResult::Deleted]);
    assert_eq!(soon(client.multi_ops(vec![])).await, Ok(vec![]));
}

async fn sequential_znodes_get_ascending_names(world: World) {
    let client = world.client();
    create(&client, "/queue").await;
    for number in 0..3 {
        let mode = [CreateMode::PersistentSequential, CreateMode::EphemeralSequential][number % 2];
        assert_eq!(create_as(&client, "/queue/n-", mode).await, format!("/queue/n-{number:010}"));
    }
}

async fn a_chroot_stands_for_the_root(world: World) {
    let outsider = world.outsider();
    create(&outsider, "/app").await;
    let client = world.options().chroot(path("/app")).connect().unwrap();
    assert_eq!(create_as(&client, "/node", CreateMode::Persistent).await, "/node");
    assert!(soon(outsider.exists(&path("/app/node"))).await.unwrap().is_some());
    assert_eq!(soon(client.get_children(&path("/"))).await.unwrap().names, ["node"]);
    let error = soon(client.get_data(&path("/missing"))).await.unwrap_err();
    assert_eq!(error.request_error().path(), Some(&path("/missing")));
}

async fn requests_that_would_break_watches_are_refused(world: World) {
    let client = world.client();
    let request = Request::RemoveWatches(RemoveWatches { path: path("/"), kind: WatcherType::Any });
    let error = soon(client.request(request)).await.unwrap_err();
    assert_eq!((error.code(), error.outcome()), (Some(ErrorCode::BadArguments), Outcome::NotSent));
}

async fn a_request_over_the_limit_is_refused_before_it_is_sent(world: World) {
    let client = world.client();
    let large = vec![0; 2 * 1024 * 1024];
    let created =
        soon(client.create(&path("/large"), large, CreateMode::Persistent, vec![Acl::open()])).await;
    let error = created.unwrap_err().request_error().clone();
    assert!(matches!(error.kind(), Some(FailureKind::TooLarge { .. })) && !error.maybe_applied());
    let token = soon(client.session()).await.unwrap();
    create(&client, "/small").await;
    assert!(!token.has_expired());
}
