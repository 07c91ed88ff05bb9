//! The ways to update.

use std::sync::Arc;
use std::time::Duration;

use quorate_datasync::{ErrorKind, Shared, StoreExt, UpdateError};

use super::Claim;
use super::agent::Agent;
use crate::conformance::Stage;

const WAIT: Duration = Duration::from_secs(20);

pub async fn an_update_writes_the_difference_and_keeps_unknown_fields(stage: &Stage) -> Claim {
    let text = r#"{"owner":"ops","processes":["a"]}"#;
    stage.document().create(text).await?;
    let agent = stage.agent().join().await?;
    let done = agent.update(|agent| agent.processes.push("b".into())).await?;
    let entry = stage.second.entry(&stage.payload()).await?.expect("it exists");
    assert_eq!(entry.revision, done.revision);
    let stored: serde_json::Value = serde_json::from_slice(&entry.value)?;
    assert_eq!(stored, serde_json::json!({"owner": "ops", "processes": ["a", "b"]}));
    Ok(())
}

pub async fn an_update_that_changes_nothing_writes_nothing(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::watching(&["a"])).await?;
    let before = agent.snapshot().revision;
    let done = agent.update(|agent| agent.processes.len()).await?;
    assert_eq!((done.output, done.revision), (1, before));
    stage.assert_lock_is_free().await;
    Ok(())
}

pub async fn a_refused_update_writes_nothing_and_frees_the_lock(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    let refused = agent
        .try_update(|agent| {
            agent.interval = 7;
            Err::<(), _>("no")
        })
        .await;
    assert!(matches!(refused, Err(UpdateError::Aborted("no"))));
    assert_eq!(agent.read_consistent().await?.interval, 0);
    stage.assert_lock_is_free().await;
    Ok(())
}

pub async fn a_panic_in_the_closure_leaves_everything_as_it_was(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    let doomed = agent.clone();
    let panicked = tokio::spawn(async move {
        let doing = doomed.update(|agent| {
            agent.interval = 7;
            assert!(agent.interval == 0, "a closure that panics");
        });
        doing.await.map(drop)
    });
    assert!(panicked.await.is_err());
    assert_eq!(agent.read()?.interval, 0);
    agent.update(|agent| agent.interval = 8).await?;
    assert_eq!(agent.read()?.interval, 8);
    stage.assert_lock_is_free().await;
    Ok(())
}

pub async fn a_dropped_update_frees_the_lock(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    for step in 0..40_u64 {
        let doing = agent.update(|agent| agent.interval += 1);
        let _ = tokio::time::timeout(Duration::from_micros(step * 200), doing).await;
    }
    stage.assert_lock_is_free().await;
    let before = agent.read_consistent().await?.interval;
    agent.update(|agent| agent.interval += 1).await?;
    assert_eq!(agent.read()?.interval, before + 1);
    Ok(())
}

async fn add(agent: Shared<Agent>, times: u64) -> Result<(), UpdateError> {
    for _ in 0..times {
        agent.update(|agent| agent.interval += 1).await?;
    }
    Ok(())
}

pub async fn concurrent_updates_lose_nothing(stage: &Stage) -> Claim {
    let here = stage.agent().create(Agent::default()).await?;
    let there = stage.other().join().await?;
    let writers = [&here, &here, &there, &there].map(|agent| tokio::spawn(add(agent.clone(), 15)));
    for writer in writers {
        writer.await??;
    }
    assert_eq!(here.read_consistent().await?.interval, 60);
    assert_eq!(there.read_consistent().await?.interval, 60);
    stage.assert_lock_is_free().await;
    Ok(())
}

pub async fn concurrent_optimistic_updates_lose_nothing(stage: &Stage) -> Claim {
    let here = stage.agent().create(Agent::default()).await?;
    let there = stage.other().join().await?;
    let writers = [&here, &there].map(|agent| {
        let agent = agent.clone();
        tokio::spawn(async move {
            for _ in 0..25 {
                agent.update_optimistic(|agent| agent.interval += 1).await?;
            }
            Ok::<_, UpdateError>(())
        })
    });
    for writer in writers {
        writer.await??;
    }
    assert_eq!(here.read_consistent().await?.interval, 50);
    Ok(())
}

pub async fn a_writer_outside_the_lock_is_not_overwritten(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    let (second, payload) = (Arc::clone(&stage.second), stage.payload());
    let mut runs = 0;
    let done = agent
        .update(|agent| {
            runs += 1;
            if runs == 1 {
                // Somebody with a shell writes while the closure runs.
                let (second, payload) = (Arc::clone(&second), payload.clone());
                tokio::task::block_in_place(|| {
                    let text = r#"{"processes":["by hand"],"interval":100}"#;
                    tokio::runtime::Handle::current().block_on(second.put(&payload, text))
                })
                .expect("the outsider can write");
            }
            agent.interval += 1;
        })
        .await?;
    assert_eq!(*done.value, Agent { processes: vec!["by hand".into()], interval: 101 });
    assert_eq!(runs, 2);
    Ok(())
}

pub async fn a_strict_update_fails_if_the_copy_is_behind(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    agent.update_strict(|agent| agent.interval = 1).await?;
    // The other handle has written by the time the lock is had, and this copy was taken before.
    let other = stage.other().join().await?;
    let lock = stage.document().write_lock()?;
    let guard = lock.acquire(WAIT).await?;
    let strict = agent.clone();
    let doing = tokio::spawn(async move { strict.update_strict(|agent| agent.interval += 10).await });
    crate::shared::agent::eventually("it queues up", async || {
        stage.second.names(&stage.key("agent/write_lock").below()).await.is_ok_and(|names| names.len() == 2)
    })
    .await;
    other.update_optimistic(|agent| agent.interval = 2).await?;
    guard.release().await?;
    assert!(matches!(doing.await?, Err(UpdateError::StaleWrite { .. })));
    assert_eq!(agent.read_consistent().await?.interval, 2);
    stage.assert_lock_is_free().await;
    Ok(())
}

pub async fn waiting_for_the_lock_ends_and_nothing_is_written(stage: &Stage) -> Claim {
    let agent = stage.agent().lock_wait(Duration::from_millis(200)).create(Agent::default()).await?;
    let guard = stage.document().write_lock()?.acquire(WAIT).await?;
    let error = agent.update(|agent| agent.interval = 1).await.expect_err("it is refused");
    assert!(matches!(error, UpdateError::Lock(_)) && !error.maybe_applied(), "{error:?}");
    guard.release().await?;
    assert_eq!(agent.read_consistent().await?.interval, 0);
    agent.update(|agent| agent.interval = 2).await?;
    stage.assert_lock_is_free().await;
    Ok(())
}

pub async fn an_update_of_a_deleted_struct_fails(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    stage.second.delete(&stage.payload()).await?;
    assert!(matches!(agent.update(|agent| agent.interval = 1).await, Err(UpdateError::Deleted)));
    assert!(matches!(agent.update_optimistic(|agent| agent.interval = 1).await, Err(UpdateError::Deleted)));
    stage.assert_lock_is_free().await;
    Ok(())
}

pub async fn an_update_of_an_undecodable_struct_fails(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    stage.second.put(&stage.payload(), "not json").await?;
    assert!(matches!(agent.update(|agent| agent.interval = 1).await, Err(UpdateError::Rejected(_))));
    stage.assert_lock_is_free().await;
    Ok(())
}

pub async fn a_value_that_is_too_large_is_refused_and_the_lock_is_freed(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    let too_long = "p".repeat(stage.capabilities().value_bytes_max + 1);
    let error =
        agent.update(|agent| agent.processes.push(too_long.clone())).await.expect_err("it is refused");
    assert!(matches!(&error, UpdateError::Store(error) if error.kind() == ErrorKind::TooLarge), "{error:?}");
    assert_eq!(*agent.read_consistent().await?, Agent::default());
    stage.assert_lock_is_free().await;
    Ok(())
}
