//! From submissions to requests of the session.

use std::{collections::VecDeque, time::Instant};

use quorate_zk_proto::{
    AddWatch, ErrorCode, FailureKind, OpCode, RemoveWatches, Request, Ticket, WatcherType, ZnodePath,
};

use super::{
    Driver,
    events::{InFlight, Setting},
};
use crate::{
    error::Subject,
    inbox::{Removal, Submission, Unwatched},
    registry::{Half, Step, Target, is_removed},
    slot::{Order, SlotRef},
};

/// The shortest line that is looked through for withdrawn submissions.
pub(super) const PURGE_MIN: usize = 1024;

impl Driver {
    /// Sends what may be sent. Watches go first, since later reads count on them.
    pub(super) fn pump(&mut self, now: Instant) {
        self.read_config(now);
        self.take_steps(now);
        while let Some(front) = self.line.front() {
            let is_withdrawn = front.is_withdrawn();
            if !is_withdrawn && !self.session.has_room() && !is_auth(front) {
                return;
            }
            if let Some(submission) = self.line.pop_front()
                && !is_withdrawn
            {
                self.send(now, submission);
            }
        }
    }

    /// Takes new submissions: to the session at once where nobody waits in front of them.
    pub(super) fn accept(&mut self, now: Instant, submissions: &mut Vec<Submission>) {
        self.take_steps(now);
        for submission in submissions.drain(..) {
            let is_removal = matches!(submission, Submission::Removal(_));
            if is_removal || (self.line.is_empty() && self.session.has_room()) {
                self.send(now, submission);
            } else {
                self.line.push_back(submission);
            }
        }
        self.purge_line();
    }

    /// Takes withdrawn submissions out of a line that has grown, so that it is never much longer than there are
    /// callers waiting.
    fn purge_line(&mut self) {
        if self.line.len() >= self.line_purge_at {
            self.line.retain(|submission| !submission.is_withdrawn());
            self.line_purge_at = PURGE_MIN.max(self.line.len() * 2);
        }
    }

    /// Fails what waits, since its session is over. Credentials and watches belong to every session.
    pub(super) fn expire_line(&mut self) {
        for submission in std::mem::take(&mut self.line) {
            if submission.outlives_sessions() {
                self.line.push_back(submission);
            } else {
                submission.refuse(FailureKind::SessionExpired);
            }
        }
        for late in self.mail.submissions.extract_if(.., |submission| !submission.outlives_sessions()) {
            late.refuse(FailureKind::SessionExpired);
        }
    }

    /// Takes a dropped watcher out, and its watch off the server if it was the last.
    pub(super) fn unwatch(&mut self, unwatched: Unwatched) {
        match unwatched {
            Unwatched::Persistent(id) => {
                if let Some(path) = self.registry.detach(id) {
                    self.forget_if_unlinked(&path);
                }
            }
            Unwatched::OneShot(path) => {
                for half in self.registry.prune_one_shots(&path) {
                    self.session.forget_watches(&path, half.watcher_type());
                }
            }
        }
    }

    /// Takes watches out on behalf of all who hold them, also those that wait in the line.
    ///
    /// A persistent watch that somebody else is told by stays; without any the next step removes it.
    fn remove_watches(&mut self, removal: Removal) {
        let Removal { path, kind, done } = removal;
        for submission in std::mem::take(&mut self.line) {
            match submission {
                Submission::Watch(order) if order.path == path && is_removed(order.mode, kind) => {
                    self.registry.attach(order);
                }
                other => self.line.push_back(other),
            }
        }
        let any = self.registry.remove(&path, kind);
        if any {
            for half in Half::removed_by(kind) {
                self.session.forget_watches(&path, half.watcher_type());
            }
        }
        if self.registry.is_unheld(&path) {
            self.forget_if_unlinked(&path);
        }
        // An error means that nobody listens, which changes nothing.
        let _ = done.send(any);
    }

    /// Without a connection there is no watch at the server, so it is enough not to arm it again.
    fn forget_if_unlinked(&mut self, path: &ZnodePath) {
        if !self.session.state().is_connected() {
            self.registry.forget(path);
            self.session.forget_watches(path, WatcherType::Persistent);
            self.session.forget_watches(path, WatcherType::PersistentRecursive);
        }
    }

    fn send(&mut self, now: Instant, submission: Submission) {
        match submission {
            Submission::Watch(order) => {
                self.registry.attach(order);
                self.take_steps(now);
            }
            Submission::Removal(removal) => self.remove_watches(removal),
            Submission::Request(slot) => {
                if let Some(order) = slot.start() {
                    self.send_order(now, slot, order);
                }
            }
        }
    }

    fn send_order(&mut self, now: Instant, slot: SlotRef, order: Order) {
        let Order { request, session, target } = order;
        if session.is_some() && self.session.session_id() != session {
            slot.refuse(FailureKind::SessionExpired);
            return;
        }
        let op = request.op();
        let setting = Half::of(&request).map(|(half, path)| {
            let target = target.unwrap_or(Target::Session);
            Box::new(Setting { path: path.clone(), half, target })
        });
        match self.session.handle_request(now, request) {
            Ok(ticket) => self.await_reply(ticket, InFlight::Request { slot, op, sent: now, setting }),
            // There was room, so this can only be the limit of a session's identities.
            Err(_) => slot.refuse(FailureKind::Server(ErrorCode::BadArguments)),
        }
    }

    fn take_steps(&mut self, now: Instant) {
        if self.steps_after.is_some_and(|after| now < after) {
            return;
        }
        self.steps_after = None;
        while self.session.has_room() {
            let in_flight = &self.in_flight;
            let Some(step) = self.registry.next_step(|path, half| is_pending(in_flight, path, half)) else {
                return;
            };
            let (request, in_flight) = match step {
                Step::Add { path, generation, .. } if self.inbox.lacking.lacks(OpCode::AddWatch) => {
                    let error = Subject::watch(&path).not_sent(FailureKind::Server(ErrorCode::Unimplemented));
                    self.registry.refused(&path, generation, &error);
                    continue;
                }
                Step::Add { path, mode, generation } => {
                    let request = Request::AddWatch(AddWatch { path: path.clone(), mode });
                    (request, InFlight::Watch { path, mode, generation })
                }
                Step::Remove { path, kind } => {
                    // Whatever the driver itself watches there goes along.
                    self.note_path(&path);
                    self.session.forget_watches(&path, kind);
                    if self.inbox.lacking.lacks(OpCode::RemoveWatches) {
                        // A one-shot watch stays there until it has fired, for nobody.
                        continue;
                    }
                    (Request::RemoveWatches(RemoveWatches { path, kind }), InFlight::Unwatch)
                }
            };
            let ticket = self.session.handle_request(now, request).expect("there was room");
            self.await_reply(ticket, in_flight);
        }
    }

    pub(super) fn await_reply(&mut self, ticket: Ticket, in_flight: InFlight) {
        self.in_flight.push_back((ticket, in_flight));
    }
}

/// Credentials pass a full window, without which nothing might come back.
fn is_auth(submission: &Submission) -> bool {
    matches!(submission, Submission::Request(slot) if slot.is_auth())
}

/// Returns whether a request under way will set a one-shot watch on a path, of one half or of any.
fn is_pending(in_flight: &VecDeque<(Ticket, InFlight)>, path: &ZnodePath, half: Option<Half>) -> bool {
    in_flight.iter().any(|(_, entry)| match entry {
        InFlight::Request { setting: Some(setting), .. } => {
            setting.path == *path && half.is_none_or(|half| half == setting.half)
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use quorate_zk_proto::{SyncRequest, ZnodePath};

    use super::*;
    use crate::{inbox::Inbox, options::ClientOptions, registry::SessionQueue};

    #[test]
    fn a_line_of_withdrawn_requests_does_not_grow() {
        let inbox = Arc::new(Inbox::default());
        let settings = ClientOptions::new(["h1"]).check().unwrap();
        let (mut driver, _shown) = Driver::new(settings, Arc::clone(&inbox), SessionQueue::default());
        for _ in 0..10 * PURGE_MIN {
            let request = Request::Sync(SyncRequest { path: ZnodePath::root() });
            let slot = SlotRef::new(Order { request, session: None, target: None });
            inbox.submit(Submission::Request(slot.clone()));
            slot.give_up();
            driver.take_mail(Instant::now());
            assert!(driver.line.len() <= PURGE_MIN, "{} wait", driver.line.len());
        }
    }
}
