//! A struct that a `macro_rules!` makes: types and literals come in groups that nobody sees.

use scim::ScimResource;
use scim::value::{Meta, ResourceId};

macro_rules! resource {
    ($name:ident, $urn:literal, $endpoint:expr, $kind:ty) => {
        #[derive(Debug, Clone, PartialEq, ScimResource)]
        #[scim(schema = $urn, endpoint = $endpoint)]
        struct $name {
            id: ResourceId,
            meta: Meta,
            #[scim(required = false)]
            value: Option<$kind>,
        }
    };
}

resource!(Badge, "urn:example:Badge", "/Badges", String);

fn main() {
    assert_eq!(Badge::RESOURCE_TYPE.endpoint, "/Badges");
    _ = Badge::paths().value();
}
