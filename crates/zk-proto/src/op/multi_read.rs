//! Several reads in one packet, each with its own outcome.

use bytes::{Bytes, BytesMut};

use super::multi::{MultiHeader, decode_items, encode_error, encode_items};
use crate::{
    codec::{Codec, DecodeError},
    error_code::ErrorCode,
    op::{GetChildren, GetData, OpCode},
    path::ZnodePath,
    reader::Reader,
    stat::Stat,
};

/// One read of a multi read; it cannot set a watch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "closed by the protocol")]
pub enum MultiReadOp {
    /// Reads a znode's data and stat.
    Data(ZnodePath),
    /// Lists a znode's children.
    Children(ZnodePath),
}

/// Several reads. Servers from 3.6 on.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct MultiRead {
    /// The reads, in order.
    pub ops: Vec<MultiReadOp>,
}

/// The answer to one read of a multi read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "closed by the protocol")]
pub enum MultiReadResult {
    /// A znode's data.
    Data {
        /// The data, or null.
        data: Option<Bytes>,
        /// The stat that goes with it.
        stat: Stat,
    },
    /// A znode's children.
    Children {
        /// Their names, in no order.
        names: Vec<String>,
    },
    /// This read failed; the others stand.
    Error(ErrorCode),
}

impl MultiReadOp {
    fn encode(&self, out: &mut BytesMut) {
        match self {
            Self::Data(path) => {
                MultiHeader::request(OpCode::GetData).encode(out);
                GetData { path: path.clone(), watch: false }.encode(out);
            }
            Self::Children(path) => {
                MultiHeader::request(OpCode::GetChildren).encode(out);
                GetChildren { path: path.clone(), watch: false }.encode(out);
            }
        }
    }

    fn decode(op: i32, reader: &mut Reader) -> Result<Self, DecodeError> {
        match OpCode::from_code(op) {
            Some(OpCode::GetData) => Ok(Self::Data(GetData::decode(reader)?.path)),
            Some(OpCode::GetChildren) => Ok(Self::Children(GetChildren::decode(reader)?.path)),
            _ => Err(DecodeError::UnknownCode { field: "MultiReadOp", code: op }),
        }
    }
}

impl MultiReadResult {
    fn encode(&self, out: &mut BytesMut) {
        match self {
            Self::Data { data, stat } => {
                MultiHeader::result(OpCode::GetData, ErrorCode::Ok).encode(out);
                data.encode(out);
                stat.encode(out);
            }
            Self::Children { names } => {
                MultiHeader::result(OpCode::GetChildren, ErrorCode::Ok).encode(out);
                names.encode(out);
            }
            Self::Error(code) => encode_error(*code, out),
        }
    }

    fn decode(op: i32, reader: &mut Reader) -> Result<Self, DecodeError> {
        Ok(match OpCode::from_code(op) {
            Some(OpCode::GetData) => Self::Data { data: Codec::decode(reader)?, stat: Stat::decode(reader)? },
            Some(OpCode::GetChildren) => Self::Children { names: Codec::decode(reader)? },
            Some(OpCode::Error) => Self::Error(ErrorCode::decode(reader)?),
            _ => return Err(DecodeError::UnknownCode { field: "MultiReadResult", code: op }),
        })
    }
}

impl Codec for MultiRead {
    const BYTES_MIN: usize = MultiHeader::BYTES_MIN;

    fn encode(&self, out: &mut BytesMut) {
        encode_items(&self.ops, out, MultiReadOp::encode);
    }

    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        Ok(Self { ops: decode_items(reader, MultiReadOp::decode)? })
    }
}

pub(super) fn encode_results(results: &[MultiReadResult], out: &mut BytesMut) {
    encode_items(results, out, MultiReadResult::encode);
}

pub(super) fn decode_results(reader: &mut Reader) -> Result<Vec<MultiReadResult>, DecodeError> {
    decode_items(reader, MultiReadResult::decode)
}
