//! The grammar of filters (RFC 7644 section 3.4.2.2 with errata 4670, 4690, 7319, 7322 and 8924).
//!
//! ```text
//! filter     = and-exp *( SP "or" SP and-exp )
//! and-exp    = term *( SP "and" SP term )
//! term       = value-path / attr-exp / [ "not" ] "(" filter ")"
//! value-path = attr-path "[" filter "]"          ; inside: bare sub-attributes, no further value path
//! attr-exp   = attr-path SP "pr" / attr-path SP op SP comp-value
//! comp-value = false / null / true / number / string
//! ```
//!
//! The words are nom parsers; what nests is kept on an explicit stack, so no input makes the parser recurse, and the
//! limits are charged before anything is built. SP may be any number of spaces and tabs, and it may surround what is in
//! brackets. A [`Syntax`] allows more.

use std::str::FromStr;

use nom::Parser as _;
use nom::branch::alt;
use nom::bytes::complete::tag;
use nom::character::complete::{char, digit1, one_of};
use nom::combinator::{all_consuming, opt, recognize};

use super::{Comparison, Filter, Literal, Number, Operator};
use crate::error::{Error, Result, ScimType};
use crate::limits::Limits;
use crate::path::AttributeName;
use crate::path::fault::{Fault, Parsed, expected, is_delimiter};
use crate::path::parse::{Parts, attribute, bytes_while, sub_attribute};
use crate::policy::{MISSING_SPACES, Policy, Tolerance, UNQUOTED_OPERANDS, VALUE_PATH_COMPARISONS};
use crate::scan::plain_length;

/// Nesting never goes deeper than this, whatever [`Limits::filter_depth`] says: code that walks a tree may recurse.
const DEEPEST: usize = 256;

const OPERATOR: &str = "an operator (eq, ne, co, sw, ew, gt, ge, lt, le, pr)";
const VALUE: &str = "a value (a string in double quotes, a number, true, false or null)";

/// Departures from the grammar that a parser may be told to accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Syntax {
    /// Reads `userName eq bob` as `userName eq "bob"`. Old releases of authentik send such filters.
    pub unquoted_strings: bool,
    /// Reads `userName eq"bob"` as `userName eq "bob"`.
    pub missing_spaces: bool,
    /// Reads `emails[type eq "work"].value eq "x"` as `emails[type eq "work" and value eq "x"]`. Entra ID sends such filters.
    pub value_path_comparisons: bool,
}

impl Syntax {
    /// Returns the departures that the tolerances of a policy stand for.
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        Self {
            unquoted_strings: policy.allows(&UNQUOTED_OPERANDS),
            missing_spaces: policy.allows(&MISSING_SPACES),
            value_path_comparisons: policy.allows(&VALUE_PATH_COMPARISONS),
        }
    }

    /// Returns the tolerances that stand for these departures.
    pub fn tolerances(self) -> impl Iterator<Item = &'static Tolerance> {
        let named = [
            (self.unquoted_strings, &UNQUOTED_OPERANDS),
            (self.missing_spaces, &MISSING_SPACES),
            (self.value_path_comparisons, &VALUE_PATH_COMPARISONS),
        ];
        named
            .into_iter()
            .filter_map(|(departs, tolerance)| departs.then_some(tolerance))
    }
}

impl Filter {
    /// Parses a filter.
    ///
    /// # Errors
    /// 400 `invalidFilter`, with the byte position, what was found there and what was expected; or with the limit
    /// that the filter exceeds: [`Limits::filter_bytes`], [`Limits::filter_depth`] or [`Limits::filter_nodes`].
    ///
    /// ```
    /// use scim::{Limits, filter::Filter};
    ///
    /// let error = Filter::parse(r#"userName is "bob""#, &Limits::default()).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "Filter: at byte 9 found \"is\", expected an operator (eq, ne, co, sw, ew, gt, ge, lt, le, pr)."
    /// );
    /// ```
    pub fn parse(text: &str, limits: &Limits) -> Result<Self> {
        Self::parse_with(text, limits, Syntax::default()).map(|(filter, _)| filter)
    }

    /// Parses a filter that may depart from the grammar, and returns with it the departures that it needed.
    ///
    /// # Errors
    /// As [`Filter::parse`].
    ///
    /// ```
    /// use scim::{Limits, filter::{Filter, Syntax}};
    ///
    /// let syntax = Syntax { unquoted_strings: true, missing_spaces: true, ..Syntax::default() };
    /// let (filter, departures) = Filter::parse_with("userName eq bob", &Limits::default(), syntax)?;
    /// assert_eq!(filter.to_string(), r#"userName eq "bob""#);
    /// assert!(departures.unquoted_strings && !departures.missing_spaces);
    /// # Ok::<(), scim::Error>(())
    /// ```
    pub fn parse_with(text: &str, limits: &Limits, syntax: Syntax) -> Result<(Self, Syntax)> {
        check_length("Filter", text, limits, ScimType::InvalidFilter)?;
        Parser::new(text, limits, syntax)
            .filter()
            .map_err(|fault| fault.into_error("Filter", text, ScimType::InvalidFilter))
    }
}

impl FromStr for Filter {
    type Err = Error;

    /// Calls [`Filter::parse`] with the default limits.
    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text, &Limits::default())
    }
}

/// Refuses a text that is too long before a byte of it is read.
pub(super) fn check_length(subject: &str, text: &str, limits: &Limits, scim_type: ScimType) -> Result<()> {
    if text.len() <= limits.filter_bytes {
        return Ok(());
    }
    let detail = format!(
        "{subject}: its {} bytes go beyond the limit of {} bytes (filter_bytes)",
        text.len(),
        limits.filter_bytes
    );
    let error = Error::new(http::StatusCode::BAD_REQUEST, detail).with_type(scim_type);
    Err(error.with_limit("filter_bytes"))
}

/// The construct that an opening parenthesis or bracket began.
#[derive(Debug)]
enum Opening {
    Group,
    Not,
    ValuePath(AttributeName),
    /// The brackets of a PATCH path: the filter ends where they close.
    Target,
}

impl Opening {
    fn is_bracket(&self) -> bool {
        matches!(self, Self::ValuePath(_) | Self::Target)
    }
}

/// The places where the operands of one level begin among `Parser::operands`.
#[derive(Debug, Clone, Copy, Default)]
struct Level {
    any: usize,
    all: usize,
}

/// The thing that follows a term.
enum Next {
    And,
    Or,
    Close,
    End,
}

/// The state of one parse. Single terms never touch the two stacks, so the commonest filters allocate nothing but
/// their own strings.
pub(super) struct Parser<'a> {
    rest: &'a str,
    syntax: Syntax,
    departures: Syntax,
    depth: usize,
    nodes: usize,
    nodes_left: usize,
    /// The construct that is open, and the level outside of it.
    open: Vec<(Opening, Level)>,
    level: Level,
    operands: Vec<Filter>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str, limits: &Limits, syntax: Syntax) -> Self {
        Self {
            rest: text,
            syntax,
            departures: Syntax::default(),
            depth: limits.filter_depth.min(DEEPEST),
            nodes: limits.filter_nodes,
            nodes_left: limits.filter_nodes,
            open: Vec::new(),
            level: Level::default(),
            operands: Vec::new(),
        }
    }

    /// Parses a whole filter, up to the end of the text.
    pub(super) fn filter(mut self) -> Result<(Filter, Syntax), Fault<'a>> {
        let filter = self.run()?;
        Ok((filter, self.departures))
    }

    /// Parses the filter in the brackets of a PATCH path, from behind the opening one; also returns what is left behind
    /// the closing one.
    pub(super) fn bracketed(mut self) -> Result<(&'a str, Filter, Syntax), Fault<'a>> {
        self.push(Opening::Target)?;
        let filter = self.run()?;
        Ok((self.rest, filter, self.departures))
    }

    /// Parses the operator and the value of an `attr-exp` about the sub-attribute `name`, up to the end of the text.
    pub(super) fn comparison_of(mut self, name: &'a str) -> Result<(Filter, Syntax), Fault<'a>> {
        let filter = self.expression(bare(name))?;
        self.spaces();
        if self.rest.is_empty() {
            Ok((filter, self.departures))
        } else {
            Err(Fault::expected(self.rest, "the end of the path"))
        }
    }

    fn run(&mut self) -> Result<Filter, Fault<'a>> {
        loop {
            self.spaces();
            let Some(name) = self.open_or_name()? else {
                continue;
            };
            let mut term = self.expression(name)?;
            loop {
                match self.next()? {
                    Next::And => {
                        self.operands.push(term);
                        break;
                    }
                    Next::Or => {
                        let all = self.join_all(term);
                        self.operands.push(all);
                        self.level.all = self.operands.len();
                        break;
                    }
                    Next::End if self.operands.is_empty() => return Ok(term),
                    Next::End => return Ok(self.join_any(term)),
                    Next::Close => {
                        let inner = self.join_any(term);
                        let Some((opening, outer)) = self.open.pop() else {
                            return Ok(inner);
                        };
                        self.level = outer;
                        term = match opening {
                            Opening::Target => return Ok(inner),
                            Opening::Group => inner,
                            Opening::Not => inner.negate(),
                            Opening::ValuePath(attribute) => self.value_path(attribute, inner)?,
                        };
                    }
                }
            }
        }
    }

    /// Reads the name that an expression begins with; `None` if something was opened instead.
    fn open_or_name(&mut self) -> Result<Option<Parts<'a>>, Fault<'a>> {
        if self.peek() == Some(b'(') {
            self.push(Opening::Group)?;
            self.skip(1);
            return Ok(None);
        }
        let start = self.rest;
        let name = self.take(attribute)?;
        if self.in_brackets() && !name.is_plain() {
            return Err(Fault::expected(
                start,
                "the bare name of a sub-attribute, as in every pair of brackets",
            ));
        }
        if self.peek() == Some(b'[') {
            return self.open_value_path(name).map(|()| None);
        }
        if name.is_plain() && name.name.eq_ignore_ascii_case("not") && self.opens_negation(start)? {
            return Ok(None);
        }
        Ok(Some(name))
    }

    /// Takes, behind the word `not`, the parenthesis that makes it an operator rather than an attribute.
    fn opens_negation(&mut self, start: &'a str) -> Result<bool, Fault<'a>> {
        let behind = self.rest.trim_start_matches(is_space);
        if !behind.starts_with('(') {
            return Ok(false);
        }
        self.charge(start)?;
        self.rest = behind;
        self.push(Opening::Not)?;
        self.skip(1);
        Ok(true)
    }

    fn open_value_path(&mut self, name: Parts<'a>) -> Result<(), Fault<'a>> {
        if self.in_brackets() {
            return Err(Fault::expected(self.rest, "an operator: brackets do not nest"));
        }
        // Behind a URN a dot may stand in the place of the colon: that is for the schema to say.
        if name.sub.is_some() && name.urn.is_none() {
            return Err(Fault::expected(
                self.rest,
                "an operator: brackets follow an attribute, not a sub-attribute",
            ));
        }
        self.charge(self.rest)?;
        self.push(Opening::ValuePath(name.to_name()))?;
        self.skip(1);
        Ok(())
    }

    /// Ends a value path behind a closing bracket: `.sub op value` is one more condition on the same element, where the
    /// syntax allows it.
    fn value_path(&mut self, attribute: AttributeName, inner: Filter) -> Result<Filter, Fault<'a>> {
        let behind = self.rest.strip_prefix('.');
        let filter = match behind.filter(|_| self.syntax.value_path_comparisons) {
            None => inner,
            Some(rest) => {
                self.departures.value_path_comparisons = true;
                self.rest = rest;
                let name = self.take(sub_attribute)?;
                inner.and(self.expression(bare(name))?)
            }
        };
        Ok(Filter::value_path(attribute, filter))
    }

    /// Parses the operator and the value behind `name`.
    fn expression(&mut self, name: Parts<'a>) -> Result<Filter, Fault<'a>> {
        self.charge(self.rest)?;
        if self.spaces() == 0 && !self.rest.is_empty() {
            return Err(Fault::expected(
                self.rest,
                "a space and an operator behind the attribute name",
            ));
        }
        let start = self.rest;
        let word = self.take(word)?;
        if word.eq_ignore_ascii_case("pr") {
            return Ok(Filter::Present(name.to_name()));
        }
        let Some(operator) = operator(word) else {
            let negation = name.is_plain() && name.name.eq_ignore_ascii_case("not");
            return Err(Fault::expected(
                start,
                if negation {
                    "\"(\" behind \"not\""
                } else {
                    OPERATOR
                },
            ));
        };
        if self.spaces() == 0 && !self.rest.is_empty() {
            if !self.syntax.missing_spaces || self.peek() != Some(b'"') {
                return Err(Fault::expected(
                    self.rest,
                    "a space and a value behind the operator",
                ));
            }
            self.departures.missing_spaces = true;
        }
        let value = self.literal()?;
        Ok(Filter::Compare(Comparison {
            attribute: name.to_name(),
            operator,
            value,
        }))
    }

    fn literal(&mut self) -> Result<Literal, Fault<'a>> {
        if self.peek() == Some(b'"') {
            return self.take(string).map(Literal::String);
        }
        let start = self.rest;
        let word = self.take(word)?;
        match bare_literal(word) {
            Some(literal) => Ok(literal),
            None if self.syntax.unquoted_strings && !word.is_empty() => {
                self.departures.unquoted_strings = true;
                Ok(Literal::String(word.to_owned()))
            }
            None => Err(Fault::expected(start, VALUE)),
        }
    }

    /// Reads the text behind a term: a logical operator, the end of something, or a fault.
    #[inline]
    fn next(&mut self) -> Result<Next, Fault<'a>> {
        let spaced = self.spaces() > 0;
        let bracket = self.open.last().map(|(opening, _)| opening.is_bracket());
        match (self.peek(), bracket) {
            (None, None) => return Ok(Next::End),
            (Some(b')'), Some(false)) | (Some(b']'), Some(true)) => {
                self.skip(1);
                return Ok(Next::Close);
            }
            _ if spaced => {
                if let Some(next) = self.logical_operator()? {
                    return Ok(next);
                }
            }
            _ => {}
        }
        Err(Fault::expected(
            self.rest,
            match bracket {
                None => "\" and \", \" or \" or the end of the filter",
                Some(false) => "\" and \", \" or \" or \")\"",
                Some(true) => "\" and \", \" or \" or \"]\"",
            },
        ))
    }

    fn logical_operator(&mut self) -> Result<Option<Next>, Fault<'a>> {
        let (behind, word) = word(self.rest)?;
        let next = if word.eq_ignore_ascii_case("and") {
            Next::And
        } else if word.eq_ignore_ascii_case("or") {
            Next::Or
        } else {
            return Ok(None);
        };
        if !behind.starts_with(is_space) {
            return Err(Fault::expected(behind, "a space and another expression"));
        }
        self.charge(self.rest)?;
        self.rest = behind;
        Ok(Some(next))
    }

    fn push(&mut self, opening: Opening) -> Result<(), Fault<'a>> {
        if self.open.len() >= self.depth {
            return Err(Fault::beyond(
                self.rest,
                "filter_depth",
                self.depth,
                "levels of parentheses and brackets",
            ));
        }
        self.open.push((opening, self.level));
        let here = self.operands.len();
        self.level = Level { any: here, all: here };
        Ok(())
    }

    /// Pays for one expression or logical operator, which begins at `at`.
    fn charge(&mut self, at: &'a str) -> Result<(), Fault<'a>> {
        match self.nodes_left.checked_sub(1) {
            Some(left) => self.nodes_left = left,
            None => {
                return Err(Fault::beyond(
                    at,
                    "filter_nodes",
                    self.nodes,
                    "expressions and logical operators",
                ));
            }
        }
        Ok(())
    }

    /// Returns the conjunction that ends with `last`.
    fn join_all(&mut self, last: Filter) -> Filter {
        match self.pop_from(self.level.all, last) {
            Ok(all) => Filter::And(all),
            Err(single) => single,
        }
    }

    /// Returns the disjunction whose last conjunction ends with `last`.
    fn join_any(&mut self, last: Filter) -> Filter {
        let last = self.join_all(last);
        match self.pop_from(self.level.any, last) {
            Ok(any) => Filter::Or(any),
            Err(single) => single,
        }
    }

    /// Takes the operands from `start` on with `last`; `last` alone if there are none.
    fn pop_from(&mut self, start: usize, last: Filter) -> Result<Vec<Filter>, Filter> {
        if self.operands.len() <= start {
            return Err(last);
        }
        if self.operands.len() - start > 1 {
            self.operands.push(last);
            return Ok(self.operands.split_off(start));
        }
        // Nearly every junction joins two, and what was allocated for the stack is used again.
        match self.operands.pop() {
            Some(first) => Ok(vec![first, last]),
            None => Err(last),
        }
    }

    fn in_brackets(&self) -> bool {
        self.open.iter().any(|(opening, _)| opening.is_bracket())
    }

    fn take<O>(&mut self, parser: impl FnOnce(&'a str) -> Parsed<'a, O>) -> Result<O, Fault<'a>> {
        let (rest, output) = parser(self.rest)?;
        self.rest = rest;
        Ok(output)
    }

    /// Skips white space and says how much there was.
    #[inline]
    fn spaces(&mut self) -> usize {
        let before = self.rest.len();
        while let Some(b' ' | b'\t') = self.peek() {
            self.skip(1);
        }
        before - self.rest.len()
    }

    fn peek(&self) -> Option<u8> {
        self.rest.as_bytes().first().copied()
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }
}

/// Makes a name without prefix and sub-attribute.
fn bare(name: &str) -> Parts<'_> {
    Parts {
        urn: None,
        name,
        sub: None,
    }
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t')
}

/// Takes everything up to the next delimiter, possibly nothing.
pub(super) fn word(input: &str) -> Parsed<'_, &str> {
    bytes_while(|byte| !is_delimiter(byte))(input)
}

/// Returns the operator that `word` names, in any case.
#[inline]
pub(super) fn operator(word: &str) -> Option<Operator> {
    let &[first, second] = word.as_bytes() else {
        return None;
    };
    match &[first.to_ascii_lowercase(), second.to_ascii_lowercase()] {
        b"eq" => Some(Operator::Eq),
        b"ne" => Some(Operator::Ne),
        b"co" => Some(Operator::Co),
        b"sw" => Some(Operator::Sw),
        b"ew" => Some(Operator::Ew),
        b"gt" => Some(Operator::Gt),
        b"ge" => Some(Operator::Ge),
        b"lt" => Some(Operator::Lt),
        b"le" => Some(Operator::Le),
        _ => None,
    }
}

fn bare_literal(word: &str) -> Option<Literal> {
    match word.as_bytes().first()? {
        b'-' | b'0'..=b'9' => number(word)
            .ok()
            .map(|(_, text)| Literal::Number(Number::from_json(text))),
        _ if word.eq_ignore_ascii_case("true") => Some(Literal::Bool(true)),
        _ if word.eq_ignore_ascii_case("false") => Some(Literal::Bool(false)),
        _ if word.eq_ignore_ascii_case("null") => Some(Literal::Null),
        _ => None,
    }
}

/// Parses a JSON number (RFC 8259 section 6), all of the input.
fn number(input: &str) -> Parsed<'_, &str> {
    let integer = alt((tag("0"), digit1));
    let fraction = (char('.'), digit1);
    let exponent = (one_of("eE"), opt(one_of("+-")), digit1);
    all_consuming(recognize((opt(char('-')), integer, opt(fraction), opt(exponent)))).parse(input)
}

/// Parses a JSON string (RFC 8259 section 7), its escapes decoded.
fn string(input: &str) -> Parsed<'_, String> {
    let (rest, _) = char('"')(input)?;
    let (rest, plain) = plain(rest);
    match rest.strip_prefix('"') {
        // Nearly every string is without escapes, and is allocated once in its own size.
        Some(rest) => Ok((rest, plain.to_owned())),
        None => string_with_escapes(plain, rest),
    }
}

fn string_with_escapes<'a>(beginning: &str, mut rest: &'a str) -> Parsed<'a, String> {
    let mut decoded = beginning.to_owned();
    loop {
        match rest.bytes().next() {
            Some(b'"') => return char('"')(rest).map(|(rest, _)| (rest, decoded)),
            Some(b'\\') => {
                let (behind, character) = escape(rest)?;
                decoded.push(character);
                let (behind, plain) = plain(behind);
                decoded.push_str(plain);
                rest = behind;
            }
            Some(_) => return expected(rest, "an escape instead of a control character"),
            None => return expected(rest, "a double quote to end the string"),
        }
    }
}

/// Returns what stands for itself in a string, and what comes behind it.
fn plain(input: &str) -> (&str, &str) {
    let (plain, rest) = input
        .split_at_checked(plain_length(input.as_bytes()))
        .unwrap_or((input, ""));
    (rest, plain)
}

/// Parses an escape, from its backslash on; two of them where they make a surrogate pair.
fn escape(input: &str) -> Parsed<'_, char> {
    const ESCAPE: &str = "an escape of JSON (\\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX)";
    let (rest, _) = char('\\')(input)?;
    let Some(kind) = rest.chars().next() else {
        return expected(input, ESCAPE);
    };
    let character = match kind {
        '"' | '\\' | '/' => kind,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return unicode_escape(input),
        _ => return expected(input, ESCAPE),
    };
    Ok((rest.get(1..).unwrap_or_default(), character))
}

fn unicode_escape(input: &str) -> Parsed<'_, char> {
    let (rest, unit) = code_unit(input)?;
    if let Some(character) = char::from_u32(unit) {
        return Ok((rest, character));
    }
    let pair = match (unit, code_unit(rest)) {
        (0xd800..0xdc00, Ok((rest, low @ 0xdc00..0xe000))) => {
            char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00))
                .map(|character| (rest, character))
        }
        _ => None,
    };
    match pair {
        Some(found) => Ok(found),
        None => expected(input, "both halves of a surrogate pair"),
    }
}

/// Parses `\uXXXX`.
fn code_unit(input: &str) -> Parsed<'_, u32> {
    let digits = input
        .strip_prefix("\\u")
        .and_then(|rest| rest.split_at_checked(4))
        .filter(|(digits, _)| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    match digits.map(|(digits, rest)| (rest, u32::from_str_radix(digits, 16))) {
        Some((rest, Ok(unit))) => Ok((rest, unit)),
        _ => expected(input, "four hexadecimal digits behind \\u"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::ValuePath;

    fn parsed(text: &str) -> Filter {
        Filter::parse(text, &Limits::default()).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn refusal(text: &str) -> String {
        let error = Filter::parse(text, &Limits::default()).expect_err(text);
        assert_eq!(
            (error.status().as_u16(), error.scim_type()),
            (400, Some(ScimType::InvalidFilter))
        );
        error.to_string()
    }

    /// Parses a filter with the departures of `tolerant`.
    fn tolerated(text: &str) -> Option<Filter> {
        let syntax = Syntax::of(&Policy::tolerant());
        let parsed = Filter::parse_with(text, &Limits::default(), syntax).ok();
        parsed.map(|(filter, _)| filter)
    }

    fn value_of(text: &str) -> Literal {
        match parsed(&format!("a eq {text}")) {
            Filter::Compare(comparison) => comparison.value,
            other => panic!("{other:?}"),
        }
    }

    fn eq(name: &str, value: &str) -> Filter {
        Filter::compare(name, Operator::Eq, value)
    }

    /// RFC 7644 section 3.4.2.2 as corrected by erratum 4670: grouping, not, and, or.
    #[test]
    fn and_binds_closer_than_or_and_not_closest() {
        assert_eq!(
            parsed("a pr or b pr and not (c pr) or d pr"),
            Filter::Or(vec![
                Filter::present("a"),
                Filter::And(vec![Filter::present("b"), Filter::present("c").negate()]),
                Filter::present("d"),
            ])
        );
        assert_eq!(
            parsed("(a pr or b pr) and c pr"),
            Filter::And(vec![
                Filter::Or(vec![Filter::present("a"), Filter::present("b")]),
                Filter::present("c"),
            ])
        );
    }

    #[test]
    fn a_chain_is_one_flat_node_at_depth_zero() {
        let limits = Limits {
            filter_depth: 0,
            ..Limits::default()
        };
        let text = vec!["a pr"; 100].join(" and ");
        match Filter::parse(&text, &limits) {
            Ok(Filter::And(all)) => assert_eq!(all.len(), 100),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn parentheses_group_and_are_not_kept_where_they_say_nothing() {
        assert_eq!(parsed("((a pr))"), Filter::present("a"));
        assert_eq!(
            parsed("a pr and (b pr and c pr)"),
            Filter::And(vec![
                Filter::present("a"),
                Filter::And(vec![Filter::present("b"), Filter::present("c")]),
            ])
        );
    }

    /// Erratum 7319: the space behind `not` is optional.
    #[test]
    fn not_stands_with_and_without_a_space() {
        let expected = Filter::present("a").negate();
        for text in ["not(a pr)", "not (a pr)", "NOT   ( a pr )"] {
            assert_eq!(parsed(text), expected, "{text}");
        }
    }

    #[test]
    fn keywords_are_attribute_names_where_a_name_is_due() {
        assert_eq!(parsed("not pr"), Filter::present("not"));
        assert_eq!(
            parsed("and eq \"x\" and or eq \"y\""),
            Filter::And(vec![eq("and", "x"), eq("or", "y")])
        );
        assert_eq!(parsed("eq eq \"eq\""), eq("eq", "eq"));
    }

    #[test]
    fn words_are_read_in_any_case() {
        assert_eq!(
            parsed("USERNAME Eq \"x\" AnD title PR"),
            parsed("userName eq \"x\" and title pr")
        );
        assert_eq!(value_of("TRUE"), Literal::Bool(true));
        assert_eq!(value_of("False"), Literal::Bool(false));
        assert_eq!(value_of("nuLL"), Literal::Null);
    }

    /// RFC 7644 section 3.10: the attribute begins behind the last colon, and only then comes the dot.
    #[test]
    fn a_urn_may_precede_the_attribute() {
        let Filter::Present(name) = parsed("urn:ietf:params:scim:schemas:core:2.0:User:name.$ref pr") else {
            panic!("not a presence test")
        };
        assert_eq!(
            name.urn.as_deref(),
            Some("urn:ietf:params:scim:schemas:core:2.0:User")
        );
        assert_eq!((name.name.as_str(), name.sub.as_deref()), ("name", Some("$ref")));
        assert!(
            refusal("x:userName pr").contains("at byte 0"),
            "a prefix is a URI"
        );
    }

    #[test]
    fn a_value_path_holds_bare_sub_attributes_only() {
        assert_eq!(
            parsed("emails[type eq \"work\" and not (value ew \".org\")]"),
            Filter::value_path(
                "emails",
                eq("type", "work").and(Filter::compare("value", Operator::Ew, ".org").negate())
            )
        );
        for text in [
            "emails[emails.type pr]",
            "emails[urn:a:b:type pr]",
            "emails[type pr and (x.y pr)]",
        ] {
            assert!(
                refusal(text).contains("the bare name of a sub-attribute"),
                "{text}"
            );
        }
        assert!(refusal("emails[a[b pr]]").contains("brackets do not nest"));
        assert!(refusal("emails[(a pr and a[b pr])]").contains("brackets do not nest"));
        assert!(refusal("name.givenName[a pr]").contains("not a sub-attribute"));
    }

    /// The matching attribute of Entra.
    #[test]
    fn a_comparison_behind_brackets_is_one_more_condition_on_the_element() {
        let read = |text| tolerated(text).unwrap();
        let expected = parsed("emails[type eq \"work\" and value eq \"x\"]");
        assert_eq!(read("emails[type eq \"work\"].value eq \"x\""), expected);
        assert_eq!(
            read("emails[a pr and b pr].value pr and c pr").to_string(),
            "emails[a pr and b pr and value pr] and c pr"
        );
        let Filter::ValuePath(ValuePath { filter, .. }) = read("emails[a pr or b pr].value pr") else {
            panic!("not a value path")
        };
        assert_eq!(filter.to_string(), "(a pr or b pr) and value pr");
        for text in [
            "emails[type pr].value",
            "emails[type pr].value.x pr",
            "emails[type pr]. pr",
        ] {
            assert!(tolerated(text).is_none(), "{text}");
        }
        assert!(refusal("emails[type pr].value pr").contains("at byte 15 found \".value\""));
    }

    #[test]
    fn escapes_are_decoded() {
        assert_eq!(
            value_of(r#""\b\f\n\r\t\/\\\"""#),
            Literal::from("\u{8}\u{c}\n\r\t/\\\"")
        );
        assert_eq!(value_of(r#""a\u00FcB""#), Literal::from("aüB"));
        assert_eq!(value_of(r#""\ud83d\ude00""#), Literal::from("😀"));
        assert_eq!(value_of(r#""日本 ""#), Literal::from("日本 "));
    }

    #[test]
    fn broken_strings_are_refused_where_they_break() {
        for (text, at) in [
            (r#"a eq "x"#, "at byte 7 found the end"),
            (r#"a eq "x\"#, "at byte 7 "),
            (r#"a eq "\x""#, "at byte 6 "),
            (r#"a eq "\u12g4""#, "at byte 6 "),
            (r#"a eq "\u+123""#, "at byte 6 "),
            (r#"a eq "\ud83d""#, "both halves of a surrogate pair"),
            (r#"a eq "\ud83d\u0041""#, "both halves of a surrogate pair"),
            (r#"a eq "\ude00\ud83d""#, "both halves of a surrogate pair"),
            ("a eq \"x\ny\"", "instead of a control character"),
        ] {
            assert!(refusal(text).contains(at), "{text}: {}", refusal(text));
        }
    }

    #[test]
    fn numbers_are_those_of_json() {
        for text in [
            "0",
            "-0",
            "7",
            "-12.50",
            "2e2",
            "2E+2",
            "1.5e-3",
            "123456789012345678901234567890",
        ] {
            assert_eq!(value_of(text), Literal::Number(Number::from_json(text)), "{text}");
        }
        for text in [
            "01", "-", "+1", ".5", "1.", "1e", "1e+", "0x10", "NaN", "Infinity", "1,5", "--1",
        ] {
            assert!(
                refusal(&format!("a eq {text}")).contains("expected a value"),
                "{text}"
            );
        }
    }

    #[test]
    fn an_error_says_where_what_was_found_and_what_was_expected() {
        for (text, message) in [
            (
                "userName foo \"x\"",
                "Filter: at byte 9 found \"foo\", expected an operator (eq, ne, co, sw, ew, gt, ge, lt, le, pr).",
            ),
            ("", "Filter: at byte 0 found the end, expected an attribute name."),
            (
                "userName eq bob",
                "Filter: at byte 12 found \"bob\", expected a value (a string in double quotes, a number, true, false or \
                 null).",
            ),
            (
                "(a pr",
                "Filter: at byte 5 found the end, expected \" and \", \" or \" or \")\".",
            ),
            (
                "a[b pr)",
                "Filter: at byte 6 found \")\", expected \" and \", \" or \" or \"]\".",
            ),
            (
                "a pr)",
                "Filter: at byte 4 found \")\", expected \" and \", \" or \" or the end of the filter.",
            ),
            (
                "not a pr",
                "Filter: at byte 4 found \"a\", expected \"(\" behind \"not\".",
            ),
            (
                "a pr and",
                "Filter: at byte 8 found the end, expected a space and another expression.",
            ),
            (
                "ä pr",
                "Filter: at byte 0 found \"ä\", expected an attribute name.",
            ),
            (
                "a@b pr",
                "Filter: at byte 1 found \"@b\", expected a space and an operator behind the attribute name.",
            ),
        ] {
            assert_eq!(refusal(text), message);
        }
    }

    #[test]
    fn spaces_separate_the_words_of_a_filter() {
        assert_eq!(parsed("  a \t eq   \"x\"  "), eq("a", "x"));
        assert_eq!(
            parsed("members[ value eq \"x\" ]").to_string(),
            "members[value eq \"x\"]"
        );
        for text in [
            "(a pr)and(b pr)",
            "a pr and(b pr)",
            "a eq \"x\"and b pr",
            "a eq1",
            "a pr\nand b pr",
            "a eq \"x\"\"y\"",
        ] {
            refusal(text);
            assert!(tolerated(text).is_none(), "{text}");
        }
    }

    /// P-3.4.2.2-17: the grammar alone, unless more is asked for, and then that is reported.
    #[test]
    fn departures_are_read_only_on_request_and_are_reported() {
        let (unquoted, spaces, comparisons) = (
            Syntax {
                unquoted_strings: true,
                ..Syntax::default()
            },
            Syntax {
                missing_spaces: true,
                ..Syntax::default()
            },
            Syntax {
                value_path_comparisons: true,
                ..Syntax::default()
            },
        );
        for (text, syntax, means) in [
            ("(a eq bob@example.com)", unquoted, r#"a eq "bob@example.com""#),
            ("emails[type eq work]", unquoted, r#"emails[type eq "work"]"#),
            (r#"a eq"x""#, spaces, r#"a eq "x""#),
            (r#"a pr and not(a sw"x")"#, spaces, r#"a pr and not (a sw "x")"#),
            (r#"emails[type eq"work"]"#, spaces, r#"emails[type eq "work"]"#),
            (
                r#"emails[type eq "work"].value eq "x""#,
                comparisons,
                r#"emails[type eq "work" and value eq "x"]"#,
            ),
            (
                "a pr or emails[b pr].value pr",
                comparisons,
                "a pr or emails[b pr and value pr]",
            ),
        ] {
            refusal(text);
            let (filter, departures) = Filter::parse_with(text, &Limits::default(), syntax).unwrap();
            assert_eq!((filter, departures), (parsed(means), syntax), "{text}");
        }
        for text in [
            "a eq true",
            "a eq \"true\"",
            "a eq \"x\"",
            "emails[type eq \"work\"]",
            "a eq 1",
        ] {
            let every = Syntax::of(&Policy::tolerant().with(&UNQUOTED_OPERANDS));
            let (filter, departures) = Filter::parse_with(text, &Limits::default(), every).unwrap();
            assert_eq!((filter, departures), (parsed(text), Syntax::default()), "{text}");
        }
        for text in ["a eq ", "a eq )"] {
            assert!(
                Filter::parse_with(text, &Limits::default(), unquoted).is_err(),
                "{text}"
            );
        }
        assert_eq!(Syntax::of(&Policy::strict()), Syntax::default());
    }

    /// Turns every limit off, or the bytes alone would refuse the text.
    fn boundless() -> Limits {
        Limits {
            filter_bytes: usize::MAX,
            filter_depth: usize::MAX,
            filter_nodes: usize::MAX,
            ..Limits::default()
        }
    }

    #[test]
    fn hostile_nesting_is_refused_by_the_limit_on_depth() {
        for opening in ["(", "not (", "NOT(", "( "] {
            let text = opening.repeat(100_000);
            let error = Filter::parse(&text, &boundless()).expect_err(opening);
            assert_eq!(error.scim_type(), Some(ScimType::InvalidFilter));
            assert!(error.to_string().contains("the limit of 256 levels"), "{error}");

            let limits = Limits {
                filter_depth: 64,
                ..boundless()
            };
            let error = Filter::parse(&text, &limits).expect_err(opening);
            assert!(
                error
                    .to_string()
                    .contains("the limit of 64 levels of parentheses and brackets"),
                "{error}"
            );
        }
        let text = "a[".repeat(100_000);
        let error = Filter::parse(&text, &boundless()).expect_err("brackets");
        assert!(error.to_string().contains("brackets do not nest"), "{error}");
    }

    #[test]
    fn the_limits_admit_exactly_what_they_say() {
        let nested = |levels: usize| format!("{}a pr{}", "(".repeat(levels), ")".repeat(levels));
        assert_eq!(parsed(&nested(64)), Filter::present("a"));
        assert!(refusal(&nested(65)).contains("at byte 64"));

        // 256 expressions and 255 times "or" are 511 nodes.
        let chain = |terms: usize| vec!["a pr"; terms].join(" or ");
        parsed(&chain(256));
        assert!(refusal(&chain(257)).contains("the limit of 512 expressions and logical operators"));

        let long = |bytes: usize| format!("a eq \"{}\"", "x".repeat(bytes - 7));
        parsed(&long(16 << 10));
        assert_eq!(
            refusal(&long((16 << 10) + 1)),
            "Filter: its 16385 bytes go beyond the limit of 16384 bytes (filter_bytes)."
        );
    }

    #[test]
    fn hostile_chains_are_refused_by_the_limit_on_nodes() {
        let limits = Limits {
            filter_bytes: usize::MAX,
            ..Limits::default()
        };
        for text in [
            vec!["a pr"; 100_000].join(" and "),
            vec!["a pr"; 100_000].join(" or "),
            vec!["(a pr)"; 100_000].join(" and "),
            vec!["a[b pr]"; 100_000].join(" or "),
            vec!["not (a pr)"; 100_000].join(" or "),
        ] {
            let error = Filter::parse(&text, &limits).expect_err("too many nodes");
            assert_eq!(error.scim_type(), Some(ScimType::InvalidFilter));
            assert!(
                error.to_string().contains("the limit of 512 expressions"),
                "{error}"
            );
        }
    }

    /// A tree of the greatest depth is dropped, cloned, compared and printed on a small stack.
    #[test]
    fn the_deepest_tree_fits_a_small_stack() {
        let work = || {
            let levels = DEEPEST / 2;
            let text = format!(
                "{}a pr{}",
                "not (b pr and (c pr or ".repeat(levels),
                "))".repeat(levels)
            );
            let filter = Filter::parse(&text, &boundless()).expect("within the limits");
            assert_eq!(filter.to_string(), text);
            assert_eq!(filter, filter.clone());
        };
        let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(work);
        thread.expect("a thread").join().expect("no overflow");
    }
}
