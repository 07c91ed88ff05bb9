//! The environment variables that are read beside the options.

use std::env::var_os;
use std::ffi::OsString;
use std::path::PathBuf;

use quorate::{HeldLock, Key, Revision};

use crate::exit::{Failure, Result};

/// The entry of the lock that `quorate lock` holds for its command.
pub(crate) const LOCK: &str = "QUORATE_LOCK";
/// The fencing token of that lock.
pub(crate) const TOKEN: &str = "QUORATE_TOKEN";
/// The store, for those who give no `--store`.
pub(crate) const STORE: &str = "QUORATE_STORE";

/// A lock that the program around this one holds for it.
#[derive(Debug)]
pub(crate) struct HeldFor {
    /// The lock.
    pub(crate) lock: HeldLock,
    /// The store that it is in, if that is said.
    pub(crate) store: Option<String>,
}

/// Reads which lock the program around this one holds for it.
pub(crate) fn held_lock() -> Result<Option<HeldFor>> {
    let Some(entry) = text(LOCK)? else { return Ok(None) };
    let entry = Key::parse(&entry).map_err(|error| Failure::usage(format!("{LOCK}: {error}")))?;
    let token = text(TOKEN)?.and_then(|token| token.parse().ok());
    let token = token.ok_or_else(|| Failure::usage(format!("{LOCK} is set, and {TOKEN} is no number")))?;
    Ok(Some(HeldFor { lock: HeldLock::new(entry, Revision::new(token)), store: text(STORE)? }))
}

/// The text of a variable that the URL of a store names. One that is empty or no text counts as not set.
pub(crate) fn variable(name: &str) -> Option<String> {
    var_os(name)?.into_string().ok().filter(|text| !text.is_empty())
}

/// Where the data of this user is kept.
pub(crate) fn data_directory() -> Option<PathBuf> {
    let absolute = |path: OsString| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    var_os("XDG_DATA_HOME")
        .and_then(absolute)
        .or_else(|| Some(var_os("HOME").and_then(absolute)?.join(".local").join("share")))
}

/// The text of a variable; an empty one counts as not set.
fn text(name: &str) -> Result<Option<String>> {
    let Some(value) = var_os(name).filter(|value| !value.is_empty()) else { return Ok(None) };
    let text = value.into_string().map_err(|_| Failure::usage(format!("{name} is not valid UTF-8")))?;
    Ok(Some(text))
}
