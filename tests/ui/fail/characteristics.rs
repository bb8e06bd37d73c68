//! Characteristics with values they do not have, and ones that contradict each other: all faults of a struct at once.

use scim::ScimComplex;

#[derive(Debug, Clone, PartialEq, ScimComplex)]
struct Values {
    #[scim(mutability = "readonly")]
    a: Option<String>,
    #[scim(returned = "sometimes", unique = "yes")]
    b: Option<String>,
    #[scim(fold = "upper")]
    c: Option<String>,
    #[scim(format = "tag")]
    i: Option<String>,
    #[scim(case_exact = "true")]
    d: Option<String>,
    #[scim(canonical = "work", reference_types)]
    e: Option<String>,
    #[scim(indexed = true)]
    f: Option<String>,
    #[scim(with = "3 + 4")]
    g: Option<String>,
    #[scim(canonical("work", "Work"))]
    h: Option<String>,
    #[scim(unique)]
    j: Option<String>,
}

#[derive(Debug, Clone, PartialEq, ScimComplex)]
struct Keys {
    #[scim(readonly)]
    a: Option<String>,
    #[scim(required, required = false)]
    b: Option<String>,
    #[scim(unique = "server", uniqueness = "none")]
    c: Option<String>,
    #[scim(required required)]
    d: Option<String>,
    #[scim(indexed)]
    #[scim(indexed)]
    e: Option<String>,
}

#[derive(Debug, Clone, PartialEq, ScimComplex)]
struct Contradictions {
    #[scim(mutability = "writeOnly", returned = "default")]
    a: Option<String>,
    #[scim(case_exact, fold = "user_name")]
    b: Option<String>,
    #[scim(transient)]
    c: String,
    #[scim(transient, required)]
    d: Option<String>,
}

fn main() {}
