//! Where to cut a connection.

/// Which packets a fault counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a link has two directions")]
pub enum Direction {
    /// Those of clients: the request at the cut is lost before it is applied.
    Requests,
    /// Those of the server: the request was applied, but its reply, or the notification, is lost.
    Replies,
}

/// A fault that waits for its packet, or its byte.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    /// So many requests pass.
    Requests(u64),
    /// So many replies and notifications pass.
    Replies(u64),
    /// So many bytes of requests pass.
    RequestBytes(u64),
    /// So many bytes of replies and notifications pass.
    ReplyBytes(u64),
    /// So many bytes of anything from clients pass.
    Input(u64),
    /// So many bytes of anything to clients pass.
    Output(u64),
}

impl Cut {
    pub(crate) const fn packets(direction: Direction, count: u64) -> Self {
        match direction {
            Direction::Requests => Self::Requests(count),
            Direction::Replies => Self::Replies(count),
        }
    }

    pub(crate) const fn packet_bytes(direction: Direction, count: u64) -> Self {
        match direction {
            Direction::Requests => Self::RequestBytes(count),
            Direction::Replies => Self::ReplyBytes(count),
        }
    }

    pub(crate) const fn link_bytes(direction: Direction, count: u64) -> Self {
        match direction {
            Direction::Requests => Self::Input(count),
            Direction::Replies => Self::Output(count),
        }
    }

    /// Counts a request. Returns whether it is the one to lose.
    pub(super) fn on_request(&mut self, bytes: usize) -> bool {
        match self {
            Self::Requests(left) => count_down(left),
            Self::RequestBytes(left) => within(left, bytes).is_some(),
            _ => false,
        }
    }

    /// Counts a packet to a client. If it is the one to lose, returns how many of its bytes still pass.
    pub(super) fn on_packet(&mut self, bytes: usize) -> Option<usize> {
        match self {
            Self::Replies(left) => count_down(left).then_some(0),
            Self::ReplyBytes(left) => within(left, bytes),
            _ => None,
        }
    }

    pub(super) fn on_input(&mut self, bytes: usize) -> Option<usize> {
        match self {
            Self::Input(left) => within(left, bytes),
            _ => None,
        }
    }

    pub(super) fn on_output(&mut self, bytes: usize) -> Option<usize> {
        match self {
            Self::Output(left) => within(left, bytes),
            _ => None,
        }
    }
}

/// Returns whether none was left.
fn count_down(left: &mut u64) -> bool {
    let last = *left == 0;
    *left = left.saturating_sub(1);
    last
}

/// Returns how many bytes still pass if not all of them do.
fn within(left: &mut u64, bytes: usize) -> Option<usize> {
    let passing = usize::try_from(*left).unwrap_or(usize::MAX);
    *left = left.saturating_sub(bytes as u64);
    (passing < bytes).then_some(passing)
}
