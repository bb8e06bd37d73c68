//! The faults that only the types tell: evaluated by the compiler, reported where it is written.

use scim::value::{DateTime, Edges, Meta, ResourceId};
use scim::{ScimComplex, ScimExtension, ScimResource};

#[derive(Debug, Clone, PartialEq, ScimComplex)]
struct Zone {
    value: Option<String>,
}

#[derive(Debug, Clone, PartialEq, ScimComplex)]
struct Nested {
    zones: Vec<Zone>,
}

#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:Badge")]
struct Badge {
    id: ResourceId,
    meta: Meta,
    #[scim(unique = "server", indexed)]
    zone: Option<Zone>,
    #[scim(case_exact)]
    active: Option<bool>,
    #[scim(canonical("a", "b"))]
    count: Option<i32>,
    #[scim(fold = "user_name")]
    since: Option<DateTime>,
    #[scim(reference_types("User"))]
    user: Option<String>,
    #[scim(format = "certificate")]
    certificate: Option<String>,
    #[scim(format = "country")]
    country: Option<scim::value::Reference>,
    #[scim(edges)]
    members: Edges<Zone>,
}

#[derive(Debug, Clone, PartialEq, ScimExtension)]
#[scim(schema = "urn:example:Audit")]
struct Audit {
    nested: Option<Zone>,
}

#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:Twice")]
struct Twice {
    id: ResourceId,
    meta: Meta,
    #[scim(extension)]
    first: Option<Audit>,
    #[scim(extension)]
    second: Option<Audit>,
}

fn main() {}
