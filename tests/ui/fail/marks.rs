//! Fields that are something special stand where that makes sense.

use scim::value::{Edges, Extra, Meta, ResourceId};
use scim::{ScimComplex, ScimExtension, ScimResource};

#[derive(Debug, Clone, PartialEq, ScimExtension)]
#[scim(schema = "urn:example:Audit")]
struct Audit {
    #[scim(key)]
    auditor: Option<String>,
    #[scim(edges)]
    findings: Edges<Finding>,
    #[scim(extra)]
    extra: Extra,
    #[scim(extension)]
    nested: Option<Box<Audit>>,
}

#[derive(Debug, Clone, PartialEq, ScimComplex)]
struct Finding {
    #[scim(key)]
    value: String,
    #[scim(extension)]
    audit: Option<Audit>,
    #[scim(flatten)]
    rest: Audit,
}

#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:Badge")]
struct Badge {
    id: ResourceId,
    meta: Meta,
    #[scim(key)]
    number: Option<String>,
    #[scim(edges)]
    zones: Vec<Finding>,
    findings: Edges<Finding>,
    #[scim(extension, with = "Handler")]
    audit: Option<Audit>,
    #[scim(extension, rename = "audit")]
    second: Option<Audit>,
    #[scim(extra)]
    extra: Extra,
    #[scim(extra)]
    more: Vec<String>,
    #[scim(skip, indexed)]
    skipped: Option<String>,
}

fn main() {}
