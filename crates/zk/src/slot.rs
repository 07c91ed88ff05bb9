//! The place where a request and its answer meet: shared by the future of the caller and the driver.
//!
//! It is the only thing allocated for a request, and used again for later ones. The states go one way: waiting,
//! sent, answered; a future that is dropped ends it in any of them.

use std::{
    cell::RefCell,
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use quorate_zk_proto::{Failure, FailureKind, Reply, Request, SessionId};

use crate::registry::Target;

/// Most slots that a thread keeps for later requests.
const SPARES_MAX: usize = 256;

thread_local! {
    static SPARES: RefCell<Vec<Arc<Slot>>> = const { RefCell::new(Vec::new()) };
}

/// What comes back to whoever made a request. Paths in it are the server's.
pub(crate) type Answer = Result<Reply, Failure>;

/// What is to be sent.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) request: Request,
    /// The only session that it may be sent in; any if none.
    pub(crate) session: Option<SessionId>,
    /// Who is told when the one-shot watch fires that the request sets.
    pub(crate) target: Option<Target>,
}

#[derive(Debug, Default)]
enum State {
    Waiting(Order),
    Sent,
    Answered(Answer),
    /// The driver ended without an answer.
    Abandoned,
    /// Nobody waits any more.
    #[default]
    Over,
}

#[derive(Debug, Default)]
struct Inner {
    state: State,
    waker: Option<Waker>,
}

/// One request from its submission to its answer.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    inner: Mutex<Inner>,
}

/// Why a poll is over.
#[derive(Debug)]
pub(crate) enum End {
    Answered(Answer),
    Abandoned,
}

/// One end's hold on a slot. The last to let go keeps the slot for another request.
#[derive(Clone, Debug)]
pub(crate) struct SlotRef(Option<Arc<Slot>>);

impl SlotRef {
    /// Makes a slot for a request, or takes one that was used before.
    pub(crate) fn new(order: Order) -> Self {
        let spare = SPARES.try_with(|spares| spares.borrow_mut().pop()).ok().flatten();
        let slot = spare.unwrap_or_else(|| Arc::new(Slot::default()));
        slot.lock().state = State::Waiting(order);
        Self(Some(slot))
    }
}

impl Deref for SlotRef {
    type Target = Slot;

    fn deref(&self) -> &Slot {
        self.0.as_deref().expect("it is let go of only in the end")
    }
}

impl Drop for SlotRef {
    fn drop(&mut self) {
        let Some(mut slot) = self.0.take().filter(|slot| Arc::strong_count(slot) == 1) else { return };
        let Some(used) = Arc::get_mut(&mut slot) else { return };
        *used = Slot::default();
        // A thread that ends has no spares any more.
        let _ = SPARES.try_with(|spares| {
            let mut spares = spares.borrow_mut();
            if spares.len() < SPARES_MAX {
                spares.push(slot);
            }
        });
    }
}

impl Slot {
    /// Takes what is to be sent, which then counts as sent; `None` if it was withdrawn.
    pub(crate) fn start(&self) -> Option<Order> {
        let mut inner = self.lock();
        match std::mem::replace(&mut inner.state, State::Sent) {
            State::Waiting(order) => Some(order),
            other => {
                inner.state = other;
                None
            }
        }
    }

    /// Takes a request back that was not sent yet. Returns whether it was in time.
    pub(crate) fn withdraw(&self) -> bool {
        let mut inner = self.lock();
        let waits = matches!(inner.state, State::Waiting(_));
        let before = if waits { std::mem::replace(&mut inner.state, State::Over) } else { State::Over };
        drop(inner);
        drop(before);
        waits
    }

    /// Ends it for the caller, sent or not.
    pub(crate) fn give_up(&self) {
        let mut inner = self.lock();
        let before = std::mem::replace(&mut inner.state, State::Over);
        let waker = inner.waker.take();
        drop(inner);
        drop((before, waker));
    }

    /// Returns whether nobody waits for it any more.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.lock().state, State::Over)
    }

    /// Returns whether it is credentials waiting to be sent, which belong to every session.
    pub(crate) fn is_auth(&self) -> bool {
        matches!(&self.lock().state, State::Waiting(Order { request: Request::Auth(_), .. }))
    }

    /// Answers it. Where nobody listens any more, nobody wants to know.
    pub(crate) fn answer(&self, answer: Answer) {
        self.end(State::Answered(answer));
    }

    /// Answers that it was not sent and will not be.
    pub(crate) fn refuse(&self, kind: FailureKind) {
        self.answer(Err(Failure::not_sent(kind)));
    }

    /// Says that there will be no answer.
    pub(crate) fn abandon(&self) {
        self.end(State::Abandoned);
    }

    pub(crate) fn poll(&self, cx: &Context<'_>) -> Poll<End> {
        let mut inner = self.lock();
        match std::mem::replace(&mut inner.state, State::Over) {
            State::Answered(answer) => Poll::Ready(End::Answered(answer)),
            State::Abandoned | State::Over => Poll::Ready(End::Abandoned),
            waiting => {
                inner.state = waiting;
                match &mut inner.waker {
                    Some(waker) => waker.clone_from(cx.waker()),
                    waker => *waker = Some(cx.waker().clone()),
                }
                Poll::Pending
            }
        }
    }

    fn end(&self, state: State) {
        let mut inner = self.lock();
        if matches!(inner.state, State::Over) {
            return;
        }
        let before = std::mem::replace(&mut inner.state, state);
        let waker = inner.waker.take();
        // The caller takes the same lock as soon as it is woken.
        drop(inner);
        drop(before);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// A slot is in order between any two of its operations, so a panic elsewhere does not matter.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use quorate_zk_proto::{SyncRequest, ZnodePath};

    use super::*;

    fn slot() -> SlotRef {
        let request = Request::Sync(SyncRequest { path: ZnodePath::root() });
        SlotRef::new(Order { request, session: None, target: None })
    }

    #[test]
    fn a_request_is_withdrawn_only_until_it_is_sent() {
        let early = slot();
        assert!(early.withdraw());
        assert!(early.start().is_none());
        assert!(early.is_over());

        let late = slot();
        assert!(late.start().is_some());
        assert!(!late.withdraw());
        assert!(!late.is_over());
    }

    #[test]
    fn an_answer_nobody_waits_for_is_dropped() {
        let slot = slot();
        slot.give_up();
        slot.refuse(FailureKind::Closed);
        assert!(slot.is_over());
    }

    #[test]
    fn a_slot_is_used_again_only_when_both_ends_have_let_go() {
        let (mine, other) = (slot(), slot());
        let (held, first) = (mine.clone(), std::ptr::from_ref(&*mine));
        mine.refuse(FailureKind::Closed);
        drop(mine);
        let meanwhile = slot();
        assert_ne!(std::ptr::from_ref(&*meanwhile), first);
        drop(held);
        let again = slot();
        assert_eq!(std::ptr::from_ref(&*again), first);
        assert!(!again.is_over() && !other.is_over());
    }

    #[test]
    fn an_abandoned_request_ends_its_future() {
        let slot = slot();
        slot.abandon();
        let end = slot.poll(&Context::from_waker(Waker::noop()));
        assert!(matches!(end, Poll::Ready(End::Abandoned)));
    }
}
