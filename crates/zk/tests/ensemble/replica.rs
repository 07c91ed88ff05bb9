//! Copies that are kept by watches alone: where a watch is lost, the copy stays behind.

use std::collections::{BTreeMap, BTreeSet};

use quorate_zk::{Client, EventType, WatchMode, Watched};
use tokio::sync::watch;

use crate::world::{Value, children, path, soon, value};

/// What a copy knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Copy {
    /// The values of the counters.
    pub(crate) values: BTreeMap<String, Value>,
    /// The paths of what was appended.
    pub(crate) appended: BTreeSet<String>,
}

impl Copy {
    /// The part of it that is this counter.
    pub(crate) fn of_counter(&self, counter: &str) -> Self {
        let values = self.values.iter().filter(|(place, _)| *place == counter);
        let values = values.map(|(place, value)| (place.clone(), value.clone())).collect();
        Self { values, appended: BTreeSet::new() }
    }
}

/// How a copy went.
#[derive(Debug, Default)]
pub(crate) struct Life {
    /// All values that it read.
    pub(crate) seen: Vec<(String, Value)>,
    pub(crate) events: u64,
    pub(crate) resyncs: u64,
}

/// A copy of counters, and of the children of parents.
#[derive(Debug)]
pub(crate) struct Replica {
    client: Client,
    counters: Vec<String>,
    parents: Vec<String>,
    copy: watch::Sender<Copy>,
    life: Life,
}

impl Replica {
    pub(crate) fn new(client: Client, counters: Vec<String>, parents: Vec<String>) -> Self {
        Self { client, counters, parents, copy: watch::Sender::default(), life: Life::default() }
    }

    pub(crate) fn copy(&self) -> watch::Receiver<Copy> {
        self.copy.subscribe()
    }

    /// Keeps the copy by the watch until told to stop.
    pub(crate) async fn follow(
        mut self,
        base: String,
        mode: WatchMode,
        mut stop: watch::Receiver<bool>,
    ) -> Life {
        let mut watcher = soon(self.client.add_watch(&path(&base), mode)).await.unwrap();
        self.read_all().await;
        loop {
            let watched = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return self.life,
                watched = watcher.next() => watched.expect("the client is open"),
            };
            let Watched::Event(event) = watched else {
                self.life.resyncs += 1;
                self.read_all().await;
                continue;
            };
            self.life.events += 1;
            let place = event.path.as_str();
            if self.counters.iter().any(|counter| counter == place) {
                self.read(place).await;
            } else if event.event_type == EventType::NodeCreated {
                self.copy.send_if_modified(|copy| copy.appended.insert(place.to_owned()));
            }
        }
    }

    async fn read_all(&mut self) {
        for counter in self.counters.clone() {
            self.read(&counter).await;
        }
        let mut appended = BTreeSet::new();
        for parent in &self.parents {
            let names = children(&self.client, parent).await;
            appended.extend(names.iter().map(|name| format!("{parent}/{name}")));
        }
        self.copy.send_modify(|copy| copy.appended = appended);
    }

    async fn read(&mut self, place: &str) {
        let now = value(&self.client, place).await;
        self.life.seen.push((place.to_owned(), now.clone()));
        self.copy.send_modify(|copy| {
            let before = copy.values.insert(place.to_owned(), now.clone());
            assert!(before.is_none_or(|before| before.0 <= now.0), "{place} went back to {now:?}");
        });
    }
}
