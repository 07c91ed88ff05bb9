//! The other end: what a server reads and writes.

use bytes::BytesMut;

use crate::{
    codec::{Codec, DecodeError},
    error_code::ErrorCode,
    frame::{FrameTooLarge, put_frame},
    id::{Xid, Zxid},
    op::{
        OpCode, ReplyBody, ReplyHeader, Request, RequestHeader, SaslToken, SetWatches, SetWatches2,
        WatcherEvent,
    },
    reader::Reader,
};

/// A request as a server meets it, after the handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerRequest {
    /// An operation of a user.
    Operation(Request),
    /// A sign of life.
    Ping,
    /// One step of a SASL exchange: answer [`ReplyBody::SaslToken`], or [`ErrorCode::AuthFailed`] and close.
    Sasl(SaslToken),
    /// Re-arms one-shot watches.
    SetWatches(SetWatches),
    /// Re-arms watches of all kinds.
    SetWatches2(SetWatches2),
    /// Ends the session.
    CloseSession,
    /// An operation that is not known: answer [`ErrorCode::Unimplemented`] and close the connection.
    Unknown(i32),
}

impl ServerRequest {
    /// Reads what follows a request's header.
    ///
    /// # Errors
    ///
    /// [`DecodeError`], also if bytes are left over: answer [`ErrorCode::MarshallingError`].
    pub fn decode(header: RequestHeader, reader: &mut Reader) -> Result<Self, DecodeError> {
        let Some(op) = OpCode::from_code(header.op) else { return Ok(Self::Unknown(header.op)) };
        let request = match op {
            OpCode::Ping => Self::Ping,
            OpCode::CloseSession => Self::CloseSession,
            OpCode::Sasl => Self::Sasl(SaslToken::decode(reader)?),
            OpCode::SetWatches => Self::SetWatches(SetWatches::decode(reader)?),
            OpCode::SetWatches2 => Self::SetWatches2(SetWatches2::decode(reader)?),
            // Not requests of their own; servers treat them like unknown ones.
            OpCode::Check | OpCode::Error => return Ok(Self::Unknown(header.op)),
            op => Self::Operation(Request::decode(op, reader)?),
        };
        reader.finish()?;
        Ok(request)
    }
}

/// Appends a reply frame: the header, and the body unless the header has an error.
///
/// # Errors
///
/// [`FrameTooLarge`] if the frame cannot be expressed; `out` is then as it was.
pub fn put_reply(out: &mut BytesMut, header: ReplyHeader, body: &ReplyBody) -> Result<(), FrameTooLarge> {
    put_frame(out, i32::MAX as usize, |out| {
        header.encode(out);
        if header.err.is_ok() {
            body.encode(out);
        }
    })
}

/// Appends a notification frame. Servers before 3.9 pass a `zxid` of -1.
///
/// # Errors
///
/// [`FrameTooLarge`] if the frame cannot be expressed; `out` is then as it was.
pub fn put_notification(out: &mut BytesMut, zxid: Zxid, event: &WatcherEvent) -> Result<(), FrameTooLarge> {
    put_frame(out, i32::MAX as usize, |out| {
        ReplyHeader { xid: Xid::NOTIFICATION, zxid, err: ErrorCode::Ok }.encode(out);
        event.encode(out);
    })
}
