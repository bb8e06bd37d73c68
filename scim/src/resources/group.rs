//! The Group resource (RFC 7643 section 4.2).

use crate::value::{Edges, ExternalId, Meta, Reference, ResourceId};
use crate::{ExtensionSet, ScimComplex, ScimResource};

/// A group without extensions: what most services keep.
pub type Group = GroupWith<NoExtensions>;

/// A group of users and other groups (RFC 7643 section 4.2), with the schema extensions `E`.
#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(
    schema = "urn:ietf:params:scim:schemas:core:2.0:Group",
    name = "Group",
    endpoint = "/Groups",
    description = "A group of users and other groups"
)]
pub struct GroupWith<E> {
    /// The identifier that the service gives.
    pub id: ResourceId,
    /// The identifier that the client has for the group.
    #[scim(indexed)]
    pub external_id: Option<ExternalId>,
    /// The facts that the service keeps of the resource itself.
    pub meta: Meta,
    /// The name of the group, as people see it.
    #[scim(indexed)]
    pub display_name: String,
    /// The users and groups that belong to the group.
    #[scim(edges)]
    pub members: Edges<Member>,
    /// The schema extensions.
    #[scim(flatten)]
    pub extensions: E,
}

impl<E> GroupWith<E> {
    /// Makes a group without members.
    ///
    /// ```
    /// use scim::resources::{Group, Member};
    ///
    /// let mut group = Group::new("Tour Guides");
    /// group.members = vec![Member::user("2819c223")].into();
    /// ```
    #[must_use]
    pub fn new(display_name: impl Into<String>) -> Self
    where
        // Here and not on the block, so that the compiler says what a set of extensions is.
        E: ExtensionSet,
    {
        Self {
            id: ResourceId::default(),
            external_id: None,
            meta: Meta::default(),
            display_name: display_name.into(),
            members: Edges::default(),
            extensions: E::default(),
        }
    }
}

/// Somebody who belongs to a group. Members come and go, but none is turned into another.
#[derive(Debug, Clone, PartialEq, Eq, ScimComplex)]
pub struct Member {
    /// The id of the user or group.
    #[scim(key, case_exact, mutability = "immutable")]
    pub value: String,
    /// The URI of the user or group.
    #[scim(rename = "$ref", reference_types("User", "Group"), mutability = "immutable")]
    pub reference: Option<Reference>,
    /// Whether the member is a user or a group.
    #[scim(rename = "type", canonical("User", "Group"), mutability = "immutable")]
    pub kind: Option<String>,
    /// The name of the user or group, as people see it and the service knows it.
    #[scim(mutability = "readOnly")]
    pub display: Option<String>,
}

impl Member {
    /// Makes a member of which the id alone is known.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            value: id.into(),
            reference: None,
            kind: None,
            display: None,
        }
    }

    /// Makes a member for the user with this id, below the endpoint `/Users`.
    #[must_use]
    pub fn user(id: impl Into<String>) -> Self {
        Self::of("User", "/Users", id.into())
    }

    /// Makes a member for the group with this id, below the endpoint `/Groups`.
    #[must_use]
    pub fn group(id: impl Into<String>) -> Self {
        Self::of("Group", "/Groups", id.into())
    }

    fn of(kind: &str, endpoint: &str, id: String) -> Self {
        Self {
            reference: Some(Reference::resource(endpoint, &id)),
            kind: Some(kind.to_owned()),
            display: None,
            value: id,
        }
    }
}

/// No schema extensions at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ScimComplex)]
pub struct NoExtensions {}
