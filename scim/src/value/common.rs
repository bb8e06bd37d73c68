//! The attributes that every resource has (RFC 7643 section 3.1).

use std::fmt::{self, Display, Formatter};
use std::marker::PhantomData;

use crate::error::Result;
use crate::path::{AttrPath, Path, PathNode};
use crate::schema::{Attribute, Mutability, Returned, Role, Shape, Type, Uniqueness};
use crate::value::{
    Change, Cx, DateTime, Edit, Json, Record, Scalar, ScimValue, View, apply_to_record, decode_record,
};

/// The identifier that the service gives to a resource: stable, never given twice, read-only for clients.
///
/// It is empty until a store has created the resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ResourceId(String);

impl ResourceId {
    /// An identifier made by a store.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Display for ResourceId {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Scalar for ResourceId {
    const TYPE: Type = Type::String;
    const SHAPE: Shape = {
        let mut shape = Shape::new(Type::String);
        shape.case_exact = true;
        shape.mutability = Mutability::ReadOnly;
        shape.returned = Returned::Always;
        shape.uniqueness = Uniqueness::Server;
        shape
    };

    fn absent() -> Option<Self> {
        Some(Self::default())
    }

    fn view(&self) -> View<'_> {
        if self.0.is_empty() {
            View::Absent
        } else {
            View::text(&self.0)
        }
    }

    fn parse(json: Json<'_>) -> Result<Self> {
        String::parse(json).map(Self)
    }
}

/// The identifier that the client has for a resource; the service neither makes nor changes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExternalId(String);

impl ExternalId {
    /// An identifier made by a client.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Display for ExternalId {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Scalar for ExternalId {
    const TYPE: Type = Type::String;
    const SHAPE: Shape = {
        let mut shape = Shape::new(Type::String);
        shape.case_exact = true;
        shape
    };

    fn view(&self) -> View<'_> {
        View::text(&self.0)
    }

    fn parse(json: Json<'_>) -> Result<Self> {
        String::parse(json).map(Self)
    }
}

/// What the service knows of a resource: its type, times, place and version. Read-only for clients.
///
/// Everything is unassigned until a store has created the resource.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Meta {
    /// The name of the resource type.
    pub resource_type: Option<String>,
    /// When the resource was created.
    pub created: Option<DateTime>,
    /// When it last changed.
    pub last_modified: Option<DateTime>,
    /// Where it is, relative to the base URL: `Users/2819`.
    pub location: Option<String>,
    /// Its version, as in the header `ETag`: `W/"3"`.
    pub version: Option<String>,
}

const META: &[Attribute] = &[
    meta("resourceType", Type::String, "The name of the resource type."),
    meta("created", Type::DateTime, "When the resource was created."),
    {
        let mut attribute = meta("lastModified", Type::DateTime, "When the resource last changed.");
        attribute.indexed = true;
        attribute
    },
    meta("location", Type::Reference, "The URI of the resource."),
    meta(
        "version",
        Type::String,
        "The version of the resource, as in the header ETag.",
    ),
];

const fn meta(name: &'static str, kind: Type, description: &'static str) -> Attribute {
    let mut shape = Shape::new(kind).optional();
    shape.case_exact = matches!(kind, Type::String | Type::Reference);
    shape.mutability = Mutability::ReadOnly;
    if matches!(kind, Type::Reference) {
        shape.reference_types = &["uri"];
    }
    let mut attribute = Attribute::new(name, shape);
    attribute.description = description;
    attribute.role = Role::Common;
    attribute
}

impl Record for Meta {
    fn attributes(&self) -> &'static [Attribute] {
        META
    }

    fn view(&self, index: usize) -> View<'_> {
        match index {
            0 => ScimValue::view(&self.resource_type),
            1 => ScimValue::view(&self.created),
            2 => ScimValue::view(&self.last_modified),
            3 => self
                .location
                .as_deref()
                .map_or(View::Absent, |path| View::Relative(path.into())),
            4 => ScimValue::view(&self.version),
            _ => View::Absent,
        }
    }

    fn apply(&mut self, index: usize, edit: Edit<'_>, cx: &mut Cx<'_>) -> Result<Change> {
        match index {
            0 => self.resource_type.apply(edit, cx),
            1 => self.created.apply(edit, cx),
            2 => self.last_modified.apply(edit, cx),
            3 => self.location.apply(edit, cx),
            4 => self.version.apply(edit, cx),
            _ => Ok(Change::None),
        }
    }
}

impl ScimValue for Meta {
    const SHAPE: Shape = {
        let mut shape = Shape::complex(META);
        shape.mutability = Mutability::ReadOnly;
        shape
    };

    type Paths<R: 'static> = MetaPaths<R>;

    fn view(&self) -> View<'_> {
        View::Complex(self)
    }

    fn decode(json: Json<'_>, cx: &mut Cx<'_>) -> Result<Self> {
        let mut meta = Self::default();
        decode_record(json, META, cx, &mut |index, json, cx| {
            match index {
                0 => meta.resource_type = ScimValue::decode(json, cx)?,
                1 => meta.created = ScimValue::decode(json, cx)?,
                2 => meta.last_modified = ScimValue::decode(json, cx)?,
                3 => meta.location = ScimValue::decode(json, cx)?,
                _ => meta.version = ScimValue::decode(json, cx)?,
            }
            Ok(())
        })?;
        Ok(meta)
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }

    fn apply(&mut self, edit: Edit<'_>, cx: &mut Cx<'_>) -> Result<Change> {
        apply_to_record(self, edit, cx)
    }
}

/// Typed paths below `meta`.
pub struct MetaPaths<R> {
    path: AttrPath,
    root: &'static [Attribute],
    owner: PhantomData<fn() -> R>,
}

impl<R> Clone for MetaPaths<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for MetaPaths<R> {}

impl<R> PathNode for MetaPaths<R> {
    fn at(path: AttrPath, root: &'static [Attribute]) -> Self {
        Self {
            path,
            root,
            owner: PhantomData,
        }
    }
}

macro_rules! meta_paths {
    ($($index:literal $name:ident: $type:ty = $scim:literal,)*) => {
        impl<R> MetaPaths<R> {
            $(
                #[doc = concat!("`meta.", $scim, "`")]
                #[must_use]
                pub fn $name(&self) -> Path<R, $type> {
                    PathNode::at(self.path.push($index), self.root)
                }
            )*
        }
    };
}

meta_paths! {
    0 resource_type: String = "resourceType",
    1 created: DateTime = "created",
    2 last_modified: DateTime = "lastModified",
    3 location: String = "location",
    4 version: String = "version",
}
