//! A multi-valued attribute that may have a million values, such as the members of a group.

use std::ops::ControlFlow;

use crate::error::Result;
use crate::path::MultiPath;
use crate::schema::Shape;
use crate::value::{Change, Cx, Edit, Json, Multi, ScimValue, View};

/// The values of an attribute marked `#[scim(edges)]`, which a store keeps as rows of their own.
///
/// A resource that comes out of a store may carry its edges or not: [`Edges::NotLoaded`] says "there may be some, and
/// they were not asked for", which is not the same as none. A store that is handed `NotLoaded` leaves its rows alone.
#[derive(Debug, Clone, PartialEq)]
pub enum Edges<T> {
    /// The store has them, and nobody asked.
    NotLoaded,
    /// These are all.
    Loaded(Vec<T>),
}

impl<T> Edges<T> {
    /// Returns the values, if they are loaded.
    #[must_use]
    pub fn loaded(&self) -> Option<&[T]> {
        match self {
            Self::NotLoaded => None,
            Self::Loaded(values) => Some(values),
        }
    }
}

impl<T> Default for Edges<T> {
    fn default() -> Self {
        Self::Loaded(Vec::new())
    }
}

impl<T> From<Vec<T>> for Edges<T> {
    fn from(values: Vec<T>) -> Self {
        Self::Loaded(values)
    }
}

impl<T: ScimValue> Multi for Edges<T> {
    fn len(&self) -> usize {
        self.loaded().map_or(0, <[T]>::len)
    }

    fn try_for_each(&self, visit: &mut dyn FnMut(View<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        self.loaded()
            .unwrap_or_default()
            .iter()
            .try_for_each(|value| visit(value.view()))
    }

    fn show_at(&self, position: usize, show: &mut dyn FnMut(View<'_>)) {
        if let Some(value) = self.loaded().and_then(|values| values.get(position)) {
            show(value.view());
        }
    }
}

impl<T: ScimValue> ScimValue for Edges<T> {
    const SHAPE: Shape = T::SHAPE.multiple();

    type Paths<R: 'static> = MultiPath<R, T, T::Paths<R>>;

    /// Shows an absent value if the edges are not loaded; a list, be it empty, if they are.
    fn view(&self) -> View<'_> {
        match self {
            Self::NotLoaded => View::Absent,
            Self::Loaded(_) => View::Multi(self),
        }
    }

    fn decode(json: Json<'_>, cx: &mut Cx<'_>) -> Result<Self> {
        Vec::decode(json, cx).map(Self::Loaded)
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }

    fn apply(&mut self, edit: Edit<'_>, cx: &mut Cx<'_>) -> Result<Change> {
        // No client can send this: see `record::unload_edges`.
        if cx.is_stored() && edit.clears() {
            *self = Self::NotLoaded;
            return Ok(Change::Done);
        }
        match self {
            Self::NotLoaded if cx.is_stored() && edit.is_whole() => {
                if let Some(operand) = edit.action.operand() {
                    *self = Self::decode(operand, cx)?;
                }
                Ok(Change::Done)
            }
            Self::Loaded(values) => values.apply(edit, cx),
            Self::NotLoaded => Err(crate::Error::internal("an edit of edges that were not loaded")),
        }
    }
}
