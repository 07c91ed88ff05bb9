//! What the tasks of a fake share with its handle.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
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
    /// Whether each server is silent.
    paused: Vec<watch::Sender<bool>>,
}

/// What the lock guards.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) ensemble: Ensemble,
    links: BTreeMap<ConnectionId, Link>,
    paused_at: Option<Millis>,
    ended: bool,
}

#[derive(Debug)]
struct Link {
    server: usize,
    wake: Arc<Notify>,
    task: AbortHandle,
}

impl Shared {
    pub(crate) fn new(config: Config, addrs: &[SocketAddr]) -> Self {
        let paused = (0..config.servers).map(|_| watch::Sender::new(false)).collect();
        let state = State {
            ensemble: Ensemble::new(config, addrs),
            links: BTreeMap::new(),
            paused_at: None,
            ended: false,
        };
        Self { state: Mutex::new(state), clock: Clock::start(), changes: watch::Sender::new(0), paused }
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

    /// Tells whether the server of a connection is silent.
    pub(crate) fn paused(&self, id: ConnectionId) -> watch::Receiver<bool> {
        let server = self.look(|state| state.ensemble.server_of(id));
        self.paused[server].subscribe()
    }

    /// Makes one server silent, or lets it speak again. Time goes on.
    pub(crate) fn pause_server(&self, server: usize, paused: bool) {
        self.paused[server].send_replace(paused);
    }

    /// Returns when the clock will show a time.
    pub(crate) fn instant(&self, at: Millis) -> tokio::time::Instant {
        self.clock.instant(at)
    }

    pub(crate) fn pause(&self) {
        self.with(|state, now| state.paused_at.get_or_insert(now).to_owned());
        self.pause_all(true);
    }

    pub(crate) fn resume(&self) {
        self.with(|state, now| {
            if let Some(paused_at) = state.paused_at.take() {
                state.ensemble.handle_resumed(now.saturating_sub(paused_at));
            }
        });
        self.pause_all(false);
    }

    fn pause_all(&self, silent: bool) {
        for paused in &self.paused {
            paused.send_replace(silent);
        }
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
    /// Adds a connection to a server, whose task `spawn` starts. There is none to a server that does not run.
    pub(crate) fn add_link(
        &mut self,
        server: usize,
        spawn: impl FnOnce(ConnectionId, Arc<Notify>) -> AbortHandle,
    ) {
        if self.ended || !self.ensemble.is_running(server) {
            return;
        }
        let id = self.ensemble.handle_connected(server);
        let wake = Arc::new(Notify::new());
        let task = spawn(id, Arc::clone(&wake));
        self.links.insert(id, Link { server, wake, task });
    }

    pub(crate) fn remove_link(&mut self, id: ConnectionId) {
        self.ensemble.handle_disconnected(id);
        self.links.remove(&id);
    }

    /// Returns how many links are up.
    pub(crate) fn links(&self) -> usize {
        self.links.len()
    }

    /// Cuts all links. What was answered but not sent is lost.
    pub(crate) fn cut_links(&mut self) {
        self.ensemble.cut_all();
        self.cut_links_where(|_| true);
    }

    /// Cuts the links to one server.
    pub(crate) fn cut_links_to(&mut self, server: usize) {
        self.cut_links_where(|link| link.server == server);
    }

    fn cut_links_where(&mut self, doomed: impl Fn(&Link) -> bool) {
        for (id, link) in self.links.extract_if(.., |_, link| doomed(link)) {
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
