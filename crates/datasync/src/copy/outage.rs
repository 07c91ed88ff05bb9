//! What is out of reach, and was told to be.

use std::collections::VecDeque;

use crate::Error;

use super::{MirrorEvent, Side};

/// What showed that a side is out of reach. Only the same shows that it is back: a watch still tells what it heard
/// before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    Link,
    Watch,
    Request,
}

/// Whether one side is out of reach. It is told once, and once more for another reason.
#[derive(Debug, Default)]
pub(super) struct Outage {
    /// One for each cause.
    reasons: [Option<String>; 3],
}

impl Outage {
    pub(super) fn begin(
        &mut self,
        cause: Cause,
        side: Side,
        error: Error,
        events: &mut VecDeque<MirrorEvent>,
    ) {
        let words = error.to_string();
        let was_lost = self.reasons.iter().any(Option::is_some);
        let before = self.reasons[cause as usize].replace(words.clone());
        // The same outage shows in several ways.
        let is_news = before.map_or(!was_lost, |before| before != words);
        if is_news {
            events.push_back(MirrorEvent::Lost { side, error });
        }
    }

    pub(super) fn end(&mut self, cause: Cause, side: Side, events: &mut VecDeque<MirrorEvent>) {
        let was_lost = self.reasons[cause as usize].take().is_some();
        if was_lost && self.reasons.iter().all(Option::is_none) {
            events.push_back(MirrorEvent::Regained { side });
        }
    }
}
