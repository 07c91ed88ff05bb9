//! Reads a document from bytes, with an exact limit on its depth.

use serde::de::IgnoredAny;
use serde_json::Value;
use thiserror::Error;

use super::depth::DEPTH_MAX;

/// The deepest nesting that serde_json reads: its limit of 128 already fails on entering the 128th level.
const SERDE_DEPTH_MAX: usize = 127;

/// Why bytes are not a document.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The bytes are not one JSON value, or more follows after it.
    #[error("the document is not valid JSON")]
    Syntax(#[source] serde_json::Error),
    /// Arrays and objects are nested deeper than [`DEPTH_MAX`](crate::DEPTH_MAX).
    #[error("the document is nested deeper than {DEPTH_MAX} levels")]
    TooDeep,
}

/// Reads one JSON document that is nested at most [`DEPTH_MAX`](crate::DEPTH_MAX) deep.
///
/// Exactly that depth is accepted. Of several members with one name the last counts. The depth is checked on the way
/// down, so no input can exhaust the stack.
///
/// # Errors
///
/// - [`ParseError::TooDeep`] if arrays and objects are nested deeper.
/// - [`ParseError::Syntax`] if the bytes are not JSON, or more than white space follows the document.
///
/// # Examples
///
/// ```
/// use quorate_datasync::{DEPTH_MAX, ParseError, parse};
///
/// assert!(parse(br#"{"interval": 5}"#).is_ok());
/// let deep = "[".repeat(DEPTH_MAX + 1) + &"]".repeat(DEPTH_MAX + 1);
/// assert!(matches!(parse(deep.as_bytes()), Err(ParseError::TooDeep)));
/// ```
pub fn parse(bytes: &[u8]) -> Result<Value, ParseError> {
    // Only where serde_json stops short is it worth a look how deep the text is.
    serde_json::from_slice(bytes).or_else(|error| match depth_of_text(bytes) {
        0..=SERDE_DEPTH_MAX => Err(ParseError::Syntax(error)),
        DEPTH_MAX => parse_outermost(bytes).map_err(ParseError::Syntax),
        _ => Err(ParseError::TooDeep),
    })
}

/// Opens the outermost array or object by hand and leaves the rest to serde_json, which stops one level short.
fn parse_outermost(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    // Skipping a value has no depth limit and does not recurse. After it the text is known to be one
    // well-formed array or object, so it can be cut up without looking for mistakes again.
    serde_json::from_slice::<IgnoredAny>(bytes)?;
    let text = bytes.trim_ascii();
    let inside = text.get(1..text.len() - 1).expect("a well-formed container has two brackets");
    let members = split(inside, b',');
    if text.starts_with(b"[") {
        return members.into_iter().map(serde_json::from_slice::<Value>).collect();
    }
    members
        .into_iter()
        .map(|member| match split(member, b':').as_slice() {
            [name, value] => {
                Ok((serde_json::from_slice::<String>(name)?, serde_json::from_slice::<Value>(value)?))
            }
            _ => unreachable!("a well-formed member has one colon outside its name and value"),
        })
        .collect()
}

/// Cuts `text` at every `separator` that is in no string and in no bracket.
fn split(text: &[u8], separator: u8) -> Vec<&[u8]> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, byte) in outside_strings(text) {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ if byte == separator && depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Counts the deepest open bracket. Exact for JSON; for anything else the parser has the word.
fn depth_of_text(text: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for (_, byte) in outside_strings(text) {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Yields the bytes that belong to no string, each with its place.
fn outside_strings(text: &[u8]) -> impl Iterator<Item = (usize, u8)> {
    let (mut in_string, mut escaped) = (false, false);
    text.iter().copied().enumerate().filter(move |&(_, byte)| {
        if !in_string {
            in_string = byte == b'"';
            return !in_string;
        }
        if escaped {
            escaped = false;
        } else if byte == b'\\' {
            escaped = true;
        } else if byte == b'"' {
            in_string = false;
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::depth::depth;
    use super::*;

    fn nested(open: &str, middle: &str, close: &str, levels: usize) -> String {
        open.repeat(levels) + middle + &close.repeat(levels)
    }

    #[test]
    fn arrays_of_exactly_the_limit_are_read() {
        for middle in ["", "1", "\"]\""] {
            let value = parse(nested("[", middle, "]", 128).as_bytes()).unwrap();
            assert_eq!(depth(&value), 128);
        }
    }

    #[test]
    fn objects_of_exactly_the_limit_are_read() {
        let text = nested(" { \"a,:{\\\"\" : ", "1", " } ", 128);
        let value = parse(text.as_bytes()).unwrap();
        assert_eq!(depth(&value), 128);
        assert_eq!(value.as_object().unwrap().keys().next().unwrap(), "a,:{\"");
    }

    #[test]
    fn one_level_more_is_too_deep() {
        assert!(matches!(parse(nested("[", "", "]", 129).as_bytes()), Err(ParseError::TooDeep)));
        assert!(matches!(parse(nested("{\"a\":", "1", "}", 129).as_bytes()), Err(ParseError::TooDeep)));
    }

    #[test]
    fn a_million_brackets_do_not_exhaust_the_stack() {
        assert!(matches!(parse("[".repeat(1_000_000).as_bytes()), Err(ParseError::TooDeep)));
        assert!(matches!(parse("{\"a\":".repeat(1_000_000).as_bytes()), Err(ParseError::TooDeep)));
    }

    #[test]
    fn the_outermost_level_keeps_all_its_members() {
        let deep = nested("[", "", "]", 127);
        let text =
            format!("\n{{ \"x\\\"y\" : [1, 2] , \"d\":{deep}, \"e\":\"a,b:c\", \"d\":3, \"f\":{deep} }} ");
        let value = parse(text.as_bytes()).unwrap();
        assert_eq!(value.as_object().unwrap().len(), 4);
        assert_eq!(value["x\"y"], json!([1, 2]));
        assert_eq!(value["e"], json!("a,b:c"));
        assert_eq!(value["d"], json!(3), "of two members with one name the last counts");
        let list = parse(format!("[1,{deep},\"z\"]").as_bytes()).unwrap();
        assert_eq!((list[0].clone(), list[2].clone()), (json!(1), json!("z")));
    }

    #[test]
    fn malformed_text_is_an_error_at_every_depth() {
        let deep = nested("[", "", "]", 127);
        let broken = [
            "".into(),
            "[1,]".into(),
            "nul".into(),
            "{\"a\" 1}".into(),
            "[1 2]".into(),
            "\"".into(),
            "]".into(),
            format!("[{deep},]"),
            format!("[{deep}"),
            format!("[{deep}}}"),
            format!("{{{deep}}}"),
            format!("{{\"a\"::{deep}}}"),
            format!("{{1:{deep}}}"),
            format!("[{deep}]]"),
            format!("x[{deep}]"),
        ];
        for text in broken {
            assert!(matches!(parse(text.as_bytes()), Err(ParseError::Syntax(_))), "{text}");
        }
    }

    #[test]
    fn text_after_the_document_is_an_error() {
        let deepest = nested("[", "", "]", 128);
        assert!(matches!(parse(b"{} {}"), Err(ParseError::Syntax(_))));
        assert!(matches!(parse(format!("{deepest} 1").as_bytes()), Err(ParseError::Syntax(_))));
        assert!(parse(format!("{deepest} \n").as_bytes()).is_ok());
    }

    #[test]
    fn invalid_utf8_is_an_error_at_the_limit_too() {
        let mut text = nested("[", "\"?\"", "]", 128).into_bytes();
        let at = text.iter().position(|&byte| byte == b'?').unwrap();
        text[at] = 0xff;
        assert!(matches!(parse(&text), Err(ParseError::Syntax(_))));
    }
}
