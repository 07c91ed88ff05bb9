//! The processes of this machine, and which of them a glob names.

use std::fmt;
use std::fs;
use std::io;

use globset::Glob;

/// One running process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    name: String,
    id: u32,
}

/// All processes that run now, in the order of their ids.
///
/// # Errors
///
/// Those of reading the directory `/proc`.
pub(crate) fn running() -> io::Result<Vec<Process>> {
    let mut all = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        // The directories of processes are numbers. What else is in `/proc` is not about processes.
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // A process may end between the listing and this.
        let Ok(name) = fs::read(entry.path().join("comm")) else { continue };
        all.push(Process { name: String::from_utf8_lossy(&name).trim_end().to_owned(), id });
    }
    all.sort_by_key(|process| process.id);
    Ok(all)
}

/// Says in one line which of these processes a glob names.
pub(crate) fn describe(glob: &str, running: &[Process]) -> String {
    // Somebody else wrote the glob. A wrong one must not end the agent.
    let matcher = match Glob::new(glob) {
        Ok(glob) => glob.compile_matcher(),
        Err(error) => return format!("{glob}: no glob: {}", error.kind()),
    };
    let found: Vec<_> =
        running.iter().filter(|process| matcher.is_match(&process.name)).map(Process::to_string).collect();
    match found.as_slice() {
        [] => format!("{glob}: nothing"),
        found => format!("{glob}: {}", found.join(", ")),
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(name: &str, id: u32) -> Process {
        Process { name: name.to_owned(), id }
    }

    #[test]
    fn a_glob_names_the_processes_that_match() {
        let running = [process("systemd", 1), process("bash", 7), process("systemd-udevd", 9)];
        assert_eq!(describe("systemd*", &running), "systemd*: systemd (1), systemd-udevd (9)");
        assert_eq!(describe("rsync*", &running), "rsync*: nothing");
    }

    #[test]
    fn a_wrong_glob_is_said_to_be_wrong() {
        assert!(describe("[", &[]).starts_with("[: no glob: "));
    }

    #[test]
    fn this_process_runs() {
        let id = std::process::id();
        assert!(running().unwrap().iter().any(|process| process.id == id));
    }
}
