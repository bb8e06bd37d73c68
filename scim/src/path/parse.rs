//! The grammar of attribute names (RFC 7644 section 3.4.2.2 with erratum 8924).
//!
//! ```text
//! attr-path = [ urn ":" ] attr-name [ "." attr-name ]
//! attr-name = [ "$" ] ALPHA *( "-" / "_" / "$" / DIGIT / ALPHA )
//! ```
//!
//! URNs contain both `:` and `.`, so the attribute begins after the last `:`, and only then is it split at the `.`.

use nom::Parser;
use nom::combinator::map;

use super::AttributeName;
use super::fault::{Parsed, expected, is_delimiter};

const ATTRIBUTE: &str = "an attribute name";
const SUB_ATTRIBUTE: &str = "the name of a sub-attribute";

/// A name that still borrows the text it was parsed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    pub(crate) urn: Option<&'a str>,
    pub(crate) name: &'a str,
    pub(crate) sub: Option<&'a str>,
}

impl Parts<'_> {
    /// Returns whether this is one word: neither prefix nor sub-attribute.
    pub(crate) fn is_plain(&self) -> bool {
        self.urn.is_none() && self.sub.is_none()
    }

    #[inline]
    pub(crate) fn to_name(self) -> AttributeName {
        AttributeName {
            urn: self.urn.map(str::to_owned),
            name: self.name.to_owned(),
            sub: self.sub.map(str::to_owned),
        }
    }
}

/// Takes the longest prefix, possibly empty, of bytes of a class.
///
/// Bytes are several times faster to scan than characters. A class must hold all of the bytes from 0x80 on or none of
/// them, so that no character is ever split.
pub(crate) fn bytes_while<'a>(class: impl Fn(u8) -> bool) -> impl Fn(&'a str) -> Parsed<'a, &'a str> {
    move |input| {
        let end = input.bytes().position(|byte| !class(byte)).unwrap_or(input.len());
        let (word, rest) = input.split_at_checked(end).unwrap_or((input, ""));
        Ok((rest, word))
    }
}

/// Parses one `attr-name`.
#[inline]
pub(crate) fn name<'a>(input: &'a str, what: &'static str) -> Parsed<'a, &'a str> {
    let (rest, word) = bytes_while(is_name_byte)(input)?;
    match word.as_bytes() {
        [b'$', first, ..] | [first, ..] if first.is_ascii_alphabetic() => Ok((rest, word)),
        _ => expected(input, what),
    }
}

/// Parses the name of a sub-attribute.
pub(crate) fn sub_attribute(input: &str) -> Parsed<'_, &str> {
    name(input, SUB_ATTRIBUTE)
}

/// Parses an `attr-path`.
#[inline]
pub(crate) fn attribute(input: &str) -> Parsed<'_, Parts<'_>> {
    // Nearly every name is without a URN, and a URN does not end here.
    let local = local_name(input, None);
    if matches!(&local, Ok((rest, _)) if rest.bytes().next().is_none_or(is_delimiter)) {
        return local;
    }
    let (_, word) = bytes_while(is_uri_byte)(input)?;
    let Some((urn, local)) = split_urn(input, word) else {
        return local;
    };
    if is_uri(urn) {
        local_name(local, Some(urn))
    } else {
        expected(input, ATTRIBUTE)
    }
}

/// Parses an `attr-path`, or the URN of a schema whose last part could not be an attribute, such as
/// `urn:example:hr:1.0`.
pub(crate) fn attribute_or_schema(input: &str) -> Parsed<'_, Parts<'_>> {
    let (after, word) = bytes_while(is_uri_byte)(input)?;
    match attribute(input) {
        // Part of the word is left over: the split cannot have been the right one.
        Ok((rest, _)) if rest.len() > after.len() && is_uri(word) => Ok((after, schema(word))),
        Err(_) if is_uri(word) => Ok((after, schema(word))),
        result => result,
    }
}

fn schema(urn: &str) -> Parts<'_> {
    Parts {
        urn: Some(urn),
        name: "",
        sub: None,
    }
}

/// Returns the text before and after the last `:` of `word`, with which `input` begins.
fn split_urn<'a>(input: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    let colon = word.rfind(':')?;
    let (urn, local) = input.split_at_checked(colon)?;
    Some((urn, local.strip_prefix(':')?))
}

fn local_name<'a>(input: &'a str, urn: Option<&'a str>) -> Parsed<'a, Parts<'a>> {
    let (rest, name) = name(input, ATTRIBUTE)?;
    let (rest, sub) = match rest.strip_prefix('.') {
        Some(after) => map(sub_attribute, Some).parse(after)?,
        None => (rest, None),
    };
    Ok((rest, Parts { urn, name, sub }))
}

/// Returns whether a text is a scheme, a colon, and something after it.
fn is_uri(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| {
        !rest.is_empty()
            && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    })
}

/// One look-up is faster than three comparisons of ranges, and names are most of what is scanned.
const NAME_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        #[allow(clippy::indexing_slicing)] // evaluated by the compiler
        {
            table[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'$');
        }
        byte += 1;
    }
    table
};

fn is_name_byte(byte: u8) -> bool {
    NAME_BYTES.get(usize::from(byte)).copied().unwrap_or_default()
}

/// Accepts the characters of a URI (RFC 3986) but those that delimit the words of a filter.
fn is_uri_byte(byte: u8) -> bool {
    is_name_byte(byte) || b":./%~!&'*+,;=@?#".contains(&byte)
}
