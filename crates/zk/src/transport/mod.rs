//! Sockets. Every ZooKeeper connection is opened in `stream.rs` and nowhere else.

mod connector;
mod dial;
mod link;
mod room;
mod seek;
mod stream;
mod tuning;

pub use self::dial::{Dial, Dialing, Transport};
pub(crate) use self::{
    connector::{Connector, Dialed},
    link::Link,
    seek::seek_read_write,
    tuning::Tuning,
};
