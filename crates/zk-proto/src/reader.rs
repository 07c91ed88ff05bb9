//! A cursor that checks every length.

use bytes::Bytes;

use crate::codec::{Codec, DecodeError, NULL};

/// A cursor over one frame. Buffers it reads are slices of the frame, not copies.
#[derive(Clone, Debug)]
pub struct Reader {
    /// The frame, and perhaps others around it.
    bytes: Bytes,
    /// Where the next field starts, and where the frame ends: `at <= end <= bytes.len()`.
    at: usize,
    end: usize,
}

impl Reader {
    /// Starts at the front of `bytes`.
    #[must_use]
    pub const fn new(bytes: Bytes) -> Self {
        let end = bytes.len();
        Self { bytes, at: 0, end }
    }

    /// Starts before the first of several frames, which are whole.
    pub(crate) const fn over_frames(frames: Bytes) -> Self {
        Self { bytes: frames, at: 0, end: 0 }
    }

    /// Moves to the front of the next frame, wherever this one was left. Returns whether there is one.
    #[inline]
    pub(crate) fn next_frame(&mut self) -> bool {
        let Some((length, rest)) = self.bytes[self.end..].split_first_chunk() else { return false };
        let length = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(usize::MAX).min(rest.len());
        self.at = self.end + size_of::<i32>();
        self.end = self.at + length;
        true
    }

    /// Takes the next `count` bytes without copying them.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Truncated`] if fewer are left.
    #[inline]
    pub fn take(&mut self, count: usize) -> Result<Bytes, DecodeError> {
        self.require(count)?;
        let start = self.at;
        self.at += count;
        Ok(self.bytes.slice(start..self.at))
    }

    /// Passes over everything that is left.
    pub const fn skip_rest(&mut self) {
        self.at = self.end;
    }

    /// Returns how many bytes are left.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.end - self.at
    }

    /// Checks that nothing is left.
    ///
    /// # Errors
    ///
    /// [`DecodeError::TrailingBytes`] if something is.
    pub const fn finish(&self) -> Result<(), DecodeError> {
        match self.remaining() {
            0 => Ok(()),
            count => Err(DecodeError::TrailingBytes { count }),
        }
    }

    /// Reads a length; `None` stands for null.
    #[inline]
    pub(crate) fn length(&mut self) -> Result<Option<usize>, DecodeError> {
        let length = i32::decode(self)?;
        if length == NULL {
            return Ok(None);
        }
        usize::try_from(length).map(Some).map_err(|_| DecodeError::NegativeLength { length })
    }

    /// Borrows the next bytes, where they need not outlive the frame.
    #[inline]
    pub(crate) fn borrow(&mut self, count: usize) -> Result<&[u8], DecodeError> {
        self.require(count)?;
        let start = self.at;
        self.at += count;
        Ok(&self.bytes[start..self.at])
    }

    /// Copies as many bytes as a fixed field takes, checking their number once.
    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let bytes = self.bytes[self.at..self.end].first_chunk().copied();
        let bytes = bytes.ok_or(DecodeError::Truncated { needed: N, remaining: self.remaining() })?;
        self.at += N;
        Ok(bytes)
    }

    /// Borrows the next string; null is empty.
    #[inline]
    pub(crate) fn text(&mut self) -> Result<&str, DecodeError> {
        let length = self.length()?.unwrap_or(0);
        str::from_utf8(self.borrow(length)?).map_err(|_| DecodeError::InvalidUtf8)
    }

    pub(crate) const fn require(&self, needed: usize) -> Result<(), DecodeError> {
        let remaining = self.remaining();
        if needed > remaining { Err(DecodeError::Truncated { needed, remaining }) } else { Ok(()) }
    }
}
