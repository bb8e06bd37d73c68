//! The needs of a resource beside the derive: the traits that `ScimResource` names.

use scim::ScimResource;
use scim::value::{Meta, ResourceId};

#[derive(ScimResource)]
#[scim(schema = "urn:example:Badge")]
struct Badge {
    id: ResourceId,
    meta: Meta,
}

fn main() {}
