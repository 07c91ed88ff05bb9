//! The smallest difference between two contents.

use std::cmp::Ordering;
use std::iter::Peekable;

use super::Entries;
use crate::Entry;

/// One key of two contents.
pub(super) enum Side<'o, 'n> {
    /// Only the old content has it.
    Old(&'o Entry),
    /// Only the new content has it.
    New(&'n Entry),
    /// Both have it: the old entry and the new one.
    Both(&'o Entry, &'n Entry),
}

/// Walks along two contents at once, in the order of the keys.
pub(super) fn sides<'o, 'n>(old: &'o Entries, new: &'n Entries) -> impl Iterator<Item = Side<'o, 'n>> {
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    std::iter::from_fn(move || next_side(&mut old, &mut new))
}

fn next_side<'o, 'n>(
    old: &mut Peekable<impl Iterator<Item = &'o Entry>>,
    new: &mut Peekable<impl Iterator<Item = &'n Entry>>,
) -> Option<Side<'o, 'n>> {
    let order = match (old.peek(), new.peek()) {
        (Some(old), Some(new)) => old.key.cmp(&new.key),
        (Some(_), None) => Ordering::Less,
        (None, _) => Ordering::Greater,
    };
    match order {
        Ordering::Less => old.next().map(Side::Old),
        Ordering::Greater => new.next().map(Side::New),
        Ordering::Equal => old.next().zip(new.next()).map(|(old, new)| Side::Both(old, new)),
    }
}
