//! Deleting what was left behind by creations that nobody waits for any more.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use quorate_zk_proto::{ANY_VERSION, Delete, ErrorCode, Request};
use tokio::{
    runtime::Handle as Runtime,
    time::{Instant, sleep, timeout_at},
};

use crate::{client::Client, error::RequestError, ops::OwnNode, session_token::SessionToken};

/// Most znodes that wait to be looked for. Beyond that one is left where it is.
const WAITING_MAX: usize = 1024;

/// How long after it was left behind a znode is looked for.
const SWEEP_MAX: Duration = Duration::from_secs(60);

/// A znode that may exist, or come to exist, and that nobody wants.
#[derive(Debug)]
pub(crate) struct Sweep {
    pub(crate) node: OwnNode,
    /// The session that its creation was sent in.
    pub(crate) session: SessionToken,
    /// Whether it vanishes with that session.
    pub(crate) is_ephemeral: bool,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<(Instant, Sweep)>,
    is_running: bool,
}

/// Owns the znodes left behind, and deletes them one after another. There is one task at most; it ends when there is
/// nothing to do, which is a minute after the last one came in at the latest. Until then it keeps the client alive.
#[derive(Debug)]
pub(crate) struct Sweeper {
    /// That of the client: a creation may be dropped outside of any.
    runtime: Runtime,
    state: Mutex<State>,
}

impl Sweeper {
    pub(crate) fn new(runtime: Runtime) -> Self {
        Self { runtime, state: Mutex::default() }
    }

    /// Takes over a znode from a client's caller.
    pub(crate) fn leave(client: &Client, sweep: Sweep) {
        let mut state = client.sweeper().lock();
        if state.waiting.len() >= WAITING_MAX {
            tracing::warn!(parent = %sweep.node.parent, prefix = sweep.node.prefix, "znode left behind");
            return;
        }
        state.waiting.push_back((Instant::now() + SWEEP_MAX, sweep));
        if !std::mem::replace(&mut state.is_running, true) {
            // The task ends by itself, as said above.
            drop(client.sweeper().runtime.spawn(run(client.clone())));
        }
    }

    /// Takes the next one. There is none: then the task counts as ended.
    fn take(&self) -> Option<(Instant, Sweep)> {
        let mut state = self.lock();
        let next = state.waiting.pop_front();
        state.is_running = next.is_some();
        next
    }

    /// Held for moments only, and nothing in between can panic.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn run(client: Client) {
    while let Some((until, sweep)) = client.sweeper().take() {
        match timeout_at(until, clear(&client, &sweep)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(parent = %sweep.node.parent, prefix = sweep.node.prefix, %error, "znode left behind");
            }
            Err(_) => {
                tracing::warn!(parent = %sweep.node.parent, prefix = sweep.node.prefix, "znode perhaps left behind");
            }
        }
    }
}

/// Deletes the znode, or finds out that it does not exist and will not.
async fn clear(client: &Client, sweep: &Sweep) -> Result<(), RequestError> {
    let mut has_waited = false;
    loop {
        let (session, found) = sweep.node.search(client).await?;
        let Some(found) = found else {
            if sweep.is_ephemeral || has_waited || session.id() == sweep.session.id() {
                return Ok(());
            }
            // A client may give its session up before the servers do. After another timeout they have, too.
            sleep(session.timeout()).await;
            has_waited = true;
            continue;
        };
        let delete = Request::Delete(Delete { path: found.path, version: ANY_VERSION });
        match client.request_in(&session, delete).await {
            Ok(_) => return Ok(()),
            Err(error) if error.code() == Some(ErrorCode::NoNode) => return Ok(()),
            // Deleting twice harms nobody.
            Err(error) if error.clone().failed().is_retryable() => {}
            Err(error) => return Err(error),
        }
    }
}
