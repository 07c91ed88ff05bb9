//! Sending: replies, notifications, and the cuts among them.

use bytes::BytesMut;
use quorate_zk_proto::{
    ErrorCode, KeeperState, ReplyBody, ReplyHeader, WatcherEvent, Xid, Zxid, put_notification, put_reply,
};

use super::{ConnectionId, Ensemble, connection::Phase, tree::Change, watches::Told};
use crate::builder::ServerVersion;

/// A client that lets more than this pile up is cut off.
const BACKLOG_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The zxid of what belongs to no transaction.
pub(super) const NO_ZXID: Zxid = Zxid::new(-1);

impl Ensemble {
    /// Moves what waits to be sent to `out`. Returns whether the connection is to be closed after it.
    pub(crate) fn poll_transmit(&mut self, id: ConnectionId, out: &mut BytesMut) -> bool {
        let Some(connection) = self.connections.get_mut(&id) else { return true };
        out.unsplit(connection.out.split());
        self.dirty.remove(&id);
        connection.phase == Phase::Closing
    }

    /// Takes the connections for which [`poll_transmit`](Self::poll_transmit) has something to say.
    pub(crate) fn poll_dirty(&mut self) -> Option<ConnectionId> {
        self.dirty.pop_first()
    }

    /// Answers a request. The header tells the last transaction applied, which for a write is its own.
    pub(super) fn reply(&mut self, id: ConnectionId, xid: Xid, result: Result<ReplyBody, ErrorCode>) {
        self.reply_at(id, xid, self.zxid, result);
    }

    /// Answers a request that does not go through the pipeline, where no transaction is known.
    pub(super) fn reply_at(
        &mut self,
        id: ConnectionId,
        xid: Xid,
        zxid: Zxid,
        result: Result<ReplyBody, ErrorCode>,
    ) {
        let (err, body) = match result {
            Ok(body) => (ErrorCode::Ok, body),
            Err(code) => (code, ReplyBody::Done),
        };
        let mut packet = BytesMut::new();
        if put_reply(&mut packet, ReplyHeader { xid, zxid, err }, &body).is_err() {
            return self.close(id);
        }
        match xid {
            Xid::PING => self.put(id, &packet),
            _ => {
                self.journal.counters.replies += 1;
                self.send(id, &packet);
            }
        }
    }

    /// Tells watches of changes, in their order.
    pub(super) fn tell(&mut self, changes: &[Change]) {
        let zxid = if self.config.version >= ServerVersion::V3_9 { self.zxid } else { NO_ZXID };
        for told in changes.iter().flat_map(|change| self.watches.trigger(change)).collect::<Vec<_>>() {
            self.notify(zxid, &told);
        }
    }

    /// Tells one connection what it missed.
    pub(super) fn tell_missed(&mut self, missed: &Told) {
        self.notify(NO_ZXID, missed);
    }

    /// Sends bytes that no fault counts: the handshake, and answers to pings.
    pub(super) fn put(&mut self, id: ConnectionId, bytes: &[u8]) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if connection.phase == Phase::Closing {
            return;
        }
        connection.out.extend_from_slice(bytes);
        self.dirty.insert(id);
        if connection.out.len() > BACKLOG_BYTES_MAX {
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
            self.journal.counters.notifications += 1;
            self.send(id, &packet);
        }
    }

    fn send(&mut self, id: ConnectionId, packet: &[u8]) {
        match self.cut.as_mut().and_then(|cut| cut.on_packet(packet.len())) {
            None => self.put(id, packet),
            Some(passing) => {
                self.cut = None;
                self.put(id, &packet[..passing]);
                self.close(id);
            }
        }
    }
}
