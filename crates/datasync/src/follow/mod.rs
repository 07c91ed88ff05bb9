//! Followers: typed views of sets of nodes, and what changes in them.
//!
//! A [`Feed`](feed::Feed) is a watch and a tracker; the tracker, which does no I/O, holds the view and cuts what
//! happens into batches. The stream ([`Follower`]), the callbacks ([`Follow`]) and the single node ([`NodeWatch`]) stand
//! on it.

mod builder;
mod callbacks;
mod core;
mod driver;
mod error;
mod event;
mod feed;
mod follower;
mod index;
mod lens;
mod metrics;
mod mirrors;
mod node;
mod nodes;
mod queue;
mod run;
mod simple;
mod status;
mod tracker;
mod view;

pub use builder::FollowerBuilder;
pub use callbacks::Follow;
pub use error::FollowError;
pub use event::{Batch, FollowEvent};
pub use follower::Follower;
pub use index::Index;
pub use node::{NodeEvent, NodeWatch, watch_node};
pub use nodes::{Nodes, NodesSnapshot};
pub use run::watch_nodes;
pub use simple::SimpleFollower;
pub use status::FollowStatus;
