//! Creating, joining, listening, deleting.

use std::time::Duration;

use quorate_datasync::{
    Change, Consistency, DataStatus, Edit, ErrorKind, ListenerEvent, OpenError, ReadError, Shared, StoreExt,
    UpdateError,
};
use serde_json::json;

use super::Claim;
use super::agent::{Agent, eventually, next};
use crate::conformance::Stage;

const SOON: Duration = Duration::from_millis(200);
const WAIT: Duration = Duration::from_secs(20);

pub async fn creating_makes_the_struct_with_its_parents(stage: &Stage) -> Claim {
    let open = Shared::<Agent>::open(&stage.store, stage.key("a/deep/place"));
    let agent = open.create(Agent::watching(&["x"])).await?;
    assert_eq!(agent.read()?.processes, ["x"]);
    let entry = stage.second.entry(&stage.key("a/deep/place/payload")).await?.expect("it was stored");
    assert_eq!(serde_json::from_slice::<Agent>(&entry.value)?, *agent.peek());
    Ok(())
}

pub async fn two_who_create_at_once_share_one_value(stage: &Stage) -> Claim {
    let (here, there) = tokio::join!(
        stage.agent().create(Agent::watching(&["here"])),
        stage.other().create(Agent::watching(&["there"])),
    );
    let (here, there) = (here?.read_consistent().await?, there?.read_consistent().await?);
    assert_eq!(here, there);
    Ok(())
}

pub async fn joining_never_tells_the_default_as_a_change(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::watching(&["first"])).await?;
    let mut changes = agent.changes();
    let mut opening = stage.other();
    let mut events = opening.events()?;
    let other = opening.create(Agent::watching(&["default"])).await?;
    assert_eq!(other.read()?.processes, ["first"]);
    agent.update(|agent| agent.interval = 5).await?;
    assert_eq!(next(&mut changes).await.changes.len(), 1);
    let quorate_datasync::SharedEvent::Changed(set) = next(&mut events).await else { panic!("a change") };
    assert_eq!(*set.changes, [Change::Modified { path: "/interval".into(), old: json!(0), new: json!(5) }]);
    Ok(())
}

pub async fn joining_what_is_missing_fails(stage: &Stage) -> Claim {
    assert!(matches!(stage.agent().join().await, Err(OpenError::Missing(_))));
    Ok(())
}

pub async fn joining_what_cannot_be_decoded_fails(stage: &Stage) -> Claim {
    stage.second.put(&stage.payload(), "not json").await?;
    assert!(matches!(stage.agent().join().await, Err(OpenError::Rejected { .. })));
    Ok(())
}

pub async fn expecting_waits_until_it_exists(stage: &Stage) -> Claim {
    let mut opening = stage.agent();
    let mut status = opening.status()?;
    let expecting = tokio::spawn(opening.expect(WAIT));
    // It has looked, and found nothing.
    status.wait_for(|status| status.proved.is_some()).await?;
    stage.second.put(&stage.payload(), "not yet json").await?;
    status.wait_for(|status| matches!(status.data, DataStatus::Rejected(_))).await?;
    stage.second.put(&stage.payload(), r#"{"processes":["late"]}"#).await?;
    assert_eq!(expecting.await??.read()?.processes, ["late"]);
    Ok(())
}

pub async fn expecting_gives_up_in_time(stage: &Stage) -> Claim {
    assert!(matches!(stage.agent().expect(SOON).await, Err(OpenError::TimedOut { .. })));
    Ok(())
}

pub async fn a_listener_is_there_until_its_handle_is_dropped(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    let document = stage.document();
    let listeners = document.listeners().await?;
    assert_eq!(listeners.len(), 1, "{listeners:?}");
    assert!(listeners[0].id.len() <= 26 && !listeners[0].host.is_empty() && !listeners[0].since.is_empty());
    assert!(listeners[0].process.contains(&std::process::id().to_string()));
    let other = stage.other().join().await?;
    assert_eq!(document.listeners().await?.len(), 2);
    drop(agent);
    eventually("one listener", async || document.listeners().await.is_ok_and(|all| all.len() == 1)).await;
    drop(other);
    eventually("no listener", async || document.listeners().await.is_ok_and(|all| all.is_empty())).await;
    Ok(())
}

pub async fn an_unlisted_handle_is_no_listener(stage: &Stage) -> Claim {
    let agent = stage.agent().unlisted().create(Agent::default()).await?;
    assert!(stage.document().listeners().await?.is_empty());
    assert_eq!(*agent.read()?, Agent::default());
    Ok(())
}

pub async fn a_deleted_struct_is_told_and_comes_back(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::watching(&["a"])).await?;
    let mut changes = agent.changes();
    stage.document().edit(WAIT, |_| Edit::Delete).await?;
    let set = next(&mut changes).await;
    assert!(set.current.is_none());
    assert!(matches!(&set.changes[..], [Change::Removed { path, .. }] if path.is_empty()));
    assert!(matches!(agent.read(), Err(ReadError::Deleted(_))));
    assert!(matches!(agent.read_consistent().await, Err(ReadError::Deleted(_))));
    assert_eq!(agent.peek().processes, ["a"]);
    assert!(matches!(agent.update(|_| ()).await, Err(UpdateError::Deleted)));
    stage.document().create(r#"{"processes":["b"]}"#).await?;
    let set = next(&mut changes).await;
    assert!(matches!(&set.changes[..], [Change::Added { path, .. }] if path.is_empty()));
    assert_eq!(agent.read()?.processes, ["b"]);
    Ok(())
}

pub async fn a_struct_on_one_plain_key_has_neither_lock_nor_listeners(stage: &Stage) -> Claim {
    let key = stage.key("plain");
    let agent = Shared::<Agent>::at_key(&stage.store, key.clone()).create(Agent::default()).await?;
    let error = agent.update(|agent| agent.interval = 1).await.expect_err("it is refused");
    assert!(matches!(error, UpdateError::Store(error) if error.kind() == ErrorKind::Unsupported));
    agent.update_optimistic(|agent| agent.interval = 2).await?;
    assert_eq!(agent.read()?.interval, 2);
    assert!(stage.second.entries(&key.below()).await?.is_empty());
    let entry = stage.second.get(&key, quorate_datasync::Want::Value, Consistency::Linearizable).await?;
    assert_eq!(serde_json::from_slice::<Agent>(&entry.into_entry().expect("it exists").value)?.interval, 2);
    Ok(())
}

pub async fn invalid_keys_are_refused(stage: &Stage) -> Claim {
    for key in ["agents", "/a/../b", "/a//b", "/a\0b", "/", "/a/"] {
        let opened = Shared::<Agent>::open(&stage.store, key).create(Agent::default()).await;
        assert!(
            matches!(opened, Err(OpenError::Store(error)) if error.kind() == ErrorKind::Invalid),
            "{key:?}"
        );
    }
    Ok(())
}

pub async fn listeners_are_told_as_they_come_and_go(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    let mut stream = agent.watch_listeners()?;
    let ListenerEvent::Snapshot(first) = next(&mut stream).await else { panic!("who is there comes first") };
    assert_eq!(first, agent.listeners().await?);
    let other = stage.other().join().await?;
    let ListenerEvent::Joined(joined) = next(&mut stream).await else { panic!("one more listens") };
    assert!(joined.process.ends_with(&format!("[{}]", std::process::id())), "{joined:?}");
    assert_eq!(agent.listeners().await?.len(), 2);
    drop(other);
    eventually("the listener left", async || agent.listeners().await.is_ok_and(|all| all == first)).await;
    assert_eq!(next(&mut stream).await, ListenerEvent::Left(joined));
    Ok(())
}

pub async fn a_listener_reports_what_it_applied_only_if_asked(stage: &Stage) -> Claim {
    let silent = stage.agent().create(Agent::default()).await?;
    assert_eq!(silent.listeners().await?[0].applied, None);
    silent.update(|agent| agent.interval = 1).await?;
    let reporting = stage.other().report_applied().join().await?;
    let applied: Vec<_> = silent.listeners().await?.iter().filter_map(|listener| listener.applied).collect();
    assert_eq!(applied, [reporting.snapshot().revision]);
    Ok(())
}

pub async fn a_struct_on_one_plain_key_has_no_presence(stage: &Stage) -> Claim {
    let plain = Shared::<u64>::at_key(&stage.store, stage.key("plain")).create(1).await?;
    assert_eq!(plain.listeners().await.expect_err("nobody is listed").kind(), ErrorKind::Unsupported);
    assert_eq!(plain.watch_listeners().expect_err("nobody is listed").kind(), ErrorKind::Unsupported);
    Ok(())
}
