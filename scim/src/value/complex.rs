//! Complex values: what a derived struct can do with its attributes by index.

use crate::error::{Error, Result};
use crate::schema::{Attribute, Mutability, Shape, position, position_from};
use crate::value::{Change, Cx, Edit, Fitted, Json, Op, View};

/// A struct seen as a row of attributes. Object safe; written by the derives.
pub trait Record: Send + Sync {
    /// The table; `view` and `apply` count in it.
    fn attributes(&self) -> &'static [Attribute];

    /// A look at the attribute at `index`; absent where the table ends.
    fn view(&self, index: usize) -> View<'_>;

    /// Changes the attribute at `index`.
    ///
    /// # Errors
    /// What RFC 7644 section 3.5.2 says of the operation.
    fn apply(&mut self, index: usize, edit: Edit<'_>, cx: &mut Cx<'_>) -> Result<Change>;
}

/// Writes a decoded attribute into its place.
pub type Place<'p> = dyn FnMut(usize, Json<'_>, &mut Cx<'_>) -> Result<()> + 'p;

/// Reads the members of a complex value; the part of every derived `decode` that does not depend on the struct.
///
/// # Errors
/// 400 `invalidValue` if `json` is no object, a required attribute is missing or a value does not fit.
pub fn decode_record(
    json: Json<'_>,
    attributes: &'static [Attribute],
    cx: &mut Cx<'_>,
    place: &mut Place<'_>,
) -> Result<()> {
    let fitted = fit_complex(json, attributes, cx);
    let json = fitted.json();
    if !json.is_object() {
        return Err(Error::invalid_value(format!(
            "must be an object, but is {}",
            json.describe_shape()
        )));
    }
    decode_members(json, attributes, cx, place, &mut |name, _, cx| cx.unknown(name))
}

fn fit_complex<'j>(json: Json<'j>, attributes: &'static [Attribute], cx: &mut Cx<'_>) -> Fitted<'j> {
    cx.fit(json, &Shape::complex(attributes))
}

/// Reads the members of an object; `unknown` is asked for names that the table does not have.
pub(crate) fn decode_members(
    json: Json<'_>,
    attributes: &'static [Attribute],
    cx: &mut Cx<'_>,
    place: &mut Place<'_>,
    unknown: &mut dyn FnMut(&str, Json<'_>, &mut Cx<'_>) -> Result<()>,
) -> Result<()> {
    let mut seen = Seen::default();
    let mut next = 0;
    for (name, value) in json.members() {
        let Some((index, attribute)) = position_from(attributes, &name, next) else {
            unknown(&name, value, cx)?;
            continue;
        };
        next = index + 1;
        let read_only = attribute.shape.mutability == Mutability::ReadOnly && !cx.takes_read_only();
        if read_only || (value.is_null() && !attribute.edges) || cx.is_absent(value) {
            continue;
        }
        place(index, value, cx).map_err(|error| error.at(attribute.name))?;
        seen.insert(index);
    }
    if cx.is_stored() {
        return Ok(());
    }
    match attributes
        .iter()
        .enumerate()
        .find(|(index, attribute)| is_missing(attribute, *index, &seen))
    {
        Some((_, attribute)) => Err(missing(attribute.name)),
        None => Ok(()),
    }
}

fn is_missing(attribute: &Attribute, index: usize, seen: &Seen) -> bool {
    attribute.shape.required && attribute.shape.mutability != Mutability::ReadOnly && !seen.contains(index)
}

/// 400 `invalidValue`: a required attribute is missing.
#[must_use]
pub fn missing(attribute: &'static str) -> Error {
    Error::invalid_value("is required, but missing or empty").at(attribute)
}

/// Which attributes of a table were assigned.
#[derive(Default)]
struct Seen {
    low: u128,
    high: Vec<usize>,
}

impl Seen {
    fn insert(&mut self, index: usize) {
        match u32::try_from(index)
            .ok()
            .and_then(|shift| 1u128.checked_shl(shift))
        {
            Some(bit) => self.low |= bit,
            None => self.high.push(index),
        }
    }

    fn contains(&self, index: usize) -> bool {
        match u32::try_from(index)
            .ok()
            .and_then(|shift| 1u128.checked_shl(shift))
        {
            Some(bit) => self.low & bit != 0,
            None => self.high.contains(&index),
        }
    }
}

/// Changes a complex value or a resource; the part of every derived `apply` that does not depend on the struct.
///
/// # Errors
/// What RFC 7644 section 3.5.2 says of the operation.
pub fn apply_to_record(record: &mut dyn Record, edit: Edit<'_>, cx: &mut Cx<'_>) -> Result<Change> {
    match edit.rest {
        [step, rest @ ..] => {
            let index = usize::from(*step);
            let Some(attribute) = record.attributes().get(index) else {
                return Err(Error::invalid_path("has no such sub-attribute"));
            };
            apply_to_attribute(record, index, attribute, Edit { rest, ..edit }, cx)
        }
        [] if edit.op == Op::Remove => clear(record, cx),
        [] => merge(record, edit, cx),
    }
}

fn apply_to_attribute(
    record: &mut dyn Record,
    index: usize,
    attribute: &'static Attribute,
    edit: Edit<'_>,
    cx: &mut Cx<'_>,
) -> Result<Change> {
    if cx.is_stored() {
        return record.apply(index, edit, cx);
    }
    let refuse = |why: &'static str| Err(Error::mutability(why).at(attribute.name));
    match attribute.shape.mutability {
        Mutability::ReadOnly => return refuse("is read-only: only the service sets it"),
        Mutability::Immutable => {
            let assigned = record.view(index).is_present();
            let change = record
                .apply(index, edit, cx)
                .map_err(|error| error.at(attribute.name))?;
            return match assigned && change.is_done() {
                true => refuse("is immutable: once set, it can neither be changed nor removed"),
                false => Ok(change),
            };
        }
        Mutability::ReadWrite | Mutability::WriteOnly => {}
    }
    if attribute.shape.required && edit.clears() {
        return refuse("is required and cannot be removed");
    }
    if attribute.shape.required && edit.is_whole() && edit.value.is_some_and(|json| cx.is_absent(json)) {
        return Err(missing(attribute.name));
    }
    let change = record
        .apply(index, edit, cx)
        .map_err(|error| error.at(attribute.name))?;
    if attribute.shape.required && change.is_done() && !record.view(index).is_present() {
        return Err(missing(attribute.name));
    }
    Ok(change)
}

/// Removing a complex value unassigns every sub-attribute that can be.
fn clear(record: &mut dyn Record, cx: &mut Cx<'_>) -> Result<Change> {
    let mut change = Change::None;
    for (index, attribute) in record.attributes().iter().enumerate() {
        if attribute.shape.mutability == Mutability::ReadOnly || !record.view(index).is_present() {
            continue;
        }
        if attribute.shape.required {
            return Err(Error::mutability("is required and cannot be removed").at(attribute.name));
        }
        change = change.or(record.apply(index, Edit::whole(Op::Remove, None), cx)?);
    }
    Ok(change)
}

/// Adding to or replacing a complex value merges the given sub-attributes; the others stay (RFC 7644 sections 3.5.2.1
/// and 3.5.2.3).
fn merge(record: &mut dyn Record, edit: Edit<'_>, cx: &mut Cx<'_>) -> Result<Change> {
    let attributes = record.attributes();
    let fitted = fit_complex(edit.operand()?, attributes, cx);
    let json = fitted.json();
    if !json.is_object() {
        return Err(Error::invalid_value(format!(
            "must be an object, but is {}",
            json.describe_shape()
        )));
    }
    let mut change = Change::None;
    for (name, value) in json.members() {
        let Some((index, attribute)) = position(attributes, &name) else {
            cx.unknown(&name)?;
            continue;
        };
        if attribute.shape.mutability == Mutability::ReadOnly && !cx.is_stored() {
            continue;
        }
        let edit = Edit::whole(edit.op, Some(value));
        change = change.or(apply_to_attribute(record, index, attribute, edit, cx)?);
    }
    Ok(change)
}
