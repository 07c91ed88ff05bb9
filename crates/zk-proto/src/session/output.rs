//! From requests to bytes.

use std::time::Instant;

use bytes::BytesMut;

use crate::{
    codec::Codec,
    frame::{FrameTooLarge, put_frame},
    id::Xid,
    op::{Auth, ConnectRequest, OpCode, Request, RequestHeader},
    session::{
        Failure, FailureKind, QueueFull, Session, SessionEvent, SessionState, Ticket,
        auths::AUTHS_MAX,
        pending::Awaited,
        state::Closing,
        watches::{Asked, Batch, WatchEffect},
    },
};

/// The session's own packets are small; only the protocol limits them.
const OWN_BYTES_MAX: usize = i32::MAX as usize;

/// A request that waits to be encoded.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) ticket: Ticket,
    request: Request,
}

impl Session {
    pub(super) fn take_request(&mut self, now: Instant, request: Request) -> Result<Ticket, QueueFull> {
        if self.state.is_final() || self.closing != Closing::No {
            let ticket = self.next_ticket();
            self.fail(ticket, Failure::not_sent(self.final_failure()));
            return Ok(ticket);
        }
        if let Request::Auth(auth) = request {
            return self.take_auth(now, auth);
        }
        // Repairs go first, and take no room: whoever was told that there is some counts on it.
        let is_encoded = self.can_encode();
        if self.watches.is_repair_due() {
            self.send_repairs(now);
        }
        if is_encoded {
            let ticket = self.next_ticket();
            self.send_request(now, ticket, request);
            return Ok(ticket);
        }
        if self.queue.len() >= self.options.queued_max {
            return Err(QueueFull { count_max: self.options.queued_max });
        }
        let ticket = self.next_ticket();
        self.queue.push_back(Queued { ticket, request });
        Ok(ticket)
    }

    /// Returns whether a request handed in now would be encoded at once.
    pub(super) fn can_encode(&self) -> bool {
        self.queue.is_empty() && self.is_window_open()
    }

    /// Encodes what may be, and the end of the session after the last of it.
    pub(super) fn drain_queue(&mut self, now: Instant) {
        if self.watches.is_repair_due() {
            self.send_repairs(now);
        }
        while self.is_window_open()
            && let Some(Queued { ticket, request }) = self.queue.pop_front()
        {
            self.send_request(now, ticket, request);
        }
        if !self.state.is_connected() || !self.queue.is_empty() {
            return;
        }
        match self.closing {
            Closing::Asked => {
                self.closing = Closing::Sent;
                let xid = self.next_xid();
                self.send_own(now, xid, OpCode::CloseSession, |_| ());
                self.pending.push(xid, Awaited::CloseSession);
            }
            Closing::Detaching if self.pending.is_empty() && !self.auths.is_awaiting() => {
                self.finish(SessionState::Closed);
            }
            _ => {}
        }
    }

    pub(super) fn send_connect_request(&mut self) {
        let (session_id, password) = self.resumable();
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: self.last_zxid,
            timeout_millis: self.options.timeout_millis(),
            session_id,
            password,
            read_only: Some(self.options.read_only_allowed),
        };
        put_frame(&mut self.outgoing, OWN_BYTES_MAX, |out| request.encode(out))
            .expect("the password came in a frame");
    }

    pub(super) fn send_auths(&mut self, now: Instant) {
        for index in 0..self.auths.len() {
            self.send_auth(now, index);
        }
    }

    pub(super) fn send_watches(&mut self, now: Instant) {
        let batches = self.watches.batches(self.last_zxid);
        self.rearming.start(batches.len());
        if batches.is_empty() {
            self.watches.settle();
        }
        for batch in batches {
            self.send_batch(now, &batch);
            self.pending.push(Xid::SET_WATCHES, Awaited::SetWatches);
        }
    }

    /// Arms watches that a wider one told for until it went.
    pub(super) fn send_repairs(&mut self, now: Instant) {
        if !self.state.is_connected() {
            return;
        }
        while let Some(batch) = self.watches.repair() {
            self.send_batch(now, &batch);
            let has_lasting = matches!(batch, Batch::AnyKind(_));
            self.pending.push(Xid::SET_WATCHES, Awaited::RepairedWatches { has_lasting });
        }
    }

    fn send_batch(&mut self, now: Instant, batch: &Batch) {
        match batch {
            Batch::OneShot(lists) => {
                self.send_own(now, Xid::SET_WATCHES, OpCode::SetWatches, |out| lists.encode(out));
            }
            Batch::AnyKind(lists) => {
                self.send_own(now, Xid::SET_WATCHES, OpCode::SetWatches2, |out| lists.encode(out));
            }
        }
    }

    /// Pings, if the server would otherwise hear nothing for too long.
    pub(super) fn send_ping_if_due(&mut self, now: Instant) {
        let is_due = self.timers.ping_due().is_some_and(|due| now >= due);
        if !self.state.is_connected() || !is_due {
            return;
        }
        self.send_own(now, Xid::PING, OpCode::Ping, |_| ());
        self.timers.ping_sent(now);
    }

    pub(super) fn fail(&mut self, ticket: Ticket, failure: Failure) {
        self.events.push_back(SessionEvent::Reply { ticket, result: Err(failure) });
    }

    fn take_auth(&mut self, now: Instant, auth: Auth) -> Result<Ticket, QueueFull> {
        let ticket = self.next_ticket();
        let (bytes, bytes_max) = (auth.frame_bytes(), self.options.request_bytes_max);
        if bytes > bytes_max {
            self.fail(ticket, Failure::not_sent(FailureKind::TooLarge { bytes, bytes_max }));
            return Ok(ticket);
        }
        let index = self.auths.add(auth, ticket).ok_or(QueueFull { count_max: AUTHS_MAX })?;
        if self.state.is_connected() {
            self.send_auth(now, index);
        }
        Ok(ticket)
    }

    fn send_auth(&mut self, now: Instant, index: usize) {
        let auth = self.auths.send(index);
        put_own(&mut self.outgoing, Xid::AUTH, OpCode::Auth, |out| auth.encode(out));
        self.timers.sent(now);
    }

    fn send_request(&mut self, now: Instant, ticket: Ticket, mut request: Request) {
        let asked = Asked::of(&request);
        let is_covered = asked != Asked::Nothing && self.watches.cover(asked, &mut request);
        let (xid, op, is_write) = (self.next_xid, request.op(), request.is_write());
        let framed = put_frame(&mut self.outgoing, self.options.request_bytes_max, |out| {
            RequestHeader { xid, op: op.code() }.encode(out);
            request.encode(out);
        });
        match framed {
            Ok(()) => {
                self.next_xid = xid.next();
                self.timers.sent(now);
                let effect = WatchEffect::new(request, asked, is_covered);
                if let Some(effect) = &effect {
                    self.watches.sent(effect);
                }
                self.pending.push(xid, Awaited::Request { ticket, op, is_write, effect });
            }
            Err(FrameTooLarge { bytes, bytes_max }) => {
                self.fail(ticket, Failure::not_sent(FailureKind::TooLarge { bytes, bytes_max }));
            }
        }
    }

    pub(super) fn send_own(&mut self, now: Instant, xid: Xid, op: OpCode, body: impl FnOnce(&mut BytesMut)) {
        put_own(&mut self.outgoing, xid, op, body);
        self.timers.sent(now);
    }

    fn is_window_open(&self) -> bool {
        self.state.is_connected() && self.pending.len() < self.options.in_flight_max
    }

    fn next_ticket(&mut self) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        ticket
    }

    pub(super) fn next_xid(&mut self) -> Xid {
        let xid = self.next_xid;
        self.next_xid = xid.next();
        xid
    }
}

fn put_own(out: &mut BytesMut, xid: Xid, op: OpCode, body: impl FnOnce(&mut BytesMut)) {
    put_frame(out, OWN_BYTES_MAX, |out| {
        RequestHeader { xid, op: op.code() }.encode(out);
        body(out);
    })
    .expect("the session's own packets are far from 2 GiB");
}
