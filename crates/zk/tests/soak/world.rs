//! The fake, reached within the process, and what goes wrong with it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use quorate_zk::{ClientOptions, Dial, Dialing, Transport};
use quorate_zk_fake::FakeZooKeeper;
use tokio::{
    runtime::Handle,
    time::{Instant, sleep},
};

#[derive(Clone, Debug)]
pub(crate) struct World {
    fake: Arc<FakeZooKeeper>,
}

impl Dial for World {
    fn dial(&self, _name: &str, _addr: SocketAddr) -> Dialing {
        let stream: Box<dyn Transport> = Box::new(self.fake.connect());
        Box::pin(async move { Ok(stream) })
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        let fake = FakeZooKeeper::builder().tick(Duration::from_secs(1)).start().await.unwrap();
        fake.set_raw("/load", "").unwrap();
        Self { fake: Arc::new(fake) }
    }

    pub(crate) fn options(&self) -> ClientOptions {
        let options = ClientOptions::new(["127.0.0.1"]).dialer(self.clone()).in_flight_max(16);
        options.session_timeout(Duration::from_secs(6)).watched_max(32)
    }

    pub(crate) fn sessions(&self) -> usize {
        self.fake.sessions().len()
    }

    /// Breaks something every few seconds: connections, sessions, and the server's attention.
    pub(crate) async fn trouble(&mut self, until: Instant) {
        let mut number = 0_u64;
        while Instant::now() < until {
            sleep(Duration::from_secs(3)).await;
            number += 1;
            match number % 20 {
                5 => self.fake.expire_all(),
                10 => {
                    self.fake.pause();
                    sleep(Duration::from_secs(5)).await;
                    self.fake.resume();
                }
                15 => {
                    self.fake.pause();
                    sleep(Duration::from_secs(15)).await;
                    self.fake.resume();
                }
                _ => self.fake.drop_connections(),
            }
            self.fake.forget_requests();
        }
    }

    /// Waits until there are no more tasks than there were once; for ever if some have leaked, which the clock of
    /// the test then ends.
    pub(crate) async fn settle(&self, tasks: usize) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while Handle::current().metrics().num_alive_tasks() > tasks {
            assert!(Instant::now() < deadline, "tasks are left");
            sleep(Duration::from_millis(100)).await;
        }
    }
}

/// The memory of this process that is not swapped out.
pub(crate) fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let kilobytes: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes * 1024
}
