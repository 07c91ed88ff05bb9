//! What a replica promises.

use std::cell::Cell;

use super::deletions::DELETIONS_MAX;
use super::*;
use crate::{Key, Moment, Prefix, Stat, Version};

thread_local! {
    /// How many keys were compared with another one to find the place of an entry.
    pub(super) static COMPARED: Cell<u64> = const { Cell::new(0) };
}

fn entry(name: &str, at: u64, value: &'static str) -> Entry {
    let revision = Revision::new(at);
    let key = Key::parse(name).unwrap();
    Entry::new(Stat::new(key, revision, revision, Version::new(revision, at)), value.into())
}

fn resync(replica: &mut Replica, life: u128, entries: Vec<Entry>, at: u64) -> Vec<Delta> {
    let incarnation = Incarnation::new(life);
    assert_eq!(replica.apply(Event::ResyncStart { incarnation }), []);
    for entry in entries {
        assert_eq!(replica.apply(Event::Resync(entry)), []);
    }
    let done = Event::ResyncDone { revision: Revision::new(at), asked: Moment::ORIGIN };
    let mut deltas = replica.apply(done);
    assert!(matches!(deltas.pop(), Some(Delta::Current { .. })));
    deltas
}

#[test]
fn a_resync_gives_the_difference_with_deletions_first() {
    let mut replica = Replica::new();
    resync(&mut replica, 1, vec![entry("/a", 1, "a"), entry("/z", 2, "z")], 2);
    let deltas = resync(&mut replica, 1, vec![entry("/a", 1, "a"), entry("/b", 3, "b")], 4);
    assert!(matches!(&deltas[0], Delta::Deleted { previous, .. } if previous.key.as_str() == "/z"));
    assert_eq!(deltas[1..], [Delta::Put { entry: entry("/b", 3, "b"), previous: None }]);
}

#[test]
fn what_repeats_or_goes_back_changes_nothing() {
    let mut replica = Replica::new();
    resync(&mut replica, 1, vec![entry("/a", 5, "new")], 5);
    assert_eq!(replica.apply(Event::Put(entry("/a", 5, "new"))), []);
    assert_eq!(replica.apply(Event::Put(entry("/a", 4, "old"))), []);
    let key = Key::parse("/a").unwrap();
    assert_eq!(replica.apply(Event::Delete { key: key.clone(), revision: Revision::new(4) }), []);
    assert_eq!(resync(&mut replica, 1, vec![entry("/a", 4, "old")], 4), []);
    assert_eq!(replica.get(&key).unwrap().value, "new");
}

#[test]
fn a_put_that_is_told_after_its_deletion_changes_nothing() {
    let mut replica = Replica::new();
    resync(&mut replica, 1, vec![entry("/a", 1, "a")], 1);
    let key = Key::parse("/a").unwrap();
    let delete = Event::Delete { key, revision: Revision::new(4) };
    assert_eq!(replica.apply(delete).len(), 1);
    assert_eq!(replica.apply(Event::Put(entry("/a", 3, "late"))), []);
    assert_eq!(resync(&mut replica, 1, vec![entry("/a", 3, "late")], 3), []);
    assert_eq!(replica.apply(Event::Put(entry("/a", 5, "again"))).len(), 1);
}

#[test]
fn an_own_write_survives_a_resync_that_was_loaded_before_it() {
    let mut replica = Replica::new();
    resync(&mut replica, 1, vec![], 1);
    replica.apply(Event::Put(entry("/a", 3, "mine")));
    assert_eq!(resync(&mut replica, 1, vec![], 2), []);
    assert_eq!(replica.iter().count(), 1);
}

#[test]
fn a_new_incarnation_may_go_back() {
    let mut replica = Replica::new();
    resync(&mut replica, 1, vec![entry("/a", 9, "old life")], 9);
    let deltas = resync(&mut replica, 2, vec![entry("/a", 1, "new life")], 1);
    assert!(matches!(&deltas[0], Delta::Put { entry, .. } if entry.value == "new life"));
    assert_eq!(replica.revision(), Revision::new(1));
}

fn numbered(n: u64, at: u64) -> Entry {
    entry(&format!("/nodes/{:03}/{n:06}", n / 1000), at, "value")
}

fn filled(count: u64) -> Replica {
    let mut replica = Replica::new();
    let deltas = resync(&mut replica, 1, (0..count).map(|n| numbered(n, 1)).collect(), 1);
    assert_eq!((deltas.len(), replica.len()), (count as usize, count as usize));
    replica
}

#[test]
fn the_work_for_an_event_grows_with_the_logarithm_of_the_set() {
    let work = |count: u64| {
        let mut replica = filled(count);
        let changed: Vec<u64> = (0..100).map(|n| n * (count / 100)).collect();
        COMPARED.set(0);
        for (at, n) in changed.iter().enumerate() {
            assert_eq!(replica.apply(Event::Put(numbered(*n, 2 + at as u64))).len(), 1);
        }
        COMPARED.get() / 100
    };
    let (few, many) = (work(1_000), work(100_000));
    // The depth of a tree: at most twice the logarithm, 10 and 17.
    assert!(few <= 20 && many <= 34 && many > few, "{few} comparisons of 1,000, {many} of 100,000");
}

#[test]
fn a_write_beside_a_snapshot_copies_the_one_entry() {
    let mut replica = filled(10_000);
    let snapshot = replica.entries().clone();
    replica.apply(Event::Put(numbered(5_000, 2)));
    replica.apply(Event::Delete { key: numbered(7, 1).key, revision: Revision::new(3) });
    assert_eq!((snapshot.len(), replica.len()), (10_000, 9_999));
    let before: std::collections::HashSet<*const Entry> = snapshot.iter().map(std::ptr::from_ref).collect();
    let shared = replica.iter().filter(|entry| before.contains(&std::ptr::from_ref(*entry))).count();
    assert_eq!(shared, 9_998);
}

#[test]
fn a_resync_that_changes_nothing_keeps_the_values_that_are_held() {
    let mut replica = filled(1_000);
    let held: Vec<*const u8> = replica.iter().map(|entry| entry.value.as_ptr()).collect();
    let again = (0..1_000).map(|n| Entry { value: "value".to_owned().into(), ..numbered(n, 1) }).collect();
    assert_eq!(resync(&mut replica, 1, again, 9), []);
    assert!(replica.iter().map(|entry| entry.value.as_ptr()).eq(held));
}

#[test]
fn a_range_is_the_subtree_and_not_its_neighbours() {
    let mut replica = Replica::new();
    for (at, name) in ["/a", "/a-b", "/a/b", "/a/b/c", "/a/z", "/a0", "/ab", "/b"].into_iter().enumerate() {
        replica.apply(Event::Put(entry(name, 1 + at as u64, "v")));
    }
    let range = |prefix: &str| -> Vec<String> {
        replica.range(&Prefix::parse(prefix).unwrap()).map(|entry| entry.key.to_string()).collect()
    };
    assert_eq!(range("/a"), ["/a/b", "/a/b/c", "/a/z"]);
    assert_eq!(range("/a/b"), ["/a/b/c"]);
    assert_eq!(range("/none"), Vec::<String>::new());
    assert_eq!(range("/").len(), 8);
    let last = replica.range(&Prefix::parse("/a").unwrap()).next_back().unwrap();
    assert_eq!(last.key.as_str(), "/a/z");
}

#[test]
fn a_content_that_is_told_in_no_order_gives_the_difference_all_the_same() {
    let mut replica = Replica::new();
    resync(&mut replica, 1, vec![entry("/c", 1, "c"), entry("/a", 2, "a")], 2);
    let deltas = resync(&mut replica, 1, vec![entry("/d", 3, "d"), entry("/c", 1, "c")], 3);
    let keys: Vec<&str> = deltas.iter().filter_map(Delta::key).map(Key::as_str).collect();
    assert_eq!(keys, ["/a", "/d"]);
}

#[test]
fn own_writes_and_deletions_in_the_middle_of_a_resync_are_kept() {
    let mut replica = Replica::new();
    resync(&mut replica, 1, vec![entry("/a", 1, "a"), entry("/b", 2, "b"), entry("/c", 3, "c")], 3);
    replica.apply(Event::ResyncStart { incarnation: Incarnation::new(1) });
    for told in [entry("/a", 1, "a"), entry("/b", 2, "b"), entry("/c", 4, "d")] {
        replica.apply(Event::Resync(told));
    }
    replica.apply(Event::Put(entry("/a", 6, "mine")));
    replica.apply(Event::Delete { key: Key::parse("/b").unwrap(), revision: Revision::new(7) });
    replica.apply(Event::Put(entry("/new", 8, "mine")));
    let done = Event::ResyncDone { revision: Revision::new(5), asked: Moment::ORIGIN };
    let deltas = replica.apply(done);
    assert!(matches!(&deltas[..], [Delta::Put { entry, .. }, Delta::Current { .. }] if entry.value == "d"));
    let values: Vec<_> = replica.iter().map(|entry| &entry.value[..]).collect();
    assert_eq!(values, [&b"mine"[..], b"d", b"mine"]);
}

#[test]
fn a_write_of_the_old_life_in_the_middle_of_a_resync_does_not_survive_it() {
    let mut replica = Replica::new();
    resync(&mut replica, 1, vec![entry("/a", 9, "same")], 9);
    replica.apply(Event::ResyncStart { incarnation: Incarnation::new(2) });
    replica.apply(Event::Resync(entry("/a", 9, "same")));
    replica.apply(Event::Put(entry("/a", 10, "old life")));
    let done = Event::ResyncDone { revision: Revision::new(9), asked: Moment::ORIGIN };
    assert_eq!(replica.apply(done).len(), 2);
    assert_eq!(replica.iter().next().unwrap().value, "same");
}

#[test]
fn deletions_are_remembered_up_to_a_limit_the_oldest_forgotten_first() {
    let mut replica = Replica::new();
    let delete = |n: u64| Event::Delete { key: numbered(n, 1).key, revision: Revision::new(10 + n) };
    for n in 0..=DELETIONS_MAX as u64 {
        replica.apply(delete(n));
        replica.apply(delete(n));
    }
    assert_eq!(replica.deletions.len(), DELETIONS_MAX);
    assert_eq!(replica.apply(Event::Put(numbered(1, 2))), []);
    assert_eq!(replica.apply(Event::Put(numbered(0, 2))).len(), 1);
    let (revision, asked) = (Revision::new(1 << 40), Moment::ORIGIN);
    replica.apply(Event::Progress { revision, asked });
    assert_eq!(replica.deletions.len(), 0);
}

#[test]
fn a_clone_in_the_middle_of_a_resync_goes_on_by_itself() {
    let mut replica = filled(10);
    replica.apply(Event::ResyncStart { incarnation: Incarnation::new(1) });
    let mut clone = replica.clone();
    clone.apply(Event::Resync(numbered(3, 1)));
    let done = Event::ResyncDone { revision: Revision::new(2), asked: Moment::ORIGIN };
    assert_eq!(clone.apply(done.clone()).len(), 10);
    assert_eq!(replica.len(), 10);
    assert_eq!(replica.apply(done).len(), 11);
    assert_eq!((clone.len(), replica.len()), (1, 0));
}

#[test]
fn a_put_says_whether_anything_but_the_revision_moved() {
    let mut replica = Replica::new();
    let tell = |replica: &mut Replica, entry| replica.apply(Event::Put(entry)).pop().unwrap();
    let first = entry("/a", 1, "v");
    let again = Entry { revision: Revision::new(2), ..first.clone() };
    let other = Entry { revision: Revision::new(3), value: "w".into(), ..first.clone() };
    let recreated = Entry { value: "w".into(), ..entry("/a", 4, "w") };
    let told = [first, again, other, recreated].map(|entry| tell(&mut replica, entry));
    assert_eq!(told.each_ref().map(Delta::is_unchanged), [false, true, false, false]);
    assert_eq!(told.each_ref().map(Delta::is_recreated), [false, false, false, true]);
}
