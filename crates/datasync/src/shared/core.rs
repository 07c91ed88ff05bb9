//! What the handles of one shared struct and the owner of its copy have in common.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::edit::Editor;
use super::fence::Fence;
use super::snapshot::{Data, SharedEvent, Snapshot};
use super::status::SharedStatus;
use super::subscribers::Subscribers;
use crate::{Incarnation, Moment};

/// The shared state of one live copy. The owner writes it; everybody reads it without waiting.
#[derive(Debug)]
pub(crate) struct Core<T> {
    pub(crate) editor: Editor,
    pub(crate) fence: Arc<Fence>,
    pub(crate) subscribers: Subscribers<T>,
    pub(crate) status: watch::Sender<SharedStatus>,
    /// How old a proof may be before reads fail.
    pub(crate) bound: Duration,
    data: ArcSwap<Data<T>>,
    /// When the newest proof was asked for, in nanoseconds of its clock; zero for never.
    proved: AtomicU64,
}

impl<T> Core<T> {
    pub(crate) fn new(editor: Editor, bound: Duration) -> Self {
        let link = editor.store.status().borrow().link.clone();
        let fence = Arc::new(Fence::default());
        Self {
            editor: editor.behind(&fence),
            fence,
            subscribers: Subscribers::default(),
            status: watch::Sender::new(SharedStatus::new(link)),
            bound,
            data: ArcSwap::from_pointee(Data::Waiting),
            proved: AtomicU64::new(0),
        }
    }

    /// What the copy holds.
    pub(crate) fn data(&self) -> arc_swap::Guard<Arc<Data<T>>> {
        self.data.load()
    }

    /// Where it is held.
    pub(super) const fn cell(&self) -> &ArcSwap<Data<T>> {
        &self.data
    }

    /// When the newest proof was asked for.
    pub(crate) fn proved(&self) -> Moment {
        Moment::from_nanos(self.proved.load(Ordering::Acquire))
    }

    /// The copy was shown to be current at `asked`.
    pub(crate) fn prove(&self, asked: Moment) {
        let nanos = asked.as_nanos();
        if self.proved.fetch_max(nanos, Ordering::AcqRel) < nanos {
            self.status.send_modify(|status| status.proved = Some(asked));
        }
    }

    /// Tells an event to every subscriber, then makes the new state readable.
    pub(crate) fn publish(&self, event: Option<&SharedEvent<T>>, data: Data<T>) {
        let told = self.subscribers.tell(event, || self.data.store(Arc::new(data)));
        let metrics = &self.editor.metrics;
        match event {
            Some(SharedEvent::Changed(set)) => metrics.on_change(set.origin),
            Some(SharedEvent::Rejected(_)) => metrics.on_rejected(),
            None => {}
        }
        if let Some(told) = told {
            metrics.on_told(told);
        }
    }

    /// Which life of the store answers now.
    pub(crate) fn incarnation(&self) -> Option<Incarnation> {
        self.editor.store.status().borrow().incarnation
    }

    /// The last good copy, however old.
    pub(crate) fn good(&self) -> Option<Snapshot<T>> {
        self.data().good().cloned()
    }
}
