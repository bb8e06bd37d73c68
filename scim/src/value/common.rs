//! The attributes that every resource has (RFC 7643 section 3.1).

use std::fmt::{self, Display, Formatter};

use crate::ScimComplex;
use crate::error::Result;
use crate::schema::{Mutability, Returned, Shape, Type, Uniqueness};
use crate::value::{DateTime, Json, Reference, Scalar, View};

/// The identifier that the service gives to a resource: stable, never given twice, read-only for clients.
///
/// It is empty until a store has created the resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ResourceId(String);

impl ResourceId {
    /// Wraps an identifier made by a store.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// Returns the identifier as text.
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
    /// Wraps an identifier made by a client.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// Returns the identifier as text.
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

/// The facts that the service keeps of a resource: its type, times, place and version. Read-only for clients.
///
/// Everything is unassigned until a store has created the resource.
#[derive(Debug, Clone, PartialEq, Eq, Default, ScimComplex)]
pub struct Meta {
    /// The name of the resource type.
    #[scim(mutability = "readOnly", case_exact)]
    pub resource_type: Option<String>,
    /// When the resource was created.
    #[scim(mutability = "readOnly")]
    pub created: Option<DateTime>,
    /// When the resource last changed.
    #[scim(mutability = "readOnly", indexed)]
    pub last_modified: Option<DateTime>,
    /// The URI of the resource.
    #[scim(mutability = "readOnly", reference_types("uri"))]
    pub location: Option<Reference>,
    /// The version of the resource, as in the header ETag.
    #[scim(mutability = "readOnly", case_exact)]
    pub version: Option<String>,
}
