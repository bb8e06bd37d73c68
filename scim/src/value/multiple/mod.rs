//! `Vec<T>`: a multi-valued attribute (RFC 7643 section 2.4).

mod distinct;
mod key;
mod named;
mod read;

use std::marker::PhantomData;
use std::ops::ControlFlow;

use self::distinct::Distinct;
use self::named::Named;
use self::read::{Listed, read_element, read_list, refuse_emptied, two_primaries};
pub(crate) use self::read::{can_have_value, is_label, is_value, omits_valueless};
use crate::error::{Error, Result};
use crate::path::MultiPath;
use crate::schema::{Shape, position};
use crate::value::complex::position_of;
use crate::value::handler::{Handler, Multiple, Native};
use crate::value::{
    Action, Change, Cx, Edit, Json, Leniency, Meaning, Multi, Prohibition, ScimValue, Select, View,
};

impl<T: ScimValue> Multi for Vec<T> {
    fn len(&self) -> usize {
        self.as_slice().len()
    }

    fn try_for_each(&self, visit: &mut dyn FnMut(View<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        self.iter().try_for_each(|value| visit(value.view()))
    }

    fn show_at(&self, position: usize, show: &mut dyn FnMut(View<'_>)) {
        if let Some(value) = self.get(position) {
            show(value.view());
        }
    }
}

/// The values of a field with a handler of its own.
struct Handled<'a, T, H> {
    values: &'a [T],
    handler: PhantomData<fn() -> H>,
}

impl<T: Send + Sync + 'static, H: Handler<T>> Multi for Handled<'_, T, H> {
    fn len(&self) -> usize {
        self.values.len()
    }

    fn try_for_each(&self, visit: &mut dyn FnMut(View<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        self.values.iter().try_for_each(|value| visit(H::view(value)))
    }

    fn show_at(&self, position: usize, show: &mut dyn FnMut(View<'_>)) {
        if let Some(value) = self.values.get(position) {
            show(H::view(value));
        }
    }
}

impl<T: Send + Sync + 'static, H: Handler<T>> Handler<Vec<T>> for Multiple<H> {
    const SHAPE: Shape = H::SHAPE.multiple();

    type Paths<R: 'static> = MultiPath<R, T, H::Paths<R>>;

    fn view(values: &Vec<T>) -> View<'_> {
        match values.is_empty() {
            true => View::Absent,
            false => View::OwnedMulti(Box::new(Handled::<T, H> {
                values,
                handler: PhantomData,
            })),
        }
    }

    fn decode(json: Json<'_>, cx: &mut Cx<'_>) -> Result<Vec<T>> {
        decode_all::<T, H>(json, cx)
    }

    fn absent() -> Option<Vec<T>> {
        Some(Vec::new())
    }

    fn apply(values: &mut Vec<T>, edit: Edit<'_>, cx: &mut Cx<'_>) -> Result<Change> {
        apply_all::<T, H>(values, edit, cx)
    }
}

impl<T: ScimValue> ScimValue for Vec<T> {
    const SHAPE: Shape = T::SHAPE.multiple();

    type Paths<R: 'static> = MultiPath<R, T, T::Paths<R>>;

    fn view(&self) -> View<'_> {
        if self.is_empty() {
            View::Absent
        } else {
            View::Multi(self)
        }
    }

    fn decode(json: Json<'_>, cx: &mut Cx<'_>) -> Result<Self> {
        decode_all::<T, Native>(json, cx)
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }

    fn apply(&mut self, edit: Edit<'_>, cx: &mut Cx<'_>) -> Result<Change> {
        apply_all::<T, Native>(self, edit, cx)
    }
}

/// Reads the values of a body's list. A list of which nothing is left leaves what is stored as it is.
fn decode_all<T: 'static, H: Handler<T>>(json: Json<'_>, cx: &mut Cx<'_>) -> Result<Vec<T>> {
    if json.is_null() {
        return Ok(Vec::new());
    }
    Ok(match read_list::<T, H>(json, cx)? {
        Listed::Values(values) => values,
        Listed::NothingLeft => {
            cx.leave_unchanged();
            Vec::new()
        }
    })
}

fn apply_all<T: 'static, H: Handler<T>>(
    values: &mut Vec<T>,
    edit: Edit<'_>,
    cx: &mut Cx<'_>,
) -> Result<Change> {
    // Whatever is done to a list looks at all its values, to find those that are meant or there already.
    let steps = steps_over::<T, H>(values);
    cx.spend(steps.saturating_mul(edit.select.map_or(1, Select::terms)))?;
    check_selected::<T, H>(values, edit.select, cx)?;
    match (edit.action, edit.select, edit.rest) {
        (Action::Remove, select, []) => Ok(remove_if(values, |value| is_selected::<T, H>(value, select))),
        (Action::RemoveNamed(json), select, []) => {
            let named = Named::read::<H>(json, cx)?;
            cx.spend(steps.saturating_mul(named.patterns()))?;
            Ok(remove_if(values, |value| {
                is_selected::<T, H>(value, select) && named.holds::<H>(value)
            }))
        }
        (Action::Replace(operand), None, []) => replace::<T, H>(values, operand, cx),
        (Action::Add(operand), None, []) => add::<T, H>(values, operand, cx),
        _ if means_no_value::<T, H>(&edit, cx) => clear_selected::<T, H>(values, edit, cx),
        _ => edit_elements::<T, H>(values, edit, cx),
    }
}

/// Counts the steps that it takes to look at all values.
fn steps_over<T: 'static, H: Handler<T>>(values: &[T]) -> usize {
    values.iter().fold(0, |sum, value| sum + H::view(value).steps())
}

fn is_selected<T: 'static, H: Handler<T>>(value: &T, select: Option<&dyn Select>) -> bool {
    select.is_none_or(|select| select.matches(&H::view(value)))
}

/// Refuses a filter that selects several elements, where the policy forbids that.
fn check_selected<T: 'static, H: Handler<T>>(
    values: &[T],
    select: Option<&dyn Select>,
    cx: &Cx<'_>,
) -> Result<()> {
    if select.is_none() || !cx.forbids(Prohibition::SeveralElements) {
        return Ok(());
    }
    let selected = values.iter().filter(|value| is_selected::<T, H>(value, select));
    match selected.take(2).count() {
        2 => Err(Error::invalid_filter(
            "has several values that the filter selects: select one of them",
        )),
        _ => Ok(()),
    }
}

/// Removes elements. None at all is not an error: the aim is reached (RFC 7644 section 3.5.2.2).
fn remove_if<T>(values: &mut Vec<T>, mut is_meant: impl FnMut(&T) -> bool) -> Change {
    let before = values.len();
    values.retain(|value| !is_meant(value));
    Change::when(values.len() != before)
}

/// Replaces the whole set: `replace` of the attribute (RFC 7644 section 3.5.2.3). A list of which nothing is left replaces
/// nothing.
fn replace<T: 'static, H: Handler<T>>(
    values: &mut Vec<T>,
    operand: Json<'_>,
    cx: &mut Cx<'_>,
) -> Result<Change> {
    let Listed::Values(new) = one_or_many::<T, H>(operand, cx)? else {
        return Ok(Change::None);
    };
    let same =
        values.len() == new.len() && values.iter().zip(&new).all(|(a, b)| H::view(a).same(&H::view(b)));
    *values = new;
    Ok(Change::when(!same))
}

/// Appends what is not there yet: `add` to the attribute (RFC 7644 section 3.5.2.1).
fn add<T: 'static, H: Handler<T>>(values: &mut Vec<T>, operand: Json<'_>, cx: &mut Cx<'_>) -> Result<Change> {
    let Listed::Values(new) = one_or_many::<T, H>(operand, cx)? else {
        return Ok(Change::None);
    };
    let mut distinct = Distinct::of::<T, H>(values);
    let mut change = Change::None;
    let mut promoted = None;
    for new in new {
        let added = distinct.add::<T, H>(values, new, cx)?;
        change = change.or(added.change);
        promoted = added.promoted.or(promoted);
    }
    if let Some(index) = promoted {
        demote_others::<T, H>(values, index, cx)?;
    }
    Ok(change)
}

/// Reads a list, or one value without an array around it: a PATCH may give that (RFC 7644 section 3.5.2.1), unless the
/// policy forbids that.
fn one_or_many<T: 'static, H: Handler<T>>(json: Json<'_>, cx: &mut Cx<'_>) -> Result<Listed<T>> {
    if json.is_array() {
        return read_list::<T, H>(json, cx);
    }
    if cx.forbids(Prohibition::ValuesWithoutList) {
        return Err(Error::invalid_value(format!(
            "must be an array, but is {}",
            json.describe_shape()
        )));
    }
    Ok(match read_element::<T, H>(json, cx)? {
        Some(value) => {
            let values = vec![value];
            refuse_emptied::<T, H>(&values, cx)?;
            Listed::Values(values)
        }
        None => Listed::NothingLeft,
    })
}

/// Returns whether an edit of elements, or of a sub-attribute of them, says that the attribute is unassigned.
fn means_no_value<T: 'static, H: Handler<T>>(edit: &Edit<'_>, cx: &mut Cx<'_>) -> bool {
    let target = match edit.rest {
        [] => Some(H::SHAPE.element()),
        [step] => H::SHAPE
            .sub_attributes
            .get(usize::from(*step))
            .map(|sub| sub.shape),
        _ => None,
    };
    let (Some(target), Some(operand), false) = (target, edit.action.operand(), edit.action.removes()) else {
        return false;
    };
    !cx.is_stored() && cx.meaning(operand, position_of(edit.action), &target) != Meaning::Value
}

/// Removes the elements that are selected, or their sub-attribute. Nothing is made that would have no value.
fn clear_selected<T: 'static, H: Handler<T>>(
    values: &mut Vec<T>,
    edit: Edit<'_>,
    cx: &mut Cx<'_>,
) -> Result<Change> {
    if !values.iter().any(|value| is_selected::<T, H>(value, edit.select)) {
        return Ok(Change::None);
    }
    match edit.rest {
        [] => Ok(remove_if(values, |value| is_selected::<T, H>(value, edit.select))),
        _ => edit_elements::<T, H>(values, edit, cx),
    }
}

/// Edits the elements that the filter selects, or a sub-attribute of each.
fn edit_elements<T: 'static, H: Handler<T>>(
    values: &mut Vec<T>,
    edit: Edit<'_>,
    cx: &mut Cx<'_>,
) -> Result<Change> {
    let inner = Edit { select: None, ..edit };
    let mut change = Change::None;
    let mut selected = false;
    let mut promoted = None;
    for (index, value) in values.iter_mut().enumerate() {
        if !is_selected::<T, H>(value, edit.select) {
            continue;
        }
        if selected {
            cx.copy(inner.action.operand().map_or(0, |operand| operand.text().len()))?;
        }
        selected = true;
        let was_primary = H::view(value).is_primary();
        let done = cx.within_list(|cx| edit_element::<T, H>(value, inner, cx));
        change = change.or(done.map_err(|error| error.at_index(index))?);
        if H::view(value).is_primary() && !was_primary && promoted.replace(index).is_some() {
            return Err(two_primaries());
        }
    }
    if !selected && !edit.action.removes() {
        values.push(create::<T, H>(&edit, cx)?);
        change = Change::Done;
        promoted = values
            .last()
            .filter(|value| H::view(value).is_primary())
            .map(|_| values.len() - 1);
    }
    if edit.action.removes() {
        values.retain(|value| H::view(value).is_present());
    }
    if let Some(index) = promoted {
        demote_others::<T, H>(values, index, cx)?;
    }
    Ok(change)
}

fn edit_element<T: 'static, H: Handler<T>>(value: &mut T, edit: Edit<'_>, cx: &mut Cx<'_>) -> Result<Change> {
    match edit.action {
        Action::Replace(operand) if edit.rest.is_empty() => exchange::<T, H>(value, operand, cx),
        Action::Add(operand) if edit.rest.is_empty() => {
            let fitted = cx.fit(operand, &H::SHAPE.element());
            H::apply(value, Edit::whole(Action::Add(fitted.json())), cx)
        }
        _ => H::apply(value, edit, cx),
    }
}

/// Replaces an element as a whole: `replace` of it. An operand of which nothing is left replaces nothing.
fn exchange<T: 'static, H: Handler<T>>(value: &mut T, operand: Json<'_>, cx: &mut Cx<'_>) -> Result<Change> {
    let Some(new) = read_element::<T, H>(operand, cx)? else {
        return Ok(Change::None);
    };
    let change = Change::when(!H::view(value).same(&H::view(&new)));
    *value = new;
    Ok(change)
}

/// Makes the element that an edit of `attribute[filter].sub` does not find.
fn create<T: 'static, H: Handler<T>>(edit: &Edit<'_>, cx: &mut Cx<'_>) -> Result<T> {
    let nothing = || Error::no_target("has no value that the filter selects");
    if edit.select.is_some() {
        if edit.rest.is_empty() {
            return Err(nothing());
        }
        let tolerance = cx.allows(Leniency::CreatesElements).ok_or_else(nothing)?;
        cx.fire_here(tolerance);
    }
    let operand = edit.action.operand().ok_or_else(nothing)?;
    let document = edit.materialise(operand, H::SHAPE.sub_attributes)?;
    cx.within_list(|cx| H::decode(document.as_json(), cx))
}

/// Demotes the other primary values: at most one value is the primary one, and the latest wins (RFC 7644 section 3.5.2).
fn demote_others<T: 'static, H: Handler<T>>(values: &mut [T], primary: usize, cx: &mut Cx<'_>) -> Result<()> {
    let Some((step, _)) = position(H::SHAPE.sub_attributes, "primary") else {
        return Ok(());
    };
    let Ok(step) = u16::try_from(step) else {
        return Ok(());
    };
    for (index, value) in values.iter_mut().enumerate() {
        if index != primary && H::view(value).is_primary() {
            let edit = Edit {
                action: Action::Replace(Json::FALSE),
                select: None,
                rest: &[step],
            };
            _ = H::apply(value, edit, cx)?;
        }
    }
    Ok(())
}
