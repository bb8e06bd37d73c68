//! What a write did, for whoever joins it.

use crate::record::Record;

/// What happened to a resource, for an application that joins the write with its own statements.
#[derive(Clone, Copy)]
pub enum Happened<'a> {
    /// A resource was created.
    Created {
        /// The new state, without edges.
        after: &'a dyn Record,
        /// The ids of its edges.
        added: &'a [String],
    },
    /// A resource was changed.
    Changed {
        /// The state before, without edges.
        before: &'a dyn Record,
        /// The state after, without edges.
        after: &'a dyn Record,
        /// The ids of edges that were added.
        added: &'a [String],
        /// The ids of edges that were removed.
        removed: &'a [String],
    },
    /// A resource was deleted.
    Deleted {
        /// The last state, without edges.
        before: &'a dyn Record,
    },
}
