//! What can be a key of a map.

use std::borrow::Cow;

/// What names a struct in a [`SharedMap`](crate::SharedMap), as text and back.
///
/// Any text will do: the map escapes what the keys of stores refuse. Two keys that are different must have
/// different texts, and `from_text` of a key's text must give an equal key.
///
/// # Examples
///
/// ```
/// use std::borrow::Cow;
/// use quorate_datasync::MapKey;
///
/// struct Host(String);
///
/// impl MapKey for Host {
///     fn to_text(&self) -> Cow<'_, str> {
///         self.0.as_str().into()
///     }
///
///     fn from_text(text: &str) -> Option<Self> {
///         text.contains('.').then(|| Self(text.to_owned()))
///     }
/// }
/// ```
pub trait MapKey: Sized + Send + Sync + 'static {
    /// The text of this key.
    fn to_text(&self) -> Cow<'_, str>;

    /// The key of a text; `None` if it is of none. What has such a name is left alone and not listed.
    fn from_text(text: &str) -> Option<Self>;
}

impl MapKey for String {
    fn to_text(&self) -> Cow<'_, str> {
        self.as_str().into()
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

/// Integers stand in decimal, and only as they are written here: `007` is no key.
macro_rules! integers {
    ($($integer:ty),+) => {$(
        impl MapKey for $integer {
            fn to_text(&self) -> Cow<'_, str> {
                self.to_string().into()
            }

            fn from_text(text: &str) -> Option<Self> {
                text.parse().ok().filter(|key: &Self| key.to_string() == text)
            }
        }
    )+};
}

integers!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_have_one_text_each() {
        assert_eq!(u32::from_text(&7_u32.to_text()), Some(7));
        assert_eq!(i64::from_text(&(-7_i64).to_text()), Some(-7));
        for text in ["007", "+7", "-0", "", " 7", "7.0", "300"] {
            assert_eq!(u8::from_text(text), None, "{text:?}");
            assert_eq!(i8::from_text(text), None, "{text:?}");
        }
    }
}
