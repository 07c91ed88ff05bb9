//! Changing the members.

use bytes::Bytes;
use quorate_zk_proto::{ErrorCode, Reconfig, ReplyBody};

use super::{ConnectionId, Ensemble, Millis};

impl Ensemble {
    /// Replaces the configuration, and answers with the new one. A server that was started alone has none.
    pub(super) fn reconfigure(
        &mut self,
        now: Millis,
        id: ConnectionId,
        change: &Reconfig,
    ) -> Result<ReplyBody, ErrorCode> {
        let (enabled, current) = (self.config.reconfig, self.config.membership.clone());
        let identities = self.identities(id).to_vec();
        let (next, body) = self.transact(now, &identities, |tree, txn| {
            if !enabled {
                return Err(ErrorCode::ReconfigDisabled);
            }
            let next = current.ok_or(ErrorCode::Unimplemented)?.changed(change, txn.zxid)?;
            let data = Bytes::from(next.text());
            let stat = tree.set_config(txn, data.clone())?;
            Ok((next, ReplyBody::Data { data: Some(data), stat }))
        })?;
        self.config.membership = Some(next);
        Ok(body)
    }
}
