//! Listings.

use quorate_datasync::{Consistency, Key, List, Prefix, Result, StoreExt, Txn};

use crate::conformance::{Stage, fresh};

/// Keys at several depths, in their order: `/d-e` sorts before what is below `/d`.
const TREE: [&str; 6] = ["a", "d", "d-e", "d/x", "d/y/z", "deep/er/est"];

pub async fn names_are_one_level_with_directories(stage: &Stage) -> Result<()> {
    plant(stage).await?;
    assert_eq!(names(stage, &stage.all()).await?, ["a", "d", "d-e", "deep"]);
    assert_eq!(names(stage, &stage.key("d").below()).await?, ["x", "y"]);
    assert_eq!(names(stage, &stage.key("deep").below()).await?, ["er"]);
    Ok(())
}

pub async fn keys_are_listed_at_every_depth_without_directories(stage: &Stage) -> Result<()> {
    let mut planted = plant(stage).await?;
    planted.sort();
    let listing = stage.second.list(&stage.all(), List::Keys, Consistency::Synced).await?;
    assert_eq!(listing.into_keys(), planted);
    Ok(())
}

pub async fn entries_are_listed_as_they_are_read(stage: &Stage) -> Result<()> {
    let mut planted = plant(stage).await?;
    planted.sort();
    let listing = stage.second.list(&stage.all(), List::Entries, Consistency::Synced).await?;
    let entries = listing.into_entries();
    assert_eq!(
        entries.iter().map(|entry| &entry.key).collect::<Vec<_>>(),
        planted.iter().collect::<Vec<_>>()
    );
    for entry in entries {
        assert_eq!(fresh(&stage.store, &entry.key).await?, Some(entry));
    }
    Ok(())
}

pub async fn a_prefix_selects_neither_its_key_nor_its_neighbours(stage: &Stage) -> Result<()> {
    for name in ["p", "p/in", "pq", "p-", "p.in", "p0"] {
        stage.store.put(&stage.key(name), "v").await?;
    }
    let prefix = Prefix::parse(&format!("{}/", stage.key("p"))).expect("a key and a slash make a prefix");
    assert_eq!(names(stage, &prefix).await?, ["in"]);
    let keys = stage.store.list(&prefix, List::Keys, Consistency::Synced).await?.into_keys();
    assert_eq!(keys, [stage.key("p/in")]);
    let entries = stage.store.entries(&prefix).await?;
    assert_eq!(entries.len(), 1);
    Ok(())
}

pub async fn a_directory_is_no_entry(stage: &Stage) -> Result<()> {
    stage.store.put(&stage.key("d/e/f"), "v").await?;
    for name in ["d", "d/e"] {
        assert_eq!(fresh(&stage.store, &stage.key(name)).await?, None);
    }
    assert_eq!(stage.store.entries(&stage.all()).await?.len(), 1);
    Ok(())
}

pub async fn below_nothing_is_nothing(stage: &Stage) -> Result<()> {
    stage.store.put(&stage.key("leaf"), "v").await?;
    for prefix in [stage.key("never").below(), stage.key("leaf").below(), stage.key("leaf/x/y").below()] {
        for want in [List::Names, List::Keys, List::Entries] {
            let listing = stage.store.list(&prefix, want, Consistency::Synced).await?;
            let found = format!("{:?}", listing.items);
            let count = match want {
                List::Names => listing.into_names().len(),
                List::Keys => listing.into_keys().len(),
                List::Entries => listing.into_entries().len(),
            };
            assert_eq!(count, 0, "below {prefix}: {found}");
        }
    }
    Ok(())
}

pub async fn what_is_deleted_is_no_longer_listed(stage: &Stage) -> Result<()> {
    let planted = plant(stage).await?;
    for key in planted.iter().rev() {
        stage.store.delete(key).await?;
    }
    for want in [List::Keys, List::Entries] {
        let listing = stage.second.list(&stage.all(), want, Consistency::Synced).await?;
        assert!(listing.clone().into_keys().is_empty() && listing.into_entries().is_empty());
    }
    Ok(())
}

pub async fn a_listing_says_up_to_where_it_is_complete(stage: &Stage) -> Result<()> {
    let put = stage.store.put(&stage.key("a"), "v").await?;
    for want in [List::Names, List::Keys, List::Entries] {
        for prefix in [stage.all(), stage.key("never").below()] {
            let listing = stage.second.list(&prefix, want, Consistency::Synced).await?;
            assert!(listing.revision >= put, "listed at {}, put at {put}", listing.revision);
        }
    }
    Ok(())
}

pub async fn many_entries_are_listed(stage: &Stage) -> Result<()> {
    const COUNT: usize = 1_000;
    let batch = stage.capabilities().txn_keys_max.min(100);
    let keys: Vec<Key> = (0..COUNT).map(|n| stage.key(&format!("n/{n:04}"))).collect();
    for some in keys.chunks(batch) {
        let txn = some.iter().fold(Txn::new(), |txn, key| txn.put(key, key.name().to_owned()));
        stage.store.commit(txn).await?;
    }
    let entries = stage.store.entries(&stage.all()).await?;
    assert!(entries.iter().map(|entry| &entry.key).eq(&keys));
    assert!(entries.iter().all(|entry| entry.value == entry.key.name()));
    assert_eq!(stage.store.names(&stage.key("n").below()).await?.len(), COUNT);
    Ok(())
}

/// Puts the [`TREE`].
async fn plant(stage: &Stage) -> Result<Vec<Key>> {
    let keys: Vec<Key> = TREE.iter().map(|name| stage.key(name)).collect();
    for key in &keys {
        stage.store.put(key, key.name().to_owned()).await?;
    }
    Ok(keys)
}

async fn names(stage: &Stage, prefix: &Prefix) -> Result<Vec<String>> {
    Ok(stage.second.list(prefix, List::Names, Consistency::Synced).await?.into_names())
}
