//! What comes of what was sent.

use std::sync::Arc;

use futures_util::StreamExt;

use super::*;
use crate::copy::MirrorProgress;
use crate::{Memory, Mirror, Prefix, Store, StoreExt};

async fn until_in_sync(mirroring: &mut Mirroring) {
    while !matches!(mirroring.next().await, Some(Ok(MirrorEvent::InSync))) {}
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_another_life_of_the_target_is_no_news_of_this_one() {
    let (source, memory) = (Memory::new(), Arc::new(Memory::new()));
    let source: Arc<dyn Store> = Arc::new(source);
    let target: Arc<dyn Store> = Arc::clone(&memory) as _;
    let key = |name: &str| Key::parse(name).unwrap();
    source.put(&key("/a"), "v").await.unwrap();
    let mut mirroring = Mirror::new(&source, &target, Prefix::root()).start().unwrap();
    until_in_sync(&mut mirroring).await;
    source.put(&key("/b"), "v").await.unwrap();
    while mirroring.plan.progress(MirrorProgress::default()).pending == 0 {
        let told = mirroring.watches[Side::Source as usize].next().await;
        mirroring.on_told(Side::Source, told).unwrap();
    }
    assert!(!mirroring.begin());
    let landed = mirroring.flight.take().unwrap().await;
    let life = mirroring.plan.target_life();
    memory.wipe();
    while mirroring.plan.target_life() == life {
        let told = mirroring.watches[Side::Target as usize].next().await;
        mirroring.on_told(Side::Target, told).unwrap();
    }
    mirroring.on_landed(landed).unwrap();
    until_in_sync(&mut mirroring).await;
    assert_eq!(target.entries(&Prefix::root()).await.unwrap().len(), 2);
}
