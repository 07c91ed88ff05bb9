//! The faults that wait for their moment.

use quorate_zk_proto::{ErrorCode, OpCode};

use super::{Cut, Millis};

/// What happens to one reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It never leaves.
    Lost,
    /// It leaves later, and everything behind it too.
    Late(Millis),
}

/// Each happens once, and is replaced by another of its kind that is armed later.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) cut: Option<Cut>,
    /// The operation whose next request is refused, and how.
    pub(crate) refused: Option<(OpCode, ErrorCode)>,
    /// The operation whose next reply meets its fate.
    pub(crate) fate: Option<(OpCode, Fate)>,
    /// How many more handshakes end without an answer.
    pub(crate) handshakes_to_close: u64,
}

impl Faults {
    /// Counts a request. Returns whether it is to be lost, with its connection.
    pub(super) fn loses_request(&mut self, bytes: usize) -> bool {
        let lost = self.cut.as_mut().is_some_and(|cut| cut.on_request(bytes));
        if lost {
            self.cut = None;
        }
        lost
    }

    /// Counts a packet to a client. If it is the one to cut, returns how many of its bytes still pass.
    pub(super) fn cuts_packet(&mut self, bytes: usize) -> Option<usize> {
        self.cut_if(|cut| cut.on_packet(bytes))
    }

    /// Counts all bytes from clients. If the link is to be cut, returns how many of them still pass.
    pub(super) fn cuts_input(&mut self, bytes: usize) -> Option<usize> {
        self.cut_if(|cut| cut.on_input(bytes))
    }

    /// Counts all bytes to clients. If the link is to be cut, returns how many of them still pass.
    pub(super) fn cuts_output(&mut self, bytes: usize) -> Option<usize> {
        self.cut_if(|cut| cut.on_output(bytes))
    }

    pub(super) fn refusal(&mut self, op: Option<OpCode>) -> Option<ErrorCode> {
        self.refused.take_if(|(refused, _)| op == Some(*refused)).map(|(_, code)| code)
    }

    pub(super) fn fate_of(&mut self, op: Option<OpCode>) -> Option<Fate> {
        self.fate.take_if(|(fated, _)| op == Some(*fated)).map(|(_, fate)| fate)
    }

    pub(super) const fn closes_handshake(&mut self) -> bool {
        let closes = self.handshakes_to_close > 0;
        self.handshakes_to_close = self.handshakes_to_close.saturating_sub(1);
        closes
    }

    fn cut_if(&mut self, count: impl FnOnce(&mut Cut) -> Option<usize>) -> Option<usize> {
        let passing = self.cut.as_mut().and_then(count)?;
        self.cut = None;
        Some(passing)
    }
}
