//! Answers, deadlines, and those who wait for them.

use std::time::Duration;

use quorate_datasync::{Deadline, Hub, Outcome, Publisher, Txn};

use super::helpers::{ack, changed, next, step};
use crate::conformance::{Stage, within};
use crate::shared::Claim;

const SOON: Duration = Duration::from_millis(100);

pub async fn a_refused_delivery_is_told_again_as_the_net_change(stage: &Stage) -> Claim {
    stage.write("if/a", "1").await?;
    stage.write("if/b", "1").await?;
    let mut sub = stage.hub().subscribe("if", [stage.prefix("if")]).await?;
    ack(&mut sub).await;
    stage.write("if/a", "2").await?;
    next(&mut sub).await.nack("not now");
    stage.erase("if/b").await?;
    stage.write("if/a", "3").await?;
    // What it is told again depends on when the writes arrive, but it is always against what it acknowledged.
    loop {
        let delivery = next(&mut sub).await;
        let told: Vec<_> = delivery.changes().iter().map(step).collect();
        assert!(told.iter().all(|(_, previous, _)| previous.as_deref() == Some("1")), "{told:?}");
        if told == [changed("b", "1", None), changed("a", "1", "3")] {
            delivery.ack();
            return Ok(());
        }
        delivery.nack("not yet");
    }
}

pub async fn a_delivery_that_was_dropped_counts_as_refused(stage: &Stage) -> Claim {
    stage.write("if/a", "1").await?;
    let mut sub = stage.hub().subscribe("if", [stage.prefix("if")]).await?;
    drop(next(&mut sub).await);
    assert!(matches!(sub.status().last, Some(Outcome::Failed(_))));
    let again = next(&mut sub).await;
    assert!(again.is_resync());
    assert_eq!(again.changes().iter().map(step).collect::<Vec<_>>(), [changed("a", None, "1")]);
    again.ack();
    assert_eq!(sub.status().last, Some(Outcome::Applied));
    Ok(())
}

// cn-infra: change events of a store were built without a channel for the answer, which then was a no-op.
pub async fn a_publisher_hears_the_answer_of_every_subscriber(stage: &Stage) -> Claim {
    let hub = stage.hub();
    let mut first = hub.subscribe("first", [stage.prefix("if")]).await?;
    let mut second = hub.subscribe("second", [stage.prefix("if"), stage.prefix("br")]).await?;
    let mut other = hub.subscribe("other", [stage.prefix("other")]).await?;
    for sub in [&mut first, &mut second, &mut other] {
        ack(sub).await;
    }
    let txn = Txn::new().put(&stage.key("if/a"), "1").put(&stage.key("br/b"), "2");
    let publishing = hub.publish(txn).applied();
    let (report, (), ()) = tokio::join!(publishing, async { drop(ack(&mut first).await) }, async {
        let mut told = 0;
        while told < 2 {
            told += ack(&mut second).await.len();
        }
    });
    let report = report?;
    assert_eq!(report.outcomes, [("first".into(), Outcome::Applied), ("second".into(), Outcome::Applied)]);
    assert_eq!(report.revision, stage.entry(&stage.key("if/a")).await?.revision);
    let nothing = hub.publish(Txn::new().delete(&stage.key("if/absent"))).applied().await?;
    assert!(nothing.is_applied());
    Ok(())
}

pub async fn a_publisher_of_what_nobody_wants_waits_for_nobody(stage: &Stage) -> Claim {
    let hub = stage.hub();
    let report = hub.publish(Txn::new().put(&stage.key("if/a"), "1")).applied().await?;
    assert_eq!(report.outcomes, []);
    let _silent = hub.subscribe("silent", [stage.prefix("br")]).await?;
    let report = hub.publish(Txn::new().put(&stage.key("if/a"), "2")).applied().await?;
    assert_eq!(report.outcomes, []);
    Ok(())
}

pub async fn a_nack_reaches_the_publisher_and_the_change_the_subscriber_again(stage: &Stage) -> Claim {
    let hub = stage.hub();
    let publisher = Publisher::new(&stage.store);
    let mut sub = hub.subscribe("if", [stage.prefix("if")]).await?;
    ack(&mut sub).await;
    let publishing = publisher.put(stage.key("if/a"), &1).applied(&hub);
    let (report, ()) = tokio::join!(publishing, async { next(&mut sub).await.nack("no such interface") });
    assert_eq!(report?.outcome("if"), Some(&Outcome::Failed("no such interface".into())));
    assert_eq!(ack(&mut sub).await.iter().map(step).collect::<Vec<_>>(), [changed("a", None, "1")]);
    Ok(())
}

pub async fn a_subscriber_that_was_told_nothing_yet_answers_for_a_commit_too(stage: &Stage) -> Claim {
    let hub = stage.hub();
    for round in 0..20 {
        let (branch, key) = (format!("if{round}"), stage.key(&format!("if{round}/a")));
        let publishing = hub.publish(Txn::new().put(&key, "1")).applied();
        let mut sub = hub.subscribe("if", [stage.prefix(&branch)]).await?;
        // Its first delivery may be of before the commit or of after it.
        let refusing = async {
            loop {
                let delivery = next(&mut sub).await;
                if !delivery.changes().is_empty() {
                    return delivery.nack("no such interface");
                }
                delivery.ack();
            }
        };
        let (report, ()) = tokio::join!(within("the report", publishing), refusing);
        assert_eq!(report?.outcome("if"), Some(&Outcome::Failed("no such interface".into())));
    }
    Ok(())
}

// cn-infra: a time-out was a success, and a late acknowledgement blocked for ever.
pub async fn a_subscriber_that_never_answers_wedges_nobody(stage: &Stage) -> Claim {
    let hub = Hub::builder(&stage.store).accept(SOON).finish(SOON).build();
    let mut holds = hub.subscribe("holds", [stage.prefix("if")]).await?;
    let asleep = hub.subscribe("asleep", [stage.prefix("if")]).await?;
    let mut lively = hub.subscribe("lively", [stage.prefix("if")]).finish(Duration::from_secs(10)).await?;
    let held = next(&mut holds).await;
    ack(&mut lively).await;
    let publishing = hub.publish(Txn::new().put(&stage.key("if/a"), "1")).applied();
    let (report, changes) = tokio::join!(within("the report", publishing), ack(&mut lively));
    let report = report?;
    assert_eq!(changes.len(), 1);
    assert_eq!(report.outcome("holds"), Some(&Outcome::TimedOut(Deadline::Finish)));
    assert_eq!(report.outcome("asleep"), Some(&Outcome::TimedOut(Deadline::Accept)));
    assert_eq!(report.outcome("lively"), Some(&Outcome::Applied));
    held.ack();
    assert_eq!(ack(&mut holds).await.len(), 1);
    drop(asleep);
    Ok(())
}

// cn-infra: resyncs went in the order of a map, and a failed one was acknowledged.
pub async fn a_resync_on_demand_goes_in_order_and_says_what_became_of_it(stage: &Stage) -> Claim {
    stage.write("if/a", "1").await?;
    let hub = stage.hub();
    let mut interfaces = hub.subscribe("interfaces", [stage.prefix("if")]).await?;
    let mut routes = hub.subscribe("routes", [stage.prefix("if")]).await?;
    ack(&mut interfaces).await;
    ack(&mut routes).await;
    let (report, (), ()) = tokio::join!(
        hub.resync(),
        async {
            let delivery = next(&mut interfaces).await;
            assert!(delivery.is_resync() && delivery.changes().is_empty());
            let of_routes = hub.subscribers()[1].clone();
            assert!(!of_routes.is_busy, "it is told when those before it have answered");
            delivery.ack();
        },
        async { next(&mut routes).await.nack("no gateway") },
    );
    let expected =
        [("interfaces".into(), Outcome::Applied), ("routes".into(), Outcome::Failed("no gateway".into()))];
    assert_eq!(report?.outcomes, expected);
    assert!(next(&mut routes).await.is_resync(), "it is told again");
    Ok(())
}

// cn-infra, AggregateDone: five answers were buffered, and one more could be dropped.
pub async fn many_quick_answers_are_all_counted(stage: &Stage) -> Claim {
    let hub = stage.hub();
    let mut subs = Vec::new();
    for at in 0..20 {
        subs.push(hub.subscribe(&format!("number {at}"), [stage.prefix("if")]).await?);
    }
    for sub in &mut subs {
        ack(sub).await;
    }
    let answering = futures_util::future::join_all(subs.iter_mut().map(ack));
    let publishing = hub.publish(Txn::new().put(&stage.key("if/a"), "1")).applied();
    let (report, _) = tokio::join!(publishing, answering);
    let report = report?;
    assert!(report.is_applied() && report.outcomes.len() == 20, "{report:?}");
    Ok(())
}
