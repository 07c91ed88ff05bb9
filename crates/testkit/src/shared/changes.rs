//! What subscribers are told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use quorate_datasync::{Change, Origin, SharedEvent, StoreExt};
use serde_json::json;

use super::Claim;
use super::agent::{Agent, eventually, next};
use crate::conformance::Stage;

pub async fn a_change_of_another_process_arrives_field_by_field(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::watching(&["systemd*", "rsync*"])).await?;
    let mut changes = agent.changes();
    let text = r#"{"processes":["systemd*","rsync*","firefox*"]}"#;
    let revision = stage.second.put(&stage.payload(), text).await?;
    let set = next(&mut changes).await;
    assert_eq!(set.revision, revision);
    assert_eq!(set.origin, Origin::Remote);
    assert!(!set.coalesced);
    let added = Change::Added { path: "/processes/2".into(), value: json!("firefox*") };
    let removed = Change::Removed { path: "/interval".into(), value: json!(0) };
    assert!(set.changes.contains(&added) && set.changes.contains(&removed), "{:?}", set.changes);
    assert_eq!(set.previous.map(|was| was.value.processes.len()), Some(2));
    assert_eq!(set.current.map(|is| is.value.processes.len()), Some(3));
    Ok(())
}

pub async fn an_own_change_is_told_once_and_as_own(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    let other = stage.other().join().await?;
    let (mut here, mut there) = (agent.changes(), other.changes());
    for interval in 1..=20 {
        let done = agent.update(|agent| agent.interval = interval).await?;
        let set = next(&mut here).await;
        assert_eq!((set.origin, set.revision), (Origin::Local, done.revision));
        assert_eq!(set.current.map(|is| is.value.interval), Some(interval));
    }
    let mut last = 0;
    while last < 20 {
        let set = next(&mut there).await;
        assert_eq!(set.origin, Origin::Remote);
        let interval = set.current.expect("it exists").value.interval;
        assert!(interval > last, "{interval} after {last}");
        last = interval;
    }
    Ok(())
}

pub async fn equal_content_tells_nothing(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::watching(&["a"])).await?;
    let mut changes = agent.changes();
    stage.second.put(&stage.payload(), r#"{"interval":0, "processes":["a"]}"#).await?;
    stage.second.put(&stage.payload(), r#"{"interval":1,"processes":["a"]}"#).await?;
    let set = next(&mut changes).await;
    assert_eq!(*set.changes, [Change::Modified { path: "/interval".into(), old: json!(0), new: json!(1) }]);
    Ok(())
}

// zkstruct: one queue for all, so that each change reached one of those who wanted it.
pub async fn every_subscriber_is_told_every_change(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    let mut streams = [agent.changes(), agent.changes(), agent.clone().changes()];
    for interval in 1..=3 {
        agent.update(|agent| agent.interval = interval).await?;
    }
    for stream in &mut streams {
        for interval in 1..=3 {
            let told = next(stream).await.current.expect("it exists");
            assert_eq!(told.value.interval, interval);
        }
    }
    Ok(())
}

pub async fn a_handler_runs_for_every_change_until_it_is_stopped(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let handler = agent.update_handler(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
    });
    let panics = agent.update_handler(|_| panic!("a handler that panics ends only itself"));
    agent.update(|agent| agent.interval = 1).await?;
    agent.update(|agent| agent.interval = 2).await?;
    eventually("the handler", async || calls.load(Ordering::SeqCst) == 2).await;
    handler.stop();
    panics.stop();
    let mut changes = agent.changes();
    agent.update(|agent| agent.interval = 3).await?;
    next(&mut changes).await;
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    Ok(())
}

pub async fn a_selection_yields_only_what_changed_in_it(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::watching(&["a"])).await?;
    let mut processes = agent.select(|agent| &agent.processes);
    let first = next(&mut processes).await;
    assert_eq!((first.old, first.new), (None, Some(vec!["a".to_owned()])));
    agent.update(|agent| agent.interval = 9).await?;
    let done = agent.update(|agent| agent.processes.push("b".into())).await?;
    let second = next(&mut processes).await;
    assert_eq!(second.revision, done.revision);
    assert_eq!((second.old, second.new), (Some(vec!["a".into()]), Some(vec!["a".into(), "b".into()])));
    Ok(())
}

pub async fn a_selection_by_pointer_sees_what_the_type_does_not_know(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    let mut note = agent.select_by("/note/text".parse()?);
    assert_eq!(next(&mut note).await.new, None);
    stage.second.put(&stage.payload(), r#"{"processes":[],"note":{"text":"x"}}"#).await?;
    stage.second.put(&stage.payload(), r#"{"processes":["a"],"note":{"text":"x"}}"#).await?;
    assert_eq!(next(&mut note).await.new, Some(json!("x")));
    stage.second.put(&stage.payload(), r#"{"processes":["a"],"note":{}}"#).await?;
    let gone = next(&mut note).await;
    assert_eq!((gone.old, gone.new), (Some(json!("x")), None));
    Ok(())
}

pub async fn a_selection_is_told_of_a_deletion_and_of_the_return(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::watching(&["a"])).await?;
    let mut processes = agent.select(|agent| &agent.processes);
    let there = next(&mut processes).await.new;
    stage.second.delete(&stage.payload()).await?;
    let gone = next(&mut processes).await;
    assert_eq!((&gone.old, gone.new), (&there, None));
    stage.second.put(&stage.payload(), r#"{"processes":["a"]}"#).await?;
    let back = next(&mut processes).await;
    assert_eq!((back.old, back.new), (None, there));
    Ok(())
}

async fn is_rejected(stage: &Stage, payload: Vec<u8>) -> Claim {
    let agent = stage.agent().create(Agent::watching(&["good"])).await?;
    let mut events = agent.events();
    let revision = stage.second.put(&stage.payload(), payload).await?;
    let SharedEvent::Rejected(rejected) = next(&mut events).await else { panic!("it is rejected") };
    assert_eq!(rejected.revision, revision);
    assert_eq!(agent.peek().processes, ["good"]);
    assert_eq!(agent.read()?.processes, ["good"]);
    assert!(agent.read_consistent().await.is_err());
    stage.second.put(&stage.payload(), r#"{"processes":["better"]}"#).await?;
    let SharedEvent::Changed(set) = next(&mut events).await else { panic!("it recovers") };
    assert_eq!(set.previous.map(|was| was.value.processes.clone()), Some(vec!["good".to_owned()]));
    assert_eq!(agent.read()?.processes, ["better"]);
    Ok(())
}

pub async fn a_payload_that_cannot_be_decoded_is_rejected_and_the_good_copy_stays(stage: &Stage) -> Claim {
    is_rejected(stage, b"not json".to_vec()).await
}

pub async fn a_payload_of_the_wrong_shape_is_rejected(stage: &Stage) -> Claim {
    is_rejected(stage, br#"{"processes":"all of them"}"#.to_vec()).await
}

pub async fn a_document_nested_too_deeply_is_rejected(stage: &Stage) -> Claim {
    let deep = format!(r#"{{"processes":[],"deep":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    is_rejected(stage, deep.into_bytes()).await
}

pub async fn a_large_payload_is_carried(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    let mut changes = agent.changes();
    let long = "p".repeat(900 * 1024);
    let text = format!(r#"{{"processes":["{long}"],"interval":0}}"#);
    stage.second.put(&stage.payload(), text).await?;
    let set = next(&mut changes).await;
    assert_eq!(*set.changes, [Change::Added { path: "/processes/0".into(), value: json!(long) }]);
    agent.update(|agent| agent.interval = 1).await?;
    assert_eq!(agent.read()?.processes, [long]);
    Ok(())
}
