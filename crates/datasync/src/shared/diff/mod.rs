//! What changed between two JSON documents, and how to carry a change over to a third.
//!
//! [`diff`] compares two documents field by field, [`to_patch`] writes the answer as an RFC 6902 patch,
//! and [`overlay`] applies the difference between two documents to a stored one that may hold more than
//! they do. A [`ParsedDocument`] keeps what makes comparing it fast. [`parse`] is the only door for
//! documents from outside: it bounds their depth, so everything here may recurse.

mod align;
mod change;
mod correspond;
#[cfg(test)]
pub(crate) mod count;
mod depth;
mod digest;
mod intern;
mod lcs;
mod node;
mod overlay;
mod parse;
mod parsed;
mod parts;
mod patch;
mod pointer;
mod seal;
mod touched;
mod trail;
mod walk;

pub use change::Change;
pub use depth::{DEPTH_MAX, depth};
pub use overlay::overlay;
pub use parse::{ParseError, parse};
pub use parsed::ParsedDocument;
pub use patch::to_patch;
pub use pointer::{Pointer, PointerError};
pub(crate) use touched::Touched;
pub use walk::diff;
