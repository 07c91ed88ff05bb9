//! The hosts file: a part of it is ours, and it is replaced as a whole.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::net::IpAddr;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

const BEGIN: &str = "# begin of what hosts-file keeps";
const END: &str = "# end of what hosts-file keeps";

/// A hosts file. What others wrote into it stays.
#[derive(Debug)]
pub(crate) struct HostsFile {
    path: PathBuf,
}

impl HostsFile {
    pub(crate) const fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Puts these hosts in place of those that were kept before. A reader sees the file before or after, never half of
    /// it, also if the power fails.
    pub(crate) async fn replace(&self, hosts: impl Iterator<Item = (&str, IpAddr)>) -> Result<()> {
        let mut ours = String::new();
        for (name, address) in hosts {
            writeln!(ours, "{address}\t{name}")?;
        }
        let path = self.path.clone();
        // Files are waited for on a thread that has nothing else to do.
        tokio::task::spawn_blocking(move || replace(&path, &ours)).await?
    }
}

/// Whether a name can stand in a hosts file.
pub(crate) fn is_name(name: &str) -> bool {
    name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'))
}

fn replace(path: &PathBuf, ours: &str) -> Result<()> {
    let before = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let text = with_ours(&before, ours)?;
    if text == before {
        return Ok(());
    }
    let mut name = path.clone().into_os_string();
    name.push(".new");
    let new = PathBuf::from(name);
    let written = (|| {
        let mut file = File::create(&new)?;
        if let Ok(metadata) = fs::metadata(path) {
            file.set_permissions(metadata.permissions())?;
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)
    })();
    written.with_context(|| format!("cannot replace {}", path.display()))
}

/// The text with our part replaced, or added at its end.
fn with_ours(before: &str, ours: &str) -> Result<String> {
    let part = format!("{BEGIN}\n{ours}{END}\n");
    let Some(begin) = before.find(BEGIN) else {
        let newline = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
        return Ok(format!("{before}{newline}{part}"));
    };
    let Some(end) = before[begin..].find(END) else {
        bail!("the file has {BEGIN:?} and no {END:?}: it is not touched");
    };
    let after = before[begin + end + END.len()..].trim_start_matches('\n');
    Ok(format!("{}{part}{after}", &before[..begin]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_stays_where_it_is() {
        let first = with_ours("127.0.0.1\tlocalhost", "10.0.0.1\ta\n").unwrap();
        assert_eq!(first, format!("127.0.0.1\tlocalhost\n{BEGIN}\n10.0.0.1\ta\n{END}\n"));
        let second = with_ours(&format!("{first}::1\tlocalhost\n"), "").unwrap();
        assert_eq!(second, format!("127.0.0.1\tlocalhost\n{BEGIN}\n{END}\n::1\tlocalhost\n"));
    }

    #[test]
    fn a_file_without_an_end_is_not_touched() {
        assert!(with_ours(BEGIN, "").is_err());
    }

    #[test]
    fn a_name_cannot_bring_a_line_of_its_own() {
        assert!(is_name("web-1.example"));
        assert!(["a b", "a\tb", "a#b", "\u{e4}"].iter().all(|name| !is_name(name)));
    }
}
