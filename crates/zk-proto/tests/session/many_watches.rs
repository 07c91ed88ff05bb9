//! A hundred thousand watched paths.

use std::collections::BTreeSet;

use bytes::{Bytes, BytesMut};
use quorate_zk_proto::*;

use crate::script::*;

const COUNT: usize = 100_000;
const BATCH_BYTES_MAX: usize = 128 * 1024;

/// A path, and a request for a watch of one of the five kinds.
fn watched(index: usize) -> (Request, ErrorCode, ReplyBody) {
    let at = format!("/services/group-{}/instance-{index}", index % 100);
    match index % 5 {
        0 => (watch_data(&at), ErrorCode::Ok, data_reply()),
        1 => (watch_exists(&at), ErrorCode::NoNode, ReplyBody::Done),
        2 => (watch_children(&at), ErrorCode::Ok, children()),
        3 => (add_watch(&at, WatchMode::Persistent), ErrorCode::Ok, ReplyBody::WatchAdded),
        _ => (add_watch(&at, WatchMode::PersistentRecursive), ErrorCode::Ok, ReplyBody::WatchAdded),
    }
}

/// Every frame sent since the last call.
fn frames(script: &mut Script) -> Vec<Bytes> {
    let mut sent = BytesMut::new();
    script.session.poll_transmit(&mut sent);
    std::iter::from_fn(|| take_frame(&mut sent, FRAME_BYTES_MAX).unwrap()).collect()
}

fn watching(count: usize) -> Script {
    let mut script = Script::connected();
    for index in 0..count {
        let (request, code, body) = watched(index);
        script.request(request);
        let xid = Xid::new(i32::try_from(index + 1).unwrap());
        script.reply_header(xid, 40, code, &body).unwrap();
    }
    script.events();
    frames(&mut script);
    script
}

fn lists(frame: Bytes) -> SetWatches2 {
    let mut reader = Reader::new(frame);
    let header = RequestHeader::decode(&mut reader).unwrap();
    match ServerRequest::decode(header, &mut reader).unwrap() {
        ServerRequest::SetWatches2(lists) => lists,
        other => panic!("{other:?}"),
    }
}

#[test]
fn all_of_them_are_armed_again_in_small_batches_persistent_ones_last() {
    let mut script = watching(COUNT);
    assert_eq!(script.session.watch_count(), COUNT);
    script.lose();
    script.connect();
    script.grant(SESSION);
    let frames = frames(&mut script);
    assert!(frames.iter().all(|frame| frame.len() <= BATCH_BYTES_MAX));
    let mut armed: [BTreeSet<ZnodePath>; 5] = Default::default();
    let mut lasting_begun = false;
    for lists in frames.into_iter().map(lists) {
        let SetWatches2 { one_shot, persistent, persistent_recursive } = lists;
        let one_shots = [one_shot.data, one_shot.exist, one_shot.child];
        lasting_begun |= !(persistent.is_empty() && persistent_recursive.is_empty());
        assert!(!lasting_begun || one_shots.iter().all(Vec::is_empty));
        let all = one_shots.into_iter().chain([persistent, persistent_recursive]);
        for (kind, list) in armed.iter_mut().zip(all) {
            kind.extend(list);
        }
    }
    let expected = |index: usize| watched(index).0.path().cloned().unwrap();
    for (kind, armed) in armed.iter().enumerate() {
        assert!(armed.iter().eq(&(kind..COUNT).step_by(5).map(expected).collect::<BTreeSet<_>>()));
    }
}

#[test]
fn the_same_history_gives_the_same_bytes() {
    let rearmed = || {
        let mut script = watching(COUNT / 20);
        script.lose();
        script.connect();
        script.grant(SESSION);
        frames(&mut script)
    };
    assert_eq!(rearmed(), rearmed());
}
