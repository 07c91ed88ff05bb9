//! Committing: a transaction is one multi.
//!
//! Where the multi depends on what is there (does a blind put create or set? is that znode a directory?) it is read
//! first, and read again if it changed meanwhile, within a limit. An attempt whose outcome is open is never repeated
//! here; the error says so.

mod parents;
mod plan;
mod results;

use futures_util::future::join_all;
use quorate_datasync::{
    Check, Committed, Conflict, Consistency, Error, ErrorKind, Key, LeaseRef, List, Result, Txn, Want, Write,
};
use quorate_zk::{ErrorCode, Multi, MultiResult, Reply, ReplyBody, Request, RequestError, SessionToken};

use self::plan::{Known, Plan, Role, demanded};
use crate::error::{classify, refusal};
use crate::inner::Inner;
use crate::read::odd_answer;

/// How often a transaction is planned anew because something moved.
const ATTEMPTS_MAX: usize = 32;

/// What came of one attempt.
enum Attempt {
    Done(Committed),
    /// Something moved, or a parent was missing: plan again.
    Again,
}

impl Inner {
    /// Commits a transaction that was found valid.
    pub(crate) async fn commit(&self, txn: &Txn) -> Result<Committed> {
        if txn.checks().is_empty() && txn.writes().is_empty() {
            return self.only_reads(txn).await;
        }
        let mut known = Known::new();
        for _ in 0..ATTEMPTS_MAX {
            self.look(&self.needs(txn, &known), &mut known).await?;
            let plan = self.plan(txn, &known)?;
            if let Attempt::Done(committed) = self.attempt(txn, plan, &mut known).await? {
                return Ok(committed);
            }
        }
        let key = txn.writes().iter().find_map(Write::key).or_else(|| txn.checks().first().map(Check::key));
        let contended = Error::new(ErrorKind::Conflict(Conflict::Contended), "commit");
        Err(key.map_or(contended, |key| Error::conflict(Conflict::Contended, key)))
    }

    async fn attempt(&self, txn: &Txn, plan: Plan, known: &mut Known) -> Result<Attempt> {
        let Plan { ops, refusal } = plan;
        if let Some(refusal) = refusal {
            return self.refuse(txn, ops, refusal, known).await;
        }
        let (ops, roles): (Vec<_>, Vec<_>) = ops.into_iter().unzip();
        if ops.is_empty() {
            // What was to be written is so already.
            let reads = self.only_reads(txn).await?;
            return Ok(Attempt::Done(self.describe(txn, &roles, &[], reads.revision, reads.answers)));
        }
        let mut requests = vec![Request::Multi(Multi { ops })];
        requests.extend(txn.reads().iter().map(|read| self.trailing(read)));
        let session = self.session_of(txn)?;
        let expected = self.expect(txn);
        let responses = match session {
            Some(session) => self.client.request_all_in(&session, requests),
            None => self.client.request_all(requests),
        };
        let mut responses = responses.into_iter();
        let multi = responses.next().expect("there is a response for every request");
        let (zxid, results) = match multi.await {
            Ok(Reply { zxid, body: ReplyBody::Multi(results), .. }) => (zxid, results),
            Ok(_) => return Err(odd_answer("commit").perhaps_applied()),
            Err(error) => {
                if !error.maybe_applied() {
                    self.unexpect(&expected);
                }
                return Err(failed(txn, error));
            }
        };
        if let Some((index, code)) = MultiResult::first_error(&results) {
            self.unexpect(&expected);
            return self.refused(txn, roles.get(index).copied(), code, known).await;
        }
        self.applied(txn, &roles, &results);
        let mut answers = Vec::with_capacity(txn.reads().len());
        for (read, response) in txn.reads().iter().zip(responses) {
            answers.push(self.answer(read, response).await.map_err(Error::perhaps_applied)?);
        }
        Ok(Attempt::Done(self.describe(txn, &roles, &results, crate::map::revision(zxid), answers)))
    }

    /// The session that a transaction belongs to because it puts keys under a lease: it is sent in that one or never.
    fn session_of(&self, txn: &Txn) -> Result<Option<SessionToken>> {
        let Some((_, lease)) = leased(txn).next() else { return Ok(None) };
        match self.grants.session(lease.grant()) {
            Some(session) => Ok(Some(session)),
            None => {
                Err(Error::new(ErrorKind::LeaseEnded, "commit").because("the lease is not of this store"))
            }
        }
    }

    /// A conflict shows already; but a check before it may be refused first.
    async fn refuse(
        &self,
        txn: &Txn,
        checks: Vec<(quorate_zk::MultiOp, Role)>,
        refusal: Error,
        known: &mut Known,
    ) -> Result<Attempt> {
        if checks.is_empty() {
            return Err(refusal);
        }
        let (ops, roles): (Vec<_>, Vec<_>) = checks.into_iter().unzip();
        match self.client.request(Request::Multi(Multi { ops })).await {
            Ok(Reply { body: ReplyBody::Multi(results), .. }) => match MultiResult::first_error(&results) {
                Some((index, code)) => self.refused(txn, roles.get(index).copied(), code, known).await,
                None => Err(refusal),
            },
            Ok(_) => Err(odd_answer("commit")),
            // Nothing was to be written, so nothing is open.
            Err(error) => Err(classify("commit", refusal.key(), error.failed())),
        }
    }

    /// The server refused one operation of the multi, and so all of it.
    async fn refused(
        &self,
        txn: &Txn,
        role: Option<Role>,
        code: ErrorCode,
        known: &mut Known,
    ) -> Result<Attempt> {
        match (role, code) {
            (_, ErrorCode::SessionExpired) => Err(expired(txn)),
            (Some(Role::Check(index)), ErrorCode::NoNode | ErrorCode::BadVersion) => {
                self.check_refused(txn, index, known).await
            }
            (Some(Role::Write(index)), _) => self.write_refused(txn, &txn.writes()[index], code, known).await,
            (Some(Role::Check(index)), code) => Err(refusal(code).on(txn.checks()[index].key())),
            (None, code) => Err(refusal(code)),
        }
    }

    async fn check_refused(&self, txn: &Txn, index: usize, known: &mut Known) -> Result<Attempt> {
        // An absence is checked by the creation that comes after, so one before this check may be refused first.
        let before: Vec<Key> = txn.checks()[..index]
            .iter()
            .filter_map(|check| if let Check::Absent(key) = check { Some(key.clone()) } else { None })
            .collect();
        self.look(&before, known).await?;
        let present = before
            .iter()
            .find(|key| known.get(*key).is_some_and(|stat| stat.as_ref().is_some_and(crate::map::is_entry)));
        if let Some(key) = present {
            return Err(Error::conflict(Conflict::Present, key));
        }
        let check = &txn.checks()[index];
        let conflict = if matches!(check, Check::Present(_)) { Conflict::Absent } else { Conflict::Version };
        Err(Error::conflict(conflict, check.key()))
    }

    async fn write_refused(
        &self,
        txn: &Txn,
        write: &Write,
        code: ErrorCode,
        known: &mut Known,
    ) -> Result<Attempt> {
        let key = match write {
            Write::CreateUnique { parent, .. } => parent,
            Write::Put { key, .. }
            | Write::Delete { key }
            | Write::KeepDirectory { key }
            | Write::RemoveDirectory { key } => key,
        };
        let is_created =
            matches!(write, Write::Put { .. } | Write::KeepDirectory { .. } | Write::CreateUnique { .. });
        match code {
            ErrorCode::NoChildrenForEphemerals => return Err(Error::conflict(Conflict::BelowLeased, key)),
            ErrorCode::NotEmpty if matches!(write, Write::Delete { .. }) => self.prune(key).await?,
            ErrorCode::NotEmpty => return Err(Error::conflict(Conflict::HasChildren, key)),
            ErrorCode::NoNode if is_created => {
                let directory = self.paths.of(key);
                let directory = match write {
                    Write::CreateUnique { .. } => Some(directory),
                    _ => directory.parent(),
                };
                if let Some(directory) = directory {
                    self.make_directories(&directory, key).await?;
                }
            }
            ErrorCode::NoNode | ErrorCode::NodeExists | ErrorCode::BadVersion => {}
            code => return Err(refusal(code).on(key)),
        }
        if demanded(txn, key).is_none() || known.contains_key(key) {
            self.look(std::slice::from_ref(key), known).await?;
        }
        // Whatever else was known may have moved as well.
        known.retain(|held, _| held == key);
        Ok(Attempt::Again)
    }

    /// Reads what is at some keys, caught up with the leader: what a transaction leaves out must be so everywhere.
    async fn look(&self, keys: &[Key], known: &mut Known) -> Result<()> {
        let stats = join_all(keys.iter().map(|key| self.znode_stat(key))).await;
        for (key, stat) in keys.iter().zip(stats) {
            known.insert(key.clone(), stat?);
        }
        Ok(())
    }

    /// Nothing is left to be written: only the trailing reads, and the revision that they are current at.
    async fn only_reads(&self, txn: &Txn) -> Result<Committed> {
        let key = txn.writes().iter().find_map(Write::key).or_else(|| txn.checks().first().map(Check::key));
        let mut revision = None;
        let mut answers = Vec::with_capacity(txn.reads().len());
        for read in txn.reads() {
            let (answer, at) = match read {
                quorate_datasync::ThenRead::Get(key) => {
                    let read = self.read(key, Want::Value, Consistency::Synced).await?;
                    let at = read.revision;
                    (quorate_datasync::Answer::Entry(read.into_entry()), at)
                }
                quorate_datasync::ThenRead::Names(prefix) => {
                    let listing = self.list(prefix, List::Names, Consistency::Synced).await?;
                    let at = listing.revision;
                    (quorate_datasync::Answer::Names(listing.into_names()), at)
                }
            };
            revision.get_or_insert(at);
            answers.push(answer);
        }
        let revision = match (revision, key) {
            (Some(revision), _) => revision,
            (None, Some(key)) => self.read(key, Want::Stat, Consistency::Synced).await?.revision,
            (None, None) => quorate_datasync::Revision::ZERO,
        };
        Ok(Committed::new(revision, Vec::new(), answers))
    }

    /// Remembers what is about to be put under leases. Gives back what was not remembered before.
    fn expect<'t>(&self, txn: &'t Txn) -> Vec<(&'t Write, &'t LeaseRef)> {
        leased(txn)
            .filter(|(write, lease)| match write {
                Write::CreateUnique { parent, stem, .. } => {
                    self.grants.add_stem(lease.grant(), parent, stem);
                    true
                }
                _ => write.key().is_some_and(|key| self.grants.add(lease.grant(), key)),
            })
            .collect()
    }

    /// Forgets what was not put under leases after all.
    fn unexpect(&self, expected: &[(&Write, &LeaseRef)]) {
        for (write, lease) in expected {
            match write {
                Write::CreateUnique { parent, stem, .. } => {
                    self.grants.remove_stem(lease.grant(), parent, stem);
                }
                _ => {
                    if let Some(key) = write.key() {
                        self.grants.remove(key);
                    }
                }
            }
        }
    }

    /// The multi was applied: remembers what is under which lease.
    fn applied(&self, txn: &Txn, roles: &[Role], results: &[MultiResult]) {
        for (index, write) in txn.writes().iter().enumerate() {
            match write {
                Write::CreateUnique { lease: Some(lease), parent, stem, .. } => {
                    if let Some(key) = self.written_key(index, write, roles, results) {
                        self.grants.add(lease.grant(), &key);
                        self.grants.remove_stem(lease.grant(), parent, stem);
                    }
                }
                Write::Delete { key } => self.grants.remove(key),
                _ => {}
            }
        }
    }
}

/// The multi itself failed.
fn failed(txn: &Txn, error: RequestError) -> Error {
    if error.is_session_expired() && leased(txn).next().is_some() {
        let ended = expired(txn);
        let ended = if error.maybe_applied() { ended.perhaps_applied() } else { ended };
        return ended.caused_by(error);
    }
    let key = txn.writes().iter().find_map(Write::key).or_else(|| txn.checks().first().map(Check::key));
    classify("commit", key, error)
}

/// The session ended before the transaction was applied: the leases with it, and otherwise the next session can be
/// asked.
fn expired(txn: &Txn) -> Error {
    let has_lease = leased(txn).next().is_some();
    let kind = if has_lease { ErrorKind::LeaseEnded } else { ErrorKind::Unreachable };
    Error::new(kind, "commit").because("the session expired")
}

/// The writes of a transaction that put keys under a lease.
fn leased(txn: &Txn) -> impl Iterator<Item = (&Write, &LeaseRef)> {
    txn.writes().iter().filter_map(|write| match write {
        Write::Put { lease: Some(lease), .. } | Write::CreateUnique { lease: Some(lease), .. } => {
            Some((write, lease))
        }
        _ => None,
    })
}
