//! What was asked, for tests to count.

use std::collections::VecDeque;

use quorate_zk_proto::{OpCode, SessionId};

/// How many requests are remembered; older ones are forgotten.
const REQUESTS_MAX: usize = 100_000;

/// A request that arrived, applied or refused. Pings are not recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedRequest {
    /// The server it arrived at, counted from 0.
    pub server: usize,
    /// Who asked.
    pub session: SessionId,
    /// What for; [`OpCode::Error`] for an operation that is not known.
    pub op: OpCode,
    /// Where, for operations about one znode.
    pub path: Option<String>,
}

/// How much went over all links since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Connections accepted.
    pub connections: u64,
    /// Requests but pings.
    pub requests: u64,
    /// Reads from a link that held at least one of these requests. A client that pipelines has fewer of them
    /// than requests.
    pub batches: u64,
    /// Pings.
    pub pings: u64,
    /// Replies but those to pings.
    pub replies: u64,
    /// Watch notifications.
    pub notifications: u64,
}

/// Counters and the latest requests.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    pub(crate) counters: Counters,
    requests: VecDeque<LoggedRequest>,
}

impl Journal {
    pub(crate) fn record(&mut self, request: LoggedRequest) {
        self.counters.requests += 1;
        if self.requests.len() == REQUESTS_MAX {
            self.requests.pop_front();
        }
        self.requests.push_back(request);
    }

    pub(crate) fn requests(&self) -> Vec<LoggedRequest> {
        self.requests.iter().cloned().collect()
    }

    pub(crate) fn forget_requests(&mut self) {
        self.requests = VecDeque::new();
    }
}
