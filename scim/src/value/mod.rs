//! Attribute values: what stands in a JSON document, and the types it becomes.

pub mod json;

pub use json::{Json, JsonBuf};
