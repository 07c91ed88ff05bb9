//! What a follower counts, if it was asked to.

use metrics::{Counter, Gauge, Unit, counter, describe_counter, describe_gauge, gauge};

use super::FollowEvent;
use super::queue::Waiting;
use super::tracker::Told;
use crate::Revision;

const NODES: &str = "quorate_follow_nodes";
const REJECTED: &str = "quorate_follow_rejected_nodes";
const REVISION: &str = "quorate_follow_revision";
const EVENTS: &str = "quorate_follow_events_total";
const COALESCED: &str = "quorate_follow_coalesced_total";
const QUEUE_DEPTH: &str = "quorate_follow_queue_depth";
const LOSSES: &str = "quorate_follow_losses_total";

/// The metrics of one follower. They go to whatever recorder was installed when it was started. Without a name nothing
/// is counted, and nothing costs more than a look at that.
#[derive(Default)]
pub(super) struct Metrics(Option<Box<Inner>>);

struct Inner {
    nodes: Gauge,
    rejected: Gauge,
    revision: Gauge,
    new: Counter,
    updated: Counter,
    deleted: Counter,
    rejections: Counter,
    coalesced: Counter,
    queue_depth: Gauge,
    losses: Counter,
}

impl Metrics {
    pub(super) fn new(name: &str) -> Self {
        describe();
        let label = || name.to_owned();
        let events = |kind| counter!(EVENTS, "follower" => label(), "kind" => kind);
        Self(Some(Box::new(Inner {
            nodes: gauge!(NODES, "follower" => label()),
            rejected: gauge!(REJECTED, "follower" => label()),
            revision: gauge!(REVISION, "follower" => label()),
            new: events("new"),
            updated: events("updated"),
            deleted: events("deleted"),
            rejections: events("rejected"),
            coalesced: counter!(COALESCED, "follower" => label()),
            queue_depth: gauge!(QUEUE_DEPTH, "follower" => label()),
            losses: counter!(LOSSES, "follower" => label()),
        })))
    }

    pub(super) fn on_batch<V>(&self, told: &Told<V>) {
        let Some(inner) = &self.0 else { return };
        for event in &told.batch.events {
            match event {
                FollowEvent::New { .. } => inner.new.increment(1),
                FollowEvent::Updated { .. } => inner.updated.increment(1),
                FollowEvent::Deleted { .. } => inner.deleted.increment(1),
                FollowEvent::Rejected { .. } => inner.rejections.increment(1),
                FollowEvent::Synced { .. } => {}
            }
        }
        inner.nodes.set(told.after.nodes.size() as f64);
        inner.rejected.set(told.after.rejected.size() as f64);
        self.on_revision(told.after.revision);
    }

    pub(super) fn on_revision(&self, revision: Revision) {
        if let Some(inner) = &self.0 {
            inner.revision.set(revision.get() as f64);
        }
    }

    /// How much waited when something was added to it.
    pub(super) fn on_waiting(&self, waiting: Waiting) {
        if let Some(inner) = &self.0 {
            inner.queue_depth.set(waiting.events as f64);
            inner.coalesced.increment(waiting.folded as u64);
        }
    }

    pub(super) fn on_lost(&self) {
        if let Some(inner) = &self.0 {
            inner.losses.increment(1);
        }
    }
}

/// What is gone counts for nothing.
impl Drop for Inner {
    fn drop(&mut self) {
        self.nodes.set(0.0);
        self.rejected.set(0.0);
        self.queue_depth.set(0.0);
    }
}

fn describe() {
    describe_gauge!(NODES, "Nodes that are held");
    describe_gauge!(REJECTED, "Nodes whose newest value cannot be decoded");
    describe_gauge!(REVISION, "Revision up to which everything was observed");
    describe_counter!(EVENTS, "Events that were told, by kind");
    describe_counter!(COALESCED, "Events that were folded into a net change for who was behind");
    describe_gauge!(QUEUE_DEPTH, Unit::Count, "Events that wait to be taken");
    describe_counter!(LOSSES, "Times that the nodes could not be followed for a while");
}
