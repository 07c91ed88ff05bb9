//! The clock of keys with a time to live: which boot it is, and how long the machine has been up.

use std::fs;
use std::path::Path;

use quorate_datasync::{Error, Moment, Result};

use crate::error::classify_io;

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// What tells this boot of the machine from all others.
///
/// Deadlines are times since boot, which no one sets and which count suspend, so they mean nothing in another boot.
pub(crate) fn boot() -> Result<String> {
    let text = fs::read_to_string(BOOT_ID).map_err(|error| classify_io("open", Path::new(BOOT_ID), error))?;
    let boot = text.trim();
    if boot.is_empty() {
        return Err(Error::unsupported("open", "a machine that does not tell its boots apart"));
    }
    Ok(boot.to_owned())
}

/// Milliseconds since the machine was started, suspend included.
pub(crate) fn uptime_ms() -> i64 {
    i64::try_from(Moment::now().as_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boot_keeps_its_name() {
        assert_eq!(boot().unwrap(), boot().unwrap());
    }

    #[test]
    fn uptime_is_positive_and_does_not_go_back() {
        let earlier = uptime_ms();
        assert!(earlier > 0);
        assert!(uptime_ms() >= earlier);
    }
}
