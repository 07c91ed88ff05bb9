//! History: what the last commits changed, for watches that begin in the past and for the bell's listeners.

use bytes::Bytes;
use quorate_datasync::{Entry, RawChange, Result, Stat, Version};
use rusqlite::Connection;

use crate::error::During;
use crate::read::{lease_id, revision, stored_key};

/// What a change takes beside its key and value.
const CHANGE_OVERHEAD_BYTES: i64 = 64;

/// How much history is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) revisions_max: i64,
    pub(crate) bytes_max: i64,
}

/// What every store keeps.
pub(crate) const LIMITS: Limits = Limits { revisions_max: 10_000, bytes_max: 64 * 1024 * 1024 };

/// The store's counters, as they are while a batch is being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Book {
    /// Of the last commit.
    pub(crate) revision: i64,
    /// The last number of a unique name.
    pub(crate) sequence: i64,
    /// Changes above this revision are kept.
    pub(crate) floor: i64,
    /// How much they take.
    pub(crate) bytes: i64,
}

impl Book {
    pub(crate) fn load(conn: &Connection) -> rusqlite::Result<Self> {
        conn.prepare_cached("SELECT revision, sequence, floor, history_bytes FROM store")?.query_row(
            [],
            |row| {
                Ok(Self {
                    revision: row.get(0)?,
                    sequence: row.get(1)?,
                    floor: row.get(2)?,
                    bytes: row.get(3)?,
                })
            },
        )
    }

    pub(crate) fn save(self, conn: &Connection) -> rusqlite::Result<()> {
        conn.prepare_cached("UPDATE store SET revision = ?1, sequence = ?2, floor = ?3, history_bytes = ?4")?
            .execute((self.revision, self.sequence, self.floor, self.bytes))
            .map(drop)
    }

    /// Adds a change to the history. One without a value is a deletion.
    pub(crate) fn record(&mut self, conn: &Connection, change: &Change<'_>) -> rusqlite::Result<()> {
        let Change { step, key, created, lease, value, bytes } = *change;
        conn.prepare_cached("INSERT INTO change VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?.execute((
            self.revision,
            step,
            key,
            created,
            lease,
            value,
            bytes,
        ))?;
        self.bytes += weight(key, bytes);
        Ok(())
    }

    /// Deletes the oldest history until what is left is within the limits.
    pub(crate) fn prune(&mut self, conn: &Connection, limits: Limits) -> rusqlite::Result<()> {
        while self.floor < self.revision
            && (self.revision - self.floor > limits.revisions_max || self.bytes > limits.bytes_max)
        {
            self.floor += 1;
            let mut changes =
                conn.prepare_cached("SELECT key, value, bytes FROM change WHERE revision = ?1")?;
            let mut rows = changes.query([self.floor])?;
            while let Some(row) = rows.next()? {
                let key: String = row.get(0)?;
                self.bytes -= weight(&key, row.get(2)?);
                // The value stays while it is the key's own; whoever replaces it then deletes it.
                conn.prepare_cached(
                    "DELETE FROM value WHERE id = ?1
                     AND NOT EXISTS (SELECT 1 FROM entry WHERE key = ?2 AND value = ?1)",
                )?
                .execute((row.get::<_, Option<i64>>(1)?, &key))?;
            }
            conn.prepare_cached("DELETE FROM change WHERE revision = ?1")?.execute([self.floor])?;
        }
        Ok(())
    }
}

/// A change on its way into the history.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change<'a> {
    /// Its place in the commit.
    pub(crate) step: i64,
    pub(crate) key: &'a str,
    pub(crate) created: i64,
    pub(crate) lease: Option<i64>,
    pub(crate) value: Option<i64>,
    pub(crate) bytes: i64,
}

fn weight(key: &str, bytes: i64) -> i64 {
    bytes + CHANGE_OVERHEAD_BYTES + i64::try_from(key.len()).unwrap_or(0)
}

/// Tells each change after `after` and up to `until`, in order, with the number of its revision.
pub(crate) fn replay(
    conn: &Connection,
    (after, until): (i64, i64),
    mut tell: impl FnMut(i64, RawChange),
) -> Result<()> {
    let mut statement = conn
        .prepare_cached(
            "SELECT c.revision, c.key, c.created, c.lease, v.bytes
             FROM change c LEFT JOIN value v ON v.id = c.value
             WHERE c.revision > ?1 AND c.revision <= ?2 ORDER BY c.revision, c.step",
        )
        .during("watch")?;
    let mut rows = statement.query((after, until)).during("watch")?;
    while let Some(row) = rows.next().during("watch")? {
        let at: i64 = row.get(0).during("watch")?;
        let key = stored_key(&row.get::<_, String>(1).during("watch")?, "watch")?;
        let value: Option<Vec<u8>> = row.get(4).during("watch")?;
        let change = match value {
            None => RawChange::Delete(key, revision(at)),
            Some(value) => {
                let created = revision(row.get(2).during("watch")?);
                let lease: Option<i64> = row.get(3).during("watch")?;
                let version = Version::new(created, at.unsigned_abs());
                let stat = Stat::new(key, created, revision(at), version).lease(lease.map(lease_id));
                RawChange::Put(Entry::new(stat, Bytes::from(value)))
            }
        };
        tell(at, change);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database() -> (Connection, Book) {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(include_str!("schema.sql")).unwrap();
        (conn, Book { revision: 0, sequence: 0, floor: 0, bytes: 0 })
    }

    /// Puts `value` under `/k{n % 2}` at the next revision, as a commit does.
    fn put(conn: &Connection, book: &mut Book, n: i64, value: &str) {
        book.revision += 1;
        let key = format!("/k{}", n % 2);
        conn.execute("INSERT INTO value (bytes) VALUES (CAST(?1 AS BLOB))", [value]).unwrap();
        let (id, bytes) = (conn.last_insert_rowid(), i64::try_from(value.len()).unwrap());
        conn.execute(
            "REPLACE INTO entry VALUES (?1, 1, ?2, NULL, NULL, NULL, NULL, ?3, ?4)",
            (&key, book.revision, id, bytes),
        )
        .unwrap();
        let change = Change { step: 0, key: &key, created: 1, lease: None, value: Some(id), bytes };
        book.record(conn, &change).unwrap();
    }

    fn count(conn: &Connection, table: &str) -> i64 {
        conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn history_keeps_so_many_revisions_and_the_values_in_use() {
        let (conn, mut book) = database();
        for n in 0..10 {
            put(&conn, &mut book, n, "v");
            book.prune(&conn, Limits { revisions_max: 3, bytes_max: 1_000_000 }).unwrap();
        }
        assert_eq!((book.revision, book.floor), (10, 7));
        assert_eq!((count(&conn, "change"), count(&conn, "value")), (3, 3));
        book.prune(&conn, Limits { revisions_max: 0, bytes_max: 0 }).unwrap();
        assert_eq!((count(&conn, "change"), count(&conn, "value"), book.bytes), (0, 2, 0));
    }

    #[test]
    fn history_keeps_so_many_bytes() {
        let (conn, mut book) = database();
        let limits = Limits { revisions_max: 1_000, bytes_max: 2_500 };
        for n in 0..10 {
            put(&conn, &mut book, n, &"v".repeat(1_000));
            book.prune(&conn, limits).unwrap();
            assert!(book.bytes <= limits.bytes_max);
        }
        assert_eq!(book.floor, 8);
    }

    #[test]
    fn a_replay_tells_puts_and_deletes_in_order() {
        let (conn, mut book) = database();
        put(&conn, &mut book, 0, "one");
        book.revision += 1;
        let gone = Change { step: 0, key: "/k0", created: 1, lease: None, value: None, bytes: 0 };
        book.record(&conn, &gone).unwrap();
        let mut told = Vec::new();
        replay(&conn, (0, 2), |at, change| told.push((at, change))).unwrap();
        assert!(matches!(&told[0], (1, RawChange::Put(entry)) if entry.value == "one"));
        assert!(matches!(&told[1], (2, RawChange::Delete(..))));
        assert_eq!(told.len(), 2);
    }

    #[test]
    fn counters_survive_being_saved() {
        let (conn, _) = database();
        conn.execute("INSERT INTO store VALUES (1, x'00', '', '', 0, 0, 0, 0)", []).unwrap();
        let book = Book { revision: 4, sequence: 3, floor: 2, bytes: 1 };
        book.save(&conn).unwrap();
        assert_eq!(Book::load(&conn).unwrap(), book);
    }
}
