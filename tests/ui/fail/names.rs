//! Names of attributes (RFC 7643 section 2.1): their letters, and that case does not tell them apart.

use scim::ScimComplex;

#[derive(Debug, Clone, PartialEq, ScimComplex)]
struct Clash {
    family_name: Option<String>,
    #[scim(rename = "FAMILYname")]
    surname: Option<String>,
}

#[derive(Debug, Clone, PartialEq, ScimComplex)]
struct Letters {
    #[scim(rename = "größe")]
    size: Option<String>,
    #[scim(rename = "2nd")]
    second: Option<String>,
    #[scim(rename = "")]
    empty: Option<String>,
    #[scim(rename = "$id")]
    dollar: Option<String>,
    #[scim(rename = "name.given")]
    dotted: Option<String>,
}

fn main() {}
