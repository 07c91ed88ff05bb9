//! The identities of a session, presented again on every connection.

use std::collections::VecDeque;

use crate::{op::Auth, session::Ticket};

/// Most identities of one session.
pub(super) const AUTHS_MAX: usize = 64;

#[derive(Debug)]
struct Entry {
    auth: Auth,
    /// The request to answer, until it is answered; it survives lost connections.
    ticket: Option<Ticket>,
}

/// Authentication is answered on the server's network thread, ahead of requests under way, so its replies
/// have a queue of their own.
#[derive(Debug, Default)]
pub(super) struct Auths {
    entries: Vec<Entry>,
    awaiting: VecDeque<usize>,
}

impl Auths {
    /// Enters credentials; `None` if there are too many. Credentials known already are only entered again
    /// while an earlier request for them is unanswered.
    pub(super) fn add(&mut self, auth: Auth, ticket: Ticket) -> Option<usize> {
        let known = self.entries.iter().position(|entry| entry.ticket.is_none() && entry.auth == auth);
        if let Some(index) = known {
            self.entries[index].ticket = Some(ticket);
            return Some(index);
        }
        if self.entries.len() >= AUTHS_MAX {
            return None;
        }
        self.entries.push(Entry { auth, ticket: Some(ticket) });
        Some(self.entries.len() - 1)
    }

    /// Returns the packet to send for an entry, whose reply is awaited from now on.
    pub(super) fn send(&mut self, index: usize) -> &Auth {
        self.awaiting.push_back(index);
        &self.entries[index].auth
    }

    /// Takes the next reply; `None` if none is awaited, else the request that it answers, if any.
    pub(super) fn answered(&mut self) -> Option<Option<Ticket>> {
        let index = self.awaiting.pop_front()?;
        Some(self.entries[index].ticket.take())
    }

    /// Forgets awaited replies, since the connection is gone.
    pub(super) fn link_ended(&mut self) {
        self.awaiting.clear();
    }

    /// Takes every request that is still unanswered, since the session is over.
    pub(super) fn drain_tickets(&mut self) -> impl Iterator<Item = Ticket> {
        self.entries.iter_mut().filter_map(|entry| entry.ticket.take())
    }

    /// Returns whether replies are awaited.
    pub(super) fn is_awaiting(&self) -> bool {
        !self.awaiting.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}
