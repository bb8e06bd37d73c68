//! The effects of a write, for whoever hears of it: in its transaction, or after the commit.

use crate::store::Version;
use crate::value::Fired;

/// The most ids of edges that one event names, of one attribute, added or removed.
pub const MOST_EDGES_NAMED: usize = 10_000;

/// A create, change or deletion of a resource. See [`Hooks::after_commit`](crate::store::Hooks::after_commit).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Event<R> {
    /// The id of the resource.
    pub id: String,
    /// Its version; of one that was deleted, the last it had.
    pub version: Version,
    /// The states before and after.
    pub transition: Transition<R>,
    /// The edges that moved, one entry for each attribute that has gained or lost some. Of a deleted resource, those
    /// it had are removed.
    pub edges: Vec<MovedEdges>,
    /// Why it happened.
    pub cause: Cause,
    /// The tolerances of the policy that the write needed.
    pub tolerances: Vec<Fired>,
}

/// Why a resource was created, changed or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// A write of this resource.
    Write,
    /// The deletion of a resource that its edges led to, such as a member of a group.
    Deletion {
        /// The name of its resource type.
        resource_type: &'static str,
        /// Its id.
        id: String,
    },
}

/// The states before and after, without edges. Values that are handed on and not kept, such as a password, are there in
/// the transaction alone, in the state after it.
#[derive(Debug, Clone, PartialEq)]
pub enum Transition<R> {
    /// It is new.
    Created {
        /// The resource.
        after: R,
    },
    /// It has changed, or its edges have.
    Changed {
        /// The last state; `None` if it did not fit the struct, which was changed since it was written.
        before: Option<R>,
        /// The state now; `None` if it does not fit the struct either, because only edges have changed.
        after: Option<R>,
    },
    /// It is gone.
    Deleted {
        /// The last state; `None` if it did not fit the struct.
        before: Option<R>,
    },
}

impl<R> Event<R> {
    /// Makes the event of a write that needed no tolerance.
    #[must_use]
    pub fn new(
        id: impl Into<String>,
        version: Version,
        transition: Transition<R>,
        edges: Vec<MovedEdges>,
        cause: Cause,
    ) -> Self {
        Self {
            id: id.into(),
            version,
            transition,
            edges,
            cause,
            tolerances: Vec::new(),
        }
    }

    /// Returns the state before; `None` if the resource is new, or if that state did not fit the struct.
    pub fn before(&self) -> Option<&R> {
        match &self.transition {
            Transition::Created { .. } => None,
            Transition::Changed { before, .. } | Transition::Deleted { before } => before.as_ref(),
        }
    }

    /// Returns the state now; `None` if the resource was deleted, or if its state does not fit the struct.
    pub fn after(&self) -> Option<&R> {
        match &self.transition {
            Transition::Created { after } => Some(after),
            Transition::Changed { after, .. } => after.as_ref(),
            Transition::Deleted { .. } => None,
        }
    }
}

/// The changes to the edges of one attribute, such as the members of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MovedEdges {
    /// The name of the attribute.
    pub attribute: &'static str,
    /// How many were added.
    pub added: u64,
    /// How many were removed.
    pub removed: u64,
    /// The ids of those that were added, the first [`MOST_EDGES_NAMED`].
    pub added_ids: Vec<String>,
    /// The ids of those that were removed, the first [`MOST_EDGES_NAMED`].
    pub removed_ids: Vec<String>,
}

impl MovedEdges {
    /// Makes the moved edges of an attribute, by their ids.
    #[must_use]
    pub fn new<'a>(
        attribute: &'static str,
        added: impl ExactSizeIterator<Item = &'a str>,
        removed: impl ExactSizeIterator<Item = &'a str>,
    ) -> Self {
        Self {
            attribute,
            added: count(added.len()),
            removed: count(removed.len()),
            added_ids: added.take(MOST_EDGES_NAMED).map(str::to_owned).collect(),
            removed_ids: removed.take(MOST_EDGES_NAMED).map(str::to_owned).collect(),
        }
    }

    /// Returns the edge that is lost to a resource which is deleted.
    pub(super) fn lost(attribute: &'static str, id: &str) -> Self {
        Self::new(attribute, [].into_iter(), [id].into_iter())
    }

    /// Returns the edges of a resource that is gone: how many they were, and ids of at most [`MOST_EDGES_NAMED`]. A
    /// store that would have to load more names none.
    #[must_use]
    pub fn gone(attribute: &'static str, removed: u64, removed_ids: Vec<String>) -> Self {
        Self {
            attribute,
            removed,
            removed_ids,
            ..Self::default()
        }
    }

    /// Returns whether nothing was added or removed.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.added == 0 && self.removed == 0
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
