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
//! - **Watches** are persistent ([`Client::add_watch`]) or one-shot. A change is in the queue of its [`Watcher`]
//!   before a reply that could show it reaches its caller.
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
//! client.create(&path, "hello", CreateMode::Persistent, Acl::open()).await?;
//! assert!(matches!(watcher.next().await, Some(Watched::Event(_))));
//! assert_eq!(client.get_data(&path).await?.data.as_deref(), Some(&b"hello"[..]));
//!
//! client.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Operations
//!
//! Every operation is a method of [`Client`] with a result and an error of its own, and gives an [`Operation`]: a
//! future that can be given a [deadline](Operation::deadline). Each error says in its variants what can happen to
//! that operation; `request_error()` tells the operation, the path, the server's code, and what is known of the
//! effect ([`RequestError::outcome`]).
//!
//! | after a lost connection | what helps |
//! |---|---|
//! | reads, and writes that were surely not applied | [`Client::retrying`] with a [`RetryPolicy`] |
//! | making sure that a path is there | [`Client::ensure_path`], called again |
//! | creating a znode | [`Client::create_protected`], which finds its own znode again |
//! | other writes | their outcome is [`Outcome::Unknown`]: nobody but their author can tell what to look for |
//!
//! A server that is too old for an operation is asked in an older form where there is one, once it has refused the newer;
//! [`ClientOptions::server_version`] saves it the question. Where there is none the error is `Unsupported`.
//!
//! # Coming from tokio-zookeeper
//!
//! | there | here |
//! |---|---|
//! | `ZooKeeper` | [`Client`]; methods take `&self` and give their result alone, not the client back |
//! | `ZooKeeper::connect(&addr)` | [`Client::connect`], with all hosts of the ensemble |
//! | a runtime of tokio 0.1, `.wait()` | a runtime of tokio 1, `.await`; the futures are `'static` |
//! | the stream it gives | [`SessionEvents`]: [`SessionEvent::Watch`], [`SessionEvent::State`] and more |
//! | `ZooKeeperBuilder`, `set_timeout` | [`ClientOptions`], [`session_timeout`](ClientOptions::session_timeout) |
//! | `set_logger` | events and spans of `tracing`; metrics by [`metrics`](ClientOptions::metrics) |
//! | module `error` | the errors stand beside [`Client`], one for each operation |
//! | modules `types`, `proto`, `transform` | the types stand beside [`Client`]; the protocol is [`quorate_zk_proto`] |
//! | `&str` as a path | [`ZnodePath`], checked once |
//! | `create(path, data, acl, mode)` | [`Client::create`]`(path, data, mode, acl)`, gives [`Created`] |
//! | `delete(path, version)` | [`Client::delete`] |
//! | `exists(path)` | [`Client::exists`] |
//! | `get_data(path)` | [`Client::get_data`], gives [`NodeData`]; no node is [`GetDataError::NoNode`] |
//! | `set_data(path, version, data)` | [`Client::set_data`]`(path, data, version)` |
//! | `get_children(path)` | [`Client::get_children`], gives [`Children`] |
//! | `get_acl(path)` | [`Client::get_acl`], gives [`NodeAcl`] |
//! | `set_acl(path, acl, version)` | [`Client::set_acl`] |
//! | `watch()` (`WatchGlobally`) | [`Client::watch`] ([`Watch`]) |
//! | `with_watcher()` (`WithWatcher`) | [`Client::with_watcher`] ([`WithWatcher`]), giving [`OneshotWatcher`]s |
//! | `multi()` (`MultiBuilder`) | [`Client::multi`] ([`MultiBuilder`]); [`run`](MultiBuilder::run) sends it |
//! | `MultiResponse` | [`MultiItem`] |
//! | `Acl`, `Acl::new` | [`Acl`], [`Acls`] for a list; a single [`Acl`] will do for one |
//! | `Acl::open_unsafe()` | [`Acls::open`] |
//! | `Acl::creator_all()` | [`Acls::creator_all`] |
//! | `Acl::read_unsafe()` | [`Acls::read`] |
//! | scheme and id of an `Acl` | [`Id`]: `anyone`, `authenticated`, `digest`, `ip`, `x509`, `sasl` |
//! | `Permission` | [`Perms`] |
//! | `CreateMode` | [`CreateMode`], with times to live besides |
//! | `Stat` | [`Stat`] |
//! | `WatchedEvent` | [`WatchedEvent`] |
//! | `WatchedEventType` | [`EventType`] |
//! | `KeeperState` | [`ClientState`] |
//! | `error::Create` | [`CreateError`] |
//! | `error::Delete` | [`DeleteError`] |
//! | `error::GetData` (a missing node was `None`) | [`GetDataError`] |
//! | `error::SetData` | [`SetDataError`] |
//! | `error::GetChildren` | [`GetChildrenError`] |
//! | `error::GetAcl`, `error::SetAcl` | [`GetAclError`], [`SetAclError`] |
//! | `error::Check` | [`MultiFate::Failed`] in the place of the check |
//! | `error::Multi`: `RolledBack`, `Skipped`, the rest | [`MultiError::Failed`] with a [`MultiFate`] for each operation |
//! | `BadVersion { expected }` | the same, with the server's answer as its source |
//!
//! # Deliberately absent
//!
//! Locks, elections, caches and other recipes belong to the layers above. Writes whose outcome is unknown are never made
//! again by themselves.

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
    PathError, Perms, Reconfig, RemoveWatches, Reply, ReplyBody, Request, Secret, ServerVersion, SessionId,
    SetAcl, SetData, Stat, SyncRequest, Ttl, WatchMode, WatchedEvent, WatcherType, ZnodePath, Zxid,
};
pub use response::Response;
pub use retry::RetryPolicy;
pub use session_events::{SessionEvent, SessionEvents};
pub use session_token::{SessionHandover, SessionToken};
pub use state::{ClientState, DisconnectReason};
pub use tls::{TlsConfigError, TlsOptions};
pub use transport::{Dial, Dialing, Transport};
pub use watcher::{AddingWatch, Watched, Watcher};
