//! Lists of `name=value`, where values may be quoted.

use crate::sasl::{SaslError, TOKEN_BYTES_MAX};

/// The directives of one token, in order.
pub(super) struct Directives<'a> {
    pairs: Vec<(&'a [u8], Vec<u8>)>,
}

impl<'a> Directives<'a> {
    pub(super) fn parse(token: &'a [u8]) -> Result<Self, SaslError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(SaslError::TooLong { bytes: token.len(), bytes_max: TOKEN_BYTES_MAX });
        }
        let (mut pairs, mut rest) = (Vec::new(), token);
        loop {
            rest = skip_separators(rest);
            if rest.is_empty() {
                return Ok(Self { pairs });
            }
            let equals = rest.iter().position(|&byte| byte == b'=').ok_or(SaslError::Malformed)?;
            let name = rest[..equals].trim_ascii_end();
            let (value, after) = take_value(rest[equals + 1..].trim_ascii_start())?;
            pairs.push((name, value));
            rest = after.trim_ascii_start();
            if !rest.is_empty() && rest[0] != b',' {
                return Err(SaslError::Malformed);
            }
        }
    }

    /// Finds a directive that may be there once.
    pub(super) fn find(&self, name: &'static str) -> Result<Option<&[u8]>, SaslError> {
        let mut found = self.pairs.iter().filter(|pair| pair.0.eq_ignore_ascii_case(name.as_bytes()));
        let value = found.next().map(|pair| &pair.1[..]);
        if found.next().is_some() { Err(SaslError::Repeated { directive: name }) } else { Ok(value) }
    }

    /// Finds a directive that must be there once.
    pub(super) fn require(&self, name: &'static str) -> Result<&[u8], SaslError> {
        self.find(name)?.ok_or(SaslError::Missing { directive: name })
    }

    /// Finds the first of a directive that may be there several times.
    pub(super) fn first(&self, name: &str) -> Option<&[u8]> {
        self.pairs.iter().find(|pair| pair.0.eq_ignore_ascii_case(name.as_bytes())).map(|pair| &pair.1[..])
    }

    /// Checks that a directive, if it is there, has a value that is acceptable.
    pub(super) fn check(
        &self,
        name: &'static str,
        is_acceptable: impl FnOnce(&[u8]) -> bool,
    ) -> Result<(), SaslError> {
        match self.find(name)? {
            Some(value) if !is_acceptable(value) => Err(SaslError::Unacceptable { directive: name }),
            _ => Ok(()),
        }
    }

    /// Returns whether text is UTF-8; otherwise it is ISO 8859-1.
    pub(super) fn is_utf8(&self) -> Result<bool, SaslError> {
        self.check("charset", |charset| charset.eq_ignore_ascii_case(b"utf-8"))?;
        Ok(self.find("charset")?.is_some())
    }
}

/// Appends `name="value"`, after a comma unless it is the first.
pub(super) fn put_quoted(token: &mut Vec<u8>, name: &str, value: &[u8]) {
    put_name(token, name);
    token.push(b'"');
    for &byte in value {
        if matches!(byte, b'"' | b'\\') {
            token.push(b'\\');
        }
        token.push(byte);
    }
    token.push(b'"');
}

/// Appends `name=value`, after a comma unless it is the first.
pub(super) fn put_plain(token: &mut Vec<u8>, name: &str, value: &str) {
    put_name(token, name);
    token.extend_from_slice(value.as_bytes());
}

fn put_name(token: &mut Vec<u8>, name: &str) {
    if !token.is_empty() {
        token.push(b',');
    }
    token.extend_from_slice(name.as_bytes());
    token.push(b'=');
}

/// Lists may have empty elements.
fn skip_separators(token: &[u8]) -> &[u8] {
    let start = token.iter().position(|byte| !byte.is_ascii_whitespace() && *byte != b',');
    &token[start.unwrap_or(token.len())..]
}

/// Takes a value off the front, and the quotes off it.
fn take_value(token: &[u8]) -> Result<(Vec<u8>, &[u8]), SaslError> {
    let Some(quoted) = token.strip_prefix(b"\"") else {
        let is_end = |byte: &u8| *byte == b',' || byte.is_ascii_whitespace();
        let end = token.iter().position(is_end).unwrap_or(token.len());
        return Ok((token[..end].to_vec(), &token[end..]));
    };
    let mut value = Vec::new();
    let mut bytes = quoted.iter().enumerate();
    while let Some((index, &byte)) = bytes.next() {
        match byte {
            b'"' => return Ok((value, &quoted[index + 1..])),
            b'\\' => value.push(*bytes.next().ok_or(SaslError::Malformed)?.1),
            _ => value.push(byte),
        }
    }
    Err(SaslError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_escapes_and_blanks_come_off() {
        let token = b" realm=\"a\\\"b, c\" ,, nonce = \"n\",qop=auth\t,stale=true";
        let directives = Directives::parse(token).unwrap();
        assert_eq!(directives.require("realm"), Ok(&b"a\"b, c"[..]));
        assert_eq!(directives.require("NONCE"), Ok(&b"n"[..]));
        assert_eq!(directives.require("qop"), Ok(&b"auth"[..]));
        assert_eq!(directives.find("absent"), Ok(None));
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        for token in [&b"name"[..], b"a=\"open", b"a=\"x\"y", b"a=\"x\\", b"a=b c"] {
            assert_eq!(Directives::parse(token).err(), Some(SaslError::Malformed), "{token:?}");
        }
        let long = vec![b','; TOKEN_BYTES_MAX + 1];
        assert!(matches!(Directives::parse(&long), Err(SaslError::TooLong { .. })));
        let twice = Directives::parse(b"a=1,a=2").unwrap();
        assert_eq!(twice.find("a"), Err(SaslError::Repeated { directive: "a" }));
    }

    #[test]
    fn what_is_quoted_is_read_back() {
        let mut token = Vec::new();
        put_quoted(&mut token, "a", b"\"\\,= ");
        put_plain(&mut token, "b", "c");
        let directives = Directives::parse(&token).unwrap();
        assert_eq!(directives.require("a"), Ok(&b"\"\\,= "[..]));
        assert_eq!(directives.require("b"), Ok(&b"c"[..]));
    }
}
