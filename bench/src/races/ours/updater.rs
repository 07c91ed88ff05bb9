//! Increments, by one or more tasks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use quorate::{Consistency, Document, Edit, Entry, Key, Shared, Store};

use super::{Count, Lines, Result, answer, number};

/// How long an update waits for the lock.
const LOCK_WAIT: Duration = Duration::from_secs(30);

/// A number in the store, and how it is incremented.
enum Counter {
    Exclusive(Shared<Count>),
    Optimistic(Shared<Count>),
    Document(Box<Document>),
}

/// Increments by one or more tasks for as long as it is told.
pub(super) async fn serve(
    role: &str,
    store: &Arc<dyn Store>,
    place: Key,
    tasks: usize,
    lines: Lines,
) -> Result<()> {
    let counter = Arc::new(Counter::open(role, store, place).await?);
    answer(lines, |line| {
        let counter = Arc::clone(&counter);
        async move {
            if line == "value" {
                return Ok(format!("value {}", counter.value().await?));
            }
            go(counter, tasks, Duration::from_millis(number(&line)?)).await
        }
    })
    .await
}

async fn go(counter: Arc<Counter>, tasks: usize, time: Duration) -> Result<String> {
    let start = Instant::now();
    let count = |counter: Arc<Counter>| async move {
        let mut count = 0_u64;
        while start.elapsed() < time {
            counter.increment().await;
            count += 1;
        }
        count
    };
    let tasks: Vec<_> = (0..tasks).map(|_| tokio::spawn(count(Arc::clone(&counter)))).collect();
    let mut counts = String::new();
    for task in tasks {
        counts = format!("{counts} {}", task.await?);
    }
    Ok(format!("done {}{counts}", start.elapsed().as_nanos()))
}

impl Counter {
    async fn open(role: &str, store: &Arc<dyn Store>, place: Key) -> Result<Self> {
        if role == "document" {
            let document = Document::below(store, place)?;
            document.create(serde_json::to_vec(&Count::default())?).await?;
            return Ok(Self::Document(Box::new(document)));
        }
        let shared =
            Shared::open(store, place).unlisted().lock_wait(LOCK_WAIT).create(Count::default()).await?;
        Ok(if role == "optimistic" { Self::Optimistic(shared) } else { Self::Exclusive(shared) })
    }

    async fn increment(&self) {
        match self {
            Self::Exclusive(shared) => _ = shared.update(|count| count.n += 1).await.expect("updates work"),
            Self::Optimistic(shared) => {
                _ = shared.update_optimistic(|count| count.n += 1).await.expect("updates work");
            }
            Self::Document(document) => {
                let edit = |entry: Option<&Entry>| {
                    let n = entry.and_then(|entry| parse(&entry.value)).expect("the number is there") + 1;
                    Edit::Put(serde_json::to_vec(&Count { n }).expect("a number is JSON").into())
                };
                document.edit(LOCK_WAIT, edit).await.expect("updates work");
            }
        }
    }

    async fn value(&self) -> Result<u64> {
        match self {
            Self::Exclusive(shared) | Self::Optimistic(shared) => Ok(shared.read_consistent().await?.n),
            Self::Document(document) => {
                let entry = document.read(Consistency::Linearizable).await?;
                Ok(entry.and_then(|entry| parse(&entry.value)).ok_or("the number is gone")?)
            }
        }
    }
}

fn parse(document: &[u8]) -> Option<u64> {
    serde_json::from_slice::<Count>(document).ok().map(|count| count.n)
}
