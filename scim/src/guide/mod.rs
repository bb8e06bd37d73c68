//! Pages that are about no single item.

pub mod changing_a_resource;
