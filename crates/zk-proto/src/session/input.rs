//! From bytes to events.

use std::time::Instant;

use bytes::BytesMut;

use crate::{
    codec::{Codec, DecodeError},
    frame::take_frames,
    id::{Xid, Zxid},
    op::{ConnectResponse, EventType, KeeperState, ReplyBody, ReplyHeader},
    path::ZnodePath,
    reader::Reader,
    session::{
        BUFFER_BYTES_KEPT_MAX, DisconnectReason, Failure, FailureKind, ProtocolError, Reply, Session,
        SessionEvent, SessionState, WatchedEvent, pending::Awaited,
    },
};

/// How far the re-arming of watches on this connection has come.
#[derive(Debug, Default)]
pub(super) struct Rearming {
    batches_left: usize,
    refused: bool,
}

impl Rearming {
    pub(super) const fn start(&mut self, batches: usize) {
        *self = Self { batches_left: batches, refused: false };
    }
}

impl Session {
    pub(super) fn take_input(&mut self, now: Instant, input: &mut BytesMut) -> Result<(), ProtocolError> {
        if self.state.is_connected() && !input.is_empty() {
            self.timers.heard(now);
        }
        let result = self.take_frames(now, input);
        if result.is_err() {
            self.end_link(DisconnectReason::ProtocolError);
        }
        if !self.state.is_linked() {
            // Whatever else this connection brought belongs to nobody.
            input.clear();
        }
        self.drain_queue(now);
        self.send_ping_if_due(now);
        result
    }

    /// Takes a block of whole frames off the input, so that all of them share one reference to its memory.
    fn take_frames(&mut self, now: Instant, input: &mut BytesMut) -> Result<(), ProtocolError> {
        if !self.state.is_linked() {
            return Ok(());
        }
        let (frames, checked) = take_frames(input, self.options.frame_bytes_max);
        let was_huge = frames.len() > BUFFER_BYTES_KEPT_MAX || input.capacity() > BUFFER_BYTES_KEPT_MAX;
        if was_huge && input.len() <= BUFFER_BYTES_KEPT_MAX / 2 {
            *input = BytesMut::from(&input[..]);
        }
        let mut reader = Reader::over_frames(frames);
        while self.state.is_linked() && reader.next_frame() {
            if self.state.is_connected() || self.proving.is_some() {
                self.take_message(&mut reader)?;
            } else {
                let response = ConnectResponse::decode(&mut reader)?;
                reader.finish()?;
                self.finish_handshake(now, &response);
            }
        }
        // What comes after the end of a connection is not looked at.
        if self.state.is_linked() { Ok(checked?) } else { Ok(()) }
    }

    fn take_message(&mut self, reader: &mut Reader) -> Result<(), ProtocolError> {
        let header = ReplyHeader::decode(reader)?;
        match header.xid {
            Xid::NOTIFICATION => self.take_notification(header.zxid, reader),
            Xid::AUTH => self.take_auth_reply(header),
            Xid::PING => {
                self.timers.ping_answered();
                if let Some(zxid) = header.zxid.known() {
                    self.advance(zxid);
                    self.events.push_back(SessionEvent::Progress(zxid));
                }
                Ok(())
            }
            xid => {
                let awaited = self.pending.take(xid).ok_or(ProtocolError::UnexpectedXid { xid })?;
                self.advance(header.zxid);
                self.take_reply(awaited, header, reader)
            }
        }
    }

    /// The zxid of a notification is not taken as progress: other events of the same transaction may be
    /// still to come, and would be lost with the connection.
    fn take_notification(&mut self, zxid: Zxid, reader: &mut Reader) -> Result<(), ProtocolError> {
        let event_type = EventType::decode(reader)?;
        KeeperState::decode(reader)?;
        // A path that is watched is a path, and is here already.
        let text = reader.text()?;
        let path = self.watches.known(text).map_or_else(|| ZnodePath::new(text), Ok);
        let path = path.map_err(DecodeError::from)?;
        reader.finish()?;
        if event_type != EventType::None {
            let zxid = zxid.known();
            self.watches.fire(event_type, &path);
            let parent = self.watches.fire_parent(event_type, &path, zxid);
            self.notify(WatchedEvent { event_type, path, zxid });
            if let Some(path) = parent {
                self.notify(WatchedEvent { event_type: EventType::NodeChildrenChanged, path, zxid });
            }
        }
        Ok(())
    }

    fn notify(&mut self, event: WatchedEvent) {
        self.events.push_back(SessionEvent::Notification(event));
    }

    fn take_auth_reply(&mut self, header: ReplyHeader) -> Result<(), ProtocolError> {
        let ticket = self.auths.answered().ok_or(ProtocolError::UnexpectedXid { xid: Xid::AUTH })?;
        if header.err.is_ok() {
            if let Some(ticket) = ticket {
                let reply = Reply { zxid: header.zxid, body: ReplyBody::Done };
                self.events.push_back(SessionEvent::Reply { ticket, result: Ok(reply) });
            }
            return Ok(());
        }
        if let Some(ticket) = ticket {
            self.fail(ticket, Failure::answered(header.err, false, header.zxid));
        }
        self.finish(SessionState::AuthFailed);
        Ok(())
    }

    fn take_reply(
        &mut self,
        awaited: Awaited,
        header: ReplyHeader,
        reader: &mut Reader,
    ) -> Result<(), ProtocolError> {
        match awaited {
            Awaited::Request { ticket, op, is_write, effect } => {
                if let Some(effect) = effect {
                    self.watches.apply(effect, header.err, header.zxid);
                }
                let result = if header.err.is_ok() {
                    ReplyBody::decode(op, reader)
                        .map(|body| Reply { zxid: header.zxid, body })
                        .map_err(|error| Failure::unanswered(FailureKind::Malformed(error), is_write))
                } else {
                    Err(Failure::answered(header.err, is_write, header.zxid))
                };
                self.events.push_back(SessionEvent::Reply { ticket, result });
            }
            Awaited::SetWatches => self.take_rearmed(header.err.is_ok()),
            Awaited::RepairedWatches { has_lasting } => self.take_repaired(header.err.is_ok(), has_lasting),
            Awaited::Sasl => self.take_sasl_reply(header, reader)?,
            Awaited::CloseSession => self.finish(SessionState::Closed),
        }
        Ok(())
    }

    /// A server that refuses would refuse on every connection, so the watches are given up and said to be.
    fn take_rearmed(&mut self, armed: bool) {
        self.rearming.batches_left = self.rearming.batches_left.saturating_sub(1);
        self.rearming.refused |= !armed;
        if !armed {
            self.drop_watches();
        }
        if self.rearming.batches_left == 0 && !self.rearming.refused {
            self.watches.settle();
            self.events.push_back(SessionEvent::WatchesRearmed);
        }
    }

    /// One-shot watches were told what they missed; of persistent ones nobody knows.
    fn take_repaired(&mut self, armed: bool, has_lasting: bool) {
        self.watches.repair_answered();
        if !armed {
            self.drop_watches();
        } else if has_lasting {
            self.events.push_back(SessionEvent::WatchesRearmed);
        }
    }

    pub(super) fn drop_watches(&mut self) {
        if self.watches.count() > 0 {
            self.watches.clear();
            self.events.push_back(SessionEvent::WatchesDropped);
        }
    }

    fn advance(&mut self, zxid: Zxid) {
        self.last_zxid = self.last_zxid.max(zxid);
    }
}
