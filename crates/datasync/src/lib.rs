//! Live replicas of remote state: the engine of Quorate, without any server.
//!
//! A [`Store`] keeps values under keys and tells of their changes. A [`Watch`] turns what it tells into a total
//! stream of [`Event`]s: a resync, then changes, and after any doubt a new resync. A [`Replica`] holds the copy and
//! says what each event changes. On top stands [`Shared`], a struct that lives in a store, and [`Lock`].
//!
//! This crate knows no server and no wire format. Stores are crates of their own; [`Memory`] is the one that lives
//! in the process, for tests and for programs that need no other.

mod backoff;
mod codec;
mod coordinate;
mod entry;
mod error;
mod event;
mod key;
mod lease;
mod memory;
mod moment;
mod publish;
mod replica;
mod resync;
mod revision;
mod shared;
mod store;
mod subscribe;
mod txn;
mod watch;

#[cfg(feature = "protobuf")]
pub use codec::Protobuf;
pub use codec::{Codec, Decode, DecodeError, Encode, EncodeError, Json, Raw};
pub use coordinate::{Lock, LockError, LockGuard};
pub use entry::{Entry, Stat};
pub use error::{Conflict, Error, ErrorKind, Result};
pub use event::Event;
pub use key::{KEY_BYTES_MAX, Key, KeyError, Prefix};
pub use lease::{Lease, LeaseControl, LeaseId, LeaseRef};
pub use memory::Memory;
pub use moment::Moment;
pub use publish::{Delete, PublishBatch, Publisher, Put};
pub use replica::{Delta, Replica};
pub use resync::{Command, Loaded, Resync};
pub use revision::{Incarnation, Revision, Version};
pub use shared::{
    Change, ChangeSet, Changes, DEPTH_MAX, DataStatus, Document, Edit, Edited, HeldLock, Listener, Open,
    OpenError, Origin, ParseError, Pointer, PointerError, ReadError, Rejected, Select, Shared, SharedEvent,
    SharedEvents, SharedStatus, Snapshot, StaleCause, UpdateError, UpdateHandler, Updated, depth, diff,
    overlay, parse, to_patch,
};
pub use store::{
    Capabilities, Consistency, Found, Items, Link, List, Listing, RawChange, RawChanges, Read, Selection,
    Store, StoreExt, StoreStatus, Want, WatchFrom,
};
pub use subscribe::{
    AppliedReport, ChangeKind, Deadline, Delivery, Hub, HubBuilder, KeyChange, LazyValue, Outcome,
    PrefixContent, Publish, Reports, ResyncCause, ResyncReport, Subscribe, SubscribeError, SubscriberStatus,
    Subscription,
};
pub use txn::{Answer, Check, Committed, ThenRead, Txn, Write, Written};
pub use watch::Watch;
