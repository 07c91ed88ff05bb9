//! Servers that stop and start one after another, under load.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    sync::Arc,
    time::{Duration, Instant},
};

use quorate_testkit::Ensemble;
use quorate_zk::{Client, CreateMode, SessionToken, WatchMode};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    appenders, counters,
    replica::{Copy, Life, Replica},
    tally::Tally,
    world::{catch_up, children, client, create, ensemble, soon, value},
};

/// How long it goes on, in seconds, unless the environment says otherwise.
const SECONDS: u64 = 30;
const SECONDS_VARIABLE: &str = "QUORATE_SOAK_SECONDS";

const BASE: &str = "/soak";
const COUNTERS: usize = 4;
const PARENTS: usize = 2;
/// Each has a session of its own, and a writer on every znode.
const WRITING_CLIENTS: usize = 3;

/// Far longer than the servers need to agree on a leader.
const SESSION: Duration = Duration::from_secs(15);

/// How many writes must be acknowledged between any two events in the life of the servers.
const PROGRESS: u64 = 500;

fn duration() -> Duration {
    let said = env::var_os(SECONDS_VARIABLE).and_then(|text| text.into_string().ok());
    let seconds = said.map_or(SECONDS, |text| text.parse().expect("the variable holds whole seconds"));
    Duration::from_secs(seconds)
}

fn named(kind: &str, count: usize) -> Vec<String> {
    (0..count).map(|index| format!("{BASE}/{kind}-{index}")).collect()
}

/// A client, and the session that it must still have in the end.
struct Member {
    client: Client,
    session: SessionToken,
}

impl Member {
    async fn start(hosts: &str) -> Self {
        let client = client(hosts, SESSION);
        let session = soon(client.session()).await.unwrap();
        Self { client, session }
    }

    async fn still_has_its_session(&self) {
        assert!(!self.session.has_expired());
        let now = soon(self.client.session()).await.unwrap();
        assert_eq!(now.id(), self.session.id());
    }
}

/// The writers of all clients, by the znode that they write.
struct Writers {
    counters: BTreeMap<String, Vec<JoinHandle<counters::Record>>>,
    appenders: BTreeMap<String, Vec<JoinHandle<appenders::Record>>>,
}

/// What the writers were told, by the znode that they wrote.
struct Records {
    counters: BTreeMap<String, Vec<counters::Record>>,
    appenders: BTreeMap<String, Vec<appenders::Record>>,
}

impl Writers {
    fn start(members: &[Member], tally: &Arc<Tally>) -> Self {
        let mut all = Self { counters: BTreeMap::new(), appenders: BTreeMap::new() };
        for (index, member) in members.iter().enumerate() {
            let writer = format!("w{index}");
            for place in named("counter", COUNTERS) {
                let task =
                    counters::write(member.client.clone(), place.clone(), writer.clone(), tally.clone());
                all.counters.entry(place).or_default().push(tokio::spawn(task));
            }
            for place in named("parent", PARENTS) {
                let task =
                    appenders::write(member.client.clone(), place.clone(), writer.clone(), tally.clone());
                all.appenders.entry(place).or_default().push(tokio::spawn(task));
            }
        }
        all
    }

    /// Waits for the writers, which were told to stop: for an answer to whatever is still under way.
    async fn end(self) -> Records {
        Records { counters: all_joined(self.counters).await, appenders: all_joined(self.appenders).await }
    }
}

async fn all_joined<T>(tasks: BTreeMap<String, Vec<JoinHandle<T>>>) -> BTreeMap<String, Vec<T>> {
    let mut all = BTreeMap::new();
    for (place, tasks) in tasks {
        all.insert(place, joined(tasks).await);
    }
    all
}

async fn joined<T>(tasks: Vec<JoinHandle<T>>) -> Vec<T> {
    let mut results = Vec::new();
    for task in tasks {
        results.push(soon(task).await.unwrap());
    }
    results
}

/// Copies kept by a persistent watch on each counter, and one kept by a recursive watch on everything.
struct Replicas {
    /// With the counter that it is a copy of, unless it is of everything.
    copies: Vec<(Option<String>, watch::Receiver<Copy>)>,
    lives: Vec<JoinHandle<Life>>,
    settled: watch::Sender<bool>,
}

impl Replicas {
    fn start(of_counters: &Client, of_all: &Client) -> Self {
        let mut all = Self { copies: Vec::new(), lives: Vec::new(), settled: watch::Sender::new(false) };
        for counter in named("counter", COUNTERS) {
            let replica = Replica::new(of_counters.clone(), vec![counter.clone()], Vec::new());
            all.copies.push((Some(counter.clone()), replica.copy()));
            all.lives.push(tokio::spawn(replica.follow(
                counter,
                WatchMode::Persistent,
                all.settled.subscribe(),
            )));
        }
        let replica = Replica::new(of_all.clone(), named("counter", COUNTERS), named("parent", PARENTS));
        all.copies.push((None, replica.copy()));
        let follow = replica.follow(BASE.to_owned(), WatchMode::PersistentRecursive, all.settled.subscribe());
        all.lives.push(tokio::spawn(follow));
        all
    }

    /// Waits until every copy has all of the truth that it is a copy of.
    async fn settle(self, truth: &Copy) -> Vec<Life> {
        for (counter, mut copy) in self.copies {
            let expected = counter.map_or_else(|| truth.clone(), |counter| truth.of_counter(&counter));
            soon(copy.wait_for(|copy| *copy == expected)).await.unwrap();
        }
        self.settled.send_replace(true);
        joined(self.lives).await
    }
}

/// What there is, as this server has it.
async fn truth(hosts: &str) -> Copy {
    let client = client(hosts, SESSION);
    catch_up(&client).await;
    let (mut values, mut appended) = (BTreeMap::new(), BTreeSet::new());
    for counter in named("counter", COUNTERS) {
        values.insert(counter.clone(), value(&client, &counter).await);
    }
    for parent in named("parent", PARENTS) {
        let names = children(&client, &parent).await;
        appended.extend(names.into_iter().map(|name| format!("{parent}/{name}")));
    }
    client.close().await;
    Copy { values, appended }
}

/// Stops and starts the servers one after another. Writes go on while one is away and after it is back.
async fn roll(ensemble: &mut Ensemble, tally: &Tally) -> (u32, u32) {
    let (mut stops, mut leaders) = (0, 0);
    let started = Instant::now();
    while started.elapsed() < duration() {
        for index in 0..3 {
            leaders += u32::from(ensemble.leader().await == Some(index));
            ensemble.member_mut(index).stop().await;
            stops += 1;
            tally.progress(PROGRESS).await;
            ensemble.member_mut(index).restart().await;
            tally.progress(PROGRESS).await;
        }
    }
    (stops, leaders)
}

#[expect(clippy::print_stderr, reason = "whoever runs this by hand wants to see what happened")]
fn tell(stops: (u32, u32), tally: &Tally, truth: &Copy, lives: &[Life]) {
    let (events, resyncs) =
        (lives.iter().map(|l| l.events).sum::<u64>(), lives.iter().map(|l| l.resyncs).sum::<u64>());
    eprintln!("{} servers stopped, {} of them leaders", stops.0, stops.1);
    eprintln!("{:?}", tally.counts());
    let sets: i32 = truth.values.values().map(|(version, _)| version).sum();
    eprintln!("{sets} sets and {} children were made", truth.appended.len());
    eprintln!("{} watchers: {events} events, {resyncs} resyncs", lives.len());
}

fn judge(records: &Records, lives: &[Life], truth: &Copy) {
    for (place, records) in &records.counters {
        let seen = lives.iter().flat_map(|life| &life.seen).filter(|(other, _)| other == place);
        let seen: Vec<_> = seen.map(|(_, value)| value.clone()).collect();
        counters::judge(place, records, &seen, &truth.values[place]);
    }
    for (parent, records) in &records.appenders {
        let below = format!("{parent}/");
        let children = truth.appended.iter().filter_map(|path| path.strip_prefix(&below));
        appenders::judge(parent, records, &children.collect::<Vec<_>>());
    }
}

/// Makes the znodes that are written.
async fn prepare(client: &Client) {
    soon(client.request(create(BASE, "", CreateMode::Persistent))).await.unwrap();
    for counter in named("counter", COUNTERS) {
        counters::make(client, &counter).await;
    }
    for parent in named("parent", PARENTS) {
        soon(client.request(create(&parent, "", CreateMode::Persistent))).await.unwrap();
    }
}

async fn members(hosts: &str) -> Vec<Member> {
    let mut members = Vec::new();
    for _ in 0..WRITING_CLIENTS + 2 {
        members.push(Member::start(hosts).await);
    }
    members
}

/// What all servers agree on.
async fn agreed(ensemble: &Ensemble) -> Copy {
    let agreed = truth(&ensemble.connect_string()).await;
    for addr in ensemble.addrs() {
        assert!(truth(&addr.to_string()).await == agreed, "{addr} has something else");
    }
    agreed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a ZooKeeper server"]
async fn nothing_is_lost_or_told_wrongly_while_servers_stop_and_start_one_after_another() {
    let mut ensemble = ensemble().await;
    let members = members(&ensemble.connect_string()).await;
    prepare(&members[0].client).await;
    let replicas = Replicas::start(&members[0].client, &members[1].client);
    let tally = Arc::new(Tally::new());
    let writers = Writers::start(&members[2..], &tally);

    let stops = roll(&mut ensemble, &tally).await;
    tally.stop();
    let records = writers.end().await;

    let truth = agreed(&ensemble).await;
    let lives = replicas.settle(&truth).await;
    tell(stops, &tally, &truth, &lives);
    judge(&records, &lives, &truth);
    for member in &members {
        member.still_has_its_session().await;
        member.client.close().await;
    }
}
