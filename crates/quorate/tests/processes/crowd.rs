//! Many writers at once, of which some may not live to the end.

use std::collections::BTreeSet;

use quorate::Shared;

use crate::writer::{Counter, DIRECTORY, Writer};

/// So many processes, each of which increments so often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crowd {
    pub(crate) writers: usize,
    pub(crate) increments: usize,
}

/// Increments after which some are killed: so many different ones in a run. The others wait for the end of a killed
/// one's session, so that a moment for each of them would take minutes.
const MOMENTS: usize = 3;

/// How many of them are killed, by a signal that leaves no time for anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Killed {
    None,
    Third,
}

impl Killed {
    /// One at least, if any.
    fn of(self, writers: usize) -> usize {
        match self {
            Self::None => 0,
            Self::Third => (writers / 3).max(1),
        }
    }
}

impl Crowd {
    /// Lets all of them increment. The end is what was acknowledged, and for each that was killed perhaps the one
    /// increment that it had in flight; and no two increments made the same number.
    pub(crate) async fn counts_exactly(self, url: &str, killed: Killed) {
        let store = quorate::open(url).await.expect("the store opens");
        let counter = Shared::<Counter>::open(&store, DIRECTORY).create(Counter::default()).await;
        let counter = counter.expect("the struct is created");
        let killed = killed.of(self.writers);
        let counted = self.run(url, killed).await;
        let made: BTreeSet<u64> = counted.iter().copied().collect();
        assert_eq!(made.len(), counted.len(), "{self:?}: no number was made twice");
        let total = counter.read_consistent().await.expect("the counter is read").n;
        let acknowledged = counted.len() as u64;
        let possible = acknowledged..=acknowledged + killed as u64;
        assert!(possible.contains(&total), "{self:?}: {total} is not in {possible:?}");
        assert!(made.last().is_none_or(|last| *last <= total), "{self:?}: the counter went back");
        if killed == 0 {
            assert_eq!(total, (self.writers * self.increments) as u64, "{self:?}");
        }
        store.close().await;
    }

    /// Runs all writers to their ends; gives back the numbers that they said they made.
    async fn run(self, url: &str, killed: usize) -> Vec<u64> {
        let moments: [usize; MOMENTS] = std::array::from_fn(|_| fastrand::usize(0..self.increments));
        let task = |number| {
            let writer = Writer::start(url, self.increments);
            tokio::spawn(async move {
                if number < killed {
                    writer.finish_killed(moments[number % MOMENTS]).await
                } else {
                    writer.finish().await
                }
            })
        };
        let tasks: Vec<_> = (0..self.writers).map(task).collect();
        let mut counted = Vec::new();
        for task in tasks {
            counted.extend(task.await.expect("a writer counts"));
        }
        counted
    }
}
