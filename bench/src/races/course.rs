//! What the races against others need: a real server, the peers, and cores for each side.

use std::error::Error;
use std::net::SocketAddr;

use super::{RaceOptions, peers::Peers};
use crate::{arguments::REAL, processes::Server, weather::Weather, works::ROOT_PATH};

/// A server that serves, and peers that can be started. From now on this thread and what it starts are where
/// clients are to run.
pub(crate) struct Course {
    pub(crate) addr: SocketAddr,
    pub(crate) peers: Peers,
    server: Option<Server>,
}

impl Course {
    pub(crate) fn open(options: &RaceOptions) -> Result<Self, Box<dyn Error>> {
        let peers = Peers::find(options.curator.as_deref())?;
        let server = if options.server.is_none() { Some(Server::start(REAL)?) } else { None };
        let addr = options.server.or(server.as_ref().map(Server::addr)).ok_or("there is no server")?;
        options.cores.take();
        Ok(Self { addr, peers, server })
    }

    /// The place of a store on that server, as ours are told.
    pub(crate) fn url(&self) -> String {
        format!("zk://{}", self.addr)
    }

    pub(crate) fn weather(&self) -> Option<Weather> {
        Weather::now(self.server.as_ref().map(Server::id))
    }

    /// The part of the machine that others used since.
    pub(crate) fn others_since(&self, before: Option<Weather>) -> Option<f64> {
        before.zip(self.weather()).map(|(before, now)| now.others_since(before))
    }
}

/// A path that no other run uses.
pub(crate) fn own_path(race: &str) -> String {
    format!("{ROOT_PATH}/{race}-{}", std::process::id())
}
