//! Where a value of an overlay comes from.

use std::sync::Arc;

use crate::{Incarnation, Key, Revision};

/// Where a value that an [`Overlay`](crate::Overlay) shows comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Provenance {
    /// The name of the source.
    pub source: Arc<str>,
    /// The key in the source.
    pub key: Key,
    /// The revision of the value in the source.
    pub revision: Revision,
    /// The revision at which the key was created in the source.
    pub created: Revision,
    /// The life of the source that both belong to.
    pub incarnation: Incarnation,
    /// The overlay's own revision at which it began to show this value. An entry of the overlay with another
    /// revision is another value: it was replaced meanwhile, or what replaces it was not told yet.
    pub shown: Revision,
}
