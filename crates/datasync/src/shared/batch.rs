//! What several writers of one handle make of a payload together: applied in order on one copy, written once.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::edit::{Edit, Edited, Editor, origin_of};
use super::outcome::{Outcome, Sent};
use crate::coordinate::{Tenure, release};
use crate::{Entry, Error, Incarnation, Result, Txn};

/// How many writers may share one transaction.
const MEMBERS_MAX: usize = 64;

/// How long writers may join after the first, in milliseconds: other processes wait for the lock meanwhile.
const JOIN_MILLIS: u64 = 20;

/// How long an update that changed nothing waits until the lock is free.
const RELEASE_TIME: Duration = Duration::from_secs(1);

/// The edits of one or more writers that are not written yet.
///
/// It lives in the seat of the writers, not in the future of one of them: if the one who writes it is dropped, the
/// next takes over where it was left.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) hold: Hold,
    /// What the store holds.
    pub(super) base: Option<Entry>,
    /// The life of the store that answered before that was read.
    of: Option<Incarnation>,
    /// What it is to hold; the stat is that of the base.
    working: Option<Entry>,
    pub(super) edit: Edit,
    members: Vec<oneshot::Sender<Verdict>>,
    began: Instant,
    /// The transaction, from when it may have been sent.
    pub(super) sent: Option<Sent>,
}

/// What keeps others from writing in between.
#[derive(Debug)]
pub(super) enum Hold {
    /// The lock.
    Locked(Box<Tenure>),
    /// Only the version of what was read.
    Versioned,
}

impl Hold {
    pub(super) const fn is_locked(&self) -> bool {
        matches!(self, Self::Locked(_))
    }

    /// The lock entry is gone by our own doing.
    pub(super) const fn consumed(&mut self) {
        if let Self::Locked(tenure) = self {
            tenure.consumed();
        }
    }
}

/// What became of a batch, told to each of its members.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It was written, or there was nothing to write.
    Done(Edited),
    /// Somebody else wrote: nothing was written, and the edit is to be made again on what is there now.
    Moved,
    /// The lock was lost: nothing was written, and the edit is to be made again.
    LockLost,
    /// It failed.
    Failed(Error),
}

/// What became of a batch.
pub(super) enum Settled {
    Done(Edited),
    /// Somebody else wrote; nothing was written here.
    Moved,
    /// The lock was lost before anything was written.
    LockLost,
}

impl Batch {
    pub(super) fn new(hold: Hold, base: Option<Entry>, of: Option<Incarnation>) -> Self {
        let working = base.clone();
        let (edit, members, began) = (Edit::Keep, Vec::new(), Instant::now());
        Self { hold, base, of, working, edit, members, began, sent: None }
    }

    /// What the next writer edits.
    pub(super) const fn working(&self) -> Option<&Entry> {
        self.working.as_ref()
    }

    pub(super) const fn is_locked(&self) -> bool {
        self.hold.is_locked()
    }

    /// Forgets the edits of writers who have all left before anything was sent.
    pub(super) fn forget_the_deserted(&mut self) {
        if self.sent.is_none() && !self.members.is_empty() && self.is_deserted() {
            self.members.clear();
            self.restart(self.base.clone(), self.of);
        }
    }

    /// How many have joined.
    pub(super) const fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether nobody has joined.
    pub(super) const fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether no other writer may join.
    pub(super) fn is_full(&self) -> bool {
        self.sent.is_some()
            || self.members.len() >= MEMBERS_MAX
            || self.began.elapsed().as_millis() > u128::from(JOIN_MILLIS)
    }

    /// Whether nobody waits for what becomes of it.
    pub(super) fn is_deserted(&self) -> bool {
        self.members.iter().all(oneshot::Sender::is_closed)
    }

    /// Adds the edit of one writer, who is told what becomes of it.
    pub(super) fn join(&mut self, edit: Edit) -> oneshot::Receiver<Verdict> {
        match &edit {
            Edit::Put(payload) => {
                self.working = self.working.take().map(|entry| Entry { value: payload.clone(), ..entry });
            }
            Edit::Delete => self.working = None,
            Edit::Keep => {}
        }
        if edit != Edit::Keep {
            self.edit = edit;
        }
        let (told, verdict) = oneshot::channel();
        self.members.push(told);
        verdict
    }

    /// Tells every member what became of the batch.
    pub(super) fn tell(&mut self, settled: &Result<Settled>) {
        for member in self.members.drain(..) {
            let verdict = match settled {
                Ok(Settled::Done(edited)) => Verdict::Done(edited.clone()),
                Ok(Settled::Moved) => Verdict::Moved,
                Ok(Settled::LockLost) => Verdict::LockLost,
                Err(error) => Verdict::Failed(error.retold()),
            };
            // An error means that the member no longer waits.
            let _ = member.send(verdict);
        }
    }

    /// Begins again on what is there now, under the same lock.
    pub(super) fn restart(&mut self, base: Option<Entry>, of: Option<Incarnation>) {
        self.working.clone_from(&base);
        (self.base, self.of) = (base, of);
        self.edit = Edit::Keep;
        self.sent = None;
        self.began = Instant::now();
    }

    /// Writes the batch exactly once.
    ///
    /// # Cancel safety
    ///
    /// What was sent is remembered: whoever calls this again goes on where it was left.
    pub(super) async fn write(&mut self, editor: &Editor) -> Result<Settled> {
        if self.edit == Edit::Keep || self.edit == Edit::Delete && self.base.is_none() {
            return Ok(self.keep(editor).await);
        }
        if self.sent.is_none() {
            let undecided = editor.fence.as_ref().map(super::fence::Fence::begin);
            let sent = Sent::new(self.txn(editor), undecided);
            let base = self.base.as_ref().map(|base| base.version);
            self.sent = Some(sent.announced(editor, &self.edit, base));
        }
        match editor.commit_until_known(self).await? {
            Outcome::Applied(edited) => {
                if let Some(fence) = &editor.fence {
                    // Before the fence falls: the copy here learns of the write as its own.
                    let origin = origin_of(&self.edit, &edited);
                    fence.decide(self.base.as_ref(), editor.event(&edited), origin, self.of).await;
                }
                Ok(Settled::Done(edited))
            }
            Outcome::Moved => Ok(Settled::Moved),
            Outcome::LockLost => Ok(Settled::LockLost),
        }
    }

    /// Nobody changed anything: only the lock is freed, at once, or in the background if the store does not answer.
    async fn keep(&mut self, editor: &Editor) -> Settled {
        if let Hold::Locked(tenure) = &mut self.hold
            && let Ok(Ok(())) = timeout(RELEASE_TIME, release(&editor.store, &tenure.entry)).await
        {
            tenure.consumed();
        }
        let edited = Edited::Kept(self.base.clone());
        if let Some(fence) = &editor.fence {
            fence.observe(editor.event(&edited), None, self.of).await;
        }
        Settled::Done(edited)
    }

    /// The transaction that writes only on what was read. Under the lock, only while its entry exists, which it
    /// consumes.
    fn txn(&self, editor: &Editor) -> Txn {
        let key = &editor.layout.payload;
        let txn = match &self.hold {
            Hold::Locked(tenure) => Txn::new().check_present(&tenure.entry),
            Hold::Versioned => Txn::new(),
        };
        let txn = match (&self.base, &self.edit) {
            (Some(entry), _) => txn.check_version(key, entry.version),
            (None, _) => txn.check_absent(key),
        };
        let txn = match &self.edit {
            Edit::Put(payload) => txn.put(key, payload.clone()),
            Edit::Delete => txn.delete(key),
            Edit::Keep => txn,
        };
        match &self.hold {
            Hold::Locked(tenure) => txn.delete(&tenure.entry),
            Hold::Versioned => txn,
        }
    }
}
