//! What the client counts, if it was asked to.

use std::{collections::HashMap, time::Duration};

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge,
    histogram,
};
use quorate_zk_proto::{Failure, FailureKind, OpCode};

const REQUEST_SECONDS: &str = "quorate_zk_request_seconds";
const FAILURES: &str = "quorate_zk_request_failures_total";
const IN_FLIGHT: &str = "quorate_zk_requests_in_flight";
const QUEUED: &str = "quorate_zk_requests_queued";
const CONNECTIONS: &str = "quorate_zk_connections_total";
const EXPIRIES: &str = "quorate_zk_sessions_expired_total";
const WATCHES: &str = "quorate_zk_watched_paths";
const SENT: &str = "quorate_zk_sent_bytes_total";
const RECEIVED: &str = "quorate_zk_received_bytes_total";

/// The metrics of one client. They go to whatever recorder was installed when the client was made.
pub(super) struct Metrics {
    client: String,
    latencies: HashMap<OpCode, Histogram>,
    in_flight: Gauge,
    queued: Gauge,
    connections: Counter,
    expiries: Counter,
    watches: Gauge,
    sent: Counter,
    received: Counter,
}

impl Metrics {
    pub(super) fn new(client: String) -> Self {
        describe();
        let label = || client.clone();
        Self {
            latencies: HashMap::new(),
            in_flight: gauge!(IN_FLIGHT, "client" => label()),
            queued: gauge!(QUEUED, "client" => label()),
            connections: counter!(CONNECTIONS, "client" => label()),
            expiries: counter!(EXPIRIES, "client" => label()),
            watches: gauge!(WATCHES, "client" => label()),
            sent: counter!(SENT, "client" => label()),
            received: counter!(RECEIVED, "client" => label()),
            client,
        }
    }

    pub(super) fn on_reply(&mut self, op: OpCode, latency: Duration, failure: Option<&Failure>) {
        let client = &self.client;
        self.latencies
            .entry(op)
            .or_insert_with(
                || histogram!(REQUEST_SECONDS, "client" => client.clone(), "op" => format!("{op:?}")),
            )
            .record(latency);
        if let Some(failure) = failure {
            let reason = reason(&failure.kind);
            counter!(FAILURES, "client" => client.clone(), "op" => format!("{op:?}"), "reason" => reason)
                .increment(1);
        }
    }

    pub(super) fn on_connected(&self) {
        self.connections.increment(1);
    }

    pub(super) fn on_expired(&self) {
        self.expiries.increment(1);
    }

    pub(super) fn on_sent(&self, bytes: usize) {
        self.sent.increment(bytes as u64);
    }

    pub(super) fn on_received(&self, bytes: usize) {
        self.received.increment(bytes as u64);
    }

    /// Shows how much there is of everything.
    pub(super) fn show(&self, in_flight: usize, queued: usize, watches: usize) {
        self.in_flight.set(in_flight as f64);
        self.queued.set(queued as f64);
        self.watches.set(watches as f64);
    }
}

/// What is gone counts for nothing.
impl Drop for Metrics {
    fn drop(&mut self) {
        self.show(0, 0, 0);
    }
}

const fn reason(kind: &FailureKind) -> &'static str {
    match kind {
        FailureKind::Server(_) => "server",
        FailureKind::ConnectionLost => "connection_lost",
        FailureKind::SessionExpired => "session_expired",
        FailureKind::AuthFailed => "auth_failed",
        FailureKind::Closed => "closed",
        FailureKind::TooLarge { .. } => "too_large",
        FailureKind::Malformed(_) => "malformed",
        _ => "other",
    }
}

fn describe() {
    describe_histogram!(REQUEST_SECONDS, Unit::Seconds, "Time from the sending of a request to its reply");
    describe_counter!(FAILURES, "Requests that failed after they were sent");
    describe_gauge!(IN_FLIGHT, "Requests that wait for their replies");
    describe_gauge!(QUEUED, "Requests that wait to be sent");
    describe_counter!(CONNECTIONS, "Connections on which the session was up");
    describe_counter!(EXPIRIES, "Sessions that expired");
    describe_gauge!(WATCHES, "Paths that are watched");
    describe_counter!(SENT, Unit::Bytes, "Bytes handed to connections");
    describe_counter!(RECEIVED, Unit::Bytes, "Bytes received");
}
