//! The oracle: what a follower has to tell, worked out the slow way.

use std::collections::BTreeMap;

use super::history::Write;

/// One thing that a follower tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    New(String, u64),
    Updated(String, u64, u64),
    Deleted(String, u64),
    Rejected(String),
    Synced,
    BatchDone,
}

/// How a follower looks at a node, and what it takes for equal.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    pub(crate) view: fn(u64) -> Option<u64>,
    pub(crate) is_same: fn(u64, u64) -> bool,
}

/// A text, and which making of its node it belongs to.
type Stored = (String, u64);

/// The whole truth, and what was told of it.
pub(crate) struct Oracle {
    look: Look,
    makings: u64,
    /// What is in the store.
    stored: BTreeMap<String, Stored>,
    /// What was in the store when it was looked at last.
    seen: BTreeMap<String, Stored>,
    /// What was told last of each node that is in the view, and of which making.
    told: BTreeMap<String, (u64, u64)>,
    /// What everybody could have seen of each node, in order; `None` where there was nothing in the view.
    states: BTreeMap<String, Vec<Option<u64>>>,
    calls: Vec<Call>,
}

impl Oracle {
    pub(crate) fn new(look: Look) -> Self {
        Self {
            look,
            makings: 0,
            stored: BTreeMap::new(),
            seen: BTreeMap::new(),
            told: BTreeMap::new(),
            states: BTreeMap::new(),
            calls: vec![],
        }
    }

    /// Something was committed, whether or not anybody looks.
    pub(crate) fn write(&mut self, commit: &[Write]) {
        for (node, text) in commit {
            let number = text.as_ref().map(|text| text.parse::<u64>());
            if let Some(Ok(number)) = number {
                self.states.entry(node.clone()).or_default().push((self.look.view)(number));
            } else if number.is_none() {
                self.states.entry(node.clone()).or_default().push(None);
            }
            match text {
                None => drop(self.stored.remove(node)),
                Some(text) => {
                    self.makings += 1;
                    let making = self.stored.get(node).map_or(self.makings, |(_, making)| *making);
                    self.stored.insert(node.clone(), (text.clone(), making));
                }
            }
        }
    }

    /// Looks at the whole store and tells everything that is not as it was told.
    pub(crate) fn look(&mut self) {
        let mut calls = Vec::new();
        let nodes: Vec<String> = self.seen.keys().chain(self.stored.keys()).cloned().collect();
        let (mut first, mut then) = (BTreeMap::new(), BTreeMap::new());
        for node in nodes {
            if self.seen.get(&node) != self.stored.get(&node) {
                let (gone, come) = self.look_at(&node);
                first.extend(gone.map(|call| (node.clone(), call)));
                then.extend(come.map(|call| (node.clone(), call)));
                self.seen.remove(&node);
                self.seen.extend(self.stored.get(&node).map(|stored| (node, stored.clone())));
            }
        }
        calls.extend(first.into_values());
        calls.extend(then.into_values());
        if !calls.is_empty() {
            self.calls.extend(calls);
            self.calls.push(Call::BatchDone);
        }
    }

    /// The first look.
    pub(crate) fn sync(&mut self) {
        self.look();
        self.calls.pop_if(|call| *call == Call::BatchDone);
        self.calls.extend([Call::Synced, Call::BatchDone]);
    }

    /// What becomes of one node: what goes, and what comes.
    fn look_at(&mut self, node: &str) -> (Option<Call>, Option<Call>) {
        let is = self.stored.get(node).cloned();
        let was = self.told.get(node).copied();
        let is_remade = matches!((&is, was), (Some((_, made)), Some((_, before))) if *made != before);
        let name = node.to_owned();
        let mut gone = None;
        let mut old = was.map(|(value, _)| value);
        if let Some(value) = old
            && (is.is_none() || is_remade)
        {
            gone = Some(Call::Deleted(name.clone(), value));
            self.told.remove(node);
            old = None;
        }
        let Some((text, making)) = is else { return (gone, None) };
        let Ok(number) = text.parse::<u64>() else { return (gone, Some(Call::Rejected(name))) };
        let come = match ((self.look.view)(number), old) {
            (None, None) => None,
            (None, Some(value)) => {
                self.told.remove(node);
                return (Some(Call::Deleted(name, value)), None);
            }
            (Some(value), None) => Some(Call::New(name, value)),
            (Some(value), Some(old)) if (self.look.is_same)(old, value) => return (gone, None),
            (Some(value), Some(old)) => Some(Call::Updated(name, old, value)),
        };
        if let Some(Call::New(_, value) | Call::Updated(_, _, value)) = come {
            self.told.insert(node.to_owned(), (value, making));
        }
        (gone, come)
    }

    pub(crate) fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// Whether somebody who may have skipped states can hold this. Of a value that cannot be decoded and of equal
    /// ones it depends on what was skipped which earlier one is held.
    pub(crate) fn allows(&self, view: &BTreeMap<String, u64>) -> bool {
        let is_there = view.keys().all(|node| self.stored.contains_key(node));
        is_there
            && self.stored.iter().all(|(node, (text, _))| {
                let Ok(number) = text.parse::<u64>() else { return true };
                match ((self.look.view)(number), view.get(node)) {
                    (None, None) => true,
                    (Some(value), Some(held)) => value == *held || (self.look.is_same)(*held, value),
                    _ => false,
                }
            })
    }

    /// What everybody could have seen of one node, in order.
    pub(crate) fn states(&self, node: &str) -> &[Option<u64>] {
        self.states.get(node).map_or(&[], Vec::as_slice)
    }
}
