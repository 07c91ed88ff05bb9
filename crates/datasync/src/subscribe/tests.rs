//! The board, told by hand what the watches tell.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::answer::{Deadline, Outcome};
use super::applied::AppliedReport;
use super::board::Board;
use super::delivery::Told;
use super::source::SourceId;
use super::subscriber::{Deadlines, SubscriberId};
use super::tickets::Wrote;
use crate::{Entry, Event, Incarnation, Key, Moment, Prefix, Revision, Stat, Version};

const LONG: Deadlines = Deadlines { accept: Duration::from_secs(60), finish: Duration::from_secs(60) };

struct Rig {
    board: Board,
    now: Instant,
}

fn prefix(text: &str) -> Prefix {
    Prefix::parse(text).unwrap()
}

fn entry(name: &str, at: u64, value: &'static str) -> Entry {
    let (key, revision) = (Key::parse(name).unwrap(), Revision::new(at));
    Entry::new(Stat::new(key, revision, revision, Version::new(revision, 0)), value.into())
}

fn delete(name: &str, at: u64) -> Event {
    Event::Delete { key: Key::parse(name).unwrap(), revision: Revision::new(at) }
}

fn progress(at: u64) -> Event {
    Event::Progress { revision: Revision::new(at), asked: Moment::ORIGIN }
}

fn rig(is_atomic: bool) -> Rig {
    Rig { board: Board::new(is_atomic, "application/json"), now: Instant::now() }
}

impl Rig {
    fn subscribe(&mut self, name: &str, prefixes: &[&str]) -> SubscriberId {
        let prefixes: Vec<Prefix> = prefixes.iter().map(|text| prefix(text)).collect();
        self.board.register(name.into(), LONG, &prefixes, self.now).unwrap()
    }

    fn tell(&mut self, source: u64, events: impl IntoIterator<Item = Event>) {
        self.board.feed(SourceId(source), events.into_iter().map(Ok).collect(), self.now);
    }

    fn resync(&mut self, source: u64, at: u64, content: &[Entry]) {
        let start = Event::ResyncStart { incarnation: Incarnation::new(1) };
        let done = Event::ResyncDone { revision: Revision::new(at), asked: Moment::ORIGIN };
        let content = content.iter().cloned().map(Event::Resync);
        self.tell(source, [start].into_iter().chain(content).chain([done]));
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.board.on_time(self.now);
    }

    fn poll(&mut self, id: SubscriberId) -> Option<(Told, u64)> {
        let cx = Context::from_waker(std::task::Waker::noop());
        match self.board.poll(id, &cx, self.now) {
            Poll::Ready(told) => told,
            Poll::Pending => None,
        }
    }

    fn ack(&mut self, id: SubscriberId) -> Told {
        let (told, delivery) = self.poll(id).expect("there is a delivery");
        self.board.answer(id, delivery, Ok(()), self.now);
        told
    }

    fn published(&mut self, at: u64, event: Event) -> oneshot::Receiver<AppliedReport> {
        let (reply, report) = oneshot::channel();
        let (key, is_put) = match &event {
            Event::Put(entry) => (entry.key.clone(), true),
            Event::Delete { key, .. } => (key.clone(), false),
            _ => panic!("nothing was written"),
        };
        let written = vec![Wrote { key, is_put }];
        self.board.expect(reply, Revision::new(at), written, vec![event], self.now);
        report
    }
}

#[test]
fn a_refusal_before_the_acknowledgement_of_the_commit_reaches_its_publisher() {
    let mut rig = rig(true);
    let sub = rig.subscribe("if", &["/if"]);
    rig.resync(0, 1, &[]);
    rig.ack(sub);
    rig.tell(0, [Event::Put(entry("/if/a", 2, "1")), progress(2)]);
    let (_, delivery) = rig.poll(sub).unwrap();
    rig.board.answer(sub, delivery, Err("no such interface".into()), rig.now);
    let mut report = rig.published(2, Event::Put(entry("/if/a", 2, "1")));
    let report = report.try_recv().expect("it was answered");
    assert_eq!(report.outcome("if"), Some(&Outcome::Failed("no such interface".into())));
    // What is committed after it was not answered.
    let mut later = rig.published(3, Event::Put(entry("/if/a", 3, "2")));
    rig.tell(0, [Event::Put(entry("/if/a", 3, "2")), progress(3)]);
    assert!(later.try_recv().is_err());
}

#[test]
fn what_was_deleted_is_not_told_as_put_after_its_publisher_heard_that_it_is_applied() {
    let mut rig = rig(true);
    let sub = rig.subscribe("if", &["/if"]);
    rig.resync(0, 1, &[]);
    rig.ack(sub);
    let mut report = rig.published(3, delete("/if/a", 3));
    assert!(report.try_recv().unwrap().is_applied());
    rig.tell(0, [Event::Put(entry("/if/a", 2, "1")), progress(2)]);
    assert!(rig.poll(sub).is_none(), "it is gone");
    rig.tell(0, [delete("/if/a", 3), progress(3)]);
    assert!(rig.poll(sub).is_none());
}

#[test]
fn a_wider_watch_that_was_loaded_before_the_narrower_is_loaded_again() {
    let mut rig = rig(true);
    let narrow = rig.subscribe("narrow", &["/a/b"]);
    rig.resync(0, 1, &[]);
    rig.ack(narrow);
    let wide = rig.subscribe("wide", &["/a"]);
    drop(rig.board.plan());
    // After a gap, while the wider is loaded. What was committed at 6 is not below "/a": that is never told of it.
    rig.resync(0, 6, &[]);
    rig.ack(narrow);
    rig.resync(1, 5, &[]);
    assert!(rig.poll(wide).is_none());
    let plan = rig.board.plan();
    assert_eq!(plan.begun, [(SourceId(2), prefix("/a"))]);
    assert_eq!(plan.ended, [SourceId(1)]);
    rig.resync(2, 6, &[]);
    rig.ack(wide);
}

#[test]
fn a_deleted_key_does_not_reappear_while_a_watch_is_widened() {
    let mut rig = rig(false);
    let narrow = rig.subscribe("narrow", &["/a/b"]);
    rig.resync(0, 1, &[entry("/a/b/gone", 1, "1"), entry("/a/b/stays", 1, "1")]);
    rig.ack(narrow);
    let wide = rig.subscribe("wide", &["/a"]);
    rig.tell(0, [delete("/a/b/gone", 7)]);
    assert_eq!(rig.ack(narrow).changes.len(), 1);
    // It was loaded before the deletion.
    rig.resync(1, 2, &[entry("/a/b/gone", 1, "1"), entry("/a/b/stays", 1, "1")]);
    assert!(rig.poll(narrow).is_none(), "it was deleted");
    assert_eq!(rig.ack(wide).changes.len(), 1);
    rig.tell(1, [Event::Put(entry("/a/b/gone", 8, "again"))]);
    assert_eq!(rig.ack(narrow).changes.len(), 1);
}

#[test]
fn a_watch_of_an_ended_life_of_the_store_takes_nobodys_place() {
    let mut rig = rig(true);
    let narrow = rig.subscribe("narrow", &["/a/b"]);
    rig.resync(0, 9, &[entry("/a/b/n", 9, "old life")]);
    rig.ack(narrow);
    rig.subscribe("wide", &["/a"]);
    let start = Event::ResyncStart { incarnation: Incarnation::new(2) };
    let done = Event::ResyncDone { revision: Revision::new(1), asked: Moment::ORIGIN };
    rig.tell(0, [start, Event::Resync(entry("/a/b/n", 1, "new life")), done]);
    rig.ack(narrow);
    rig.resync(1, 9, &[entry("/a/b/n", 9, "old life")]);
    assert!(rig.poll(narrow).is_none(), "the old life is over");
}

#[test]
fn a_content_that_does_not_come_keeps_nobody_from_being_told_for_ever() {
    let mut rig = rig(false);
    let mut reports = rig.board.reports();
    let stuck = rig.subscribe("stuck", &["/stuck"]);
    let lively = rig.subscribe("lively", &["/if"]);
    rig.resync(1, 1, &[]);
    assert!(rig.poll(lively).is_none(), "the order is that of the registration");
    rig.pass(Duration::from_secs(11));
    rig.ack(lively);
    let report = reports.try_recv().unwrap();
    assert_eq!(report.outcome("stuck"), Some(&Outcome::TimedOut(Deadline::Arrive)));
    rig.resync(0, 1, &[]);
    rig.ack(stuck);
}

#[test]
fn a_resync_on_demand_does_not_wait_for_ever_behind_those_who_lack_their_content() {
    let mut rig = rig(false);
    rig.subscribe("stuck", &["/stuck"]);
    let lively = rig.subscribe("lively", &["/if"]);
    rig.resync(1, 1, &[]);
    rig.pass(Duration::from_secs(11));
    rig.ack(lively);
    rig.subscribe("stuck too", &["/stuck"]);
    rig.board.resync(oneshot::channel().0, rig.now);
    rig.pass(Duration::from_secs(11));
    rig.ack(lively);
}

#[test]
fn who_wants_nothing_yet_or_any_more_does_not_wait_for_a_content_that_does_not_come() {
    for wants_before in [false, true] {
        let mut rig = rig(false);
        let mut reports = rig.board.reports();
        rig.subscribe("stuck", &["/stuck"]);
        match wants_before {
            true => {
                let id = rig.subscribe("other", &["/other"]);
                rig.board.remove(id, &prefix("/other"), rig.now);
            }
            false => _ = rig.subscribe("other", &[]),
        }
        rig.pass(Duration::from_secs(11));
        let report = reports.try_recv().unwrap();
        assert_eq!(report.outcome("stuck"), Some(&Outcome::TimedOut(Deadline::Arrive)));
    }
}

#[test]
fn while_nothing_can_be_told_the_order_is_kept() {
    let mut rig = rig(false);
    let first = rig.subscribe("first", &["/a"]);
    let second = rig.subscribe("second", &["/b"]);
    rig.pass(Duration::from_secs(3600));
    rig.resync(1, 1, &[]);
    assert!(rig.poll(second).is_none());
    rig.resync(0, 1, &[]);
    rig.ack(first);
    rig.ack(second);
}

#[test]
fn one_gap_after_the_other_does_not_put_a_resync_off_for_ever() {
    let mut rig = rig(false);
    let subs = [rig.subscribe("a", &["/a"]), rig.subscribe("b", &["/b"])];
    for (source, sub) in (0..).zip(subs) {
        rig.resync(source, 1, &[]);
        rig.ack(sub);
    }
    for at in 0..100 {
        rig.resync(at % 2, 2 + at, &[]);
        rig.pass(Duration::from_millis(40));
    }
    assert!(rig.poll(subs[0]).is_some());
}

#[test]
fn those_who_leave_before_their_turn_are_not_kept_for_the_report() {
    let mut rig = rig(false);
    let first = rig.subscribe("first", &["/a"]);
    let mut reports = rig.board.reports();
    for at in 0..1_000 {
        let passing = rig.subscribe(&format!("passing {at}"), &["/a"]);
        rig.board.unregister(passing, rig.now);
    }
    rig.resync(0, 1, &[]);
    rig.ack(first);
    let named: Vec<Arc<str>> =
        reports.try_recv().unwrap().outcomes.into_iter().map(|(name, _)| name).collect();
    assert_eq!(named, ["first".into()]);
}

#[test]
fn a_commit_at_the_key_of_a_prefix_is_not_taken_for_one_below_it() {
    let mut rig = rig(false);
    let narrow = rig.subscribe("narrow", &["/a/b"]);
    rig.resync(0, 1, &[]);
    rig.ack(narrow);
    let wide = rig.subscribe("wide", &["/a"]);
    drop(rig.published(9, Event::Put(entry("/a/b", 9, "1"))));
    // It was deleted again before this was loaded, which is known to be complete only up to 8.
    rig.resync(1, 8, &[]);
    assert!(rig.ack(wide).changes.is_empty(), "it is gone");
}
