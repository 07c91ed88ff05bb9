//! The threads that read, each with a connection of its own.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use crate::read;
use crate::request::ReadRequest;
use crate::session::{Link, Role};
use crate::shared::Shared;

/// The requests of all reading threads.
pub(crate) type ReadQueue = Arc<Mutex<mpsc::Receiver<ReadRequest>>>;

/// Serves until it is told to stop.
pub(crate) fn run(shared: &Shared, queue: &ReadQueue) {
    let mut link = Link::new(Role::Reader);
    loop {
        // One thread waits within the lock and the others for it; whoever has a request lets go.
        let request = queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        // Whoever asked may have stopped waiting: nobody is told then.
        match request {
            Some(ReadRequest::Get { key, want, reply }) => {
                let session = link.session(shared);
                let _ = reply.send(session.and_then(|session| read::get(session, &shared.boot, &key, want)));
            }
            Some(ReadRequest::List { prefix, want, reply }) => {
                let session = link.session(shared);
                let _ =
                    reply.send(session.and_then(|session| read::list(session, &shared.boot, &prefix, want)));
            }
            Some(ReadRequest::Stop) | None => return,
        }
    }
}
