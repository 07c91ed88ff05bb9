//! Which source shows, event by event.

use super::*;
use crate::{Moment, Stat, Version};

fn key(name: &str) -> Key {
    Key::parse(name).unwrap()
}

fn entry(name: &str, at: u64) -> Entry {
    // Made at 1, whenever it was written.
    let (created, revision) = (Revision::new(1), Revision::new(at));
    Entry::new(Stat::new(key(name), created, revision, Version::new(created, at)), at.to_string().into())
}

fn progress(at: u64) -> Event {
    Event::Progress { revision: Revision::new(at), asked: Moment::ORIGIN }
}

/// Two sources, of which the second wins.
fn low_and_high() -> (Layers, LayerId, LayerId) {
    let mut layers = Layers::new(Prefix::root());
    let mut add = |name: &str, priority| layers.add(name.into(), priority, Prefix::root(), true);
    let (low, high) = (add("low", 0), add("high", 1));
    (layers, low, high)
}

fn load(layers: &mut Layers, id: LayerId, life: u128, entries: Vec<Entry>) -> Content {
    layers.apply(id, Event::ResyncStart { incarnation: Incarnation::new(life) });
    for entry in entries {
        layers.apply(id, Event::Resync(entry));
    }
    layers.apply(id, Event::ResyncDone { revision: Revision::new(9), asked: Moment::ORIGIN })
}

#[test]
fn half_a_commit_of_one_source_does_not_show_because_another_moves() {
    let (mut layers, low, high) = low_and_high();
    load(&mut layers, low, 1, vec![entry("/a", 2)]);
    load(&mut layers, high, 2, vec![entry("/a", 3)]);
    layers.apply(high, Event::Delete { key: key("/a"), revision: Revision::new(10) });
    layers.apply(low, Event::Put(entry("/a", 10)));
    assert!(layers.apply(low, progress(10)).is_empty());
    assert_eq!(layers.provenance(&key("/a")).unwrap().revision, Revision::new(3));
    let content = layers.apply(high, progress(10));
    assert!(matches!(&content[..], [(_, Some(installed))] if installed.value == "10"));
}

#[test]
fn half_a_commit_does_not_show_because_a_source_is_removed() {
    let (mut layers, low, high) = low_and_high();
    load(&mut layers, low, 1, vec![entry("/a", 2)]);
    load(&mut layers, high, 2, vec![entry("/a", 3)]);
    layers.apply(low, Event::Put(entry("/a", 10)));
    let content = layers.remove(high);
    assert!(matches!(&content[..], [(_, Some(installed))] if installed.value == "2"));
}

#[test]
fn what_another_life_of_a_source_has_unchanged_goes_on_and_is_no_other_key_when_it_changes() {
    let (mut layers, low, _) = low_and_high();
    load(&mut layers, low, 1, vec![entry("/a", 2)]);
    assert!(load(&mut layers, low, 7, vec![entry("/a", 2)]).is_empty());
    assert_eq!(layers.provenance(&key("/a")).unwrap().incarnation, Incarnation::new(7));
    layers.apply(low, Event::Put(entry("/a", 10)));
    let content = layers.apply(low, progress(10));
    assert!(matches!(&content[..], [(_, Some(installed))] if !installed.is_another));
}
