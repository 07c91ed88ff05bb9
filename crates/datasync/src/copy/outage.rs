//! What is out of reach, and was told to be.

use std::collections::VecDeque;

use crate::Error;

use super::{MirrorEvent, Side};

/// Whether one side is out of reach. It is told once, and once more for another reason.
#[derive(Debug, Default)]
pub(super) struct Outage {
    reason: Option<String>,
}

impl Outage {
    pub(super) fn begin(&mut self, side: Side, error: Error, events: &mut VecDeque<MirrorEvent>) {
        let words = error.to_string();
        if self.reason.as_ref() != Some(&words) {
            self.reason = Some(words);
            events.push_back(MirrorEvent::Lost { side, error });
        }
    }

    pub(super) fn end(&mut self, side: Side, events: &mut VecDeque<MirrorEvent>) {
        if self.reason.take().is_some() {
            events.push_back(MirrorEvent::Regained { side });
        }
    }
}
