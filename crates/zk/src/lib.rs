//! An async ZooKeeper client on tokio.
//!
//! A [`Client`] holds one session at an ensemble for as long as it lives: it finds a server, keeps the session
//! across lost connections, starts a new one after an expiry, and arms watches again. What a session does is
//! decided by [`quorate_zk_proto`]; this crate adds the sockets, the clock and the task that owns both.
//!
//! - **Order.** Operations take effect in the order of the calls, not of the polls: a method submits, then
//!   returns a named future.
//! - **Bounded.** A limited number of requests is in flight; the others wait in order. Nobody waits for a slow
//!   watcher: its queue is bounded, and it is told when it missed something.
//! - **Errors** keep operation, path and server code, and say whether the request may have been applied.
//! - **Security.** TLS and mutual TLS ([`TlsOptions`]), with certificates that may be renewed while the client runs;
//!   identities by digest, certificate or SASL on every connection. Secrets are never shown.
//! - **Watches** are persistent. A change is in the queue of its [`Watcher`] before a reply that could show it
//!   reaches its caller.
//!
//! # Examples
//!
//! ```
//! use quorate_zk::{Acl, ClientOptions, CreateMode, WatchMode, Watched, ZnodePath};
//! use quorate_zk_fake::FakeZooKeeper;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = FakeZooKeeper::start().await?;
//! let client = ClientOptions::new([server.connect_string()]).connect()?;
//!
//! let path = ZnodePath::new("/greeting")?;
//! let mut watcher = client.add_watch(&path, WatchMode::Persistent).await?;
//! client.create(&path, "hello", CreateMode::Persistent, vec![Acl::open()]).await?;
//! assert!(matches!(watcher.next().await, Some(Watched::Event(_))));
//! assert_eq!(client.get_data(&path).await?.data.as_deref(), Some(&b"hello"[..]));
//!
//! client.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Deliberately absent
//!
//! One-shot watches: up to ZooKeeper 3.8 one of them breaks a persistent watch of the same session and path, so
//! requests that would set one are refused. The first event of a [`Watcher`] is the same thing. Retries of
//! requests, locks and caches belong to the layers above.

mod acls;
mod auth;
mod backoff;
mod chroot;
mod client;
mod driver;
mod ensemble_config;
mod error;
mod hosts;
mod inbox;
mod lacking;
mod one_shot;
mod ops;
mod options;
mod queue;
mod registry;
mod response;
mod retry;
mod server_version;
mod session_events;
mod session_token;
mod slot;
mod state;
mod sweep;
mod terms;
mod tls;
mod transport;
mod watcher;

pub use acls::Acls;
pub use client::Client;
pub use ensemble_config::{EnsembleConfig, EnsembleConfigError, Member, MemberRole};
pub use error::{ConfigError, ConnectError, RequestError};
pub use one_shot::OneshotWatcher;
pub use ops::{
    AddAuthError, CheckWatchesError, Children, CreateError, Created, DeleteError, ExistsError, GetAclError,
    GetAllChildrenNumberError, GetChildrenError, GetConfigError, GetDataError, GetEphemeralsError,
    MultiBuilder, MultiError, MultiFate, MultiItem, MultiReadError, NodeAcl, NodeConfig, NodeData, Operation,
    ProtectedCreate, ReconfigError, SetAclError, SetDataError, SyncError, Watch, WatchedOperation,
    WhoAmIError, WithWatcher,
};
pub use options::ClientOptions;
pub use quorate_zk_proto::{
    ANY_VERSION, Acl, AddWatch, Auth, Check, CheckWatches, ClientIdentity, Create, CreateMode, Delete,
    ErrorCode, EventType, Exists, FailureKind, GetAcl, GetAllChildrenNumber, GetChildren, GetData,
    GetEphemerals, Id, Multi, MultiOp, MultiRead, MultiReadOp, MultiReadResult, MultiResult, OpCode, Outcome,
    PathError, Perms, Reconfig, RemoveWatches, Reply, ReplyBody, Request, Secret, SessionId, SetAcl, SetData,
    Stat, Sync, Ttl, WatchMode, WatchedEvent, WatcherType, ZnodePath, Zxid,
};
pub use response::Response;
pub use retry::RetryPolicy;
pub use server_version::ServerVersion;
pub use session_events::{SessionEvent, SessionEvents};
pub use session_token::{SessionHandover, SessionToken};
pub use state::{ClientState, DisconnectReason};
pub use tls::{TlsConfigError, TlsOptions};
pub use transport::{Dial, Dialing, Transport};
pub use watcher::{AddingWatch, Watched, Watcher};
