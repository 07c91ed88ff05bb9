//! The files of the project.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that tools fill.
const GENERATED: [&str; 2] = [".git", "target"];

/// A text file of the project.
pub(crate) struct File {
    /// Its path below the top, with `/` between the parts.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// The numbered lines without their `//` comments. A `//` in a string also ends a line: nothing that is looked
    /// for stands behind a URL.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().map(|(number, line)| (number, line.split("//").next().unwrap_or_default()))
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The places of the code that contain one of `words`, whatever their case.
    pub(crate) fn code_with(&self, words: &[&str]) -> Vec<String> {
        offences(&self.path, self.code(), words)
    }

    /// The places of the whole text that contain one of `words`, whatever their case.
    pub(crate) fn text_with(&self, words: &[&str]) -> Vec<String> {
        offences(&self.path, self.lines(), words)
    }
}

fn offences<'a>(path: &str, lines: impl Iterator<Item = (usize, &'a str)>, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in lines {
        let line = line.to_lowercase();
        for word in words.iter().filter(|word| line.contains(&word.to_lowercase())) {
            found.push(format!("{path}:{number}: {word}"));
        }
    }
    found
}

/// The top of the workspace.
pub(crate) fn top() -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    top.canonicalize().expect("this crate lies two folders below the top")
}

/// The text files below `folder`, which is a path below the top. None where there is no such folder.
pub(crate) fn files(folder: &str) -> Vec<File> {
    let top = top();
    let mut files = Vec::new();
    let mut folders = vec![top.join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.expect("a folder of the project can be read").path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                if !GENERATED.contains(&name.as_ref()) {
                    folders.push(path);
                }
            } else if let Ok(text) = fs::read_to_string(&path) {
                let below = path.strip_prefix(&top).expect("it was found below the top");
                files.push(File { path: below.to_string_lossy().into_owned(), text });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// The Rust files below `folder`.
pub(crate) fn rust(folder: &str) -> Vec<File> {
    let mut files = files(folder);
    files.retain(|file| file.path.ends_with(".rs"));
    files
}
