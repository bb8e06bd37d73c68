//! A filter that knows nothing of names any more.

use super::{Numeric, Operator, ReferenceOperand};
use crate::fold::Fold;
use crate::path::AttrPath;
use crate::schema::Attribute;
use crate::value::DateTime;

/// The tree of a resolved filter: attributes are indices, operands are prepared, and each way through a multi-valued
/// attribute is an [`Any`](Expression::Any) of its own.
///
/// Every node is true or false, never unknown: an expression about an attribute without value is false, so that `not`
/// simply inverts (RFC 7644 section 3.4.2.2). `ne` and comparisons to `null` do not occur: `ne` is `Not` of `eq`, and
/// `null` asks for presence. This is what a store translates; `scim::sql` is an example.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Expression {
    /// True whatever the resource holds.
    Always,
    /// False whatever the resource holds.
    Never,
    /// All of them are true; two or more.
    And(Vec<Expression>),
    /// One of them is true; two or more.
    Or(Vec<Expression>),
    /// It is false.
    Not(Box<Expression>),
    /// The attribute is assigned: [`View::is_present`](crate::value::View::is_present).
    Present {
        /// The attribute.
        path: AttrPath,
        /// The attribute.
        attribute: &'static Attribute,
    },
    /// A single value compared to an operand.
    Compare(Compare),
    /// One value of a multi-valued attribute, or the one value of a single-valued complex attribute, satisfies all
    /// of `inner`. The paths in `inner` start from the value.
    Any {
        /// The attribute that holds the values.
        path: AttrPath,
        /// The attribute.
        attribute: &'static Attribute,
        /// The condition that one of them has to satisfy.
        inner: Box<Expression>,
    },
}

/// A single value compared to an operand. It is false if there is no value.
#[derive(Debug, Clone)]
pub struct Compare {
    /// The attribute; the root for a value that is not a set of sub-attributes.
    pub path: AttrPath,
    /// The attribute.
    pub attribute: &'static Attribute,
    /// How the two are compared; never [`Operator::Ne`].
    pub operator: Operator,
    /// The operand that the value is compared to.
    pub operand: Operand,
}

/// The operand of a comparison, made ready once.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Operand {
    /// Text.
    Text {
        /// The key of the text: `fold.key(text)`.
        key: Box<str>,
        /// How the attribute makes its keys.
        fold: Fold,
    },
    /// A reference.
    Reference(ReferenceOperand),
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(Numeric),
    /// An instant.
    Time(DateTime),
    /// Bytes.
    Binary(Box<[u8]>),
}

impl Expression {
    /// Requires that both are true; what is certain is left out.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::Always, one) | (one, Self::Always) => one,
            (Self::And(mut all), one) => {
                all.push(one);
                Self::And(all)
            }
            (one, other) => Self::And(vec![one, other]),
        }
    }

    /// Requires that one of the two is true; what is certain is left out.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Always, _) | (_, Self::Always) => Self::Always,
            (Self::Never, one) | (one, Self::Never) => one,
            (Self::Or(mut any), one) => {
                any.push(one);
                Self::Or(any)
            }
            (one, other) => Self::Or(vec![one, other]),
        }
    }

    /// Requires that it is false.
    #[must_use]
    pub fn negate(self) -> Self {
        match self {
            Self::Always => Self::Never,
            Self::Never => Self::Always,
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    /// Returns the expressions that all have to be true: those of a conjunction, or else the expression itself.
    #[must_use]
    pub fn conjuncts(&self) -> &[Self] {
        match self {
            Self::And(all) => all,
            one => std::slice::from_ref(one),
        }
    }
}
