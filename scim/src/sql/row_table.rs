//! A table whose rows are resources.

use super::column::Column;
use crate::schema::ResourceType;

/// The table whose rows are resources, where the library reads and writes them.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) resource_type: &'static ResourceType,
    pub(super) name: String,
    pub(super) id: Column,
    pub(super) tenant: Option<String>,
    pub(super) version: Option<String>,
    pub(super) created: Option<String>,
    pub(super) modified: Option<String>,
    pub(super) more: Option<String>,
}
