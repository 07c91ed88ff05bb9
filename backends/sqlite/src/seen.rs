//! What the watches were told, and what was committed since.

use quorate_datasync::{Incarnation, Moment, Result};
use rusqlite::Connection;

use crate::batch::all_holders;
use crate::error::During;
use crate::history;
use crate::hub::Hub;
use crate::schema;
use crate::session::Session;
use crate::shared::Shared;

/// The state of the store that the watches were told.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) incarnation: Incarnation,
    /// Everything up to this revision was told.
    pub(crate) cursor: i64,
    /// What SQLite changes with every commit of another connection.
    pub(crate) data_version: i64,
    pub(crate) holders: Vec<i64>,
    /// When the first key with a time to live is past it.
    pub(crate) deadline: Option<i64>,
}

/// The counters of the store as one snapshot has them.
pub(crate) struct Counters {
    pub(crate) incarnation: Incarnation,
    pub(crate) revision: i64,
    pub(crate) floor: i64,
}

impl Seen {
    /// What a watch knows that begins now.
    pub(crate) fn read(session: &mut Session, shared: &Shared, data_version: i64) -> Result<Self> {
        let tx = session.conn.transaction().during("watch")?;
        let Counters { incarnation, revision, .. } = Counters::read(&tx)?;
        let (holders, deadline) = (all_holders(&tx).during("watch")?, first_deadline(&tx, shared)?);
        Ok(Self { incarnation, cursor: revision, data_version, holders, deadline })
    }

    /// Tells the watches what was committed since.
    pub(crate) fn advance(
        &mut self,
        session: &mut Session,
        shared: &Shared,
        hub: &mut Hub,
        asked: Moment,
    ) -> Result<()> {
        let tx = session.conn.transaction().during("watch")?;
        let counters = Counters::read(&tx)?;
        self.holders = all_holders(&tx).during("watch")?;
        self.deadline = first_deadline(&tx, shared)?;
        let was_replaced = counters.incarnation != self.incarnation || counters.revision < self.cursor;
        if was_replaced {
            // Somebody restored another content into the same file. It is said before the gap is told: whoever loads
            // the content anew must not take it for one of the old life.
            self.incarnation = counters.incarnation;
            session.incarnation = counters.incarnation;
            shared.set_live(session.file, counters.incarnation);
        }
        if was_replaced || self.cursor < counters.floor {
            hub.gap();
        } else {
            history::replay(&tx, (self.cursor, counters.revision), |at, change| hub.tell(at, &change))?;
            hub.finish(counters.revision, asked);
        }
        self.cursor = counters.revision;
        Ok(())
    }
}

impl Counters {
    pub(crate) fn read(conn: &Connection) -> Result<Self> {
        conn.prepare_cached("SELECT incarnation, revision, floor FROM store")
            .and_then(|mut statement| {
                statement.query_row([], |row| {
                    let incarnation = schema::incarnation(row.get(0)?);
                    Ok(Self { incarnation, revision: row.get(1)?, floor: row.get(2)? })
                })
            })
            .during("watch")
    }
}

/// When the first key is past its time. Deadlines of another boot mean nothing.
fn first_deadline(conn: &Connection, shared: &Shared) -> Result<Option<i64>> {
    conn.prepare_cached(
        "SELECT min(deadline) FROM entry
         WHERE deadline IS NOT NULL AND (SELECT boot = ?1 FROM store)",
    )
    .and_then(|mut statement| statement.query_row([&shared.boot], |row| row.get(0)))
    .during("watch")
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::task::{Context, Poll, Wake, Waker};

    use futures_util::StreamExt;
    use quorate_datasync::{Prefix, RawChange, Selection};

    use super::*;
    use crate::SqliteOptions;
    use crate::clock;
    use crate::session::{Link, Role};
    use crate::watch::Watcher;

    /// Notes which life of the store the status names at the moment when a watch is woken.
    struct Noting(Arc<Shared>, Mutex<Option<Incarnation>>);

    impl Wake for Noting {
        fn wake(self: Arc<Self>) {
            *self.1.lock().expect("nobody panics with it") = self.0.status.borrow().incarnation;
        }
    }

    #[test]
    fn whoever_is_told_of_the_gap_that_a_restored_content_makes_finds_its_new_life() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let shared = Arc::new(Shared::new(path, SqliteOptions::new(), clock::boot().unwrap()).unwrap());
        let (mut writer, mut reader) = (Link::new(Role::Writer), Link::new(Role::Reader));
        let restoring = writer.session(&shared).unwrap();
        let session = reader.session(&shared).unwrap();
        let mut seen = Seen::read(session, &shared, 0).unwrap();
        let (watcher, mut changes) = Watcher::new(Selection::Prefix(Prefix::root()));
        let mut hub = Hub::new();
        hub.add(watcher);
        let noting = Arc::new(Noting(Arc::clone(&shared), Mutex::default()));
        let waker = Waker::from(Arc::clone(&noting));
        assert!(changes.poll_next_unpin(&mut Context::from_waker(&waker)).is_pending());
        restoring.conn.execute("UPDATE store SET incarnation = ?1", [[7; 16]]).unwrap();
        seen.advance(session, &shared, &mut hub, Moment::now()).unwrap();
        assert_eq!(*noting.1.lock().unwrap(), Some(schema::incarnation([7; 16])));
        let told = changes.poll_next_unpin(&mut Context::from_waker(&waker));
        assert_eq!(told, Poll::Ready(Some(RawChange::Gap)));
    }
}
