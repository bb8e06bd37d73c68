//! Schema metadata as constant data (RFC 7643 sections 2 and 7).
//!
//! A derive writes one table of [`Attribute`]s per struct; everything else in the crate reads these tables.

mod attribute;
mod resource_type;

pub use attribute::{Attribute, Format, Mutability, Returned, Role, Shape, Type, Uniqueness, position};
pub(crate) use attribute::{SCHEMAS, position_from};
pub use resource_type::{ResourceType, Schema};
