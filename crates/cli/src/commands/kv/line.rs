//! The JSON lines of `quorate kv`.

use quorate::{Entry, Key, Revision};
use serde::Serialize;

use crate::base64;

/// One line. What is `None` is left out.
#[derive(Debug, Default, Serialize)]
pub(super) struct Line<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    revision: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_base64: Option<String>,
}

impl<'a> Line<'a> {
    /// A key with its value: as text where it is UTF-8.
    pub(super) fn of(entry: &'a Entry) -> Self {
        let value = std::str::from_utf8(&entry.value).ok();
        let value_base64 = value.is_none().then(|| base64::encode(&entry.value));
        let (key, revision) = (Some(entry.key.as_str()), entry.revision.get());
        Self { kind: None, key, revision, value, value_base64 }
    }

    /// A key that was put.
    pub(super) fn put(entry: &'a Entry) -> Self {
        Self { kind: Some("put"), ..Self::of(entry) }
    }

    /// A key that was deleted.
    pub(super) fn deleted(key: &'a Key, revision: Revision) -> Self {
        Self { kind: Some("delete"), key: Some(key.as_str()), revision: revision.get(), ..Self::default() }
    }

    /// The revision of a write.
    pub(super) fn written(revision: Revision) -> Self {
        Self { revision: revision.get(), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate::{Stat, Version};

    fn text(value: &'static [u8]) -> String {
        let revision = Revision::new(3);
        let stat = Stat::new(Key::parse("/k").unwrap(), revision, revision, Version::new(revision, 0));
        serde_json::to_string(&Line::of(&Entry::new(stat, value.into()))).unwrap()
    }

    #[test]
    fn text_is_shown_as_text_and_the_rest_as_base64() {
        assert_eq!(text(b"hello"), r#"{"key":"/k","revision":3,"value":"hello"}"#);
        assert_eq!(text(b"\xff\x00"), r#"{"key":"/k","revision":3,"value_base64":"/wA="}"#);
        assert_eq!(text(b""), r#"{"key":"/k","revision":3,"value":""}"#);
    }
}
