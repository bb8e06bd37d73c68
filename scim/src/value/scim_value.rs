//! The two ways to be an attribute's value: [`Scalar`] for a leaf, [`ScimValue`] for everything.

use crate::error::Result;
use crate::path::{Path, PathNode};
use crate::schema::{Shape, Type};
use crate::value::context::KeptReference;
use crate::value::{Change, Cx, Edit, Json, JsonBuf, View};

/// A Rust type that can hold the value of an attribute.
///
/// Leaf types implement [`Scalar`], structs derive `ScimComplex`, enums derive `ScimEnum`; `Option<T>` and `Vec<T>`
/// follow. Only a type with its own idea of PATCH implements this trait, or better a
/// [`Handler`](crate::value::Handler).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the value of a SCIM attribute",
    label = "no SCIM attribute can hold this type",
    note = "derive `ScimComplex` or `ScimEnum` for it, implement `scim::Scalar`, or name a handler with `#[scim(with = \"…\")]`"
)]
pub trait ScimValue: Sized + Send + Sync + 'static {
    /// The characteristics that the type gives to an attribute that holds it.
    const SHAPE: Shape;

    /// The typed paths below a value of this type in a resource `R`.
    type Paths<R: 'static>: PathNode;

    /// Returns a view of the value.
    fn view(&self) -> View<'_>;

    /// Reads a value, which the policy has coerced to [`SHAPE`](Self::SHAPE) where it could.
    ///
    /// # Errors
    /// 400 `invalidValue` if the JSON does not fit.
    fn decode(json: Json<'_>, cx: &mut Cx<'_>) -> Result<Self>;

    /// Returns the value of an unassigned attribute; `None` if there is none, which makes the attribute required.
    #[must_use]
    fn absent() -> Option<Self> {
        None
    }

    /// Changes the value.
    ///
    /// # Errors
    /// The errors of RFC 7644 section 3.5.2. The value may be half changed then: edits are made on a
    /// copy.
    fn apply(&mut self, edit: Edit<'_>, cx: &mut Cx<'_>) -> Result<Change>;
}

/// The easy door for a leaf type: how it looks and how it is read. [`ScimValue`] follows.
///
/// ```
/// use scim::schema::Type;
/// use scim::value::{Json, Scalar, View};
/// use scim::{Error, Result};
///
/// #[derive(Debug, Clone, PartialEq)]
/// struct Floor(i64);
///
/// impl Scalar for Floor {
///     const TYPE: Type = Type::Integer;
///
///     fn view(&self) -> View<'_> {
///         View::Int(self.0)
///     }
///
///     fn parse(json: Json<'_>) -> Result<Self> {
///         match json.as_i64() {
///             Some(floor @ -2..=40) => Ok(Self(floor)),
///             _ => Err(Error::invalid_value("must be a floor between -2 and 40")),
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the value of a SCIM attribute",
    label = "no SCIM attribute can hold this type",
    note = "derive `ScimComplex` or `ScimEnum` for it, implement `scim::Scalar`, or name a handler with `#[scim(with = \"…\")]`"
)]
pub trait Scalar: Sized + PartialEq + Send + Sync + 'static {
    /// The data type of an attribute that holds the value.
    const TYPE: Type;

    /// Suggested values.
    const CANONICAL_VALUES: &'static [&'static str] = &[];

    /// Characteristics that differ from the RFC's defaults, such as `case_exact`.
    const SHAPE: Shape = Shape::new(Self::TYPE).with_canonical_values(Self::CANONICAL_VALUES);

    /// Returns the value of an unassigned attribute, for types that have one of their own.
    #[must_use]
    fn absent() -> Option<Self> {
        None
    }

    /// Returns a view of the value.
    fn view(&self) -> View<'_>;

    /// Reads a value.
    ///
    /// # Errors
    /// 400 `invalidValue`; the detail completes the sentence "Attribute x …".
    fn parse(json: Json<'_>) -> Result<Self>;

    /// Reads a value that a store has kept. A type that once took more than it does today takes it here still, so that
    /// what was kept can be read.
    ///
    /// # Errors
    /// Those of [`parse`](Self::parse), unless the type has its own.
    fn parse_stored(json: Json<'_>) -> Result<Self> {
        Self::parse(json)
    }
}

/// Reads a reference that is kept in another form than the one in which it was sent, by a type that knows paths below
/// the base: it shows them as [`View::Relative`].
fn kept_reference<T: Scalar>(json: Json<'_>, cx: &Cx<'_>) -> Option<T> {
    let sent = json.as_str()?;
    let read = |text: &str| T::parse(JsonBuf::string(text).as_json()).ok();
    let is_relative = |value: &T| matches!(value.view(), View::Relative(_));
    match cx.kept_reference(&sent)? {
        KeptReference::Path(path) => read(&path).filter(is_relative),
        KeptReference::Url(url) => read(&sent).filter(is_relative).and_then(|_| read(&url)),
    }
}

impl<T: Scalar> ScimValue for T {
    const SHAPE: Shape = <T as Scalar>::SHAPE;

    type Paths<R: 'static> = Path<R, T>;

    fn view(&self) -> View<'_> {
        Scalar::view(self)
    }

    fn decode(json: Json<'_>, cx: &mut Cx<'_>) -> Result<Self> {
        // A client reads what a service shows as a store reads what it keeps, and knows the base URL all the same.
        if matches!(T::TYPE, Type::Reference)
            && let Some(reference) = kept_reference(json, cx)
        {
            return Ok(reference);
        }
        match cx.is_stored() {
            true => T::parse_stored(json),
            false => T::parse(json),
        }
    }

    fn absent() -> Option<Self> {
        <T as Scalar>::absent()
    }

    fn apply(&mut self, edit: Edit<'_>, cx: &mut Cx<'_>) -> Result<Change> {
        edit.set(self, |json| <T as ScimValue>::decode(json, cx))
    }
}
