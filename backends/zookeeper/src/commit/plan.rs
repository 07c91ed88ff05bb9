//! From a transaction to a multi: what must be known first, and what is then sent.

use std::collections::HashMap;

use quorate_datasync::{Check, Conflict, Error, Key, LeaseRef, Result, Txn, Version, Write};
use quorate_zk::{Check as CheckOp, CreateMode, Delete, MultiOp, SetData, Stat as ZnodeStat, ZnodePath};

use crate::inner::Inner;
use crate::map;

/// The version that a server takes for "any".
const ANY: i32 = -1;

/// What was read of keys that a transaction is about; `None` for one that is absent.
pub(super) type Known = HashMap<Key, Option<ZnodeStat>>;

/// What is to be sent.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) ops: Vec<(MultiOp, Role)>,
    /// A conflict that shows in what is known. What comes before it in `ops` may be refused first.
    pub(super) refusal: Option<Error>,
}

/// What an operation of the multi stands for, by its place in the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Check(usize),
    Write(usize),
}

/// What is at a key, as far as is known.
enum Place<'s> {
    Unknown,
    Absent,
    Directory(&'s ZnodeStat),
    Entry(&'s ZnodeStat),
}

impl Inner {
    /// The keys of which something must be known before the transaction can be planned.
    pub(super) fn needs(&self, txn: &Txn, known: &Known) -> Vec<Key> {
        let checks = txn.checks().iter().filter(|check| match check {
            Check::Present(key) => self.grants.of(key).is_none(),
            Check::Absent(_) | Check::Version(..) => false,
        });
        let writes = txn.writes().iter().filter(|write| match write {
            Write::Put { key, lease, .. } => match checked(txn, key) {
                Some(Check::Absent(_)) => false,
                Some(Check::Version(_, version)) => {
                    map::is_leased(*version) && lease.as_ref().map(LeaseRef::grant) != self.grants.of(key)
                }
                Some(Check::Present(_)) | None => true,
            },
            Write::Delete { key } => checked(txn, key).is_none() && self.grants.of(key).is_none(),
            Write::CreateUnique { .. } => false,
            Write::KeepDirectory { .. } | Write::RemoveDirectory { .. } => true,
        });
        let mut needs: Vec<Key> = checks
            .map(Check::key)
            .chain(writes.filter_map(Write::key))
            .filter(|key| !known.contains_key(*key))
            .cloned()
            .collect();
        needs.sort();
        needs.dedup();
        needs
    }

    /// Plans the multi with what is known.
    pub(super) fn plan(&self, txn: &Txn, known: &Known) -> Result<Plan> {
        let mut plan = Plan::default();
        for (index, check) in txn.checks().iter().enumerate() {
            match self.plan_check(check, known)? {
                Ok(op) => plan.ops.extend(op.map(|op| (op, Role::Check(index)))),
                Err(conflict) => return Ok(plan.refused(conflict, check.key())),
            }
        }
        let checks = plan.ops.len();
        for (index, write) in txn.writes().iter().enumerate() {
            match self.plan_write(txn, write, known) {
                Ok(ops) => plan.ops.extend(ops.into_iter().map(|op| (op, Role::Write(index)))),
                Err((conflict, key)) => {
                    plan.ops.truncate(checks);
                    return Ok(plan.refused(conflict, &key));
                }
            }
        }
        plan.create_parents_first();
        Ok(plan)
    }

    fn plan_check(&self, check: &Check, known: &Known) -> Result<Result<Option<MultiOp>, Conflict>> {
        let path = self.paths.of(check.key());
        let op = |version| Some(MultiOp::Check(CheckOp { path, version }));
        Ok(match (check, place(known, check.key())) {
            (Check::Absent(_), Place::Entry(_)) => Err(Conflict::Present),
            (Check::Absent(_), _) => Ok(None),
            (Check::Present(_), Place::Absent | Place::Directory(_)) => Err(Conflict::Absent),
            (Check::Present(_), _) => Ok(op(ANY)),
            (Check::Version(_, version), Place::Entry(stat)) if map::version(stat) != *version => {
                Err(Conflict::Version)
            }
            (Check::Version(..), Place::Absent | Place::Directory(_)) => Err(Conflict::Version),
            (Check::Version(key, version), _) => match map::compared(*version) {
                Some(version) => Ok(op(version)),
                None => {
                    let what = "a key that was written 2^32 times: its version means any";
                    return Err(Error::unsupported("commit", what).on(key));
                }
            },
        })
    }

    fn plan_write(&self, txn: &Txn, write: &Write, known: &Known) -> Result<Vec<MultiOp>, (Conflict, Key)> {
        let place = write.key().map_or(Place::Unknown, |key| place(known, key));
        Ok(match write {
            Write::Put { key, value, lease, .. } => {
                let path = self.paths.of(key);
                let set = |version| SetData { path: path.clone(), data: Some(value.clone()), version };
                let mode = if lease.is_some() { CreateMode::Ephemeral } else { CreateMode::Persistent };
                let make = || MultiOp::Create(self.create(path.clone(), Some(value.clone()), mode));
                let refused = |conflict| (conflict, key.clone());
                match (place, checked(txn, key)) {
                    (Place::Unknown, Some(Check::Version(_, version))) => {
                        if map::is_leased(*version) != lease.is_some() {
                            return Err(refused(Conflict::LeaseChange));
                        }
                        vec![MultiOp::SetData(set(ANY))]
                    }
                    (Place::Unknown | Place::Absent, _) => vec![make()],
                    (Place::Directory(stat), _) if lease.is_none() => {
                        // Only as long as it is a directory: whoever makes it an entry first wins.
                        vec![MultiOp::SetData(set(stat.version))]
                    }
                    (Place::Directory(stat), _) if stat.num_children > 0 => {
                        return Err(refused(Conflict::HasChildren));
                    }
                    (Place::Directory(stat), _) => {
                        vec![MultiOp::Delete(Delete { path: path.clone(), version: stat.version }), make()]
                    }
                    (Place::Entry(stat), _) if self.keeps_lease(key, stat, lease.as_ref()) => {
                        vec![MultiOp::SetData(set(ANY))]
                    }
                    (Place::Entry(_), _) => return Err(refused(Conflict::LeaseChange)),
                }
            }
            Write::Delete { key } => match place {
                Place::Absent => Vec::new(),
                // Refused if it is not empty, which shows whether there are keys below it.
                Place::Directory(stat) if stat.num_children > 0 => {
                    vec![delete(self.paths.of(key), stat.version)]
                }
                Place::Directory(_) => Vec::new(),
                Place::Unknown | Place::Entry(_) => vec![delete(self.paths.of(key), ANY)],
            },
            Write::CreateUnique { parent, stem, value, lease } => {
                let mode = if lease.is_some() {
                    CreateMode::EphemeralSequential
                } else {
                    CreateMode::PersistentSequential
                };
                let path = self.paths.of(parent).join(stem);
                let path = path.expect("a stem was checked to be part of a key");
                vec![MultiOp::Create(self.create(path, Some(value.clone()), mode))]
            }
            Write::KeepDirectory { key } => match place {
                Place::Directory(_) | Place::Entry(_) => Vec::new(),
                Place::Absent | Place::Unknown => {
                    vec![MultiOp::Create(self.create(self.paths.of(key), None, CreateMode::Persistent))]
                }
            },
            Write::RemoveDirectory { key } => match place {
                Place::Directory(stat) if stat.num_children > 0 => {
                    return Err((Conflict::HasChildren, key.clone()));
                }
                Place::Directory(stat) => vec![delete(self.paths.of(key), stat.version)],
                Place::Absent | Place::Entry(_) | Place::Unknown => Vec::new(),
            },
        })
    }

    /// Whether a put leaves the lease of an entry as it is.
    fn keeps_lease(&self, key: &Key, stat: &ZnodeStat, lease: Option<&LeaseRef>) -> bool {
        match lease {
            None => stat.ephemeral_owner.is_none(),
            Some(lease) => {
                stat.ephemeral_owner.get().cast_unsigned() == lease.id().get()
                    && self.grants.of(key).is_none_or(|grant| grant == lease.grant())
            }
        }
    }
}

impl Plan {
    /// Orders the creations among themselves by depth: an entry that is put with one below it is created as such, not
    /// as a directory.
    fn create_parents_first(&mut self) {
        let is_create = |op: &(MultiOp, Role)| matches!(op, (MultiOp::Create(_), _));
        let places: Vec<usize> = (0..self.ops.len()).filter(|&at| is_create(&self.ops[at])).collect();
        let mut creates: Vec<_> = places.iter().map(|&at| self.ops[at].clone()).collect();
        creates.sort_by_key(|(op, _)| match op {
            MultiOp::Create(create) => create.path.as_str().matches('/').count(),
            _ => 0,
        });
        for (at, create) in places.into_iter().zip(creates) {
            self.ops[at] = create;
        }
    }

    fn refused(mut self, conflict: Conflict, key: &Key) -> Self {
        self.refusal = Some(Error::conflict(conflict, key));
        self
    }
}

/// The check of a key in the same transaction, if there is one. That of its version says most.
pub(super) fn checked<'t>(txn: &'t Txn, key: &Key) -> Option<&'t Check> {
    let mut checks: Vec<_> = txn.checks().iter().filter(|check| check.key() == key).collect();
    checks.sort_by_key(|check| !matches!(check, Check::Version(..)));
    checks.first().copied()
}

/// The version that the transaction demands of a key.
pub(super) fn demanded(txn: &Txn, key: &Key) -> Option<Version> {
    match checked(txn, key) {
        Some(Check::Version(_, version)) => Some(*version),
        _ => None,
    }
}

fn place<'k>(known: &'k Known, key: &Key) -> Place<'k> {
    match known.get(key) {
        None => Place::Unknown,
        Some(None) => Place::Absent,
        Some(Some(stat)) if map::is_entry(stat) => Place::Entry(stat),
        Some(Some(stat)) => Place::Directory(stat),
    }
}

const fn delete(path: ZnodePath, version: i32) -> MultiOp {
    MultiOp::Delete(Delete { path, version })
}
