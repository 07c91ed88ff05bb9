//! Sending: replies, notifications, and the cuts among them.

use bytes::BytesMut;
use quorate_zk_proto::{
    ErrorCode, KeeperState, Perms, ReplyBody, ReplyHeader, WatcherEvent, Xid, Zxid, put_notification,
    put_reply,
};

use super::{
    ConnectionId, Ensemble, Millis,
    acl::require,
    connection::{Late, Phase},
    faults::Fate,
    tree::Change,
    watches::Told,
};
use quorate_zk_proto::ServerVersion;

/// A client that lets more than this pile up is cut off.
const BACKLOG_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The zxid of what belongs to no transaction.
pub(super) const NO_ZXID: Zxid = Zxid::new(-1);

/// An answer that may only be seen once its transaction was applied.
#[derive(Debug)]
pub(super) struct Applied {
    pub(super) zxid: Zxid,
    pub(super) packet: BytesMut,
    /// Not so for the answer to a handshake.
    pub(super) is_reply: bool,
    /// Whether it is the last word.
    pub(super) then_close: bool,
}

/// What is to be done with a connection after sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Go on.
    Open,
    /// Send nothing more, but go on reading.
    HalfClosed,
    /// Close it.
    Closed,
}

impl Ensemble {
    /// Moves what is to be sent now to `out`. Tells when to ask again, if anything is to be sent later, and
    /// what becomes of the connection.
    pub(crate) fn poll_transmit(
        &mut self,
        now: Millis,
        id: ConnectionId,
        out: &mut BytesMut,
    ) -> (Option<Millis>, Next) {
        let Some(connection) = self.connections.get_mut(&id) else { return (None, Next::Closed) };
        self.dirty.remove(&id);
        out.unsplit(connection.out.split());
        if let Some(late) = &mut connection.late {
            let until = *late.until.get_or_insert(now.saturating_add(late.by));
            if until > now {
                return (Some(until), Next::Open);
            }
        }
        if let Some(late) = connection.late.take() {
            out.unsplit(late.out);
        }
        match connection.phase {
            Phase::Closing => (None, Next::Closed),
            _ if connection.half_closed => (None, Next::HalfClosed),
            _ => (None, Next::Open),
        }
    }

    /// Takes the connections for which [`poll_transmit`](Self::poll_transmit) has something to say.
    pub(crate) fn poll_dirty(&mut self) -> Option<ConnectionId> {
        self.dirty.pop_first()
    }

    /// Answers a request. The header tells the last transaction that the server has applied.
    pub(super) fn reply(&mut self, id: ConnectionId, xid: Xid, result: Result<ReplyBody, ErrorCode>) {
        self.reply_at(id, xid, self.zxid_at(id), result);
    }

    /// Answers a request that went through the leader, once its transaction is applied at the server.
    pub(super) fn reply_applied(&mut self, id: ConnectionId, xid: Xid, result: Result<ReplyBody, ErrorCode>) {
        match reply_packet(xid, self.zxid, result) {
            Some(packet) => self.deliver_applied(id, packet, true),
            None => self.close(id),
        }
    }

    /// Answers a request that does not go through the pipeline, where no transaction is known.
    pub(super) fn reply_at(
        &mut self,
        id: ConnectionId,
        xid: Xid,
        zxid: Zxid,
        result: Result<ReplyBody, ErrorCode>,
    ) {
        match reply_packet(xid, zxid, result) {
            Some(packet) => self.deliver(id, &packet, xid != Xid::PING),
            None => self.close(id),
        }
    }

    /// Sends a packet as soon as the server has applied the latest transaction.
    pub(super) fn deliver_applied(&mut self, id: ConnectionId, packet: BytesMut, is_reply: bool) {
        let server = self.server_of(id);
        if self.members[server].is_behind() {
            if let Some(connection) = self.connections.get_mut(&id) {
                connection.held = Some(Applied { zxid: self.zxid, packet, is_reply, then_close: false });
            }
            return;
        }
        self.deliver(id, &packet, is_reply);
    }

    /// Sends the answer to a request, or another packet, which no fault concerns.
    pub(super) fn deliver(&mut self, id: ConnectionId, packet: &[u8], is_reply: bool) {
        if !is_reply {
            return self.put(id, packet);
        }
        let Some(connection) = self.connections.get_mut(&id) else { return };
        match connection.fate.take() {
            Some(Fate::Lost) => return,
            Some(Fate::Late(by)) if connection.late.is_none() => {
                connection.late = Some(Late { by, until: None, out: BytesMut::new() });
            }
            _ => {}
        }
        self.journal.counters.replies += 1;
        self.send(id, packet);
    }

    /// Tells watches of changes, in their order, at every server that keeps up.
    pub(super) fn tell(&mut self, changes: &[Change]) {
        for server in 0..self.members.len() {
            if !self.members[server].log(self.zxid, changes) {
                self.tell_at(server, self.zxid, changes);
            }
        }
    }

    /// Tells the watches at one server.
    pub(super) fn tell_at(&mut self, server: usize, zxid: Zxid, changes: &[Change]) {
        let zxid = if self.config.version >= ServerVersion::V3_9 { zxid } else { NO_ZXID };
        let watches = &mut self.members[server].watches;
        for told in changes.iter().flat_map(|change| watches.trigger(change)).collect::<Vec<_>>() {
            self.notify(zxid, &told);
        }
    }

    /// Tells one connection what it missed.
    pub(super) fn tell_missed(&mut self, missed: &Told) {
        self.notify(NO_ZXID, missed);
    }

    /// Sends bytes that are neither a reply nor a notification: the handshake, and answers to pings.
    pub(super) fn put(&mut self, id: ConnectionId, bytes: &[u8]) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if connection.phase == Phase::Closing || connection.half_closed {
            return;
        }
        let cut = self.faults.cuts_output(bytes.len());
        let passing = &bytes[..cut.unwrap_or(bytes.len())];
        match &mut connection.late {
            Some(late) => late.out.extend_from_slice(passing),
            None => connection.out.extend_from_slice(passing),
        }
        self.dirty.insert(id);
        if cut.is_some() || connection.backlog() > BACKLOG_BYTES_MAX {
            self.close(id);
        }
    }

    fn notify(&mut self, zxid: Zxid, told: &Told) {
        let state = KeeperState::SyncConnected;
        let event = WatcherEvent { event_type: told.event_type, state, path: told.path.clone() };
        let mut packet = BytesMut::new();
        if put_notification(&mut packet, zxid, &event).is_err() {
            return;
        }
        for &id in &told.connections {
            if !self.may_hear(id, told) {
                continue;
            }
            self.journal.counters.notifications += 1;
            self.send(id, &packet);
        }
    }

    /// From 3.9 on nobody is told of what they may not read; the watch is used up all the same.
    fn may_hear(&self, id: ConnectionId, told: &Told) -> bool {
        let Some(acl) = told.acl.as_ref().filter(|_| self.config.version >= ServerVersion::V3_9) else {
            return true;
        };
        require(Perms::READ, acl, self.identities(id)).is_ok()
    }

    fn send(&mut self, id: ConnectionId, packet: &[u8]) {
        match self.faults.cuts_packet(packet.len()) {
            None => self.put(id, packet),
            Some(passing) => {
                self.put(id, &packet[..passing]);
                self.close(id);
            }
        }
    }
}

/// Encodes a reply; `None` if it is too large for a frame.
fn reply_packet(xid: Xid, zxid: Zxid, result: Result<ReplyBody, ErrorCode>) -> Option<BytesMut> {
    let (err, body) = match result {
        Ok(body) => (ErrorCode::Ok, body),
        Err(code) => (code, ReplyBody::Done),
    };
    let mut packet = BytesMut::new();
    put_reply(&mut packet, ReplyHeader { xid, zxid, err }, &body).ok()?;
    Some(packet)
}
