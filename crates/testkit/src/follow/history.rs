//! Random histories of a few nodes.

use fastrand::Rng;

/// What is written to one node; `None` deletes it.
pub(crate) type Write = (String, Option<String>);

/// A few nodes, so that each is written often; one of them deeper than the others.
const NODES: [&str; 6] = ["a", "b", "c", "d", "deep/down", "e"];

/// Few values, so that they repeat; a third does not pass the filter, halves of some are equal, and one is no number.
const VALUES: [&str; 8] = ["1", "2", "3", "4", "5", "6", "7", "not a number"];

/// One commit: mostly of one node, sometimes of several, never twice of one.
pub(crate) fn commit(rng: &mut Rng, keys_max: usize) -> Vec<Write> {
    let several = rng.usize(1..=3).min(keys_max);
    let count = if rng.u8(..4) == 0 { several } else { 1 };
    rng.choose_multiple(NODES, count).into_iter().map(|node| (node.to_owned(), value(rng))).collect()
}

fn value(rng: &mut Rng) -> Option<String> {
    if rng.u8(..3) == 0 {
        return None;
    }
    rng.choice(VALUES).map(ToOwned::to_owned)
}
