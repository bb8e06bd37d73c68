//! The syntax tree of a filter.

use crate::path::AttributeName;

/// A filter as written, before any schema has been asked (RFC 7644 section 3.4.2.2).
///
/// [`Display`](std::fmt::Display) prints the canonical text, which parses back to an equal tree.
///
/// ```
/// use scim::filter::{Filter, Operator};
///
/// let filter: Filter = r#"title pr AND not(userType Eq "Intern")"#.parse()?;
/// assert_eq!(filter.to_string(), r#"title pr and not (userType eq "Intern")"#);
/// assert_eq!(filter, Filter::present("title").and(Filter::compare("userType", Operator::Eq, "Intern").negate()));
/// # Ok::<(), scim::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Filter {
    /// All of them match; two or more.
    And(Vec<Filter>),
    /// One of them matches; two or more.
    Or(Vec<Filter>),
    /// It does not match.
    Not(Box<Filter>),
    /// `pr`: the attribute has a value.
    Present(AttributeName),
    /// An attribute, an operator and a value.
    Compare(Comparison),
    /// `emails[…]`: one element matches the whole of the filter in brackets.
    ValuePath(ValuePath),
}

impl Filter {
    /// Makes the filter `attribute pr`.
    #[must_use]
    pub fn present(attribute: impl Into<AttributeName>) -> Self {
        Self::Present(attribute.into())
    }

    /// Makes the filter `attribute operator value`.
    #[must_use]
    pub fn compare(
        attribute: impl Into<AttributeName>,
        operator: Operator,
        value: impl Into<Literal>,
    ) -> Self {
        Self::Compare(Comparison {
            attribute: attribute.into(),
            operator,
            value: value.into(),
        })
    }

    /// Makes the filter `attribute[filter]`; the names in `filter` are those of sub-attributes.
    #[must_use]
    pub fn value_path(attribute: impl Into<AttributeName>, filter: Filter) -> Self {
        Self::ValuePath(ValuePath {
            attribute: attribute.into(),
            filter: Box::new(filter),
        })
    }

    /// Requires that both match. A conjunction takes the other in, so that a long chain stays one flat node.
    #[must_use]
    pub fn and(self, other: Filter) -> Self {
        match self {
            Self::And(mut all) => {
                all.push(other);
                Self::And(all)
            }
            one => Self::And(vec![one, other]),
        }
    }

    /// Requires that one of the two matches. A disjunction takes the other in, so that a long chain stays one flat
    /// node.
    #[must_use]
    pub fn or(self, other: Filter) -> Self {
        match self {
            Self::Or(mut any) => {
                any.push(other);
                Self::Or(any)
            }
            one => Self::Or(vec![one, other]),
        }
    }

    /// Requires that it does not match.
    #[must_use]
    pub fn negate(self) -> Self {
        Self::Not(Box::new(self))
    }
}

/// An attribute compared to a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Comparison {
    /// The attribute, as written.
    pub attribute: AttributeName,
    /// How it is compared.
    pub operator: Operator,
    /// The value that it is compared to.
    pub value: Literal,
}

/// Conditions on one element of a multi-valued complex attribute (or on a single complex value).
///
/// `emails[type eq "work"].value eq "x"`, which Entra sends, is read as `emails[type eq "work" and value eq "x"]`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ValuePath {
    /// The attribute before the brackets; it has no sub-attribute.
    pub attribute: AttributeName,
    /// The conditions. Their names are bare sub-attributes, and none of them is a value path (errata 4690, 7322).
    pub filter: Box<Filter>,
}

/// The comparison operators of RFC 7644 table 3; `pr`, which takes no value, is [`Filter::Present`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Greater than.
    Gt,
    /// Greater than or equal to.
    Ge,
    /// Less than.
    Lt,
    /// Less than or equal to.
    Le,
}

impl Operator {
    /// All operators, in the order of RFC 7644 table 3.
    pub const ALL: [Self; 9] = [
        Self::Eq,
        Self::Ne,
        Self::Co,
        Self::Sw,
        Self::Ew,
        Self::Gt,
        Self::Ge,
        Self::Lt,
        Self::Le,
    ];

    /// Returns the operator as it stands in a filter, in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }
}

/// The value of a comparison: a JSON literal that is neither array nor object.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Literal {
    /// `null`: no value.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string, its escapes decoded.
    String(String),
}

impl From<&str> for Literal {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Literal {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<bool> for Literal {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<Number> for Literal {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

/// A JSON number, kept as it was written: no digit is lost, whatever type it is compared as.
///
/// Two numbers are equal when their texts are: `1` and `1.0` differ here, and agree once evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Number(Box<str>);

impl Number {
    /// Makes a number of `text`, which must be a JSON number.
    pub(super) fn from_json(text: &str) -> Self {
        Self(text.into())
    }

    /// Makes a number of a finite `f64`; `None` for an infinite one and for NaN, which JSON cannot express.
    #[must_use]
    pub fn from_f64(value: f64) -> Option<Self> {
        value.is_finite().then(|| Self(value.to_string().into()))
    }

    /// Returns the text of the number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the number, if it is written as an integer and fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// Returns the nearest `f64`; `None` if the number is beyond its range.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        self.0.parse().ok().filter(|value: &f64| value.is_finite())
    }
}

macro_rules! integers {
    ($($integer:ty),*) => {$(
        impl From<$integer> for Number {
            fn from(value: $integer) -> Self {
                Self(value.to_string().into())
            }
        }

        impl From<$integer> for Literal {
            fn from(value: $integer) -> Self {
                Self::Number(value.into())
            }
        }
    )*};
}

integers!(i8, i16, i32, i64, u8, u16, u32, u64);
