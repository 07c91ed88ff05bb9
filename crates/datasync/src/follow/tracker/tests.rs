//! What the tracker makes of events.

use super::*;
use crate::follow::FollowEvent;
use crate::follow::lens::Projected;
use crate::{Incarnation, Json, Stat, Version};

fn entry(name: &str, at: u64, value: u64) -> Entry {
    let (key, revision) = (Key::parse(name).unwrap(), Revision::new(at));
    // Made at 1, whenever it was written.
    let created = Revision::new(1);
    Entry::new(Stat::new(key, created, revision, Version::new(created, at)), value.to_string().into())
}

fn delete(name: &str, at: u64) -> Event {
    Event::Delete { key: Key::parse(name).unwrap(), revision: Revision::new(at) }
}

fn lens() -> impl Lens<u64> {
    Projected {
        codec: Json,
        passes: Box::new(|_| true),
        project: Box::new(Some::<u64>),
        is_same: |_: &u64, _: &u64| false,
    }
}

fn live(is_atomic: bool) -> Tracker<u64> {
    let mut tracker = Tracker::new(is_atomic);
    tracker.apply(Event::ResyncStart { incarnation: Incarnation::new(1) }, &lens());
    let done = Event::ResyncDone { revision: Revision::new(1), asked: Moment::ORIGIN };
    tracker.apply(done, &lens());
    assert_eq!(batches(&mut tracker), [1]);
    tracker
}

/// How many events each batch has that is complete.
fn batches(tracker: &mut Tracker<u64>) -> Vec<usize> {
    std::iter::from_fn(|| tracker.poll_batch()).map(|told| told.batch.events.len()).collect()
}

fn progress(at: u64) -> Event {
    Event::Progress { revision: Revision::new(at), asked: Moment::ORIGIN }
}

#[test]
fn where_commits_are_told_whole_a_batch_ends_with_progress_and_not_before() {
    let mut tracker = live(true);
    tracker.apply(Event::Put(entry("/a", 2, 1)), &lens());
    tracker.handle_quiet();
    tracker.apply(Event::Put(entry("/b", 2, 1)), &lens());
    assert!(batches(&mut tracker).is_empty());
    tracker.apply(progress(2), &lens());
    assert_eq!(batches(&mut tracker), [2]);
    tracker.apply(progress(3), &lens());
    assert!(batches(&mut tracker).is_empty());
    assert_eq!(tracker.poll_proof().unwrap().0, Revision::new(3));
}

#[test]
fn elsewhere_a_batch_is_what_comes_at_once_and_has_no_node_twice() {
    let mut tracker = live(false);
    for event in [Event::Put(entry("/a", 2, 1)), Event::Put(entry("/b", 3, 1)), delete("/a", 4)] {
        tracker.apply(event, &lens());
    }
    assert_eq!(batches(&mut tracker), [2]);
    tracker.handle_quiet();
    assert_eq!(batches(&mut tracker), [1]);
}

#[test]
fn a_batch_without_an_end_is_cut() {
    let mut tracker = live(false);
    for n in 0..3 * BATCH_MAX as u64 {
        tracker.apply(Event::Put(entry(&format!("/{n}"), n + 2, 1)), &lens());
    }
    assert_eq!(batches(&mut tracker), [BATCH_MAX, BATCH_MAX]);
}

#[test]
fn half_a_commit_is_told_with_the_resync_that_cut_it_off() {
    let mut tracker = live(true);
    tracker.apply(Event::Put(entry("/a", 2, 1)), &lens());
    tracker.apply(Event::ResyncStart { incarnation: Incarnation::new(1) }, &lens());
    tracker.apply(Event::Resync(entry("/a", 3, 2)), &lens());
    tracker.apply(Event::Resync(entry("/b", 2, 1)), &lens());
    tracker.apply(Event::ResyncDone { revision: Revision::new(3), asked: Moment::ORIGIN }, &lens());
    let told = tracker.poll_batch().unwrap();
    assert_eq!(told.batch.events.len(), 2);
    assert!(matches!(&told.batch.events[0], FollowEvent::New { value, .. } if **value == 2));
}

#[test]
fn what_half_a_commit_changed_and_the_resync_undid_is_not_told() {
    let mut tracker = live(true);
    tracker.apply(Event::Put(entry("/a", 2, 1)), &lens());
    tracker.apply(progress(2), &lens());
    assert_eq!(batches(&mut tracker), [1]);
    tracker.apply(Event::Put(entry("/a", 3, 2)), &lens());
    tracker.apply(Event::ResyncStart { incarnation: Incarnation::new(1) }, &lens());
    tracker.apply(Event::Resync(entry("/a", 4, 1)), &lens());
    tracker.apply(Event::ResyncDone { revision: Revision::new(4), asked: Moment::ORIGIN }, &lens());
    assert_eq!(batches(&mut tracker), [0]);
}

#[test]
fn another_life_of_the_store_may_go_back() {
    let mut tracker = live(true);
    tracker.apply(progress(9), &lens());
    tracker.apply(Event::ResyncStart { incarnation: Incarnation::new(2) }, &lens());
    tracker.apply(Event::Resync(entry("/a", 3, 1)), &lens());
    tracker.apply(Event::ResyncDone { revision: Revision::new(3), asked: Moment::ORIGIN }, &lens());
    assert_eq!(tracker.poll_batch().unwrap().batch.revision, Revision::new(3));
}

#[test]
fn what_is_held_is_the_buffer_of_the_replica() {
    let mut tracker = live(true);
    let value = Bytes::from(b"12345".to_vec());
    let entry = Entry { value: value.clone(), ..entry("/a", 2, 1) };
    tracker.apply(Event::Put(entry), &lens());
    let held = tracker.view.nodes.get(&Key::parse("/a").unwrap()).unwrap();
    assert_eq!(held.bytes.as_ptr(), value.as_ptr());
}
