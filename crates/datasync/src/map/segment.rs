//! Texts as segments of keys: what a key refuses is written as `%` and two digits for each byte.

use std::fmt::Write as _;

/// The segment of a text. Different texts have different segments.
pub(super) fn encode(text: &str) -> String {
    match text {
        // No other text gives these: a `%` is always followed by digits.
        "" => "%".to_owned(),
        "." => "%2E".to_owned(),
        ".." => "%2E%2E".to_owned(),
        _ => text.chars().fold(String::with_capacity(text.len()), |mut segment, c| {
            if stands_for_itself(c) {
                segment.push(c);
            } else {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    write!(segment, "%{byte:02X}").expect("writing to a string does not fail");
                }
            }
            segment
        }),
    }
}

/// The text of a segment; `None` of a segment that [`encode`] does not write.
pub(super) fn decode(segment: &str) -> Option<String> {
    let text = if segment == "%" { String::new() } else { unescape(segment)? };
    (encode(&text) == segment).then_some(text)
}

fn unescape(segment: &str) -> Option<String> {
    let mut parts = segment.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

/// Whether every store keeps this character in a segment, and it means nothing there.
const fn stands_for_itself(c: char) -> bool {
    !matches!(c, '%' | '/' | '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Key;

    #[test]
    fn awkward_texts_are_segments() {
        let texts =
            ["", ".", "..", "...", "a/b", "%", "%2E", "ä", "\u{1f600}", "\0", "\u{fffd}", " ", "web-7"];
        let mut segments: Vec<_> = texts.iter().map(|text| encode(text)).collect();
        for (text, segment) in texts.iter().zip(&segments) {
            assert!(Key::parse(&format!("/{segment}")).is_ok(), "{segment}");
            assert_eq!(decode(segment).as_deref(), Some(*text));
        }
        segments.sort_unstable();
        segments.dedup();
        assert_eq!(segments.len(), texts.len());
    }

    #[test]
    fn what_no_text_gives_is_no_segment() {
        for segment in ["%4", "%zz", "%+4", "%61", "%2f", "%ff", "a%", "%%", "%2E."] {
            assert_eq!(decode(segment), None, "{segment}");
        }
    }

    proptest! {
        #[test]
        fn every_text_is_a_segment_and_comes_back(text in any::<String>()) {
            let segment = encode(&text);
            let key = format!("/{segment}");
            prop_assert!(Key::parse(&key).is_ok() || key.len() > 1_000);
            prop_assert_eq!(decode(&segment), Some(text));
        }
    }
}
