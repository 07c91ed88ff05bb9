//! Watches across connections.

use quorate_zk_proto::*;

use crate::script::*;

/// What the session re-arms on its next connection.
fn rearmed(script: &mut Script) -> Vec<ServerRequest> {
    script.reconnect();
    std::iter::from_fn(|| script.read()).map(|(_, request)| request).collect()
}

fn one_shot(data: &[&str], exist: &[&str], child: &[&str]) -> SetWatches {
    let paths = |list: &[&str]| list.iter().map(|at| path(at)).collect();
    SetWatches { relative_zxid: Zxid::new(40), data: paths(data), exist: paths(exist), child: paths(child) }
}

#[test]
fn a_watch_is_registered_when_the_reply_says_so() {
    let mut script = Script::connected();
    done(&mut script, watch_data("/d"), &data_reply());
    done(&mut script, watch_exists("/e"), &ReplyBody::Stat(Stat::default()));
    done(&mut script, watch_children("/c"), &children());
    failed(&mut script, watch_exists("/missing"), ErrorCode::NoNode);
    failed(&mut script, watch_data("/nothing"), ErrorCode::NoNode);
    failed(&mut script, watch_children("/nothing"), ErrorCode::NoNode);
    failed(&mut script, watch_exists("/denied"), ErrorCode::NoAuth);
    let expected = one_shot(&["/d", "/e"], &["/missing"], &["/c"]);
    assert_eq!(rearmed(&mut script), [ServerRequest::SetWatches(expected)]);
}

#[test]
fn a_one_shot_watch_that_fired_is_not_armed_again() {
    let mut script = Script::connected();
    done(&mut script, watch_data("/a"), &data_reply());
    done(&mut script, watch_children("/a"), &children());
    script.notify(EventType::NodeDataChanged, "/a", -1);
    assert_eq!(rearmed(&mut script), [ServerRequest::SetWatches(one_shot(&[], &[], &["/a"]))]);
    script.notify(EventType::NodeDeleted, "/a", -1);
    assert_eq!(rearmed(&mut script), []);
}

#[test]
fn persistent_watches_stay_and_go_last_without_one_shots() {
    let mut script = Script::connected();
    done(&mut script, watch_data("/p"), &data_reply());
    done(&mut script, add_watch("/p", WatchMode::Persistent), &ReplyBody::WatchAdded);
    done(&mut script, add_watch("/r", WatchMode::PersistentRecursive), &ReplyBody::WatchAdded);
    script.notify(EventType::NodeDeleted, "/r", -1);
    let first = SetWatches2 {
        one_shot: one_shot(&["/p"], &[], &[]),
        persistent: vec![],
        persistent_recursive: vec![],
    };
    let last = SetWatches2 {
        one_shot: one_shot(&[], &[], &[]),
        persistent: vec![path("/p")],
        persistent_recursive: vec![path("/r")],
    };
    assert_eq!(rearmed(&mut script), [ServerRequest::SetWatches2(first), ServerRequest::SetWatches2(last)]);
}

#[test]
fn an_empty_reply_to_add_watch_is_enough() {
    let mut script = Script::connected();
    done(&mut script, add_watch("/p", WatchMode::Persistent), &ReplyBody::Done);
    assert!(matches!(script.events()[..], [SessionEvent::Reply { result: Ok(_), .. }]));
    assert_eq!(rearmed(&mut script).len(), 1);
}

#[test]
fn removed_and_forgotten_watches_are_not_armed_again() {
    let mut script = Script::connected();
    for at in ["/a", "/b", "/c"] {
        done(&mut script, add_watch(at, WatchMode::Persistent), &ReplyBody::WatchAdded);
    }
    let remove = |at| Request::RemoveWatches(RemoveWatches { path: path(at), kind: WatcherType::Any });
    done(&mut script, remove("/a"), &ReplyBody::Done);
    failed(&mut script, remove("/b"), ErrorCode::NoWatcher);
    script.session.forget_watches(&path("/c"), WatcherType::Persistent);
    assert_eq!(rearmed(&mut script), []);
}

#[test]
fn many_watches_are_armed_in_batches_answered_first_in_first_out() {
    let mut script = Script::connected();
    let name = "n".repeat(40_000);
    for index in 0..7 {
        done(&mut script, watch_data(&format!("/{index}{name}")), &data_reply());
    }
    script.reconnect();
    let ticket = script.request(get("/after"));
    script.events();
    let batches = std::iter::from_fn(|| script.read()).take_while(|(xid, _)| *xid == Xid::SET_WATCHES).map(
        |(_, request)| match request {
            ServerRequest::SetWatches(lists) => lists.data.len(),
            other => panic!("{other:?}"),
        },
    );
    assert_eq!(batches.collect::<Vec<_>>(), [3, 3, 1]);
    for _ in 0..3 {
        assert_eq!(script.events(), []);
        script.reply(Xid::SET_WATCHES, 41, &ReplyBody::Done);
    }
    script.reply(Xid::new(8), 41, &data_reply());
    let events = script.events();
    assert_eq!(events[0], SessionEvent::WatchesRearmed);
    assert!(matches!(&events[1], SessionEvent::Reply { ticket: t, result: Ok(_) } if *t == ticket));
}

#[test]
fn a_server_that_refuses_to_arm_watches_makes_them_drop_once() {
    let mut script = Script::connected();
    done(&mut script, add_watch("/p", WatchMode::Persistent), &ReplyBody::WatchAdded);
    script.reconnect();
    script.events();
    script.reply_error(Xid::SET_WATCHES, 0, ErrorCode::Unimplemented);
    assert_eq!(script.events(), [SessionEvent::WatchesDropped]);
    script.reconnect();
    assert!(script.read().is_none());
}

#[test]
fn an_expired_session_drops_its_watches_and_says_so() {
    let mut script = Script::connected();
    done(&mut script, watch_data("/a"), &data_reply());
    script.lose();
    script.connect();
    script.events();
    script.answer_connect(&refused());
    let expected = [SessionEvent::State(SessionState::Expired), SessionEvent::WatchesDropped];
    assert_eq!(script.events(), expected);
    script.connect();
    script.grant(SessionId::new(9));
    assert!(script.read().is_none());
}

#[test]
fn a_notification_is_told_once_and_is_no_progress() {
    let mut script = Script::connected();
    done(&mut script, watch_data("/a"), &data_reply());
    script.events();
    script.notify(EventType::NodeDataChanged, "/a", 99);
    let events = script.events();
    let [SessionEvent::Notification(event)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((event.event_type, event.zxid), (EventType::NodeDataChanged, Some(Zxid::new(99))));
    assert_eq!(script.session.last_zxid(), Zxid::new(40));
}

#[test]
fn a_notification_is_told_before_the_reply_behind_it() {
    let mut script = Script::connected();
    done(&mut script, watch_data("/a"), &data_reply());
    script.events();
    script.request(get("/a"));
    script.notify(EventType::NodeDataChanged, "/a", -1);
    script.reply(Xid::new(2), 41, &data_reply());
    let events = script.events();
    assert!(matches!(&events[0], SessionEvent::Notification(event) if event.zxid.is_none()));
    assert!(matches!(&events[1], SessionEvent::Reply { .. }));
}
