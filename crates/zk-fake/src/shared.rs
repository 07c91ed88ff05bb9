//! What the tasks of a fake share with its handle.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    sync::{Notify, watch},
    task::AbortHandle,
};

use crate::{
    clock::Clock,
    ensemble::{Config, ConnectionId, Ensemble, Millis},
};

/// The ensemble behind its lock, and the ways to wake who waits for it.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    clock: Clock,
    /// Moves on whenever the ensemble may have changed.
    changes: watch::Sender<u64>,
    paused: watch::Sender<bool>,
}

/// What the lock guards.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) ensemble: Ensemble,
    links: HashMap<ConnectionId, Link>,
    paused_at: Option<Millis>,
    ended: bool,
}

#[derive(Debug)]
struct Link {
    wake: Arc<Notify>,
    task: AbortHandle,
}

impl Shared {
    pub(crate) fn new(config: Config) -> Self {
        let state =
            State { ensemble: Ensemble::new(config), links: HashMap::new(), paused_at: None, ended: false };
        Self {
            state: Mutex::new(state),
            clock: Clock::start(),
            changes: watch::Sender::new(0),
            paused: watch::Sender::new(false),
        }
    }

    /// Does something with the ensemble, then wakes all whom it concerns.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut State, Millis) -> T) -> T {
        let mut state = self.lock();
        let result = act(&mut state, self.clock.now());
        while let Some(id) = state.ensemble.poll_dirty() {
            if let Some(link) = state.links.get(&id) {
                link.wake.notify_one();
            }
        }
        drop(state);
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
        result
    }

    /// Looks at the ensemble without waking anybody.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.lock())
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(crate) fn paused(&self) -> watch::Receiver<bool> {
        self.paused.subscribe()
    }

    pub(crate) fn pause(&self) {
        self.with(|state, now| state.paused_at.get_or_insert(now).to_owned());
        self.paused.send_replace(true);
    }

    pub(crate) fn resume(&self) {
        self.with(|state, now| {
            if let Some(paused_at) = state.paused_at.take() {
                state.ensemble.handle_resumed(now.saturating_sub(paused_at));
            }
        });
        self.paused.send_replace(false);
    }

    /// Expires sessions in time, for as long as it is polled.
    pub(crate) async fn keep_time(&self) {
        let mut changes = self.changes();
        loop {
            changes.mark_unchanged();
            let deadline = self.look(|state| match state.paused_at {
                Some(_) => None,
                None => state.ensemble.poll_timeout(),
            });
            let due = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until(self.clock.instant(at)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => self.with(|state, now| state.expire(now)),
                // The sender is in `self`, so that there is always one.
                _ = changes.changed() => {}
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Adds a connection whose task `spawn` starts; not after the end.
    pub(crate) fn add_link(&mut self, spawn: impl FnOnce(ConnectionId, Arc<Notify>) -> AbortHandle) {
        if self.ended {
            return;
        }
        let id = self.ensemble.handle_connected();
        let wake = Arc::new(Notify::new());
        let task = spawn(id, Arc::clone(&wake));
        self.links.insert(id, Link { wake, task });
    }

    pub(crate) fn remove_link(&mut self, id: ConnectionId) {
        self.ensemble.handle_disconnected(id);
        self.links.remove(&id);
    }

    /// Cuts all links. What was answered but not sent is lost.
    pub(crate) fn cut_links(&mut self) {
        self.ensemble.cut_all();
        for (id, link) in self.links.drain() {
            link.task.abort();
            self.ensemble.handle_disconnected(id);
        }
    }

    pub(crate) fn end(&mut self) {
        self.ended = true;
        self.cut_links();
    }

    fn expire(&mut self, now: Millis) {
        if self.paused_at.is_none() {
            self.ensemble.handle_timeout(now);
        }
    }
}
