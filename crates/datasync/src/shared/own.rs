//! What this process wrote lately, so that its handles can tell its writes from those of others.

use std::cell::OnceCell;
use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::sync::{Arc, LazyLock, Mutex, Weak};

use bytes::Bytes;

use crate::mutex::lock;
use crate::{Entry, Key, Store, Version};

/// How many acknowledged writes are remembered. They are looked up as soon as they are observed.
const WRITES_MAX: usize = 256;

/// One write of this process.
#[derive(Debug)]
struct Write {
    id: u64,
    /// Through which handle of the store. It is never upgraded: it keeps the address from being given away.
    store: Weak<dyn Store>,
    key: Key,
    /// A digest of what was written: so hundreds of large payloads that were written once do not stay in memory.
    payload: u64,
    /// What it was made on.
    base: Option<Version>,
    /// Once it was acknowledged.
    version: Option<Version>,
}

#[derive(Debug)]
struct Writes {
    next: u64,
    under_way: Vec<Write>,
    acknowledged: VecDeque<Write>,
}

static SEED: LazyLock<foldhash::fast::RandomState> = LazyLock::new(foldhash::fast::RandomState::default);

static WRITES: Mutex<Writes> =
    Mutex::new(Writes { next: 0, under_way: Vec::new(), acknowledged: VecDeque::new() });

/// A write of this process that is under way. Dropping it forgets one that was not acknowledged.
#[derive(Debug)]
pub(super) struct Announced(u64);

/// Says that this process is about to write, before another handle can observe it.
pub(super) fn announce(
    store: &Arc<dyn Store>,
    key: &Key,
    payload: &Bytes,
    base: Option<Version>,
) -> Announced {
    let payload = SEED.hash_one(payload);
    let mut writes = lock(&WRITES);
    let id = writes.next;
    writes.next += 1;
    let (store, key) = (Arc::downgrade(store), key.clone());
    writes.under_way.push(Write { id, store, key, payload, base, version: None });
    Announced(id)
}

/// Whether this process made all that lies between the version that was `held` and the entry of this store. A write
/// that is under way is known by its content alone: if it is refused because somebody else wrote the very same just
/// before, that was theirs.
pub(super) fn is_of_this_process(store: &Arc<dyn Store>, entry: &Entry, held: Option<Version>) -> bool {
    let writes = lock(&WRITES);
    let is_here = |write: &&Write| {
        std::ptr::addr_eq(write.store.as_ptr(), Arc::as_ptr(store)) && write.key == entry.key
    };
    let payload = OnceCell::new();
    let is_it = |write: &&Write| {
        write.version.is_none_or(|version| version == entry.version)
            && write.payload == *payload.get_or_init(|| SEED.hash_one(&entry.value))
    };
    let acknowledged = || writes.acknowledged.iter().rev().filter(is_here);
    let mut last = acknowledged().chain(writes.under_way.iter().filter(is_here)).find(is_it);
    for _ in 0..=WRITES_MAX {
        match last {
            Some(write) if write.base == held => return true,
            // What it was made on was not seen here: that has to be ours as well.
            Some(Write { base: Some(base), .. }) => {
                last = acknowledged().find(|write| write.version.as_ref() == Some(base));
            }
            _ => return false,
        }
    }
    false
}

impl Announced {
    /// The write was acknowledged, and made this version.
    pub(super) fn acknowledged(&self, version: Version) {
        let mut writes = lock(&WRITES);
        let Some(at) = writes.under_way.iter().position(|write| write.id == self.0) else { return };
        let write = writes.under_way.swap_remove(at);
        if writes.acknowledged.len() >= WRITES_MAX {
            writes.acknowledged.pop_front();
        }
        writes.acknowledged.push_back(Write { version: Some(version), ..write });
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        lock(&WRITES).under_way.retain(|write| write.id != self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Memory, Revision, Stat};

    fn entry(key: &str, at: u64, value: &'static str) -> Entry {
        let revision = Revision::new(at);
        let key = Key::parse(key).expect("a key");
        let version = Version::new(revision, at);
        Entry::new(Stat::new(key, revision, revision, version), value.into())
    }

    #[test]
    fn a_write_is_known_while_it_is_under_way_and_once_it_is_acknowledged() {
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let ours = entry("/own/a", 3, "x");
        assert!(!is_of_this_process(&store, &ours, None));
        let announced = announce(&store, &ours.key, &ours.value, None);
        assert!(is_of_this_process(&store, &ours, None));
        announced.acknowledged(ours.version);
        drop(announced);
        assert!(is_of_this_process(&store, &ours, None));
        assert!(!is_of_this_process(&store, &entry("/own/a", 4, "x"), None));
    }

    #[test]
    fn the_payload_of_a_write_is_not_kept() {
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let ours = entry("/own/e", 3, "x");
        let memory = Arc::new(*b"x");
        let payload = Bytes::from_owner(Owned(Arc::clone(&memory)));
        let announced = announce(&store, &ours.key, &payload, None);
        announced.acknowledged(ours.version);
        drop((payload, announced));
        assert_eq!(Arc::strong_count(&memory), 1);
        assert!(is_of_this_process(&store, &ours, None));
        assert!(!is_of_this_process(&store, &entry("/own/e", 3, "y"), None));
    }

    struct Owned(Arc<[u8; 1]>);

    impl AsRef<[u8]> for Owned {
        fn as_ref(&self) -> &[u8] {
            &*self.0
        }
    }

    #[test]
    fn a_write_that_failed_is_forgotten() {
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let ours = entry("/own/b", 3, "x");
        drop(announce(&store, &ours.key, &ours.value, None));
        assert!(!is_of_this_process(&store, &ours, None));
    }

    #[test]
    fn a_write_to_another_store_is_another() {
        let (here, there): (Arc<dyn Store>, Arc<dyn Store>) =
            (Arc::new(Memory::new()), Arc::new(Memory::new()));
        let ours = entry("/own/c", 3, "x");
        announce(&here, &ours.key, &ours.value, None).acknowledged(ours.version);
        assert!(is_of_this_process(&here, &ours, None) && !is_of_this_process(&there, &ours, None));
    }
    #[test]
    fn a_write_on_what_another_process_wrote_unseen_is_not_all_ours() {
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let (first, second, third) =
            (entry("/own/d", 3, "1"), entry("/own/d", 4, "2"), entry("/own/d", 5, "3"));
        announce(&store, &third.key, &third.value, Some(second.version)).acknowledged(third.version);
        assert!(is_of_this_process(&store, &third, Some(second.version)));
        assert!(!is_of_this_process(&store, &third, Some(first.version)));
        announce(&store, &second.key, &second.value, Some(first.version)).acknowledged(second.version);
        assert!(is_of_this_process(&store, &third, Some(first.version)));
    }
}
