//! What the driver waits for besides its inbox and the time.

use std::{future::pending, io, pin::Pin, time::Instant};

use bytes::BytesMut;
use tokio::select;

use crate::{
    hosts::{Round, Target},
    transport::{Dialed, Link},
};

/// The search for a server that writes.
pub(super) type Seek = Pin<Box<dyn Future<Output = Target> + Send>>;

/// Where the driver stands with its connection.
pub(super) enum Phase {
    /// Between two rounds.
    Resting { until: Instant },
    /// Connecting to one host after the other.
    Dialing(Pin<Box<dyn Future<Output = Dialed> + Send>>),
    /// Connected.
    Linked(Linked),
}

/// A connection, and the round that led to it.
pub(super) struct Linked {
    pub(super) link: Link,
    pub(super) round: Box<Round>,
    /// When the session was up, if it is.
    pub(super) up_since: Option<Instant>,
    /// Whether TLS is why it broke.
    pub(super) is_insecure: bool,
    /// The search for a server that writes, while this one only reads.
    pub(super) seek: Option<Seek>,
}

/// What came of waiting.
pub(super) enum Arrival {
    Dialed(Dialed),
    Read(io::Result<usize>),
    /// A server that writes was found, while connected to one that only reads.
    Found(Target),
}

impl Phase {
    /// Waits for the next thing to happen. Nothing is lost if the future is dropped. With `expects`, a reply is due.
    pub(super) async fn wait(
        &mut self,
        input: &mut BytesMut,
        output: &mut BytesMut,
        expects: bool,
    ) -> Arrival {
        match self {
            Self::Resting { .. } => pending().await,
            Self::Dialing(dial) => Arrival::Dialed(dial.as_mut().await),
            Self::Linked(Linked { link, seek: None, .. }) => {
                Arrival::Read(link.exchange(input, output, expects).await)
            }
            Self::Linked(Linked { link, seek: Some(seek), .. }) => select! {
                biased;
                read = link.exchange(input, output, expects) => Arrival::Read(read),
                target = seek => Arrival::Found(target),
            },
        }
    }

    pub(super) const fn rests_until(&self) -> Option<Instant> {
        match self {
            Self::Resting { until } => Some(*until),
            Self::Dialing(_) | Self::Linked(_) => None,
        }
    }

    pub(super) fn is_rested(&self, now: Instant) -> bool {
        self.rests_until().is_some_and(|until| now >= until)
    }
}
