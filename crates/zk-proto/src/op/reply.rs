//! Everything that can be answered.

use bytes::{Bytes, BytesMut};

use super::{multi, multi_read};
use crate::{
    acl::Acl,
    codec::{Codec, DecodeError},
    error_code::ErrorCode,
    op::{ClientIdentity, MultiReadResult, MultiResult, OpCode},
    path::ZnodePath,
    reader::Reader,
    stat::Stat,
};

/// The body of a reply without an error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplyBody {
    /// A znode was created.
    Created {
        /// Its path, with the number of a sequential one.
        path: ZnodePath,
        /// Its stat, where the operation gives one.
        stat: Option<Stat>,
    },
    /// Done; there is nothing to tell (delete, check or remove watches, authenticate).
    Done,
    /// The stat of a znode (exists, set data, set access list).
    Stat(Stat),
    /// A znode's data; of a reconfiguration, that of the new configuration.
    Data {
        /// The data, or null.
        data: Option<Bytes>,
        /// The stat that goes with it.
        stat: Stat,
    },
    /// A znode's access list.
    Acl {
        /// The list; digests are masked for those who may not administrate the znode.
        acl: Vec<Acl>,
        /// The stat that goes with it.
        stat: Stat,
    },
    /// A znode's children.
    Children {
        /// Their names, in no order.
        names: Vec<String>,
        /// The znode's stat, where the operation gives one.
        stat: Option<Stat>,
    },
    /// The server has caught up.
    Synced {
        /// The path that was asked with.
        path: String,
    },
    /// The answers of a multi, which may have failed: see [`MultiResult::first_error`].
    Multi(Vec<MultiResult>),
    /// The answers of a multi read, each of which may have failed.
    MultiRead(Vec<MultiReadResult>),
    /// A persistent watch is set.
    WatchAdded,
    /// The session's ephemeral znodes.
    Ephemerals(Vec<String>),
    /// The number of znodes below one.
    AllChildrenNumber(i32),
    /// The connection's identities.
    Identities(Vec<ClientIdentity>),
    /// The server's next step in a SASL exchange.
    SaslToken(Option<Bytes>),
}

impl ReplyBody {
    /// Reads what follows the header of a reply to the operation `op`.
    ///
    /// # Errors
    ///
    /// [`DecodeError`], also if bytes are left over. Bodies that carry nothing are not looked at: some
    /// servers leave them out.
    pub fn decode(op: OpCode, reader: &mut Reader) -> Result<Self, DecodeError> {
        let body = Self::decode_open(op, reader)?;
        reader.finish()?;
        Ok(body)
    }

    fn decode_open(op: OpCode, reader: &mut Reader) -> Result<Self, DecodeError> {
        Ok(match op {
            OpCode::Create => Self::Created { path: Codec::decode(reader)?, stat: None },
            OpCode::Create2 | OpCode::CreateContainer | OpCode::CreateTtl => {
                Self::Created { path: Codec::decode(reader)?, stat: Some(Codec::decode(reader)?) }
            }
            OpCode::Exists | OpCode::SetData | OpCode::SetAcl => Self::Stat(Codec::decode(reader)?),
            OpCode::GetData | OpCode::Reconfig => {
                Self::Data { data: Codec::decode(reader)?, stat: Codec::decode(reader)? }
            }
            OpCode::GetAcl => Self::Acl { acl: Codec::decode(reader)?, stat: Codec::decode(reader)? },
            OpCode::GetChildren => Self::Children { names: Codec::decode(reader)?, stat: None },
            OpCode::GetChildren2 => {
                Self::Children { names: Codec::decode(reader)?, stat: Some(Codec::decode(reader)?) }
            }
            OpCode::Sync => Self::Synced { path: Codec::decode(reader)? },
            OpCode::Multi => Self::Multi(multi::decode_results(reader)?),
            OpCode::MultiRead => Self::MultiRead(multi_read::decode_results(reader)?),
            OpCode::GetEphemerals => Self::Ephemerals(Codec::decode(reader)?),
            OpCode::GetAllChildrenNumber => Self::AllChildrenNumber(Codec::decode(reader)?),
            OpCode::WhoAmI => Self::Identities(Codec::decode(reader)?),
            OpCode::Sasl => Self::SaslToken(Codec::decode(reader)?),
            OpCode::AddWatch => {
                reader.skip_rest();
                Self::WatchAdded
            }
            _ => {
                reader.skip_rest();
                Self::Done
            }
        })
    }

    /// Appends the body, without header and length.
    pub fn encode(&self, out: &mut BytesMut) {
        match self {
            Self::Created { path, stat } => {
                path.encode(out);
                encode_stat(stat.as_ref(), out);
            }
            Self::Done => {}
            Self::Stat(stat) => stat.encode(out),
            Self::Data { data, stat } => {
                data.encode(out);
                stat.encode(out);
            }
            Self::Acl { acl, stat } => {
                acl.encode(out);
                stat.encode(out);
            }
            Self::Children { names, stat } => {
                names.encode(out);
                encode_stat(stat.as_ref(), out);
            }
            Self::Synced { path } => path.encode(out),
            Self::Multi(results) => multi::encode_results(results, out),
            Self::MultiRead(results) => multi_read::encode_results(results, out),
            Self::WatchAdded => ErrorCode::Ok.encode(out),
            Self::Ephemerals(paths) => paths.encode(out),
            Self::AllChildrenNumber(number) => number.encode(out),
            Self::Identities(identities) => identities.encode(out),
            Self::SaslToken(token) => token.encode(out),
        }
    }
}

fn encode_stat(stat: Option<&Stat>, out: &mut BytesMut) {
    if let Some(stat) = stat {
        stat.encode(out);
    }
}
