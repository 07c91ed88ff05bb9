//! The handshake: the only records without a header.

use bytes::BytesMut;

use crate::{
    codec::{Codec, DecodeError},
    id::{Secret, SessionId, Zxid},
    reader::Reader,
};

/// The first frame a client sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectRequest {
    /// Always zero.
    pub protocol_version: i32,
    /// The newest transaction this client has seen; a server that is behind it closes the connection.
    pub last_zxid_seen: Zxid,
    /// The session timeout asked for, in milliseconds.
    pub timeout_millis: i32,
    /// The session to go on with; [`SessionId::NONE`] for a new one.
    pub session_id: SessionId,
    /// That session's password; 16 zero bytes for a new one.
    pub password: Secret,
    /// Whether a server that only reads will do. Clients before 3.4 do not send it.
    pub read_only: Option<bool>,
}

/// The first frame a server sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectResponse {
    /// Always zero.
    pub protocol_version: i32,
    /// The session timeout granted, in milliseconds. Zero or less: the session is refused or expired.
    pub timeout_millis: i32,
    /// The session; [`SessionId::NONE`] if refused or expired.
    pub session_id: SessionId,
    /// Its password.
    pub password: Secret,
    /// Whether the server only reads. Absent if the request did not have the flag, and from servers
    /// before 3.4.
    pub read_only: Option<bool>,
}

impl Codec for ConnectRequest {
    const BYTES_MIN: usize = 28;

    fn encode(&self, out: &mut BytesMut) {
        self.protocol_version.encode(out);
        self.last_zxid_seen.encode(out);
        self.timeout_millis.encode(out);
        self.session_id.encode(out);
        self.password.encode(out);
        encode_flag(self.read_only, out);
    }

    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        Ok(Self {
            protocol_version: Codec::decode(reader)?,
            last_zxid_seen: Codec::decode(reader)?,
            timeout_millis: Codec::decode(reader)?,
            session_id: Codec::decode(reader)?,
            password: Codec::decode(reader)?,
            read_only: decode_flag(reader)?,
        })
    }
}

impl Codec for ConnectResponse {
    const BYTES_MIN: usize = 20;

    fn encode(&self, out: &mut BytesMut) {
        self.protocol_version.encode(out);
        self.timeout_millis.encode(out);
        self.session_id.encode(out);
        self.password.encode(out);
        encode_flag(self.read_only, out);
    }

    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        Ok(Self {
            protocol_version: Codec::decode(reader)?,
            timeout_millis: Codec::decode(reader)?,
            session_id: Codec::decode(reader)?,
            password: Codec::decode(reader)?,
            read_only: decode_flag(reader)?,
        })
    }
}

fn encode_flag(flag: Option<bool>, out: &mut BytesMut) {
    if let Some(flag) = flag {
        flag.encode(out);
    }
}

/// The flag is there if bytes are left: it came with 3.4, but into the protocol's definition only with 3.9
/// (ZOOKEEPER-4492).
fn decode_flag(reader: &mut Reader) -> Result<Option<bool>, DecodeError> {
    if reader.remaining() == 0 { Ok(None) } else { bool::decode(reader).map(Some) }
}
