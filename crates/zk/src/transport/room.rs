//! Room to read into.

use std::collections::VecDeque;

use bytes::BytesMut;

/// Room made for reads: many small replies come in one, or some large ones.
const READ_BYTES: usize = 256 * 1024;

/// What is left of a buffer is read into as long as it is this much.
const LEFT_MIN: usize = 16 * 1024;

/// Most buffers that are kept to be used again. What is read from a buffer shares its memory with it, so buffers
/// come back when the replies are dropped that were in them.
const SPARES_MAX: usize = 16;

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
        let mut fresh = self.spare().unwrap_or_else(|| BytesMut::with_capacity(READ_BYTES));
        fresh.extend_from_slice(input);
        let used = std::mem::replace(input, fresh);
        if !std::mem::take(&mut self.is_oversized) {
            self.keep(used);
        }
    }

    /// The oldest buffer that no reply holds any more.
    fn spare(&mut self) -> Option<BytesMut> {
        let free = self.spares.iter_mut().position(|spare| spare.try_reclaim(READ_BYTES))?;
        self.spares.remove(free)
    }

    /// The oldest one makes place: whoever holds a reply in it seems to keep it.
    fn keep(&mut self, mut used: BytesMut) {
        if used.capacity() == 0 {
            return;
        }
        if self.spares.len() == SPARES_MAX {
            self.spares.pop_front();
        }
        used.clear();
        self.spares.push_back(used);
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
    fn replies_that_are_kept_for_good_leave_the_other_buffers_usable() {
        let (mut room, mut input) = (Room::default(), BytesMut::new());
        let kept: Vec<_> = (0..2 * SPARES_MAX).map(|_| fill(&mut room, &mut input)).collect();
        let place = fill(&mut room, &mut input).as_ptr();
        fill(&mut room, &mut input);
        // Whatever was given back to the allocator is taken by these.
        let _others: Vec<_> = (0..8).map(|_| BytesMut::with_capacity(READ_BYTES)).collect();
        assert_eq!(fill(&mut room, &mut input).as_ptr(), place);
        assert!(kept.iter().all(|reply| reply.iter().all(|&byte| byte == 7)));
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
