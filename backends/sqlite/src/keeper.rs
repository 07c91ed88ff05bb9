//! The thread that waits for the bell and tells the watches what happened.
//!
//! Without watches it sleeps and nothing wakes it: dead holders' keys and those past their time are invisible to
//! every reader, and whoever writes next deletes them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use quorate_datasync::{Error, ErrorKind, Moment, Result, WatchFrom};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::mpsc;

use crate::bell::{Ear, Heard};
use crate::clock;
use crate::error::During;
use crate::history;
use crate::hub::Hub;
use crate::options::{POLL, POLL_ALONE};
use crate::request::{WatchRequest, WriteRequest};
use crate::seen::{Counters, Seen};
use crate::session::{Link, Role};
use crate::shared::Shared;
use crate::watch::{Changes, Watcher};

/// How long a holder is watched closely after it closed its file, since its lock ends only afterwards.
const SUSPICION: Duration = Duration::from_millis(100);

/// How often it is looked at meanwhile.
const SUSPICION_STEP: Duration = Duration::from_millis(1);

/// How long to wait before keys past their time are looked at again that could not be deleted.
const RETRY_MS: i64 = 1_000;

/// The thread that waits for the bell.
#[derive(Debug)]
pub(crate) struct Keeper {
    shared: Arc<Shared>,
    requests: mpsc::Receiver<WatchRequest>,
    writer: mpsc::WeakSender<WriteRequest>,
    stop: Arc<AtomicBool>,
    link: Link,
    hub: Hub,
    ear: Option<Ear>,
    /// There was no inotify: it is not asked for again while these watches last.
    deaf: bool,
    /// What the watches know of.
    seen: Option<Seen>,
    next_poll: Instant,
    /// Until when some holder is suspected to be dead.
    suspicion: Option<Instant>,
}

impl Keeper {
    pub(crate) fn new(
        shared: Arc<Shared>,
        requests: mpsc::Receiver<WatchRequest>,
        writer: mpsc::WeakSender<WriteRequest>,
        stop: Arc<AtomicBool>,
    ) -> Self {
        Self {
            shared,
            requests,
            writer,
            stop,
            link: Link::new(Role::Reader),
            hub: Hub::new(),
            ear: None,
            deaf: false,
            seen: None,
            next_poll: Instant::now(),
            suspicion: None,
        }
    }

    /// Serves until it is told to stop. The watches end with it.
    pub(crate) fn run(mut self) {
        loop {
            let (woken, heard) = self.wait();
            if self.stop.load(Ordering::Acquire) {
                return;
            }
            while let Ok(request) = self.requests.try_recv() {
                self.arm(request);
            }
            self.hub.sweep();
            if self.hub.is_empty() {
                self.ear = None;
                self.deaf = false;
                self.seen = None;
                self.suspicion = None;
                continue;
            }
            let is_poll = Instant::now() >= self.next_poll;
            if heard.bell {
                self.listen();
            }
            if is_poll || woken || heard.bell {
                self.look(is_poll);
            }
            if heard.holder {
                self.suspicion = Some(Instant::now() + SUSPICION);
            }
            self.tend();
        }
    }

    /// Waits until there is something to do.
    fn wait(&mut self) -> (bool, Heard) {
        let timeout = self.timeout().map(|timeout| Timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: timeout.subsec_nanos().into(),
        });
        let mut fds = vec![PollFd::new(self.shared.wake_fd(), PollFlags::IN)];
        fds.extend(self.ear.as_ref().map(|ear| PollFd::new(ear.fd(), PollFlags::IN)));
        // An interruption is as good as a timeout: everything is looked at and nothing is lost.
        let _ = poll(&mut fds, timeout.as_ref());
        let woken = !fds.first().is_none_or(|fd| fd.revents().is_empty());
        drop(fds);
        if woken {
            let _ = rustix::io::read(self.shared.wake_fd(), &mut [0; 8]);
        }
        (woken, self.ear.as_mut().map(Ear::drain).unwrap_or_default())
    }

    /// How long there is nothing to do; `None` for ever.
    fn timeout(&self) -> Option<Duration> {
        if self.hub.is_empty() {
            return None;
        }
        let poll = self.next_poll.saturating_duration_since(Instant::now());
        let suspicion = self.suspicion.map(|_| SUSPICION_STEP);
        let deadline = self.seen.as_ref().and_then(|seen| seen.deadline).map(|deadline| {
            let left = deadline.saturating_sub(clock::uptime_ms()).max(0);
            Duration::from_millis(left.unsigned_abs())
        });
        [Some(poll), suspicion, deadline].into_iter().flatten().min()
    }

    /// Sees to it that the bell is listened to, where that is possible.
    fn listen(&mut self) {
        if self.ear.is_none() && self.shared.options.listen && !self.deaf {
            match Ear::open() {
                Ok(ear) => self.ear = Some(ear),
                Err(error) => {
                    tracing::warn!(%error, "no inotify: watches poll instead");
                    self.deaf = true;
                }
            }
        }
        if let Some(ear) = &mut self.ear
            && let Err(error) = ear.listen(&self.shared.beside("-bell"))
        {
            tracing::debug!(%error, "the bell cannot be heard");
        }
    }

    /// Arms a watch: what is committed after the answer will be told.
    fn arm(&mut self, request: WatchRequest) {
        let was_empty = self.hub.is_empty();
        self.listen();
        let armed = self.try_arm(&request);
        if was_empty {
            self.plan_poll();
        }
        match armed {
            Ok((watcher, changes)) => {
                self.hub.add(watcher);
                // If nobody waits any more the watch is swept away.
                let _ = request.reply.send(Ok(changes));
            }
            Err(error) => drop(request.reply.send(Err(error))),
        }
    }

    fn try_arm(&mut self, request: &WatchRequest) -> Result<(Watcher, Changes)> {
        let asked = Moment::now();
        self.try_look()?;
        let Some(seen) = &self.seen else {
            return Err(Error::new(ErrorKind::Unreachable, "watch"));
        };
        let (mut watcher, changes) = Watcher::new(request.selection.clone());
        let WatchFrom::After(after) = request.from else { return Ok((watcher, changes)) };
        let session = self.link.session(&self.shared)?;
        let tx = session.conn.transaction().during("watch")?;
        let counters = Counters::read(&tx)?;
        let after = i64::try_from(after.get()).unwrap_or(i64::MAX);
        if after < counters.floor || after > seen.cursor || counters.incarnation != seen.incarnation {
            watcher.miss(false);
            return Ok((watcher, changes));
        }
        history::replay(&tx, (after, seen.cursor), |at, change| {
            if watcher.selects(&change) {
                watcher.add(at, change, Moment::ORIGIN);
            }
        })?;
        watcher.finish(seen.cursor, asked);
        Ok((watcher, changes))
    }

    /// Looks at the file and tells the watches what is new, at a poll also that nothing is.
    fn look(&mut self, is_poll: bool) {
        let asked = Moment::now();
        if is_poll {
            self.plan_poll();
            self.listen();
        }
        match self.try_look() {
            Ok(()) if is_poll => {
                if let Some(seen) = &self.seen {
                    self.hub.progress(seen.cursor, asked);
                }
            }
            Ok(()) => {}
            // The watches are told once the file is there again; until then the status says so.
            Err(error) => tracing::debug!(%error, "the file could not be looked at"),
        }
    }

    fn try_look(&mut self) -> Result<()> {
        let asked = Moment::now();
        let Self { shared, link, hub, seen, .. } = self;
        let session = link.session(shared)?;
        let data_version = session
            .conn
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .during("watch")?;
        match seen {
            Some(seen) if seen.incarnation == session.incarnation => {
                if seen.data_version != data_version {
                    seen.data_version = data_version;
                    seen.advance(session, shared, hub, asked)?;
                }
            }
            _ => {
                let is_anew = seen.is_some();
                *seen = Some(Seen::read(session, shared, data_version)?);
                if is_anew {
                    hub.gap();
                    // The leases went with the old file.
                    WriteRequest::tend(&self.writer);
                }
            }
        }
        self.attend();
        Ok(())
    }

    fn attend(&mut self) {
        if let (Some(ear), Some(seen)) = (&mut self.ear, &self.seen) {
            ear.attend(&self.shared.path, &seen.holders);
        }
    }

    /// Has what is there no more deleted, so that the watches are told.
    fn tend(&mut self) {
        let Some(seen) = &mut self.seen else { return };
        let is_past = seen.deadline.is_some_and(|deadline| deadline <= clock::uptime_ms());
        let holders = &seen.holders;
        let has_died = self
            .link
            .opened()
            .is_some_and(|session| holders.iter().any(|holder| !session.holders.is_alive(*holder)));
        if is_past {
            // It is read again with what the deletion changes; if nothing changes it is tried again.
            seen.deadline = Some(clock::uptime_ms().saturating_add(RETRY_MS));
        }
        let is_over = self.suspicion.is_some_and(|until| Instant::now() >= until);
        if has_died || is_over {
            self.suspicion = None;
        }
        if has_died || is_past {
            WriteRequest::tend(&self.writer);
        }
    }

    fn plan_poll(&mut self) {
        let hears = self.ear.as_ref().is_some_and(Ear::is_listening);
        self.next_poll = Instant::now() + if hears { POLL } else { POLL_ALONE };
    }
}
