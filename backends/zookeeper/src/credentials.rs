//! Users and passwords, from where they are kept to what they are.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use quorate_datasync::Result;
use quorate_zk::Secret;

use crate::error::invalid;

/// The longest text of a user and a password.
const TEXT_BYTES_MAX: usize = 4096;

/// A user and a password, or where they are kept. Its debug output never shows a password.
///
/// A text has the form `user:password`, on one line; the end of the line is not part of it. The password may contain
/// colons, the user may not, and neither is empty. A text is looked at when the store is opened.
#[derive(Clone)]
pub struct Credentials(Source);

#[derive(Clone)]
enum Source {
    Given { user: String, password: Secret },
    Text { place: String, text: Secret },
    File(PathBuf),
}

/// What credentials turn out to be.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: Secret,
}

impl Credentials {
    /// A user and a password.
    pub fn new(user: impl Into<String>, password: Secret) -> Self {
        Self(Source::Given { user: user.into(), password })
    }

    /// A text from some other place, such as an environment variable. Errors name the place and never the text.
    pub fn text(place: impl Into<String>, text: Secret) -> Self {
        Self(Source::Text { place: place.into(), text })
    }

    /// A file that holds the text.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Source::File(path.into()))
    }

    /// Looks at the text. Blocks as long as the file system does.
    pub(crate) fn resolve(&self) -> Result<Login> {
        match &self.0 {
            Source::Given { user, password } => Ok(Login { user: user.clone(), password: password.clone() }),
            Source::Text { place, text } => parse(place, text.expose()),
            Source::File(path) => {
                let place = path.display().to_string();
                let text = read(path).map_err(|error| invalid(format!("{place} cannot be read: {error}")))?;
                parse(&place, &text)
            }
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Given { user, .. } => f.debug_tuple("Credentials").field(user).finish(),
            Source::Text { place, .. } => f.debug_tuple("Credentials").field(place).finish(),
            Source::File(path) => f.debug_tuple("Credentials").field(path).finish(),
        }
    }
}

/// Reads a file, though no more of it than it may have.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let bytes_max = TEXT_BYTES_MAX as u64 + 1;
    File::open(path)?.take(bytes_max).read_to_end(&mut text)?;
    Ok(text)
}

fn parse(place: &str, text: &[u8]) -> Result<Login> {
    let wrong = |problem: &str| Err(invalid(format!("{place} {problem}")));
    if text.len() > TEXT_BYTES_MAX {
        return wrong("is too long for a user and a password");
    }
    let Ok(text) = std::str::from_utf8(text) else { return wrong("is not UTF-8") };
    let line = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    if line.contains(char::is_control) {
        return wrong("holds more than the one line user:password");
    }
    match line.split_once(':') {
        Some((user, password)) if !user.is_empty() && !password.is_empty() => {
            Ok(Login { user: user.to_owned(), password: Secret::new(password.to_owned()) })
        }
        _ => wrong("does not hold user:password"),
    }
}

#[cfg(test)]
mod tests {
    use quorate_datasync::ErrorKind;

    use super::*;

    fn of(text: &str) -> Result<(String, Vec<u8>)> {
        let login = Credentials::text("the place", Secret::new(text.to_owned())).resolve()?;
        Ok((login.user, login.password.expose().to_vec()))
    }

    #[test]
    fn the_end_of_the_line_is_no_part_of_a_password() {
        for text in ["bob:wo:rd", "bob:wo:rd\n", "bob:wo:rd\r\n"] {
            assert_eq!(of(text).unwrap(), ("bob".to_owned(), b"wo:rd".to_vec()), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_user_and_password_is_refused_without_showing_it() {
        for text in ["", "hush", ":hush", "hush:", "a:hush\nb:hush", "a:hush\n\n", "a:hu\0sh"] {
            let error = of(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{text:?}");
            assert!(error.to_string().contains("the place"), "{error}");
            assert!(!error.to_string().contains("hush"), "{error}");
        }
        assert!(of(&format!("a:{}", "x".repeat(TEXT_BYTES_MAX))).is_err());
    }

    #[test]
    fn a_file_that_is_not_there_or_has_no_end_is_named() {
        for path in ["/nowhere/zk.auth", "/dev/zero"] {
            let error = Credentials::file(path).resolve().unwrap_err();
            assert!(error.to_string().contains(path), "{error}");
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        let given = Credentials::new("bob", Secret::new("hush"));
        let text = Credentials::text("the place", Secret::new("bob:hush"));
        let login = given.resolve().unwrap();
        assert!(!format!("{given:?} {text:?} {login:?}").contains("hush"));
    }
}
