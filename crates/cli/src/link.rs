//! Whether the connection to the store is lost, in words.

use quorate::Link;

use crate::output::Output;

/// Says when the connection is lost, and when it is back.
#[derive(Debug, Default)]
pub(crate) struct LinkWords {
    is_lost: bool,
}

impl LinkWords {
    /// Says what is new of the connection, if anything is.
    pub(crate) fn say(&mut self, link: &Link, output: &Output) {
        match link {
            Link::Lost { reason } if !self.is_lost => {
                self.is_lost = true;
                output.words(format!("the connection is lost: {reason}"));
            }
            Link::Live if self.is_lost => {
                self.is_lost = false;
                output.words("the connection is back");
            }
            _ => {}
        }
    }
}
