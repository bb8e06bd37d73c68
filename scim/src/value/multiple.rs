//! `Vec<T>`: a multi-valued attribute (RFC 7643 section 2.4).

use std::collections::HashSet;
use std::marker::PhantomData;
use std::ops::ControlFlow;

use crate::error::{Error, Result};
use crate::fold::Fold;
use crate::path::MultiPath;
use crate::schema::{Attribute, Shape, position};
use crate::value::handler::{Handler, Multiple, Native};
use crate::value::{Change, Cx, Edit, Json, Multi, Op, ScimValue, View};

impl<T: ScimValue> Multi for Vec<T> {
    fn len(&self) -> usize {
        self.as_slice().len()
    }

    fn try_for_each(&self, visit: &mut dyn FnMut(View<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        self.iter().try_for_each(|value| visit(value.view()))
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

fn decode_all<T: 'static, H: Handler<T>>(json: Json<'_>, cx: &mut Cx<'_>) -> Result<Vec<T>> {
    if cx.is_absent(json) {
        return Ok(Vec::new());
    }
    let fitted = cx.fit(json, &H::SHAPE.multiple());
    let json = fitted.json();
    if !json.is_array() {
        return Err(Error::invalid_value(format!(
            "must be an array, but is {}",
            json.describe_shape()
        )));
    }
    let mut values = Vec::new();
    for (index, element) in json.elements().enumerate() {
        if index == cx.limits().operation_values && !cx.is_stored() {
            return Err(Error::invalid_value(format!(
                "has more than {index} values: send them in several requests"
            )));
        }
        if cx.is_absent(element) {
            continue;
        }
        values.push(H::decode(element, cx).map_err(|error| error.at_index(index))?);
    }
    if !cx.is_stored() && values.iter().filter(|value| H::view(value).is_primary()).count() > 1 {
        return Err(two_primaries());
    }
    Ok(values)
}

fn two_primaries() -> Error {
    Error::invalid_value("has more than one value with primary true: one at most may be the primary one")
}

fn apply_all<T: 'static, H: Handler<T>>(
    values: &mut Vec<T>,
    edit: Edit<'_>,
    cx: &mut Cx<'_>,
) -> Result<Change> {
    match (edit.op, edit.is_whole()) {
        (Op::Remove, true) => remove::<T, H>(values, &edit, cx),
        (Op::Replace, true) => replace::<T, H>(values, &edit, cx),
        (Op::Add, true) => add::<T, H>(values, &edit, cx),
        (Op::Remove, false) if edit.rest.is_empty() => Ok(remove_selected::<T, H>(values, &edit)),
        _ => edit_elements::<T, H>(values, edit, cx),
    }
}

/// `remove` of the attribute: all values, or the listed ones where the client lists some.
fn remove<T: 'static, H: Handler<T>>(
    values: &mut Vec<T>,
    edit: &Edit<'_>,
    cx: &mut Cx<'_>,
) -> Result<Change> {
    let before = values.len();
    match edit.value.filter(|json| !json.is_null()) {
        None => values.clear(),
        Some(json) => {
            let listed = one_or_many::<T, H>(json, cx)?;
            let key = Key::of(&H::SHAPE);
            let keys: Option<HashSet<String>> =
                listed.iter().map(|value| key.read(&H::view(value))).collect();
            match keys {
                Some(keys) => {
                    let of_any_type: HashSet<String> = listed
                        .iter()
                        .filter_map(|value| key.read_untyped(&H::view(value)))
                        .collect();
                    values.retain(|held| {
                        let held = H::view(held);
                        !key.read(&held).is_some_and(|key| keys.contains(&key))
                            && !key
                                .read_value(&held)
                                .is_some_and(|value| of_any_type.contains(&value))
                    });
                }
                None => values.retain(|held| {
                    !listed
                        .iter()
                        .any(|listed| covers(&H::view(listed), &H::view(held)))
                }),
            }
        }
    }
    Ok(Change::when(values.len() != before))
}

/// `replace` of the attribute: the whole set (RFC 7644 section 3.5.2.3).
fn replace<T: 'static, H: Handler<T>>(
    values: &mut Vec<T>,
    edit: &Edit<'_>,
    cx: &mut Cx<'_>,
) -> Result<Change> {
    let new = one_or_many::<T, H>(edit.operand()?, cx)?;
    let same =
        values.len() == new.len() && values.iter().zip(&new).all(|(a, b)| H::view(a).same(&H::view(b)));
    *values = new;
    Ok(Change::when(!same))
}

/// `add` to the attribute: what is not there yet is appended (RFC 7644 section 3.5.2.1).
fn add<T: 'static, H: Handler<T>>(values: &mut Vec<T>, edit: &Edit<'_>, cx: &mut Cx<'_>) -> Result<Change> {
    let key = Key::of(&H::SHAPE);
    let mut held: HashSet<String> = values
        .iter()
        .filter_map(|value| key.read(&H::view(value)))
        .collect();
    let mut change = Change::None;
    let mut promoted = None;
    for new in one_or_many::<T, H>(edit.operand()?, cx)? {
        let index = match known_place::<T, H>(values, &key, &mut held, &new) {
            Known::Same => continue,
            Known::At(index) => index,
            Known::Nowhere => values.len(),
        };
        let was_primary = values.get(index).is_some_and(|value| H::view(value).is_primary());
        change = change.or(merge_or_push::<T, H>(values, index, new, cx)?);
        if !was_primary && values.get(index).is_some_and(|value| H::view(value).is_primary()) {
            promoted = Some(index);
        }
    }
    if let Some(index) = promoted {
        demote_others::<T, H>(values, index, cx)?;
    }
    Ok(change)
}

/// Where a value stands that is to be added.
enum Known {
    /// It is there, and nothing new is said of it.
    Same,
    /// It is there; what else is said of it may be new.
    At(usize),
    /// It is not there.
    Nowhere,
}

fn known_place<T: 'static, H: Handler<T>>(
    values: &[T],
    key: &Key,
    held: &mut HashSet<String>,
    new: &T,
) -> Known {
    let Some(read) = key.read(&H::view(new)) else {
        let same = values.iter().any(|value| H::view(value).same(&H::view(new)));
        return if same { Known::Same } else { Known::Nowhere };
    };
    if !held.contains(&read) {
        held.insert(read);
        return Known::Nowhere;
    }
    match key {
        Key::Pair { .. } => values
            .iter()
            .position(|value| key.read(&H::view(value)).as_ref() == Some(&read))
            .map_or(Known::Same, Known::At),
        _ => Known::Same,
    }
}

fn merge_or_push<T: 'static, H: Handler<T>>(
    values: &mut Vec<T>,
    index: usize,
    new: T,
    cx: &mut Cx<'_>,
) -> Result<Change> {
    match values.get_mut(index) {
        Some(known) => {
            let said = H::view(&new).to_json();
            H::apply(known, Edit::whole(Op::Add, Some(said.as_json())), cx)
                .map_err(|error| error.at_index(index))
        }
        None => {
            values.push(new);
            Ok(Change::Done)
        }
    }
}

/// `remove` of the elements that the filter selects. None at all is no error: the aim is reached.
fn remove_selected<T: 'static, H: Handler<T>>(values: &mut Vec<T>, edit: &Edit<'_>) -> Change {
    let before = values.len();
    values.retain(|value| !edit.select.is_some_and(|select| select.matches(&H::view(value))));
    Change::when(values.len() != before)
}

/// An edit of elements: of those that the filter selects, or of a sub-attribute of each.
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
        if edit.select.is_some_and(|select| !select.matches(&H::view(value))) {
            continue;
        }
        selected = true;
        let was_primary = H::view(value).is_primary();
        let done = match edit.rest.is_empty() && edit.op == Op::Replace {
            true => exchange::<T, H>(value, &inner, cx),
            false => H::apply(value, inner, cx),
        };
        change = change.or(done.map_err(|error| error.at_index(index))?);
        if H::view(value).is_primary() && !was_primary && promoted.replace(index).is_some() {
            return Err(two_primaries());
        }
    }
    if !selected && edit.op != Op::Remove {
        values.push(create::<T, H>(&edit, cx)?);
        change = Change::Done;
        promoted = values
            .last()
            .filter(|value| H::view(value).is_primary())
            .map(|_| values.len() - 1);
    }
    if edit.op == Op::Remove {
        values.retain(|value| H::view(value).is_present());
    }
    if let Some(index) = promoted {
        demote_others::<T, H>(values, index, cx)?;
    }
    Ok(change)
}

/// `replace` of an element as a whole.
fn exchange<T: 'static, H: Handler<T>>(value: &mut T, edit: &Edit<'_>, cx: &mut Cx<'_>) -> Result<Change> {
    let new = H::decode(edit.operand()?, cx)?;
    let change = Change::when(!H::view(value).same(&H::view(&new)));
    *value = new;
    Ok(change)
}

/// The element that an edit of `attribute[filter].sub` does not find.
fn create<T: 'static, H: Handler<T>>(edit: &Edit<'_>, cx: &mut Cx<'_>) -> Result<T> {
    if edit.select.is_some() {
        let nothing = || Error::no_target("has no value that the filter selects");
        if edit.rest.is_empty() {
            return Err(nothing());
        }
        let tolerance = cx.rules().creates_elements().ok_or_else(nothing)?;
        cx.fire(tolerance, "");
    }
    let document = edit.materialise(H::SHAPE.sub_attributes)?;
    H::decode(document.as_json(), cx)
}

/// At most one value is the primary one: the latest wins (RFC 7644 section 3.5.2).
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
                op: Op::Replace,
                select: None,
                rest: &[step],
                value: Some(Json::FALSE),
            };
            _ = H::apply(value, edit, cx)?;
        }
    }
    Ok(())
}

/// A PATCH may give one value without an array around it (RFC 7644 section 3.5.2.1).
fn one_or_many<T: 'static, H: Handler<T>>(json: Json<'_>, cx: &mut Cx<'_>) -> Result<Vec<T>> {
    if json.is_array() || cx.is_absent(json) {
        return decode_all::<T, H>(json, cx);
    }
    let fitted = cx.fit(json, &H::SHAPE.multiple());
    if fitted.json().is_array() {
        return decode_all::<T, H>(fitted.json(), cx);
    }
    Ok(vec![H::decode(json, cx)?])
}

/// What tells the elements of an attribute apart.
enum Key {
    /// The element itself is a simple value.
    Element(Fold),
    /// A sub-attribute marked as the key.
    Marked(&'static Attribute, usize),
    /// `value` and `type` together: the same pair twice says nothing new (RFC 7643 section 2.4).
    Pair {
        value: (usize, Fold),
        kind: Option<usize>,
    },
    /// Nothing less than the whole element.
    None,
}

impl Key {
    fn of(shape: &Shape) -> Self {
        if shape.sub_attributes.is_empty() {
            return Self::Element(if shape.case_exact {
                Fold::Exact
            } else {
                Fold::CaseInsensitive
            });
        }
        if let Some((index, attribute)) = shape.sub_attributes.iter().enumerate().find(|(_, sub)| sub.key) {
            return Self::Marked(attribute, index);
        }
        match position(shape.sub_attributes, "value") {
            Some((index, attribute)) => Self::Pair {
                value: (index, attribute.fold()),
                kind: position(shape.sub_attributes, "type").map(|(index, _)| index),
            },
            None => Self::None,
        }
    }

    fn read(&self, element: &View<'_>) -> Option<String> {
        match self {
            Self::Element(fold) => element.key(*fold),
            Self::Marked(attribute, index) => element.record()?.view(*index).key(attribute.fold()),
            Self::Pair { kind, .. } => {
                let mut key = self.read_value(element)?;
                if let Some(kind) = kind {
                    let kind = element.record()?.view(*kind);
                    key.push('\u{1f}');
                    key.push_str(&kind.key(Fold::CaseInsensitive).unwrap_or_default());
                }
                Some(key)
            }
            Self::None => None,
        }
    }

    /// The `value` of a pair, whatever its `type`.
    fn read_value(&self, element: &View<'_>) -> Option<String> {
        match self {
            Self::Pair {
                value: (index, fold), ..
            } => element.record()?.view(*index).key(*fold),
            _ => None,
        }
    }

    /// The `value` of a pair that has no `type`: where a client lists what it wants removed, it means every type.
    fn read_untyped(&self, element: &View<'_>) -> Option<String> {
        match self {
            Self::Pair { kind: Some(kind), .. } if !element.record()?.view(*kind).is_present() => {
                self.read_value(element)
            }
            _ => None,
        }
    }
}

/// Whether everything that `listed` says is true of `held`.
fn covers(listed: &View<'_>, held: &View<'_>) -> bool {
    match (listed.record(), held.record()) {
        (Some(listed), Some(held)) => (0..listed.attributes().len()).all(|index| {
            let said = listed.view(index);
            !said.is_present() || said.same(&held.view(index))
        }),
        _ => listed.same(held),
    }
}
