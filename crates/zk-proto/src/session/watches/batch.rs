//! The packets that arm watches again.

use super::Kinds;
use crate::{
    id::Zxid,
    op::{SetWatches, SetWatches2},
    path::ZnodePath,
};

/// Most bytes of one packet that arms watches again; the server refuses large requests (ZOOKEEPER-706).
const BATCH_BYTES_MAX: usize = 128 * 1024;

/// What is in a packet besides paths: two numbers in front, a zxid, and the lengths of five lists.
const LISTS_BYTES: usize = 8 + 8 + 5 * 4;

/// The length before each path.
const LENGTH_BYTES: usize = 4;

/// One packet that arms watches again. Servers before 3.6 know only the one for one-shot watches.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::session) enum Batch {
    OneShot(SetWatches),
    AnyKind(SetWatches2),
}

/// Builds the packets for watches, which come sorted so that the same history gives the same bytes.
///
/// Persistent watches go last, in packets of their own: up to 3.8 a path has one mode per session, and the
/// last one set counts. Of the two lists that stay, the recursive one counts.
pub(super) fn batches(watches: &[(&ZnodePath, Kinds)], relative_zxid: Zxid) -> Vec<Batch> {
    let mut lists = Lists { relative_zxid, batches: Vec::new(), bytes_left: 0 };
    for kind in [Kinds::DATA, Kinds::EXIST, Kinds::CHILD] {
        lists.put_all(watches, kind);
    }
    if !watches.iter().any(|(_, kinds)| kinds.has_any(Kinds::LASTING)) {
        return lists.batches.into_iter().map(|lists| Batch::OneShot(lists.one_shot)).collect();
    }
    lists.bytes_left = 0;
    for kind in [Kinds::PERSISTENT, Kinds::RECURSIVE] {
        lists.put_all(watches, kind);
    }
    lists.batches.into_iter().map(Batch::AnyKind).collect()
}

/// Builds the packet for one path.
pub(super) fn single(path: &ZnodePath, kinds: Kinds, relative_zxid: Zxid) -> Batch {
    let mut lists = empty_lists(relative_zxid);
    let each = [Kinds::DATA, Kinds::EXIST, Kinds::CHILD, Kinds::PERSISTENT, Kinds::RECURSIVE].into_iter();
    for kind in each.filter(|kind| kinds.has_any(*kind)) {
        put(&mut lists, path, kind);
    }
    if kinds.has_any(Kinds::LASTING) { Batch::AnyKind(lists) } else { Batch::OneShot(lists.one_shot) }
}

struct Lists {
    relative_zxid: Zxid,
    batches: Vec<SetWatches2>,
    /// Room in the last packet.
    bytes_left: usize,
}

impl Lists {
    fn put_all(&mut self, watches: &[(&ZnodePath, Kinds)], kind: Kinds) {
        for (path, _) in watches.iter().filter(|(_, kinds)| kinds.has_any(kind)) {
            let bytes = LENGTH_BYTES + path.len();
            // A single path over the limit gets a packet of its own.
            if bytes > self.bytes_left || self.batches.is_empty() {
                self.batches.push(empty_lists(self.relative_zxid));
                self.bytes_left = BATCH_BYTES_MAX - LISTS_BYTES;
            }
            self.bytes_left = self.bytes_left.saturating_sub(bytes);
            let lists = self.batches.last_mut().expect("one was pushed if there was none");
            put(lists, path, kind);
        }
    }
}

fn put(lists: &mut SetWatches2, path: &ZnodePath, kind: Kinds) {
    let list = match kind {
        Kinds::DATA => &mut lists.one_shot.data,
        Kinds::EXIST => &mut lists.one_shot.exist,
        Kinds::CHILD => &mut lists.one_shot.child,
        Kinds::PERSISTENT => &mut lists.persistent,
        _ => &mut lists.persistent_recursive,
    };
    list.push(path.clone());
}

const fn empty_lists(relative_zxid: Zxid) -> SetWatches2 {
    SetWatches2 {
        one_shot: SetWatches { relative_zxid, data: Vec::new(), exist: Vec::new(), child: Vec::new() },
        persistent: Vec::new(),
        persistent_recursive: Vec::new(),
    }
}
