//! What is to be copied, from where, to where.

use std::fmt;
use std::sync::Arc;

use crate::{Error, ErrorKind, Incarnation, Prefix, Result, Store};

use super::Mirroring;

/// Keeps what lies below a prefix of one store, the source, equal in another, the target.
///
/// Both sides are watched. At the start, and after every gap, they are compared, and only what differs is written;
/// so a mirror that was stopped or killed goes on where it was, and keeps nothing to do so. What somebody else
/// changes in the target is set right again: the source wins. But every write names the version that was seen in
/// the target, so that nothing there is overwritten that was not compared with the source.
///
/// - While the source is known to be lost nothing is written: what it told last may be old.
/// - Keys are written in transactions as large as the target takes, parents before what is below them, and deleted
///   the other way round, after all writes. They are not of one moment: a commit of the source may show in the
///   target in parts.
/// - Entries under a lease belong to somebody who is alive. They are never copied, and neither overwritten nor deleted in the
///   target. So of a shared struct the document is copied, and neither its listeners nor its lock.
/// - What only the target has is kept, unless [`deleting`](Self::deleting) was asked for. Then a source that was
///   wiped empties the target, too.
/// - A key that the target cannot take (a value too large, a key too long, a key below one under a lease) is refused
///   by itself, and the rest goes on. So is the deletion of a key below which the source has others: no store deletes
///   what has keys below it.
/// - Times to live are not known to a reader; a copy stays until it is deleted at the source.
///
/// A mirror has one direction. Two in opposite directions would set each other right for ever.
///
/// The values of both sides are held in memory.
///
/// ```
/// use std::sync::Arc;
/// use quorate_datasync::{Key, Memory, Mirror, MirrorEvent, Prefix, Store, StoreExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let source: Arc<dyn Store> = Arc::new(Memory::new());
/// let target: Arc<dyn Store> = Arc::new(Memory::new());
/// source.put(&Key::parse("/config/mtu")?, "9000").await?;
///
/// let mut mirroring = Mirror::new(&source, &target, Prefix::parse("/config")?).start()?;
/// while let Some(event) = mirroring.next().await {
///     if matches!(event?, MirrorEvent::InSync) {
///         break;
///     }
/// }
/// assert_eq!(target.entry(&Key::parse("/config/mtu")?).await?.unwrap().value, "9000");
/// assert_eq!(mirroring.progress().written, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a mirror does nothing until it is started"]
pub struct Mirror {
    pub(super) source: Arc<dyn Store>,
    pub(super) target: Arc<dyn Store>,
    pub(super) from: Prefix,
    pub(super) to: Prefix,
    pub(super) is_deleting: bool,
    pub(super) is_dry: bool,
}

impl Mirror {
    /// A mirror of what lies below `prefix`, at the same place in the target.
    pub fn new(source: &Arc<dyn Store>, target: &Arc<dyn Store>, prefix: Prefix) -> Self {
        Self {
            source: Arc::clone(source),
            target: Arc::clone(target),
            from: prefix.clone(),
            to: prefix,
            is_deleting: false,
            is_dry: false,
        }
    }

    /// Sets another place in the target.
    pub fn to(mut self, prefix: Prefix) -> Self {
        self.to = prefix;
        self
    }

    /// Deletes what only the target has.
    pub const fn deleting(mut self) -> Self {
        self.is_deleting = true;
        self
    }

    /// Tells what would be written and deleted, writes nothing, and ends after the first comparison.
    pub const fn dry(mut self) -> Self {
        self.is_dry = true;
        self
    }

    /// Starts. Nothing is sent before the result is asked for its [next](Mirroring::next) event.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) if source and target are the same store and one prefix contains the other:
    /// such a copy would copy itself. Not every store can tell that it is the same as another one.
    pub fn start(self) -> Result<Mirroring> {
        if Arc::ptr_eq(&self.source, &self.target) {
            self.check_apart()?;
        }
        let incarnation = |store: &Arc<dyn Store>| store.status().borrow().incarnation;
        self.check_lives(incarnation(&self.source).zip(incarnation(&self.target)))?;
        Ok(Mirroring::new(self))
    }

    /// Fails if both stores are the same, as far as their incarnations tell, and the prefixes overlap.
    pub(super) fn check_lives(&self, lives: Option<(Incarnation, Incarnation)>) -> Result<()> {
        // Random ones tell stores apart. A store that has none to tell counts them itself, and those are small.
        let is_random = |life: Incarnation| life.get() > u128::from(u64::MAX);
        match lives {
            Some((source, target)) if source == target && is_random(source) => self.check_apart(),
            _ => Ok(()),
        }
    }

    fn check_apart(&self) -> Result<()> {
        if self.from.covers(&self.to) || self.to.covers(&self.from) {
            let detail = format!("{} and {} overlap in one store", self.from, self.to);
            return Err(Error::new(ErrorKind::Invalid, "copy").because(detail));
        }
        Ok(())
    }
}

impl fmt::Debug for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mirror")
            .field("from", &self.from)
            .field("to", &self.to)
            .field("is_deleting", &self.is_deleting)
            .field("is_dry", &self.is_dry)
            .finish_non_exhaustive()
    }
}
