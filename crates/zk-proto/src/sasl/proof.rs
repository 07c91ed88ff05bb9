//! The digest that shows that its maker knows the password.

use std::borrow::Cow;

use md5::{Digest, Md5};

use crate::sasl::{DIGEST_URI, NONCE_COUNT, QOP, SaslError};

/// Everything that goes into the digest. The first three are in the form that is hashed.
pub(super) struct Proof<'a> {
    pub(super) username: &'a [u8],
    pub(super) realm: &'a [u8],
    pub(super) password: &'a [u8],
    pub(super) nonce: &'a [u8],
    pub(super) cnonce: &'a [u8],
}

impl Proof<'_> {
    /// What the client sends.
    pub(super) fn of_client(&self) -> String {
        self.digest("AUTHENTICATE", DIGEST_URI)
    }

    /// What the server answers.
    pub(super) fn of_server(&self) -> String {
        self.digest("", DIGEST_URI)
    }

    fn digest(&self, method: &str, uri: &str) -> String {
        let secret = md5(&[self.username, self.realm, self.password]);
        let a1 = hex(&md5(&[&secret, self.nonce, self.cnonce]));
        let a2 = hex(&md5(&[method.as_bytes(), uri.as_bytes()]));
        let parts =
            [a1.as_bytes(), self.nonce, NONCE_COUNT.as_bytes(), self.cnonce, QOP.as_bytes(), a2.as_bytes()];
        hex(&md5(&parts))
    }
}

/// Hashes the parts with colons between them.
fn md5(parts: &[&[u8]]) -> [u8; 16] {
    let mut md5 = Md5::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            md5.update(b":");
        }
        md5.update(part);
    }
    md5.finalize().into()
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

/// Returns whether two digests are equal, in a time that does not tell where they differ.
pub(super) fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

/// Returns text in the form that is hashed: ISO 8859-1 if that has all its characters, whatever form it
/// travels in.
pub(super) fn hashed(text: &[u8], is_utf8: bool) -> Cow<'_, [u8]> {
    match str::from_utf8(text) {
        Ok(text) if is_utf8 => to_latin1(text).map_or(Cow::Borrowed(text.as_bytes()), Cow::Owned),
        _ => Cow::Borrowed(text),
    }
}

/// Returns our own text, which is UTF-8 or mere bytes, in the form in which it travels.
pub(super) fn sent(text: &[u8], is_utf8: bool) -> Result<Cow<'_, [u8]>, SaslError> {
    match str::from_utf8(text) {
        Ok(text) if !is_utf8 => to_latin1(text).map(Cow::Owned).ok_or(SaslError::Charset),
        _ => Ok(Cow::Borrowed(text)),
    }
}

fn to_latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|character| u8::try_from(character).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc_comes_out() {
        let proof = Proof {
            username: b"chris",
            realm: b"elwood.innosoft.com",
            password: b"secret",
            nonce: b"OA6MG9tEQGm2hh",
            cnonce: b"OA6MHXh6VqTrRk",
        };
        let uri = "imap/elwood.innosoft.com";
        assert_eq!(proof.digest("AUTHENTICATE", uri), "d388dad90d4bbd760a152321f2143af7");
        assert_eq!(proof.digest("", uri), "ea40f60335c427b5527b84dbabcdfffd");
    }

    #[test]
    fn text_is_hashed_as_latin1_where_that_has_its_characters() {
        assert_eq!(hashed("ä".as_bytes(), true)[..], [0xe4]);
        assert_eq!(hashed("äĄ".as_bytes(), true)[..], *"äĄ".as_bytes());
        assert_eq!(hashed(&[0xff], true)[..], [0xff]);
        assert_eq!(sent("ä".as_bytes(), false).as_deref(), Ok(&[0xe4][..]));
        assert_eq!(sent("Ą".as_bytes(), false), Err(SaslError::Charset));
    }
}
