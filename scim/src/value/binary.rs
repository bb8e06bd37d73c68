//! Bytes.

use std::fmt::{self, Debug, Display, Formatter};
use std::str::FromStr;

use base64::Engine;
use base64::alphabet;
use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::error::{Error, Result, quoted};

const TOLERANT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const READ_STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, TOLERANT);
const READ_URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, TOLERANT);

/// Bytes, as the attribute type `binary` has them (RFC 7643 section 2.3.6): base64 on the wire.
///
/// ```
/// use scim::value::Binary;
///
/// let key = Binary::parse("-_8")?;
/// assert_eq!(key.as_bytes(), [0xfb, 0xff]);
/// assert_eq!(key.to_string(), "+/8=");
/// # Ok::<(), scim::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Binary(Vec<u8>);

impl Binary {
    /// These bytes.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// Reads base64 in the standard or the URL-safe alphabet (RFC 4648 sections 4 and 5), padded or not.
    ///
    /// # Errors
    /// 400 `invalidValue` for other characters, spaces and line breaks among them, for both alphabets in one text, and
    /// for a length that no bytes have.
    pub fn parse(text: &str) -> Result<Self> {
        let engine = if text.contains(['-', '_']) {
            READ_URL_SAFE
        } else {
            READ_STANDARD
        };
        engine
            .decode(text)
            .map(Self)
            .map_err(|reason| refusal(text, &reason))
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, taken out.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

fn refusal(text: &str, reason: &base64::DecodeError) -> Error {
    let why = match reason {
        base64::DecodeError::InvalidByte(position, _) => {
            match text.get(*position..).and_then(|rest| rest.chars().next()) {
                Some(found) => format!(
                    "has {} at byte {position}",
                    quoted(found.encode_utf8(&mut [0; 4]))
                ),
                None => format!("is wrong at byte {position}"),
            }
        }
        _ => "is incomplete at its end".to_owned(),
    };
    Error::invalid_value(format!("must be base64, but {why}"))
}

impl AsRef<[u8]> for Binary {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Binary {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl FromStr for Binary {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl Display for Binary {
    /// Standard base64 with padding.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Base64Display::new(&self.0, &STANDARD))
    }
}

impl Debug for Binary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Binary({self})")
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    /// S-2.3.6-01: RFC 7643 section 2.3.6.
    #[test]
    fn other_text_is_refused_and_the_place_named() {
        for (text, says) in [
            ("@@", r#"has "@" at byte 0"#),
            ("AQ\nID", "at byte 2"),
            ("AQé=", r#"has "é" at byte 2"#),
            ("A", "incomplete"),
            ("AQ=A", "base64"),
            ("+_8=", "at byte 0"),
        ] {
            let error = Binary::parse(text).unwrap_err().at("value");
            assert_eq!(error.scim_type(), Some(crate::ScimType::InvalidValue));
            assert!(error.to_string().contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn bytes_are_written_in_the_standard_alphabet_with_padding() {
        assert_eq!(Binary::new([0xfb, 0xff]).to_string(), "+/8=");
        assert_eq!(Binary::parse("").unwrap(), Binary::default());
    }

    proptest! {
        /// S-2.3.6-02: padding may be absent.
        #[test]
        fn every_spelling_gives_the_bytes_back(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
                prop_assert_eq!(Binary::parse(&engine.encode(&bytes)).unwrap().into_bytes(), bytes.clone());
            }
            let binary = Binary::new(bytes);
            prop_assert_eq!(Binary::parse(&binary.to_string()).unwrap(), binary);
        }

        #[test]
        fn any_text_is_judged_without_a_panic(text in "[A-Ca-c0-9+/=_-]{0,12}|.{0,12}") {
            if let Ok(binary) = Binary::parse(&text) {
                prop_assert_eq!(Binary::parse(&binary.to_string()).unwrap(), binary);
            }
        }
    }
}
