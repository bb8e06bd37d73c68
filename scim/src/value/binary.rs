//! Bytes.

use std::fmt::{self, Debug, Display, Formatter};
use std::str::FromStr;

use base64::alphabet;
use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{DecodeError, Engine};

use crate::error::{Error, Result, quoted};

/// RFC 4648 section 4; RFC 7643 section 2.3.6 lets padding be omitted.
const READ: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Bytes, as the attribute type `binary` has them (RFC 7643 section 2.3.6): base64 on the wire.
///
/// ```
/// use scim::value::Binary;
///
/// let key = Binary::parse("+/8")?;
/// assert_eq!(key.as_bytes(), [0xfb, 0xff]);
/// assert_eq!(key.to_string(), "+/8=");
/// # Ok::<(), scim::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Binary(Vec<u8>);

impl Binary {
    /// Takes these bytes.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// Reads base64 in the standard alphabet (RFC 4648 section 4), padded or not.
    ///
    /// # Errors
    /// 400 `invalidValue` for other characters, those of base64url (RFC 4648 section 5), white space and line breaks
    /// among them, for padding that is not at the end, and for a length that no bytes have.
    pub fn parse(text: &str) -> Result<Self> {
        Self::read(text).map_err(|flaw| {
            Error::invalid_value(format!("is not valid base64 (RFC 4648 section 4): it {flaw}"))
        })
    }

    /// Reads the same; the error says what is wrong with the text, as the end of a sentence about it.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        READ.decode(text).map(Self).map_err(|reason| flaw(text, &reason))
    }

    /// Returns the bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Takes out the bytes.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

fn flaw(text: &str, reason: &DecodeError) -> String {
    if text.trim_start().starts_with("-----BEGIN") {
        return "is PEM text; expected what stands between its first and last line, without line breaks"
            .to_owned();
    }
    let DecodeError::InvalidByte(position, _) = *reason else {
        return "is incomplete at its end".to_owned();
    };
    let found = match text.get(position..).and_then(|rest| rest.chars().next()) {
        Some('\r' | '\n') => "a line break".to_owned(),
        Some(space) if space.is_whitespace() => "white space".to_owned(),
        Some('=') => "padding (=)".to_owned(),
        Some(other) => quoted(other.encode_utf8(&mut [0; 4])),
        None => "a character of another alphabet".to_owned(),
    };
    let expected = match text.as_bytes().get(position) {
        Some(b'-' | b'_') => "; expected + and / in place of the - and _ of base64url",
        Some(b'=') => "; expected it at the end only, twice at most",
        Some(byte) if byte.is_ascii_whitespace() => "; expected one line without spaces",
        _ => "",
    };
    format!("has {found} at byte {position}{expected}")
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
    /// Writes standard base64 with padding.
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
            ("@@", r#"it has "@" at byte 0."#),
            (
                "AQ\nID",
                "it has a line break at byte 2; expected one line without spaces.",
            ),
            (
                "AQ\r\nID",
                "it has a line break at byte 2; expected one line without spaces.",
            ),
            (
                " AQID",
                "it has white space at byte 0; expected one line without spaces.",
            ),
            (
                "AQID\t",
                "it has white space at byte 4; expected one line without spaces.",
            ),
            ("AQ\u{a0}=", "it has white space at byte 2."),
            ("AQé=", r#"it has "é" at byte 2."#),
            (
                "-_8=",
                r#"it has "-" at byte 0; expected + and / in place of the - and _ of base64url."#,
            ),
            (
                "+_8=",
                r#"it has "_" at byte 1; expected + and / in place of the - and _ of base64url."#,
            ),
            (
                "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n",
                "it is PEM text; expected what stands between its first and last line, without line breaks.",
            ),
            ("A", "it is incomplete at its end."),
            ("AR==", "it is incomplete at its end."),
            (
                "AQ=A",
                "it has padding (=) at byte 2; expected it at the end only, twice at most.",
            ),
            (
                "AQ===",
                "it has padding (=) at byte 2; expected it at the end only, twice at most.",
            ),
        ] {
            let error = Binary::parse(text).unwrap_err().at("value");
            assert_eq!(error.scim_type(), Some(crate::ScimType::InvalidValue));
            let says = format!("Attribute value is not valid base64 (RFC 4648 section 4): {says}");
            assert_eq!(error.to_string(), says, "{text}");
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
            for engine in [STANDARD, STANDARD_NO_PAD] {
                prop_assert_eq!(Binary::parse(&engine.encode(&bytes)).unwrap().into_bytes(), bytes.clone());
            }
            let binary = Binary::new(bytes);
            prop_assert_eq!(Binary::parse(&binary.to_string()).unwrap(), binary);
        }

        /// S-2.3.6-01: base64url (RFC 4648 section 5) is another encoding wherever the two differ.
        #[test]
        fn the_url_safe_alphabet_is_refused(bytes in proptest::collection::vec(0xf8..=0xff_u8, 1..40)) {
            for engine in [URL_SAFE, URL_SAFE_NO_PAD] {
                prop_assert!(Binary::parse(&engine.encode(&bytes)).is_err());
            }
        }

        #[test]
        fn any_text_is_judged_without_a_panic(text in "[A-Ca-c0-9+/=_-]{0,12}|.{0,12}") {
            if let Ok(binary) = Binary::parse(&text) {
                prop_assert_eq!(Binary::parse(&binary.to_string()).unwrap(), binary);
            }
        }
    }
}
