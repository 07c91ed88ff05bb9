//! One round of attempts over all addresses of all hosts.

use std::{collections::VecDeque, fmt, net::SocketAddr, time::Duration};

use super::{Host, HostOrder, Target};
use crate::{state::DisconnectReason, tls::TlsFailure};

/// One attempt at every address of every host. Names are looked up when their turn comes.
#[derive(Debug)]
pub(crate) struct Round {
    hosts: VecDeque<Host>,
    targets: VecDeque<Target>,
    /// The address that is tried last.
    avoided: Option<SocketAddr>,
    late: Option<Target>,
    order: HostOrder,
    refusals: usize,
    /// The last thing that went wrong, refusals and TLS apart.
    failure: Option<String>,
    tls_failure: Option<String>,
}

impl Round {
    /// Starts a round.
    pub(super) fn new(hosts: &[Host], order: HostOrder) -> Self {
        let mut hosts = hosts.to_vec();
        if order == HostOrder::Shuffled {
            fastrand::shuffle(&mut hosts);
        }
        Self {
            hosts: hosts.into(),
            targets: VecDeque::new(),
            avoided: None,
            late: None,
            order,
            refusals: 0,
            failure: None,
            tls_failure: None,
        }
    }

    /// Puts hosts behind all others, in any order.
    pub(super) fn followed_by(mut self, reserve: &[Host]) -> Self {
        self.hosts.extend(reserve.iter().cloned());
        self
    }

    /// Puts an address behind all others.
    pub(super) const fn avoiding(mut self, addr: Option<SocketAddr>) -> Self {
        self.avoided = addr;
        self
    }

    /// Puts an address before all others.
    pub(super) fn starting_at(mut self, first: Target) -> Self {
        self.targets.push_front(first);
        self
    }

    /// Returns the next address to try; `None` if the round is over.
    ///
    /// Dropping the future passes over the host whose name is being looked up.
    pub(crate) async fn next_target(&mut self, limit: Duration) -> Option<Target> {
        loop {
            if let Some(target) = self.targets.pop_front() {
                if self.avoided == Some(target.addr()) {
                    self.avoided = None;
                    self.late = Some(target);
                    continue;
                }
                return Some(target);
            }
            let Some(host) = self.hosts.pop_front() else { return self.late.take() };
            match host.resolve(limit).await {
                Ok(mut addrs) => {
                    if self.order == HostOrder::Shuffled {
                        fastrand::shuffle(&mut addrs);
                    }
                    self.targets.extend(addrs.into_iter().map(|addr| Target::new(&host, addr)));
                }
                Err(error) => self.note_failure(&host, &error),
            }
        }
    }

    /// Takes note of a server that was not reached, or did not answer as it should.
    pub(crate) fn note_failure(&mut self, place: &impl fmt::Display, error: &impl fmt::Display) {
        tracing::debug!(%place, %error, "server not reached");
        self.failure = Some(format!("{place}: {error}"));
    }

    /// Takes note of a server with which there is no secure connection.
    pub(crate) fn note_tls_failure(&mut self, place: &impl fmt::Display, failure: &TlsFailure) {
        tracing::warn!(%place, %failure, "TLS failed");
        self.tls_failure = Some(format!("{place}: {failure}"));
    }

    /// Takes note that a server closed the connection during the handshake.
    pub(crate) const fn note_refusal(&mut self) {
        self.refusals += 1;
    }

    /// Returns whether there was nothing but refusals.
    pub(crate) const fn is_refused_by_all(&self) -> bool {
        self.refusals > 0 && self.failure.is_none() && self.tls_failure.is_none()
    }

    /// Returns what is most worth telling of a round that has led nowhere: TLS comes first, since waiting seldom
    /// mends it; then the last failure, unless some server refused.
    pub(crate) fn into_failure(self) -> Option<DisconnectReason> {
        if let Some(detail) = self.tls_failure {
            return Some(DisconnectReason::TlsFailed { detail });
        }
        let detail = self.failure.filter(|_| self.refusals == 0)?;
        Some(DisconnectReason::Unreachable { detail })
    }
}
