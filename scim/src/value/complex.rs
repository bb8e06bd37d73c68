//! Complex values: what a derived struct can do with its attributes by index.

use crate::error::{Error, Result};
use crate::schema::{Attribute, Mutability, position, position_from};
use crate::value::{
    Action, Change, Cx, Edit, Json, Leniency, Meaning, NoValue, Op, Position, Prohibition, View,
};

/// A struct seen as a row of attributes. Object safe; written by the derives.
pub trait Record: Send + Sync {
    /// Returns the table; `view` and `apply` count in it.
    fn attributes(&self) -> &'static [Attribute];

    /// Returns a look at the attribute at `index`; absent where the table ends.
    fn view(&self, index: usize) -> View<'_>;

    /// Changes the attribute at `index`.
    ///
    /// # Errors
    /// The errors of RFC 7644 section 3.5.2.
    fn apply(&mut self, index: usize, edit: Edit<'_>, cx: &mut Cx<'_>) -> Result<Change>;
}

/// Writes a decoded attribute into its place.
pub type Place<'p> = dyn FnMut(usize, Json<'_>, &mut Cx<'_>) -> Result<()> + 'p;

/// Reads the members of a complex value; the part of every derived `decode` that does not depend on the struct.
///
/// # Errors
/// 400 `invalidValue` if `json` is not an object, a required attribute is missing or a value does not fit.
pub fn decode_record(
    json: Json<'_>,
    attributes: &'static [Attribute],
    cx: &mut Cx<'_>,
    place: &mut Place<'_>,
) -> Result<()> {
    check_object(json)?;
    let known = decode_members(json, attributes, cx, place, &mut |name, _, cx| cx.unknown(name))?;
    if known == Known::Nothing
        && let Some(tolerance) = cx.allows(Leniency::EmptiedLists)
    {
        cx.fire_here(tolerance);
        cx.leave_unchanged();
    }
    Ok(())
}

fn check_object(json: Json<'_>) -> Result<()> {
    match json.is_object() {
        true => Ok(()),
        false => Err(Error::invalid_value(format!(
            "must be an object, but is {}",
            json.describe_shape()
        ))),
    }
}

/// Whether the table knows any of the members of an object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// One at least, or there is no member.
    Something,
    /// There are members, and none of them is known.
    Nothing,
}

/// Reads the members of an object; `unknown` is asked for names that the table does not have.
pub(crate) fn decode_members(
    json: Json<'_>,
    attributes: &'static [Attribute],
    cx: &mut Cx<'_>,
    place: &mut Place<'_>,
    unknown: &mut dyn FnMut(&str, Json<'_>, &mut Cx<'_>) -> Result<()>,
) -> Result<Known> {
    let mut seen = Seen::default();
    let mut next = 0;
    let mut known = None;
    for (name, value) in json.members() {
        let Some((index, attribute)) = position_from(attributes, &name, next) else {
            unknown(&name, value, cx)?;
            known = known.or(Some(Known::Nothing));
            continue;
        };
        known = Some(Known::Something);
        next = index + 1;
        if attribute.shape.mutability == Mutability::ReadOnly && !cx.takes_read_only() {
            continue;
        }
        let is_assigned = cx.within(index, attribute, |cx| {
            decode_member(index, attribute, value, cx, place).map_err(|error| error.at(attribute.name))
        })?;
        if is_assigned {
            seen.insert(index);
        }
    }
    if !cx.is_stored() {
        let mut table = attributes.iter().enumerate();
        if let Some((_, attribute)) = table.find(|(index, attribute)| is_missing(attribute, *index, &seen)) {
            return Err(missing(attribute.name));
        }
    }
    Ok(known.unwrap_or(Known::Something))
}

/// Reads one member into its place. Says whether it has a value.
fn decode_member(
    index: usize,
    attribute: &'static Attribute,
    value: Json<'_>,
    cx: &mut Cx<'_>,
    place: &mut Place<'_>,
) -> Result<bool> {
    match cx.meaning(value, Position::Body, &attribute.shape) {
        Meaning::Unassigned => Ok(false),
        Meaning::Nothing => {
            cx.leave_unchanged();
            Ok(false)
        }
        Meaning::Value => {
            let fitted = cx.fit(value, &attribute.shape);
            place(index, fitted.json(), cx).map(|()| true)
        }
    }
}

fn is_missing(attribute: &Attribute, index: usize, seen: &Seen) -> bool {
    attribute.shape.required && attribute.shape.mutability != Mutability::ReadOnly && !seen.contains(index)
}

/// Returns 400 `invalidValue`: a required attribute is missing.
#[must_use]
pub fn missing(attribute: &'static str) -> Error {
    required().at(attribute)
}

fn required() -> Error {
    Error::invalid_value("is required, but missing or empty")
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
    match (edit.rest, edit.action) {
        ([step, rest @ ..], _) => {
            let index = usize::from(*step);
            let Some(attribute) = record.attributes().get(index) else {
                return Err(Error::invalid_path("has no such sub-attribute"));
            };
            apply_to_attribute(record, index, attribute, Edit { rest, ..edit }, cx)
        }
        ([], Action::Remove) => clear(record, cx),
        ([], Action::RemoveNamed(named)) => remove_named(record, named, cx),
        ([], Action::Add(operand) | Action::Replace(operand)) => merge(record, edit.action, operand, cx),
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
    cx.within(index, attribute, |cx| {
        apply_within(record, index, attribute, edit, cx).map_err(|error| error.at(attribute.name))
    })
}

fn apply_within(
    record: &mut dyn Record,
    index: usize,
    attribute: &'static Attribute,
    edit: Edit<'_>,
    cx: &mut Cx<'_>,
) -> Result<Change> {
    let mut edit = edit;
    if let Some(select) = edit.select.filter(|_| is_selected_as_a_whole(attribute)) {
        if !select.matches(&record.view(index)) {
            return not_selected(edit.action);
        }
        edit.select = None;
    }
    match attribute.shape.mutability {
        Mutability::ReadOnly => Err(Error::mutability("is read-only: only the service sets it")),
        Mutability::Immutable => {
            let assigned = record.view(index).is_present();
            let change = apply_value(record, index, attribute, edit, cx)?;
            match assigned && change.is_done() {
                true => Err(Error::mutability(
                    "is immutable: once set, it can neither be changed nor removed",
                )),
                false => Ok(change),
            }
        }
        Mutability::ReadWrite | Mutability::WriteOnly => apply_value(record, index, attribute, edit, cx),
    }
}

/// Returns whether a filter in brackets applies to the attribute's single value. An extension is not a value.
fn is_selected_as_a_whole(attribute: &Attribute) -> bool {
    !attribute.shape.multi_valued && !attribute.is_extension()
}

/// Returns the outcome for a single value that the brackets do not select.
fn not_selected(action: Action<'_>) -> Result<Change> {
    match action.removes() {
        true => Ok(Change::None),
        false => Err(Error::no_target(
            "does not have the value that the filter selects",
        )),
    }
}

/// Applies an edit whose operand may mean no value, or may have to be coerced.
fn apply_value(
    record: &mut dyn Record,
    index: usize,
    attribute: &'static Attribute,
    edit: Edit<'_>,
    cx: &mut Cx<'_>,
) -> Result<Change> {
    let Some(operand) = edit.action.operand().filter(|_| edit.is_whole()) else {
        return apply_required(record, index, attribute, edit, cx);
    };
    match cx.meaning(operand, position_of(edit.action), &attribute.shape) {
        Meaning::Nothing => Ok(Change::None),
        Meaning::Unassigned if attribute.shape.required => Err(required()),
        Meaning::Unassigned => record.apply(index, Edit::whole(Action::Remove), cx),
        Meaning::Value => {
            let fitted = cx.fit(operand, &attribute.shape);
            let edit = Edit::whole(edit.action.with_operand(fitted.json()));
            apply_required(record, index, attribute, edit, cx)
        }
    }
}

/// Returns the position of the operand of an action.
pub(crate) const fn position_of(action: Action<'_>) -> Position {
    match action.op() {
        Op::Add => Position::Add,
        Op::Replace => Position::Replace,
        Op::Remove => Position::Remove,
    }
}

fn apply_required(
    record: &mut dyn Record,
    index: usize,
    attribute: &'static Attribute,
    edit: Edit<'_>,
    cx: &mut Cx<'_>,
) -> Result<Change> {
    if attribute.shape.required && edit.is_whole() && edit.action.removes() {
        return Err(Error::mutability("is required and cannot be removed"));
    }
    let change = unassign_unnamed(record, index, attribute, edit, cx)?;
    let change = change.or(record.apply(index, edit, cx)?);
    if attribute.shape.required && change.is_done() && !record.view(index).is_present() {
        return Err(required());
    }
    Ok(change)
}

/// Unassigns the sub-attributes of a complex value that its replacement does not name, where the policy forbids to leave
/// them. An extension is not a value, but attributes of the resource.
fn unassign_unnamed(
    record: &mut dyn Record,
    index: usize,
    attribute: &'static Attribute,
    edit: Edit<'_>,
    cx: &mut Cx<'_>,
) -> Result<Change> {
    let mut change = Change::None;
    let is_single = attribute.is_complex() && !attribute.shape.multi_valued && !attribute.is_extension();
    let Action::Replace(operand) = edit.action else {
        return Ok(change);
    };
    if !is_single || !edit.is_whole() || !cx.forbids(Prohibition::PartialReplaces) {
        return Ok(change);
    }
    for (step, sub) in attribute.shape.sub_attributes.iter().enumerate() {
        let view = record.view(index);
        let is_assigned = view.record().is_some_and(|value| value.view(step).is_present());
        drop(view);
        let Ok(step) = u16::try_from(step) else { continue };
        if operand.get(sub.name).is_some() || !is_assigned || sub.shape.mutability == Mutability::ReadOnly {
            continue;
        }
        let remove = Edit {
            action: Action::Remove,
            select: None,
            rest: &[step],
        };
        change = change.or(record.apply(index, remove, cx)?);
    }
    Ok(change)
}

/// Removes a complex value: unassigns every sub-attribute that can be.
fn clear(record: &mut dyn Record, cx: &mut Cx<'_>) -> Result<Change> {
    let mut change = Change::None;
    for (index, attribute) in record.attributes().iter().enumerate() {
        if attribute.shape.mutability == Mutability::ReadOnly || !record.view(index).is_present() {
            continue;
        }
        if attribute.shape.required {
            return Err(Error::mutability("is required and cannot be removed").at(attribute.name));
        }
        change = change.or(record.apply(index, Edit::whole(Action::Remove), cx)?);
    }
    Ok(change)
}

/// Removes the sub-attributes that are named with their values; the whole value, if its `value` is. A name that is
/// unknown and a value that is empty name nothing.
fn remove_named(record: &mut dyn Record, named: Json<'_>, cx: &mut Cx<'_>) -> Result<Change> {
    check_object(named)?;
    let attributes = record.attributes();
    let mut change = Change::None;
    for (name, value) in named.members() {
        let Some((index, attribute)) = position(attributes, &name) else {
            cx.unknown(&name)?;
            continue;
        };
        if NoValue::of(value).is_some() || attribute.shape.mutability == Mutability::ReadOnly {
            continue;
        }
        let edit = Edit::whole(Action::RemoveNamed(value));
        let removed = apply_to_attribute(record, index, attribute, edit, cx)?;
        if removed.is_done() && attribute.name == "value" {
            return clear(record, cx).map(|_| Change::Done);
        }
        change = change.or(removed);
    }
    Ok(change)
}

/// Merges the given sub-attributes into a complex value that is added to or replaced; the others stay (RFC 7644 sections 3.5.2.1
/// and 3.5.2.3).
fn merge(record: &mut dyn Record, action: Action<'_>, operand: Json<'_>, cx: &mut Cx<'_>) -> Result<Change> {
    check_object(operand)?;
    let attributes = record.attributes();
    let mut change = Change::None;
    for (name, value) in operand.members() {
        let Some((index, attribute)) = position(attributes, &name) else {
            cx.unknown(&name)?;
            continue;
        };
        if attribute.shape.mutability == Mutability::ReadOnly && !cx.is_stored() {
            continue;
        }
        let edit = Edit::whole(action.with_operand(value));
        change = change.or(apply_to_attribute(record, index, attribute, edit, cx)?);
    }
    Ok(change)
}
