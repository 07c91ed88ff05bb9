//! The rules of a commit, applied within a transaction of the database.

use std::collections::HashMap;

use bytes::Bytes;
use quorate_datasync::{
    Answer, Check, Committed, Conflict, Entry, Error, ErrorKind, Key, LeaseRef, Prefix, Result, ThenRead,
    Txn, Write, Written,
};
use rusqlite::{Connection, OptionalExtension};
use tokio::sync::watch;

use crate::clock;
use crate::error::During;
use crate::history::{Book, Change};
use crate::read::{self, Record, range, revision};

/// The leases that this store holds, and where to say that one has ended.
pub(crate) type Leases = HashMap<i64, watch::Sender<bool>>;

/// The writes of one revision while they are being made.
#[derive(Debug)]
pub(crate) struct Ledger<'a> {
    conn: &'a Connection,
    book: &'a mut Book,
    /// The place of the next change in the commit.
    step: i64,
}

/// What is put, and how it vanishes.
struct NewValue<'w> {
    value: &'w Bytes,
    lease: Option<(i64, i64)>,
    ttl: Option<i64>,
}

impl<'a> Ledger<'a> {
    /// Begins a revision.
    pub(crate) const fn new(conn: &'a Connection, book: &'a mut Book) -> Self {
        book.revision += 1;
        Self { conn, book, step: 0 }
    }

    /// Deletes a key and says so in the history.
    pub(crate) fn remove(&mut self, key: &str, record: &Record) -> rusqlite::Result<()> {
        self.conn.prepare_cached("DELETE FROM entry WHERE key = ?1")?.execute([key])?;
        self.release(record)?;
        self.record(key, record.created, None, None, 0)
    }

    fn put(&mut self, key: &Key, before: Option<&Record>, new: &NewValue<'_>) -> rusqlite::Result<Record> {
        self.conn.prepare_cached("INSERT INTO value (bytes) VALUES (?1)")?.execute([&**new.value])?;
        let record = Record {
            created: before.map_or(self.book.revision, |before| before.created),
            revision: self.book.revision,
            lease: new.lease.map(|(lease, _)| lease),
            holder: new.lease.map(|(_, holder)| holder),
            deadline: new.ttl.map(|ttl| clock::uptime_ms().saturating_add(ttl)),
            value: self.conn.last_insert_rowid(),
            bytes: i64::try_from(new.value.len()).unwrap_or(i64::MAX),
        };
        let Record { created, revision, lease, holder, deadline, value, bytes } = record;
        self.conn
            .prepare_cached("REPLACE INTO entry VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?
            .execute((key.as_str(), created, revision, lease, holder, new.ttl, deadline, value, bytes))?;
        if let Some(before) = before {
            self.release(before)?;
        }
        self.record(key.as_str(), created, lease, Some(value), bytes)?;
        Ok(record)
    }

    /// Deletes a value that no entry names any more, unless the history does.
    fn release(&self, record: &Record) -> rusqlite::Result<()> {
        if record.revision <= self.book.floor {
            self.conn.prepare_cached("DELETE FROM value WHERE id = ?1")?.execute([record.value])?;
        }
        Ok(())
    }

    fn record(
        &mut self,
        key: &str,
        created: i64,
        lease: Option<i64>,
        value: Option<i64>,
        bytes: i64,
    ) -> rusqlite::Result<()> {
        let step = self.step;
        self.step += 1;
        self.book.record(self.conn, &Change { step, key, created, lease, value, bytes })
    }
}

/// Applies a transaction. On an error the caller takes back what was written so far, the book included.
pub(crate) fn apply(
    conn: &Connection,
    book: &mut Book,
    leases: &Leases,
    holder: i64,
    txn: &Txn,
) -> Result<Committed> {
    txn.checks().iter().try_for_each(|check| check_one(conn, check))?;
    let mut written = Vec::with_capacity(txn.writes().len());
    if !txn.writes().is_empty() {
        let mut ledger = Ledger::new(conn, book);
        for write in txn.writes() {
            written.push(write_one(&mut ledger, leases, holder, write)?);
        }
    }
    let answers = txn.reads().iter().map(|read| answer(conn, read)).collect::<Result<_>>()?;
    Ok(Committed::new(revision(book.revision), written, answers))
}

fn check_one(conn: &Connection, check: &Check) -> Result<()> {
    let found = read::record(conn, check.key().as_str()).during("commit")?;
    let refused = match check {
        Check::Absent(_) => found.map(|_| Conflict::Present),
        Check::Present(_) => found.is_none().then_some(Conflict::Absent),
        Check::Version(_, version) => {
            let holds = found.is_some_and(|record| record.version() == *version);
            (!holds).then_some(Conflict::Version)
        }
    };
    refused.map_or(Ok(()), |conflict| Err(Error::conflict(conflict, check.key())))
}

fn write_one(ledger: &mut Ledger<'_>, leases: &Leases, holder: i64, write: &Write) -> Result<Written> {
    // A refusal names the key that the caller named: of a unique name, its parent.
    let (key, named, value, lease, ttl) = match write {
        Write::Put { key, value, lease, ttl } => {
            let ttl = ttl.map(|ttl| i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX));
            (key.clone(), key, value, lease, ttl)
        }
        Write::CreateUnique { parent, stem, value, lease } => {
            (unique(ledger, parent, stem)?, parent, value, lease, None)
        }
        Write::Delete { key } => return delete(ledger, key),
        Write::KeepDirectory { .. } | Write::RemoveDirectory { .. } => return Ok(Written::Directory),
    };
    let lease =
        lease.as_ref().map(|lease| live(leases, lease)).transpose().map_err(|error| error.on(named))?;
    let before = read::record(ledger.conn, key.as_str()).during("commit")?;
    let refused = match &before {
        Some(before) => (before.lease != lease).then_some(Conflict::LeaseChange),
        None if is_below_leased(ledger.conn, &key)? => Some(Conflict::BelowLeased),
        None if lease.is_some() && has_below(ledger.conn, &key)? => Some(Conflict::HasChildren),
        None => None,
    };
    if let Some(conflict) = refused {
        return Err(Error::conflict(conflict, named));
    }
    let new = NewValue { value, lease: lease.map(|lease| (lease, holder)), ttl };
    let record = ledger.put(&key, before.as_ref(), &new).during("commit")?;
    Ok(Written::Put(record.stat(key)))
}

fn delete(ledger: &mut Ledger<'_>, key: &Key) -> Result<Written> {
    if has_below(ledger.conn, key)? {
        return Err(Error::conflict(Conflict::HasChildren, key));
    }
    if let Some(record) = read::record(ledger.conn, key.as_str()).during("commit")? {
        ledger.remove(key.as_str(), &record).during("commit")?;
    }
    Ok(Written::Deleted)
}

/// The number of a lease that this store holds and that has not ended.
fn live(leases: &Leases, lease: &LeaseRef) -> Result<i64> {
    lease.check()?;
    i64::try_from(lease.id().get())
        .ok()
        .filter(|number| leases.contains_key(number))
        .ok_or_else(|| Error::new(ErrorKind::LeaseEnded, "commit"))
}

/// A key below `parent` that does not exist, with a number that no name had before.
fn unique(ledger: &mut Ledger<'_>, parent: &Key, stem: &str) -> Result<Key> {
    loop {
        ledger.book.sequence += 1;
        let name = format!("{stem}{:010}", ledger.book.sequence);
        let key = parent.join(&name).map_err(|error| Error::from(error).on(parent))?;
        // Somebody may have put a key of that name by hand.
        if read::record(ledger.conn, key.as_str()).during("commit")?.is_none()
            && !has_below(ledger.conn, &key)?
        {
            return Ok(key);
        }
    }
}

fn has_below(conn: &Connection, key: &Key) -> Result<bool> {
    conn.prepare_cached("SELECT EXISTS (SELECT 1 FROM entry WHERE key >= ?1 AND key < ?2)")
        .and_then(|mut statement| statement.query_row(range(&key.below()), |row| row.get(0)))
        .during("commit")
}

fn is_below_leased(conn: &Connection, key: &Key) -> Result<bool> {
    let mut statement =
        conn.prepare_cached("SELECT 1 FROM entry WHERE key = ?1 AND lease IS NOT NULL").during("commit")?;
    for (at, _) in key.as_str().match_indices('/').skip(1) {
        let above = key.as_str().get(..at).unwrap_or_default();
        if statement.exists([above]).during("commit")? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn answer(conn: &Connection, read: &ThenRead) -> Result<Answer> {
    match read {
        ThenRead::Get(key) => entry(conn, key).map(Answer::Entry),
        ThenRead::Names(prefix) => names(conn, prefix).map(Answer::Names),
    }
}

fn entry(conn: &Connection, key: &Key) -> Result<Option<Entry>> {
    let Some(record) = read::record(conn, key.as_str()).during("commit")? else { return Ok(None) };
    let value: Option<Vec<u8>> = conn
        .prepare_cached("SELECT bytes FROM value WHERE id = ?1")
        .and_then(|mut statement| statement.query_row([record.value], |row| row.get(0)).optional())
        .during("commit")?;
    Ok(value.map(|value| Entry::new(record.stat(key.clone()), value.into())))
}

fn names(conn: &Connection, prefix: &Prefix) -> Result<Vec<String>> {
    read::names(conn, prefix, |_, _| true)
}
