//! An in-process ZooKeeper for tests: one server on loopback that behaves as a real ensemble does, and
//! misbehaves when told to.
//!
//! [`FakeZooKeeper`] speaks the wire protocol, so any client can be tested against it, in any number of
//! sessions, without Java and without waiting for a server to start. It keeps znodes, sessions, watches and
//! access lists as Apache ZooKeeper 3.8 does, with that version's quirks; [`Builder::version`] chooses another.
//!
//! # Examples
//!
//! ```
//! use quorate_zk_fake::FakeZooKeeper;
//! use tokio::{io::{AsyncReadExt, AsyncWriteExt}, net::TcpStream};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let server = FakeZooKeeper::start().await?;
//! println!("give your client {}", server.connect_string());
//!
//! // What somebody else does to the tree while your client watches:
//! server.set_raw("/app/config", "v1").expect("the path is valid");
//! let node = server.node("/app/config").expect("it was just written");
//! assert_eq!((node.data.as_deref(), node.stat.version), (Some(&b"v1"[..]), 0));
//!
//! // A handshake by hand, as a client would do it: 45 bytes there, 37 back, each behind its length.
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
//!
//! // A session that ends, a network that breaks:
//! server.expire_all();
//! server.drop_connections();
//! assert!(server.sessions().is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! # Time
//!
//! Sessions expire on tokio's clock. With tokio's paused time use [`FakeZooKeeper::connect`], which gives the
//! client's end of an in-memory link: a runtime with paused time does not wait for sockets.
//!
//! # Faults
//!
//! - [`stop_listening`](FakeZooKeeper::stop_listening): connections are refused, until
//!   [`listen_again`](FakeZooKeeper::listen_again) on the same port.
//! - [`drop_connections`](FakeZooKeeper::drop_connections): all links are cut, sessions live on.
//! - [`expire_session`](FakeZooKeeper::expire_session), [`expire_all`](FakeZooKeeper::expire_all).
//! - [`pause`](FakeZooKeeper::pause): connected, but silent, until [`resume`](FakeZooKeeper::resume).
//! - [`cut_after_packets`](FakeZooKeeper::cut_after_packets): a request is lost before it was applied, or the
//!   reply of one that was; counting up walks through every packet of an exchange.
//! - [`cut_after_reply_bytes`](FakeZooKeeper::cut_after_reply_bytes): the same, within a packet.
//! - [`refuse_next`](FakeZooKeeper::refuse_next): an error in place of an answer.
//! - [`wipe`](FakeZooKeeper::wipe): an ensemble restored from nothing, behind what its clients have seen.
//!
//! # Deliberately absent
//!
//! There is one server, always the leader and never read-only: elections, lagging followers, SASL, TLS,
//! quotas, dynamic configuration and persistence are not imitated. Listings come in alphabetical order; a
//! real server promises none. A sequential znode without a name of its own (`/dir/`) is refused. A check that is
//! not in a multi, at which a real server hangs, is answered like an unknown operation. Sessions expire at their
//! deadline, not at the next tick after it. Notifications go out whatever the access list says.

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
pub use server::FakeServer;
#[cfg(feature = "tls")]
pub use tls::{Identity, TestCertificates};
pub use version::ServerVersion;
