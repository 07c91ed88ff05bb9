//! Following as calls.

use std::convert::Infallible;
use std::sync::Arc;

use quorate_datasync::{
    DecodeError, Follow, FollowError, Follower, Key, Revision, SimpleFollower, watch_nodes,
};
use tokio::sync::Notify;

use crate::place::{Place, key};

/// Writes down what it is called with, and fails at `enough`.
struct Notes<'a> {
    place: &'a Place,
    lines: Vec<String>,
    enough: &'static str,
}

impl Notes<'_> {
    fn note(&mut self, line: String) -> Result<(), Vec<String>> {
        self.lines.push(line);
        if self.lines.last().is_some_and(|line| line == self.enough) {
            Err(self.lines.clone())
        } else {
            Ok(())
        }
    }
}

impl Follow<u64> for Notes<'_> {
    type Error = Vec<String>;

    async fn new(&mut self, key: &Key, value: &Arc<u64>) -> Result<(), Self::Error> {
        self.note(format!("new {}={value}", key.name()))
    }

    async fn updated(&mut self, key: &Key, previous: &Arc<u64>, value: &Arc<u64>) -> Result<(), Self::Error> {
        self.note(format!("updated {}={previous}>{value}", key.name()))
    }

    async fn deleted(&mut self, key: &Key, previous: &Arc<u64>) -> Result<(), Self::Error> {
        self.note(format!("deleted {}={previous}", key.name()))
    }

    async fn rejected(&mut self, key: &Key, _: Revision, _: &DecodeError) -> Result<(), Self::Error> {
        self.note(format!("rejected {}", key.name()))
    }

    async fn synced(&mut self, _: Revision) -> Result<(), Self::Error> {
        // What waits for something is waited for.
        self.place.put("a", "2").await;
        self.place.put("a", "oops").await;
        self.place.delete("a").await;
        self.note("synced".to_owned())
    }

    async fn batch_done(&mut self, _: Revision) -> Result<(), Self::Error> {
        self.note("batch_done".to_owned())
    }
}

#[tokio::test]
async fn defect_9_calls_come_in_order_and_the_first_error_ends_it_and_is_returned() {
    let place = Place::new();
    place.put("a", "1").await;
    let notes = Notes { place: &place, lines: vec![], enough: "deleted a=2" };
    let Err(FollowError::Callback(lines)) = watch_nodes(&place.store, "/nodes", notes).await else {
        panic!("the callback fails");
    };
    let (done, first) = ("batch_done", ["new a=1", "synced", "batch_done"]);
    let then = ["updated a=1>2", done, "rejected a", done, "deleted a=2"];
    assert_eq!(lines, [first.as_slice(), &then].concat());
}

#[tokio::test]
async fn closures_filter_compare_and_stop() {
    let place = Place::new();
    for (name, value) in [("a", "1"), ("b", "2"), ("c", "3")] {
        place.put(name, value).await;
    }
    let mut lines = Vec::new();
    let follower = SimpleFollower::<u64, &str>::new()
        .filter(|_, n| n % 2 == 1)
        .on_upsert(|key, n| {
            lines.push(format!("{} {n}", key.name()));
            Ok(())
        })
        .on_synced(|_| Err("enough"));
    let ended = watch_nodes(&place.store, "/nodes", follower).await;
    assert!(matches!(ended, Err(FollowError::Callback("enough"))));
    assert_eq!(lines, ["a 1", "c 3"]);
}

#[tokio::test]
async fn what_equals_what_was_told_is_not_told() {
    let place = Place::new();
    place.put("a", "10").await;
    let (synced, mut told) = (Notify::new(), Vec::new());
    let follower = SimpleFollower::<u64, &str>::new()
        .equals(|told, n| told / 10 == n / 10)
        .on_upsert(|_, n| {
            told.push(**n);
            if **n == 30 { Err("enough") } else { Ok(()) }
        })
        .on_synced(|_| {
            synced.notify_one();
            Ok(())
        });
    let writes = async {
        synced.notified().await;
        for n in ["11", "19", "30"] {
            place.put("a", n).await;
        }
    };
    let (ended, ()) = tokio::join!(watch_nodes(&place.store, "/nodes", follower), writes);
    assert!(matches!(ended, Err(FollowError::Callback("enough"))));
    assert_eq!(told, [10, 30]);
}

#[tokio::test]
async fn a_strict_run_ends_with_the_node_that_it_cannot_decode() {
    let place = Place::new();
    let revision = place.put("a", "oops").await;
    let follower = SimpleFollower::<u64, Infallible>::new();
    let ended = Follower::<u64>::over(&place.store, "/nodes").strict().run(follower).await;
    let Err(FollowError::Rejected { key: at, revision: when, .. }) = ended else { panic!("it is rejected") };
    assert_eq!((at, when), (key("a"), revision));
}

#[tokio::test]
async fn the_end_of_the_store_and_a_bad_prefix_are_errors() {
    let place = Place::new();
    place.store.close().await;
    let follower = SimpleFollower::<u64, Infallible>::new;
    for prefix in ["/nodes", "nodes"] {
        let ended = watch_nodes(&place.store, prefix, follower()).await;
        assert!(matches!(ended, Err(FollowError::Store(_))), "{ended:?}");
    }
}

#[tokio::test]
async fn following_may_be_spawned() {
    let place = Place::new();
    let store = Arc::clone(&place.store);
    let follower = SimpleFollower::<u64, &str>::new().on_upsert(|_, _| Err("enough"));
    let task = tokio::spawn(async move { watch_nodes(&store, "/nodes", follower).await });
    place.put("a", "1").await;
    assert!(matches!(task.await.unwrap(), Err(FollowError::Callback("enough"))));
}

#[tokio::test]
async fn callbacks_are_told_of_what_the_projection_makes() {
    let place = Place::new();
    place.put("a", "7").await;
    place.put("b", "70").await;
    let mut told = Vec::new();
    let follower = SimpleFollower::<u64, &str>::new()
        .filter(|_, n| *n != 4)
        .on_upsert(|_, n| {
            told.push(**n);
            Ok(())
        })
        .on_synced(|_| Err("enough"));
    let builder = Follower::<u64>::over(&place.store, "/nodes").project(|n| (*n < 50).then_some(n / 2));
    assert!(builder.run(follower).await.is_err());
    assert_eq!(told, [3]);
}
