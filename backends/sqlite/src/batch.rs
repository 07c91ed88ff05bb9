//! A batch: all writes that were waiting, in one transaction of the database and with one sync of the disk.

use quorate_datasync::{Committed, Result, Txn};
use rusqlite::Connection;
use tokio::sync::watch;

use crate::clock;
use crate::commit::{self, Leases, Ledger};
use crate::error::During;
use crate::history::{Book, LIMITS};
use crate::lease::Holders;
use crate::read::{Record, record_columns};

/// A batch while it is being written.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    conn: &'a Connection,
    leases: &'a mut Leases,
    /// This store as a holder of leases.
    holder: i64,
    book: Book,
    before: Book,
    /// What is to be said once the batch is committed.
    pub(crate) effects: Effects,
}

/// What is to be said and done once a batch is committed.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// There is something to be told to watches.
    pub(crate) changed: bool,
    /// The leases of this store that have ended.
    pub(crate) ended: Vec<(i64, watch::Sender<bool>)>,
    /// The dead holders whose keys are deleted.
    pub(crate) dead: Vec<i64>,
}

impl<'a> Batch<'a> {
    pub(crate) fn begin(conn: &'a Connection, leases: &'a mut Leases, holder: i64) -> Result<Self> {
        let book = Book::load(conn).during("commit")?;
        Ok(Self { conn, leases, holder, book, before: book, effects: Effects::default() })
    }

    /// Deletes what is there no more for any reader: the keys of the dead, and those past their time.
    pub(crate) fn sweep(&mut self, holders: &mut Holders) -> Result<()> {
        let known = all_holders(self.conn).during("commit")?;
        holders.retain(&known);
        for holder in known {
            if holder != self.holder && !holders.is_alive(holder) {
                self.forget(holder)?;
                self.effects.dead.push(holder);
            }
        }
        const PAST: &str = concat!(
            "SELECT e.key, ",
            record_columns!(),
            " FROM entry e WHERE e.deadline <= ?1 ORDER BY e.key DESC"
        );
        self.remove_all(PAST, [clock::uptime_ms()])
    }

    /// Registers this store as a holder of leases.
    pub(crate) fn register(&mut self) -> Result<()> {
        self.conn
            .prepare_cached("INSERT OR IGNORE INTO holder VALUES (?1)")
            .and_then(|mut statement| statement.execute([self.holder]))
            .map(drop)
            .during("grant")
    }

    /// Deletes all keys of a holder and forgets it.
    pub(crate) fn forget(&mut self, holder: i64) -> Result<()> {
        const OF_HOLDER: &str = concat!(
            "SELECT e.key, ",
            record_columns!(),
            " FROM entry e WHERE e.holder = ?1 ORDER BY e.key DESC"
        );
        self.remove_all(OF_HOLDER, [holder])?;
        self.conn
            .prepare_cached("DELETE FROM holder WHERE id = ?1")
            .and_then(|mut statement| statement.execute([holder]))
            .map(drop)
            .during("commit")
    }

    /// Ends a lease of this store and deletes the keys under it. One that has ended is fine.
    pub(crate) fn revoke(&mut self, lease: i64) -> Result<()> {
        const OF_LEASE: &str = concat!(
            "SELECT e.key, ",
            record_columns!(),
            " FROM entry e WHERE e.holder = ?1 AND e.lease = ?2 ORDER BY e.key DESC"
        );
        if let Some(ended) = self.leases.remove(&lease) {
            self.effects.ended.push((lease, ended));
        }
        self.remove_all(OF_LEASE, [self.holder, lease])
    }

    /// Applies one transaction, or nothing of it.
    ///
    /// # Errors
    ///
    /// The outer one means that the whole batch is lost: after some failures SQLite has rolled it back.
    pub(crate) fn apply(&mut self, txn: &Txn) -> Result<Result<Committed>> {
        self.execute("SAVEPOINT txn")?;
        let before = self.book;
        let applied = commit::apply(self.conn, &mut self.book, self.leases, self.holder, txn);
        if applied.is_err() {
            self.book = before;
            self.execute("ROLLBACK TO txn")?;
        }
        self.execute("RELEASE txn")?;
        Ok(applied)
    }

    fn execute(&self, statement: &str) -> Result<()> {
        self.conn.prepare_cached(statement).and_then(|mut s| s.execute([])).map(drop).during("commit")
    }

    /// Writes down the counters. The transaction of the database is then ready to be committed.
    pub(crate) fn finish(mut self) -> Result<Effects> {
        if self.book != self.before {
            self.book.prune(self.conn, LIMITS).during("commit")?;
            self.book.save(self.conn).during("commit")?;
            self.effects.changed = true;
        }
        Ok(self.effects)
    }

    /// Deletes the keys that a query finds, as one commit.
    fn remove_all(&mut self, query: &str, params: impl rusqlite::Params) -> Result<()> {
        let found = self
            .conn
            .prepare_cached(query)
            .and_then(|mut statement| {
                statement
                    .query_map(params, |row| Ok((row.get::<_, String>(0)?, Record::from_row(row, 1)?)))?
                    .collect::<rusqlite::Result<Vec<_>>>()
            })
            .during("commit")?;
        if found.is_empty() {
            return Ok(());
        }
        let mut ledger = Ledger::new(self.conn, &mut self.book);
        found.iter().try_for_each(|(key, record)| ledger.remove(key, record)).during("commit")
    }
}

/// The holders that have registered.
pub(crate) fn all_holders(conn: &Connection) -> rusqlite::Result<Vec<i64>> {
    conn.prepare_cached("SELECT id FROM holder")?.query_map([], |row| row.get(0))?.collect()
}
