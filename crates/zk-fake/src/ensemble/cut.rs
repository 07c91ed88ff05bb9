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

/// A fault that waits for its packet.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    /// So many requests pass.
    Requests(u64),
    /// So many replies and notifications pass.
    Replies(u64),
    /// So many bytes of replies and notifications pass.
    ReplyBytes(u64),
}

impl Cut {
    pub(crate) const fn packets(direction: Direction, count: u64) -> Self {
        match direction {
            Direction::Requests => Self::Requests(count),
            Direction::Replies => Self::Replies(count),
        }
    }

    /// Counts a request. Returns whether it is the one to lose.
    pub(crate) fn on_request(&mut self) -> bool {
        match self {
            Self::Requests(left) => count_down(left),
            Self::Replies(_) | Self::ReplyBytes(_) => false,
        }
    }

    /// Counts a packet to a client. If it is the one to lose, returns how many of its bytes still pass.
    pub(crate) fn on_packet(&mut self, bytes: usize) -> Option<usize> {
        match self {
            Self::Replies(left) => count_down(left).then_some(0),
            Self::ReplyBytes(left) => {
                let passing = usize::try_from(*left).unwrap_or(usize::MAX);
                *left = left.saturating_sub(bytes as u64);
                (passing < bytes).then_some(passing)
            }
            Self::Requests(_) => None,
        }
    }
}

/// Returns whether none was left.
fn count_down(left: &mut u64) -> bool {
    let last = *left == 0;
    *left = left.saturating_sub(1);
    last
}
