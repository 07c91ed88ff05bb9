//! Streams with bounds of their own, whose changes they tell, and where they begin.

use futures_util::StreamExt;
use quorate_datasync::{Change, ChangesOptions, ErrorKind, Origin, StoreExt};
use serde_json::json;

use super::Claim;
use super::agent::{Agent, next};
use crate::conformance::Stage;

pub async fn a_subscriber_behind_its_bound_is_told_the_net_change(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    let mut short = agent.changes_with(ChangesOptions::new().bound(2));
    let mut long = agent.changes();
    for interval in 1..=10 {
        agent.update(|agent| agent.interval = interval).await?;
    }
    let net = next(&mut short).await;
    assert!(net.coalesced);
    assert_eq!(*net.changes, [Change::Modified { path: "/interval".into(), old: json!(0), new: json!(10) }]);
    for interval in 1..=10 {
        let set = next(&mut long).await;
        assert!(!set.coalesced);
        assert_eq!(set.current.map(|is| is.value.interval), Some(interval));
    }
    agent.update(|agent| agent.interval = 11).await?;
    assert!(!next(&mut short).await.coalesced);
    Ok(())
}

pub async fn the_origin_tells_handle_process_and_others_apart(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    let other = stage.agent().join().await?;
    let mut changes = agent.changes();
    agent.clone().update(|agent| agent.interval = 1).await?;
    assert_eq!(next(&mut changes).await.origin, Origin::Local);
    other.update(|agent| agent.interval = 2).await?;
    assert_eq!(next(&mut changes).await.origin, Origin::Process);
    other.update_optimistic(|agent| agent.interval = 3).await?;
    assert_eq!(next(&mut changes).await.origin, Origin::Process);
    stage.second.put(&stage.payload(), r#"{"processes":[],"interval":4}"#).await?;
    assert_eq!(next(&mut changes).await.origin, Origin::Remote);
    Ok(())
}

pub async fn own_changes_can_be_skipped(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    let other = stage.agent().join().await?;
    let mut without_own = agent.changes().skip_own();
    let mut without_process = agent.events().skip_process();
    agent.update(|agent| agent.interval = 1).await?;
    other.update(|agent| agent.interval = 2).await?;
    assert_eq!(next(&mut without_own).await.origin, Origin::Process);
    stage.second.put(&stage.payload(), r#"{"processes":[],"interval":3}"#).await?;
    assert_eq!(next(&mut without_own).await.origin, Origin::Remote);
    let quorate_datasync::SharedEvent::Changed(set) = next(&mut without_process).await else {
        panic!("a change")
    };
    assert_eq!(set.current.map(|is| is.value.interval), Some(3));
    Ok(())
}

pub async fn a_stream_resumes_at_a_revision_or_says_that_it_cannot(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    agent.update(|agent| agent.interval = 1).await?;
    let seen = agent.snapshot();
    stage.second.put(&stage.payload(), r#"{"processes":["a"],"interval":1}"#).await?;
    stage.second.put(&stage.payload(), "not json").await?;
    stage.second.delete(&stage.payload()).await?;
    stage.second.put(&stage.payload(), r#"{"processes":["b"],"interval":1}"#).await?;
    let late = stage.other().join().await?;
    let mut changes = match late.changes_after(seen.revision).await {
        Ok(changes) => changes,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            return Ok(());
        }
    };
    let first = next(&mut changes).await;
    assert_eq!(*first.changes, [Change::Added { path: "/processes/0".into(), value: json!("a") }]);
    assert_eq!(first.previous.map(|was| was.revision), Some(seen.revision));
    assert!(next(&mut changes).await.current.is_none());
    assert_eq!(next(&mut changes).await.current.map(|is| is.value.processes.clone()), Some(vec!["b".into()]));
    agent.update(|agent| agent.interval = 2).await?;
    assert_eq!(next(&mut changes).await.current.map(|is| is.value.interval), Some(2));
    Ok(())
}

pub async fn a_stream_does_not_resume_where_nothing_was(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    let created = agent.snapshot().revision;
    let elsewhere = stage.second.put(&stage.key("elsewhere"), "x").await?;
    agent.update(|agent| agent.interval = 1).await?;
    let refused = agent.changes_after(elsewhere).await.expect_err("the struct had no such revision");
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    let newest = agent.snapshot().revision;
    assert!(created < newest);
    let mut from_now = agent.changes_after(newest).await?;
    agent.update(|agent| agent.interval = 2).await?;
    assert_eq!(from_now.next().await.and_then(|set| set.current).map(|is| is.value.interval), Some(2));
    Ok(())
}
