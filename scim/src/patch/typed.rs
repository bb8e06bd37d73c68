//! A PATCH made by hand.

use std::fmt::{self, Debug, Formatter};
use std::marker::PhantomData;

use crate::filter::TypedFilter;
use crate::patch::message::PATCH_OP;
use crate::path::{AttrPath, MultiPath, Path, PathNode};
use crate::schema::Attribute;
use crate::value::{Json, JsonBuf, Op, ScimValue};

/// Builds a PatchOp message from typed paths.
///
/// ```
/// use scim::patch::Patch;
/// use scim::resources::User;
///
/// let user = User::paths();
/// let message = Patch::<User>::builder()
///     .replace(user.display_name(), "Babs Jensen")
///     .remove(user.title())
///     .remove_where(user.emails(), |email| email.kind().eq("home"))
///     .to_message();
/// assert!(message.text().contains(r#""path":"displayName""#));
/// assert!(message.text().contains(r#""path":"emails[type eq \"home\"]""#));
/// ```
pub struct PatchBuilder<R> {
    operations: Vec<JsonBuf>,
    resource: PhantomData<fn() -> R>,
}

impl<R: 'static> PatchBuilder<R> {
    /// Sets a single value.
    #[must_use]
    pub fn replace<T: ScimValue>(self, path: Path<R, T>, value: impl Into<T>) -> Self {
        let value = value.into().view().to_json();
        self.push(
            Op::Replace,
            &name(path.path(), path.root()),
            Some(value.as_json()),
        )
    }

    /// Takes a single value away.
    #[must_use]
    pub fn remove<T>(self, path: Path<R, T>) -> Self {
        self.push(Op::Remove, &name(path.path(), path.root()), None)
    }

    /// Adds values to a multi-valued attribute.
    #[must_use]
    pub fn add_values<T: ScimValue, N: PathNode>(
        self,
        path: MultiPath<R, T, N>,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        self.push(
            Op::Add,
            &name(path.path(), path.root()),
            Some(list(values).as_json()),
        )
    }

    /// Makes these the only values of a multi-valued attribute.
    #[must_use]
    pub fn replace_values<T: ScimValue, N: PathNode>(
        self,
        path: MultiPath<R, T, N>,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        self.push(
            Op::Replace,
            &name(path.path(), path.root()),
            Some(list(values).as_json()),
        )
    }

    /// Takes all values of a multi-valued attribute away.
    #[must_use]
    pub fn clear<T, N: PathNode>(self, path: MultiPath<R, T, N>) -> Self {
        self.push(Op::Remove, &name(path.path(), path.root()), None)
    }

    /// Takes those values away that a filter selects.
    #[must_use]
    pub fn remove_where<T: ScimValue, N: PathNode>(
        self,
        path: MultiPath<R, T, N>,
        filter: impl FnOnce(T::Paths<T>) -> TypedFilter<T>,
    ) -> Self {
        let element = <T::Paths<T> as PathNode>::at(AttrPath::ROOT, T::SHAPE.sub_attributes);
        let path = format!("{}[{}]", name(path.path(), path.root()), filter(element));
        self.push(Op::Remove, &path, None)
    }

    /// Returns the message.
    #[must_use]
    pub fn to_message(&self) -> JsonBuf {
        let urn = JsonBuf::string(PATCH_OP);
        let schemas = JsonBuf::array([urn.as_json()]);
        let operations = JsonBuf::array(self.operations.iter().map(JsonBuf::as_json));
        JsonBuf::object([
            ("schemas", schemas.as_json()),
            ("Operations", operations.as_json()),
        ])
    }

    fn push(mut self, op: Op, path: &str, value: Option<Json<'_>>) -> Self {
        let (op, path) = (JsonBuf::string(op.as_str()), JsonBuf::string(path));
        let members = [("op", op.as_json()), ("path", path.as_json())];
        self.operations.push(JsonBuf::object(
            members.into_iter().chain(value.map(|value| ("value", value))),
        ));
        self
    }
}

fn name(path: AttrPath, root: &'static [Attribute]) -> String {
    path.name(root).map(|name| name.to_string()).unwrap_or_default()
}

fn list<T: ScimValue>(values: impl IntoIterator<Item = T>) -> JsonBuf {
    let values: Vec<_> = values.into_iter().map(|value| value.view().to_json()).collect();
    JsonBuf::array(values.iter().map(JsonBuf::as_json))
}

impl<R> Default for PatchBuilder<R> {
    fn default() -> Self {
        Self {
            operations: Vec::new(),
            resource: PhantomData,
        }
    }
}

impl<R> Debug for PatchBuilder<R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("PatchBuilder")
            .field("operations", &self.operations)
            .finish()
    }
}
