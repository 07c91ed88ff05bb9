//! The ways to keep requests in flight.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::{StreamExt, stream::FuturesUnordered};

use crate::{
    load::Load,
    sample::{Counter, counters},
};

/// How one task, or many, keep so many requests in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    /// One task awaits the oldest, and puts a new one in its place.
    Window,
    /// As many tasks as requests in flight.
    Tasks,
    /// One task awaits whichever is done.
    Unordered,
}

impl Mode {
    pub(crate) const ALL: [Self; 3] = [Self::Window, Self::Tasks, Self::Unordered];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Window => "window",
            Self::Tasks => "tasks",
            Self::Unordered => "unordered",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }

    /// Starts the load, for as long as the process lives.
    pub(crate) fn start<L: Load>(self, load: L, in_flight: usize) -> Arc<[Counter]> {
        let load = Arc::new(load);
        let counters = counters(if self == Self::Tasks { in_flight } else { 1 });
        let counted = Arc::clone(&counters);
        match self {
            Self::Window => drop(tokio::spawn(window(load, in_flight, counted))),
            Self::Unordered => drop(tokio::spawn(unordered(load, in_flight, counted))),
            Self::Tasks => (0..in_flight).for_each(|slot| {
                drop(tokio::spawn(task(Arc::clone(&load), slot, Arc::clone(&counted))));
            }),
        }
        counters
    }
}

async fn window<L: Load>(load: Arc<L>, in_flight: usize, counters: Arc<[Counter]>) {
    let mut slots: Vec<_> = (0..in_flight).map(|slot| Box::pin(load.request(slot, 0))).collect();
    if L::IS_LAZY {
        for slot in &mut slots {
            begin(slot.as_mut()).await;
        }
    }
    for turn in 1.. {
        for (number, slot) in slots.iter_mut().enumerate() {
            slot.as_mut().await;
            counters[0].add(1);
            slot.set(load.request(number, turn));
            if L::IS_LAZY {
                begin(slot.as_mut()).await;
            }
        }
    }
}

/// Polls once, so that a future that does nothing before is on its way. No reply can be there by then.
pub(crate) async fn begin<F: Future>(mut future: Pin<&mut F>) {
    let once = |cx: &mut Context<'_>| {
        assert!(future.as_mut().poll(cx).is_pending(), "a reply needs a request");
        Poll::Ready(())
    };
    poll_fn(once).await;
}

async fn unordered<L: Load>(load: Arc<L>, in_flight: usize, counters: Arc<[Counter]>) {
    let numbered = |slot, turn| {
        let request = load.request(slot, turn);
        async move {
            request.await;
            (slot, turn)
        }
    };
    let mut requests: FuturesUnordered<_> = (0..in_flight).map(|slot| numbered(slot, 0)).collect();
    while let Some((slot, turn)) = requests.next().await {
        counters[0].add(1);
        requests.push(numbered(slot, turn + 1));
    }
}

async fn task<L: Load>(load: Arc<L>, slot: usize, counters: Arc<[Counter]>) {
    for turn in 0.. {
        load.request(slot, turn).await;
        counters[slot].add(1);
    }
}
