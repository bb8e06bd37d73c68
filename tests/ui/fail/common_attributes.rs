//! Every resource has `id` and `meta`, and what they are is not for the field to say (RFC 7643 section 3.1).

use scim::ScimResource;
use scim::value::{ExternalId, Meta, ResourceId};

#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:Bare")]
struct Bare {
    a: Option<String>,
}

#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:WrongTypes")]
struct WrongTypes {
    id: String,
    meta: Option<Meta>,
    external_id: ExternalId,
}

#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:Changed")]
struct Changed {
    #[scim(mutability = "readWrite")]
    id: ResourceId,
    #[scim(indexed, rename = "foreignId")]
    external_id: Option<ExternalId>,
    meta: Meta,
}

#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:Reserved")]
struct Reserved {
    id: ResourceId,
    meta: Meta,
    schemas: Vec<String>,
    #[scim(rename = "externalid")]
    other: Option<String>,
}

fn main() {}
