//! Many structs below one directory.

use std::sync::Arc;

use futures_util::future::join_all;
use quorate_datasync::{MapOptions, OpenError, Shared, SharedMap, StoreExt};

use super::Claim;
use super::agent::{Agent, next};
use crate::conformance::Stage;

/// Names that a store would refuse, or take for something else.
const AWKWARD: [&str; 9] = ["", ".", "..", "a/b", "%", "%2E", "payload", "ä \u{1f600}", "web"];

type Agents = SharedMap<String, Agent>;

fn agents(stage: &Stage) -> Agents {
    SharedMap::open(&stage.store, stage.key("agents")).expect("a claim's key is good")
}

fn others(stage: &Stage) -> Agents {
    SharedMap::open(&stage.second, stage.key("agents")).expect("a claim's key is good")
}

fn is_one(left: &Shared<Agent>, right: &Shared<Agent>) -> bool {
    Arc::ptr_eq(&left.peek(), &right.peek())
}

pub async fn a_map_has_one_live_copy_for_each_key(stage: &Stage) -> Claim {
    let map = agents(stage);
    let web = "web".to_owned();
    let opened = join_all((0..8).map(|_| map.get_or_create(&web, Agent::default))).await;
    let opened = opened.into_iter().collect::<Result<Vec<_>, _>>()?;
    assert!(opened.iter().all(|agent| is_one(agent, &opened[0])));
    assert!(is_one(&map.clone().join(&web).await?, &opened[0]));
    let db = map.get_or_create(&"db".into(), Agent::default).await?;
    assert!(!is_one(&db, &opened[0]));
    assert_eq!(map.live(), 2);
    opened[0].update(|agent| agent.interval = 7).await?;
    assert_eq!((opened[1].read()?.interval, db.read()?.interval), (7, 0));
    Ok(())
}

pub async fn a_copy_of_a_map_ends_with_its_last_user(stage: &Stage) -> Claim {
    let map = agents(stage);
    let listeners = stage.key("agents/web/listeners").below();
    let first = map.get_or_create(&"web".into(), Agent::default).await?;
    let second = map.join(&"web".into()).await?;
    drop(first);
    assert_eq!(map.live(), 1);
    assert_eq!(stage.second.names(&listeners).await?.len(), 1);
    drop(second);
    assert_eq!(map.live(), 0);
    Ok(())
}

pub async fn a_map_keeps_the_copies_that_were_asked_for_last(stage: &Stage) -> Claim {
    let options = MapOptions::new().keep(2);
    let map = Agents::open_with(&stage.store, stage.key("agents"), options)?;
    for name in ["a", "b", "a", "c"] {
        map.get_or_create(&name.into(), Agent::default).await?;
    }
    assert_eq!(map.live(), 2);
    let a = map.join(&"a".into()).await?;
    map.remove(&"a".into()).await?;
    drop(a);
    assert_eq!(map.live(), 1);
    Ok(())
}

pub async fn the_keys_of_a_map_are_those_whose_structs_exist(stage: &Stage) -> Claim {
    let (map, others) = (agents(stage), others(stage));
    assert!(map.keys().await?.is_empty());
    for name in AWKWARD {
        let agent = map.get_or_create(&name.into(), || Agent::watching(&[name])).await?;
        assert_eq!(agent.peek().processes, [name]);
    }
    let mut keys = others.keys().await?;
    keys.sort_unstable();
    let mut expected = AWKWARD.map(str::to_owned).to_vec();
    expected.sort_unstable();
    assert_eq!(keys, expected);
    for name in AWKWARD {
        assert_eq!(others.join(&name.into()).await?.peek().processes, [name]);
        assert!(others.remove(&name.into()).await?.is_some());
    }
    assert!(map.keys().await?.is_empty());
    Ok(())
}

pub async fn the_keys_of_a_map_are_told_as_they_come_and_go(stage: &Stage) -> Claim {
    let (map, others) = (agents(stage), others(stage));
    let _first = others.get_or_create(&"a".into(), Agent::default).await?;
    let mut told = map.watch_keys();
    assert_eq!(next(&mut told).await.added, ["a"]);
    let b = others.get_or_create(&"b".into(), Agent::default).await?;
    b.update(|agent| agent.interval = 1).await?;
    let change = next(&mut told).await;
    assert_eq!((change.added, change.removed), (vec!["b".to_owned()], vec![]));
    others.remove(&"a".into()).await?;
    let change = next(&mut told).await;
    assert_eq!((change.added, change.removed), (vec![], vec!["a".to_owned()]));
    Ok(())
}

pub async fn a_struct_that_was_removed_from_a_map_can_be_made_again(stage: &Stage) -> Claim {
    let (map, web) = (agents(stage), "web".to_owned());
    assert_eq!(map.remove(&web).await?, None);
    let agent = map.get_or_create(&web, || Agent::watching(&["old"])).await?;
    assert!(map.remove(&web).await?.is_some());
    assert!(agent.is_deleted());
    assert!(matches!(map.join(&web).await, Err(OpenError::Missing(_))));
    let again = map.get_or_create(&web, || Agent::watching(&["new"])).await?;
    assert_eq!(again.read()?.processes, ["new"]);
    assert!(is_one(&again, &agent));
    Ok(())
}

pub async fn a_key_that_leaves_no_room_in_a_map_is_refused(stage: &Stage) -> Claim {
    let map = agents(stage);
    assert!(map.get_or_create(&"k".repeat(1_000), Agent::default).await.is_err());
    assert!(map.join(&"/".repeat(400)).await.is_err());
    let long = "k".repeat(800);
    let agent = map.get_or_create(&long, Agent::default).await?;
    agent.update(|agent| agent.interval = 1).await?;
    assert_eq!(map.keys().await?, [long]);
    Ok(())
}

pub async fn a_dropped_opening_of_a_map_holds_nobody_up(stage: &Stage) -> Claim {
    let (map, web) = (agents(stage), "web".to_owned());
    for _ in 0..10 {
        let opening = map.get_or_create(&web, Agent::default);
        tokio::select! {
            biased;
            opened = opening => drop(opened?),
            () = tokio::task::yield_now() => {}
        }
    }
    map.get_or_create(&web, Agent::default).await?.read()?;
    Ok(())
}
