//! Values that are decoded when somebody wants them, and then once.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, Weak};

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::mutex::lock;
use crate::{Codec, Decode, DecodeError, Entry, Json, Key, Revision, Version};

/// How many values are remembered before those that nobody holds any more are forgotten.
const REMEMBERED_MIN: usize = 256;

/// One value of a key: bytes, and what they decode to.
///
/// It is decoded at the first call that asks for it, once for each type; all subscribers of a hub that hold the
/// same revision of the key share the result, and share a failure too. Cheap to clone.
#[derive(Clone)]
pub struct LazyValue(Arc<Inner>);

struct Inner {
    entry: Entry,
    content_type: &'static str,
    decoded: Mutex<Vec<(Form, Decoded)>>,
}

/// The type of a decoded value, and the type and the content type of the codec that made it.
type Form = (TypeId, TypeId, &'static str);

type Decoded = Result<Arc<dyn Any + Send + Sync>, DecodeError>;

impl LazyValue {
    fn new(entry: Entry, content_type: &'static str) -> Self {
        Self(Arc::new(Inner { entry, content_type, decoded: Mutex::default() }))
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.0.entry.key
    }

    /// The bytes as they are stored.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.0.entry.value
    }

    /// The revision at which these bytes were written.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.0.entry.revision
    }

    /// Guards a later write of the key.
    #[must_use]
    pub fn version(&self) -> Version {
        self.0.entry.version
    }

    /// The media type of the values of this hub, as in `application/json`.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        self.0.content_type
    }

    /// Decodes JSON, which values are unless the hub was built for another content type.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if the bytes are not the JSON of a `T`, or the hub's values are of another form, which
    /// [`decode_with`](Self::decode_with) reads.
    pub fn decode_json<T: DeserializeOwned + Send + Sync + 'static>(&self) -> Result<Arc<T>, DecodeError> {
        if self.0.content_type != Json.content_type() {
            let reason = format!("values are {}, which decode_with reads", self.0.content_type);
            return Err(DecodeError::WrongShape(reason.into()));
        }
        self.decode_with(&Json)
    }

    /// Decodes the value with a codec. Codecs of one type and one content type count as the same codec.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] says what is wrong with the bytes.
    pub fn decode_with<T, C>(&self, codec: &C) -> Result<Arc<T>, DecodeError>
    where
        T: Send + Sync + 'static,
        C: Decode<T> + ?Sized,
    {
        let form = (TypeId::of::<T>(), TypeId::of::<C>(), codec.content_type());
        // Held while decoding, so that whoever else asks meanwhile waits for this result.
        let mut decoded = lock(&self.0.decoded);
        let known = decoded.iter().find(|(of, _)| *of == form);
        let result = if let Some((_, result)) = known {
            result.clone()
        } else {
            let result: Decoded = codec.decode(self.bytes()).map(|value| Arc::new(value) as _);
            decoded.push((form, result.clone()));
            result
        };
        drop(decoded);
        result.map(|value| value.downcast().expect("it was stored under its own type"))
    }
}

impl fmt::Debug for LazyValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LazyValue")
            .field("key", self.key())
            .field("revision", &self.revision())
            .field("bytes", &self.bytes().len())
            .finish_non_exhaustive()
    }
}

/// The values that somebody holds, so that what one subscriber decoded nobody decodes again.
#[derive(Debug)]
pub(super) struct Values {
    content_type: &'static str,
    held: HashMap<(Key, Revision), Weak<Inner>>,
    /// How many may be remembered before the dead ones go.
    sweep_at: usize,
}

impl Values {
    pub(super) fn new(content_type: &'static str) -> Self {
        Self { content_type, held: HashMap::new(), sweep_at: REMEMBERED_MIN }
    }

    /// The value of an entry, shared with all who hold it.
    pub(super) fn share(&mut self, entry: &Entry) -> LazyValue {
        let place = (entry.key.clone(), entry.revision);
        if let Some(held) = self.held.get(&place).and_then(Weak::upgrade)
            && held.entry.value == entry.value
        {
            return LazyValue(held);
        }
        let value = LazyValue::new(entry.clone(), self.content_type);
        self.held.insert(place, Arc::downgrade(&value.0));
        if self.held.len() > self.sweep_at {
            self.held.retain(|_, held| held.strong_count() > 0);
            self.held.shrink_to_fit();
            self.sweep_at = (self.held.len() * 2).max(REMEMBERED_MIN);
        }
        value
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("entry", &self.entry).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use serde::Deserialize;

    use super::*;
    use crate::{Raw, Stat};

    fn entry(at: u64, value: &'static str) -> Entry {
        let revision = Revision::new(at);
        let key = Key::parse("/a").unwrap();
        Entry::new(Stat::new(key, revision, revision, Version::new(revision, 0)), value.into())
    }

    #[test]
    fn a_value_is_decoded_once_for_all_who_hold_it() {
        static DECODED: AtomicUsize = AtomicUsize::new(0);
        #[derive(Debug)]
        struct Counted;
        impl<'de> Deserialize<'de> for Counted {
            fn deserialize<D: serde::Deserializer<'de>>(of: D) -> Result<Self, D::Error> {
                DECODED.fetch_add(1, Ordering::Relaxed);
                u64::deserialize(of).map(|_| Self)
            }
        }
        let mut values = Values::new("application/json");
        let (one, other) = (values.share(&entry(1, "7")), values.share(&entry(1, "7")));
        assert!(Arc::ptr_eq(
            &one.decode_json::<Counted>().unwrap(),
            &other.decode_json::<Counted>().unwrap()
        ));
        assert_eq!(DECODED.load(Ordering::Relaxed), 1);
        assert_eq!(*one.decode_json::<u64>().unwrap(), 7);
    }

    #[test]
    fn a_value_of_another_form_says_so_and_can_be_decoded_with_its_codec() {
        let value = Values::new("application/octet-stream").share(&entry(1, "7"));
        assert!(value.decode_json::<u64>().is_err());
        assert_eq!(*value.decode_with::<Bytes, _>(&Raw).unwrap(), "7");
    }

    #[test]
    fn values_that_nobody_holds_are_forgotten() {
        let mut values = Values::new("application/json");
        for at in 0..10_000 {
            values.share(&entry(at, "7"));
        }
        assert!(values.held.len() <= REMEMBERED_MIN + 1);
    }

    #[test]
    fn what_one_codec_made_is_not_given_out_as_what_another_makes() {
        #[derive(Debug)]
        struct Backwards;
        impl Codec for Backwards {
            fn content_type(&self) -> &'static str {
                Raw.content_type()
            }
        }
        impl Decode<Bytes> for Backwards {
            fn decode(&self, bytes: &Bytes) -> Result<Bytes, DecodeError> {
                Ok(bytes.iter().rev().copied().collect())
            }
        }
        let value = Values::new("application/octet-stream").share(&entry(1, "12"));
        assert_eq!(*value.decode_with::<Bytes, _>(&Raw).unwrap(), "12");
        assert_eq!(*value.decode_with::<Bytes, _>(&Backwards).unwrap(), "21");
    }
}
