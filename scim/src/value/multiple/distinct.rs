//! Adding values that may be there already.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::key::Key;
use crate::error::Result;
use crate::value::handler::Handler;
use crate::value::{Action, Change, Cx, Edit};

/// The place of each value, so that a value which is there is found without a search: RFC 7643 section 2.4 asks that
/// no pair of `type` and `value` stands in a list twice.
pub(super) struct Distinct {
    key: Key,
    places: HashMap<String, usize>,
}

/// The result of adding a value.
pub(super) struct Added {
    pub(super) change: Change,
    /// Its index, if it has just become the primary one.
    pub(super) promoted: Option<usize>,
}

impl Distinct {
    pub(super) fn of<T: 'static, H: Handler<T>>(values: &[T]) -> Self {
        let mut distinct = Self {
            key: Key::of(&H::SHAPE),
            places: HashMap::with_capacity(values.len()),
        };
        for (index, value) in values.iter().enumerate() {
            let key = distinct.key_of::<T, H>(value);
            distinct.places.entry(key).or_insert(index);
        }
        distinct
    }

    /// Appends a value, or merges it into the one that is there.
    pub(super) fn add<T: 'static, H: Handler<T>>(
        &mut self,
        values: &mut Vec<T>,
        new: T,
        cx: &mut Cx<'_>,
    ) -> Result<Added> {
        let index = match self.places.entry(self.key_of::<T, H>(&new)) {
            Entry::Vacant(place) => *place.insert(values.len()),
            Entry::Occupied(place) => *place.get(),
        };
        let Some(known) = values.get_mut(index) else {
            let promoted = H::view(&new).is_primary().then_some(index);
            values.push(new);
            return Ok(Added {
                change: Change::Done,
                promoted,
            });
        };
        let was_primary = H::view(known).is_primary();
        let change = self.merge::<T, H>(known, &new, index, cx)?;
        let is_promoted = !was_primary && H::view(known).is_primary();
        Ok(Added {
            change,
            promoted: is_promoted.then_some(index),
        })
    }

    /// Merges `new` into `known`: anything else that is said of a pair that is there may be new. Of any other key nothing more
    /// is said.
    fn merge<T: 'static, H: Handler<T>>(
        &self,
        known: &mut T,
        new: &T,
        index: usize,
        cx: &mut Cx<'_>,
    ) -> Result<Change> {
        if !matches!(self.key, Key::Pair { .. }) || H::view(known).same(&H::view(new)) {
            return Ok(Change::None);
        }
        let said = H::view(new).to_json();
        let edit = Edit::whole(Action::Add(said.as_json()));
        cx.within_list(|cx| H::apply(known, edit, cx))
            .map_err(|error| error.at_index(index))
    }

    /// Returns the key of an element; all that it says, if it has none.
    fn key_of<T: 'static, H: Handler<T>>(&self, value: &T) -> String {
        let view = H::view(value);
        self.key
            .read(&view)
            .unwrap_or_else(|| format!("\u{1f}{}", view.to_json().text()))
    }
}
