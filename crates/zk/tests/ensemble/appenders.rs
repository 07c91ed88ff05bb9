//! Writers that add sequential children with unique names, several at a time.
//!
//! Every child that was ever made is still there in the end, so here the whole history is known, and a write that
//! was made although it was said not to be cannot hide.

use std::{collections::HashMap, sync::Arc};

use quorate_zk::{Client, CreateMode, Outcome, ReplyBody, Request};

use crate::{
    tally::Tally,
    world::{create, soon},
};

/// How many children are under way at once.
const IN_FLIGHT: u64 = 4;

/// What one writer was told of its children, which are known by their names without the number.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// The names with their numbers, in the order of the calls.
    acknowledged: Vec<(String, String)>,
    unknown: Vec<String>,
    never: Vec<String>,
}

fn child(parent: &str, name: &str) -> Request {
    create(&format!("{parent}/{name}-"), "", CreateMode::PersistentSequential)
}

/// Adds children until told to stop. `writer` makes their names unique.
pub(crate) async fn write(client: Client, parent: String, writer: String, tally: Arc<Tally>) -> Record {
    let mut record = Record::default();
    for round in 0_u64.. {
        if !tally.turn().await {
            break;
        }
        let name = |place| format!("{writer}.{}", round * IN_FLIGHT + place);
        let names: Vec<_> = (0..IN_FLIGHT).map(name).collect();
        let requests = names.iter().map(|name| child(&parent, name)).collect();
        for (name, response) in names.into_iter().zip(client.request_all(requests)) {
            match soon(response).await {
                Ok(reply) => {
                    let ReplyBody::Created { path, .. } = reply.body else { panic!("{reply:?}") };
                    record.acknowledged.push((name, path.name().unwrap().to_owned()));
                    tally.acknowledged();
                }
                Err(error) => match tally.failed(&error, |_| false) {
                    Outcome::Unknown => record.unknown.push(name),
                    Outcome::NotSent | Outcome::Failed => record.never.push(name),
                },
            }
        }
    }
    record
}

/// Compares what the writers were told with the children that there are in the end.
pub(crate) fn judge(parent: &str, records: &[Record], children: &[&str]) {
    let mut made: HashMap<&str, &str> = HashMap::new();
    for &child in children {
        let (name, _) = child.rsplit_once('-').unwrap();
        assert_eq!(made.insert(name, child), None, "{parent}: {name} was made twice");
    }
    let mut told = 0;
    for record in records {
        for (name, child) in &record.acknowledged {
            assert_eq!(made.get(name.as_str()), Some(&child.as_str()), "{parent}: {name} was acknowledged");
        }
        let numbers: Vec<_> =
            record.acknowledged.iter().map(|(_, child)| child.rsplit_once('-').unwrap().1).collect();
        assert!(numbers.is_sorted(), "{parent}: not in the order of the calls");
        for name in &record.never {
            assert!(!made.contains_key(name.as_str()), "{parent}: {name} was said never to be made");
        }
        let perhaps = record.unknown.iter().filter(|name| made.contains_key(name.as_str())).count();
        told += record.acknowledged.len() + perhaps;
    }
    assert_eq!(children.len(), told, "{parent}: children that nobody made");
}

/// The judge itself, on made-up records.
mod judging {
    use super::*;

    fn record() -> Record {
        let pair = |name: &str, child: &str| (name.to_owned(), child.to_owned());
        Record {
            acknowledged: vec![pair("a", "a-0000000000"), pair("b", "b-0000000002")],
            unknown: vec!["c".to_owned()],
            never: vec!["d".to_owned()],
        }
    }

    #[test]
    fn what_nobody_knows_may_have_happened_or_not() {
        judge("/x", &[record()], &["b-0000000002", "a-0000000000"]);
        judge("/x", &[record()], &["c-0000000001", "b-0000000002", "a-0000000000"]);
    }

    #[test]
    #[should_panic(expected = "b was acknowledged")]
    fn an_acknowledged_child_that_is_missing_is_noticed() {
        judge("/x", &[record()], &["a-0000000000"]);
    }

    #[test]
    #[should_panic(expected = "d was said never to be made")]
    fn a_child_that_was_said_to_have_failed_is_noticed() {
        judge("/x", &[record()], &["a-0000000000", "b-0000000002", "d-0000000003"]);
    }

    #[test]
    #[should_panic(expected = "a was made twice")]
    fn a_child_that_was_made_twice_is_noticed() {
        judge("/x", &[record()], &["a-0000000000", "a-0000000001", "b-0000000002"]);
    }

    #[test]
    #[should_panic(expected = "children that nobody made")]
    fn a_child_of_nobody_is_noticed() {
        judge("/x", &[record()], &["a-0000000000", "b-0000000002", "e-0000000003"]);
    }

    #[test]
    #[should_panic(expected = "not in the order of the calls")]
    fn another_order_than_that_of_the_calls_is_noticed() {
        let mut record = record();
        record.acknowledged.reverse();
        judge("/x", &[record], &["a-0000000000", "b-0000000002"]);
    }
}
