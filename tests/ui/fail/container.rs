//! The options of the struct as a whole.

use scim::value::{Meta, ResourceId};
use scim::{ScimComplex, ScimExtension, ScimResource};

#[derive(Debug, Clone, PartialEq, ScimResource)]
struct NoSchema {
    id: ResourceId,
    meta: Meta,
}

#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "http://example.com/Badge", endpoint = "Badges")]
struct NoUrnAndNoSlash {
    id: ResourceId,
    meta: Meta,
}

#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:Badge", endpoint = "/v2/Badges")]
struct TwoSegments {
    id: ResourceId,
    meta: Meta,
}

#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:Badge", name = "Security badge")]
struct NameWithSpace {
    id: ResourceId,
    meta: Meta,
}

#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:Badge", schemas = "urn:example:Badge", endpoint = 3, endpoint = "/Badges")]
struct UnknownTwiceAndNoText {
    id: ResourceId,
    meta: Meta,
}

#[derive(Debug, Clone, PartialEq, ScimExtension)]
struct ExtensionWithoutSchema {
    a: Option<String>,
}

#[derive(Debug, Clone, PartialEq, ScimExtension)]
#[scim(schema = "urn:example:Badge", endpoint = "/Badges")]
struct ExtensionWithEndpoint {
    a: Option<String>,
}

#[derive(Debug, Clone, PartialEq, ScimComplex)]
#[scim(schema = "urn:example:Badge", crate = "not a path")]
struct ComplexWithSchema {
    a: Option<String>,
}

#[derive(Debug, Clone, PartialEq, ScimComplex)]
#[scim]
struct NoList {
    a: Option<String>,
}

fn main() {}
