//! Reading a list that a client has sent: each value once, and what is not a value omitted.

use super::distinct::Distinct;
use crate::error::{Error, Result};
use crate::limits::exceeded;
use crate::schema::{Attribute, Shape, position};
use crate::value::handler::Handler;
use crate::value::view::has_content;
use crate::value::{Cx, Intent, Json, Leniency, Meaning, NoValue, Position, View};

/// The values that a client has listed.
pub(super) enum Listed<T> {
    /// All of them; none, if the list is empty.
    Values(Vec<T>),
    /// There were elements, and none of them is a value: the list names nothing.
    NothingLeft,
}

/// Reads a list: each value once, what is not a value omitted.
pub(super) fn read_list<T: 'static, H: Handler<T>>(json: Json<'_>, cx: &mut Cx<'_>) -> Result<Listed<T>> {
    if !json.is_array() {
        return Err(Error::invalid_value(format!(
            "must be an array, but is {}",
            json.describe_shape()
        )));
    }
    if cx.is_stored() {
        let values = json.elements().map(|element| H::decode(element, cx));
        return values.collect::<Result<_>>().map(Listed::Values);
    }
    let mut values = Vec::new();
    let mut distinct = Distinct::of::<T, H>(&values);
    let mut is_empty = true;
    for (index, element) in json.elements().enumerate() {
        if index == cx.limits().operation_values {
            return Err(exceeded::operation_values(index, None));
        }
        is_empty = false;
        cx.spend(1)?;
        let value = read_element::<T, H>(element, cx).map_err(|error| error.at_index(index))?;
        if let Some(value) = value {
            _ = distinct.add::<T, H>(&mut values, value, cx)?;
        }
    }
    if values.iter().filter(|value| H::view(value).is_primary()).count() > 1 {
        return Err(two_primaries());
    }
    if values.is_empty() && !is_empty {
        if let Some(tolerance) = cx.allows(Leniency::EmptiedLists) {
            cx.fire_here(tolerance);
        }
        return Ok(Listed::NothingLeft);
    }
    refuse_emptied::<T, H>(&values, cx)?;
    Ok(Listed::Values(values))
}

/// Reads an element; `None` if it is not a value.
pub(super) fn read_element<T: 'static, H: Handler<T>>(json: Json<'_>, cx: &mut Cx<'_>) -> Result<Option<T>> {
    let shape = H::SHAPE.element();
    cx.within_list(|cx| {
        if cx.meaning(json, Position::Element, &shape) == Meaning::Nothing {
            return Ok(None);
        }
        let fitted = cx.fit(json, &shape);
        let read = H::decode(fitted.json(), cx);
        let Some(tolerance) = omits_valueless(&shape, cx) else {
            return read.map(Some);
        };
        let is_value = match &read {
            Ok(value) => is_value(&H::view(value)),
            // An element without a value is not refused for what it lacks.
            Err(_) => !fitted.json().is_object() || has_value(fitted.json(), &shape),
        };
        if is_value {
            return read.map(Some);
        }
        cx.fire_here(tolerance);
        Ok(None)
    })
}

/// Refuses values none of which says anything, where no tolerance omits them: they would take the place of those that
/// are there, and show nothing.
pub(super) fn refuse_emptied<T: 'static, H: Handler<T>>(values: &[T], cx: &Cx<'_>) -> Result<()> {
    let is_empty = |value: &T| H::view(value).record().is_some_and(|record| !has_content(record));
    let is_emptied = !values.is_empty() && values.iter().all(is_empty);
    match is_emptied && matches!(cx.intent(), Intent::Create | Intent::Replace | Intent::Patch) {
        true => Err(Error::invalid_value(
            "must have a value with a sub-attribute that is assigned",
        )),
        false => Ok(()),
    }
}

/// The sub-attributes that say of a value what it is for, and are not a value by themselves.
const LABELS: [&str; 3] = ["type", "primary", "display"];

pub(crate) fn is_label(attribute: &Attribute) -> bool {
    LABELS.contains(&attribute.name)
}

/// Returns the tolerance that omits elements without a value, if the policy has it and the elements can have one.
pub(crate) fn omits_valueless(shape: &Shape, cx: &Cx<'_>) -> Option<&'static str> {
    let tolerance = cx.allows(Leniency::ElementsWithoutValue)?;
    can_have_value(shape).then_some(tolerance)
}

/// Returns whether elements of this shape are complex values that have more than labels.
pub(crate) fn can_have_value(shape: &Shape) -> bool {
    shape.sub_attributes.iter().any(|sub| !is_label(sub))
}

/// Returns whether an element has more than a label.
pub(crate) fn is_value(element: &View<'_>) -> bool {
    element.record().is_none_or(|record| {
        let mut attributes = record.attributes().iter().enumerate();
        attributes.any(|(index, attribute)| !is_label(attribute) && record.view(index).is_present())
    })
}

/// Returns whether an element has more than a label, by the JSON that it is read from.
fn has_value(element: Json<'_>, shape: &Shape) -> bool {
    element.members().any(|(name, value)| {
        let known = position(shape.sub_attributes, &name);
        known.is_some_and(|(_, attribute)| !is_label(attribute)) && NoValue::of(value).is_none()
    })
}

pub(super) fn two_primaries() -> Error {
    Error::invalid_value("has more than one value with primary true: one at most may be the primary one")
}
