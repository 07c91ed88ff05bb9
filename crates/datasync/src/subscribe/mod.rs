//! Subscriptions: named subscribers who are told what is there and what changes, and answer for it.
//!
//! [`Board`](board::Board) is the state machine of a hub; it performs no I/O. The [driver](driver) feeds it what
//! the watches tell, the time, and nothing else; handles and streams reach it through [`Shared`](shared::Shared).

mod answer;
mod applied;
mod board;
mod delivery;
mod driver;
mod feed;
mod handing;
mod hub;
mod interest;
mod members;
mod options;
mod report;
mod round;
mod shared;
mod source;
mod sources;
mod subscriber;
mod subscription;
#[cfg(test)]
mod tests;
mod tickets;
mod timing;
mod turns;
mod value;

pub use answer::{Deadline, Outcome};
pub use applied::{AppliedReport, Publish};
pub use delivery::{ChangeKind, Delivery, KeyChange, PrefixContent};
pub use hub::Hub;
pub use options::{HubBuilder, Subscribe, SubscribeError};
pub use report::{Reports, ResyncCause, ResyncReport};
pub use subscriber::SubscriberStatus;
pub use subscription::Subscription;
pub use value::LazyValue;
