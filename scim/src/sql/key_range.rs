//! Comparisons as ranges of comparison keys, which an index has in order.

use std::borrow::Cow;

use super::comparison::{Kind, Test, is_whole, present};
use super::range::{Bound, Range};
use crate::filter::{Compare, Operand, Operator, PathTest, ReferenceOperand};
use crate::schema::{Attribute, Type};
use crate::value::{DateTime, Reference};

/// The keys of the values of which a comparison is true.
#[derive(Debug, PartialEq)]
pub(crate) struct KeyRange<'a> {
    pub(crate) range: Range<'a>,
    /// Whether no other values have such a key.
    pub(crate) exact: bool,
}

impl<'a> KeyRange<'a> {
    fn exact(range: Range<'a>) -> Self {
        Self { range, exact: true }
    }

    fn of_kind(compare: &'a Compare, kind: Kind) -> Option<Self> {
        match Test::of(compare, kind) {
            Ok(Test::Range(range)) => Some(Self::exact(range)),
            _ => None,
        }
    }

    /// Returns the range of a column with keys in the order of the values. The key of an instant is its whole microseconds,
    /// rounded down. `None` if no range has them all, or if a reference is compared, of which there are two forms.
    pub(crate) fn of(compare: &'a Compare) -> Option<Self> {
        match &compare.operand {
            Operand::Time(time) => Some(Self::of_rounded(compare.operator, *time)),
            _ => Self::of_kind(compare, kind_of(compare.attribute)?),
        }
    }

    /// Returns the range of a column with instants that are whole microseconds.
    pub(crate) fn of_whole_micros(compare: &'a Compare) -> Option<Self> {
        Self::of_kind(compare, Kind::Micros)
    }

    /// Returns the range of a column with the ids of resources, in any order. The comparison is one of the id, or of the
    /// location, which is this segment and the id behind it.
    pub(crate) fn of_id(compare: &'a Compare, segment: &str) -> Option<Self> {
        let equal = |id: &'a str| Self::exact(Range::equal(Bound::Text(Cow::Borrowed(id))));
        match (&compare.operand, compare.operator) {
            (Operand::Text { key, .. }, Operator::Eq) => Some(equal(key)),
            (Operand::Reference(ReferenceOperand { paths, .. }), _) if is_elsewhere(paths, segment) => {
                Some(Self::exact(Range::Nothing))
            }
            (Operand::Reference(ReferenceOperand { paths, .. }), _) => {
                Reference::id_at(segment, paths.one_path()?).map(equal)
            }
            _ => None,
        }
    }

    /// Returns the keys of the values of an attribute that count as present.
    pub(crate) fn present(attribute: &Attribute) -> Option<Self> {
        Some(Self::exact(present(attribute, kind_of(attribute)?)))
    }

    /// Returns the range of rounded instants. A value beyond a bound may have the key of the bound.
    fn of_rounded(operator: Operator, time: DateTime) -> Self {
        let whole = is_whole(time);
        let (operator, exact) = match operator {
            Operator::Gt => (Operator::Ge, false),
            Operator::Lt if !whole => (Operator::Le, false),
            Operator::Lt => (Operator::Lt, true),
            Operator::Ge => (Operator::Ge, whole),
            other => (other, false),
        };
        Self {
            range: Range::of(operator, Bound::Integer(time.as_unix_micros())),
            exact,
        }
    }
}

/// Returns how the keys of an attribute are ordered; `None` if it has none.
fn kind_of(attribute: &Attribute) -> Option<Kind> {
    match attribute.shape.kind {
        Type::String => Some(Kind::Key),
        Type::Boolean => Some(Kind::Boolean),
        Type::Integer => Some(Kind::Integer),
        Type::Decimal => Some(Kind::Real),
        Type::DateTime => Some(Kind::Micros),
        Type::Binary => Some(Kind::Binary),
        Type::Reference | Type::Complex => None,
    }
}

/// Returns whether a comparison is false of all paths below a segment: those that satisfy it are known, and stand elsewhere.
fn is_elsewhere(paths: &PathTest, segment: &str) -> bool {
    let is_other = |path: &str| {
        let behind = path.strip_prefix(segment);
        !behind.is_some_and(|rest| rest.starts_with('/'))
    };
    match paths {
        PathTest::All => false,
        PathTest::Any(any) => any
            .iter()
            .all(|(operator, path)| *operator == Operator::Eq && is_other(path)),
    }
}
