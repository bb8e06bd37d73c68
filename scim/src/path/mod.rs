//! Names of attributes as clients write them (RFC 7644 section 3.10).

pub(crate) mod fault;
mod name;
pub(crate) mod parse;

pub use name::AttributeName;
