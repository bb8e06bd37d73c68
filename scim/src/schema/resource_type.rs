//! Schemas and resource types (RFC 7643 sections 6 and 7).

use crate::schema::{Attribute, Role};

/// A schema: a URN and a table of attributes.
#[derive(Debug)]
pub struct Schema {
    /// The URN.
    pub id: &'static str,
    /// A name for people.
    pub name: &'static str,
    /// A description for people.
    pub description: &'static str,
    /// The attributes. The table of a resource also holds the common attributes and the extensions.
    pub attributes: &'static [Attribute],
}

impl Schema {
    /// Returns the attributes that the schema itself defines, without common attributes and extensions.
    pub fn own_attributes(&self) -> impl Iterator<Item = &'static Attribute> + use<> {
        self.attributes
            .iter()
            .filter(|attribute| matches!(attribute.role, Role::Plain))
    }

    /// Returns the schema extensions of a resource, in the order of its fields.
    pub fn extensions(&self) -> impl Iterator<Item = (&'static Attribute, &'static Schema)> + use<> {
        self.attributes
            .iter()
            .filter_map(|attribute| match attribute.role {
                Role::Extension(schema) => Some((attribute, schema)),
                _ => None,
            })
    }
}

/// A resource type: an endpoint and the schemas of what is found there (RFC 7643 section 6).
#[derive(Debug)]
pub struct ResourceType {
    /// The name, which is also `meta.resourceType`.
    pub name: &'static str,
    /// A description for people.
    pub description: &'static str,
    /// The endpoint below the base URL, such as `/Users`.
    pub endpoint: &'static str,
    /// The main schema, whose table also lists the extensions.
    pub schema: &'static Schema,
}

impl ResourceType {
    /// Returns the endpoint without its slash, as it stands in a relative reference such as `Users/2819`.
    #[must_use]
    pub fn segment(&self) -> &'static str {
        self.endpoint.trim_start_matches('/')
    }

    /// Returns whether `urn`, in any case, is the schema of the resources or that of one of their extensions (RFC 7643
    /// section 3).
    #[must_use]
    pub fn has_schema(&self, urn: &str) -> bool {
        let mut extensions = self.schema.extensions();
        urn.eq_ignore_ascii_case(self.schema.id)
            || extensions.any(|(_, extension)| urn.eq_ignore_ascii_case(extension.id))
    }
}
