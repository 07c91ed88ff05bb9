//! Several real servers that form one ensemble.

use std::io;
use std::net::SocketAddr;

use tempfile::TempDir;

use super::config::Place;
use super::options::ServerOptions;
use super::process::{Process, StartError};
use super::zookeeper::{PORT_TRIES_MAX, ZooKeeper};

/// A ZooKeeper ensemble of real servers, on free loopback ports.
///
/// Its members are [`ZooKeeper`]s that can be stopped, restarted and paused one by one. A member that comes back
/// serves only when the ensemble has a quorum, so after stopping a majority use
/// [`launch`](Self::launch) and [`wait_serving`](Self::wait_serving) rather than restarting them in turn.
///
/// # Panics
///
/// As [`ZooKeeper`].
#[derive(Debug)]
pub struct Ensemble {
    members: Vec<ZooKeeper>,
    /// Removed after the members, which are dropped first, have been killed.
    _dir: TempDir,
}

impl Ensemble {
    /// Starts an ensemble of `size` servers with these options and waits until all serve.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future kills the servers.
    pub async fn start_with(size: usize, options: &ServerOptions) -> Self {
        for _ in 0..PORT_TRIES_MAX {
            let mut ensemble = Self::prepare(size, options);
            for index in 0..size {
                ensemble.launch(index);
            }
            match ensemble.try_wait_serving().await {
                Ok(()) => return ensemble,
                Err(StartError::PortTaken) => {}
                Err(StartError::Failed(why)) => panic!("the ZooKeeper ensemble did not start: {why}"),
            }
        }
        panic!("the ZooKeeper ensemble found a port taken {PORT_TRIES_MAX} times");
    }

    fn prepare(size: usize, options: &ServerOptions) -> Self {
        let dir = TempDir::with_prefix("zookeeper-").expect("a temporary folder can be made");
        let choose = |id: usize| Place::choose(&dir.path().join(id.to_string()), id, options);
        let places: Vec<_> = (1..=size).map(choose).collect();
        let lines: Vec<_> = places.iter().map(Place::server_line).collect();
        let process = |place| ZooKeeper::of_ensemble(Process::new(place, options, &lines));
        Self { members: places.into_iter().map(process).collect(), _dir: dir }
    }

    /// Starts a stopped member and returns at once. It serves when it has found a quorum.
    pub fn launch(&mut self, index: usize) {
        self.members[index].process_mut().launch();
    }

    /// Waits until every member serves. All must have been launched.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect on the servers.
    pub async fn wait_serving(&mut self) {
        if let Err(why) = self.try_wait_serving().await {
            panic!("the ZooKeeper ensemble does not serve: {why:?}");
        }
    }

    async fn try_wait_serving(&mut self) -> Result<(), StartError> {
        for member in &mut self.members {
            member.process_mut().wait_serving().await?;
        }
        Ok(())
    }

    /// The members, in the order of their server ids.
    #[must_use]
    pub fn members(&self) -> &[ZooKeeper] {
        &self.members
    }

    /// The member with the id `index + 1`, to stop or restart it.
    pub fn member_mut(&mut self, index: usize) -> &mut ZooKeeper {
        &mut self.members[index]
    }

    /// The index of the member that says it leads, if one does. A member that cannot be asked does not lead.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub async fn leader(&self) -> Option<usize> {
        for (index, member) in self.members.iter().enumerate() {
            let answer: io::Result<String> = member.four_letter("srvr").await;
            if answer.is_ok_and(|text| text.contains("Mode: leader")) {
                return Some(index);
            }
        }
        None
    }

    /// The addresses for clients, in the order of the members.
    #[must_use]
    pub fn addrs(&self) -> Vec<SocketAddr> {
        self.members.iter().map(ZooKeeper::addr).collect()
    }

    /// The addresses as clients are told them, separated by commas.
    #[must_use]
    pub fn connect_string(&self) -> String {
        self.members.iter().map(ZooKeeper::connect_string).collect::<Vec<_>>().join(",")
    }
}
