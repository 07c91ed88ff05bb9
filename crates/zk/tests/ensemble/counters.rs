//! Znodes that several writers set, each write guarded by the version that it replaces.
//!
//! A znode has one value for each version, so what was acknowledged fixes the history, and whatever anybody reads
//! can be judged by it.

use std::{collections::HashMap, sync::Arc};

use quorate_zk::{Client, CreateMode, ErrorCode, Outcome, ReplyBody, Request, SetData};

use crate::{
    tally::Tally,
    world::{Value, create, path, soon, value},
};

/// What one writer knows of one znode when it is done.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// The values that were acknowledged.
    acknowledged: Vec<Value>,
    /// The values that may have been written.
    unknown: Vec<Value>,
    /// The data that was said to be written never.
    never: Vec<String>,
    /// What it read.
    pub(crate) seen: Vec<Value>,
}

/// Makes the znode, at version 0.
pub(crate) async fn make(client: &Client, place: &str) {
    soon(client.request(create(place, "start", CreateMode::Persistent))).await.unwrap();
}

/// Reads and sets the znode in turns until told to stop. `writer` makes the data unique.
pub(crate) async fn write(client: Client, place: String, writer: String, tally: Arc<Tally>) -> Record {
    let mut record = Record::default();
    for number in 0_u64.. {
        if !tally.turn().await {
            break;
        }
        let (version, data) = value(&client, &place).await;
        record.seen.push((version, data));
        let data = format!("{writer}-{number}");
        let set = SetData { path: path(&place), data: Some(data.clone().into()), version };
        match soon(client.request(Request::SetData(set))).await {
            Ok(reply) => {
                let ReplyBody::Stat(stat) = reply.body else { panic!("a stat was expected, not {reply:?}") };
                assert_eq!(stat.version, version + 1, "{place}");
                record.acknowledged.push((stat.version, data));
                tally.acknowledged();
            }
            Err(error) => match tally.failed(&error, |error| error.code() == Some(ErrorCode::BadVersion)) {
                Outcome::Unknown => record.unknown.push((version + 1, data)),
                Outcome::NotSent | Outcome::Failed => record.never.push(data),
            },
        }
    }
    record
}

/// Compares what all writers of a znode were told with what it is in the end. `seen` is what others read.
pub(crate) fn judge(place: &str, records: &[Record], seen: &[Value], last: &Value) {
    let mut history = HashMap::from([(0, "start".to_owned())]);
    for (version, data) in records.iter().flat_map(|record| &record.acknowledged) {
        let other = history.insert(*version, data.clone());
        assert_eq!(other, None, "{place}: two writes made version {version}");
        assert!(*version <= last.0, "{place}: version {version} was acknowledged and is lost");
    }
    let mut unknown: HashMap<i32, Vec<&String>> = HashMap::new();
    for (version, data) in records.iter().flat_map(|record| &record.unknown) {
        unknown.entry(*version).or_default().push(data);
    }
    for version in 1..=last.0 {
        let is_told = history.contains_key(&version) || unknown.contains_key(&version);
        assert!(is_told, "{place}: version {version} is of a write that was said not to be made");
    }
    let all = records.iter().flat_map(|record| &record.seen).chain(seen).chain([last]);
    for (version, data) in all {
        let never = records.iter().any(|record| record.never.contains(data));
        assert!(!never, "{place}: {data} was read and was said never to be written");
        match history.get(version) {
            Some(acknowledged) => assert_eq!(data, acknowledged, "{place}: version {version}"),
            None => assert!(unknown[version].contains(&data), "{place}: nobody wrote {data} as {version}"),
        }
    }
}

/// The judge itself, on made-up records.
mod judging {
    use super::*;

    fn value(version: i32, data: &str) -> Value {
        (version, data.to_owned())
    }

    /// A writer that was acknowledged version 1, and knows nothing of version 2.
    fn record() -> Record {
        let (acknowledged, unknown) = (vec![value(1, "a")], vec![value(2, "b")]);
        Record { acknowledged, unknown, never: vec!["c".to_owned()], seen: vec![value(0, "start")] }
    }

    #[test]
    fn what_nobody_knows_may_have_happened_or_not() {
        judge("/x", &[record()], &[], &value(1, "a"));
        judge("/x", &[record()], &[value(1, "a")], &value(2, "b"));
    }

    #[test]
    #[should_panic(expected = "is lost")]
    fn an_acknowledged_write_that_is_missing_is_noticed() {
        judge("/x", &[record()], &[], &value(0, "start"));
    }

    #[test]
    #[should_panic(expected = "two writes made version 1")]
    fn a_version_that_was_acknowledged_twice_is_noticed() {
        judge("/x", &[record(), record()], &[], &value(1, "a"));
    }

    #[test]
    #[should_panic(expected = "said never to be written")]
    fn a_write_that_was_said_to_have_failed_is_noticed() {
        let failed = Record { never: vec!["b".to_owned()], ..Record::default() };
        judge("/x", &[record(), failed], &[], &value(2, "b"));
    }

    #[test]
    #[should_panic(expected = "version 3 is of a write that was said not to be made")]
    fn a_version_that_nobody_made_is_noticed() {
        judge("/x", &[record()], &[], &value(3, "d"));
    }

    #[test]
    #[should_panic(expected = "version 1")]
    fn another_value_than_the_acknowledged_one_is_noticed() {
        judge("/x", &[record()], &[value(1, "z")], &value(1, "a"));
    }
}
