//! The ZooKeeper protocol without I/O: the encoding of every record, and the state machine of a session.
//!
//! This crate opens no socket, reads no clock and draws no random numbers. [`Session`] is told what bytes
//! arrived and what time it is, and says what to send and what happened; a driver does the rest. The same
//! inputs at the same times give the same outputs, so everything a session does can be tested without a
//! server.
//!
//! Every record encodes and decodes ([`Codec`]), so a server can be built on it too: see
//! [`ServerRequest`] and [`put_reply`]. So do both ends of the SASL exchange that servers may insist on:
//! [`DigestMd5Client`] and [`DigestMd5Server`].
//!
//! # Examples
//!
//! ```
//! use bytes::BytesMut;
//! use quorate_zk_proto::{GetData, Request, Session, SessionOptions, ZnodePath};
//!
//! # fn example(now: std::time::Instant) -> Result<(), Box<dyn std::error::Error>> {
//! let mut session = Session::new(SessionOptions::default());
//! session.handle_connected(now);
//! let read = GetData { path: ZnodePath::new("/app")?, watch: true };
//! let ticket = session.handle_request(now, Request::GetData(read))?;
//!
//! let mut to_socket = BytesMut::new();
//! assert!(session.poll_transmit(&mut to_socket));
//! // Write `to_socket`, read what comes back, and hand it in:
//! let mut from_socket = BytesMut::new();
//! session.handle_input(now, &mut from_socket)?;
//! while let Some(event) = session.poll_event() {
//!     println!("{event:?}");
//! }
//! assert!(session.cancel(ticket), "the handshake is not over, so nothing was sent");
//! # Ok(())
//! # }
//! ```
//!
//! # Deliberately absent
//!
//! Which server to connect to, back-off, chroots of requests, retries, and the matching of notifications
//! to watchers: these belong to the client.

mod acl;
mod codec;
mod create_mode;
mod error_code;
mod frame;
mod id;
mod op;
mod path;
mod reader;
mod record;
mod sasl;
mod server_version;
mod session;
mod stat;

pub use acl::{Acl, Id, Perms};
pub use codec::{Codec, DecodeError};
pub use create_mode::{CreateMode, Ttl};
pub use error_code::ErrorCode;
pub use frame::{FRAME_BYTES_MAX, FrameError, FrameTooLarge, REQUEST_BYTES_MAX, put_frame, take_frame};
pub use id::{Secret, SessionId, Xid, Zxid};
pub use op::{
    ANY_VERSION, AddWatch, Auth, Check, CheckWatches, ClientIdentity, ConnectRequest, ConnectResponse,
    Create, Delete, EventType, Exists, GetAcl, GetAllChildrenNumber, GetChildren, GetData, GetEphemerals,
    KeeperState, Multi, MultiOp, MultiRead, MultiReadOp, MultiReadResult, MultiResult, OpCode, Reconfig,
    RemoveWatches, ReplyBody, ReplyHeader, Request, RequestHeader, SaslToken, ServerRequest, SetAcl, SetData,
    SetWatches, SetWatches2, SyncRequest, WatchMode, WatcherEvent, WatcherType, put_notification, put_reply,
};
pub use path::{PathError, ZnodePath};
pub use reader::Reader;
pub use sasl::{DigestMd5Client, DigestMd5Server, SaslError, SaslStep};
pub use server_version::ServerVersion;
pub use session::{
    DisconnectReason, Failure, FailureKind, Outcome, ProtocolError, QueueFull, Reply, SaslAnswer, Session,
    SessionEvent, SessionOptions, SessionState, Ticket, WatchedEvent,
};
pub use stat::Stat;
