//! The task that owns the socket and the session.
//!
//! `phase.rs` is what it waits for, `link.rs` finds servers, `line.rs` sends, `events.rs` hands on what happened.

mod events;
mod follow;
mod line;
mod link;
mod metrics;
mod phase;

use std::{
    collections::VecDeque,
    future::poll_fn,
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use quorate_zk_proto::{FailureKind, Request, Session, SessionState, Ticket};
use tokio::{
    select,
    sync::{oneshot, watch},
    time::sleep_until,
};

use self::{
    events::InFlight,
    metrics::Metrics,
    phase::{Arrival, Phase},
};
use crate::{
    auth::SaslClient,
    backoff::Backoff,
    client::Shown,
    inbox::{Ending, Inbox, Mail, Submission},
    options::Settings,
    registry::{Registry, SessionQueue},
    session_token::{SessionHandover, SessionLife, SessionToken},
    state::ClientState,
};

/// How long the end of a session may take.
const CLOSE_MAX: Duration = Duration::from_secs(3);

/// Stands for never, since a timer wants a time.
const NEVER: Duration = Duration::from_secs(24 * 3600);

/// Owns the socket and the session, and shows the latter to the handles.
pub(crate) struct Driver {
    settings: Settings,
    inbox: Arc<Inbox>,
    state: watch::Sender<ClientState>,
    history: u64,
    token: watch::Sender<Option<SessionToken>>,
    session: Session,
    sasl: Option<SaslClient>,
    life: Option<SessionLife>,
    /// Submissions that wait for room in the window, in order.
    line: VecDeque<Submission>,
    /// The length of the line at which withdrawn submissions are taken out of it.
    line_purge_at: usize,
    /// Requests handed to the session, by ascending ticket.
    in_flight: VecDeque<(Ticket, InFlight)>,
    registry: Registry,
    phase: Phase,
    input: BytesMut,
    output: BytesMut,
    backoff: Backoff,
    /// How the next search for a server that writes starts.
    seek_pauses: Backoff,
    /// Where the last connection was lost.
    lost_server: Option<SocketAddr>,
    /// Since when every host has refused us because of what we have seen.
    refused_since: Option<Instant>,
    has_forgotten: bool,
    /// Whether the ensemble's configuration is to be read.
    wants_config: bool,
    metrics: Option<Box<Metrics>>,
    /// Until when no watches are asked for.
    steps_after: Option<Instant>,
    /// Emptied on every turn; kept for its room.
    mail: Mail,
    ending: Option<Ending>,
    close_deadline: Option<Instant>,
    /// A session on its way to another client, and who takes it there.
    leaving: Option<(oneshot::Sender<Option<SessionHandover>>, SessionHandover)>,
}

impl Driver {
    pub(crate) fn new(settings: Settings, inbox: Arc<Inbox>, events: SessionQueue) -> (Self, Shown) {
        let mut session = Session::new(settings.session.clone());
        for auth in &settings.auths {
            // Nobody waits for these replies; a refusal is an event of its own.
            let _ = session.handle_request(now(), Request::Auth(auth.clone()));
        }
        let (state, shown_state) = watch::channel(ClientState::Connecting { history: 0 });
        let (token, shown_token) = watch::channel(None);
        let registry = Registry::new(settings.watched_max, events, Arc::clone(&inbox));
        let driver = Self {
            session,
            sasl: settings.sasl.clone().map(SaslClient::new),
            life: None,
            line: VecDeque::new(),
            line_purge_at: line::PURGE_MIN,
            in_flight: VecDeque::new(),
            registry,
            phase: Phase::Resting { until: now() },
            input: BytesMut::new(),
            output: BytesMut::new(),
            backoff: Backoff::default(),
            seek_pauses: Backoff::seeking(),
            lost_server: None,
            refused_since: None,
            has_forgotten: false,
            wants_config: false,
            metrics: settings.metrics.clone().map(|client| Box::new(Metrics::new(client))),
            steps_after: None,
            mail: Mail::default(),
            ending: None,
            close_deadline: None,
            leaving: None,
            settings,
            inbox,
            state,
            history: 0,
            token,
        };
        (driver, Shown { state: shown_state, session: shown_token })
    }

    /// Runs until the session is over for good.
    ///
    /// Input goes before the timer, lest a late driver take a prompt server for a silent one. Whatever the wake-up
    /// was about, the turn that follows looks after everything but the time, so nothing starves.
    pub(crate) async fn run(mut self) {
        let mut timer = pin!(sleep_until(tokio::time::Instant::from_std(now())));
        while !self.session.state().is_final() {
            let deadline = tokio::time::Instant::from_std(self.deadline());
            // A timer that goes off early costs less than moving it for every request.
            if deadline < timer.deadline() || timer.is_elapsed() {
                timer.as_mut().reset(deadline);
            }
            let expects = !self.in_flight.is_empty();
            select! {
                biased;
                arrival = self.phase.wait(&mut self.input, &mut self.output, expects) => self.on_arrival(arrival),
                () = &mut timer => self.on_timer(now()),
                () = poll_fn(|cx| self.inbox.poll_changed(cx)) => {}
            }
            self.turn(now());
        }
        if let Some((taker, mut left)) = self.leaving.take() {
            left.last_zxid = self.session.last_zxid();
            // Nobody listening changes nothing: the session is left all the same.
            drop(taker.send(Some(left)));
        }
    }

    fn on_arrival(&mut self, arrival: Arrival) {
        let now = now();
        match arrival {
            Arrival::Dialed(dialed) => self.on_dialed(now, dialed),
            Arrival::Found(target) => self.move_to(now, target),
            Arrival::Read(Ok(0)) => self.session.handle_disconnected(now),
            Arrival::Read(Ok(bytes)) => {
                if let Some(metrics) = &self.metrics {
                    metrics.on_received(bytes);
                }
                if let Err(error) = self.session.handle_input(now, &mut self.input) {
                    tracing::warn!(%error, "server broke the protocol");
                }
                // Input without end must not keep the pings from going out.
                self.on_timer(now);
            }
            Arrival::Read(Err(error)) => {
                self.note_broken(&error);
                self.session.handle_disconnected(now);
            }
        }
    }

    fn on_timer(&mut self, now: Instant) {
        self.session.handle_timeout(now);
        if self.phase.is_rested(now) {
            self.start_round();
        }
        if self.close_deadline.is_some_and(|deadline| now >= deadline) {
            tracing::debug!("closed without an answer of the server");
            match self.ending.take() {
                Some(Ending::Detach(handover)) => self.leave(now, handover),
                Some(Ending::Close) | None => self.session.handle_close(now),
            }
            self.session.handle_disconnected(now);
        }
    }

    /// Takes what the handles left, sends what may be sent, and hands on what happened.
    fn turn(&mut self, now: Instant) {
        self.take_mail(now);
        loop {
            self.pump(now);
            // Replies make room in the window, and lost ones are asked for again.
            if !self.hand_on_events(now) {
                break;
            }
        }
        self.close_if_due(now);
        if !self.session.state().is_linked() {
            self.leave_link(now);
        }
        let unsent = self.output.len();
        self.session.poll_transmit(&mut self.output);
        self.hand_on_events(now);
        if let Some(metrics) = &self.metrics {
            metrics.on_sent(self.output.len() - unsent);
            metrics.show(self.in_flight.len(), self.line.len(), self.registry.len());
        }
    }

    /// What has happened comes before what is asked now: a watch is taken back from what is armed by then. But what
    /// was left before anybody could know of an expiry ends with the session.
    fn take_mail(&mut self, now: Instant) {
        self.inbox.take(&mut self.mail);
        self.hand_on_events(now);
        let mut mail = std::mem::take(&mut self.mail);
        self.accept(now, &mut mail.submissions);
        mail.unwatched.drain(..).for_each(|unwatched| self.unwatch(unwatched));
        if let Some(ending) = mail.ending.take() {
            self.ending = Some(ending);
            self.close_deadline = Some(now + CLOSE_MAX);
        }
        mail.shrink();
        self.mail = mail;
    }

    /// A session that is out of reach is sought until the deadline: its ephemeral znodes should go now.
    fn close_if_due(&mut self, now: Instant) {
        if self.ending.is_none() || !self.line.is_empty() {
            return;
        }
        match self.ending.take() {
            Some(Ending::Detach(handover)) => self.leave(now, handover),
            Some(Ending::Close)
                if self.session.state().is_connected() || self.session.session_id().is_none() =>
            {
                self.session.handle_close(now);
            }
            ending => self.ending = ending,
        }
    }

    fn leave(&mut self, now: Instant, taker: oneshot::Sender<Option<SessionHandover>>) {
        self.leaving = self.handover().map(|left| (taker, left));
        self.session.handle_detach(now);
    }

    fn handover(&self) -> Option<SessionHandover> {
        let (id, password) = self.session.credentials()?;
        Some(SessionHandover { id, password, last_zxid: self.session.last_zxid() })
    }

    fn deadline(&self) -> Instant {
        let deadlines =
            [self.session.poll_timeout(), self.phase.rests_until(), self.close_deadline, self.steps_after];
        deadlines.into_iter().flatten().min().unwrap_or_else(|| now() + NEVER)
    }
}

/// The task may end at any await, when its runtime does. Nobody must wait for it after that.
impl Drop for Driver {
    fn drop(&mut self) {
        let kind = match self.session.state() {
            SessionState::AuthFailed => FailureKind::AuthFailed,
            _ => FailureKind::Closed,
        };
        self.end_life();
        self.line.drain(..).for_each(|submission| submission.refuse(kind.clone()));
        for (_, in_flight) in self.in_flight.drain(..) {
            in_flight.abandon();
        }
        self.inbox.shut(&kind);
        self.registry.end(&kind);
        let closed = ClientState::Closed { history: self.history };
        self.state.send_if_modified(|state| {
            let is_open = !state.is_final();
            if is_open {
                *state = closed;
            }
            is_open
        });
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
