//! The derives are for structs with named fields, which own what they hold.

use scim::{ScimComplex, ScimExtension, ScimResource};

#[derive(ScimComplex)]
struct Tuple(String);

#[derive(ScimExtension)]
#[scim(schema = "urn:example:Unit")]
struct Unit;

#[derive(ScimResource)]
#[scim(schema = "urn:example:Choice")]
enum Choice {
    A,
}

#[derive(ScimComplex)]
struct Borrowing<'a> {
    text: &'a str,
}

fn main() {}
