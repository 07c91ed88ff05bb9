//! Watches of several kinds on one path, none of which may break another.

use quorate_zk_proto::*;

use crate::script::*;

fn added(script: &mut Script, at: &str, mode: WatchMode) {
    done(script, add_watch(at, mode), &ReplyBody::WatchAdded);
}

fn removed(script: &mut Script, at: &str, kind: WatcherType) {
    let request = Request::RemoveWatches(RemoveWatches { path: path(at), kind });
    done(script, request, &ReplyBody::Done);
}

/// Sends a request and returns it as the server sees it.
fn seen(script: &mut Script, request: Request) -> (Xid, Request) {
    script.request(request);
    let (xid, ServerRequest::Operation(request)) = script.read().unwrap() else { panic!("no operation") };
    (xid, request)
}

fn notifications(script: &mut Script) -> Vec<(EventType, String)> {
    let notification = |event| match event {
        SessionEvent::Notification(event) => Some((event.event_type, event.path.to_string())),
        _ => None,
    };
    script.events().into_iter().filter_map(notification).collect()
}

fn repair(script: &mut Script) -> (Xid, SetWatches) {
    let (xid, ServerRequest::SetWatches(lists)) = script.read().unwrap() else { panic!("no repair") };
    (xid, lists)
}

#[test]
fn a_one_shot_on_a_path_with_a_lasting_watch_is_not_asked_for_but_remembered() {
    for mode in [WatchMode::Persistent, WatchMode::PersistentRecursive] {
        let mut script = Script::connected();
        added(&mut script, "/p", mode);
        let (xid, request) = seen(&mut script, watch_data("/p"));
        assert_eq!(request, get("/p"));
        script.reply(xid, 41, &data_reply());
        let (xid, _) = seen(&mut script, watch_children("/p"));
        script.reply(xid, 41, &children());
        assert!(script.session.has_one_shot(&path("/p")));
        assert_eq!(script.session.watch_count(), 3);
        script.notify(EventType::NodeDeleted, "/p", -1);
        assert!(!script.session.has_one_shot(&path("/p")));
        assert_eq!(script.session.watch_count(), 1);
    }
}

#[test]
fn elsewhere_one_shots_are_asked_for() {
    let mut script = Script::connected();
    added(&mut script, "/p", WatchMode::PersistentRecursive);
    for at in ["/", "/p/child", "/pp"] {
        assert_eq!(seen(&mut script, watch_data(at)).1, watch_data(at));
    }
}

#[test]
fn a_lasting_watch_under_way_counts_already() {
    let mut script = Script::connected();
    let (add, _) = seen(&mut script, add_watch("/p", WatchMode::Persistent));
    let (exists, request) = seen(&mut script, watch_exists("/p"));
    assert_eq!(request, Request::Exists(Exists { path: path("/p"), watch: false }));
    script.reply(add, 40, &ReplyBody::WatchAdded);
    script.reply_error(exists, 40, ErrorCode::NoNode);
    assert!(script.session.has_one_shot(&path("/p")) && script.read().is_none());
}

#[test]
fn a_one_shot_is_armed_by_itself_when_the_lasting_watch_is_refused() {
    let mut script = Script::connected();
    let (add, _) = seen(&mut script, add_watch("/p", WatchMode::Persistent));
    let (get, _) = seen(&mut script, watch_data("/p"));
    script.reply_error(add, 40, ErrorCode::ThrottledOp);
    script.reply(get, 44, &data_reply());
    let (xid, lists) = repair(&mut script);
    assert_eq!((xid, lists.relative_zxid, lists.data), (Xid::SET_WATCHES, Zxid::new(44), vec![path("/p")]));
    script.events();
    script.reply(Xid::SET_WATCHES, 44, &ReplyBody::Done);
    assert_eq!(script.events(), []);
    assert_eq!(seen(&mut script, watch_children("/p")).1, watch_children("/p"));
}

#[test]
fn a_one_shot_is_armed_by_itself_when_the_lasting_watch_is_removed_or_forgotten() {
    let mut script = Script::connected();
    for (at, forget) in [("/removed", false), ("/forgotten", true)] {
        added(&mut script, at, WatchMode::PersistentRecursive);
        done(&mut script, watch_children(at), &children());
        if forget {
            script.session.forget_watches(&path(at), WatcherType::PersistentRecursive);
            script.session.handle_input(script.now, &mut bytes::BytesMut::new()).unwrap();
        } else {
            removed(&mut script, at, WatcherType::PersistentRecursive);
        }
        assert_eq!(repair(&mut script).1.child, [path(at)]);
    }
}

#[test]
fn what_a_lost_connection_left_unrepaired_counts_as_missed() {
    let mut script = Script::connected();
    let (add, _) = seen(&mut script, add_watch("/p", WatchMode::Persistent));
    let (read, _) = seen(&mut script, watch_data("/p"));
    let (other, _) = seen(&mut script, get("/other"));
    script.reply_error(add, 40, ErrorCode::ThrottledOp);
    script.reply(read, 44, &data_reply());
    script.reply(other, 50, &data_reply());
    repair(&mut script);
    script.reconnect();
    assert_eq!(repair(&mut script).1.relative_zxid, Zxid::new(44));
    script.reply(Xid::SET_WATCHES, 50, &ReplyBody::Done);
    script.reconnect();
    assert_eq!(repair(&mut script).1.relative_zxid, Zxid::new(50));
}

#[test]
fn a_covered_one_shot_on_children_hears_of_them_by_their_own_events() {
    let mut script = Script::connected();
    added(&mut script, "/r", WatchMode::PersistentRecursive);
    done(&mut script, watch_children("/r"), &children());
    script.notify(EventType::NodeCreated, "/r/a/b", 41);
    script.notify(EventType::NodeDataChanged, "/r/a", 42);
    script.notify(EventType::NodeDeleted, "/r/a", 43);
    script.notify(EventType::NodeDeleted, "/r/b", 44);
    let told = notifications(&mut script);
    let expected = [
        (EventType::NodeCreated, "/r/a/b"),
        (EventType::NodeDataChanged, "/r/a"),
        (EventType::NodeDeleted, "/r/a"),
        (EventType::NodeChildrenChanged, "/r"),
        (EventType::NodeDeleted, "/r/b"),
    ];
    assert_eq!(told, expected.map(|(event_type, at)| (event_type, at.to_owned())));
}

#[test]
fn a_one_shot_from_before_a_recursive_watch_is_turned_into_it_by_old_servers_alone() {
    let fired = |zxid| {
        let mut script = Script::connected();
        done(&mut script, watch_children("/r"), &children());
        added(&mut script, "/r", WatchMode::PersistentRecursive);
        script.notify(EventType::NodeCreated, "/r/a", zxid);
        notifications(&mut script).len() == 2
    };
    assert!(fired(-1), "up to 3.8 nothing else will tell");
    assert!(!fired(41), "from 3.9 on the server tells itself");
}

#[test]
fn a_persistent_watch_never_narrows_a_recursive_one() {
    let mut script = Script::connected();
    added(&mut script, "/r", WatchMode::PersistentRecursive);
    let (xid, request) = seen(&mut script, add_watch("/r", WatchMode::Persistent));
    assert_eq!(request, add_watch("/r", WatchMode::PersistentRecursive));
    script.reply(xid, 40, &ReplyBody::WatchAdded);
    script.notify(EventType::NodeCreated, "/r/a", -1);
    script.notify(EventType::NodeCreated, "/r/b", -1);
    let lists = notifications(&mut script).iter().filter(|event| event.1 == "/r").count();
    assert_eq!(lists, 2, "a persistent watch is told of each");
}

#[test]
fn a_persistent_watch_left_by_its_recursive_one_is_armed_and_must_be_read_again() {
    let mut script = Script::connected();
    added(&mut script, "/r", WatchMode::PersistentRecursive);
    added(&mut script, "/r", WatchMode::Persistent);
    removed(&mut script, "/r", WatcherType::PersistentRecursive);
    script.events();
    let Some((_, ServerRequest::SetWatches2(lists))) = script.read() else { panic!("no repair") };
    assert_eq!((lists.persistent, lists.persistent_recursive), (vec![path("/r")], vec![]));
    script.reply(Xid::SET_WATCHES, 41, &ReplyBody::Done);
    assert_eq!(script.events(), [SessionEvent::WatchesRearmed]);
}

#[test]
fn a_repair_takes_no_room_that_a_request_was_promised() {
    let mut script = Script::connected_with(SessionOptions::default().in_flight_max(1).queued_max(0));
    added(&mut script, "/p", WatchMode::Persistent);
    done(&mut script, watch_data("/p"), &data_reply());
    script.session.forget_watches(&path("/p"), WatcherType::Persistent);
    assert!(script.session.has_room());
    script.session.handle_request(script.now, get("/other")).expect("there was room");
    repair(&mut script);
    assert_eq!(script.read().map(|(_, request)| request), Some(ServerRequest::Operation(get("/other"))));
}
