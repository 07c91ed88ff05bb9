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
mod compose;
mod coordinate;
mod copy;
mod entry;
mod error;
mod event;
mod follow;
mod key;
mod lease;
mod map;
mod memory;
mod moment;
mod mutex;
mod prefix;
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
pub use compose::{Overlay, Provenance, PublishFailures, Published, Publishers, SourceStatus, Sources};
pub use coordinate::{Lock, LockError, LockGuard};
pub use copy::{Mirror, MirrorEvent, MirrorProgress, Mirroring, Side};
pub use entry::{Entry, Stat};
pub use error::{Conflict, Error, ErrorKind, Result};
pub use event::Event;
pub use follow::{
    Batch, Follow, FollowError, FollowEvent, FollowStatus, Follower, FollowerBuilder, Index, NodeEvent,
    NodeWatch, Nodes, NodesSnapshot, SimpleFollower, watch_node, watch_nodes,
};
pub use key::{KEY_BYTES_MAX, Key, KeyError};
pub use lease::{Lease, LeaseControl, LeaseId, LeaseRef};
pub use map::{KeysChange, MapKey, MapKeys, MapOptions, SharedMap};
pub use memory::Memory;
pub use moment::Moment;
pub use prefix::Prefix;
pub use publish::{Delete, PublishBatch, Publisher, Put};
pub use replica::{Delta, Entries, Replica};
pub use resync::{Command, Loaded, Resync};
pub use revision::{Incarnation, Revision, Version};
pub use shared::{
    Access, Change, ChangeSet, Changes, ChangesOptions, DEPTH_MAX, DataStatus, Document, Edit, Edited,
    HeldLock, Listener, ListenerEvent, Listeners, Open, OpenError, Origin, ParseError, ParsedDocument,
    Pointer, PointerError, ReadError, Rejected, Select, SelectBy, Selected, Shared, SharedEvent,
    SharedEvents, SharedStatus, Snapshot, StaleCause, UpdateError, UpdateHandler, UpdateOptions, Updated,
    depth, diff, overlay, parse, to_patch,
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
