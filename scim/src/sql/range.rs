//! Ranges of the values of a column: what an index of it finds.

use std::borrow::Cow;

use super::value::SqlValue;
use crate::filter::Operator;

/// A value to which a column is compared. The column may keep an encoding of it, such as bytes in the same order: the
/// [`Sink`] knows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Bound<'a> {
    Text(Cow<'a, str>),
    Integer(i64),
    Real(f64),
    Bool(bool),
    Binary(&'a [u8]),
}

impl From<&Bound<'_>> for SqlValue {
    fn from(bound: &Bound<'_>) -> Self {
        match bound {
            Bound::Text(text) => Self::Text(text.clone().into_owned()),
            Bound::Integer(number) => Self::Integer(*number),
            Bound::Real(number) => Self::Real(*number),
            Bound::Bool(value) => Self::Bool(*value),
            Bound::Binary(bytes) => Self::Binary(bytes.to_vec()),
        }
    }
}

/// A statement that a condition is written into.
pub(crate) trait Sink {
    /// Writes a text.
    fn push(&mut self, sql: &str);

    /// Writes a parameter with this value.
    fn bind(&mut self, bound: &Bound<'_>);
}

/// The text behind a condition in parentheses that negates it. A condition is unknown where a column is NULL, which
/// counts as false: its negation is true there.
pub(crate) const IS_NOT_TRUE: &str = " IS NOT TRUE";

/// A range of the values of a column. No range has NULL in it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Range<'a> {
    /// No value.
    Nothing,
    /// Every value.
    Everything,
    /// The values that compare to the bound by `=`, `<>`, `>`, `>=`, `<` or `<=`.
    Compared(&'static str, Bound<'a>),
    /// The values from the first bound on, and before the second.
    Between(Bound<'a>, Bound<'a>),
}

impl<'a> Range<'a> {
    /// Returns the values that an operator asks for. `co`, `sw` and `ew` ask for none: resolution accepts them for text
    /// alone, and there they are a [`Test`](super::comparison::Test).
    pub(super) fn of(operator: Operator, bound: Bound<'a>) -> Self {
        let sign = match operator {
            Operator::Eq => "=",
            Operator::Ne => "<>",
            Operator::Gt => ">",
            Operator::Ge => ">=",
            Operator::Lt => "<",
            Operator::Le => "<=",
            Operator::Co | Operator::Sw | Operator::Ew => return Self::Nothing,
        };
        Self::Compared(sign, bound)
    }

    /// Returns the range of one value.
    pub(crate) fn equal(bound: Bound<'a>) -> Self {
        Self::of(Operator::Eq, bound)
    }

    /// Returns the range of the texts that start with a prefix.
    pub(super) fn prefix(prefix: &'a str) -> Self {
        let from = Bound::Text(Cow::Borrowed(prefix));
        match successor(prefix) {
            Some(end) => Self::Between(from, Bound::Text(Cow::Owned(end))),
            None => Self::of(Operator::Ge, from),
        }
    }

    /// Returns the integers that compare so to a number between `below` and the next integer.
    pub(super) fn of_integers_beside(operator: Operator, below: i64) -> Self {
        match operator {
            Operator::Gt | Operator::Ge => Self::of(Operator::Gt, Bound::Integer(below)),
            Operator::Lt | Operator::Le => Self::of(Operator::Le, Bound::Integer(below)),
            _ => Self::Nothing,
        }
    }

    /// Returns whether it is written as two conditions.
    pub(super) fn is_compound(&self) -> bool {
        matches!(self, Self::Between(..))
    }

    /// Writes the condition that the expression `column` has a value in the range. Two conditions are joined by AND, without
    /// parentheses.
    pub(crate) fn write(&self, column: &str, sink: &mut impl Sink) {
        let mut compare = |sign: &str, bound| {
            sink.push(column);
            sink.push(" ");
            sink.push(sign);
            sink.push(" ");
            sink.bind(bound);
        };
        match self {
            Self::Nothing => sink.push("1 = 0"),
            Self::Everything => {
                sink.push(column);
                sink.push(" IS NOT NULL");
            }
            Self::Compared(sign, bound) => compare(sign, bound),
            Self::Between(from, to) => {
                compare(">=", from);
                sink.push(" AND ");
                Self::Compared("<", to.clone()).write(column, sink);
            }
        }
    }
}

/// Returns the least text that comes after every text with this prefix, in the order of code points; `None` if there is none.
fn successor(prefix: &str) -> Option<String> {
    prefix.char_indices().rev().find_map(|(at, last)| {
        let next = (last..=char::MAX).nth(1)?;
        let mut end = prefix.get(..at)?.to_owned();
        end.push(next);
        Some(end)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// P-3.4.2.2-08 (RFC 7644 table 3): `sw` is a range, whatever stands at the end of the prefix.
        #[test]
        fn a_prefix_is_a_range(prefix in "[ab\u{d7ff}\u{10ffff}]{0,3}", rest: String, other in "[ab\u{e000}\u{10ffff}]{0,4}") {
            let is_within = |text: &str| match Range::prefix(&prefix) {
                Range::Between(Bound::Text(from), Bound::Text(to)) => *from <= *text && *text < *to,
                Range::Compared(">=", Bound::Text(from)) => *from <= *text,
                range => panic!("{range:?}"),
            };
            prop_assert!(is_within(&(prefix.clone() + &rest)));
            prop_assert_eq!(is_within(&other), other.starts_with(&prefix));
        }
    }
}
