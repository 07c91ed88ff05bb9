//! The resync state machine: raw changes in, events out, no gap ever silent.
//!
//! It performs no I/O. The [watch driver](crate::watch) carries out its commands and feeds it what comes back:
//! arm first, load second, pass on what changed meanwhile; on a gap load again.
//!
//! A gap in the middle of a load does not end it: what is loaded is complete up to the revision that it names, gap or
//! not. It is told, and then loaded once more. So a store that tells one gap after the other is followed at the pace
//! of its loads, and not never.

mod meanwhile;
mod proof;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::vec::IntoIter;

use crate::{Entry, Event, Incarnation, Key, Moment, RawChange, Read, Revision};

use meanwhile::Meanwhile;
use proof::Proof;

/// Turns what a store tells one watch into a stream of [`Event`]s: a resync, then changes.
#[derive(Debug)]
pub struct Resync {
    state: State,
    /// Counts the loads; what was asked for in an earlier round is out of date.
    round: u64,
    told: VecDeque<Told>,
    commands: VecDeque<Command>,
    /// Keys that are being read; `true` if something happened to the key since.
    reading: HashMap<Key, bool>,
    /// Progress that waits for the reads that it came after.
    proof: Option<Proof>,
}

#[derive(Debug)]
enum State {
    /// The watch is being armed.
    Arming,
    /// The content is being loaded; what happens meanwhile is kept.
    Loading(Meanwhile),
    /// The content was told; changes follow.
    Live,
}

/// What is to be told next.
#[derive(Debug)]
enum Told {
    Event(Event),
    /// The entries of a content, which are moved out one by one and never twice in memory.
    Content(IntoIter<Entry>),
}

/// What the driver is to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a driver must carry out every command")]
pub enum Command {
    /// Arm the watch, then call [`Resync::handle_armed`].
    Arm,
    /// Load the whole content: call [`Resync::handle_load_begun`], then [`Resync::handle_loaded`].
    Load {
        /// To be handed back.
        round: u64,
    },
    /// Read one key, then call [`Resync::handle_read`].
    Read {
        /// The key.
        key: Key,
        /// To be handed back.
        round: u64,
    },
}

/// The whole content of a selection, as it was loaded.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "made by the driver, field by field")]
pub struct Loaded {
    /// The life of the store that it belongs to.
    pub incarnation: Incarnation,
    /// The entries. They are told in the order of their keys, whatever their order is here.
    pub entries: Vec<Entry>,
    /// Every change up to this revision is part of the content.
    pub revision: Revision,
    /// When it was asked for.
    pub asked: Moment,
}

impl Default for Resync {
    fn default() -> Self {
        Self::new()
    }
}

impl Resync {
    /// A watch that begins: its first command is to arm.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: State::Arming,
            round: 0,
            told: VecDeque::new(),
            commands: VecDeque::from([Command::Arm]),
            reading: HashMap::new(),
            proof: None,
        }
    }

    /// The watch is armed: what changes from now on is told.
    pub fn handle_armed(&mut self) {
        self.load();
    }

    /// The store told a change.
    pub fn handle_change(&mut self, change: RawChange) {
        match &mut self.state {
            State::Arming => debug_assert!(false, "a watch tells nothing before it is armed"),
            State::Loading(meanwhile) => meanwhile.add(change),
            State::Live => self.pass_on(change),
        }
    }

    /// The load of this round is sent now. What was told until now is part of it.
    pub fn handle_load_begun(&mut self, round: u64) {
        if round == self.round
            && let State::Loading(meanwhile) = &mut self.state
        {
            *meanwhile = Meanwhile::default();
        }
    }

    /// The content was loaded. A load of an earlier round is ignored.
    pub fn handle_loaded(&mut self, round: u64, loaded: Loaded) {
        if round != self.round {
            return;
        }
        let State::Loading(meanwhile) = std::mem::replace(&mut self.state, State::Live) else {
            return;
        };
        let Loaded { incarnation, mut entries, revision, asked } = loaded;
        if !entries.is_sorted_by(|a, b| a.key <= b.key) {
            entries.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        }
        let news = meanwhile.news(&entries, revision);
        self.tell(Event::ResyncStart { incarnation });
        self.told.push_back(Told::Content(entries.into_iter()));
        self.tell(Event::ResyncDone { revision, asked });
        match news {
            Some(news) => news.for_each(|change| self.pass_on(change)),
            None => self.load(),
        }
    }

    /// The watch ended, though the store goes on: it is armed again, and the content loaded again.
    pub fn handle_ended(&mut self) {
        self.start_round(State::Arming, Command::Arm);
    }

    /// The copy may be of another life of the store, or miss something: the content is loaded again.
    pub fn handle_doubt(&mut self) {
        if !matches!(self.state, State::Arming) {
            self.handle_change(RawChange::Gap);
        }
    }

    /// A key was read. A read of an earlier round is ignored.
    pub fn handle_read(&mut self, key: &Key, round: u64, read: Read) {
        if round != self.round {
            return;
        }
        let Some(again) = self.reading.remove(key) else {
            return;
        };
        let revision = read.revision;
        self.tell(match read.into_entry() {
            Some(entry) => Event::Put(entry),
            None => Event::Delete { key: key.clone(), revision },
        });
        if again {
            self.read(key.clone());
        }
        let is_complete = self.proof.as_mut().is_some_and(|proof| proof.handle_read(key));
        if let Some(proof) = self.proof.take_if(|_| is_complete) {
            let (revision, asked) = proof.proves;
            self.tell(Event::Progress { revision, asked });
            if let Some((revision, asked)) = proof.next {
                self.pass_on(RawChange::Progress { revision, asked });
            }
        }
    }

    /// A command could not be carried out. It is told again.
    pub fn handle_failed(&mut self, command: Command) {
        match &command {
            Command::Arm => {}
            Command::Load { round } | Command::Read { round, .. } if *round != self.round => return,
            Command::Load { .. } | Command::Read { .. } => {}
        }
        self.commands.push_back(command);
    }

    /// The next event, if there is one.
    pub fn poll_event(&mut self) -> Option<Event> {
        loop {
            match self.told.front_mut()? {
                Told::Event(_) => {}
                Told::Content(entries) => {
                    if let Some(entry) = entries.next() {
                        return Some(Event::Resync(entry));
                    }
                }
            }
            if let Some(Told::Event(event)) = self.told.pop_front() {
                return Some(event);
            }
        }
    }

    /// The next thing to do, if there is one.
    pub fn poll_command(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    fn load(&mut self) {
        let round = self.round + 1;
        self.start_round(State::Loading(Meanwhile::default()), Command::Load { round });
    }

    /// Begins a new round: everything under way is out of date.
    fn start_round(&mut self, state: State, command: Command) {
        self.round += 1;
        self.reading.clear();
        self.proof = None;
        self.commands.clear();
        self.commands.push_back(command);
        self.state = state;
    }

    fn tell(&mut self, event: Event) {
        self.told.push_back(Told::Event(event));
    }

    fn pass_on(&mut self, change: RawChange) {
        match change {
            RawChange::Put(entry) => self.tell(Event::Put(entry)),
            RawChange::Delete(key, revision) => self.tell(Event::Delete { key, revision }),
            RawChange::Dirty(key) => self.read(key),
            RawChange::Progress { revision, asked } if self.reading.is_empty() => {
                self.tell(Event::Progress { revision, asked });
            }
            RawChange::Progress { revision, asked } => match &mut self.proof {
                Some(proof) => proof.next = Some((revision, asked)),
                None => self.proof = Some(Proof::new((revision, asked), &self.reading)),
            },
            RawChange::Gap => self.load(),
        }
    }

    fn read(&mut self, key: Key) {
        if let Some(again) = self.reading.get_mut(&key) {
            *again = true;
            return;
        }
        self.reading.insert(key.clone(), false);
        self.commands.push_back(Command::Read { key, round: self.round });
    }
}
