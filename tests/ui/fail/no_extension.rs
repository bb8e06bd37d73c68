//! A type in a field for extensions is one.

use scim::value::{Meta, ResourceId};
use scim::{ScimComplex, ScimResource};

#[derive(Debug, Clone, PartialEq, Default, ScimComplex)]
struct Complex {
    a: Option<String>,
}

#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:Badge")]
struct Badge {
    id: ResourceId,
    meta: Meta,
    #[scim(extension)]
    audit: Option<Complex>,
}

fn main() {}
