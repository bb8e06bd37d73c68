//! Attribute paths (RFC 7644 section 3.10): as clients write them, as indices, and typed.

mod attr_path;
pub(crate) mod fault;
mod name;
pub(crate) mod parse;
mod resolve;
mod typed;

pub use attr_path::AttrPath;
pub use name::AttributeName;
pub use typed::{MultiPath, Path, PathNode};
