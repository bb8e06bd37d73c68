//! A handler of another type than the field's: one error.

use scim::ScimComplex;

struct NoHandler;

#[derive(Debug, Clone, PartialEq, ScimComplex)]
struct Holder {
    #[scim(with = "NoHandler")]
    pin: Option<String>,
    value: String,
}

fn main() {}
