//! What is wrong with a link at present.

use std::time::Duration;

use super::Direction;

/// The faults of a link. Its connections watch it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults {
    /// How often the link was cut. A connection ends when it grows.
    pub(super) cuts: u64,
    pub(super) refusing: bool,
    to_server: Way,
    to_client: Way,
}

/// The faults of one direction.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Way {
    pub(super) delay: Duration,
    pub(super) held: bool,
    /// How often the direction was closed. A connection closes it when it grows.
    pub(super) closed: u64,
}

impl Faults {
    pub(super) fn cut(&mut self) {
        self.cuts += 1;
    }

    pub(super) fn way_mut(&mut self, direction: Direction) -> &mut Way {
        match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        }
    }

    pub(super) fn way(&self, direction: Direction) -> &Way {
        match direction {
            Direction::ToServer => &self.to_server,
            Direction::ToClient => &self.to_client,
        }
    }
}
