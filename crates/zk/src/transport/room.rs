//! Room to read into.

use std::collections::VecDeque;

use bytes::BytesMut;

/// Room made for reads: many small replies come in one, or some large ones.
const READ_BYTES: usize = 256 * 1024;

/// What is left of a buffer is read into as long as it is this much.
const LEFT_MIN: usize = 16 * 1024;

/// Most buffers that are kept to be used again. What is read from a buffer shares its memory with it, so buffers
/// come back when the replies are dropped that were in them.
const SPARES_MAX: usize = 8;

/// The buffers of one connection.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// Used up, the oldest first. Some may still be held by replies.
    spares: VecDeque<BytesMut>,
    /// Whether the buffer in use was made larger for one frame, and is not worth keeping.
    is_oversized: bool,
}

impl Room {
    /// Sees to it that there is room in `input` for a read that is worth its while.
    pub(super) fn make(&mut self, input: &mut BytesMut) {
        if input.capacity() - input.len() >= LEFT_MIN || input.try_reclaim(READ_BYTES) {
            return;
        }
        // The start of a large frame is not moved about.
        if input.len() > READ_BYTES / 4 {
            input.reserve(READ_BYTES);
            self.is_oversized = true;
            return;
        }
        let is_free = self.spares.front_mut().is_some_and(|oldest| oldest.try_reclaim(READ_BYTES));
        let spare = if is_free { self.spares.pop_front() } else { None };
        let mut fresh = spare.unwrap_or_else(|| BytesMut::with_capacity(READ_BYTES));
        fresh.extend_from_slice(input);
        let mut used = std::mem::replace(input, fresh);
        let is_oversized = std::mem::take(&mut self.is_oversized);
        if used.capacity() > 0 && !is_oversized && self.spares.len() < SPARES_MAX {
            used.clear();
            self.spares.push_back(used);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fills the buffer as reads of small replies do, and takes all out.
    fn fill(room: &mut Room, input: &mut BytesMut) -> BytesMut {
        room.make(input);
        let free = input.capacity() - input.len();
        input.extend_from_slice(&vec![7; free]);
        input.split_to(input.len() - 5)
    }

    #[test]
    fn a_buffer_is_used_again_when_its_replies_are_gone() {
        let (mut room, mut input) = (Room::default(), BytesMut::new());
        let first = fill(&mut room, &mut input);
        let place = first.as_ptr();
        let second = fill(&mut room, &mut input);
        assert_eq!(&second[..5], [7; 5]);
        drop(first);
        let third = fill(&mut room, &mut input);
        assert_eq!(third.as_ptr(), place);
        assert!(room.spares.len() <= 2);
    }

    #[test]
    fn replies_that_are_kept_pin_few_buffers() {
        let (mut room, mut input) = (Room::default(), BytesMut::new());
        let kept: Vec<_> = (0..100).map(|_| fill(&mut room, &mut input)).collect();
        assert_eq!(room.spares.len(), SPARES_MAX);
        assert!(kept.iter().all(|reply| reply.iter().all(|&byte| byte == 7)));
    }

    #[test]
    fn the_start_of_a_large_frame_stays_where_it_is() {
        let (mut room, mut input) = (Room::default(), BytesMut::new());
        input.extend_from_slice(&[1; READ_BYTES]);
        room.make(&mut input);
        assert_eq!(input.len(), READ_BYTES);
        assert!(room.spares.is_empty());
    }
}
