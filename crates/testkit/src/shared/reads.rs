//! The three ways to read.

use std::time::Duration;

use quorate_datasync::{ErrorKind, ReadError, StaleCause, StoreExt};

use super::Claim;
use super::agent::{Agent, eventually, next};
use crate::conformance::Stage;

pub async fn a_read_is_the_newest_that_was_told(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    let mut changes = agent.changes();
    for interval in 1..=20_u64 {
        stage.second.put(&stage.payload(), format!(r#"{{"processes":[],"interval":{interval}}}"#)).await?;
    }
    let mut told = 0;
    while told < 20 {
        told = next(&mut changes).await.current.expect("it exists").value.interval;
        assert!(agent.read()?.interval >= told);
    }
    assert_eq!(agent.peek().interval, 20);
    Ok(())
}

pub async fn a_consistent_read_sees_what_another_process_wrote(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    let other = stage.other().join().await?;
    for interval in 1..=10 {
        agent.update(|agent| agent.interval = interval).await?;
        assert_eq!(other.read_consistent().await?.interval, interval);
        assert!(other.read()?.interval >= interval);
    }
    Ok(())
}

pub async fn a_writer_reads_its_own_write(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    for interval in 1..=10 {
        let done = agent.update(|agent| agent.interval = interval).await?;
        assert_eq!(done.value.interval, interval);
        assert_eq!(agent.read()?.interval, interval);
        assert_eq!(agent.snapshot().revision, done.revision);
    }
    Ok(())
}

pub async fn a_hot_path_reads_what_everybody_reads(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    let mut access = agent.access();
    for interval in 1..=10 {
        agent.update(|agent| agent.interval = interval).await?;
        assert_eq!(access.read()?.interval, interval);
        assert_eq!(access.peek().interval, interval);
    }
    let mut events = agent.changes();
    stage.second.delete(&stage.payload()).await?;
    next(&mut events).await;
    assert!(matches!(access.read(), Err(ReadError::Deleted(_))));
    assert_eq!(access.peek().interval, 10);
    Ok(())
}

pub async fn one_read_can_have_a_bound_of_its_own(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::watching(&["a"])).await?;
    assert_eq!(agent.read_within(Duration::from_secs(30))?.processes, ["a"]);
    let Err(ReadError::Stale { .. }) = agent.read_within(Duration::ZERO) else { panic!("it has some age") };
    agent.read_consistent().await?;
    assert!(agent.read().is_ok());
    Ok(())
}

pub async fn waiting_ends_when_the_copy_is_as_wanted(stage: &Stage) -> Claim {
    let agent = stage.agent().create(Agent::default()).await?;
    assert_eq!(agent.wait_for(|agent| agent.interval == 0).await?.interval, 0);
    let waiting = agent.wait_for(|agent| agent.interval >= 3);
    let (reached, wrote) = tokio::join!(waiting, async {
        stage.second.delete(&stage.payload()).await?;
        for interval in 1..=3 {
            let text = format!(r#"{{"processes":[],"interval":{interval}}}"#);
            stage.second.put(&stage.payload(), text).await?;
        }
        Ok::<_, quorate_datasync::Error>(())
    });
    wrote?;
    assert_eq!(reached?.interval, 3);
    let closed = agent.wait_for(|agent| agent.interval > 3);
    let (closed, ()) = tokio::join!(closed, stage.store.close());
    assert_eq!(closed.expect_err("the store is closed").kind(), ErrorKind::Closed);
    Ok(())
}

/// Not part of the suite of every store: it needs a handle that can be cut off.
///
/// # Errors
///
/// Those of the claim.
pub async fn a_copy_past_its_bound_is_stale(stage: &Stage, cut: impl AsyncFnOnce()) -> Claim {
    let bound = Duration::from_millis(300);
    let agent = stage.agent().bound(bound).create(Agent::watching(&["a"])).await?;
    cut().await;
    eventually("the copy gets old", async || agent.read().is_err()).await;
    let Err(ReadError::Stale { age, cause: StaleCause::Unreached }) = agent.read() else {
        panic!("it is stale")
    };
    assert!(age > bound);
    assert_eq!(agent.peek().processes, ["a"]);
    Ok(())
}
