//! An in-process ZooKeeper for tests: servers on loopback that behave as real ones do, and misbehave when told
//! to.
//!
//! [`FakeZooKeeper`] speaks the wire protocol, so any client can be tested against it, in any number of
//! sessions, without Java and without waiting for a server to start. Its answers are compared packet by packet
//! with recordings of Apache ZooKeeper 3.8.0 and 3.9.5, quirks included. It imitates 3.8.0;
//! [`Builder::version`] chooses another, [`Builder::servers`] an ensemble.
//!
//! # Testing your own code
//!
//! Give [`connect_string`](FakeZooKeeper::connect_string) to the code under test, whatever client it uses. The
//! fake's handle is the rest of the world: it changes the tree, ends sessions, cuts links, and shows what
//! happened.
//!
//! ```
//! use quorate_zk_fake::{Direction, FakeZooKeeper};
//! # mod app {
//! #     use bytes::BytesMut;
//! #     use quorate_zk_proto::*;
//! #     use tokio::{io::{AsyncReadExt, AsyncWriteExt}, net::TcpStream};
//! #     pub(crate) async fn register(hosts: &str) -> std::io::Result<Session> {
//! #         let (path, acl) = (ZnodePath::new("/workers/w1").expect("valid"), vec![Acl::open()]);
//! #         let create = Create { path, data: None, acl, mode: CreateMode::Ephemeral };
//! #         let mut session = Session::new(SessionOptions::default());
//! #         let now = std::time::Instant::now;
//! #         let _ = session.handle_request(now(), Request::Create(create));
//! #         let (mut input, mut out) = (BytesMut::new(), BytesMut::new());
//! #         let mut stream = TcpStream::connect(hosts).await?;
//! #         session.handle_connected(now());
//! #         loop {
//! #             session.poll_transmit(&mut out);
//! #             stream.write_all(&out.split()).await?;
//! #             while let Some(event) = session.poll_event() {
//! #                 if let SessionEvent::Reply { result, .. } = event {
//! #                     return result.map(|_| session).map_err(std::io::Error::other);
//! #                 }
//! #             }
//! #             if stream.read_buf(&mut input).await? == 0 {
//! #                 return Err(std::io::ErrorKind::UnexpectedEof.into());
//! #             }
//! #             session.handle_input(now(), &mut input).map_err(std::io::Error::other)?;
//! #         }
//! #     }
//! # }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let server = FakeZooKeeper::start().await?;
//! server.set_raw("/workers", "").expect("the path is valid");
//!
//! // `register` is the code under test: it creates the ephemeral znode `/workers/w1`.
//! app::register(&server.connect_string()).await?;
//! assert_eq!(server.children("/workers"), ["w1"]);
//!
//! // The session ends, and the znode with it.
//! server.expire_all();
//! assert!(server.children("/workers").is_empty());
//!
//! // The reply is lost: the code is told of a failure, and yet the znode is there.
//! server.cut_after_packets(Direction::Replies, 0);
//! assert!(app::register(&server.connect_string()).await.is_err());
//! assert_eq!(server.children("/workers"), ["w1"]);
//! # Ok(())
//! # }
//! ```
//!
//! # Over TCP
//!
//! Every server listens on a port of 127.0.0.1, so that clients in other languages can use it: kazoo's recipes
//! and `zkCli` work on it. The example `serve` is a program that does only that. Here is a handshake by hand:
//!
//! ```
//! use quorate_zk_fake::FakeZooKeeper;
//! use tokio::{io::{AsyncReadExt, AsyncWriteExt}, net::TcpStream};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let server = FakeZooKeeper::start().await?;
//!
//! // 45 bytes there, 37 back, each behind its length.
//! let mut client = TcpStream::connect(server.addr()).await?;
//! let mut connect = vec![0, 0, 0, 45];
//! connect.extend([0; 12]); // protocol version, last zxid seen
//! connect.extend(30_000_i32.to_be_bytes()); // session timeout
//! connect.extend([0; 8]); // no session yet
//! connect.extend(16_i32.to_be_bytes());
//! connect.extend([0; 16 + 1]); // no password yet, not read-only
//! client.write_all(&connect).await?;
//! assert_eq!(client.read_i32().await?, 37);
//! assert_eq!(server.sessions().len(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Time
//!
//! Sessions expire on tokio's clock. With tokio's paused time use [`FakeZooKeeper::connect`], or
//! [`FakeServer::connect`], which give the client's end of an in-memory link: a runtime with paused time does
//! not wait for sockets.
//!
//! # What it does
//!
//! | | |
//! |---|---|
//! | operations | all that clients can ask for, each known from the version on that a real server knows it; unknown ones are answered by -6 and the end of the connection |
//! | znodes | persistent, ephemeral, sequential, containers and times to live ([`reap_containers`](FakeZooKeeper::reap_containers) reaps), stats, zxids |
//! | sessions | ids, passwords, timeouts, moves between servers and connections |
//! | watches | one-shot, persistent, recursive; one mode for each path and session up to 3.8, all side by side from 3.9 on; re-arming; checking and removing |
//! | access | schemes `world`, `auth`, `digest`, `ip` with networks, `sasl` ([`Builder::sasl_user`]), `x509`, the super user; masked digests; clients that have to authenticate ([`Builder::auth_required`], [`Builder::sasl_required`]) |
//! | ensembles | several servers over one tree ([`Builder::servers`]), each stopped, silent or lagging by itself ([`FakeServer`]); read-only servers ([`lose_quorum`](FakeZooKeeper::lose_quorum)) |
//! | quotas | the hard ones, if [enforced](Builder::quotas_enforced) |
//! | members | `/zookeeper/config` with its watch, and its changes ([`Builder::members`], [`Builder::reconfig_enabled`]) |
//! | TLS | with the feature `tls`: on the ports, with certificates made for the test, and clients known by theirs |
//! | words | `srvr`, `isro`, and if allowed `ruok`, `envi` and `mntr` |
//!
//! # Faults
//!
//! | | |
//! |---|---|
//! | connections refused | [`stop_listening`](FakeZooKeeper::stop_listening), [`listen_again`](FakeZooKeeper::listen_again), [`FakeServer::stop`] |
//! | closed at the handshake | [`close_handshakes`](FakeZooKeeper::close_handshakes) |
//! | links cut | [`drop_connections`](FakeZooKeeper::drop_connections) |
//! | cut before or behind any request | [`cut_after_packets`](FakeZooKeeper::cut_after_packets): a request is lost before it was applied, or the reply of one that was |
//! | cut at any byte | [`cut_after_request_bytes`](FakeZooKeeper::cut_after_request_bytes), [`cut_after_reply_bytes`](FakeZooKeeper::cut_after_reply_bytes), [`cut_after_link_bytes`](FakeZooKeeper::cut_after_link_bytes) |
//! | half-closed links | [`half_close_connections`](FakeZooKeeper::half_close_connections) |
//! | connected, but silent | [`pause`](FakeZooKeeper::pause), [`FakeServer::pause`] |
//! | replies late or lost | [`delay_next_reply`](FakeZooKeeper::delay_next_reply), [`lose_next_reply`](FakeZooKeeper::lose_next_reply) |
//! | an error for an answer | [`refuse_next`](FakeZooKeeper::refuse_next): throttled, over a quota, no leader |
//! | sessions expired | [`expire_session`](FakeZooKeeper::expire_session), [`expire_all`](FakeZooKeeper::expire_all) |
//! | sessions replaced unasked | [`Builder::never_resume_sessions`] |
//! | old data | [`FakeServer::lag`] |
//! | no quorum | [`lose_quorum`](FakeZooKeeper::lose_quorum) |
//! | restored from nothing | [`wipe`](FakeZooKeeper::wipe) |
//!
//! # Deliberately absent
//!
//! Nobody is elected: while there is a quorum every server can write, and a stopped leader disturbs nobody.
//! Kerberos and persistence are not imitated, nor the statistics beside a quota, nor what a change of members
//! does to the servers.
//! Listings come in alphabetical order; a real server promises none. A sequential znode without a name of its
//! own (`/dir/`) is refused, and so are `digest` credentials without a colon. A check that is not in a multi, at
//! which a real server hangs, is answered like an unknown operation. Sessions expire at their deadline, not at
//! the next tick after it. In SASL the server's nonce can be guessed.
//!
//! Beside the tree it keeps the latest 100,000 requests for [`requests`](FakeZooKeeper::requests), and of a
//! server that lags the old tree and at most 100,000 changes.

mod builder;
mod clock;
mod ensemble;
mod fake;
mod faults;
mod inspect;
mod link;
mod listener;
mod server;
mod shared;
mod tls;
mod version;

pub use builder::Builder;
pub use ensemble::{Counters, Direction, LoggedRequest};
pub use fake::FakeZooKeeper;
pub use inspect::{Node, NodeKind, SessionInfo};
pub use quorate_zk_proto::ServerVersion;
pub use server::FakeServer;
#[cfg(feature = "tls")]
pub use tls::{TestCertificates, TestIdentity};
