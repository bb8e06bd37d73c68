//! A type that is not an attribute value: one error, at the type.

use scim::value::{Meta, ResourceId};
use scim::{ScimComplex, ScimResource};

#[derive(Debug, Clone, PartialEq)]
struct Pin(u32);

#[derive(Debug, Clone, PartialEq, ScimComplex)]
struct Holder {
    pin: Option<Pin>,
    value: String,
}

#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:Badge")]
struct Badge {
    id: ResourceId,
    meta: Meta,
    pin: Pin,
    pins: Vec<Pin>,
}

fn main() {}
