//! What a subscriber wants to be told of.

use super::diff::{Pointer, Touched};
use super::snapshot::SharedEvent;

/// What a subscriber wants to be told of. What is of no interest is not queued, and wakes nobody.
#[derive(Debug)]
pub(crate) enum Interest {
    /// Every event.
    Everything,
    /// Every change, for the values before and after: of a net change nobody asks for the fields.
    Values,
    /// The changes that touch what the pointer points at.
    Part(String),
}

impl Interest {
    /// The interest in one part of the document.
    pub(crate) fn part(pointer: &Pointer) -> Self {
        Self::Part(pointer.to_string())
    }

    /// Whether the fields that changed are read.
    pub(crate) const fn is_in_fields(&self) -> bool {
        matches!(self, Self::Everything)
    }
}

/// An event, and what is found out of it once for all subscribers.
#[derive(Debug)]
pub(crate) struct Offer<'a, T> {
    event: &'a SharedEvent<T>,
    touched: Option<Touched<'a>>,
}

impl<'a, T> Offer<'a, T> {
    pub(crate) const fn new(event: &'a SharedEvent<T>) -> Self {
        Self { event, touched: None }
    }

    /// Whether somebody with this interest is told.
    pub(crate) fn is_for(&mut self, interest: &Interest) -> bool {
        let set = match (self.event, interest) {
            (_, Interest::Everything) => return true,
            (SharedEvent::Rejected(_), _) => return false,
            (SharedEvent::Changed(set), _) => set,
        };
        match interest {
            Interest::Everything | Interest::Values => true,
            Interest::Part(pointer) => {
                self.touched.get_or_insert_with(|| Touched::by(&set.changes)).touches(pointer)
            }
        }
    }
}
