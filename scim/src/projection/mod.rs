//! The part of a resource that an answer shows, and the resource written out as JSON (RFC 7644 sections 3.4.2.5 and 3.9).

mod holes;
mod select;
mod stored;
mod write;

#[cfg(test)]
mod tests;

pub use holes::{Base, close_document, fill_holes, open_document, push_name, push_reference, push_string};
pub(crate) use holes::{Filling, without_hole};
pub use select::Projection;
pub use stored::join_stored;
pub use write::{write_resource, write_value};
