//! The place of the base URL in a document, and the parts of which a stored document is completed.
//!
//! A stored document does not know under which URL it will be read. At the start of a URL of the service itself, it holds
//! the byte 0x01, which stands for the base URL and the slash after it. JSON escapes control characters, so no value
//! of a resource can contain that byte.

use bytes::BufMut;

use crate::scan::plain_length;

/// The text that is written before a relative reference such as `Users/2819`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base<'a> {
    /// The service's base URL, with or without a slash at its end.
    Url(&'a str),
    /// A hole for [`fill_holes`].
    Hole,
    /// Nothing: references stay relative, as decoding wants them.
    Relative,
}

/// The byte that stands for the base URL and its slash.
const HOLE: u8 = 0x01;

/// Returns the rest after the hole at the beginning of a stored text; `None` if it does not begin with one.
pub(crate) fn without_hole(text: &str) -> Option<&str> {
    text.strip_prefix(char::from(HOLE))
}

/// Copies `document` to the end of `out`, with `base` in the place of every hole.
///
/// ```
/// use scim::projection::{Base, fill_holes, push_reference};
///
/// let mut stored = Vec::new();
/// push_reference(&mut stored, Base::Hole, "Users/2819");
/// let mut shown = Vec::new();
/// fill_holes(&stored, Base::Url("https://example.com/v2"), &mut shown);
/// assert_eq!(shown, br#""https://example.com/v2/Users/2819""#);
/// ```
pub fn fill_holes(document: &[u8], base: Base<'_>, out: &mut Vec<u8>) {
    let filling = Filling::of(base);
    let holes = memchr::memchr_iter(HOLE, document).count();
    out.reserve(document.len() - holes + holes * filling.0.len());
    filling.fill(document, out);
}

/// The text that goes into holes, made once for many documents.
pub(crate) struct Filling(Vec<u8>);

impl Filling {
    pub(crate) fn of(base: Base<'_>) -> Self {
        let mut prefix = Vec::new();
        push_base(&mut prefix, base);
        Self(prefix)
    }

    /// Copies `document` to the end of `out` with its holes filled.
    pub(crate) fn fill(&self, document: &[u8], out: &mut Vec<u8>) {
        let mut rest = document;
        while let Some((before, after)) =
            memchr::memchr(HOLE, rest).and_then(|position| rest.split_at_checked(position))
        {
            out.extend_from_slice(before);
            out.extend_from_slice(&self.0);
            rest = after.get(1..).unwrap_or_default();
        }
        out.extend_from_slice(rest);
    }
}

/// Copies a document like [`fill_holes`] and leaves it open: more members can follow with [`push_name`], until
/// [`close_document`].
pub fn open_document(document: &[u8], base: Base<'_>, out: &mut Vec<u8>) {
    let open = document.trim_ascii_end().strip_suffix(b"}").unwrap_or(document);
    fill_holes(open, base, out);
}

/// Ends a document that [`open_document`] began.
pub fn close_document(out: &mut Vec<u8>) {
    out.push(b'}');
}

/// Begins a member: a comma unless it is the first, its name and the colon. `name` is the name of an attribute, which
/// needs no escapes.
pub fn push_name(out: &mut (impl BufMut + AsRef<[u8]>), name: &str) {
    if !matches!(out.as_ref().last(), None | Some(b'{')) {
        out.put_u8(b',');
    }
    out.put_u8(b'"');
    out.put_slice(name.as_bytes());
    out.put_slice(b"\":");
}

/// Writes text as a JSON string.
pub fn push_string(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    push_escaped(out, text);
    out.push(b'"');
}

/// Writes a reference to a resource of this service, such as `Users/2819`.
pub fn push_reference(out: &mut Vec<u8>, base: Base<'_>, path: &str) {
    out.push(b'"');
    push_base(out, base);
    push_escaped(out, path);
    out.push(b'"');
}

fn push_base(out: &mut Vec<u8>, base: Base<'_>) {
    match base {
        Base::Url(url) => {
            out.reserve(url.len() + 1);
            push_escaped(out, url.trim_end_matches('/'));
            out.push(b'/');
        }
        Base::Hole => out.push(HOLE),
        Base::Relative => {}
    }
}

/// Writes text as it stands between the quotes of a JSON string.
fn push_escaped(out: &mut Vec<u8>, text: &str) {
    // Hardly any text holds what has to be escaped.
    if plain_length(text.as_bytes()) == text.len() {
        return out.extend_from_slice(text.as_bytes());
    }
    let start = out.len();
    // Writing text to memory cannot fail.
    _ = serde_json::to_writer(&mut *out, text);
    // The quotes: the one at the end, and the one at the start.
    out.pop();
    if start < out.len() {
        out.remove(start);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// RFC 8259 section 7: whatever a reference holds, it is a JSON string that says the same.
        #[test]
        fn what_is_escaped_is_what_was_written(text in r#"[a-z/:"\\\x00-\x1fé]{0,24}"#) {
            let mut out = b"x".to_vec();
            push_reference(&mut out, Base::Url(&text), &text);
            let read: String = serde_json::from_slice(out.get(1..).unwrap_or_default()).unwrap();
            prop_assert_eq!(read, format!("{}/{text}", text.trim_end_matches('/')));
        }

        /// The memory that is reserved is what is needed, however many holes there are.
        #[test]
        fn a_document_is_filled_in_room_of_its_size(parts in prop::collection::vec("[a-z]{0,9}", 1..9)) {
            let document = parts.join("\x01");
            let mut out = Vec::new();
            fill_holes(document.as_bytes(), Base::Url("https://example.com/v2"), &mut out);
            prop_assert_eq!(String::from_utf8_lossy(&out), parts.join("https://example.com/v2/"));
            prop_assert!(out.capacity() <= out.len().max(8), "{} for {}", out.capacity(), out.len());
        }
    }
}
