//! Reads: one key, or what is below a prefix, in one short read transaction.

use std::collections::BTreeSet;

use bytes::Bytes;
use quorate_datasync::{
    Entry, Error, ErrorKind, Found, Items, Key, LeaseId, List, Listing, Prefix, Read, Result, Revision, Stat,
    Version, Want,
};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::clock;
use crate::error::During;
use crate::lease::Holders;
use crate::session::Session;

/// What an entry's row says, without the value.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) created: i64,
    pub(crate) revision: i64,
    pub(crate) lease: Option<i64>,
    pub(crate) holder: Option<i64>,
    pub(crate) deadline: Option<i64>,
    pub(crate) value: i64,
    pub(crate) bytes: i64,
}

/// The columns of a [`Record`], in the order in which it reads them.
macro_rules! record_columns {
    () => {
        "e.created, e.revision, e.lease, e.holder, e.deadline, e.value, e.bytes"
    };
}
pub(crate) use record_columns;

impl Record {
    /// Reads the record from columns that begin at `at`.
    pub(crate) fn from_row(row: &Row<'_>, at: usize) -> rusqlite::Result<Self> {
        Ok(Self {
            created: row.get(at)?,
            revision: row.get(at + 1)?,
            lease: row.get(at + 2)?,
            holder: row.get(at + 3)?,
            deadline: row.get(at + 4)?,
            value: row.get(at + 5)?,
            bytes: row.get(at + 6)?,
        })
    }

    pub(crate) const fn version(&self) -> Version {
        Version::new(revision(self.created), self.revision.unsigned_abs())
    }

    pub(crate) fn stat(&self, key: Key) -> Stat {
        Stat::new(key, revision(self.created), revision(self.revision), self.version())
            .lease(self.lease.map(lease_id))
            .value_bytes(usize::try_from(self.bytes).unwrap_or(0))
    }
}

pub(crate) const fn revision(number: i64) -> Revision {
    Revision::new(number.unsigned_abs())
}

pub(crate) const fn lease_id(number: i64) -> LeaseId {
    LeaseId::new(number.unsigned_abs())
}

/// A key as the database gives it back. Only keys are written, so anything else is damage.
pub(crate) fn stored_key(text: &str, operation: &'static str) -> Result<Key> {
    Key::parse(text).map_err(|error| {
        Error::new(ErrorKind::Foreign, operation).because("the file holds a bad key").caused_by(error)
    })
}

/// The keys below a prefix: those from the first text on and before the second.
pub(crate) fn range(prefix: &Prefix) -> (String, String) {
    let from = prefix.text();
    // A slash is followed by a zero.
    let mut to = from.clone();
    to.pop();
    to.push('0');
    (from, to)
}

/// Decides which entries are there: one that is past its time, or whose holder is dead, is not.
struct Visible<'s> {
    holders: &'s mut Holders,
    now: i64,
    /// Whether deadlines were made in this boot. In a file that cannot be written they may be older.
    same_boot: bool,
}

impl Visible<'_> {
    fn sees(&mut self, holder: Option<i64>, deadline: Option<i64>) -> bool {
        let is_past = self.same_boot && deadline.is_some_and(|deadline| deadline <= self.now);
        !is_past && holder.is_none_or(|holder| self.holders.is_alive(holder))
    }
}

/// Reads one key.
pub(crate) fn get(session: &mut Session, boot: &str, key: &Key, want: Want) -> Result<Read> {
    const STAT: &str = concat!(
        "SELECT s.revision, s.boot = ?2, e.key IS NOT NULL, NULL, ",
        record_columns!(),
        " FROM store s LEFT JOIN entry e ON e.key = ?1"
    );
    const VALUE: &str = concat!(
        "SELECT s.revision, s.boot = ?2, e.key IS NOT NULL, v.bytes, ",
        record_columns!(),
        " FROM store s LEFT JOIN entry e ON e.key = ?1 LEFT JOIN value v ON v.id = e.value"
    );
    let Session { conn, holders, .. } = session;
    let mut statement = conn.prepare_cached(if want == Want::Value { VALUE } else { STAT }).during("get")?;
    let (at, same_boot, found) = statement
        .query_row((key.as_str(), boot), |row| {
            let found = if row.get(2)? {
                Some((Record::from_row(row, 4)?, row.get::<_, Option<Vec<u8>>>(3)?))
            } else {
                None
            };
            Ok((row.get(0).map(revision)?, row.get(1)?, found))
        })
        .during("get")?;
    let mut visible = Visible { holders, now: clock::uptime_ms(), same_boot };
    let found = match found {
        Some((record, value)) if visible.sees(record.holder, record.deadline) => match value {
            Some(value) => Found::Entry(Entry::new(record.stat(key.clone()), value.into())),
            None => Found::Stat(record.stat(key.clone())),
        },
        _ => Found::Absent,
    };
    Ok(Read::new(found, at))
}

/// Lists what is below a prefix.
pub(crate) fn list(session: &mut Session, boot: &str, prefix: &Prefix, want: List) -> Result<Listing> {
    let Session { conn, holders, .. } = session;
    // The snapshot begins with the first read and ends with the transaction, so all reads agree.
    let tx = conn.transaction().during("list")?;
    let (at, same_boot) = tx
        .prepare_cached("SELECT revision, boot = ?1 FROM store")
        .and_then(|mut statement| {
            statement.query_row([boot], |row| Ok((row.get(0).map(revision)?, row.get(1)?)))
        })
        .during("list")?;
    let mut visible = Visible { holders, now: clock::uptime_ms(), same_boot };
    let items = match want {
        List::Names => Items::Names(names(&tx, prefix, |holder, deadline| visible.sees(holder, deadline))?),
        List::Keys => Items::Keys(keys(&tx, prefix, &mut visible)?),
        List::Entries => Items::Entries(entries(&tx, prefix, &mut visible)?),
    };
    Ok(Listing::new(items, at))
}

/// The names one level below a prefix, in their order.
///
/// A subtree that showed its name is stepped over, so the cost is that of the level and not of what is below.
pub(crate) fn names(
    conn: &Connection,
    prefix: &Prefix,
    mut sees: impl FnMut(Option<i64>, Option<i64>) -> bool,
) -> Result<Vec<String>> {
    let (mut from, to) = range(prefix);
    let base = from.len();
    let mut names = BTreeSet::new();
    let mut statement = conn
        .prepare_cached("SELECT key, holder, deadline FROM entry WHERE key >= ?1 AND key < ?2 ORDER BY key")
        .during("list")?;
    'scan: loop {
        let mut rows = statement.query((&from, &to)).during("list")?;
        while let Some(row) = rows.next().during("list")? {
            if !sees(row.get(1).during("list")?, row.get(2).during("list")?) {
                continue;
            }
            let key = row.get_ref(0).during("list")?;
            let below = key.as_str().ok().and_then(|key| key.get(base..)).unwrap_or_default();
            let Some((name, _)) = below.split_once('/') else {
                names.insert(below.to_owned());
                continue;
            };
            let is_new = names.insert(name.to_owned());
            if !is_new {
                let after = format!("{}{name}0", &from[..base]);
                drop(rows);
                from = after;
                continue 'scan;
            }
        }
        return Ok(names.into_iter().collect());
    }
}

fn keys(conn: &Connection, prefix: &Prefix, visible: &mut Visible<'_>) -> Result<Vec<Key>> {
    let mut keys = Vec::new();
    let mut statement = conn
        .prepare_cached("SELECT key, holder, deadline FROM entry WHERE key >= ?1 AND key < ?2 ORDER BY key")
        .during("list")?;
    let mut rows = statement.query(range(prefix)).during("list")?;
    while let Some(row) = rows.next().during("list")? {
        if visible.sees(row.get(1).during("list")?, row.get(2).during("list")?) {
            keys.push(stored_key(&row.get::<_, String>(0).during("list")?, "list")?);
        }
    }
    Ok(keys)
}

fn entries(conn: &Connection, prefix: &Prefix, visible: &mut Visible<'_>) -> Result<Vec<Entry>> {
    const ENTRIES: &str = concat!(
        "SELECT e.key, v.bytes, ",
        record_columns!(),
        " FROM entry e JOIN value v ON v.id = e.value WHERE e.key >= ?1 AND e.key < ?2 ORDER BY e.key"
    );
    let mut entries = Vec::new();
    let mut statement = conn.prepare_cached(ENTRIES).during("list")?;
    let mut rows = statement.query(range(prefix)).during("list")?;
    while let Some(row) = rows.next().during("list")? {
        let record = Record::from_row(row, 2).during("list")?;
        if visible.sees(record.holder, record.deadline) {
            let key = stored_key(&row.get::<_, String>(0).during("list")?, "list")?;
            let value: Vec<u8> = row.get(1).during("list")?;
            entries.push(Entry::new(record.stat(key), Bytes::from(value)));
        }
    }
    Ok(entries)
}

/// The record of a key, whether or not it is visible.
pub(crate) fn record(conn: &Connection, key: &str) -> rusqlite::Result<Option<Record>> {
    const RECORD: &str = concat!("SELECT ", record_columns!(), " FROM entry e WHERE e.key = ?1");
    conn.prepare_cached(RECORD)?.query_row([key], |row| Record::from_row(row, 0)).optional()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(keys: &[&str]) -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(include_str!("schema.sql")).unwrap();
        for key in keys {
            conn.execute("INSERT INTO entry VALUES (?1, 1, 1, NULL, NULL, NULL, NULL, 1, 1)", [key]).unwrap();
        }
        conn
    }

    #[test]
    fn names_are_of_one_level_and_in_order() {
        let conn =
            database(&["/a", "/a/b", "/a/b!", "/a/b/c", "/a/b/d", "/a/b/e/f", "/a/b0", "/a/z/y", "/ab"]);
        let all = |_, _| true;
        assert_eq!(names(&conn, &Prefix::parse("/a").unwrap(), all).unwrap(), ["b", "b!", "b0", "z"]);
        assert_eq!(names(&conn, &Prefix::root(), all).unwrap(), ["a", "ab"]);
        assert_eq!(names(&conn, &Prefix::parse("/b").unwrap(), all).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_range_holds_what_is_below_and_no_neighbour() {
        let (from, to) = range(&Prefix::parse("/a").unwrap());
        for (key, inside) in
            [("/a", false), ("/a/b", true), ("/a/\u{10ffff}", true), ("/a0", false), ("/ab", false)]
        {
            assert_eq!(key >= from.as_str() && key < to.as_str(), inside, "{key}");
        }
        assert_eq!(range(&Prefix::root()), ("/".to_owned(), "0".to_owned()));
    }
}
