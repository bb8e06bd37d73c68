//! A read-only attribute has a value before the service gives it one.

use scim::{ScimComplex, ScimEnum};

#[derive(Debug, Clone, PartialEq, ScimEnum)]
enum State {
    On,
    Off,
}

#[derive(Debug, Clone, PartialEq, ScimComplex)]
struct Lamp {
    #[scim(mutability = "readOnly")]
    state: State,
}

fn main() {}
