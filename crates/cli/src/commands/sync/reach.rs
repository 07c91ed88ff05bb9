//! Whether both stores are within reach, and for how long they may not be.

use std::sync::Arc;
use std::time::Duration;

use quorate::{Link, MirrorEvent, Side, Store};
use tokio::time::Instant;

use crate::context::Context;
use crate::exit::{Failure, Result};

/// Ends a run that cannot reach its stores.
#[derive(Debug)]
pub(super) struct Reach<'a> {
    contexts: [&'a Context; 2],
    stores: [Arc<dyn Store>; 2],
    outages: [Option<Outage>; 2],
    /// Whether the run is to end by itself: a live one waits for ever once it has begun.
    ends: bool,
}

/// A store that was lost.
#[derive(Debug)]
struct Outage {
    since: Instant,
    words: String,
    /// Whether the store may be back without anything being done about it.
    passes: bool,
}

impl<'a> Reach<'a> {
    pub(super) const fn new(contexts: [&'a Context; 2], stores: [Arc<dyn Store>; 2], ends: bool) -> Self {
        Self { contexts, stores, outages: [None, None], ends }
    }

    pub(super) fn note(&mut self, event: &MirrorEvent) {
        match event {
            MirrorEvent::Lost { side, error } => {
                let outage = &mut self.outages[*side as usize];
                let since = outage.take().map_or_else(Instant::now, |outage| outage.since);
                *outage = Some(Outage { since, words: error.to_string(), passes: error.is_retryable() });
            }
            MirrorEvent::Regained { side } => self.outages[*side as usize] = None,
            _ => {}
        }
    }

    /// Fails if a store was out of reach for too long.
    pub(super) fn check(&self, is_compared: bool) -> Result<()> {
        if is_compared && !self.ends {
            return Ok(());
        }
        for side in [Side::Source, Side::Target] {
            let (context, outage) = (self.contexts[side as usize], &self.outages[side as usize]);
            let is_too_long = match outage {
                Some(outage) => outage.since.elapsed() >= context.timeout(),
                None => {
                    let is_live = self.stores[side as usize].status().borrow().link == Link::Live;
                    !is_live && !is_compared && context.remaining() == Duration::ZERO
                }
            };
            if is_too_long {
                return Err(self.failure(side));
            }
        }
        Ok(())
    }

    fn failure(&self, side: Side) -> Failure {
        let context = self.contexts[side as usize];
        match &self.outages[side as usize] {
            Some(outage) if !outage.passes => Failure::failed(format!("{}: {}", context.url(), outage.words)),
            Some(outage) => context.no_answer(Some(outage.words.clone())),
            None => context.no_answer(None),
        }
    }
}
