//! A hash of what a value holds.

use std::hash::{BuildHasher, Hash, Hasher};
use std::mem::discriminant;

use serde_json::Value;

/// Hashes whole values. Equal values have one digest; different ones have two, but for a chance that nobody outside
/// can raise, since each of these is seeded at random.
#[derive(Clone, Debug, Default)]
pub(super) struct Digest(foldhash::fast::RandomState);

impl Digest {
    /// The digest of `value`.
    pub(super) fn of(&self, value: &Value) -> u64 {
        let mut hasher = self.0.build_hasher();
        self.feed(value, &mut hasher);
        hasher.finish()
    }

    fn feed(&self, value: &Value, hasher: &mut impl Hasher) {
        discriminant(value).hash(hasher);
        match value {
            Value::Array(items) => {
                hasher.write_usize(items.len());
                items.iter().for_each(|item| self.feed(item, hasher));
            }
            // A sum, because the order of members does not count.
            Value::Object(members) => {
                let member = |(name, value): (&String, &Value)| {
                    let mut hasher = self.0.build_hasher();
                    name.hash(&mut hasher);
                    self.feed(value, &mut hasher);
                    hasher.finish()
                };
                hasher.write_u64(members.iter().map(member).fold(!0, u64::wrapping_add));
            }
            // By its bits alone a float is like some integer.
            Value::Number(number) => (number.is_f64(), number).hash(hasher),
            scalar => scalar.hash(hasher),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_values_have_one_digest_and_others_do_not() {
        let digest = Digest::default();
        let mut value =
            json!([null, 0, 0.5, 1, 1.0, "", "1", [], {}, [[]], [1], [1, 1], {"a": 1}, {"b": 1}, [{}, {}]]);
        value.as_array_mut().unwrap().push(json!(1.0_f64.to_bits()));
        let mut digests: Vec<_> = value.as_array().unwrap().iter().map(|item| digest.of(item)).collect();
        assert!(
            value
                .as_array()
                .unwrap()
                .iter()
                .zip(&digests)
                .all(|(item, known)| digest.of(&item.clone()) == *known)
        );
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), value.as_array().unwrap().len());
    }

    #[test]
    fn the_order_of_members_does_not_count() {
        let (left, right): (Value, Value) = (
            serde_json::from_str(r#"{"a": 1, "b": {"c": 2, "d": 3}}"#).unwrap(),
            serde_json::from_str(r#"{"b": {"d": 3, "c": 2}, "a": 1}"#).unwrap(),
        );
        let digest = Digest::default();
        assert_eq!(digest.of(&left), digest.of(&right));
    }
}
