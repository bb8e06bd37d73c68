//! Typed attribute paths: what `User::paths().emails().value()` is made of.

use std::marker::PhantomData;
use std::ops::Deref;

use crate::path::AttrPath;
use crate::schema::Attribute;

/// A node of a tree of typed paths; the derives implement it for the types they generate.
pub trait PathNode: Copy {
    /// Makes the node at `path` below a resource or element whose attribute table is `root`.
    fn at(path: AttrPath, root: &'static [Attribute]) -> Self;

    /// Makes the node of a flattened struct whose first attribute stands at `offset` in its owner's table.
    #[must_use]
    fn flattened(path: AttrPath, root: &'static [Attribute], offset: u16) -> Self {
        _ = offset;
        Self::at(path, root)
    }
}

/// A path from a resource or element `R` to a single value of type `T`.
pub struct Path<R, T> {
    path: AttrPath,
    root: &'static [Attribute],
    types: PhantomData<fn() -> (R, T)>,
}

impl<R, T> Path<R, T> {
    /// Returns the path as indices.
    #[must_use]
    pub fn path(&self) -> AttrPath {
        self.path
    }

    /// Returns the table that the path starts from.
    #[must_use]
    pub fn root(&self) -> &'static [Attribute] {
        self.root
    }
}

impl<R, T> From<Path<R, T>> for AttrPath {
    fn from(path: Path<R, T>) -> Self {
        path.path
    }
}

impl<R, T, N> From<MultiPath<R, T, N>> for AttrPath {
    fn from(path: MultiPath<R, T, N>) -> Self {
        path.path
    }
}

impl<R, T> Clone for Path<R, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R, T> Copy for Path<R, T> {}

impl<R, T> PathNode for Path<R, T> {
    fn at(path: AttrPath, root: &'static [Attribute]) -> Self {
        Self {
            path,
            root,
            types: PhantomData,
        }
    }
}

/// A path from `R` to a multi-valued attribute of `T`s, whose elements' paths are `N`.
///
/// It derefs to the paths of the element, so that `emails().value()` names the sub-attribute of every element.
pub struct MultiPath<R, T, N> {
    path: AttrPath,
    root: &'static [Attribute],
    node: N,
    types: PhantomData<fn() -> (R, T)>,
}

impl<R, T, N> MultiPath<R, T, N> {
    /// Returns the path as indices.
    #[must_use]
    pub fn path(&self) -> AttrPath {
        self.path
    }

    /// Returns the table that the path starts from.
    #[must_use]
    pub fn root(&self) -> &'static [Attribute] {
        self.root
    }
}

impl<R, T, N: Copy> Clone for MultiPath<R, T, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R, T, N: Copy> Copy for MultiPath<R, T, N> {}

impl<R, T, N: PathNode> PathNode for MultiPath<R, T, N> {
    fn at(path: AttrPath, root: &'static [Attribute]) -> Self {
        Self {
            path,
            root,
            node: N::at(path, root),
            types: PhantomData,
        }
    }
}

impl<R, T, N> Deref for MultiPath<R, T, N> {
    type Target = N;

    fn deref(&self) -> &N {
        &self.node
    }
}
