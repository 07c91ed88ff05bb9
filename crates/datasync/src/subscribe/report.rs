//! What came of a resync, subscriber by subscriber.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_core::stream::BoxStream;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::answer::Outcome;

/// How many reports wait for one who reads them. Past it the oldest are forgotten.
pub(super) const REPORTS_MAX: usize = 64;

/// What came of a resync, subscriber by subscriber, in the order in which they were told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ResyncReport {
    /// Why there was a resync.
    pub cause: ResyncCause,
    /// What became of it, by the name of the subscriber. One that has not applied it is told again by itself.
    pub outcomes: Vec<(Arc<str>, Outcome)>,
}

/// Why subscribers are told everything anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResyncCause {
    /// They are new.
    Start,
    /// Something may have been missed.
    Gap,
    /// Somebody asked for it.
    Demand,
}

impl ResyncReport {
    /// What became of it for the subscriber of this name, if it was told.
    #[must_use]
    pub fn outcome(&self, name: &str) -> Option<&Outcome> {
        self.outcomes.iter().find(|(of, _)| **of == *name).map(|(_, outcome)| outcome)
    }

    /// Whether every subscriber applied it.
    #[must_use]
    pub fn is_applied(&self) -> bool {
        self.outcomes.iter().all(|(_, outcome)| outcome.is_applied())
    }
}

/// The reports of a hub, as they come: a [`Stream`].
///
/// It begins with the first resync that ends after it was asked for. A reader who is 64 reports behind misses the
/// oldest. It ends with the hub, and when the store is closed.
#[must_use = "a stream does nothing unless polled"]
pub struct Reports(BoxStream<'static, ResyncReport>);

impl Reports {
    pub(super) fn new(reports: broadcast::Receiver<ResyncReport>) -> Self {
        Self(Box::pin(futures_util::stream::unfold(reports, async |mut reports| {
            loop {
                match reports.recv().await {
                    Ok(report) => return Some((report, reports)),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                }
            }
        })))
    }
}

impl Stream for Reports {
    type Item = ResyncReport;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ResyncReport>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for Reports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reports").finish_non_exhaustive()
    }
}
