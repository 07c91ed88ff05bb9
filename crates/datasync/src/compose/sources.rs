//! Which stores an overlay is made of.

use std::fmt;
use std::sync::Arc;

use crate::{Error, ErrorKind, Prefix, Result, Store};

use super::Overlay;

/// The stores that are to be watched as one, each below a prefix of its own and with a priority.
///
/// Opened, they are an [`Overlay`].
#[derive(Debug)]
#[must_use = "sources do nothing until they are opened"]
pub struct Sources {
    pub(super) sources: Vec<Source>,
    pub(super) at: Prefix,
    pub(super) takes_any: bool,
}

/// One store, or a part of one.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) name: Arc<str>,
    pub(super) store: Arc<dyn Store>,
    pub(super) prefix: Prefix,
    pub(super) priority: i32,
}

impl Default for Sources {
    fn default() -> Self {
        Self::new()
    }
}

impl Sources {
    /// No sources yet; what they show will lie below the root.
    pub const fn new() -> Self {
        Self { sources: Vec::new(), at: Prefix::root(), takes_any: false }
    }

    /// Adds what lies below `prefix` of a store. Where several sources have a key the highest `priority` wins, and
    /// among equals the one that was added first.
    ///
    /// The store stays that of the caller: it is neither opened nor closed here.
    pub fn add(
        mut self,
        name: impl Into<Arc<str>>,
        store: &Arc<dyn Store>,
        prefix: Prefix,
        priority: i32,
    ) -> Self {
        self.sources.push(Source { name: name.into(), store: Arc::clone(store), prefix, priority });
        self
    }

    /// Sets the prefix of the overlay that the prefix of every source stands for; the root if it is not set. With
    /// the sources `/defaults` and `/sites/7`, and `/config` here, the keys `/defaults/mtu` and `/sites/7/mtu` both
    /// are `/config/mtu`.
    pub fn at(mut self, prefix: Prefix) -> Self {
        self.at = prefix;
        self
    }

    /// Lets sources come later whose stores do not tell whole commits. The overlay then does not promise that
    /// either, even if those that are there now do.
    pub const fn taking_any(mut self) -> Self {
        self.takes_any = true;
        self
    }

    /// Begins to watch all sources. Nothing is waited for: what a source has shows as soon as it was told
    /// ([`Overlay::synced`] waits for that), and one that cannot be reached holds nobody up.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) if two sources have the same name.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn open(self) -> Result<Overlay> {
        for (at, source) in self.sources.iter().enumerate() {
            if self.sources.iter().take(at).any(|other| other.name == source.name) {
                return Err(twice(&source.name));
            }
        }
        Ok(Overlay::open(self))
    }
}

/// A name was given to two sources.
pub(super) fn twice(name: &str) -> Error {
    Error::new(ErrorKind::Invalid, "open").because(format!("there are two sources of the name {name:?}"))
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = &mut f.debug_struct("Source");
        let source = source.field("name", &self.name).field("prefix", &self.prefix);
        source.field("priority", &self.priority).finish_non_exhaustive()
    }
}
