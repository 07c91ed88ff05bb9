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
