//! Comparison keys as bytes: a tag, and an encoding whose order is that of the values.
//!
//! Bytes are compared alike by every database, hold U+0000 as any other character, and know no collation.

use std::borrow::Cow;

use uuid::Uuid;

use crate::Result;
use crate::error::{Error, quoted};
use crate::sql::Bound;
use crate::value::DateTime;

const BOOLEAN: u8 = 1;
const INTEGER: u8 = 2;
const DECIMAL: u8 = 3;
const TEXT: u8 = 4;
const BINARY: u8 = 5;
/// An identifier that is a UUID in its usual spelling: 16 bytes instead of 36 in each index entry.
const UUID: u8 = 6;

/// The key of a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(Vec<u8>);

impl Key {
    fn new(tag: u8, bytes: &[u8]) -> Self {
        let mut key = Vec::with_capacity(1 + bytes.len());
        key.push(tag);
        key.extend_from_slice(bytes);
        Self(key)
    }

    /// Returns the key of a value to which keys are compared.
    pub(super) fn of(bound: &Bound<'_>) -> Self {
        match bound {
            Bound::Text(text) => Self::text(text),
            Bound::Integer(number) => Self::integer(*number),
            Bound::Real(number) => Self::decimal(*number),
            Bound::Bool(value) => Self::boolean(*value),
            Bound::Binary(bytes) => Self::binary(bytes),
        }
    }

    pub(super) fn boolean(value: bool) -> Self {
        Self::new(BOOLEAN, &[u8::from(value)])
    }

    pub(super) fn integer(value: i64) -> Self {
        // The sign bit is turned over: negative numbers come first.
        Self::new(INTEGER, &(value ^ i64::MIN).to_be_bytes())
    }

    pub(super) fn decimal(value: f64) -> Self {
        // Zero has one key, and of negative numbers all bits are turned over.
        let bits = if value == 0.0 { 0 } else { value.to_bits() };
        let ordered = match bits >> 63 {
            0 => bits | 1 << 63,
            _ => !bits,
        };
        Self::new(DECIMAL, &ordered.to_be_bytes())
    }

    /// Instants are compared by the microsecond; what lies within one is told apart by the document.
    pub(super) fn time(value: DateTime) -> Self {
        Self::integer(value.as_unix_micros())
    }

    /// Makes the key of text that is folded already: UTF-8 has the order of code points.
    pub(super) fn text(folded: &str) -> Self {
        Self::new(TEXT, folded.as_bytes())
    }

    pub(super) fn binary(bytes: &[u8]) -> Self {
        Self::new(BINARY, bytes)
    }

    /// Makes the key of an identifier, by which it is looked for.
    pub(super) fn id(id: &str) -> Self {
        match Uuid::try_parse(id) {
            Ok(uuid) if uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == id => {
                Self::new(UUID, uuid.as_bytes())
            }
            _ => Self::text(id),
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Returns the value, as an error about it says it.
    pub(super) fn described(&self) -> String {
        match self.0.split_first() {
            Some((&TEXT, text)) => quoted(&String::from_utf8_lossy(text)),
            Some((&INTEGER, bytes)) => match bytes.try_into() {
                Ok(bytes) => (i64::from_be_bytes(bytes) ^ i64::MIN).to_string(),
                Err(_) => "of this resource".to_owned(),
            },
            Some((&BOOLEAN, [value])) => (*value != 0).to_string(),
            _ => "of this resource".to_owned(),
        }
    }
}

/// Returns the identifier of a key.
pub(super) fn id_of(key: &[u8]) -> Result<Cow<'_, str>> {
    match key.split_first() {
        Some((&UUID, bytes)) => Uuid::from_slice(bytes)
            .map(|uuid| uuid.to_string().into())
            .map_err(Error::internal),
        Some((&TEXT, text)) => std::str::from_utf8(text)
            .map(Cow::Borrowed)
            .map_err(Error::internal),
        _ => Err(Error::internal("an identifier has an unknown form")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The order of keys is the order of values: databases compare keys.
        #[test]
        fn keys_have_the_order_of_values(a: i64, b: i64, x: f64, y: f64, s: String, t: String) {
            prop_assert_eq!(a.cmp(&b), Key::integer(a).cmp(&Key::integer(b)));
            prop_assert_eq!(s.cmp(&t), Key::text(&s).cmp(&Key::text(&t)));
            if let Some(order) = x.partial_cmp(&y) {
                prop_assert_eq!(order, Key::decimal(x).cmp(&Key::decimal(y)));
            }
        }

        /// Whatever an identifier is, it is read back as it was.
        #[test]
        fn identifiers_are_read_back(id: String, bytes: [u8; 16]) {
            let uuid = Uuid::from_bytes(bytes);
            for id in [id, uuid.to_string(), uuid.to_string().to_uppercase(), uuid.simple().to_string()] {
                let key = Key::id(&id);
                prop_assert_eq!(id_of(key.as_bytes()).unwrap(), id);
            }
        }
    }

    #[test]
    fn zero_has_one_key() {
        assert_eq!(Key::decimal(0.0), Key::decimal(-0.0));
        assert!(Key::decimal(f64::NEG_INFINITY) < Key::decimal(-1.0));
        assert!(Key::decimal(f64::MAX) < Key::decimal(f64::INFINITY));
    }

    /// U+0000 is a character as any other.
    #[test]
    fn a_zero_is_data() {
        assert!(Key::text("a") < Key::text("a\0") && Key::text("a\0") < Key::text("a\u{1}"));
    }
}
