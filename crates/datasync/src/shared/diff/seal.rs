//! A digest that is long enough to stand for what an array or object holds.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::LazyLock;

use serde_json::{Number, Value};
use siphasher::sip128::{Hasher128, SipHasher13};

/// What begins each part of what is hashed, in the highest byte of a word: so no two contents are told alike.
mod token {
    pub(super) const NULL: u64 = 1 << 56;
    pub(super) const FALSE: u64 = 2 << 56;
    pub(super) const TRUE: u64 = 3 << 56;
    /// The number itself is in the other bytes.
    pub(super) const SMALL: u64 = 4 << 56;
    pub(super) const POSITIVE: u64 = 5 << 56;
    pub(super) const NEGATIVE: u64 = 6 << 56;
    pub(super) const OTHER_NUMBER: u64 = 7 << 56;
    /// The length is in the other bytes.
    pub(super) const LONG_TEXT: u64 = 8 << 56;
    pub(super) const SEAL: u64 = 9 << 56;
    pub(super) const EMPTY_ARRAY: u64 = 10 << 56;
    pub(super) const EMPTY_OBJECT: u64 = 11 << 56;
    pub(super) const ARRAY_ENDS: u64 = 12 << 56;
    pub(super) const OBJECT_ENDS: u64 = 13 << 56;
    /// And the seven above: the length is added to the highest byte, the text is in the others.
    pub(super) const SHORT_TEXT: u64 = 16 << 56;
}

/// The keys of this process. Nobody else knows them, for they come from the operating system's randomness and neither
/// they nor a seal leaves the process.
static KEYS: LazyLock<[u64; 2]> = LazyLock::new(|| {
    let random = RandomState::new();
    [random.hash_one(0), random.hash_one(1)]
});

/// The digest of an array or object that is not empty. Equal ones have one seal; different ones have two, but for a
/// chance of one in 2^128 for each pair.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Seal(u64, u64);

impl Seal {
    /// A part of it, for tables in which equal seals are looked at again.
    pub(super) const fn short(self) -> u64 {
        self.0
    }
}

/// Makes the seal of one array or object from what is in it. It is fed whole words, which is what it takes fastest.
pub(super) struct Sealer(SipHasher13);

impl Sealer {
    pub(super) fn new() -> Self {
        let [left, right] = *KEYS;
        Self(SipHasher13::new_with_keys(left, right))
    }

    /// The next element, or the value of the member that was named last: one that is a part itself.
    #[inline]
    pub(super) fn part(&mut self, seal: Seal) {
        self.word(token::SEAL);
        self.word(seal.0);
        self.word(seal.1);
    }

    /// The same: one that is no part. Of arrays and objects that are the empty ones.
    #[inline]
    pub(super) fn bare(&mut self, value: &Value) {
        match value {
            Value::Null => self.word(token::NULL),
            Value::Bool(false) => self.word(token::FALSE),
            Value::Bool(true) => self.word(token::TRUE),
            Value::Number(number) => self.number(number),
            Value::String(text) => self.text(text),
            Value::Array(_) => self.word(token::EMPTY_ARRAY),
            Value::Object(_) => self.word(token::EMPTY_OBJECT),
        }
    }

    /// A string, or the name of the next member.
    #[inline]
    pub(super) fn text(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let length = bytes.len() as u64;
        if let Some(word) = short(bytes) {
            return self.word(word | (token::SHORT_TEXT + (length << 56)));
        }
        self.word(token::LONG_TEXT | length);
        let (words, rest) = bytes.as_chunks();
        words.iter().for_each(|word| self.word(u64::from_le_bytes(*word)));
        if !rest.is_empty()
            && let Some(last) = bytes.last_chunk()
        {
            self.word(u64::from_le_bytes(*last));
        }
    }

    #[inline]
    fn number(&mut self, number: &Number) {
        if let Some(number) = number.as_u64() {
            if number < 1 << 56 {
                return self.word(token::SMALL | number);
            }
            self.word(token::POSITIVE);
            self.word(number);
        } else if let Some(number) = number.as_i64() {
            self.word(token::NEGATIVE);
            self.word(number.cast_unsigned());
        } else {
            // A float, of which there are two zeros, or with serde_json's `arbitrary_precision` any text.
            self.word(token::OTHER_NUMBER);
            number.hash(&mut self.0);
        }
    }

    pub(super) fn array(mut self) -> Seal {
        self.word(token::ARRAY_ENDS);
        self.seal()
    }

    pub(super) fn object(mut self) -> Seal {
        self.word(token::OBJECT_ENDS);
        self.seal()
    }

    fn seal(&self) -> Seal {
        let hash = self.0.finish128();
        Seal(hash.h1, hash.h2)
    }

    #[inline]
    fn word(&mut self, word: u64) {
        self.0.write_u64(word);
    }
}

/// The bytes in one word, if they leave its highest byte free. Reads that overlap take the place of a loop.
#[inline]
fn short(bytes: &[u8]) -> Option<u64> {
    let length = bytes.len();
    if let (4..8, Some(first), Some(last)) = (length, bytes.first_chunk(), bytes.last_chunk()) {
        let [first, last] = [first, last].map(|four| u64::from(u32::from_le_bytes(*four)));
        return Some(first | last << (8 * (length - 4)));
    }
    let byte = |at: usize| u64::from(bytes[at]) << (8 * at);
    match length {
        0 => Some(0),
        1..4 => Some(byte(0) | byte(length / 2) | byte(length - 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The seal of an array of values that have no parts.
    fn seal(values: &[Value]) -> Seal {
        let mut sealer = Sealer::new();
        values.iter().for_each(|value| sealer.bare(value));
        sealer.array()
    }

    #[test]
    fn different_contents_have_different_seals() {
        let mut contents: Vec<Vec<Value>> = vec![
            vec![],
            vec![json!([])],
            vec![json!({})],
            vec![json!(null)],
            vec![json!(null), json!(null)],
            vec![json!(false)],
            vec![json!(true)],
            vec![json!("a"), json!("b")],
            vec![json!("ab")],
        ];
        let numbers = [0, 1, (1 << 56) - 1, 1 << 56, 4_607_182_418_800_017_408, u64::MAX];
        contents.extend(numbers.map(|number| vec![json!(number)]));
        contents.extend([-1, i64::MIN].map(|number| vec![json!(number)]));
        contents.extend([1.0, 0.0, 0.5, 1e300, f64::MIN_POSITIVE].map(|number| vec![json!(number)]));
        let text = "\0\0abcdefghijklmnopqrstuvwxyz\0\0\0";
        contents.extend((0..text.len()).map(|end| vec![json!(text[..end])]));
        contents.extend((3..text.len()).map(|start| vec![json!(text[start..])]));
        let seals: Vec<_> = contents.iter().map(|values| seal(values)).collect();
        for (at, left) in contents.iter().enumerate() {
            for (other, right) in contents.iter().enumerate() {
                assert_eq!(left == right, seals[at] == seals[other], "{left:?} {right:?}");
            }
        }
    }

    #[test]
    fn the_two_zeros_have_one_seal_if_they_are_equal() {
        // With serde_json's `arbitrary_precision` they are not.
        let (zero, negative) = (json!(0.0), json!(-0.0));
        assert_eq!(zero == negative, seal(&[zero]) == seal(&[negative]));
    }

    #[test]
    fn an_array_and_an_object_differ_by_how_they_end() {
        assert_ne!(Sealer::new().array(), Sealer::new().object());
    }

    #[test]
    fn the_hash_is_siphash_1_3_with_128_bits() {
        // The words of the first 16 bytes 0, 1, 2, .., with the key 0, 1, 2, .., as in the vectors of SipHash.
        let key: [u8; 16] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let mut sealer = Sealer(SipHasher13::new_with_key(&key));
        for word in key.as_chunks().0 {
            sealer.word(u64::from_le_bytes(*word));
        }
        let whole = SipHasher13::new_with_key(&key).hash(&key);
        assert_eq!(sealer.seal(), Seal(whole.h1, whole.h2));
    }
}
