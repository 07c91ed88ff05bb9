//! From submissions to requests of the session.

use std::time::Instant;

use quorate_zk_proto::{AddWatch, ErrorCode, FailureKind, RemoveWatches, Request, Ticket, WatcherType};

use super::{Driver, events::InFlight};
use crate::{inbox::Submission, registry::Step};

/// The shortest line that is looked through for withdrawn submissions.
pub(super) const PURGE_MIN: usize = 1024;

impl Driver {
    /// Sends what may be sent. Watches go first, since later reads count on them.
    pub(super) fn pump(&mut self, now: Instant) {
        self.take_steps(now);
        while let Some(front) = self.line.front() {
            let is_withdrawn = front.is_withdrawn();
            if !is_withdrawn && !front.is_auth() && !self.session.has_room() {
                return;
            }
            if let Some(submission) = self.line.pop_front()
                && !is_withdrawn
            {
                self.send(now, submission);
            }
        }
    }

    /// Takes withdrawn submissions out of a line that has grown, so that it is never much longer than there are
    /// callers waiting.
    pub(super) fn purge_line(&mut self) {
        if self.line.len() >= self.line_purge_at {
            self.line.retain(|submission| !submission.is_withdrawn());
            self.line_purge_at = PURGE_MIN.max(self.line.len() * 2);
        }
    }

    /// Fails what waits, since its session is over. Credentials and watches belong to every session.
    pub(super) fn expire_line(&mut self) {
        for submission in std::mem::take(&mut self.line) {
            if submission.is_auth() || matches!(submission, Submission::Watch { .. }) {
                self.line.push_back(submission);
            } else {
                submission.refuse(FailureKind::SessionExpired);
            }
        }
    }

    /// Takes a watcher out, and its watch off the server if it was the last. Without a connection there is no
    /// watch at the server, so it is enough not to arm it again.
    pub(super) fn unwatch(&mut self, id: u64) {
        if let Some(path) = self.registry.detach(id)
            && !self.session.state().is_connected()
        {
            self.registry.forget(&path);
            self.session.forget_watches(&path, WatcherType::Any);
        }
    }

    fn send(&mut self, now: Instant, submission: Submission) {
        match submission {
            Submission::Watch { path, mode, ready } => {
                self.registry.attach(&path, mode, ready);
                self.take_steps(now);
            }
            Submission::Request { session: Some(id), .. } if self.session.session_id() != Some(id) => {
                submission.refuse(FailureKind::SessionExpired);
            }
            Submission::Request { request, subject, answer, .. } => {
                match self.session.handle_request(now, request) {
                    Ok(ticket) => self.await_reply(ticket, InFlight::Request { subject, answer }),
                    // There was room, so this can only be the limit of a session's identities.
                    Err(_) => {
                        let error = subject.not_sent(FailureKind::Server(ErrorCode::BadArguments));
                        // Nobody listening means withdrawn, which is as good.
                        drop(answer.send(Err(error)));
                    }
                }
            }
        }
    }

    fn take_steps(&mut self, now: Instant) {
        while self.session.has_room()
            && let Some(step) = self.registry.next_step()
        {
            let (request, in_flight) = match step {
                Step::Add { path, mode, generation } => {
                    let request = Request::AddWatch(AddWatch { path: path.clone(), mode });
                    (request, InFlight::Watch { path, mode, generation })
                }
                Step::Remove { path } => {
                    self.session.forget_watches(&path, WatcherType::Any);
                    (
                        Request::RemoveWatches(RemoveWatches { path, kind: WatcherType::Any }),
                        InFlight::Unwatch,
                    )
                }
            };
            let ticket = self.session.handle_request(now, request).expect("there was room");
            self.await_reply(ticket, in_flight);
        }
    }

    fn await_reply(&mut self, ticket: Ticket, in_flight: InFlight) {
        self.in_flight.push_back((ticket, in_flight));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use quorate_zk_proto::{Sync, ZnodePath};

    use super::*;
    use crate::{error::Subject, inbox::Inbox, options::ClientOptions, response::Response};

    #[test]
    fn a_line_of_withdrawn_requests_does_not_grow() {
        let inbox = Arc::new(Inbox::default());
        let settings = ClientOptions::new(["h1"]).check().unwrap();
        let (mut driver, _shown) = Driver::new(settings, Arc::clone(&inbox));
        for _ in 0..10 * PURGE_MIN {
            let request = Request::Sync(Sync { path: ZnodePath::root() });
            let subject = Subject::of(&request);
            let (response, answer) = Response::new(subject.clone(), None);
            inbox.submit([Submission::Request { request, session: None, subject, answer }]);
            drop(response);
            driver.take_mail(Instant::now());
            assert!(driver.line.len() <= PURGE_MIN, "{} wait", driver.line.len());
        }
    }
}
