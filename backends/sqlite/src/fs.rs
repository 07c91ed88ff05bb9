//! Files: where they are, which they are, and who holds them.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use quorate_datasync::{Error, ErrorKind, Result};
use rustix::fs::FlockOperation;
use rustix::io::Errno;

use crate::error::classify_io;

/// Only the owner may read and write what a store leaves on disk.
const MODE: u32 = 0o600;

/// How long to wait between two attempts at a lock.
const LOCK_RETRY: Duration = Duration::from_millis(1);

/// Which file a path led to.
///
/// The number of a file that is still open is not given to another, so as long as somebody has the file open a
/// path with the same identity leads to the same file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// The file that is at `path` now; `None` if there is none.
    pub(crate) fn at(path: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(path) {
            Ok(metadata) => Ok(Some(Self::new(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The file that is open.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        Ok(Self::new(&file.metadata()?))
    }

    fn new(metadata: &fs::Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// The absolute path of a database, free of links, so that all who mean the same file name the same side files.
pub(crate) fn resolve(path: &Path) -> Result<PathBuf> {
    match fs::canonicalize(path) {
        Ok(resolved) => return Ok(resolved),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(classify_io("open", path, error)),
    }
    let Some(name) = path.file_name() else {
        return Err(
            Error::new(ErrorKind::Invalid, "open").because(format!("{} names no file", path.display()))
        );
    };
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match fs::canonicalize(parent) {
        Ok(parent) => Ok(parent.join(name)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let detail = format!("the directory {} does not exist", parent.display());
            Err(Error::new(ErrorKind::Unreachable, "open").because(detail).caused_by(error))
        }
        Err(error) => Err(classify_io("open", parent, error)),
    }
}

/// The path of a side file: the database's own name and a suffix.
pub(crate) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = database.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Fails if `path` lies on a file system that several machines may share: neither its locks nor its shared
/// memory reach across them.
pub(crate) fn refuse_network(path: &Path) -> Result<()> {
    let place = if path.exists() { path } else { path.parent().unwrap_or(path) };
    let found = rustix::fs::statfs(place).map_err(|error| classify_io("open", place, error.into()))?;
    // The width and sign of the field differ between machines; the magic numbers have 32 bits.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "see above")]
    let magic = found.f_type as u32;
    network_name(magic).map_or(Ok(()), |name| {
        let what = format!("{}, which is on {name}: one machine must hold the file", path.display());
        Err(Error::unsupported("open", what))
    })
}

/// What a file system is called if it may be shared between machines.
const fn network_name(magic: u32) -> Option<&'static str> {
    Some(match magic {
        0x0000_6969 => "NFS",
        0x0000_517b | 0xfe53_4d42 | 0xff53_4d42 => "SMB",
        0x5346_414f | 0x6b41_4653 => "AFS",
        0x0102_1997 => "9P",
        0x00c3_6400 => "Ceph",
        0x0bd0_0bd0 => "Lustre",
        0x4750_4653 => "GPFS",
        0x7461_636f => "OCFS2",
        0x0116_1970 => "GFS2",
        0x7375_7245 => "Coda",
        0x0000_564c => "NCP",
        0x786f_4256 => "a VirtualBox share",
        0xbacb_acbc => "a VMware share",
        0x6573_5546 => "FUSE, which may be a network",
        _ => return None,
    })
}

/// Whether nobody may write the file: by its mode, which also binds who could override it, by the rights of this
/// process, or because the file system is read-only.
pub(crate) fn is_read_only(path: &Path) -> io::Result<bool> {
    if fs::metadata(path)?.mode() & 0o222 == 0 {
        return Ok(true);
    }
    match rustix::fs::access(path, rustix::fs::Access::WRITE_OK) {
        Ok(()) => Ok(false),
        Err(Errno::ACCESS | Errno::ROFS | Errno::PERM) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Whether the file system is mounted read-only, so that nobody can change the file at all.
pub(crate) fn is_on_read_only_mount(path: &Path) -> bool {
    rustix::fs::statvfs(path).is_ok_and(|found| found.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY))
}

/// Creates a private file that must not exist.
pub(crate) fn create_private(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(MODE).open(path).map(drop)
}

/// Makes a rename or a creation in the directory of `path` survive a loss of power.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
}

/// Opens a side file, creating it, and locks it; `None` if somebody else holds it.
///
/// The lock belongs to the open file: it ends with the process and not, as POSIX locks do, when some other part of
/// the process closes the same file. The file that is returned is the one at `path`, not one that was
/// removed meanwhile; whoever removes one must hold it exclusively.
pub(crate) fn hold(path: &Path, how: FlockOperation) -> io::Result<Option<File>> {
    loop {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(MODE).open(path)?;
        match rustix::fs::flock(&file, how) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Ok(None),
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        if FileId::at(path)? == Some(FileId::of(&file)?) {
            return Ok(Some(file));
        }
    }
}

/// As [`hold`], but waits until the file is free.
pub(crate) fn hold_within(path: &Path, how: FlockOperation, patience: Duration) -> io::Result<File> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(file) = hold(path, how)? {
            return Ok(file);
        }
        if Instant::now() >= deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        thread::sleep(LOCK_RETRY);
    }
}

/// Removes a file if it is there.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_of_several_machines_have_a_name() {
        let table = [
            (0x6969, Some("NFS")),
            (0xff53_4d42, Some("SMB")),
            (0x0102_1997, Some("9P")),
            (0xef53, None),
            (0x0102_1994, None),
            (0x9123_683e, None),
            (0x794c_7630, None),
        ];
        for (magic, name) in table {
            assert_eq!(network_name(magic), name, "{magic:x}");
        }
    }

    #[test]
    fn a_missing_directory_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = resolve(&folder.path().join("absent/state.db")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreachable);
        assert!(error.to_string().contains("absent does not exist"), "{error}");
    }

    #[test]
    fn links_lead_to_one_path() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real.db"), folder.path().join("link.db"));
        create_private(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert_eq!(resolve(&real).unwrap(), resolve(&link).unwrap());
    }

    #[test]
    fn a_held_file_is_private_and_held_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = hold(&path, FlockOperation::NonBlockingLockExclusive).unwrap().unwrap();
        assert_eq!(held.metadata().unwrap().mode() & 0o777, MODE);
        assert!(hold(&path, FlockOperation::NonBlockingLockShared).unwrap().is_none());
        drop(held);
        assert!(hold(&path, FlockOperation::NonBlockingLockShared).unwrap().is_some());
    }

    #[test]
    fn a_file_that_nobody_may_write_is_read_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        create_private(&path).unwrap();
        assert!(!is_read_only(&path).unwrap());
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o400)).unwrap();
        assert!(is_read_only(&path).unwrap());
    }
}
