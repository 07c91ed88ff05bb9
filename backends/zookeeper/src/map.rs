//! Keys and znodes, entries and stats.

use bytes::Bytes;
use quorate_datasync::{Entry, Error, ErrorKind, Key, LeaseId, Prefix, Result, Revision, Stat, Version};
use quorate_zk::{Stat as ZnodeStat, ZnodePath, Zxid};

/// Marks the version of a leased entry, so that a put that would change the lease is refused without a look.
const LEASED: u64 = 1 << 32;

/// Values up to here are copied, lest they keep the 256 KiB that they were read with.
const COPIED_MAX: usize = 128 * 1024;

/// The part of the tree that the server keeps for itself.
const RESERVED: &str = "/zookeeper";

/// Where the keys are in the tree.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    chroot: Option<Key>,
}

impl Paths {
    pub(crate) const fn new(chroot: Option<Key>) -> Self {
        Self { chroot }
    }

    /// The path of a key.
    pub(crate) fn of(&self, key: &Key) -> ZnodePath {
        let path = match &self.chroot {
            Some(chroot) => ZnodePath::new(&format!("{chroot}{key}")),
            None => ZnodePath::new(key.as_str()),
        };
        path.expect("what is valid as a key is valid as a path")
    }

    /// The path that the keys of a prefix are below of.
    pub(crate) fn below(&self, prefix: &Prefix) -> ZnodePath {
        prefix.key().map_or_else(|| self.top(), |key| self.of(key))
    }

    /// The path that everything is below of.
    pub(crate) fn top(&self) -> ZnodePath {
        match &self.chroot {
            Some(chroot) => {
                ZnodePath::new(chroot.as_str()).expect("what is valid as a key is valid as a path")
            }
            None => ZnodePath::root(),
        }
    }

    /// The key of a path; `None` for a path outside, and for what the server keeps for itself.
    pub(crate) fn key(&self, path: &ZnodePath) -> Option<Key> {
        let path = path.as_str();
        let relative = match &self.chroot {
            Some(chroot) => path.strip_prefix(chroot.as_str()).filter(|rest| rest.starts_with('/'))?,
            None => path,
        };
        if self.chroot.is_none() && is_reserved(path) {
            return None;
        }
        Key::parse(relative).ok()
    }

    /// Refuses a key that the server keeps for itself: its changes would not be told, nor would it be listed.
    pub(crate) fn check(&self, key: &Key) -> Result<()> {
        if self.chroot.is_none() && is_reserved(key.as_str()) {
            let detail = "the server keeps /zookeeper for itself";
            return Err(Error::new(ErrorKind::Invalid, "key").on(key).because(detail));
        }
        Ok(())
    }

    /// Whether a name directly below `path` is kept by the server for itself.
    pub(crate) fn is_reserved_below(&self, path: &ZnodePath, name: &str) -> bool {
        path.is_root() && name == &RESERVED[1..]
    }
}

fn is_reserved(path: &str) -> bool {
    path.strip_prefix(RESERVED).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The revision of a transaction id.
pub(crate) fn revision(zxid: Zxid) -> Revision {
    Revision::new(u64::try_from(zxid.get()).unwrap_or(0))
}

/// The version of a znode with this stat.
pub(crate) fn version(stat: &ZnodeStat) -> Version {
    let leased = if stat.ephemeral_owner.is_none() { 0 } else { LEASED };
    Version::new(revision(stat.czxid), u64::from(stat.version.cast_unsigned()) | leased)
}

/// The version of a znode that was just created.
pub(crate) const fn version_of_new(created: Revision, is_leased: bool) -> Version {
    Version::new(created, if is_leased { LEASED } else { 0 })
}

/// The number that the server compares; `None` for the one that it would take for "any" (ZOOKEEPER-4743).
pub(crate) fn compared(version: Version) -> Option<i32> {
    let number = u32::try_from(version.count() & u64::from(u32::MAX)).ok()?.cast_signed();
    Some(number).filter(|&number| number != -1)
}

/// Whether this is the version of an entry under a lease.
pub(crate) const fn is_leased(version: Version) -> bool {
    version.count() & LEASED != 0
}

/// Whether a znode is an entry, not a directory.
pub(crate) const fn is_entry(stat: &ZnodeStat) -> bool {
    stat.data_length > 0 || !stat.ephemeral_owner.is_none()
}

/// What is known of an entry.
pub(crate) fn stat(key: &Key, stat: &ZnodeStat) -> Stat {
    let lease = Some(stat.ephemeral_owner).filter(|owner| !owner.is_none());
    Stat::new(key.clone(), revision(stat.czxid), revision(stat.mzxid), version(stat))
        .lease(lease.map(|owner| LeaseId::new(owner.get().cast_unsigned())))
        .value_bytes(usize::try_from(stat.data_length).unwrap_or(0))
}

/// How many znodes are directly below one.
pub(crate) fn children(stat: &ZnodeStat) -> usize {
    usize::try_from(stat.num_children).unwrap_or(0)
}

/// The entry of a znode; `None` for a directory. The value is copied out of the read buffer unless it is most of it.
pub(crate) fn entry(key: &Key, data: Option<Bytes>, znode: &ZnodeStat) -> Option<Entry> {
    let together = data.as_ref().map_or(0, Bytes::len);
    entry_of_many(key, data, znode, together)
}

/// The entry of a znode that was read in one answer with others, whose values have so many bytes together with its
/// own.
pub(crate) fn entry_of_many(
    key: &Key,
    data: Option<Bytes>,
    znode: &ZnodeStat,
    together: usize,
) -> Option<Entry> {
    is_entry(znode).then(|| {
        let data = data.unwrap_or_default();
        let is_most = data.len() >= COPIED_MAX && data.len() >= together / 2;
        let value = if is_most { data } else { Bytes::copy_from_slice(&data) };
        Entry::new(stat(key, znode), value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ZnodePath {
        ZnodePath::new(text).unwrap()
    }

    #[test]
    fn keys_and_paths_belong_together_below_a_chroot() {
        let paths = Paths::new(Some(Key::parse("/prod").unwrap()));
        let key = Key::parse("/a/b").unwrap();
        assert_eq!(paths.of(&key), path("/prod/a/b"));
        assert_eq!(paths.key(&path("/prod/a/b")), Some(key));
        assert_eq!(paths.key(&path("/prod")), None);
        assert_eq!(paths.key(&path("/production/a")), None);
        assert_eq!(paths.below(&Prefix::root()), path("/prod"));
    }

    #[test]
    fn what_the_server_keeps_for_itself_is_no_key() {
        let paths = Paths::new(None);
        assert_eq!(paths.key(&path("/zookeeper/config")), None);
        assert!(paths.key(&path("/zookeepers")).is_some());
        assert!(paths.is_reserved_below(&ZnodePath::root(), "zookeeper"));
        let reserved = Key::parse("/zookeeper/quota").unwrap();
        assert_eq!(paths.check(&reserved).unwrap_err().kind(), ErrorKind::Invalid);
        assert!(Paths::new(Some(Key::parse("/prod").unwrap())).check(&reserved).is_ok());
    }

    #[test]
    fn a_version_that_the_server_takes_for_any_is_refused() {
        let created = Revision::new(7);
        assert_eq!(compared(Version::new(created, u64::from(u32::MAX))), None);
        assert_eq!(compared(Version::new(created, 3 | LEASED)), Some(3));
        assert_eq!(compared(Version::new(created, u64::from(i32::MIN.cast_unsigned()))), Some(i32::MIN));
    }
}
