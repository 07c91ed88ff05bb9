//! What a shared struct counts, if it was asked to.

use std::time::Duration;

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge,
    histogram,
};
use tokio::time::Instant;

use super::snapshot::Origin;
use super::subscribers::Told;
use crate::Revision;

const AGE: &str = "quorate_shared_age_seconds";
const REVISION: &str = "quorate_shared_revision";
const CHANGES: &str = "quorate_shared_changes_total";
const REJECTED: &str = "quorate_shared_rejected_total";
const COALESCED: &str = "quorate_shared_coalesced_total";
const QUEUE_DEPTH: &str = "quorate_shared_queue_depth";
const SUBSCRIBERS: &str = "quorate_shared_subscribers";
const RESYNCS: &str = "quorate_shared_resyncs_total";
const LOCK_WAIT: &str = "quorate_shared_lock_wait_seconds";
const UPDATE: &str = "quorate_shared_update_seconds";
const FAILURES: &str = "quorate_shared_update_failures_total";
const CONFLICTS: &str = "quorate_shared_conflicts_total";
const MEMBERS: &str = "quorate_shared_updates_per_write";

/// The metrics of one struct. They go to whatever recorder was installed when the struct was opened. Without a name
/// nothing is measured, and nothing costs more than a look at that.
#[derive(Debug, Default)]
pub(crate) struct Metrics(Option<Box<Inner>>);

struct Inner {
    age: Gauge,
    revision: Gauge,
    local: Counter,
    process: Counter,
    remote: Counter,
    rejected: Counter,
    coalesced: Counter,
    queue_depth: Gauge,
    subscribers: Gauge,
    resyncs: Counter,
    lock_wait: Histogram,
    exclusive: Histogram,
    optimistic: Histogram,
    failures: Counter,
    conflicts: Counter,
    members: Histogram,
}

impl Metrics {
    pub(crate) fn new(name: &str) -> Self {
        describe();
        let label = || name.to_owned();
        let changes = |origin| counter!(CHANGES, "struct" => label(), "origin" => origin);
        let update = |way| histogram!(UPDATE, "struct" => label(), "way" => way);
        Self(Some(Box::new(Inner {
            age: gauge!(AGE, "struct" => label()),
            revision: gauge!(REVISION, "struct" => label()),
            local: changes("local"),
            process: changes("process"),
            remote: changes("remote"),
            rejected: counter!(REJECTED, "struct" => label()),
            coalesced: counter!(COALESCED, "struct" => label()),
            queue_depth: gauge!(QUEUE_DEPTH, "struct" => label()),
            subscribers: gauge!(SUBSCRIBERS, "struct" => label()),
            resyncs: counter!(RESYNCS, "struct" => label()),
            lock_wait: histogram!(LOCK_WAIT, "struct" => label()),
            exclusive: update("exclusive"),
            optimistic: update("optimistic"),
            failures: counter!(FAILURES, "struct" => label()),
            conflicts: counter!(CONFLICTS, "struct" => label()),
            members: histogram!(MEMBERS, "struct" => label()),
        })))
    }

    /// Now, if somebody measures.
    pub(super) fn now(&self) -> Option<Instant> {
        self.0.as_ref().map(|_| Instant::now())
    }

    pub(super) fn on_age(&self, age: Duration) {
        if let Some(inner) = &self.0 {
            inner.age.set(age.as_secs_f64());
        }
    }

    pub(super) fn on_revision(&self, revision: Revision) {
        if let Some(inner) = &self.0 {
            inner.revision.set(revision.get() as f64);
        }
    }

    pub(super) fn on_change(&self, origin: Origin) {
        if let Some(inner) = &self.0 {
            match origin {
                Origin::Local => inner.local.increment(1),
                Origin::Process => inner.process.increment(1),
                Origin::Remote => inner.remote.increment(1),
            }
        }
    }

    pub(super) fn on_rejected(&self) {
        if let Some(inner) = &self.0 {
            inner.rejected.increment(1);
        }
    }

    pub(super) fn on_told(&self, told: Told) {
        if let Some(inner) = &self.0 {
            inner.coalesced.increment(told.coalesced as u64);
            inner.queue_depth.set(told.depth as f64);
            inner.subscribers.set(told.subscribers as f64);
        }
    }

    pub(super) fn on_resync(&self) {
        if let Some(inner) = &self.0 {
            inner.resyncs.increment(1);
        }
    }

    pub(super) fn on_lock(&self, since: Option<Instant>) {
        if let (Some(inner), Some(since)) = (&self.0, since) {
            inner.lock_wait.record(since.elapsed());
        }
    }

    pub(super) fn on_updated(&self, since: Option<Instant>, is_exclusive: bool, is_failed: bool) {
        if let (Some(inner), Some(since)) = (&self.0, since) {
            let way = if is_exclusive { &inner.exclusive } else { &inner.optimistic };
            way.record(since.elapsed());
            if is_failed {
                inner.failures.increment(1);
            }
        }
    }

    pub(super) fn on_conflict(&self) {
        if let Some(inner) = &self.0 {
            inner.conflicts.increment(1);
        }
    }

    pub(super) fn on_written(&self, members: usize) {
        if let Some(inner) = &self.0 {
            inner.members.record(members as f64);
        }
    }
}

/// What is gone counts for nothing.
impl Drop for Inner {
    fn drop(&mut self) {
        self.age.set(0.0);
        self.queue_depth.set(0.0);
        self.subscribers.set(0.0);
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").finish_non_exhaustive()
    }
}

fn describe() {
    describe_gauge!(AGE, Unit::Seconds, "Age of the local copy when it was last looked at");
    describe_gauge!(REVISION, "Newest revision of the struct that was observed");
    describe_counter!(CHANGES, "Changes that were observed, by who made them");
    describe_counter!(REJECTED, "Payloads that could not be decoded");
    describe_counter!(COALESCED, "Events that were folded into a net change for a subscriber who was behind");
    describe_gauge!(QUEUE_DEPTH, "Events that wait for the subscriber who is furthest behind");
    describe_gauge!(SUBSCRIBERS, "Subscribers");
    describe_counter!(RESYNCS, "Times that the struct was loaded anew");
    describe_histogram!(LOCK_WAIT, Unit::Seconds, "Time from asking for the lock to having it");
    describe_histogram!(UPDATE, Unit::Seconds, "Time from the call of an update to its return");
    describe_counter!(FAILURES, "Updates that failed or were refused");
    describe_counter!(CONFLICTS, "Writes that were made again because somebody else wrote");
    describe_histogram!(MEMBERS, "Updates that shared one write");
}
