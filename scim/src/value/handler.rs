//! Attribute handlers: another idea of one attribute than its type has.

use std::marker::PhantomData;

use crate::error::Result;
use crate::path::PathNode;
use crate::schema::Shape;
use crate::value::{Change, Cx, Edit, Json, ScimValue, View};

/// How one attribute is shown, read and changed, named by `#[scim(with = "…")]` as serde's `with` is.
///
/// A handler is written for the bare `T`; on a field of type `Option<T>` or `Vec<T>` it serves each value.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler of `{T}`",
    label = "`#[scim(with = \"…\")]` cannot name this type here",
    note = "implement `scim::value::Handler<{T}>` for it; for a field of type `Option<T>` or `Vec<T>` it is a handler of the bare `T`"
)]
pub trait Handler<T>: 'static {
    /// The description of the attribute.
    const SHAPE: Shape;

    /// The typed paths below the attribute in a resource `R`; [`Path<R, T>`](crate::path::Path) for a leaf.
    type Paths<R: 'static>: PathNode;

    /// Returns a look at the value.
    fn view(value: &T) -> View<'_>;

    /// Reads a value.
    ///
    /// # Errors
    /// 400 `invalidValue` if the JSON does not fit.
    fn decode(json: Json<'_>, cx: &mut Cx<'_>) -> Result<T>;

    /// Returns the value of an unassigned attribute; `None` if there is none, which makes the attribute required.
    #[must_use]
    fn absent() -> Option<T> {
        None
    }

    /// Changes the value. [`Edit::set`] serves a value without parts.
    ///
    /// # Errors
    /// The errors of RFC 7644 section 3.5.2.
    fn apply(value: &mut T, edit: Edit<'_>, cx: &mut Cx<'_>) -> Result<Change>;
}

/// The handler of a type that is a [`ScimValue`] itself.
#[derive(Debug)]
pub struct Native;

impl<T: ScimValue> Handler<T> for Native {
    const SHAPE: Shape = T::SHAPE;

    type Paths<R: 'static> = T::Paths<R>;

    fn view(value: &T) -> View<'_> {
        value.view()
    }

    fn decode(json: Json<'_>, cx: &mut Cx<'_>) -> Result<T> {
        T::decode(json, cx)
    }

    fn absent() -> Option<T> {
        T::absent()
    }

    fn apply(value: &mut T, edit: Edit<'_>, cx: &mut Cx<'_>) -> Result<Change> {
        value.apply(edit, cx)
    }
}

/// Lifts the handler `H` of `T` to `Option<T>`.
#[derive(Debug)]
pub struct Optional<H>(PhantomData<fn() -> H>);

/// Lifts the handler `H` of `T` to `Vec<T>`.
#[derive(Debug)]
pub struct Multiple<H>(PhantomData<fn() -> H>);
