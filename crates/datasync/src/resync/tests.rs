//! What the state machine makes of what a store tells.

use super::meanwhile::{CHANGES_MAX, DIRTY_MAX};
use super::*;
use crate::{Found, Stat, Version};

fn key(name: &str) -> Key {
    Key::parse(name).unwrap()
}

fn entry(name: &str, at: u64) -> Entry {
    let revision = Revision::new(at);
    Entry::new(Stat::new(key(name), revision, revision, Version::new(revision, at)), "v".into())
}

fn loaded(entries: Vec<Entry>, at: u64) -> Loaded {
    Loaded { incarnation: Incarnation::new(1), entries, revision: Revision::new(at), asked: Moment::ORIGIN }
}

fn live(entries: Vec<Entry>, at: u64) -> Resync {
    let mut resync = Resync::new();
    assert_eq!(resync.poll_command(), Some(Command::Arm));
    resync.handle_armed();
    assert_eq!(resync.poll_command(), Some(Command::Load { round: 1 }));
    resync.handle_loaded(1, loaded(entries, at));
    drain(&mut resync);
    resync
}

fn drain(resync: &mut Resync) -> Vec<Event> {
    std::iter::from_fn(|| resync.poll_event()).collect()
}

#[test]
fn a_watch_arms_then_loads_then_tells_what_came_meanwhile() {
    let mut resync = Resync::new();
    assert_eq!(resync.poll_command(), Some(Command::Arm));
    resync.handle_armed();
    assert_eq!(resync.poll_command(), Some(Command::Load { round: 1 }));
    resync.handle_change(RawChange::Put(entry("/a", 1)));
    resync.handle_change(RawChange::Put(entry("/a", 3)));
    resync.handle_change(RawChange::Delete(key("/b"), Revision::new(4)));
    resync.handle_loaded(1, loaded(vec![entry("/a", 1), entry("/b", 2)], 2));
    let events = drain(&mut resync);
    assert!(matches!(events[0], Event::ResyncStart { .. }));
    assert_eq!(events[1..3], [Event::Resync(entry("/a", 1)), Event::Resync(entry("/b", 2))]);
    assert!(matches!(events[3], Event::ResyncDone { .. }));
    let deleted = Event::Delete { key: key("/b"), revision: Revision::new(4) };
    assert_eq!(events[4..], [Event::Put(entry("/a", 3)), deleted]);
}

#[test]
fn a_gap_loads_again_and_forgets_what_was_under_way() {
    let mut resync = live(vec![], 1);
    resync.handle_change(RawChange::Dirty(key("/a")));
    assert_eq!(resync.poll_command(), Some(Command::Read { key: key("/a"), round: 1 }));
    resync.handle_change(RawChange::Gap);
    assert_eq!(resync.poll_command(), Some(Command::Load { round: 2 }));
    resync.handle_read(&key("/a"), 1, Read::new(Found::Absent, Revision::new(1)));
    resync.handle_loaded(1, loaded(vec![], 1));
    assert_eq!(drain(&mut resync), []);
    resync.handle_loaded(2, loaded(vec![], 5));
    assert_eq!(drain(&mut resync).len(), 2);
}

#[test]
fn a_gap_while_loading_lets_the_load_finish_and_loads_once_more() {
    let mut resync = Resync::new();
    resync.poll_command();
    resync.handle_armed();
    assert_eq!(resync.poll_command(), Some(Command::Load { round: 1 }));
    for _ in 0..3 {
        resync.handle_change(RawChange::Gap);
        resync.handle_change(RawChange::Put(entry("/a", 9)));
    }
    assert_eq!(resync.poll_command(), None);
    resync.handle_loaded(1, loaded(vec![entry("/a", 1)], 1));
    assert_eq!(drain(&mut resync).len(), 3);
    assert_eq!(resync.poll_command(), Some(Command::Load { round: 2 }));
}

#[test]
fn what_was_told_before_a_load_begins_is_part_of_it() {
    let mut resync = Resync::new();
    resync.poll_command();
    resync.handle_armed();
    resync.poll_command();
    resync.handle_change(RawChange::Gap);
    resync.handle_change(RawChange::Dirty(key("/a")));
    resync.handle_load_begun(1);
    resync.handle_loaded(1, loaded(vec![entry("/a", 1)], 1));
    assert_eq!(drain(&mut resync).len(), 3);
    assert_eq!(resync.poll_command(), None);
}

#[test]
fn under_gaps_without_end_every_load_is_told() {
    let mut resync = Resync::new();
    resync.poll_command();
    resync.handle_armed();
    for round in 1..100 {
        assert_eq!(resync.poll_command(), Some(Command::Load { round }));
        resync.handle_load_begun(round);
        resync.handle_change(RawChange::Gap);
        resync.handle_loaded(round, loaded(vec![entry("/a", round)], round));
        assert_eq!(drain(&mut resync).len(), 3);
    }
}

#[test]
fn a_content_in_no_order_is_told_in_the_order_of_its_keys() {
    let mut resync = Resync::new();
    resync.poll_command();
    resync.handle_armed();
    resync.poll_command();
    resync.handle_change(RawChange::Put(entry("/c", 2)));
    resync.handle_loaded(1, loaded(vec![entry("/c", 3), entry("/a", 1), entry("/b", 2)], 3));
    let told = drain(&mut resync);
    assert_eq!(
        told[1..4],
        ["/a", "/b", "/c"].map(|name| Event::Resync(entry(name, u64::from(name.as_bytes()[1] - b'`'))))
    );
    assert_eq!(told.len(), 5);
}

#[test]
fn a_proof_that_came_while_loading_waits_for_the_dirty_keys() {
    let mut resync = Resync::new();
    resync.poll_command();
    resync.handle_armed();
    resync.poll_command();
    let (revision, asked) = (Revision::new(7), Moment::ORIGIN);
    resync.handle_change(RawChange::Dirty(key("/a")));
    resync.handle_change(RawChange::Progress { revision, asked });
    resync.handle_loaded(1, loaded(vec![], 1));
    assert_eq!(drain(&mut resync).len(), 2);
    assert_eq!(resync.poll_command(), Some(Command::Read { key: key("/a"), round: 1 }));
    resync.handle_read(&key("/a"), 1, Read::new(Found::Entry(entry("/a", 7)), revision));
    assert_eq!(drain(&mut resync), [Event::Put(entry("/a", 7)), Event::Progress { revision, asked }]);
}

#[test]
fn dirty_keys_are_kept_once_each_and_up_to_a_limit() {
    let mut meanwhile = Meanwhile::default();
    for n in 0..4 * CHANGES_MAX {
        meanwhile.add(RawChange::Dirty(key(&format!("/{}", n % 100))));
    }
    assert_eq!(meanwhile.news(&[], Revision::ZERO).unwrap().count(), 100);
    let mut meanwhile = Meanwhile::default();
    for n in 0..=DIRTY_MAX {
        meanwhile.add(RawChange::Dirty(key(&format!("/{n}"))));
    }
    assert!(meanwhile.news(&[], Revision::ZERO).is_none());
}

#[test]
fn more_changes_than_are_kept_load_again_once_the_content_was_told() {
    let mut resync = Resync::new();
    resync.poll_command();
    resync.handle_armed();
    resync.poll_command();
    for at in 0..2 * CHANGES_MAX as u64 {
        resync.handle_change(RawChange::Put(entry("/a", at)));
    }
    assert_eq!(resync.poll_command(), None);
    resync.handle_loaded(1, loaded(vec![entry("/a", 1)], 1));
    assert_eq!(drain(&mut resync).len(), 3);
    assert_eq!(resync.poll_command(), Some(Command::Load { round: 2 }));
}

#[test]
fn a_watch_that_ended_is_armed_again() {
    let mut resync = live(vec![], 1);
    resync.handle_ended();
    assert_eq!(resync.poll_command(), Some(Command::Arm));
    resync.handle_armed();
    assert!(matches!(resync.poll_command(), Some(Command::Load { .. })));
}

#[test]
fn a_dirty_key_is_read_once_at_a_time_and_again_if_it_moved() {
    let mut resync = live(vec![], 1);
    for _ in 0..3 {
        resync.handle_change(RawChange::Dirty(key("/a")));
    }
    let read = Command::Read { key: key("/a"), round: 1 };
    assert_eq!(resync.poll_command(), Some(read.clone()));
    assert_eq!(resync.poll_command(), None);
    resync.handle_read(&key("/a"), 1, Read::new(Found::Entry(entry("/a", 2)), Revision::new(2)));
    assert_eq!(drain(&mut resync), [Event::Put(entry("/a", 2))]);
    assert_eq!(resync.poll_command(), Some(read));
}

#[test]
fn progress_waits_for_the_reads_under_way() {
    let mut resync = live(vec![], 1);
    resync.handle_change(RawChange::Dirty(key("/a")));
    let (revision, asked) = (Revision::new(2), Moment::ORIGIN);
    resync.handle_change(RawChange::Progress { revision, asked });
    assert_eq!(drain(&mut resync), []);
    resync.handle_read(&key("/a"), 1, Read::new(Found::Absent, revision));
    let deleted = Event::Delete { key: key("/a"), revision };
    assert_eq!(drain(&mut resync), [deleted, Event::Progress { revision, asked }]);
}

#[test]
fn a_failed_command_is_told_again_unless_it_is_out_of_date() {
    let mut resync = live(vec![], 1);
    resync.handle_failed(Command::Load { round: 0 });
    assert_eq!(resync.poll_command(), None);
    resync.handle_change(RawChange::Gap);
    let load = resync.poll_command().unwrap();
    resync.handle_failed(load.clone());
    assert_eq!(resync.poll_command(), Some(load));
}

#[test]
fn progress_is_told_though_its_key_goes_on_changing() {
    let mut resync = live(vec![], 1);
    let progress = |at| RawChange::Progress { revision: Revision::new(at), asked: Moment::ORIGIN };
    let told = |at| Event::Progress { revision: Revision::new(at), asked: Moment::ORIGIN };
    let read = |at| Read::new(Found::Entry(entry("/a", at)), Revision::new(at));
    resync.handle_change(RawChange::Dirty(key("/a")));
    resync.handle_change(progress(2));
    resync.handle_change(RawChange::Dirty(key("/a")));
    resync.handle_change(progress(3));
    resync.handle_change(progress(4));
    resync.handle_read(&key("/a"), 1, read(2));
    assert_eq!(drain(&mut resync), [Event::Put(entry("/a", 2)), told(2)]);
    resync.handle_change(RawChange::Dirty(key("/a")));
    resync.handle_read(&key("/a"), 1, read(4));
    assert_eq!(drain(&mut resync), [Event::Put(entry("/a", 4)), told(4)]);
}

#[test]
fn progress_waits_for_the_second_read_of_a_key_that_changed_before_it() {
    let mut resync = live(vec![], 1);
    resync.handle_change(RawChange::Dirty(key("/a")));
    resync.handle_change(RawChange::Dirty(key("/a")));
    let (revision, asked) = (Revision::new(3), Moment::ORIGIN);
    resync.handle_change(RawChange::Progress { revision, asked });
    resync.handle_read(&key("/a"), 1, Read::new(Found::Absent, Revision::new(2)));
    assert_eq!(drain(&mut resync).len(), 1);
    resync.handle_read(&key("/a"), 1, Read::new(Found::Absent, Revision::new(3)));
    assert_eq!(drain(&mut resync).last(), Some(&Event::Progress { revision, asked }));
}
