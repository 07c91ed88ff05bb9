//! Finds the frames in a stream of bytes without holding the stream up.

use bytes::{Buf, Bytes, BytesMut};

/// Bytes of the length that leads a frame.
const LENGTH_BYTES: usize = 4;

/// A length past this is none: the stream is not framed. It is above every limit a ZooKeeper client or server has
/// by default, and below four letters of a word.
const FRAME_BYTES_MAX: usize = 128 << 20;

/// A frame that ended in a chunk.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ended {
    /// Where in the chunk the frame began: 0 if it began in an earlier one.
    pub(super) start: usize,
    /// The frame without its length.
    pub(super) body: Bytes,
}

/// The part of a stream that is not yet a whole frame.
#[derive(Debug, Default)]
pub(super) struct Framer {
    partial: BytesMut,
    unframed: bool,
}

impl Framer {
    /// Takes the next bytes of the stream and returns the frames that end in them.
    pub(super) fn push(&mut self, chunk: &[u8]) -> Vec<Ended> {
        let mut ended = Vec::new();
        if self.unframed {
            return ended;
        }
        let mut before = self.partial.len();
        let mut end = 0;
        self.partial.extend_from_slice(chunk);
        while let Some(length) = self.length() {
            if length > FRAME_BYTES_MAX {
                self.unframed = true;
                self.partial.clear();
                break;
            }
            if self.partial.len() < LENGTH_BYTES + length {
                break;
            }
            let start = end;
            end += LENGTH_BYTES + length - before;
            before = 0;
            self.partial.advance(LENGTH_BYTES);
            ended.push(Ended { start, body: self.partial.split_to(length).freeze() });
        }
        ended
    }

    fn length(&self) -> Option<usize> {
        let prefix: [u8; LENGTH_BYTES] = self.partial.get(..LENGTH_BYTES)?.try_into().ok()?;
        usize::try_from(u32::from_be_bytes(prefix)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(start: usize, body: &'static str) -> Ended {
        Ended { start, body: Bytes::from_static(body.as_bytes()) }
    }

    #[test]
    fn frames_are_found_wherever_the_stream_is_split() {
        let stream = b"\0\0\0\x02ab\0\0\0\0\0\0\0\x01c";
        for split in 0..=stream.len() {
            let mut framer = Framer::default();
            let mut bodies: Vec<Bytes> = framer.push(&stream[..split]).into_iter().map(|e| e.body).collect();
            bodies.extend(framer.push(&stream[split..]).into_iter().map(|e| e.body));
            assert_eq!(bodies, ["ab", "", "c"], "split at {split}");
        }
    }

    #[test]
    fn a_frame_says_where_in_its_chunk_it_began() {
        let mut framer = Framer::default();
        assert_eq!(framer.push(b"\0\0\0\x02a"), []);
        assert_eq!(framer.push(b"b\0\0\0\x01c\0\0"), [ended(0, "ab"), ended(1, "c")]);
        assert_eq!(framer.push(b"\0\x01d"), [ended(0, "d")]);
    }

    #[test]
    fn a_word_is_no_frame() {
        let mut framer = Framer::default();
        assert_eq!(framer.push(b"sr"), []);
        assert_eq!(framer.push(b"vr"), []);
        assert_eq!(framer.push(b"\0\0\0\0"), []);
    }
}
