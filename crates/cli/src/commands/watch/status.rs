//! How a live copy is doing, in one word.

use std::time::Duration;

use quorate::{Link, SharedStatus};
use serde::Serialize;
use tokio::sync::watch;

/// The words of `status` lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Word {
    /// The store was not reached yet.
    Connecting,
    /// The store answers, and the copy is current.
    Live,
    /// The copy was not proved current for longer than its bound, whatever the reason.
    Stale,
    /// The connection is lost; the copy may be getting old.
    Lost,
}

/// Tells when the word changes.
#[derive(Debug)]
pub(super) struct Statuses {
    status: watch::Receiver<SharedStatus>,
    bound: Duration,
    told: Option<Word>,
}

impl Word {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Stale => "stale",
            Self::Lost => "lost",
        }
    }
}

impl Statuses {
    pub(super) const fn new(status: watch::Receiver<SharedStatus>, bound: Duration) -> Self {
        Self { status, bound, told: None }
    }

    /// Takes a word as told, unless another one was.
    pub(super) const fn assume(&mut self, word: Word) {
        if self.told.is_none() {
            self.told = Some(word);
        }
    }

    /// Waits for a word other than the last one. Dropping the future loses none.
    pub(super) async fn next(&mut self) -> Word {
        loop {
            let (word, left) = word(&self.status.borrow_and_update(), self.bound);
            if self.told != Some(word) {
                self.told = Some(word);
                return word;
            }
            let ages = async {
                match left {
                    Some(left) => tokio::time::sleep(left).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = self.status.changed() => if changed.is_err() {
                    // The copy has ended, and says nothing more.
                    std::future::pending::<()>().await;
                },
                () = ages => {}
            }
        }
    }
}

/// The word for a status, and for how long it holds if nothing happens.
fn word(status: &SharedStatus, bound: Duration) -> (Word, Option<Duration>) {
    let left = match status.proved.map(quorate::Moment::elapsed) {
        Some(age) if age > bound => return (Word::Stale, None),
        // A little more, so that it is past the bound when it is looked at again.
        Some(age) => Some(bound.saturating_sub(age) + Duration::from_millis(10)),
        None => None,
    };
    let word = match status.link {
        Link::Connecting => Word::Connecting,
        Link::Live => Word::Live,
        _ => Word::Lost,
    };
    (word, left)
}
