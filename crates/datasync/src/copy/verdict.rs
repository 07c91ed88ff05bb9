//! What has to be done about one key. No I/O.

use crate::{Capabilities, Conflict, Entry, Error, Key, KeyError};

use super::batch::{Change, ChangeKind, Rel};

/// What has to be done about one key.
#[derive(Debug)]
pub(super) enum Verdict {
    Same,
    /// It is under a lease in the source, or only in the target and under a lease there.
    Leased,
    /// Only the target has it.
    Kept,
    Change(Change),
    /// The target cannot have it so.
    Refused(Key, Error),
}

impl Verdict {
    /// Compares what the source and the target have of a key, which is `key` in the target.
    pub(super) fn of(
        rel: &Rel,
        key: Key,
        (source, target): (Option<&Entry>, Option<&Entry>),
        deletes_extra: bool,
        capabilities: &Capabilities,
    ) -> Self {
        let change = |key, kind| Self::Change(Change { rel: rel.clone(), key, kind });
        match (source, target) {
            (Some(source), _) if source.lease.is_some() => Self::Leased,
            (Some(_), Some(target)) if target.lease.is_some() => {
                let error = Error::conflict(Conflict::LeaseChange, &key);
                Self::Refused(key, error.because("it is under a lease in the target"))
            }
            (Some(source), Some(target)) if source.value == target.value => Self::Same,
            (Some(source), target) => match capabilities.check_value(&key, source.value.len()) {
                Ok(()) => {
                    let value = source.value.clone();
                    change(
                        key,
                        match target {
                            Some(target) => ChangeKind::Replace(value, target.version),
                            None => ChangeKind::Create(value),
                        },
                    )
                }
                Err(error) => Self::Refused(key, error),
            },
            (None, Some(target)) if target.lease.is_some() || !deletes_extra => Self::Kept,
            (None, Some(target)) => change(key, ChangeKind::Delete(target.version)),
            (None, None) => Self::Same,
        }
    }

    /// The target can have no such key.
    pub(super) fn without_key(source: Option<&Entry>, why: KeyError) -> Self {
        source
            .filter(|source| source.lease.is_none())
            .map_or(Self::Same, |source| Self::Refused(source.key.clone(), Error::from(why).on(&source.key)))
    }
}
