//! Followers against the oracle.

use fastrand::Rng;
use quorate_datasync::{FollowError, Follower, Key, Txn};
use tokio::task::JoinSet;

use super::history::{Write, commit};
use super::oracle::{Call, Look, Oracle};
use super::record::{Record, Recorder};
use super::{Fault, Subject};
use crate::conformance::Stage;

/// How many histories are tried.
const HISTORIES: u64 = 12;

/// How many commits a history has between two quiescent points.
const COMMITS: usize = 25;

/// How many quiescent points a history has.
const POINTS: u64 = 3;

/// The node that is written to see that everything before it was told.
const MARKER: &str = "marker";

/// What the projection makes of a number: multiples of three do not pass, and neighbours are equal.
const PROJECTED: Look =
    Look { view: |n| (n % 3 != 0 || n > 100).then_some(n / 2), is_same: |told, value| told == value };

/// The same as a filter and an equality.
const FILTERED: Look =
    Look { view: |n| (n % 3 != 0 || n > 100).then_some(n), is_same: |told, value| told / 2 == value / 2 };

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Stream,
    Callbacks,
}

pub async fn the_stream_of_a_projection_tells_what_the_oracle_tells(subject: &Subject, stage: &Stage) {
    for seed in 0..HISTORIES {
        play(subject, stage, seed, Form::Stream, false).await;
    }
}

pub async fn the_calls_of_a_filter_and_an_equality_are_those_of_the_oracle(subject: &Subject, stage: &Stage) {
    for seed in 0..HISTORIES {
        play(subject, stage, seed, Form::Callbacks, false).await;
    }
}

pub async fn what_happens_while_the_connection_is_lost_is_told_as_the_oracle_tells_it(
    subject: &Subject,
    stage: &Stage,
) {
    // Where the connection is a real one it takes its time to come back.
    let histories = if stage.capabilities().atomic_watch { HISTORIES } else { 3 };
    for seed in 0..histories {
        let form = if seed % 2 == 0 { Form::Stream } else { Form::Callbacks };
        play(subject, stage, seed, form, true).await;
    }
}

/// One history, and who follows it.
struct Play<'a> {
    subject: &'a Subject,
    stage: &'a Stage,
    base: Key,
    seed: u64,
    rng: Rng,
    oracle: Oracle,
    record: Record,
    markers: u64,
    /// Ends the follower when the history is over.
    _following: JoinSet<()>,
}

async fn play(subject: &Subject, stage: &Stage, seed: u64, form: Form, has_faults: bool) {
    let base = stage.key(&format!("history-{seed}"));
    let look = if form == Form::Stream { PROJECTED } else { FILTERED };
    let (rng, oracle) = (Rng::with_seed(seed), Oracle::new(look));
    let record = Record::new(base.below());
    let mut play =
        Play { subject, stage, base, seed, rng, oracle, record, markers: 100, _following: JoinSet::new() };
    for _ in 0..5 {
        play.write().await;
    }
    play.start(form, look);
    play.oracle.sync();
    play.record.until("synced", |record| record.calls().contains(&Call::Synced)).await;
    for _ in 0..POINTS {
        for _ in 0..COMMITS {
            play.write().await;
            play.oracle.look();
        }
        play.settle().await;
        if has_faults {
            play.lose_and_find().await;
        }
    }
}

impl Play<'_> {
    fn start(&mut self, form: Form, look: Look) {
        let builder = Follower::<u64>::over(&self.stage.store, self.base.below());
        let record = self.record.clone();
        match form {
            Form::Stream => {
                let follower = builder.project(|n| (PROJECTED.view)(*n)).start();
                self._following.spawn(record.take(follower.expect("a base is a prefix")));
            }
            Form::Callbacks => {
                self._following.spawn(async move {
                    match builder.run(Recorder { record, look }).await {
                        Err(FollowError::Store(_)) => {}
                        other => panic!("only the end of the store ends it: {other:?}"),
                    }
                });
            }
        }
    }

    async fn write(&mut self) {
        let writes = commit(&mut self.rng, self.stage.capabilities().txn_keys_max);
        self.commit(&writes).await;
    }

    async fn commit(&mut self, writes: &[Write]) {
        let txn = writes.iter().fold(Txn::new(), |txn, (node, text)| {
            let key = self.base.join(node).expect("the nodes are keys");
            match text {
                Some(text) => txn.put(&key, text.clone()),
                None => txn.delete(&key),
            }
        });
        self.stage.second.commit(txn).await.expect("the commit is applied");
        self.oracle.write(writes);
    }

    /// Writes something new and waits until it was told, and with it everything before.
    async fn settle(&mut self) {
        self.markers += 2;
        self.commit(&[(MARKER.to_owned(), Some(self.markers.to_string()))]).await;
        self.oracle.look();
        let (seed, oracle) = (self.seed, &self.oracle);
        if self.stage.capabilities().atomic_watch {
            let count = oracle.calls().len();
            self.record.until("the marker", |record| record.calls().len() >= count).await;
            let told = self.record.calls();
            assert_eq!(told, oracle.calls(), "history {seed}");
        }
        let what = format!("the state of history {seed}");
        self.record.until(&what, |record| oracle.allows(&record.replay().0)).await;
        for (node, states) in self.record.replay().1 {
            let possible = oracle.states(&node);
            assert!(is_within(&states, possible), "history {seed}, {node}: {states:?} in {possible:?}");
        }
    }

    /// Loses the connection, lets others write, and has the difference told once it is back.
    async fn lose_and_find(&mut self) {
        let Some(fail) = &self.subject.fail else { return };
        fail(Fault::Lost);
        for _ in 0..COMMITS {
            self.write().await;
            // Where the connection comes back by itself nobody knows what is seen.
            if !self.stage.capabilities().atomic_watch {
                self.oracle.look();
            }
        }
        fail(Fault::Over);
        self.oracle.look();
        if self.stage.capabilities().atomic_watch {
            let count = self.oracle.calls().len();
            self.record.until("the difference", |record| record.calls().len() >= count).await;
        }
        self.settle().await;
    }
}

/// Whether `some` is a subsequence of `all`.
fn is_within<T: PartialEq>(some: &[T], all: &[T]) -> bool {
    let mut all = all.iter();
    some.iter().all(|one| all.any(|other| one == other))
}
