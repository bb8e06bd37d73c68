//! The parts of generated functions that do not depend on the struct.

use crate::error::{Error, Result};
use crate::record::missing;
use crate::schema::{Attribute, Role, Schema, Shape};
use crate::value::{Action, Cx, Edit, Json, Multi, ScimValue};

/// Makes the table entry of a schema extension.
#[must_use]
pub const fn extension(schema: &'static Schema, shape: Shape) -> Attribute {
    let mut attribute = Attribute::new(schema.id, shape);
    attribute.description = schema.description;
    attribute.role = Role::Extension(schema);
    attribute
}

const CAPACITY: usize = 160;

/// The tables of a struct and of what is flattened into it, one behind the other.
pub struct Joined {
    attributes: [Attribute; CAPACITY],
    len: usize,
}

impl Joined {
    /// Joins two tables; more than 160 attributes do not compile.
    #[must_use]
    #[allow(clippy::indexing_slicing, clippy::panic)] // evaluated by the compiler
    pub const fn new(own: &[Attribute], flattened: &[Attribute]) -> Self {
        let len = own.len() + flattened.len();
        assert!(len <= CAPACITY, "a resource has at most 160 attributes");
        let mut attributes = [Attribute::new("", Shape::new(crate::schema::Type::String)); CAPACITY];
        let mut index = 0;
        while index < len {
            attributes[index] = if index < own.len() {
                own[index]
            } else {
                flattened[index - own.len()]
            };
            index += 1;
        }
        Self { attributes, len }
    }

    /// Returns the joined table.
    #[must_use]
    pub const fn attributes(&self) -> &[Attribute] {
        self.attributes.as_slice().split_at(self.len).0
    }
}

/// Reads the values that are added to an attribute marked `edges`; `None` if there are none.
///
/// # Errors
/// Those of decoding.
pub fn edges<V: ScimValue + Multi>(json: Json<'_>, cx: &mut Cx<'_>) -> Result<Option<Box<dyn Multi>>> {
    let Some(mut values) = V::absent() else {
        return Ok(None);
    };
    let change = values.apply(Edit::whole(Action::Add(json)), cx)?;
    Ok(change.is_done().then(|| Box::new(values) as Box<dyn Multi>))
}

/// Puts a decoded value into its place.
///
/// # Errors
/// Those of decoding.
pub fn put<T>(place: &mut T, value: Result<T>) -> Result<()> {
    *place = value?;
    Ok(())
}

/// Puts a decoded value into a place that may stay empty.
///
/// # Errors
/// Those of decoding.
pub fn put_some<T>(place: &mut Option<T>, value: Result<T>) -> Result<()> {
    put(place, value.map(Some))
}

/// Returns what a decoded field holds: its value, or that of an unassigned attribute.
///
/// # Errors
/// 400 `invalidValue` if there is neither.
pub fn or_absent<T>(slot: Option<T>, absent: fn() -> Option<T>, name: &'static str) -> Result<T> {
    slot.or_else(absent).ok_or_else(|| missing(name))
}

/// Returns what a read-only field holds before it is decoded: what the service replaces.
#[must_use]
pub fn initial<T: Default>(absent: fn() -> Option<T>) -> T {
    absent().unwrap_or_default()
}

/// Tells which of the canonical values a value is, ignoring case.
#[must_use]
pub fn keyword(json: Json<'_>, canonical: &[&str]) -> Option<usize> {
    let text = json.as_str()?;
    canonical
        .iter()
        .position(|value| text.eq_ignore_ascii_case(value))
}

/// Returns the text of a value that is not canonical.
///
/// # Errors
/// 400 `invalidValue` if it is not a string.
pub fn other_keyword(json: Json<'_>) -> Result<String> {
    <String as crate::value::Scalar>::parse(json)
}

/// Makes the error 400 `invalidValue`: the value is none of the canonical ones.
#[must_use]
pub fn unknown_keyword(json: Json<'_>, canonical: &[&str]) -> Error {
    let values = canonical.join(", ");
    match json.as_str() {
        Some(text) => {
            let text = crate::error::quoted(&text);
            Error::invalid_value(format!("must be one of {values}, but is {text}"))
        }
        None => Error::invalid_value(format!("must be one of {values}, but is {}", json.describe())),
    }
}
