//! Updates that wait at the same time, and the ways to ask for one.

use std::time::Duration;

use futures_util::future::join_all;
use quorate_datasync::{Conflict, Shared, StoreExt, UpdateError, UpdateOptions};

use super::Claim;
use super::agent::Agent;
use crate::conformance::Stage;

const WAIT: Duration = Duration::from_secs(20);

/// Counts one up, and tells what it was before.
const fn count(agent: &mut Agent) -> u64 {
    agent.interval += 1;
    agent.interval - 1
}

/// Runs something while the lock is held until all of it waits.
async fn while_locked<O>(stage: &Stage, work: impl Future<Output = O>) -> O {
    let lock = stage.document().write_lock().expect("a struct with a directory has a lock");
    let guard = lock.acquire(WAIT).await.expect("the lock is free");
    let (done, freed) = tokio::join!(work, async {
        let queued = async || {
            let names = stage.second.names(&stage.key("agent/write_lock").below()).await;
            names.is_ok_and(|names| names.len() == 2)
        };
        super::agent::eventually("it queues up", queued).await;
        guard.release().await
    });
    freed.expect("the lock can be freed");
    done
}

pub async fn updates_that_wait_together_share_one_write(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    let all = (0..16).map(|_| agent.update(count));
    let done = while_locked(stage, join_all(all)).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    let outputs: Vec<u64> = done.iter().map(|updated| updated.output).collect();
    assert_eq!(outputs, (0..16).collect::<Vec<_>>());
    assert!(done.iter().all(|updated| updated.revision == done[0].revision));
    assert_eq!(agent.read()?.interval, 16);
    stage.assert_lock_is_free().await;
    Ok(())
}

pub async fn a_refusal_leaves_those_who_share_the_write(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    let all = (0..8).map(|at| {
        agent.try_update(move |agent| {
            agent.interval += 1;
            if at % 2 == 0 { Ok(()) } else { Err("odd") }
        })
    });
    let done = while_locked(stage, join_all(all)).await;
    let refused = done.iter().filter(|done| matches!(done, Err(UpdateError::Aborted("odd")))).count();
    assert_eq!((refused, agent.read()?.interval), (4, 4));
    stage.assert_lock_is_free().await;
    Ok(())
}

pub async fn a_panic_leaves_those_who_share_the_write(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    let one = |at: u64| {
        let agent = agent.clone();
        tokio::spawn(async move {
            let change = |agent: &mut Agent| {
                agent.interval += 1;
                assert!(at != 3, "a closure that panics");
            };
            agent.update(change).await.map(drop)
        })
    };
    let done = while_locked(stage, async { join_all((0..8).map(one)).await }).await;
    assert_eq!(done.iter().filter(|done| matches!(done, Ok(Ok(())))).count(), 7);
    assert_eq!(agent.read()?.interval, 7);
    stage.assert_lock_is_free().await;
    Ok(())
}

pub async fn a_value_too_large_leaves_those_who_share_the_write(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    let too_long = "p".repeat(stage.capabilities().value_bytes_max + 1);
    let all = (0..4).map(|at| {
        let too_long = too_long.clone();
        agent.update(move |agent| {
            agent.interval += 1;
            if at == 1 {
                agent.processes.push(too_long.clone());
            }
        })
    });
    let done = while_locked(stage, join_all(all)).await;
    assert!(done[1].is_err() && done.iter().filter(|done| done.is_ok()).count() == 3);
    assert_eq!((agent.read()?.interval, agent.read()?.processes.len()), (3, 0));
    stage.assert_lock_is_free().await;
    Ok(())
}

pub async fn those_who_leave_leave_those_who_share_the_write(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    for step in 0..20_u64 {
        let stays = agent.update(|agent| agent.interval += 1);
        let leaves = agent.update(|agent| agent.processes.push("left".into()));
        let leaves = tokio::time::timeout(Duration::from_micros(step * 150), leaves);
        let (stayed, _) = tokio::join!(stays, leaves);
        stayed?;
    }
    assert_eq!(agent.read_consistent().await?.interval, 20);
    stage.assert_lock_is_free().await;
    Ok(())
}

pub async fn optimistic_updates_that_wait_together_lose_nothing(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    let all = (0..16).map(|_| agent.update_optimistic(count));
    let done = join_all(all).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    let mut outputs: Vec<u64> = done.iter().map(|updated| updated.output).collect();
    outputs.sort_unstable();
    assert_eq!(outputs, (0..16).collect::<Vec<_>>());
    assert_eq!(agent.read_consistent().await?.interval, 16);
    Ok(())
}

pub async fn both_ways_to_update_go_together(stage: &Stage) -> Claim {
    let here = stage.agent().create(Agent::default()).await?;
    let there = stage.other().join().await?;
    let writers = [&here, &here, &there, &there].into_iter().enumerate().map(|(at, agent)| {
        let agent = agent.clone();
        tokio::spawn(async move {
            let options = if at % 2 == 0 { UpdateOptions::exclusive() } else { UpdateOptions::optimistic() };
            for _ in 0..15 {
                agent.update_with(options, |agent| agent.interval += 1).await?;
            }
            Ok::<_, UpdateError>(())
        })
    });
    for writer in join_all(writers).await {
        writer??;
    }
    assert_eq!(here.read_consistent().await?.interval, 60);
    stage.assert_lock_is_free().await;
    Ok(())
}

/// Lets somebody write whenever the closure runs.
async fn always_overtaken(
    stage: &Stage,
    agent: &Shared<Agent>,
    options: UpdateOptions,
) -> (u64, UpdateError) {
    let mut runs = 0;
    let update = agent.update_with(options, |agent| {
        runs += 1;
        let text = format!(r#"{{"processes":["{runs}"],"interval":1}}"#);
        let payload = stage.payload();
        let put = stage.second.put(&payload, text);
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(put))
            .expect("the outsider can write");
        agent.interval += 1;
    });
    let error = update.await.expect_err("it never wins");
    (runs, error)
}

pub async fn an_update_is_tried_as_often_as_allowed(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    for options in [UpdateOptions::exclusive(), UpdateOptions::optimistic()] {
        let (runs, error) = always_overtaken(stage, &agent, options.tries(3)).await;
        assert_eq!(runs, 3);
        let UpdateError::Store(error) = error else { panic!("{error:?}") };
        assert!(error.as_conflict() == Some(Conflict::Contended) && !error.maybe_applied());
        stage.assert_lock_is_free().await;
    }
    assert_eq!(agent.read_consistent().await?.interval, 1);
    Ok(())
}

pub async fn an_update_is_tried_as_long_as_allowed(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    let soon = Duration::from_millis(150);
    let guard = stage.document().write_lock()?.acquire(WAIT).await?;
    let locked =
        agent.update_with(UpdateOptions::exclusive().deadline(soon), |agent| agent.interval = 7).await;
    assert!(matches!(&locked, Err(UpdateError::Lock(_))), "{locked:?}");
    guard.release().await?;
    let options = UpdateOptions::optimistic().tries(u32::MAX).deadline(soon);
    let (_, error) = always_overtaken(stage, &agent, options).await;
    assert!(!error.maybe_applied(), "{error:?}");
    assert_eq!(agent.read_consistent().await?.interval, 1);
    stage.assert_lock_is_free().await;
    Ok(())
}
