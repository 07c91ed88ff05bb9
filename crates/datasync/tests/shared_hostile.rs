//! What a shared struct does when its surroundings do what nobody expects of them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use quorate_datasync::{
    ChangesOptions, ErrorKind, Key, Memory, OpenError, Revision, Shared, Store, StoreExt,
};
use tokio::time::timeout;

const WAIT: Duration = Duration::from_secs(20);

struct Rig {
    /// The handle that the faults are of.
    faulty: Arc<Memory>,
    outside: Arc<dyn Store>,
    level: Shared<u64>,
}

async fn rig() -> Rig {
    let faulty = Arc::new(Memory::new());
    let outside: Arc<dyn Store> = Arc::new(faulty.handle());
    let store: Arc<dyn Store> = Arc::clone(&faulty) as Arc<dyn Store>;
    let open = Shared::open(&store, "/level").bound(Duration::from_millis(400));
    let level = open.create(0).await.expect("the rig works");
    Rig { faulty, outside, level }
}

fn payload() -> Key {
    Key::parse("/level/payload").expect("the rig works")
}

#[tokio::test]
async fn a_consistent_read_does_not_take_a_version_of_another_life_for_its_own() {
    let rig = rig().await;
    let held = rig.level.snapshot().version;
    rig.faulty.wipe();
    rig.outside.put(&payload(), "100").await.unwrap();
    assert_eq!(rig.outside.entry(&payload()).await.unwrap().unwrap().version, held);
    assert_eq!(*rig.level.read_consistent().await.unwrap(), 100);
}

#[tokio::test]
async fn an_optimistic_update_is_not_made_on_what_another_life_held() {
    let rig = rig().await;
    rig.faulty.wipe();
    rig.outside.put(&payload(), "100").await.unwrap();
    rig.level.update_optimistic(|level| *level += 1).await.unwrap();
    assert_eq!(rig.outside.entry(&payload()).await.unwrap().unwrap().value, "101");
}
