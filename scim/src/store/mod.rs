//! Where resources are kept.

#[cfg(feature = "sqlite")]
pub mod sqlite;
