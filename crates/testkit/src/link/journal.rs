//! What passed through a link.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Direction;
use super::frames::Ended;

/// Older frames are forgotten: a link that runs for long must not eat the memory of its test.
const FRAMES_KEPT_MAX: usize = 65_536;

/// One frame that passed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Frame {
    /// Which way it went.
    pub direction: Direction,
    /// On which connection of the link, counted from 1.
    pub connection: u64,
    /// When: on its arrival if it goes to the server, at its delivery if it goes to the client.
    pub at: Instant,
    /// Its bytes, without the length that led it.
    pub body: Bytes,
}

/// How much passed one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Whole frames.
    pub frames: u64,
    /// Bytes, with the lengths of the frames and with what was no frame.
    pub bytes: u64,
    /// Flushes of the sender, as far as can be seen from here: writes that arrived together count as one, and one
    /// that is larger than the receive buffer may count as several.
    pub flushes: u64,
}

/// The record of a link, shared by its connections.
#[derive(Debug, Default)]
pub(super) struct Journal {
    state: Mutex<State>,
    /// Counts changes of `state`, for those who wait for one.
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    to_server: Traffic,
    to_client: Traffic,
    frames: VecDeque<Frame>,
    round_trips: u64,
    connections: u64,
    /// By connection: whether a burst of the client waits for its first answer.
    asking: HashMap<u64, bool>,
    /// The frame to cut at, and how many of its direction are still to pass, that one included.
    armed: Option<(Direction, u64)>,
}

impl Journal {
    /// Records a chunk and the frames that ended in it. `Some(n)` says: deliver its first `n` bytes, then cut. The
    /// rest is not recorded.
    pub(super) fn record(
        &self,
        direction: Direction,
        connection: u64,
        chunk_bytes: usize,
        ended: Vec<Ended>,
    ) -> Option<usize> {
        let mut state = self.lock();
        let mut cut = None;
        for frame in ended {
            if state.springs(direction) {
                cut = Some(frame.start);
                break;
            }
            state.frame(Frame { direction, connection, at: Instant::now(), body: frame.body });
        }
        let traffic = state.traffic_mut(direction);
        traffic.flushes += 1;
        traffic.bytes += cut.unwrap_or(chunk_bytes) as u64;
        drop(state);
        self.changed();
        cut
    }

    /// Counts a connection and returns its number.
    pub(super) fn connected(&self) -> u64 {
        let mut state = self.lock();
        state.connections += 1;
        let id = state.connections;
        state.asking.insert(id, false);
        drop(state);
        self.changed();
        id
    }

    /// Forgets the state of a connection that ended.
    pub(super) fn disconnected(&self, connection: u64) {
        self.lock().asking.remove(&connection);
    }

    pub(super) fn arm(&self, direction: Direction, nth: u64) {
        assert!(nth > 0, "frames are counted from 1");
        self.lock().armed = Some((direction, nth));
    }

    pub(super) fn clear(&self) {
        let mut state = self.lock();
        state.to_server = Traffic::default();
        state.to_client = Traffic::default();
        state.frames.clear();
        state.round_trips = 0;
        for asking in state.asking.values_mut() {
            *asking = false;
        }
    }

    pub(super) fn traffic(&self, direction: Direction) -> Traffic {
        *self.lock().traffic_mut(direction)
    }

    pub(super) fn frames(&self) -> Vec<Frame> {
        self.lock().frames.iter().cloned().collect()
    }

    pub(super) fn round_trips(&self) -> u64 {
        self.lock().round_trips
    }

    pub(super) fn connections(&self) -> u64 {
        self.lock().connections
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The counts of a test that panicked are still counts.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether the frame that is about to pass is the one to cut at.
    fn springs(&mut self, direction: Direction) -> bool {
        match &mut self.armed {
            Some((armed, left)) if *armed == direction => {
                *left -= 1;
                if *left > 0 {
                    return false;
                }
                self.armed = None;
                true
            }
            _ => false,
        }
    }

    fn frame(&mut self, frame: Frame) {
        self.traffic_mut(frame.direction).frames += 1;
        let answers = frame.direction == Direction::ToClient;
        let asked = self.asking.insert(frame.connection, !answers).unwrap_or(false);
        if answers && asked {
            self.round_trips += 1;
        }
        if self.frames.len() == FRAMES_KEPT_MAX {
            self.frames.pop_front();
        }
        self.frames.push_back(frame);
    }

    fn traffic_mut(&mut self, direction: Direction) -> &mut Traffic {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Direction::{ToClient, ToServer};

    fn pass(journal: &Journal, direction: Direction, connection: u64) -> Option<usize> {
        journal.record(direction, connection, 5, vec![Ended { start: 0, body: Bytes::from_static(b"x") }])
    }

    #[test]
    fn pipelined_requests_are_one_round_trip() {
        let journal = Journal::default();
        let one = journal.connected();
        for direction in [ToServer, ToServer, ToClient, ToClient, ToServer, ToClient] {
            pass(&journal, direction, one);
        }
        assert_eq!(journal.round_trips(), 2);
    }

    #[test]
    fn an_unanswered_burst_and_an_unasked_frame_are_no_round_trips() {
        let journal = Journal::default();
        let (one, two) = (journal.connected(), journal.connected());
        pass(&journal, ToServer, one);
        pass(&journal, ToClient, two);
        assert_eq!(journal.round_trips(), 0);
    }

    #[test]
    fn what_was_sent_before_clear_does_not_count_after() {
        let journal = Journal::default();
        let one = journal.connected();
        pass(&journal, ToServer, one);
        journal.clear();
        pass(&journal, ToClient, one);
        assert_eq!((journal.round_trips(), journal.frames().len()), (0, 1));
    }

    #[test]
    fn the_armed_frame_is_cut_once() {
        let journal = Journal::default();
        let one = journal.connected();
        journal.arm(ToClient, 2);
        assert_eq!(pass(&journal, ToServer, one), None);
        assert_eq!(pass(&journal, ToClient, one), None);
        assert_eq!(pass(&journal, ToClient, one), Some(0));
        assert_eq!(pass(&journal, ToClient, one), None);
    }
}
