//! Values from the command line: given there, or read from a file or standard input.

use std::error::Error;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use serde_json::Value;

use crate::exit::{Failure, Result};

/// The longest value that is read from a file or standard input. Every store's own limit is far below.
const INPUT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A value: itself, `-` for standard input, or `@FILE`.
#[derive(Clone, Debug)]
pub(crate) struct Input(OsString);

impl Input {
    /// The value's bytes.
    pub(crate) async fn bytes(self) -> Result<Vec<u8>> {
        let reading = tokio::task::spawn_blocking(move || self.read());
        reading.await.map_err(Failure::failed)?
    }

    /// The value as a document.
    pub(crate) async fn document(self) -> Result<Value> {
        let name = self.name();
        let bytes = self.bytes().await?;
        parse(&bytes).map_err(|error| Failure::usage(format!("{name}: {error}")))
    }

    /// What to call it in an error.
    fn name(&self) -> String {
        match self.0.as_bytes() {
            b"-" => "standard input".to_owned(),
            [b'@', path @ ..] => String::from_utf8_lossy(path).into_owned(),
            _ => "the value".to_owned(),
        }
    }

    fn read(self) -> Result<Vec<u8>> {
        let name = self.name();
        let read = match self.0.as_bytes() {
            b"-" => limited(io::stdin().lock()),
            [b'@', path @ ..] => File::open(Path::new(std::ffi::OsStr::from_bytes(path))).and_then(limited),
            _ => return Ok(self.0.into_vec()),
        };
        let bytes = read.map_err(|error| Failure::usage(format!("{name} cannot be read: {error}")))?;
        if bytes.len() as u64 > INPUT_BYTES_MAX {
            return Err(Failure::failed(format!("{name} is over the limit of {INPUT_BYTES_MAX} bytes")));
        }
        Ok(bytes)
    }
}

impl From<OsString> for Input {
    fn from(text: OsString) -> Self {
        Self(text)
    }
}

/// The document that a text is, or what is wrong with it and where.
pub(crate) fn parse(bytes: &[u8]) -> std::result::Result<Value, String> {
    quorate::parse(bytes).map_err(|error| match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    })
}

/// Reads to the end, or one byte past the limit.
fn limited(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(INPUT_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
