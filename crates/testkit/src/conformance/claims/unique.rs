//! Names that the store makes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use quorate_datasync::{Key, LeaseRef, Result, Revision, Store, StoreExt, Txn, Write, Written};

use crate::conformance::Stage;

const TTL: Duration = Duration::from_secs(30);

pub async fn a_unique_name_is_its_stem_and_a_number(stage: &Stage) -> Result<()> {
    let parent = stage.key("queue");
    let lease = stage.store.grant(TTL).await?;
    let (key, created) = create(&stage.store, &parent, "job-", &lease.reference()).await?;
    let digits = key.name().strip_prefix("job-").expect("the name begins with the stem");
    assert!(digits.len() >= 10 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{key}");
    let entry = stage.entry(&key).await?;
    assert_eq!((entry.created, entry.lease), (created, Some(lease.id())));
    assert_eq!(key.parent(), Some(parent));
    Ok(())
}

pub async fn unique_names_need_no_lease(stage: &Stage) -> Result<()> {
    let parent = stage.key("queue");
    let create = || Write::CreateUnique {
        parent: parent.clone(),
        stem: "job-".to_owned(),
        value: "v".into(),
        lease: None,
    };
    for _ in 0..2 {
        stage.store.commit(Txn::new().write(create())).await?;
    }
    let entries = stage.store.entries(&parent.below()).await?;
    assert_eq!(entries.len(), 2);
    assert!(entries.iter().all(|entry| entry.lease.is_none() && entry.value == "v"));
    Ok(())
}

pub async fn unique_names_are_in_the_order_of_their_creation(stage: &Stage) -> Result<()> {
    const EACH: usize = 25;
    let parent = stage.key("queue");
    let (one, two) = (stage.store.grant(TTL).await?, stage.second.grant(TTL).await?);
    let create_all = async |store: &Arc<dyn Store>, lease: LeaseRef, stem: &str| -> Result<Vec<_>> {
        let mut made = Vec::new();
        for _ in 0..EACH {
            made.push(create(store, &parent, stem, &lease).await?);
        }
        Ok(made)
    };
    let (here, there) = tokio::try_join!(
        create_all(&stage.store, one.reference(), "job-"),
        // Another stem counts on.
        create_all(&stage.second, two.reference(), "w-"),
    )?;
    let by_number: BTreeMap<u64, Revision> =
        here.iter().chain(&there).map(|(key, created)| (number(key), *created)).collect();
    assert_eq!(by_number.len(), 2 * EACH, "a number was given twice");
    assert!(by_number.values().is_sorted_by(|a, b| a < b), "numbers and creation disagree: {by_number:?}");
    Ok(())
}

pub async fn a_number_is_not_given_again_after_its_key_is_deleted(stage: &Stage) -> Result<()> {
    let parent = stage.key("queue");
    let lease = stage.store.grant(TTL).await?;
    let mut last = None;
    // One of them stays, so that the parent is never empty.
    create(&stage.store, &parent, "stays-", &lease.reference()).await?;
    for _ in 0..5 {
        let (key, _) = create(&stage.store, &parent, "job-", &lease.reference()).await?;
        assert!(last < Some(number(&key)), "{key} follows {last:?}");
        last = Some(number(&key));
        stage.store.delete(&key).await?;
    }
    Ok(())
}

pub async fn a_unique_name_is_among_the_names_read_with_it(stage: &Stage) -> Result<()> {
    let parent = stage.key("queue");
    let lease = stage.store.grant(TTL).await?;
    let (first, _) = create(&stage.store, &parent, "job-", &lease.reference()).await?;
    let txn = Txn::new().create_unique(&parent, "job-", "v", &lease.reference()).then_names(&parent.below());
    let committed = stage.store.commit(txn).await?;
    let [Written::Put(stat)] = &committed.written[..] else {
        panic!("one write, one answer: {:?}", committed.written);
    };
    let [quorate_datasync::Answer::Names(names)] = &committed.answers[..] else {
        panic!("names were asked for: {:?}", committed.answers);
    };
    assert_eq!(names.len(), 2);
    assert!([first.name(), stat.key.name()].iter().all(|name| names.iter().any(|one| one == name)));
    Ok(())
}

/// Creates a key with a unique name; gives back the key and the revision of its creation.
async fn create(
    store: &Arc<dyn Store>,
    parent: &Key,
    stem: &str,
    lease: &LeaseRef,
) -> Result<(Key, Revision)> {
    let committed = store.commit(Txn::new().create_unique(parent, stem, "v", lease)).await?;
    let [Written::Put(stat)] = &committed.written[..] else {
        panic!("one write, one answer: {:?}", committed.written);
    };
    Ok((stat.key.clone(), stat.created))
}

/// The number at the end of a name.
fn number(key: &Key) -> u64 {
    let stem = key.name().trim_end_matches(|c: char| c.is_ascii_digit());
    key.name()[stem.len()..].parse().expect("a unique name ends in a number")
}
