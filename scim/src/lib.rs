//! SCIM 2.0 for Rust (RFC 7643, RFC 7644).

pub mod error;
pub mod filter;
pub mod fold;
pub mod limits;
pub mod path;
pub mod value;

pub use error::{Error, Result, ScimType};
pub use limits::Limits;
