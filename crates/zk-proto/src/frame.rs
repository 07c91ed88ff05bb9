//! Frames: a four-byte length, then that many bytes.

use bytes::{Buf, Bytes, BytesMut};
use thiserror::Error;

/// The largest frame accepted from a server unless told otherwise. A server's own limit holds for requests
/// only; a listing of many children may be far larger.
pub const FRAME_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The largest request a server accepts unless configured otherwise (`jute.maxbuffer`).
pub const REQUEST_BYTES_MAX: usize = 0xf_ffff;

const LENGTH_BYTES: usize = 4;

/// A frame whose length is not acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The length is negative.
    #[error("negative frame length {length}")]
    Negative {
        /// The length as sent.
        length: i32,
    },
    /// The frame is longer than the limit.
    #[error(transparent)]
    TooLarge(#[from] FrameTooLarge),
}

/// A frame that is longer than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("frame of {bytes} bytes is over the limit of {bytes_max}")]
#[non_exhaustive]
pub struct FrameTooLarge {
    /// Length of the frame, without its four-byte prefix.
    pub bytes: usize,
    /// The limit.
    pub bytes_max: usize,
}

/// Takes the first whole frame off `input`, without its length; `None` if it is not complete yet.
///
/// The frame shares the memory of `input`. Nothing is reserved for what is still missing.
///
/// # Errors
///
/// [`FrameError`] if the announced length is negative or over `bytes_max`. `input` is then left as it was
/// and will never yield a frame again.
pub fn take_frame(input: &mut BytesMut, bytes_max: usize) -> Result<Option<Bytes>, FrameError> {
    let Some(end) = frame_end(input, bytes_max)? else { return Ok(None) };
    input.advance(LENGTH_BYTES);
    Ok(Some(input.split_to(end - LENGTH_BYTES).freeze()))
}

/// Takes all whole frames off `input`, with their lengths, for [`Reader::over_frames`](crate::Reader).
///
/// Also tells what is wrong with the one after them, if that shows already; they come first all the same.
pub(crate) fn take_frames(input: &mut BytesMut, bytes_max: usize) -> (Bytes, Result<(), FrameError>) {
    let mut end = 0;
    let checked = loop {
        match frame_end(&input[end..], bytes_max) {
            Ok(Some(bytes)) => end += bytes,
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    let frames = if end == 0 { Bytes::new() } else { input.split_to(end).freeze() };
    (frames, checked)
}

/// Returns where the first frame ends; `None` if it is not complete yet.
fn frame_end(input: &[u8], bytes_max: usize) -> Result<Option<usize>, FrameError> {
    let Some((prefix, rest)) = input.split_first_chunk() else { return Ok(None) };
    let length = i32::from_be_bytes(*prefix);
    let bytes = usize::try_from(length).map_err(|_| FrameError::Negative { length })?;
    if bytes > bytes_max {
        return Err(FrameTooLarge { bytes, bytes_max }.into());
    }
    Ok((rest.len() >= bytes).then_some(LENGTH_BYTES + bytes))
}

/// Appends a frame to `out` whose content is what `fill` appends.
///
/// # Errors
///
/// [`FrameTooLarge`] if the content is over `bytes_max`; `out` is then as it was before.
pub fn put_frame(
    out: &mut BytesMut,
    bytes_max: usize,
    fill: impl FnOnce(&mut BytesMut),
) -> Result<(), FrameTooLarge> {
    let start = out.len();
    out.extend_from_slice(&[0; LENGTH_BYTES]);
    fill(out);
    let bytes = out.len() - start - LENGTH_BYTES;
    match i32::try_from(bytes) {
        Ok(length) if bytes <= bytes_max => {
            out[start..start + LENGTH_BYTES].copy_from_slice(&length.to_be_bytes());
            Ok(())
        }
        _ => {
            out.truncate(start);
            Err(FrameTooLarge { bytes, bytes_max })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_whole_however_the_bytes_arrive() {
        let mut wire = BytesMut::new();
        put_frame(&mut wire, 10, |out| out.extend_from_slice(b"one")).unwrap();
        put_frame(&mut wire, 10, |_| ()).unwrap();
        let mut input = BytesMut::new();
        let mut frames = Vec::new();
        for byte in wire {
            input.extend_from_slice(&[byte]);
            while let Some(frame) = take_frame(&mut input, 10).unwrap() {
                frames.push(frame);
            }
        }
        assert_eq!(frames, [Bytes::from_static(b"one"), Bytes::new()]);
    }

    #[test]
    fn a_negative_length_is_an_error() {
        let mut input = BytesMut::from(&[0xff, 0xff, 0xff, 0xff][..]);
        assert_eq!(take_frame(&mut input, 10), Err(FrameError::Negative { length: -1 }));
    }

    #[test]
    fn a_length_over_the_limit_is_an_error_before_its_bytes_arrive() {
        let mut input = BytesMut::from(&[0, 0, 0, 11][..]);
        assert_eq!(take_frame(&mut input, 10), Err(FrameTooLarge { bytes: 11, bytes_max: 10 }.into()));
    }

    #[test]
    fn content_over_the_limit_leaves_the_buffer_untouched() {
        let mut out = BytesMut::from(&b"before"[..]);
        assert!(put_frame(&mut out, 2, |out| out.extend_from_slice(b"abc")).is_err());
        assert_eq!(out, b"before"[..]);
    }
}
