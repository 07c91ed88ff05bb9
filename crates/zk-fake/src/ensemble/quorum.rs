//! Whether enough servers are there to write, and what changes with it.

use super::{Ensemble, Millis};
use quorate_zk_proto::Zxid;

impl Ensemble {
    /// Returns whether most servers run and hear each other.
    pub(crate) fn has_quorum(&self) -> bool {
        let running = self.members.iter().filter(|member| member.running).count();
        !self.parted && running * 2 > self.members.len()
    }

    /// Separates the servers from each other, or joins them again.
    pub(crate) fn part(&mut self, now: Millis, parted: bool) {
        self.elect(now, |ensemble| ensemble.parted = parted);
    }

    /// Starts or stops a server. A started one has caught up.
    pub(crate) fn set_running(&mut self, now: Millis, server: usize, running: bool) {
        if self.members[server].running == running {
            return;
        }
        self.elect(now, |ensemble| {
            ensemble.close_all(server);
            let member = &mut ensemble.members[server];
            member.running = running;
            member.forget_lag();
        });
    }

    pub(crate) fn is_running(&self, server: usize) -> bool {
        self.members.get(server).is_some_and(|member| member.running)
    }

    /// When the quorum is lost or found, every server closes its connections. A new leader begins a new epoch,
    /// has no server lag, and gives all sessions their whole time again.
    fn elect(&mut self, now: Millis, change: impl FnOnce(&mut Self)) {
        let before = self.has_quorum();
        change(self);
        let after = self.has_quorum();
        if before == after {
            return;
        }
        for server in 0..self.members.len() {
            self.close_all(server);
        }
        if after {
            self.read_only_sessions.clear();
            self.sessions.renew(now);
            self.zxid = Zxid::new((self.zxid.epoch() + 1) << 32);
            self.members.iter_mut().for_each(super::member::Member::forget_lag);
        }
    }
}
