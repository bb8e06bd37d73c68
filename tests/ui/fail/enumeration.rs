//! An enum of canonical values has variants without data, whose names differ.

use scim::ScimEnum;

#[derive(Debug, Clone, PartialEq, ScimEnum)]
enum Fields {
    Plain,
    Number(u32),
    Named { a: String },
}

#[derive(Debug, Clone, PartialEq, ScimEnum)]
enum Generic<T> {
    Plain,
    #[scim(other)]
    Other(T),
}

#[derive(Debug, Clone, PartialEq, ScimEnum)]
enum Empty {}

#[derive(Debug, Clone, PartialEq, ScimEnum)]
enum Clash {
    InTransit,
    #[scim(rename = "intransit")]
    Moving,
}

#[derive(Debug, Clone, PartialEq, ScimEnum)]
enum Others {
    Plain,
    #[scim(other)]
    Unit,
    #[scim(other)]
    Second(String),
}

#[derive(Debug, Clone, PartialEq, ScimEnum)]
#[scim(schema = "urn:example:Colour")]
enum Keys {
    #[scim(indexed)]
    Plain,
    #[scim(rename = "")]
    Nameless,
}

#[derive(Debug, Clone, PartialEq, ScimEnum)]
struct NoEnum {
    a: String,
}

fn main() {}
