//! A look at one attribute: no JSON, and mostly no allocation.

use std::borrow::Cow;
use std::ops::ControlFlow;

use crate::fold::Fold;
use crate::schema::position;
use crate::value::{Binary, DateTime, Json, JsonBuf, Record};

/// What an attribute holds at the moment. Every read goes through views: filters, sorting, projection, serialisation.
#[derive(Default)]
#[non_exhaustive]
pub enum View<'a> {
    /// The attribute is unassigned (RFC 7643 section 2.5).
    #[default]
    Absent,
    /// Text; also a reference that is a complete URI.
    Str(Cow<'a, str>),
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A decimal.
    Decimal(f64),
    /// A point in time.
    Time(DateTime),
    /// Bytes, shown as base64.
    Binary(Cow<'a, [u8]>),
    /// A reference relative to the service's base URL, such as `Users/2819`.
    Relative(Cow<'a, str>),
    /// A set of sub-attributes.
    Complex(&'a dyn Record),
    /// A set of sub-attributes that a handler has computed.
    Owned(Box<dyn Record + 'a>),
    /// The values of a multi-valued attribute.
    Multi(&'a dyn Multi),
    /// The values of a multi-valued attribute that a handler shows.
    OwnedMulti(Box<dyn Multi + 'a>),
}

/// The values of a multi-valued attribute, walked in order.
pub trait Multi: Send + Sync {
    /// How many values there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Shows the values one by one, until `visit` breaks.
    fn try_for_each(&self, visit: &mut dyn FnMut(View<'_>) -> ControlFlow<()>) -> ControlFlow<()>;
}

impl<'a> View<'a> {
    /// Borrowed text.
    #[must_use]
    pub fn text(text: &'a str) -> Self {
        Self::Str(Cow::Borrowed(text))
    }

    /// The record behind a complex value.
    #[must_use]
    pub fn record(&self) -> Option<&dyn Record> {
        match self {
            Self::Complex(record) => Some(*record),
            Self::Owned(record) => Some(&**record),
            _ => None,
        }
    }

    /// The values behind a multi-valued attribute.
    #[must_use]
    pub fn values(&self) -> Option<&dyn Multi> {
        match self {
            Self::Multi(values) => Some(*values),
            Self::OwnedMulti(values) => Some(&**values),
            _ => None,
        }
    }

    /// Whether the attribute is assigned in the sense of the operator `pr`: an empty string, an empty list and a
    /// complex value without any assigned sub-attribute are not (RFC 7644 table 3).
    #[must_use]
    pub fn is_present(&self) -> bool {
        match self {
            Self::Absent => false,
            Self::Str(text) | Self::Relative(text) => !text.is_empty(),
            Self::Binary(bytes) => !bytes.is_empty(),
            Self::Multi(_) | Self::OwnedMulti(_) => self.values().is_some_and(|values| {
                values
                    .try_for_each(&mut |value| break_if(value.is_present()))
                    .is_break()
            }),
            Self::Complex(_) | Self::Owned(_) => self.record().is_some_and(has_content),
            Self::Bool(_) | Self::Int(_) | Self::Decimal(_) | Self::Time(_) => true,
        }
    }

    /// The sub-attribute `name` of a complex value; absent in every other case.
    #[must_use]
    pub fn sub(&self, name: &str) -> View<'_> {
        self.record()
            .and_then(|record| position(record.attributes(), name).map(|(index, _)| record.view(index)))
            .unwrap_or_default()
    }

    /// Whether a complex value says `primary: true` (RFC 7643 section 2.4).
    #[must_use]
    pub fn is_primary(&self) -> bool {
        matches!(self.sub("primary"), View::Bool(true))
    }

    /// Whether two views show the same value. Text is compared to the letter: a change of case is a change.
    #[must_use]
    pub fn same(&self, other: &View<'_>) -> bool {
        match (self, other) {
            (Self::Absent, View::Absent) => true,
            (Self::Str(a), View::Str(b)) | (Self::Relative(a), View::Relative(b)) => a == b,
            (Self::Bool(a), View::Bool(b)) => a == b,
            (Self::Int(a), View::Int(b)) => a == b,
            (Self::Decimal(a), View::Decimal(b)) => a.total_cmp(b).is_eq(),
            (Self::Time(a), View::Time(b)) => a == b,
            (Self::Binary(a), View::Binary(b)) => a == b,
            _ => match (self.record(), other.record(), self.values(), other.values()) {
                (Some(a), Some(b), ..) => same_record(a, b),
                (.., Some(a), Some(b)) => a.len() == b.len() && same_values(a, b),
                _ => false,
            },
        }
    }

    /// A comparison key for one value, by which equal elements are found among many; `None` for what has no key.
    #[must_use]
    pub fn key(&self, fold: Fold) -> Option<String> {
        match self {
            Self::Str(text) | Self::Relative(text) => Some(fold.key(text).into_owned()),
            Self::Bool(value) => Some(value.to_string()),
            Self::Int(value) => Some(value.to_string()),
            Self::Decimal(value) => Some(value.to_string()),
            Self::Time(value) => Some(value.to_string()),
            _ => None,
        }
    }
}

impl View<'_> {
    /// The value as JSON, with all its sub-attributes and with references as they are kept: for state, not for clients.
    #[must_use]
    pub fn to_json(&self) -> JsonBuf {
        if let Some(record) = self.record() {
            let members = record
                .attributes()
                .iter()
                .enumerate()
                .map(|(index, sub)| (sub.name, record.view(index)));
            let members = members
                .filter(|(_, view)| view.is_present())
                .map(|(name, view)| (name, view.to_json()));
            let members: Vec<_> = members.collect();
            return JsonBuf::object(members.iter().map(|(name, value)| (name, value.as_json())));
        }
        if let Some(values) = self.values() {
            let mut elements = Vec::with_capacity(values.len());
            _ = values.try_for_each(&mut |value| {
                elements.push(value.to_json());
                ControlFlow::Continue(())
            });
            return JsonBuf::array(elements.iter().map(JsonBuf::as_json));
        }
        match self {
            Self::Str(text) | Self::Relative(text) => JsonBuf::string(text),
            Self::Bool(value) => (if *value { Json::TRUE } else { Json::FALSE }).into(),
            Self::Int(value) => JsonBuf::integer(*value),
            Self::Decimal(value) => JsonBuf::number(*value),
            Self::Time(value) => JsonBuf::string(&value.to_string()),
            Self::Binary(bytes) => JsonBuf::string(&Binary::new(bytes.to_vec()).to_string()),
            _ => Json::NULL.into(),
        }
    }
}

/// Whether a record has any assigned attribute.
pub(crate) fn has_content(record: &dyn Record) -> bool {
    (0..record.attributes().len()).any(|index| record.view(index).is_present())
}

fn same_record(a: &dyn Record, b: &dyn Record) -> bool {
    (0..a.attributes().len()).all(|index| a.view(index).same(&b.view(index)))
}

/// Compares lists of equal length position by position. Quadratic: for the few values that a document holds.
fn same_values(a: &dyn Multi, b: &dyn Multi) -> bool {
    let mut position = 0;
    a.try_for_each(&mut |left| {
        let equal = nth(b, position, &mut |right| left.same(right));
        position += 1;
        break_if(!equal)
    })
    .is_continue()
}

fn nth(values: &dyn Multi, position: usize, test: &mut dyn FnMut(&View<'_>) -> bool) -> bool {
    let mut index = 0;
    let mut result = false;
    _ = values.try_for_each(&mut |value| {
        if index == position {
            result = test(&value);
        }
        index += 1;
        break_if(index > position)
    });
    result
}

/// Ends a walk when `done`.
pub(crate) const fn break_if(done: bool) -> ControlFlow<()> {
    if done {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    }
}
