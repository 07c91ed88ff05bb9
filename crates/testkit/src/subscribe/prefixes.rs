//! Names and prefixes that come and go.

use futures_util::{FutureExt, StreamExt};
use quorate_datasync::SubscribeError;

use super::helpers::{Applied, ack, changed, next, step};
use crate::conformance::Stage;
use crate::shared::Claim;

// cn-infra: registering a prefix edited a map, and nothing was watched; doing it twice was twice.
pub async fn an_added_prefix_is_resynced_and_watched(stage: &Stage) -> Claim {
    stage.write("b/x", "1").await?;
    let mut sub = stage.hub().subscribe("one", [stage.prefix("a")]).await?;
    ack(&mut sub).await;
    sub.add(stage.prefix("b"))?;
    sub.add(stage.prefix("b"))?;
    let added = next(&mut sub).await;
    let content = added.content().expect("it is a resync");
    assert_eq!(content.iter().map(|one| one.prefix.clone()).collect::<Vec<_>>(), [stage.prefix("b")]);
    assert_eq!(added.changes().iter().map(step).collect::<Vec<_>>(), [changed("x", None, "1")]);
    added.ack();
    stage.write("b/x", "2").await?;
    assert_eq!(ack(&mut sub).await.iter().map(step).collect::<Vec<_>>(), [changed("x", "1", "2")]);
    assert!(sub.next().now_or_never().is_none(), "nothing is told twice");
    Ok(())
}

pub async fn a_removed_prefix_is_told_as_gone_and_watched_no_more(stage: &Stage) -> Claim {
    stage.write("a/x", "1").await?;
    stage.write("b/y", "2").await?;
    stage.write("b/c/z", "3").await?;
    let prefixes = [stage.prefix("a"), stage.prefix("b"), stage.prefix("b/c")];
    let mut sub = stage.hub().subscribe("two", prefixes).await?;
    ack(&mut sub).await;
    sub.remove(stage.prefix("b"))?;
    sub.remove(stage.prefix("b"))?;
    assert_eq!(ack(&mut sub).await.iter().map(step).collect::<Vec<_>>(), [changed("y", "2", None)]);
    stage.write("b/y", "4").await?;
    stage.write("b/c/z", "5").await?;
    assert_eq!(ack(&mut sub).await.iter().map(step).collect::<Vec<_>>(), [changed("z", "3", "5")]);
    sub.add(stage.prefix("b"))?;
    assert_eq!(ack(&mut sub).await.iter().map(step).collect::<Vec<_>>(), [changed("y", None, "4")]);
    Ok(())
}

// cn-infra: unregistering sent on a channel without a reader, under the registry's lock.
pub async fn adding_and_removing_wait_for_nothing(stage: &Stage) -> Claim {
    let mut sub = stage.hub().subscribe("busy", [stage.prefix("a")]).await?;
    let unanswered = next(&mut sub).await;
    for _ in 0..100 {
        sub.add(stage.prefix("b"))?;
        sub.remove(stage.prefix("b"))?;
    }
    sub.remove(stage.prefix("a"))?;
    sub.add(stage.prefix("c"))?;
    unanswered.ack();
    stage.write("c/x", "1").await?;
    let mut applied = Applied::default();
    applied.until(&mut sub, |applied| applied.values.len() == 1).await;
    Ok(())
}

pub async fn a_wider_prefix_takes_the_place_of_a_narrower_one(stage: &Stage) -> Claim {
    stage.write("a/b/x", "1").await?;
    stage.write("a/c/y", "2").await?;
    let hub = stage.hub();
    let mut narrow = hub.subscribe("narrow", [stage.prefix("a/b")]).await?;
    let mut applied = Applied::default();
    applied.until(&mut narrow, |applied| applied.values.len() == 1).await;
    let mut wide = hub.subscribe("wide", [stage.prefix("a")]).await?;
    stage.write("a/b/x", "3").await?;
    let mut all = Applied::default();
    let is_new = |applied: &Applied| applied.values.get(&stage.key("a/b/x")).is_some_and(|held| held == "3");
    all.until(&mut wide, |all| all.values.len() == 2 && is_new(all)).await;
    applied.until(&mut narrow, is_new).await;
    stage.erase("a/b/x").await?;
    applied.until(&mut narrow, |applied| applied.values.is_empty()).await;
    all.until(&mut wide, |all| all.values.len() == 1).await;
    Ok(())
}

// cn-infra, resync: a name given twice was a panic.
pub async fn a_name_that_is_taken_is_an_error_until_its_subscriber_left(stage: &Stage) -> Claim {
    let hub = stage.hub();
    let sub = hub.subscribe("one", [stage.prefix("a")]).await?;
    let taken = hub.subscribe("one", [stage.prefix("b")]).await;
    assert!(matches!(taken, Err(SubscribeError::NameTaken(name)) if &*name == "one"));
    drop(sub);
    ack(&mut hub.subscribe("one", [stage.prefix("b")]).await?).await;
    let invalid = hub.subscribe("two", ["no prefix"]).await;
    assert!(matches!(invalid, Err(SubscribeError::Prefix(_))));
    Ok(())
}

// cn-infra, syncbase/watcher.go:229: closing one registration closed the channels of all.
pub async fn one_who_leaves_takes_nothing_from_the_others(stage: &Stage) -> Claim {
    let hub = stage.hub();
    let mut stays = hub.subscribe("stays", [stage.prefix("a")]).await?;
    let mut leaves = hub.subscribe("leaves", [stage.prefix("a"), stage.prefix("b")]).await?;
    ack(&mut stays).await;
    let unanswered = next(&mut leaves).await;
    drop(leaves);
    unanswered.ack();
    stage.write("a/x", "1").await?;
    assert_eq!(ack(&mut stays).await.iter().map(step).collect::<Vec<_>>(), [changed("x", None, "1")]);
    assert_eq!(hub.subscribers().len(), 1);
    Ok(())
}
