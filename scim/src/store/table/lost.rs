//! The losses of others when a resource is deleted.

use super::rows::End;
use crate::store::Cause;
use crate::store::hooks::Consequences;

/// A resource that is deleted, for those that lose an edge to it.
pub(super) struct Lost<'a> {
    /// The resource.
    pub(super) end: End,
    /// Its deletion.
    pub(super) cause: Cause,
    /// The place at which it is told, if anybody hears.
    pub(super) consequences: Option<&'a Consequences>,
}
