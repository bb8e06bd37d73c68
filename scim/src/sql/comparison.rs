//! A comparison of an attribute to an operand, as a test of the column that holds the attribute.
//!
//! No other module decides which values of a column satisfy a comparison. The columns of an application use the tests as
//! they are; the document store uses those that are ranges of its keys (`key_range`).

use std::borrow::Cow;

use super::dialect::Dialect;
use super::range::{Bound, Range, Sink};
use crate::filter::{Compare, Numeric, Operand, Operator, PathTest, ReferenceOperand};
use crate::fold::Fold;
use crate::schema::Attribute;
use crate::value::DateTime;

/// How a column holds the values of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Key,
    Text,
    Reference,
    Integer,
    Real,
    Boolean,
    Micros,
    Binary,
    /// An integer that is shown as text behind a prefix.
    Numbered,
}

/// A test of the value of a column. NULL passes none.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test<'a> {
    /// The value is in a range.
    Range(Range<'a>),
    /// The text has this in it.
    Contains(&'a str),
    /// The text ends with this.
    EndsWith(&'a str),
    /// One of these passes; two or more.
    Any(Vec<Test<'a>>),
}

pub(super) const AS_WRITTEN: &str = "its column holds the text as written, and the attribute ignores case";

impl<'a> Test<'a> {
    /// Returns the test that is true of exactly those values of which the comparison is true.
    ///
    /// # Errors
    /// The reason why there is none.
    pub(super) fn of(compare: &'a Compare, kind: Kind) -> Result<Self, &'static str> {
        let operator = compare.operator;
        let range = |bound| Ok(Self::Range(Range::of(operator, bound)));
        match (kind, &compare.operand) {
            (Kind::Text, Operand::Text { fold, .. } | Operand::Reference(ReferenceOperand { fold, .. }))
                if *fold != Fold::Exact =>
            {
                Err(AS_WRITTEN)
            }
            (
                Kind::Key | Kind::Text,
                Operand::Text { key, .. } | Operand::Reference(ReferenceOperand { key, .. }),
            )
            | (Kind::Numbered, Operand::Text { key, .. }) => Ok(Self::of_text(operator, key)),
            (Kind::Reference, Operand::Reference(operand)) => Ok(Self::of_paths(&operand.paths)),
            (Kind::Boolean, Operand::Bool(value)) => range(Bound::Bool(*value)),
            (Kind::Binary, Operand::Binary(bytes)) => range(Bound::Binary(bytes)),
            (Kind::Integer, Operand::Number(number)) => Ok(Self::Range(of_integers(operator, *number))),
            (Kind::Real, Operand::Number(Numeric::Decimal(value))) => range(Bound::Real(*value)),
            (Kind::Real, Operand::Number(Numeric::Integer(value))) => match exact(*value) {
                Some(value) => range(Bound::Real(value)),
                None => Err("no floating-point number is that integer"),
            },
            (Kind::Micros, Operand::Time(time)) => Ok(Self::Range(of_micros(operator, *time))),
            _ => Err("its column holds another type"),
        }
    }

    fn of_text(operator: Operator, key: &'a str) -> Self {
        match operator {
            Operator::Co => Self::Contains(key),
            Operator::Ew => Self::EndsWith(key),
            Operator::Sw => Self::Range(Range::prefix(key)),
            _ => Self::Range(Range::of(operator, Bound::Text(Cow::Borrowed(key)))),
        }
    }

    /// Returns the test of a column that holds the path below the base URL.
    fn of_paths(paths: &'a PathTest) -> Self {
        match paths {
            PathTest::All => Self::Range(Range::Everything),
            PathTest::Any(any) => match any.as_slice() {
                [] => Self::Range(Range::Nothing),
                [(operator, key)] => Self::of_text(*operator, key),
                any => Self::Any(
                    any.iter()
                        .map(|(operator, key)| Self::of_text(*operator, key))
                        .collect(),
                ),
            },
        }
    }

    /// Writes the test of the expression `column` as a condition that may stand among others.
    pub(super) fn write_among(&self, column: &str, dialect: Dialect, sink: &mut impl Sink) {
        let is_compound = match self {
            Self::Range(range) => range.is_compound(),
            Self::Any(_) => true,
            Self::Contains(_) | Self::EndsWith(_) => false,
        };
        if !is_compound {
            return self.write(column, dialect, sink);
        }
        sink.push("(");
        self.write(column, dialect, sink);
        sink.push(")");
    }

    /// Writes the test of the expression `column` as a condition that stands alone.
    pub(super) fn write(&self, column: &str, dialect: Dialect, sink: &mut impl Sink) {
        match self {
            Self::Range(range) => range.write(column, sink),
            Self::Contains(part) => {
                sink.push(match dialect {
                    Dialect::Sqlite => "instr(",
                    Dialect::Postgres => "strpos(",
                });
                sink.push(column);
                sink.push(", ");
                sink.bind(&Bound::Text(Cow::Borrowed(part)));
                sink.push(") > 0");
            }
            Self::EndsWith(end) => {
                let end = Bound::Text(Cow::Borrowed(end));
                sink.push(&format!("substr({column}, length({column}) - length("));
                sink.bind(&end);
                sink.push(") + 1) = ");
                sink.bind(&end);
            }
            Self::Any(any) => {
                for (position, test) in any.iter().enumerate() {
                    if position > 0 {
                        sink.push(" OR ");
                    }
                    test.write_among(column, dialect, sink);
                }
            }
        }
    }
}

/// Returns the range of the values that count as present: empty text and empty bytes are not a value.
pub(super) fn present(attribute: &Attribute, kind: Kind) -> Range<'static> {
    match kind {
        Kind::Key | Kind::Text | Kind::Reference => Range::of(Operator::Gt, Bound::Text(Cow::Borrowed(""))),
        Kind::Binary => Range::of(Operator::Gt, Bound::Binary(&[])),
        Kind::Boolean if attribute.is_complex() => Range::equal(Bound::Bool(true)),
        Kind::Boolean | Kind::Integer | Kind::Real | Kind::Micros | Kind::Numbered => Range::Everything,
    }
}

/// Returns the integers that compare so to a number.
fn of_integers(operator: Operator, number: Numeric) -> Range<'static> {
    let floor = match number {
        Numeric::Integer(value) => return Range::of(operator, Bound::Integer(value)),
        Numeric::Decimal(value) => value.floor(),
    };
    let beyond = 2f64.powi(63);
    if (-beyond..beyond).contains(&floor) {
        return Range::of_integers_beside(operator, floor as i64);
    }
    match (operator, floor > 0.0) {
        (Operator::Lt | Operator::Le, true) | (Operator::Gt | Operator::Ge, false) => Range::Everything,
        _ => Range::Nothing,
    }
}

/// Returns the whole microseconds that compare so to an instant.
fn of_micros(operator: Operator, time: DateTime) -> Range<'static> {
    match is_whole(time) {
        true => Range::of(operator, Bound::Integer(time.as_unix_micros())),
        false => Range::of_integers_beside(operator, time.as_unix_micros()),
    }
}

/// Returns whether an instant is a whole microsecond.
pub(super) fn is_whole(time: DateTime) -> bool {
    time.as_unix_nanos().rem_euclid(1_000) == 0
}

/// Returns the floating-point number that is this integer, if there is one.
fn exact(integer: i64) -> Option<f64> {
    let float = integer as f64;
    (Numeric::Decimal(float) == Numeric::Integer(integer)).then_some(float)
}
