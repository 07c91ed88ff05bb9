//! What is told, and how often.

use futures_util::FutureExt;
use futures_util::StreamExt;
use quorate_datasync::{ChangeKind, Txn};

use super::helpers::{Applied, ack, changed, next, step};
use crate::conformance::Stage;
use crate::shared::Claim;

pub async fn the_first_delivery_is_a_resync_of_every_prefix(stage: &Stage) -> Claim {
    stage.write("if/eth0", "1").await?;
    let mut sub = stage.hub().subscribe("all", [stage.prefix("if"), stage.prefix("empty")]).await?;
    let first = next(&mut sub).await;
    let content = first.content().expect("it is a resync");
    let told: Vec<_> = content.iter().map(|one| (one.prefix.clone(), one.values.len())).collect();
    assert_eq!(told, [(stage.prefix("empty"), 0), (stage.prefix("if"), 1)]);
    assert_eq!(first.changes().iter().map(step).collect::<Vec<_>>(), [changed("eth0", None, "1")]);
    first.ack();
    Ok(())
}

pub async fn a_change_has_its_value_its_previous_value_and_its_revision(stage: &Stage) -> Claim {
    stage.write("if/eth0", "1500").await?;
    let mut sub = stage.hub().subscribe("if", [stage.prefix("if")]).await?;
    ack(&mut sub).await;
    stage.write("if/eth0", "9000").await?;
    let delivery = next(&mut sub).await;
    assert!(!delivery.is_resync());
    let change = &delivery.changes()[0];
    let (value, previous) = (change.value.clone().expect("it is there"), change.previous.clone());
    assert_eq!(
        (change.kind(), *value.decode_json::<u64>()?, value.content_type()),
        (ChangeKind::Put, 9000, "application/json")
    );
    assert_eq!(*previous.expect("there was one").decode_json::<u64>()?, 1500);
    let entry = stage.entry(&stage.key("if/eth0")).await?;
    assert_eq!((change.revision, value.version()), (entry.revision, entry.version));
    assert!(delivery.revision() >= entry.revision);
    Ok(())
}

// cn-infra, syncbase/watcher.go:104: the first of two subscribers took the previous value with it.
pub async fn the_second_subscriber_sees_the_delete_with_its_previous_value(stage: &Stage) -> Claim {
    stage.write("if/eth0", "1").await?;
    let hub = stage.hub();
    let mut first = hub.subscribe("first", [stage.prefix("if")]).await?;
    let mut second = hub.subscribe("second", [stage.prefix("if")]).await?;
    ack(&mut first).await;
    ack(&mut second).await;
    stage.erase("if/eth0").await?;
    for sub in [&mut first, &mut second] {
        assert_eq!(ack(sub).await.iter().map(step).collect::<Vec<_>>(), [changed("eth0", "1", None)]);
    }
    Ok(())
}

pub async fn two_over_overlapping_prefixes_are_told_every_change(stage: &Stage) -> Claim {
    let hub = stage.hub();
    let mut wide = hub.subscribe("wide", [stage.prefix("config")]).await?;
    let mut narrow = hub.subscribe("narrow", [stage.prefix("config/if")]).await?;
    ack(&mut wide).await;
    ack(&mut narrow).await;
    stage.write("config/if/eth0", "1").await?;
    for sub in [&mut wide, &mut narrow] {
        assert_eq!(ack(sub).await.iter().map(step).collect::<Vec<_>>(), [changed("eth0", None, "1")]);
    }
    stage.write("config/if/eth0", "2").await?;
    assert_eq!(ack(&mut narrow).await.iter().map(step).collect::<Vec<_>>(), [changed("eth0", "1", "2")]);
    stage.erase("config/if/eth0").await?;
    assert_eq!(ack(&mut narrow).await.iter().map(step).collect::<Vec<_>>(), [changed("eth0", "2", None)]);
    let mut applied = Applied::default();
    applied.values.insert(stage.key("config/if/eth0"), "1".into());
    applied.until(&mut wide, |applied| applied.values.is_empty()).await;
    Ok(())
}

// cn-infra: overlapping prefixes were one watch each, and each of them told the change.
pub async fn overlapping_prefixes_give_each_change_once(stage: &Stage) -> Claim {
    let prefixes = [stage.prefix("config"), stage.prefix("config/if"), stage.prefix("config")];
    let mut sub = stage.hub().subscribe("twice", prefixes).await?;
    ack(&mut sub).await;
    let mut applied = Applied::default();
    for value in ["1", "2", "3"] {
        stage.write("config/if/eth0", value).await?;
        applied.until(&mut sub, |applied| applied.values.values().any(|held| held == value)).await;
    }
    assert_eq!(applied.told.get(&stage.key("config/if/eth0")), Some(&3));
    assert!(sub.next().now_or_never().is_none(), "nothing is told twice");
    Ok(())
}

// cn-infra, Redis: one previous value for all keys of a watch.
pub async fn previous_values_are_of_the_key_and_not_of_the_change_before(stage: &Stage) -> Claim {
    let mut sub = stage.hub().subscribe("if", [stage.prefix("if")]).await?;
    ack(&mut sub).await;
    let mut applied = Applied::default();
    for (name, value) in [("if/a", "1"), ("if/b", "2"), ("if/a", "3"), ("if/b", "4")] {
        stage.write(name, value).await?;
        applied.until(&mut sub, |applied| applied.values.values().any(|held| held == value)).await;
    }
    Ok(())
}

// cn-infra, Consul: the prefix `a/b` selected `a/bc` as well.
pub async fn a_prefix_does_not_select_its_neighbours(stage: &Stage) -> Claim {
    let hub = stage.hub();
    let mut sub = hub.subscribe("ab", [stage.prefix("a/b")]).await?;
    ack(&mut sub).await;
    // Where one watch serves both it is the hub that tells them apart.
    let mut neighbour = hub.subscribe("abc", [stage.prefix("a/bc")]).await?;
    ack(&mut neighbour).await;
    stage.write("a/bc/x", "1").await?;
    stage.write("a/b/x", "2").await?;
    assert_eq!(ack(&mut sub).await.iter().map(step).collect::<Vec<_>>(), [changed("x", None, "2")]);
    assert_eq!(ack(&mut neighbour).await.iter().map(step).collect::<Vec<_>>(), [changed("x", None, "1")]);
    Ok(())
}

pub async fn a_value_that_did_not_change_is_not_told(stage: &Stage) -> Claim {
    stage.write("if/a", "1").await?;
    let mut sub = stage.hub().subscribe("if", [stage.prefix("if")]).await?;
    ack(&mut sub).await;
    stage.write("if/a", "1").await?;
    stage.write("if/b", "2").await?;
    assert_eq!(ack(&mut sub).await.iter().map(step).collect::<Vec<_>>(), [changed("b", None, "2")]);
    Ok(())
}

pub async fn a_value_that_was_put_back_before_it_was_told_is_not_told(stage: &Stage) -> Claim {
    stage.write("if/a", "1").await?;
    let mut sub = stage.hub().subscribe("if", [stage.prefix("if")]).await?;
    let first = next(&mut sub).await;
    for (name, value) in [("if/a", "2"), ("if/a", "1"), ("if/b", "3")] {
        stage.write(name, value).await?;
    }
    first.ack();
    let mut applied = Applied::default();
    applied.values.insert(stage.key("if/a"), "1".into());
    applied
        .until(&mut sub, |applied| applied.values.len() == 2 && applied.values[&stage.key("if/a")] == "1")
        .await;
    Ok(())
}

// cn-infra: it listed, then watched, and what was written in between was lost.
pub async fn a_write_between_listing_and_watching_is_seen(stage: &Stage) -> Claim {
    let writing = async {
        for at in 0..100 {
            let key = stage.key(&format!("if/{at}"));
            stage.second.commit(Txn::new().put(&key, "1")).await?;
        }
        Ok::<_, quorate_datasync::Error>(())
    };
    let reading = async {
        let mut sub = stage.hub().subscribe("if", [stage.prefix("if")]).await?;
        Applied::default().until(&mut sub, |applied| applied.values.len() == 100).await;
        Ok::<_, quorate_datasync::SubscribeError>(())
    };
    let (wrote, read) = tokio::join!(writing, reading);
    wrote?;
    read?;
    Ok(())
}

pub async fn a_commit_over_two_prefixes_is_one_delivery(stage: &Stage) -> Claim {
    if stage.lacks_keys(2).await? {
        return Ok(());
    }
    let is_atomic = stage.capabilities().atomic_watch;
    let mut sub = stage.hub().subscribe("both", [stage.prefix("left"), stage.prefix("right")]).await?;
    ack(&mut sub).await;
    let (left, right) = (stage.key("left/n"), stage.key("right/n"));
    let mut applied = Applied::default();
    let writing = async {
        for at in 0..50 {
            let value = at.to_string();
            stage.second.commit(Txn::new().put(&left, value.clone()).put(&right, value)).await?;
        }
        Ok::<_, quorate_datasync::Error>(())
    };
    let reading = async {
        while applied.values.get(&right).is_none_or(|value| value != "49")
            || applied.values.get(&left).is_none_or(|value| value != "49")
        {
            applied.apply(next(&mut sub).await);
            assert!(
                !is_atomic || applied.values.get(&left) == applied.values.get(&right),
                "a commit was split"
            );
        }
    };
    let (wrote, ()) = tokio::join!(writing, reading);
    wrote?;
    Ok(())
}
