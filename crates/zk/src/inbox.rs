//! What the handles leave for the driver, in the order of the calls.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use quorate_zk_proto::{FailureKind, WatchMode, WatcherType, ZnodePath};
use tokio::sync::oneshot;

use crate::{
    error::{RequestError, Subject},
    lacking::Lacking,
    session_token::SessionHandover,
    slot::SlotRef,
    watcher::Watcher,
};

/// Something asked of the driver. A request or a watch is withdrawn if whoever waits for it goes away before it is
/// encoded.
#[derive(Debug)]
pub(crate) enum Submission {
    Request(SlotRef),
    Watch(WatchOrder),
    /// Takes away what was added before it and nothing that is added later. Never waits for room.
    Removal(Removal),
}

/// A persistent watch to set.
#[derive(Debug)]
pub(crate) struct WatchOrder {
    /// The path as the server knows it.
    pub(crate) path: ZnodePath,
    pub(crate) mode: WatchMode,
    pub(crate) chroot: Option<ZnodePath>,
    pub(crate) ready: oneshot::Sender<Result<Watcher, RequestError>>,
}

impl Submission {
    /// Returns whether nobody waits for it any more.
    pub(crate) fn is_withdrawn(&self) -> bool {
        match self {
            Self::Request(slot) => slot.is_over(),
            Self::Watch(order) => order.ready.is_closed(),
            Self::Removal(_) => false,
        }
    }

    /// Returns whether it belongs to every session, and not to the one that is there when it is sent.
    pub(crate) fn outlives_sessions(&self) -> bool {
        match self {
            Self::Request(slot) => slot.is_auth(),
            Self::Watch(_) | Self::Removal(_) => true,
        }
    }

    /// Answers that it was not sent and will not be.
    pub(crate) fn refuse(self, kind: FailureKind) {
        match self {
            Self::Request(slot) => slot.refuse(kind),
            Self::Watch(order) => {
                let path = crate::chroot::strip_path(&order.path, order.chroot.as_ref());
                // Nobody listening means withdrawn, which is as good.
                drop(order.ready.send(Err(Subject::watch(&path).not_sent(kind))));
            }
            // Without a driver there are no watches, which is what hearing nothing means.
            Self::Removal(_) => {}
        }
    }
}

/// A watcher that was dropped.
#[derive(Debug)]
pub(crate) enum Unwatched {
    /// The one of this number.
    Persistent(u64),
    /// One of those for this path, as the server knows it.
    OneShot(ZnodePath),
}

/// How a client is to end.
#[derive(Debug)]
pub(crate) enum Ending {
    /// The session ends at the server too.
    Close,
    /// The session lives on at the server, for whoever gets this.
    Detach(oneshot::Sender<Option<SessionHandover>>),
}

/// Everything left since the driver last looked.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    /// As many as there were calls since; those whose futures are gone count as withdrawn.
    pub(crate) submissions: Vec<Submission>,
    /// Watchers that were dropped, as many as there were.
    pub(crate) unwatched: Vec<Unwatched>,
    pub(crate) ending: Option<Ending>,
}

/// The watches of one path, to be removed on behalf of all who hold them.
#[derive(Debug)]
pub(crate) struct Removal {
    pub(crate) path: ZnodePath,
    pub(crate) kind: WatcherType,
    /// Told whether there were any.
    pub(crate) done: oneshot::Sender<bool>,
}

/// The most room for submissions that is kept for the next ones.
const KEPT_MAX: usize = 4096;

impl Mail {
    /// Gives up the room of an exceptional load.
    pub(crate) fn shrink(&mut self) {
        self.submissions.shrink_to(KEPT_MAX);
        self.unwatched.shrink_to(KEPT_MAX);
    }

    fn is_empty(&self) -> bool {
        self.submissions.is_empty() && self.unwatched.is_empty() && self.ending.is_none()
    }
}

#[derive(Debug, Default)]
struct State {
    mail: Mail,
    /// Set once nothing is taken any more.
    refusing: Option<FailureKind>,
    /// The driver, while it waits.
    driver: Option<Waker>,
}

/// Held for moments only, and never across an await.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    state: Mutex<State>,
    /// Told by the answers, and by the driver of each new connection.
    pub(crate) lacking: Lacking,
}

impl Inbox {
    pub(crate) fn new(lacking: Lacking) -> Self {
        Self { lacking, ..Self::default() }
    }

    /// Leaves a submission behind all others.
    pub(crate) fn submit(&self, submission: Submission) {
        let mut state = self.lock();
        if let Some(kind) = state.refusing.clone() {
            drop(state);
            submission.refuse(kind);
            return;
        }
        state.mail.submissions.push(submission);
        wake(state);
    }

    /// Leaves submissions next to each other.
    pub(crate) fn submit_all(&self, submissions: Vec<Submission>) {
        let mut state = self.lock();
        if let Some(kind) = state.refusing.clone() {
            drop(state);
            submissions.into_iter().for_each(|submission| submission.refuse(kind.clone()));
            return;
        }
        state.mail.submissions.extend(submissions);
        wake(state);
    }

    /// Says that a watcher is gone. A driver that refuses is about to end, and has no use for this.
    pub(crate) fn unwatch(&self, unwatched: Unwatched) {
        let mut state = self.lock();
        if state.refusing.is_none() {
            state.mail.unwatched.push(unwatched);
            wake(state);
        }
    }

    /// Asks for the end after everything submitted so far, and refuses what comes later. The first one counts.
    pub(crate) fn end(&self, ending: Ending) {
        let mut state = self.lock();
        if state.refusing.is_none() {
            state.refusing = Some(FailureKind::Closed);
            state.mail.ending = Some(ending);
            wake(state);
        }
    }

    /// Refuses everything, also what was left and not taken: the driver is gone.
    pub(crate) fn shut(&self, kind: &FailureKind) {
        let mut state = self.lock();
        state.refusing = Some(kind.clone());
        let mail = std::mem::take(&mut state.mail);
        drop(state);
        mail.submissions.into_iter().for_each(|submission| submission.refuse(kind.clone()));
    }

    /// Moves everything into `mail`, whose own lists must be empty. Their room goes on being used, by turns.
    pub(crate) fn take(&self, mail: &mut Mail) {
        std::mem::swap(&mut self.lock().mail, mail);
    }

    /// Waits until something was left.
    pub(crate) fn poll_changed(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if !state.mail.is_empty() {
            return Poll::Ready(());
        }
        match &mut state.driver {
            Some(driver) => driver.clone_from(cx.waker()),
            driver => *driver = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// A panic elsewhere leaves at worst a submission out.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the driver without holding the lock it is about to take. It is woken once for all that is left until it
/// looks.
fn wake(mut state: MutexGuard<'_, State>) {
    let driver = state.driver.take();
    drop(state);
    if let Some(driver) = driver {
        driver.wake();
    }
}
