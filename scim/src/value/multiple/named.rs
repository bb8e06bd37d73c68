//! The elements that the value of a `remove` names.

use std::collections::HashSet;

use super::key::Key;
use super::read::read_element;
use crate::error::Result;
use crate::schema::{Shape, position};
use crate::value::handler::Handler;
use crate::value::{Cx, Json, Leniency, NoValue, View};

/// The elements that the value of a `remove` names. The RFC knows no such value; clients list in it what they want
/// removed.
///
/// An element that names nothing selects nothing. Whatever is unknown or empty in it is considered before it is omitted:
/// an address of which only the type is known does not mean every address of that type.
pub(super) struct Named<T> {
    key: Key,
    keys: HashSet<String>,
    /// Values that were listed without a type: they are meant whatever their type.
    of_any_type: HashSet<String>,
    /// Elements without a key: meant is whatever has all that they say.
    patterns: Vec<T>,
}

impl<T: 'static> Named<T> {
    pub(super) fn read<H: Handler<T>>(json: Json<'_>, cx: &mut Cx<'_>) -> Result<Self> {
        let mut named = Self {
            key: Key::of(&H::SHAPE),
            keys: HashSet::new(),
            of_any_type: HashSet::new(),
            patterns: Vec::new(),
        };
        if json.is_array() {
            for (index, element) in json.elements().enumerate() {
                named
                    .push::<H>(element, cx)
                    .map_err(|error| error.at_index(index))?;
            }
        } else {
            named.push::<H>(json, cx)?;
        }
        if named.is_empty()
            && let Some(tolerance) = cx.allows(Leniency::EmptiedLists)
        {
            cx.fire_here(tolerance);
        }
        Ok(named)
    }

    fn push<H: Handler<T>>(&mut self, json: Json<'_>, cx: &mut Cx<'_>) -> Result<()> {
        let Some(element) = read_element::<T, H>(json, cx)? else {
            return Ok(());
        };
        let view = H::view(&element);
        if let Some(key) = self.key.read(&view) {
            self.of_any_type.extend(self.key.read_untyped(&view));
            self.keys.insert(key);
        } else if view.is_present() && is_wholly_known(json, &H::SHAPE) {
            drop(view);
            self.patterns.push(element);
        }
        Ok(())
    }

    /// Returns how many comparisons of whole elements it takes to see whether one is named.
    pub(super) fn patterns(&self) -> usize {
        self.patterns.len()
    }

    fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.patterns.is_empty()
    }

    /// Returns whether the element is one of those that are named.
    pub(super) fn holds<H: Handler<T>>(&self, element: &T) -> bool {
        let held = H::view(element);
        let has = |key: Option<String>, keys: &HashSet<String>| key.is_some_and(|key| keys.contains(&key));
        has(self.key.read(&held), &self.keys)
            || has(self.key.read_value(&held), &self.of_any_type)
            || self
                .patterns
                .iter()
                .any(|pattern| covers(&H::view(pattern), &held))
    }
}

/// Returns whether everything in an element is known and has a value.
fn is_wholly_known(json: Json<'_>, shape: &Shape) -> bool {
    json.members()
        .all(|(name, value)| position(shape.sub_attributes, &name).is_some() && NoValue::of(value).is_none())
}

/// Returns whether everything that `listed` says is true of `held`.
fn covers(listed: &View<'_>, held: &View<'_>) -> bool {
    match (listed.record(), held.record()) {
        (Some(listed), Some(held)) => (0..listed.attributes().len()).all(|index| {
            let said = listed.view(index);
            !said.is_present() || said.same(&held.view(index))
        }),
        _ => listed.same(held),
    }
}
