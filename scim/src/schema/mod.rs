//! Schema metadata as constant data (RFC 7643 sections 2 and 7).
//!
//! A derive writes one table of [`Attribute`]s per struct; everything else in the crate reads these tables.

mod attribute;
mod resource_type;

pub(crate) use attribute::position_from;
pub use attribute::{Attribute, Mutability, Returned, Role, Shape, Type, Uniqueness, position};
pub use resource_type::{ResourceType, Schema};
