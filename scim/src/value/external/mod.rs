//! Types of other crates as attribute values, each behind the feature named after its crate.

#[cfg(feature = "jiff")]
mod jiff;
#[cfg(feature = "url")]
mod url;
#[cfg(feature = "uuid")]
mod uuid;
