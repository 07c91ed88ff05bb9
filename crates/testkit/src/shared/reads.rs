//! The three ways to read.

use std::time::Duration;

use quorate_datasync::{ReadError, StaleCause, StoreExt};

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
