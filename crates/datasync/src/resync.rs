//! The resync state machine: raw changes in, events out, no gap ever silent.
//!
//! It performs no I/O. The [watch driver](crate::watch) carries out its commands and feeds it what comes back:
//! arm first, load second, pass on what changed meanwhile; on a gap load again.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::{Entry, Event, Incarnation, Key, Moment, RawChange, Read, Revision};

/// How many changes are kept while the content loads. Past it they are dropped, and the content is loaded once more
/// when it was told.
const MEANWHILE_MAX: usize = 4096;

/// Turns what a store tells one watch into a stream of [`Event`]s: a resync, then changes.
#[derive(Debug)]
pub struct Resync {
    state: State,
    /// Counts the loads; what was asked for in an earlier round is out of date.
    round: u64,
    events: VecDeque<Event>,
    commands: VecDeque<Command>,
    /// Keys that are being read; `true` if something happened to the key since.
    reading: HashMap<Key, bool>,
    /// Progress that waits for the reads under way.
    progress: Option<(Revision, Moment)>,
}

#[derive(Debug)]
enum State {
    /// The watch is being armed.
    Arming,
    /// The content is being loaded; what happens meanwhile is kept.
    Loading { meanwhile: Vec<RawChange>, dirty: HashSet<Key>, has_overflowed: bool },
    /// The content was told; changes follow.
    Live,
}

/// What the driver is to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a driver must carry out every command")]
pub enum Command {
    /// Arm the watch, then call [`Resync::handle_armed`].
    Arm,
    /// Load the whole content, then call [`Resync::handle_loaded`].
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
    /// The entries.
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
            events: VecDeque::new(),
            commands: VecDeque::from([Command::Arm]),
            reading: HashMap::new(),
            progress: None,
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
            State::Loading { meanwhile, dirty, has_overflowed } => match change {
                RawChange::Gap => self.load(),
                // One read tells them all.
                RawChange::Dirty(key) if dirty.contains(&key) => {}
                _ if *has_overflowed => {}
                _ if meanwhile.len() >= MEANWHILE_MAX => {
                    meanwhile.clear();
                    *has_overflowed = true;
                }
                change => {
                    if let RawChange::Dirty(key) = &change {
                        dirty.insert(key.clone());
                    }
                    meanwhile.push(change);
                }
            },
            State::Live => self.pass_on(change),
        }
    }

    /// The content was loaded. A load of an earlier round is ignored.
    pub fn handle_loaded(&mut self, round: u64, loaded: Loaded) {
        if round != self.round {
            return;
        }
        let State::Loading { meanwhile, has_overflowed, .. } =
            std::mem::replace(&mut self.state, State::Live)
        else {
            return;
        };
        let Loaded { incarnation, entries, revision, asked } = loaded;
        let told: HashMap<Key, Revision> = if meanwhile.is_empty() {
            HashMap::new()
        } else {
            entries.iter().map(|entry| (entry.key.clone(), entry.revision)).collect()
        };
        self.events.push_back(Event::ResyncStart { incarnation });
        self.events.extend(entries.into_iter().map(Event::Resync));
        self.events.push_back(Event::ResyncDone { revision, asked });
        if has_overflowed {
            return self.load();
        }
        for change in meanwhile {
            if !is_part_of(&change, &told, revision) {
                self.pass_on(change);
            }
        }
    }

    /// The watch ended, though the store goes on: it is armed again, and the content loaded again.
    pub fn handle_ended(&mut self) {
        self.start_round(State::Arming, Command::Arm);
    }

    /// The copy may be of another life of the store, or miss something: the content is loaded again.
    pub fn handle_doubt(&mut self) {
        if !matches!(self.state, State::Arming) {
            self.load();
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
        self.events.push_back(match read.into_entry() {
            Some(entry) => Event::Put(entry),
            None => Event::Delete { key: key.clone(), revision },
        });
        if again {
            self.read(key.clone());
        }
        if self.reading.is_empty()
            && let Some((revision, asked)) = self.progress.take()
        {
            self.events.push_back(Event::Progress { revision, asked });
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
        self.events.pop_front()
    }

    /// The next thing to do, if there is one.
    pub fn poll_command(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    fn load(&mut self) {
        let state = State::Loading { meanwhile: Vec::new(), dirty: HashSet::new(), has_overflowed: false };
        let round = self.round + 1;
        self.start_round(state, Command::Load { round });
    }

    /// Begins a new round: everything under way is out of date.
    fn start_round(&mut self, state: State, command: Command) {
        self.round += 1;
        self.reading.clear();
        self.progress = None;
        self.commands.clear();
        self.commands.push_back(command);
        self.state = state;
    }

    fn pass_on(&mut self, change: RawChange) {
        match change {
            RawChange::Put(entry) => self.events.push_back(Event::Put(entry)),
            RawChange::Delete(key, revision) => self.events.push_back(Event::Delete { key, revision }),
            RawChange::Dirty(key) => self.read(key),
            RawChange::Progress { revision, asked } if self.reading.is_empty() => {
                self.events.push_back(Event::Progress { revision, asked });
            }
            RawChange::Progress { revision, asked } => self.progress = Some((revision, asked)),
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

/// Whether a change that came while the content was loaded is contained in it already.
fn is_part_of(change: &RawChange, told: &HashMap<Key, Revision>, revision: Revision) -> bool {
    match change {
        RawChange::Put(entry) => {
            told.get(&entry.key).map_or(entry.revision <= revision, |r| entry.revision <= *r)
        }
        RawChange::Delete(key, at) => told.get(key).map_or(*at <= revision, |r| at < r),
        RawChange::Progress { revision: proved, .. } => *proved < revision,
        RawChange::Dirty(_) | RawChange::Gap => false,
    }
}

#[cfg(test)]
mod tests {
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
        Loaded {
            incarnation: Incarnation::new(1),
            entries,
            revision: Revision::new(at),
            asked: Moment::ORIGIN,
        }
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
    fn a_gap_while_loading_starts_the_load_over() {
        let mut resync = Resync::new();
        resync.poll_command();
        resync.handle_armed();
        resync.handle_change(RawChange::Gap);
        assert_eq!(resync.poll_command(), Some(Command::Load { round: 2 }));
        resync.handle_loaded(1, loaded(vec![], 1));
        assert_eq!(drain(&mut resync), []);
    }

    #[test]
    fn more_changes_than_are_kept_load_again_once_the_content_was_told() {
        let mut resync = Resync::new();
        resync.poll_command();
        resync.handle_armed();
        resync.poll_command();
        for at in 0..2 * MEANWHILE_MAX as u64 {
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
}
