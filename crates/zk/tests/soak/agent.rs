//! Somebody who does a bit of everything, and drops much of it half done.

use std::{ops::AddAssign, time::Duration};

use quorate_zk::{Acl, Client, CreateMode, OneshotWatcher, WatchMode, ZnodePath};
use tokio::time::{Instant, sleep, timeout};

use crate::world::World;

/// The longest that anything may take: two session timeouts and more.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many rounds a client lives for.
const ROUNDS: u64 = 60;

/// What came of it all.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) answered: u64,
    pub(crate) failed: u64,
    pub(crate) withdrawn: u64,
    pub(crate) fired: u64,
    pub(crate) sessions: u64,
}

impl AddAssign for Done {
    fn add_assign(&mut self, other: Self) {
        self.answered += other.answered;
        self.failed += other.failed;
        self.withdrawn += other.withdrawn;
        self.fired += other.fired;
        self.sessions += other.sessions;
    }
}

impl Done {
    fn count<T, E>(&mut self, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => {
                self.answered += 1;
                Some(value)
            }
            Err(_) => {
                self.failed += 1;
                None
            }
        }
    }
}

pub(crate) async fn work(world: World, number: u64, until: Instant) -> Done {
    let mut done = Done::default();
    while Instant::now() < until {
        let client = world.options().connect().unwrap();
        done.sessions += 1;
        live(&client, number, until, &mut done).await;
        timeout(PATIENCE, client.close()).await.expect("closing ends");
    }
    done
}

async fn live(client: &Client, number: u64, until: Instant, done: &mut Done) {
    let mine = path(&format!("/load/{number}"));
    done.count(create(client, &mine, CreateMode::Persistent).await);
    let mut watcher = None;
    let mut one_shots: Vec<OneshotWatcher> = Vec::new();
    for round in 0..ROUNDS {
        if Instant::now() >= until {
            return;
        }
        if round % 20 == 0 {
            let mode = if round % 40 == 0 { WatchMode::Persistent } else { WatchMode::PersistentRecursive };
            watcher = done.count(soon(client.add_watch(&mine, mode)).await);
        }
        if let Some((_, watcher)) = done.count(soon(client.with_watcher().get_data(&mine)).await) {
            one_shots.push(watcher);
        }
        one_shots.extend(
            done.count(soon(client.with_watcher().exists(&missing(round))).await).map(|found| found.1),
        );
        pipeline(client, &mine, done).await;
        if let Some(watcher) = &mut watcher {
            while timeout(Duration::ZERO, watcher.next()).await.is_ok_and(|item| item.is_some()) {
                done.fired += 1;
            }
        }
        if one_shots.len() > 8 {
            one_shots.clear();
        }
        sleep(Duration::from_millis(300)).await;
    }
}

/// Writes and reads without waiting in between, and loses interest in some of it.
async fn pipeline(client: &Client, mine: &ZnodePath, done: &mut Done) {
    let written: Vec<_> = (0..8).map(|byte| client.set_data(mine, vec![byte; 512], None)).collect();
    let read: Vec<_> = (0..8).map(|_| client.get_data(mine)).collect();
    let ephemeral = path(&format!("{mine}/e-"));
    let ephemeral = client.create(&ephemeral, "", CreateMode::EphemeralSequential, vec![Acl::open()]);
    for (index, operation) in written.into_iter().enumerate() {
        if index % 4 == 3 {
            done.withdrawn += 1;
        } else {
            done.count(soon(operation).await);
        }
    }
    for operation in read {
        done.count(soon(operation).await);
    }
    if let Some(created) = done.count(soon(ephemeral).await) {
        done.count(soon(client.delete(&created.path, None)).await);
    }
}

async fn create(
    client: &Client,
    node: &ZnodePath,
    mode: CreateMode,
) -> Result<quorate_zk::Created, quorate_zk::CreateError> {
    soon(client.create(node, "", mode, vec![Acl::open()])).await
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("everything ends")
}

fn missing(round: u64) -> ZnodePath {
    path(&format!("/missing/{}", round % 10))
}

fn path(text: &str) -> ZnodePath {
    ZnodePath::new(text).unwrap()
}
