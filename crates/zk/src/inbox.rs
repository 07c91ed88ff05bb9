//! What the handles leave for the driver, in the order of the calls.

use std::sync::{Mutex, MutexGuard, PoisonError};

use quorate_zk_proto::{FailureKind, Request, SessionId, WatchMode, ZnodePath};
use tokio::sync::{Notify, oneshot};

use crate::{
    error::{RequestError, Subject},
    lacking::Lacking,
    response::Answer,
    watcher::Watcher,
};

/// Something asked of the driver. It is withdrawn if whoever waits for it goes away before it is encoded.
#[derive(Debug)]
pub(crate) enum Submission {
    Request {
        request: Request,
        /// The only session that it may be sent in; any if none.
        session: Option<SessionId>,
        subject: Subject,
        answer: oneshot::Sender<Answer>,
    },
    Watch {
        path: ZnodePath,
        mode: WatchMode,
        ready: oneshot::Sender<Result<Watcher, RequestError>>,
    },
}

impl Submission {
    /// Returns whether nobody waits for it any more.
    pub(crate) fn is_withdrawn(&self) -> bool {
        match self {
            Self::Request { answer, .. } => answer.is_closed(),
            Self::Watch { ready, .. } => ready.is_closed(),
        }
    }

    /// Returns whether it adds credentials, which belong to every session.
    pub(crate) const fn is_auth(&self) -> bool {
        matches!(self, Self::Request { request: Request::Auth(_), .. })
    }

    /// Answers that it was not sent and will not be.
    pub(crate) fn refuse(self, kind: FailureKind) {
        // Nobody listening means withdrawn, which is as good.
        match self {
            Self::Request { subject, answer, .. } => drop(answer.send(Err(subject.not_sent(kind)))),
            Self::Watch { path, ready, .. } => drop(ready.send(Err(Subject::watch(&path).not_sent(kind)))),
        }
    }
}

/// Everything left since the driver last looked.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    /// As many as there are futures waiting for them: each is withdrawn with its future.
    pub(crate) submissions: Vec<Submission>,
    /// Watchers that were dropped, as many as there were.
    pub(crate) unwatched: Vec<u64>,
    pub(crate) close: bool,
}

#[derive(Debug, Default)]
struct State {
    mail: Mail,
    /// Set once nothing is taken any more.
    refusing: Option<FailureKind>,
}

/// Held for moments only, and never across an await.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    state: Mutex<State>,
    bell: Notify,
    /// Told by the answers, and by the driver of each new connection.
    pub(crate) lacking: Lacking,
}

impl Inbox {
    /// Leaves submissions, next to each other in the order of all.
    pub(crate) fn submit(&self, submissions: impl IntoIterator<Item = Submission>) {
        let mut state = self.lock();
        if let Some(kind) = state.refusing.clone() {
            drop(state);
            submissions.into_iter().for_each(|submission| submission.refuse(kind.clone()));
            return;
        }
        let was_empty = state.mail.submissions.is_empty();
        state.mail.submissions.extend(submissions);
        drop(state);
        if was_empty {
            self.bell.notify_one();
        }
    }

    /// Says that a watcher is gone.
    pub(crate) fn unwatch(&self, id: u64) {
        let mut state = self.lock();
        // A driver that refuses is about to end; it has no use for this, and nobody would take it away.
        if state.refusing.is_some() {
            return;
        }
        state.mail.unwatched.push(id);
        drop(state);
        self.bell.notify_one();
    }

    /// Asks for the end of the session after everything submitted so far, and refuses what comes later.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        if state.refusing.is_none() {
            state.refusing = Some(FailureKind::Closed);
            state.mail.close = true;
            drop(state);
            self.bell.notify_one();
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

    /// Takes everything.
    pub(crate) fn take(&self) -> Mail {
        std::mem::take(&mut self.lock().mail)
    }

    /// Waits until something was left.
    pub(crate) async fn changed(&self) {
        self.bell.notified().await;
    }

    /// A panic elsewhere leaves at worst a submission out.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
