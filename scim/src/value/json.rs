//! JSON as it came in: text that was checked once and is read in place.
//!
//! [`Json::parse`] is the only way in. It walks the text once, builds no tree, and refuses everything that two readers
//! could understand differently. It hands out slices of the text: copying a [`Json`] copies two words, and
//! reading one level of it is one scan of that level.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::{self, Display, Formatter};
use std::iter::FusedIterator;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result, quoted};
use crate::limits::Limits;
use crate::scan::plain_length;

/// How often [`Json::parse`] was called in this process, and how often a store has decoded one of its documents.
static PARSES: AtomicU64 = AtomicU64::new(0);

/// Says how many texts this process has parsed, so that a test can state what does not parse. Other threads count too.
#[doc(hidden)]
#[must_use]
pub fn parse_count() -> u64 {
    PARSES.load(Ordering::Relaxed)
}

/// Counts a document that a store decodes without checking it again.
#[cfg(feature = "sqlite")]
pub(crate) fn count_decoded() {
    PARSES.fetch_add(1, Ordering::Relaxed);
}

/// A JSON value inside a checked document, as a slice of its text.
///
/// Two values are equal if they mean the same: the order of members, the case of their names (RFC 7643 section 2.1),
/// escapes and the spelling of numbers do not matter.
///
/// ```
/// use scim::{Limits, value::Json};
///
/// let user = Json::parse(br#"{"userName": "bjensen", "emails": [{"value": "b@example.com"}]}"#, &Limits::default())?;
/// assert_eq!(user.get("USERNAME").and_then(Json::as_str).as_deref(), Some("bjensen"));
///
/// let emails = user.get("emails").unwrap_or(Json::NULL);
/// let values: Vec<_> = emails.elements().filter_map(|email| email.get("value")?.as_str()).collect();
/// assert_eq!(values, ["b@example.com"]);
/// # Ok::<(), scim::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Json<'a> {
    /// Exactly one valid JSON value, with no space around it.
    text: &'a str,
}

/// The kinds of JSON value (RFC 8259 section 3). Its `Display` fits a sentence: "a string", "an object".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number, with or without fraction
    Number,
    /// A string
    String,
    /// An array
    Array,
    /// An object
    Object,
}

impl Display for Kind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        })
    }
}

impl<'a> Json<'a> {
    /// `null`
    pub const NULL: Json<'static> = Json { text: "null" };
    /// `true`
    pub const TRUE: Json<'static> = Json { text: "true" };
    /// `false`
    pub const FALSE: Json<'static> = Json { text: "false" };

    /// Checks a whole document (RFC 8259) and gives its one value.
    ///
    /// A byte order mark in front is skipped. Refused beyond what the grammar refuses: nesting deeper than
    /// [`Limits::json_depth`], two members of one object whose names differ at most in ASCII case (RFC 7643 section
    /// 2.1 makes them the same attribute), half a surrogate pair, and a number that no `f64` can hold.
    ///
    /// # Errors
    /// 400 `invalidSyntax`, which names the byte, counted from 0, and what is wrong there.
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Json<'a>> {
        PARSES.fetch_add(1, Ordering::Relaxed);
        let text = std::str::from_utf8(bytes).map_err(|error| {
            Error::invalid_syntax(format!(
                "The JSON text is not UTF-8: byte {} belongs to no character.",
                error.valid_up_to()
            ))
        })?;
        Checker::new(text, limits.json_depth).document()
    }

    /// Makes a value out of text that [`Json::parse`] or [`JsonBuf`] has produced before. Text that is anything else gives
    /// wrong answers later, though never a panic.
    pub(crate) const fn from_checked(text: &'a str) -> Self {
        Self { text }
    }

    /// Returns the kind of value.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self.text.as_bytes().first() {
            Some(b'"') => Kind::String,
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'-' | b'0'..=b'9') => Kind::Number,
            _ => Kind::Null,
        }
    }

    /// Returns the text of the value as the client wrote it.
    #[must_use]
    pub fn text(self) -> &'a str {
        self.text
    }

    /// Returns whether it is `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// Returns whether the value is an array.
    #[must_use]
    pub fn is_array(self) -> bool {
        self.kind() == Kind::Array
    }

    /// Returns whether the value is an object.
    #[must_use]
    pub fn is_object(self) -> bool {
        self.kind() == Kind::Object
    }

    /// Returns the boolean; `None` if it is anything else.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        match self.text {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// Returns the string, borrowed from the document unless it holds escapes; `None` if it is anything else.
    #[must_use]
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        let inner = self.text.strip_prefix('"')?.strip_suffix('"')?;
        Some(string_content(
            inner,
            plain_length(inner.as_bytes()) < inner.len(),
        ))
    }

    /// Returns the integer, if the number is written without fraction and exponent (RFC 7643 section 2.3.4) and fits.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        self.text.parse().ok()
    }

    /// Returns the integer, however the number is written: `1.0` and `1e2` are integers too, `1.5` is not.
    #[must_use]
    pub fn as_exact_i64(self) -> Option<i64> {
        self.as_i64().or_else(|| match self.kind() {
            Kind::Number => exact_integer(self.text),
            _ => None,
        })
    }

    /// Returns the number, rounded to the nearest `f64`; `None` if it is anything else.
    #[must_use]
    pub fn as_f64(self) -> Option<f64> {
        match self.kind() {
            Kind::Number => self.text.parse().ok(),
            _ => None,
        }
    }

    /// Returns the members of an object in the order of the document; nothing if it is not an object.
    #[must_use]
    pub fn members(self) -> Members<'a> {
        Members {
            rest: self.text.strip_prefix('{').unwrap_or_default(),
        }
    }

    /// Returns the elements of an array in the order of the document; nothing if it is not an array.
    #[must_use]
    pub fn elements(self) -> Elements<'a> {
        Elements {
            rest: self.text.strip_prefix('[').unwrap_or_default(),
        }
    }

    /// Returns the member of that name, ignoring ASCII case (RFC 7643 section 2.1); `None` also if it is not an object.
    ///
    /// This scans the object: to read several members, walk [`members`](Self::members) once.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Json<'a>> {
        self.members()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Returns the members of these names, ignoring case, in one walk over the object.
    pub(crate) fn pick<const N: usize>(self, names: [&str; N]) -> [Option<Json<'a>>; N] {
        let mut found = [None; N];
        for (name, value) in self.members() {
            let mut slots = names.iter().zip(&mut found);
            if let Some((_, slot)) = slots.find(|(wanted, _)| wanted.eq_ignore_ascii_case(&name)) {
                *slot = Some(value);
            }
        }
        found
    }

    /// Returns the value in the words of an error: `the string "x"`, `the number 3`, `true`, `null`, `an array`.
    ///
    /// Long values are cut.
    #[must_use]
    pub fn describe(self) -> String {
        const LONGEST: usize = 40;
        match self.kind() {
            Kind::String => format!("the string {}", quoted(&self.as_str().unwrap_or_default())),
            Kind::Number => match self.text.get(..LONGEST) {
                Some(start) if self.text.len() > LONGEST => format!("the number {start}…"),
                _ => format!("the number {}", self.text),
            },
            Kind::Bool | Kind::Null => self.text.to_owned(),
            kind @ (Kind::Array | Kind::Object) => kind.to_string(),
        }
    }

    /// Returns the same without the text of a string: for a place where an object or array belongs. The string may be a whole
    /// document, written as JSON twice, with a password in it.
    pub(crate) fn describe_shape(self) -> String {
        match self.kind() {
            Kind::String => "a string".to_owned(),
            _ => self.describe(),
        }
    }

    /// Returns the range of this value in `whole`, in bytes; `None` if it is not a slice of that very allocation.
    ///
    /// With it a message can own its text and remember its values as ranges.
    #[must_use]
    pub fn range_in(self, whole: &str) -> Option<Range<usize>> {
        let start = (self.text.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
        let end = start.checked_add(self.text.len())?;
        (end <= whole.len()).then_some(start..end)
    }
}

impl Display for Json<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

impl PartialEq for Json<'_> {
    fn eq(&self, other: &Self) -> bool {
        if self.text == other.text {
            return true;
        }
        match (self.kind(), other.kind()) {
            (Kind::String, Kind::String) => self.as_str() == other.as_str(),
            (Kind::Number, Kind::Number) => match (self.as_exact_i64(), other.as_exact_i64()) {
                (None, None) => self.as_f64() == other.as_f64(),
                (left, right) => left == right,
            },
            (Kind::Array, Kind::Array) => self.elements().eq(other.elements()),
            (Kind::Object, Kind::Object) => sorted_members(*self) == sorted_members(*other),
            _ => false,
        }
    }
}

/// Returns the members under their lower-case names, in the order of these names.
fn sorted_members(object: Json<'_>) -> Vec<(String, Json<'_>)> {
    let mut members: Vec<_> = object
        .members()
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect();
    members.sort_by(|left, right| left.0.cmp(&right.0));
    members
}

/// The members of an object: see [`Json::members`].
#[derive(Debug, Clone)]
pub struct Members<'a> {
    /// The text behind the opening brace, or behind the value last given.
    rest: &'a str,
}

impl<'a> Iterator for Members<'a> {
    type Item = (Cow<'a, str>, Json<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.rest.bytes().position(|byte| byte == b'"')?;
        let name = self.rest.get(start..)?;
        let (length, escaped) = string_length(name.as_bytes())?;
        let (value, after) = next_value(name.get(length..)?)?;
        self.rest = after;
        Some((string_content(name.get(1..length - 1)?, escaped), value))
    }
}

impl FusedIterator for Members<'_> {}

/// The elements of an array: see [`Json::elements`].
#[derive(Debug, Clone)]
pub struct Elements<'a> {
    /// The text behind the opening bracket, or behind the element last given.
    rest: &'a str,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Json<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let (value, after) = next_value(self.rest)?;
        self.rest = after;
        Some(value)
    }
}

impl FusedIterator for Elements<'_> {}

/// Returns the next value of an open array or object and what follows it; `None` before the closing bracket.
///
/// The text is checked, so separators need no grammar: they are skipped.
fn next_value(rest: &str) -> Option<(Json<'_>, &str)> {
    let bytes = rest.as_bytes();
    let start = bytes
        .iter()
        .position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | b':'))?;
    let end = start + value_length(bytes.get(start..)?)?;
    let text = rest.get(start..end)?;
    Some((Json { text }, rest.get(end..)?))
}

/// Returns the length of the value that checked text starts with; `None` if it starts with none.
fn value_length(bytes: &[u8]) -> Option<usize> {
    match bytes.first()? {
        b'"' => string_length(bytes).map(|(length, _)| length),
        b'{' | b'[' => container_length(bytes),
        b'}' | b']' => None,
        _ => Some(
            bytes
                .iter()
                .position(|byte| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r'))
                .unwrap_or(bytes.len()),
        ),
    }
}

/// Returns the length of the string that checked text starts with, quotes included, and whether it holds escapes.
fn string_length(bytes: &[u8]) -> Option<(usize, bool)> {
    let mut at = 1;
    let mut escaped = false;
    loop {
        at += plain_length(bytes.get(at..)?);
        if *bytes.get(at)? == b'"' {
            return Some((at + 1, escaped));
        }
        escaped = true;
        at += 2;
    }
}

/// Returns what a checked string says: the text between its quotes, with its escapes undone if it has any.
fn string_content(inner: &str, escaped: bool) -> Cow<'_, str> {
    if escaped {
        Cow::Owned(unescape(inner))
    } else {
        Cow::Borrowed(inner)
    }
}

/// Returns the length of the array or object that checked text starts with. Brackets pair up there, so counting suffices.
fn container_length(bytes: &[u8]) -> Option<usize> {
    let mut open = 0_usize;
    let mut at = 0;
    loop {
        match bytes.get(at)? {
            b'"' => at += string_length(bytes.get(at..)?)?.0,
            b'{' | b'[' => {
                open += 1;
                at += 1;
            }
            b'}' | b']' => {
                open = open.checked_sub(1)?;
                at += 1;
                if open == 0 {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
}

/// Returns the content of a checked string with its escapes (RFC 8259 section 7) undone.
fn unescape(inner: &str) -> String {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let mut after = after.chars();
        match after.next() {
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('u') => {
                let (character, tail) = unicode_escape(after.as_str());
                out.extend(character);
                rest = tail;
                continue;
            }
            other => out.extend(other),
        }
        rest = after.as_str();
    }
    out.push_str(rest);
    out
}

/// Returns the character that stands behind `\u`, one escape or a surrogate pair of two, and the text after it.
fn unicode_escape(text: &str) -> (Option<char>, &str) {
    let Some((unit, rest)) = code_unit(text) else {
        return (None, text);
    };
    if let Some(character) = char::from_u32(unit) {
        return (Some(character), rest);
    }
    let pair = rest
        .strip_prefix("\\u")
        .and_then(code_unit)
        .and_then(|(low, rest)| Some((char::from_u32(combine(unit, low)?)?, rest)));
    match pair {
        Some((character, rest)) => (Some(character), rest),
        None => (None, rest),
    }
}

/// Returns the four hexadecimal digits that the text starts with, and the text after them.
fn code_unit(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    Some((u32::from_str_radix(digits, 16).ok()?, rest))
}

/// Returns the code point of a surrogate pair; `None` if the halves are not a high and a low one.
fn combine(high: u32, low: u32) -> Option<u32> {
    let pair = (0xD800..0xDC00).contains(&high) && (0xDC00..0xE000).contains(&low);
    pair.then(|| 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00))
}

/// Returns the integer that a number with fraction or exponent stands for, worked out on its digits: no `f64` in between
/// could round it.
fn exact_integer(number: &str) -> Option<i64> {
    let (sign, number) = match number.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", number),
    };
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    let trailing_zeros = i64::try_from(digits.len() - significant.len()).ok()?;
    let scale = exponent
        .parse::<i64>()
        .ok()?
        .checked_sub(i64::try_from(fraction.len()).ok()?)?
        .checked_add(trailing_zeros)?;
    let zeros = usize::try_from(scale).ok().filter(|zeros| *zeros < 19)?;
    format!("{sign}{significant}{}", "0".repeat(zeros)).parse().ok()
}

/// One walk over text that nobody has checked yet.
struct Checker<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth_limit: usize,
    /// The arrays and objects that are open: a stack of our own, so that depth never becomes stack frames.
    open: Vec<Open>,
    /// The names of all open objects, outermost first.
    names: Vec<Name<'a>>,
}

/// An array or object that has not ended yet.
#[derive(Clone, Copy)]
enum Open {
    Array,
    Object {
        /// The index of its first name in [`Checker::names`].
        first_name: usize,
    },
}

impl<'a> Checker<'a> {
    fn new(text: &'a str, depth_limit: usize) -> Self {
        let at = if text.starts_with('\u{feff}') {
            '\u{feff}'.len_utf8()
        } else {
            0
        };
        Self {
            text,
            bytes: text.as_bytes(),
            at,
            depth_limit,
            open: Vec::new(),
            names: Vec::new(),
        }
    }

    fn document(mut self) -> Result<Json<'a>> {
        self.skip_space();
        if self.peek().is_none() {
            return Err(Error::invalid_syntax(
                "The body is empty, but a JSON document is expected.",
            ));
        }
        let start = self.at;
        while self.value()? {}
        let text = self.slice(start, self.at);
        self.skip_space();
        match self.peek() {
            None => Ok(Json { text }),
            Some(_) => Err(self.expected("the end of the document")),
        }
    }

    /// Reads up to the end of the next scalar, or into the next array or object. False if the document is complete.
    fn value(&mut self) -> Result<bool> {
        match self.peek() {
            Some(b'"') => {
                self.string()?;
            }
            Some(b'{') => {
                self.enter(Open::Object {
                    first_name: self.names.len(),
                })?;
                if self.peek() != Some(b'}') {
                    self.name()?;
                    return Ok(true);
                }
            }
            Some(b'[') => {
                self.enter(Open::Array)?;
                if self.peek() != Some(b']') {
                    return Ok(true);
                }
            }
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true")?,
            Some(b'f') => self.word("false")?,
            Some(b'n') => self.word("null")?,
            _ => return Err(self.expected("a value")),
        }
        self.after_value()
    }

    fn enter(&mut self, open: Open) -> Result<()> {
        if self.open.len() >= self.depth_limit {
            let deep = self.malformed(
                self.at,
                format_args!(
                    "arrays and objects are nested deeper than {} levels (limit json_depth)",
                    self.depth_limit
                ),
            );
            return Err(deep.with_limit("json_depth"));
        }
        self.open.push(open);
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    /// Closes what ends here, and reads up to the next value. False if nothing is open any more.
    fn after_value(&mut self) -> Result<bool> {
        while let Some(open) = self.open.last().copied() {
            self.skip_space();
            match (open, self.peek()) {
                (Open::Array, Some(b',')) => {
                    self.at += 1;
                    self.skip_space();
                    return Ok(true);
                }
                (Open::Object { .. }, Some(b',')) => {
                    self.at += 1;
                    self.skip_space();
                    self.name()?;
                    return Ok(true);
                }
                (Open::Array, Some(b']')) => {}
                (Open::Object { first_name }, Some(b'}')) => self.check_names(first_name)?,
                (Open::Array, _) => return Err(self.expected("a comma or the end of the array")),
                (Open::Object { .. }, _) => return Err(self.expected("a comma or the end of the object")),
            }
            self.at += 1;
            self.open.pop();
        }
        Ok(false)
    }

    /// Reads the name of a member, the colon and the space around it.
    fn name(&mut self) -> Result<()> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return Err(self.expected("a member name in quotes"));
        }
        let escaped = self.string()?;
        let inner = self.slice(start + 1, self.at - 1);
        let name = if escaped {
            Cow::Owned(unescape(inner))
        } else {
            Cow::Borrowed(inner)
        };
        self.names.push((name, start));
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.expected("a colon"));
        }
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    /// Refuses an object that names a member twice, and forgets its names.
    fn check_names(&mut self, first: usize) -> Result<()> {
        const FEW: usize = 16;
        let names = self.names.get_mut(first..).unwrap_or_default();
        let twice = if names.len() <= FEW {
            repeated_among_few(names)
        } else {
            repeated_among_many(names)
        };
        if let Some((name, at)) = twice.map(|(name, at)| (quoted(name), *at)) {
            return Err(self.malformed(
                at,
                format_args!(
                    "the object has the member {name} twice; names that differ only in case are the same"
                ),
            ));
        }
        self.names.truncate(first);
        Ok(())
    }

    /// Reads a string; true if it holds escapes.
    fn string(&mut self) -> Result<bool> {
        let mut escaped = false;
        self.at += 1;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            self.at += plain_length(rest);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(control) => {
                    return Err(self.malformed(
                        self.at,
                        format_args!("the control character U+{control:04X} must be escaped in a string"),
                    ));
                }
                None => return Err(self.expected("the closing quote of a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<()> {
        let start = self.at;
        match self.bytes.get(start + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let text = self.text.get(start + 2..).unwrap_or_default();
                if code_unit(text).is_none() {
                    return Err(
                        self.malformed(start, format_args!("four hexadecimal digits must follow \\u"))
                    );
                }
                let (character, rest) = unicode_escape(text);
                if character.is_none() {
                    return Err(self.malformed(
                        start,
                        format_args!("the escape is half of a surrogate pair without its other half"),
                    ));
                }
                self.at = self.text.len() - rest.len();
            }
            _ => {
                self.at = start + 1;
                return Err(self.expected("an escape sequence after the backslash"));
            }
        }
        Ok(())
    }

    fn number(&mut self) -> Result<()> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(self.malformed(start, format_args!("a number must not start with a zero")));
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        let has_exponent = matches!(self.peek(), Some(b'e' | b'E'));
        if has_exponent {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        self.check_magnitude(start, has_exponent)
    }

    fn digits(&mut self) -> Result<()> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let count = rest
            .iter()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(rest.len());
        if count == 0 {
            return Err(self.expected("a digit"));
        }
        self.at += count;
        Ok(())
    }

    /// Refuses a number that is too large for `f64`: readers would disagree on what it is.
    fn check_magnitude(&self, start: usize, has_exponent: bool) -> Result<()> {
        // The largest f64 has 309 digits, so that fewer without exponent need no look.
        const ALWAYS_FIT: usize = 300;
        let number = self.slice(start, self.at);
        if (has_exponent || number.len() > ALWAYS_FIT) && !number.parse().is_ok_and(f64::is_finite) {
            return Err(self.malformed(start, format_args!("the number is too large")));
        }
        Ok(())
    }

    fn word(&mut self, word: &str) -> Result<()> {
        if !self
            .bytes
            .get(self.at..)
            .unwrap_or_default()
            .starts_with(word.as_bytes())
        {
            return Err(self.expected("a value"));
        }
        self.at += word.len();
        Ok(())
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    #[cold]
    fn expected(&self, what: &str) -> Error {
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(found) => {
                let found = quoted(found.encode_utf8(&mut [0; 4]));
                self.malformed(self.at, format_args!("expected {what}, but found {found}"))
            }
            None => self.malformed(self.at, format_args!("expected {what}, but the text ends")),
        }
    }

    #[cold]
    fn malformed(&self, at: usize, what: fmt::Arguments<'_>) -> Error {
        Error::invalid_syntax(format!("The JSON text is malformed at byte {at}: {what}."))
    }
}

/// A name and where it stands.
type Name<'a> = (Cow<'a, str>, usize);

/// Finds a name that an earlier one equals, by comparing each with each.
fn repeated_among_few<'n, 'a>(names: &'n [Name<'a>]) -> Option<&'n Name<'a>> {
    names.iter().enumerate().find_map(|(position, name)| {
        names
            .iter()
            .take(position)
            .any(|earlier| earlier.0.eq_ignore_ascii_case(&name.0))
            .then_some(name)
    })
}

/// Finds a name that an earlier one equals, by sorting: an object of a million members must not cost a million squared.
fn repeated_among_many<'n, 'a>(names: &'n mut [Name<'a>]) -> Option<&'n Name<'a>> {
    names.sort_unstable_by(|left, right| compare_ignoring_case(&left.0, &right.0).then(left.1.cmp(&right.1)));
    names.windows(2).find_map(|pair| match pair {
        [left, right] if left.0.eq_ignore_ascii_case(&right.0) => Some(right),
        _ => None,
    })
}

fn compare_ignoring_case(left: &str, right: &str) -> std::cmp::Ordering {
    left.bytes()
        .map(|byte| byte.to_ascii_lowercase())
        .cmp(right.bytes().map(|byte| byte.to_ascii_lowercase()))
}

/// A JSON value that owns its text. A clone shares the text.
///
/// ```
/// use scim::value::{Json, JsonBuf};
///
/// let name = JsonBuf::string("Babs \"B\" Jensen");
/// let user = JsonBuf::object([("displayName", name.as_json()), ("active", Json::TRUE)]);
/// assert_eq!(user.to_string(), r#"{"displayName":"Babs \"B\" Jensen","active":true}"#);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct JsonBuf(Checked);

/// Text of exactly one checked value. Equal if the values are.
#[derive(Debug, Clone)]
struct Checked(Arc<str>);

impl PartialEq for Checked {
    fn eq(&self, other: &Self) -> bool {
        Json { text: &self.0 } == Json { text: &other.0 }
    }
}

impl JsonBuf {
    /// Checks a document and keeps a copy of it: see [`Json::parse`].
    ///
    /// # Errors
    /// Those of [`Json::parse`].
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self> {
        Json::parse(bytes, limits).map(Self::from)
    }

    /// Makes a string.
    #[must_use]
    pub fn string(text: &str) -> Self {
        let mut out = String::with_capacity(text.len() + 2);
        write_string(&mut out, text);
        Self::from_text(out)
    }

    /// Makes an integer.
    #[must_use]
    pub fn integer(number: i64) -> Self {
        Self::from_text(number.to_string())
    }

    /// Makes a number; `null` if it is infinite or not a number, which JSON cannot say.
    #[must_use]
    pub fn number(number: f64) -> Self {
        Self::from(serde_json::Value::from(number))
    }

    /// Makes an array of values.
    #[must_use]
    pub fn array<'a>(elements: impl IntoIterator<Item = Json<'a>>) -> Self {
        let mut out = String::from("[");
        for (position, element) in elements.into_iter().enumerate() {
            if position > 0 {
                out.push(',');
            }
            out.push_str(element.text);
        }
        out.push(']');
        Self::from_text(out)
    }

    /// Makes an object of members. A member whose name came before, ignoring ASCII case, replaces that one.
    #[must_use]
    pub fn object<'a, N: AsRef<str>>(members: impl IntoIterator<Item = (N, Json<'a>)>) -> Self {
        let mut kept: Vec<(N, Json<'a>)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for (name, value) in members {
            let place = *places
                .entry(name.as_ref().to_ascii_lowercase())
                .or_insert(kept.len());
            match kept.get_mut(place) {
                Some(earlier) => *earlier = (name, value),
                None => kept.push((name, value)),
            }
        }
        let mut out = String::from("{");
        for (position, (name, value)) in kept.iter().enumerate() {
            if position > 0 {
                out.push(',');
            }
            write_string(&mut out, name.as_ref());
            out.push(':');
            out.push_str(value.text);
        }
        out.push('}');
        Self::from_text(out)
    }

    /// Returns the value, to read.
    #[must_use]
    pub fn as_json(&self) -> Json<'_> {
        Json::from_checked(&self.0.0)
    }

    /// Returns the text of the value.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.0
    }

    fn from_text(text: String) -> Self {
        Self(Checked(text.into()))
    }
}

impl From<Json<'_>> for JsonBuf {
    fn from(json: Json<'_>) -> Self {
        Self(Checked(json.text.into()))
    }
}

impl From<serde_json::Value> for JsonBuf {
    /// Converts a value. Of members whose names differ only in ASCII case, the last is kept.
    fn from(value: serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => Self::from_text(value.to_string()),
            Value::String(text) => Self::string(&text),
            Value::Array(elements) => {
                let elements: Vec<_> = elements.into_iter().map(Self::from).collect();
                Self::array(elements.iter().map(Self::as_json))
            }
            Value::Object(members) => {
                let members: Vec<_> = members
                    .into_iter()
                    .map(|(name, value)| (name, Self::from(value)))
                    .collect();
                Self::object(members.iter().map(|(name, value)| (name, value.as_json())))
            }
        }
    }
}

impl Display for JsonBuf {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// Appends a string in JSON: quoted, with the escapes that RFC 8259 section 7 requires and no others.
pub(crate) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(plain) = rest
        .bytes()
        .position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))
    {
        let Some((before, after)) = rest.split_at_checked(plain) else {
            break;
        };
        out.push_str(before);
        let mut after = after.chars();
        match after.next() {
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some(character @ ('"' | '\\')) => out.extend(['\\', character]),
            Some(control) => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            None => {}
        }
        rest = after.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn parse(text: &str) -> Result<Json<'_>> {
        Json::parse(text.as_bytes(), &Limits::default())
    }

    fn refused(text: &str) -> String {
        let error = parse(text).unwrap_err();
        assert_eq!(error.status(), 400);
        assert_eq!(error.scim_type(), Some(crate::ScimType::InvalidSyntax));
        error.to_string()
    }

    /// Reads a value through the public interface alone.
    fn walk(json: Json<'_>) -> Value {
        match json.kind() {
            Kind::Null => Value::Null,
            Kind::Bool => json.as_bool().unwrap().into(),
            Kind::String => json.as_str().unwrap().into(),
            Kind::Number => match json.as_i64() {
                // serde_json keeps the sign of a zero by making it a float
                Some(integer) if json.text() != "-0" => integer.into(),
                _ => json
                    .text()
                    .parse::<u64>()
                    .map_or_else(|_| json.as_f64().unwrap().into(), Value::from),
            },
            Kind::Array => json.elements().map(walk).collect(),
            Kind::Object => Value::Object(
                json.members()
                    .map(|(name, value)| (name.into_owned(), walk(value)))
                    .collect(),
            ),
        }
    }

    #[test]
    fn a_user_is_read_in_place() {
        let text = r#" {"userName" : "bjensen", "name": {"givenName": "B\u00e4\n"}, "active":true, "n": [1, 2.5, []] } "#;
        let user = parse(text).unwrap();
        assert_eq!(user.kind(), Kind::Object);
        let name = user.get("username").unwrap().as_str().unwrap();
        assert!(matches!(name, Cow::Borrowed("bjensen")));
        assert_eq!(
            user.get("name")
                .unwrap()
                .get("givenname")
                .unwrap()
                .as_str()
                .unwrap(),
            "Bä\n"
        );
        assert_eq!(user.get("active").unwrap().as_bool(), Some(true));
        let numbers: Vec<_> = user.get("n").unwrap().elements().map(Json::text).collect();
        assert_eq!(numbers, ["1", "2.5", "[]"]);
        assert!(user.get("nothing").is_none());
    }

    #[test]
    fn other_kinds_answer_none_and_iterate_over_nothing() {
        let text = parse(r#""[1,2]""#).unwrap();
        assert_eq!(
            (text.as_bool(), text.as_i64(), text.as_exact_i64(), text.as_f64()),
            (None, None, None, None)
        );
        assert_eq!(text.elements().count() + text.members().count(), 0);
        assert!(parse("[1]").unwrap().get("a").is_none());
        assert!(parse("{}").unwrap().as_str().is_none());
        assert!(Json::NULL.is_null() && !Json::FALSE.is_null());
    }

    #[test]
    fn an_empty_body_is_called_empty() {
        for text in ["", "  \n", "\u{feff}"] {
            assert!(refused(text).contains("body is empty"), "{text:?}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_tolerated_in_front_only() {
        assert_eq!(parse("\u{feff} 1").unwrap().text(), "1");
        assert!(parse("1\u{feff}").is_err());
    }

    #[test]
    fn an_error_names_the_byte_and_what_is_wrong() {
        for (text, says) in [
            (r#"{"a" 1}"#, r#"at byte 5: expected a colon, but found "1"."#),
            (
                r#"{"a":1"#,
                "at byte 6: expected a comma or the end of the object, but the text ends.",
            ),
            ("[1,]", r#"at byte 3: expected a value, but found "]"."#),
            (
                "{,}",
                r#"at byte 1: expected a member name in quotes, but found ","."#,
            ),
            (
                "[1 2]",
                r#"at byte 3: expected a comma or the end of the array, but found "2"."#,
            ),
            (
                "[] x",
                r#"at byte 3: expected the end of the document, but found "x"."#,
            ),
            (r#"["ä", é]"#, r#"at byte 7: expected a value, but found "é"."#),
            (
                r#"["a"#,
                "at byte 3: expected the closing quote of a string, but the text ends.",
            ),
            (
                "[\"a\nb\"]",
                "at byte 3: the control character U+000A must be escaped in a string.",
            ),
            (
                r#"["\x"]"#,
                r#"at byte 3: expected an escape sequence after the backslash, but found "x"."#,
            ),
            (
                r#"["\u12g4"]"#,
                "at byte 2: four hexadecimal digits must follow \\u.",
            ),
            ("01", "at byte 0: a number must not start with a zero."),
            ("1.", "at byte 2: expected a digit, but the text ends."),
            ("-", "at byte 1: expected a digit, but the text ends."),
            ("nul", r#"at byte 0: expected a value, but found "n"."#),
        ] {
            let error = refused(text);
            assert!(error.ends_with(says), "{text}: {error}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_are_refused_with_their_position() {
        let error = Json::parse(b"[\"\xff\"]", &Limits::default()).unwrap_err();
        assert!(error.to_string().contains("byte 2"), "{error}");
        assert_eq!(error.status(), 400);
    }

    #[test]
    fn a_surrogate_needs_its_other_half() {
        assert_eq!(parse(r#""\ud83d\uDE00""#).unwrap().as_str().unwrap(), "😀");
        for text in [
            r#""\ud83d""#,
            r#""\ude00""#,
            r#""\ud83d\ud83d""#,
            r#""\ud83dx""#,
            r#""\ud83d\n""#,
        ] {
            assert!(refused(text).contains("surrogate"), "{text}");
        }
    }

    /// RFC 7643 section 2.1: attribute names ignore case, so that two spellings are one attribute.
    #[test]
    fn duplicate_members_are_refused_and_named() {
        for text in [
            r#"{"userName":1,"userName":2}"#,
            r#"{"USERNAME":1,"x":0,"userName":2}"#,
            r#"[{"b":{"user\u004eame":1,"userName":2}}]"#,
        ] {
            assert!(refused(text).contains(r#"the member "userName" twice"#), "{text}");
        }
        assert!(parse(r#"{"a":{"a":1},"b":[{"a":1},{"a":2}]}"#).is_ok());
    }

    #[test]
    fn a_duplicate_is_found_in_an_object_of_many_members() {
        let mut text: String = (0..100_000)
            .map(|number| format!(r#""member{}":0,"#, number * 7919 % 100_000))
            .collect();
        text.insert(0, '{');
        assert!(parse(&format!("{text}\"last\":0}}")).is_ok());
        assert!(refused(&format!("{text}\"MEMBER500\":0}}")).contains(r#""MEMBER500" twice"#));
    }

    #[test]
    fn nesting_ends_at_the_limit() {
        let limits = Limits {
            json_depth: 3,
            ..Limits::default()
        };
        assert!(Json::parse(br#"[{"a":[]}, [[1]]]"#, &limits).is_ok());
        let error = Json::parse(br#"[{"a":[{}]}]"#, &limits).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("at byte 7: arrays and objects are nested deeper than 3"),
            "{error}"
        );
    }

    /// The nesting that a caller allows never turns into stack frames.
    #[test]
    fn a_million_levels_are_walked_without_recursion() {
        let limits = Limits {
            json_depth: usize::MAX,
            ..Limits::default()
        };
        let text = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        let json = Json::parse(text.as_bytes(), &limits).unwrap();
        assert_eq!(json.elements().next().unwrap().text().len(), text.len() - 2);
        assert!(parse(&text).is_err());
    }

    #[test]
    fn a_number_must_fit_a_float() {
        assert!(refused("1e400").contains("too large"));
        assert!(refused(&"9".repeat(400)).contains("too large"));
        assert!(parse("1e-400").is_ok());
        assert!(parse("1e308").is_ok());
        assert!(parse(&"9".repeat(305)).is_ok());
    }

    /// RFC 7643 section 2.3.4: an integer has no fraction and no exponent.
    #[test]
    fn integers_are_told_from_other_numbers() {
        for (text, integer, exact) in [
            ("3", Some(3), Some(3)),
            ("-0", Some(0), Some(0)),
            ("1.0", None, Some(1)),
            ("1e2", None, Some(100)),
            ("-120e-1", None, Some(-12)),
            ("12.50E+1", None, Some(125)),
            ("0.00e5", None, Some(0)),
            ("1.5", None, None),
            ("1e-1", None, None),
            ("9223372036854775807", Some(i64::MAX), Some(i64::MAX)),
            ("9223372036854775808", None, None),
            ("-9.223372036854775808e18", None, Some(i64::MIN)),
            ("9.007199254740993e15", None, Some(9_007_199_254_740_993)),
            ("1e300", None, None),
            ("0e999999999999999999999", None, Some(0)),
        ] {
            let number = parse(text).unwrap();
            assert_eq!(
                (number.as_i64(), number.as_exact_i64()),
                (integer, exact),
                "{text}"
            );
        }
    }

    #[test]
    fn a_value_is_described_in_the_words_of_an_error() {
        for (text, described) in [
            (r#""x""#, r#"the string "x""#),
            ("3", "the number 3"),
            ("true", "true"),
            ("null", "null"),
            ("[1]", "an array"),
            ("{}", "an object"),
        ] {
            assert_eq!(parse(text).unwrap().describe(), described);
        }
        assert!(
            parse(&format!("\"{}\"", "x".repeat(5000)))
                .unwrap()
                .describe()
                .len()
                < 120
        );
        assert!(parse(&"1".repeat(250)).unwrap().describe().len() < 120);
    }

    /// A client that encodes a document twice sends a string with a password in it.
    #[test]
    fn where_an_object_belongs_the_text_of_a_string_is_not_repeated() {
        for (text, described) in [
            (r#""{\"password\": \"x\"}""#, "a string"),
            ("3", "the number 3"),
            ("[1]", "an array"),
        ] {
            assert_eq!(parse(text).unwrap().describe_shape(), described);
        }
    }

    #[test]
    fn a_value_knows_where_it_stands() {
        let text = String::from("\u{feff} [1, [22]]");
        let inner = parse(&text).unwrap().elements().nth(1).unwrap();
        let range = inner.range_in(&text).unwrap();
        assert_eq!(&text[range.clone()], "[22]");
        assert_eq!(Json::from_checked(&text[range]), inner);
        assert_eq!(inner.range_in(&text.clone()), None);
        assert_eq!(Json::NULL.range_in(&text), None);
    }

    #[test]
    fn values_are_equal_if_they_mean_the_same() {
        for (left, right, same) in [
            (r#"{"a":1,"B":[2]}"#, r#"{ "b": [2.0], "A": 1e0 }"#, true),
            (r#""\u00e4""#, r#""ä""#, true),
            ("[1,2]", "[2,1]", false),
            (r#"{"a":1}"#, r#"{"a":1,"b":2}"#, false),
            (r#""a""#, r#""A""#, false),
            ("9007199254740993", "9007199254740992.0", false),
            ("1.50", "1.5", true),
            ("null", "false", false),
        ] {
            assert_eq!(
                parse(left).unwrap() == parse(right).unwrap(),
                same,
                "{left} {right}"
            );
        }
    }

    #[test]
    fn of_two_members_with_one_name_the_last_is_built() {
        let built = JsonBuf::object([("a", Json::NULL), ("b", Json::TRUE), ("A", Json::FALSE)]);
        assert_eq!(built.text(), r#"{"A":false,"b":true}"#);
        assert_eq!(JsonBuf::number(f64::NAN).text(), "null");
        assert_eq!(
            JsonBuf::array([JsonBuf::integer(-3).as_json(), Json::TRUE]).text(),
            "[-3,true]"
        );
    }

    /// Makes texts with names of few letters, so that these often collide when case is ignored.
    fn json_text() -> impl Strategy<Value = String> {
        proptest::collection::vec(
            proptest::sample::select(vec![
                "{", "}", "[", "]", ",", ":", " ", "\"", "\\", "\"a\"", "\"b\":", "0", "1", "-", ".", "e",
                "5", "true", "null", "\\u00e4", "\\ud83d", "\\ude00", "\n", "ä", "[]", "{}",
            ]),
            0..14,
        )
        .prop_map(|parts| parts.concat())
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[\\\\\"\u{0}-\u{1f}a\u{2028}😀]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 64, 20, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..20).prop_map(Value::Array),
                proptest::collection::vec((".{0,6}", inner), 0..24).prop_map(|members| {
                    let mut seen = std::collections::HashSet::new();
                    Value::Object(
                        members
                            .into_iter()
                            .filter(|(name, _)| seen.insert(name.to_ascii_lowercase()))
                            .collect(),
                    )
                }),
            ]
        })
    }

    /// Returns whether a text that serde_json takes has an object with one name twice, ignoring case.
    fn has_duplicates(text: &str) -> bool {
        struct Names(bool);
        impl<'de> serde::Deserialize<'de> for Names {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Names(false))
            }
        }
        impl<'de> serde::de::Visitor<'de> for Names {
            type Value = Names;
            fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_unit<E>(self) -> Result<Names, E> {
                Ok(self)
            }
            fn visit_bool<E>(self, _: bool) -> Result<Names, E> {
                Ok(self)
            }
            fn visit_i64<E>(self, _: i64) -> Result<Names, E> {
                Ok(self)
            }
            fn visit_u64<E>(self, _: u64) -> Result<Names, E> {
                Ok(self)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Names, E> {
                Ok(self)
            }
            fn visit_str<E>(self, _: &str) -> Result<Names, E> {
                Ok(self)
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(mut self, mut access: A) -> Result<Names, A::Error> {
                while let Some(Names(twice)) = access.next_element()? {
                    self.0 |= twice;
                }
                Ok(self)
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(mut self, mut access: A) -> Result<Names, A::Error> {
                let mut seen = std::collections::HashSet::new();
                while let Some((name, Names(twice))) = access.next_entry::<String, _>()? {
                    self.0 |= twice | !seen.insert(name.to_ascii_lowercase());
                }
                Ok(self)
            }
        }
        serde_json::from_str::<Names>(text).unwrap().0
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_was_written(value in value()) {
            for bytes in [serde_json::to_vec(&value).unwrap(), serde_json::to_vec_pretty(&value).unwrap()] {
                let json = Json::parse(&bytes, &Limits::default()).unwrap();
                prop_assert_eq!(&walk(json), &value);
            }
        }

        #[test]
        fn what_is_built_is_what_it_was_built_from(value in value()) {
            let built = JsonBuf::from(value.clone());
            let json = Json::parse(built.text().as_bytes(), &Limits::default()).unwrap();
            prop_assert_eq!(&walk(json), &value);
            prop_assert_eq!(&built, &JsonBuf::from(json));
            let pretty = serde_json::to_vec_pretty(&value).unwrap();
            prop_assert_eq!(built.as_json(), Json::parse(&pretty, &Limits::default()).unwrap());
        }

        #[test]
        fn texts_are_valid_where_serde_json_says_so(text in json_text()) {
            let reference = serde_json::from_str::<Value>(&text);
            match (parse(&text), reference) {
                (Ok(json), Ok(value)) => prop_assert!(close(&walk(json), &value)),
                (Err(_), Err(_)) => {}
                (Err(error), Ok(_)) => prop_assert!(has_duplicates(&text), "{text} {error}"),
                (Ok(_), Err(error)) => prop_assert!(false, "{text}: {error}"),
            }
        }

        #[test]
        fn any_bytes_are_judged_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let ours = Json::parse(&bytes, &Limits::default()).is_ok();
            prop_assert_eq!(ours, serde_json::from_slice::<Value>(&bytes).is_ok());
        }

        /// Text that nobody checked may give nonsense, but neither a panic nor an endless loop.
        #[test]
        fn reading_unchecked_text_ends(text in json_text()) {
            let json = Json::from_checked(&text);
            json.members().for_each(drop);
            json.elements().for_each(drop);
            let _ = (json.as_str(), json.as_exact_i64(), json.as_f64(), json.describe(), json == json);
        }
    }

    /// Returns whether two values are equal, except in the last digits of a float, which serde_json reads less exactly than we
    /// do.
    fn close(left: &Value, right: &Value) -> bool {
        match (left, right) {
            (Value::Number(left), Value::Number(right)) if left.is_f64() && right.is_f64() => {
                let (left, right) = (left.as_f64().unwrap(), right.as_f64().unwrap());
                (left - right).abs() <= 1e-9 * left.abs() + 1e-300
            }
            (Value::Array(left), Value::Array(right)) => {
                left.len() == right.len() && left.iter().zip(right).all(|(left, right)| close(left, right))
            }
            (Value::Object(left), Value::Object(right)) => {
                left.len() == right.len()
                    && left
                        .iter()
                        .all(|(name, value)| right.get(name).is_some_and(|other| close(value, other)))
            }
            _ => left == right,
        }
    }
}
