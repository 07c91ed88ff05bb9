//! Putting and deleting.

use std::time::Duration;

use quorate_datasync::{Conflict, ErrorKind, Publisher};

use crate::conformance::{Stage, fresh, within};
use crate::shared::Claim;

pub async fn a_put_can_demand_absence_or_a_version(stage: &Stage) -> Claim {
    let publisher = Publisher::new(&stage.store);
    let key = stage.key("if/a");
    let first = publisher.put(&key, &1).if_absent().await?;
    let again = publisher.put(&key, &2).if_absent().await.expect_err("it is there");
    assert_eq!(again.as_conflict(), Some(Conflict::Present));
    let second = publisher.put(&key, &2).if_version(first.version).await?;
    assert!(second.revision > first.revision);
    let late = publisher.put(&key, &3).if_version(first.version).await.expect_err("it was changed");
    assert_eq!(late.as_conflict(), Some(Conflict::Version));
    let late = publisher.delete(&key).if_version(first.version).await.expect_err("it was changed");
    assert_eq!(late.as_conflict(), Some(Conflict::Version));
    assert_eq!(stage.entry(&key).await?.value, "2");
    publisher.delete(&key).if_version(second.version).await?;
    publisher.delete(&key).await?;
    assert!(fresh(&stage.second, &key).await?.is_none());
    Ok(())
}

// cn-infra: a time to live below a second was rounded to none, and most stores ignored it in silence.
pub async fn a_time_to_live_that_cannot_be_kept_is_refused(stage: &Stage) -> Claim {
    let publisher = Publisher::new(&stage.store);
    let key = stage.key("if/a");
    let unkept = match stage.capabilities().ttl_granularity {
        None => vec![Duration::from_secs(60)],
        Some(step) => vec![step / 2, step + step / 2],
    };
    for ttl in unkept {
        let error = publisher.put(&key, &1).ttl(ttl).await.expect_err("it cannot be kept");
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    }
    assert!(fresh(&stage.second, &key).await?.is_none());
    if let Some(step) = stage.capabilities().ttl_granularity {
        publisher.put(&key, &1).ttl(step * 100_000).await?;
        assert!(fresh(&stage.second, &key).await?.is_some());
    }
    let both = publisher.put(&key, &1).ttl(Duration::from_secs(1)).lifetime().await;
    assert_eq!(both.expect_err("it is one or the other").kind(), ErrorKind::Invalid);
    Ok(())
}

pub async fn a_key_of_a_lifetime_is_there_until_its_publisher_is_dropped(stage: &Stage) -> Claim {
    let publisher = Publisher::new(&stage.store);
    let (status, plain) = (stage.key("status/agent"), stage.key("config/agent"));
    publisher.put(&status, &"starting").lifetime().await?;
    publisher.put(&status, &"up").lifetime().await?;
    publisher.put(&plain, &"kept").await?;
    assert_eq!(fresh(&stage.second, &status).await?.expect("it was put").value, "\"up\"");
    drop(publisher.clone());
    assert!(fresh(&stage.second, &status).await?.is_some());
    drop(publisher);
    within("the key vanishes", async {
        while fresh(&stage.second, &status).await.is_ok_and(|entry| entry.is_some()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    assert!(fresh(&stage.second, &plain).await?.is_some());
    Ok(())
}

pub async fn deleting_a_prefix_counts_and_leaves_its_neighbours(stage: &Stage) -> Claim {
    let publisher = Publisher::new(&stage.store);
    for name in ["a/x", "a/x/deeper", "a/y", "ab/z"] {
        stage.write(name, "1").await?;
    }
    assert_eq!(publisher.delete_prefix(stage.prefix("a")).await?, 3);
    assert_eq!(publisher.delete_prefix(stage.prefix("a")).await?, 0);
    assert!(fresh(&stage.second, &stage.key("a/x")).await?.is_none());
    assert!(fresh(&stage.second, &stage.key("ab/z")).await?.is_some());
    Ok(())
}

pub async fn a_batch_is_applied_together_or_not_at_all(stage: &Stage) -> Claim {
    if stage.lacks_keys(3).await? {
        return Ok(());
    }
    let publisher = Publisher::new(&stage.store);
    stage.write("old", "1").await?;
    let (a, b, old) = (stage.key("a"), stage.key("b"), stage.key("old"));
    let batch = || publisher.batch().put(publisher.put(&a, &1)).put(publisher.put(&b, &2).if_absent());
    batch().delete(publisher.delete(&old)).commit().await?;
    assert!(fresh(&stage.second, &old).await?.is_none());
    let again = batch().put(publisher.put(&old, &3)).commit().await.expect_err("b is there");
    assert_eq!(again.as_conflict(), Some(Conflict::Present));
    assert!(fresh(&stage.second, &old).await?.is_none());
    let invalid = publisher.batch().put(publisher.put("no key", &1)).commit().await;
    assert_eq!(invalid.expect_err("it is no key").kind(), ErrorKind::Invalid);
    Ok(())
}
