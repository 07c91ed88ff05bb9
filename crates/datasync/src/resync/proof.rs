//! Progress that waits for reads.

use std::collections::HashMap;

use crate::{Key, Moment, Revision};

/// Progress that came while keys were being read. What happened before it is told with these reads, and no later
/// ones are waited for: where keys go on changing there may always be some.
#[derive(Debug)]
pub(super) struct Proof {
    pub(super) proves: (Revision, Moment),
    /// How often each key has to be read first.
    left: HashMap<Key, usize>,
    /// The newest progress that came since. It waits for its own reads afterwards.
    pub(super) next: Option<(Revision, Moment)>,
}

impl Proof {
    /// It waits for the keys that are being read, and once more for those to which something happened since.
    pub(super) fn new(proves: (Revision, Moment), reading: &HashMap<Key, bool>) -> Self {
        let left = reading.iter().map(|(key, again)| (key.clone(), 1 + usize::from(*again))).collect();
        Self { proves, left, next: None }
    }

    /// A key was read; `true` if nothing is waited for any more.
    pub(super) fn handle_read(&mut self, key: &Key) -> bool {
        if let Some(left) = self.left.get_mut(key) {
            *left -= 1;
            if *left == 0 {
                self.left.remove(key);
            }
        }
        self.left.is_empty()
    }
}
