//! Percent-encoding in paths (RFC 3986 section 2.1).

use http::StatusCode;

use crate::error::{Error, Result};

/// Decodes a path segment, once. A percent sign without two digits stands for itself.
///
/// # Errors
/// 400 if the segment is not UTF-8.
pub(super) fn decode(segment: &str) -> Result<String> {
    if !segment.contains('%') {
        return Ok(segment.to_owned());
    }
    let mut out = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = match after {
            [high, low, ..] if *first == b'%' => digit(*high).zip(digit(*low)),
            _ => None,
        };
        match digits {
            Some((high, low)) => {
                out.push(high << 4 | low);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(out)
        .map_err(|_| Error::new(StatusCode::BAD_REQUEST, "The path of the URL is not UTF-8."))
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P-1.2-01 (RFC 7644 section 1.2).
    #[test]
    fn segments_are_decoded_once() {
        for (text, decoded) in [
            ("a%2Fb", "a/b"),
            ("%2541", "%41"),
            ("a+b", "a+b"),
            ("100%", "100%"),
            ("%zz", "%zz"),
            ("%C3%A4", "ä"),
        ] {
            assert_eq!(decode(text).unwrap(), decoded);
        }
        assert_eq!(decode("%FF%FE").unwrap_err().status(), 400);
    }
}
