//! What stands for itself in the value of an option, and what is written as `%` and two digits.

use std::fmt::Write as _;

/// Decodes a value; `None` if a `%` is not followed by two digits, or if the result is not UTF-8.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let (digits, after) = after.split_at_checked(2)?;
            if !digits.iter().all(u8::is_ascii_hexdigit) {
                return None;
            }
            decoded.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = after;
        } else {
            decoded.push(byte);
            rest = after;
        }
    }
    String::from_utf8(decoded).ok()
}

/// Encodes a value, so that nothing in it ends it and whoever cuts a URL at white space has all of it.
pub(super) fn encode(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut encoded, c| {
        if matches!(c, '%' | '&' | '#' | '?' | '+') || c.is_whitespace() || c.is_control() {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                // Writing to a string cannot fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
        } else {
            encoded.push(c);
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_to_the_same() {
        for text in ["/etc/zk/ca.pem", "a b&c=d%e?f#g+h\n", "ä/ö", ""] {
            let encoded = encode(text);
            assert!(!encoded.contains(['&', ' ', '#']), "{encoded}");
            assert_eq!(decode(&encoded).as_deref(), Some(text), "{encoded}");
        }
    }

    #[test]
    fn half_an_escape_is_refused() {
        for text in ["%", "%4", "a%zz", "%+4", "%ff"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
