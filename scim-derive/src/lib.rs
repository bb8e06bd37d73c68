//! Derive macros of the `scim` crate.
