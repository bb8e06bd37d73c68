//! The node that every generated type of typed paths wraps.

use std::marker::PhantomData;

use crate::path::{AttrPath, PathNode};
use crate::schema::Attribute;

/// A node in a tree of typed paths; `R` is the resource (and further type parameters), not the value.
pub struct Node<R> {
    path: AttrPath,
    root: &'static [Attribute],
    /// The index of the first attribute of the struct in the table that it is part of.
    offset: u16,
    owner: PhantomData<fn() -> R>,
}

impl<R> Clone for Node<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Node<R> {}

impl<R> Node<R> {
    /// Makes the node at `path` of the table `root`.
    #[must_use]
    pub const fn new(path: AttrPath, root: &'static [Attribute], offset: u16) -> Self {
        Self {
            path,
            root,
            offset,
            owner: PhantomData,
        }
    }

    /// Returns the node of the attribute at `index`.
    #[must_use]
    pub fn child<P: PathNode>(&self, index: usize) -> P {
        P::at(self.path.push(step(index).saturating_add(self.offset)), self.root)
    }

    /// Returns the node of a struct whose attributes are part of the same table, from `offset` on.
    #[must_use]
    pub fn flattened<P: PathNode>(&self, offset: usize) -> P {
        P::flattened(self.path, self.root, step(offset))
    }
}

/// Returns the step to an index. Tables are written by hand, one field at a time: none has 65,536 entries, and a path
/// that leads nowhere is harmless.
fn step(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}
