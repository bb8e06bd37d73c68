//! SCIM 2.0 for Rust (RFC 7643, RFC 7644).

// The derives name this crate `::scim`, also where the crate uses them itself.
extern crate self as scim;

#[cfg(feature = "client")]
pub mod client;
pub mod error;
pub mod filter;
pub mod fold;
pub mod limits;
pub mod message;
pub mod patch;
pub mod path;
pub mod policy;
pub mod projection;
pub mod record;
pub mod resources;
pub mod schema;
pub mod service;
pub mod sort;
pub mod sql;
pub mod store;
pub mod value;

#[doc(hidden)]
pub mod __private;

pub use error::{Error, Result, ScimType};
pub use limits::Limits;
pub use record::{ExtensionSet, Record, ScimExtension, ScimResource};
pub use scim_derive::{ScimComplex, ScimEnum, ScimExtension, ScimResource};
pub use value::{Scalar, ScimValue};
