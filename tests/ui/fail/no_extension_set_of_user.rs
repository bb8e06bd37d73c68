//! The parameter of `UserWith` is a set of extensions, not one extension: the error says what a set is.

use scim::ScimExtension;
use scim::resources::UserWith;

#[derive(Debug, Clone, PartialEq, Default, ScimExtension)]
#[scim(schema = "urn:example:Audit")]
struct Audit {
    auditor: Option<String>,
}

fn main() {
    _ = UserWith::<Audit>::new("bjensen");
}
