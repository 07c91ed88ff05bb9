//! Following the ensemble's own configuration, if asked to.

use std::time::Instant;

use quorate_zk_proto::{Failure, GetData, Reply, ReplyBody, Request, ZnodePath};

use super::{Driver, events::InFlight};
use crate::ensemble_config::{CONFIG_PATH, EnsembleConfig};

impl Driver {
    /// Makes the configuration be read as soon as there is room.
    pub(super) const fn want_config(&mut self) {
        self.wants_config = self.settings.follows_ensemble;
    }

    /// Reads the configuration, with a watch: as often as it changes.
    pub(super) fn read_config(&mut self, now: Instant) {
        if !self.wants_config || !self.session.state().is_connected() || !self.session.has_room() {
            return;
        }
        self.wants_config = false;
        let path = ZnodePath::new(CONFIG_PATH).expect("the server's own path is one");
        let request = Request::GetData(GetData { path, watch: true });
        let ticket = self.session.handle_request(now, request).expect("there was room");
        self.await_reply(ticket, InFlight::Config);
    }

    /// Takes note that a watch on a path has fired, or is about to be removed.
    pub(super) fn note_path(&mut self, path: &ZnodePath) {
        if path.as_str() == CONFIG_PATH {
            self.want_config();
        }
    }

    /// Takes the hosts that the ensemble names. What cannot be read, or names nobody, changes nothing.
    pub(super) fn on_config(&mut self, result: Result<Reply, Failure>) {
        let data = match result.map(|reply| reply.body) {
            Ok(ReplyBody::Data { data, .. }) => data.unwrap_or_default(),
            Ok(_) => return,
            // It is read again on every connection, so a lost one needs no more than this.
            Err(error) => return tracing::debug!(%error, "the ensemble's configuration was not read"),
        };
        match EnsembleConfig::parse(&data) {
            Ok(config) => {
                let port = self.settings.followed_port;
                let hosts = config.hosts().map(|host| port.map_or(host.clone(), |port| host.at(port)));
                self.settings.hosts.replace(hosts.collect());
            }
            Err(error) => tracing::warn!(%error, "the ensemble's configuration is not understood"),
        }
    }
}
