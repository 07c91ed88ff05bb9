//! The operations: one file per group, each record in both directions.

mod auth;
mod code;
mod connect;
mod create;
mod event;
mod header;
mod info;
mod multi;
mod multi_read;
mod node;
mod reconfig;
mod reply;
mod request;
mod sasl;
mod server;
mod watch;

pub use auth::Auth;
pub use code::OpCode;
pub use connect::{ConnectRequest, ConnectResponse};
pub use create::Create;
pub use event::{EventType, KeeperState, WatcherEvent};
pub use header::{ReplyHeader, RequestHeader};
pub use info::{ClientIdentity, GetAllChildrenNumber, GetEphemerals};
pub use multi::{Multi, MultiOp, MultiResult};
pub use multi_read::{MultiRead, MultiReadOp, MultiReadResult};
pub use node::{
    ANY_VERSION, Check, Delete, Exists, GetAcl, GetChildren, GetData, SetAcl, SetData, SyncRequest,
};
pub use reconfig::Reconfig;
pub use reply::ReplyBody;
pub use request::Request;
pub use sasl::SaslToken;
pub use server::{ServerRequest, put_notification, put_reply};
pub use watch::{AddWatch, CheckWatches, RemoveWatches, SetWatches, SetWatches2, WatchMode, WatcherType};
