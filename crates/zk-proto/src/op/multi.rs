//! Several operations that happen together or not at all.

use bytes::BytesMut;

use crate::{
    codec::{Codec, DecodeError},
    error_code::ErrorCode,
    op::{Check, Create, Delete, OpCode, SetData},
    path::ZnodePath,
    reader::Reader,
    stat::Stat,
};

/// What an item often takes: a header and a stat. Smaller ones make the list grow as they are read.
const USUAL_ITEM_BYTES: usize = MultiHeader::BYTES_MIN + Stat::BYTES_MIN;

/// What stands before each item, and at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MultiHeader {
    op: i32,
    done: bool,
    err: i32,
}

impl MultiHeader {
    const END: Self = Self { op: -1, done: true, err: -1 };

    pub(super) const fn request(op: OpCode) -> Self {
        Self { op: op.code(), done: false, err: -1 }
    }

    pub(super) const fn result(op: OpCode, err: ErrorCode) -> Self {
        Self { op: op.code(), done: false, err: err.code() }
    }
}

impl Codec for MultiHeader {
    const BYTES_MIN: usize = 9;

    fn encode(&self, out: &mut BytesMut) {
        let ([o0, o1, o2, o3], [e0, e1, e2, e3]) = (self.op.to_be_bytes(), self.err.to_be_bytes());
        out.extend_from_slice(&[o0, o1, o2, o3, u8::from(self.done), e0, e1, e2, e3]);
    }

    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        let [o0, o1, o2, o3, done, e0, e1, e2, e3] = reader.array()?;
        if done > 1 {
            return Err(DecodeError::InvalidBool { value: done });
        }
        let (op, err) = (i32::from_be_bytes([o0, o1, o2, o3]), i32::from_be_bytes([e0, e1, e2, e3]));
        Ok(Self { op, done: done == 1, err })
    }
}

/// One operation of a multi.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "closed by the protocol")]
pub enum MultiOp {
    /// Creates a znode, answered by its path (a container or one with a time to live: and its stat).
    Create(Create),
    /// Creates a znode, answered by its path and stat. Some servers leave the stat out (ZOOKEEPER-4026).
    CreateWithStat(Create),
    /// Deletes a znode.
    Delete(Delete),
    /// Sets a znode's data.
    SetData(SetData),
    /// Checks a znode's version.
    Check(Check),
}

/// A transaction. An empty one is legal, and is proposed to the quorum like any other.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Multi {
    /// The operations, in order.
    pub ops: Vec<MultiOp>,
}

/// The answer to one operation of a multi.
///
/// If one fails all are answered by errors: those before the culprit by [`ErrorCode::Ok`], those behind it
/// by [`ErrorCode::RuntimeInconsistency`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "closed by the protocol")]
pub enum MultiResult {
    /// Created.
    Created {
        /// The path, with the number of a sequential one.
        path: ZnodePath,
        /// The stat, where the operation and the server give one.
        stat: Option<Stat>,
    },
    /// Deleted.
    Deleted,
    /// The data was set; this is the new stat.
    DataSet(Stat),
    /// The check held.
    Checked,
    /// The multi failed, here or elsewhere.
    Error(ErrorCode),
}

impl MultiOp {
    const fn op(&self) -> OpCode {
        match self {
            Self::Create(create) => create.op(),
            Self::CreateWithStat(create) => create.op_with_stat(),
            Self::Delete(_) => OpCode::Delete,
            Self::SetData(_) => OpCode::SetData,
            Self::Check(_) => OpCode::Check,
        }
    }

    fn encode(&self, out: &mut BytesMut) {
        MultiHeader::request(self.op()).encode(out);
        match self {
            Self::Create(create) | Self::CreateWithStat(create) => create.encode(out),
            Self::Delete(delete) => delete.encode(out),
            Self::SetData(set_data) => set_data.encode(out),
            Self::Check(check) => check.encode(out),
        }
    }

    fn decode(op: i32, reader: &mut Reader) -> Result<Self, DecodeError> {
        Ok(match OpCode::from_code(op) {
            Some(OpCode::Create | OpCode::CreateContainer | OpCode::CreateTtl) => {
                Self::Create(Create::decode(reader)?)
            }
            Some(OpCode::Create2) => Self::CreateWithStat(Create::decode(reader)?),
            Some(OpCode::Delete) => Self::Delete(Delete::decode(reader)?),
            Some(OpCode::SetData) => Self::SetData(SetData::decode(reader)?),
            Some(OpCode::Check) => Self::Check(Check::decode(reader)?),
            _ => return Err(DecodeError::UnknownCode { field: "MultiOp", code: op }),
        })
    }
}

impl MultiResult {
    /// Finds the operation that made a multi fail, and why; `None` if the multi was applied.
    #[must_use]
    pub fn first_error(results: &[Self]) -> Option<(usize, ErrorCode)> {
        let errors = || {
            results.iter().enumerate().filter_map(|(index, result)| match result {
                Self::Error(code) => Some((index, *code)),
                _ => None,
            })
        };
        errors()
            .find(|(_, code)| !matches!(code, ErrorCode::Ok | ErrorCode::RuntimeInconsistency))
            .or_else(|| errors().find(|(_, code)| !code.is_ok()))
            .or_else(|| errors().next())
    }

    fn encode(&self, out: &mut BytesMut) {
        let header = |op| MultiHeader::result(op, ErrorCode::Ok);
        match self {
            Self::Created { path, stat: None } => {
                header(OpCode::Create).encode(out);
                path.encode(out);
            }
            Self::Created { path, stat: Some(stat) } => {
                header(OpCode::Create2).encode(out);
                path.encode(out);
                stat.encode(out);
            }
            Self::Deleted => header(OpCode::Delete).encode(out),
            Self::DataSet(stat) => {
                header(OpCode::SetData).encode(out);
                stat.encode(out);
            }
            Self::Checked => header(OpCode::Check).encode(out),
            Self::Error(code) => encode_error(*code, out),
        }
    }

    fn decode(op: i32, reader: &mut Reader) -> Result<Self, DecodeError> {
        Ok(match OpCode::from_code(op) {
            Some(OpCode::Create) => Self::Created { path: ZnodePath::decode(reader)?, stat: None },
            Some(OpCode::Create2 | OpCode::CreateContainer | OpCode::CreateTtl) => {
                Self::Created { path: ZnodePath::decode(reader)?, stat: Some(Stat::decode(reader)?) }
            }
            Some(OpCode::Delete) => Self::Deleted,
            Some(OpCode::SetData) => Self::DataSet(Stat::decode(reader)?),
            Some(OpCode::Check) => Self::Checked,
            Some(OpCode::Error) => Self::Error(ErrorCode::decode(reader)?),
            _ => return Err(DecodeError::UnknownCode { field: "MultiResult", code: op }),
        })
    }
}

impl Codec for Multi {
    const BYTES_MIN: usize = MultiHeader::BYTES_MIN;

    fn encode(&self, out: &mut BytesMut) {
        encode_items(&self.ops, out, MultiOp::encode);
    }

    fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        Ok(Self { ops: decode_items(reader, MultiOp::decode)? })
    }
}

pub(super) fn encode_results(results: &[MultiResult], out: &mut BytesMut) {
    encode_items(results, out, MultiResult::encode);
}

pub(super) fn decode_results(reader: &mut Reader) -> Result<Vec<MultiResult>, DecodeError> {
    decode_items(reader, MultiResult::decode)
}

pub(super) fn encode_error(code: ErrorCode, out: &mut BytesMut) {
    MultiHeader::result(OpCode::Error, code).encode(out);
    code.encode(out);
}

pub(super) fn encode_items<T>(items: &[T], out: &mut BytesMut, encode: impl Fn(&T, &mut BytesMut)) {
    for item in items {
        encode(item, out);
    }
    MultiHeader::END.encode(out);
}

/// Reads items up to the end mark. Each takes at least its header, so the frame bounds their number.
pub(super) fn decode_items<T>(
    reader: &mut Reader,
    decode: impl Fn(i32, &mut Reader) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let mut items = Vec::with_capacity(reader.remaining() / USUAL_ITEM_BYTES);
    loop {
        let header = MultiHeader::decode(reader)?;
        if header.done {
            return Ok(items);
        }
        items.push(decode(header.op, reader)?);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_culprit_of_a_failed_multi_is_found() {
        let error = MultiResult::Error;
        let failed = [error(ErrorCode::Ok), error(ErrorCode::NoNode), error(ErrorCode::RuntimeInconsistency)];
        assert_eq!(MultiResult::first_error(&failed), Some((1, ErrorCode::NoNode)));
        assert_eq!(MultiResult::first_error(&[MultiResult::Deleted, MultiResult::Checked]), None);
        assert_eq!(MultiResult::first_error(&[]), None);
    }

    #[test]
    fn a_multi_of_errors_alone_is_never_taken_for_a_success() {
        let odd = [MultiResult::Error(ErrorCode::Ok), MultiResult::Error(ErrorCode::RuntimeInconsistency)];
        assert_eq!(MultiResult::first_error(&odd), Some((1, ErrorCode::RuntimeInconsistency)));
        assert_eq!(MultiResult::first_error(&odd[..1]), Some((0, ErrorCode::Ok)));
    }
}
