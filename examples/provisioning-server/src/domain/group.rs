//! A group of the identity provider, as the product knows it beside the resource of SCIM.

use jiff::Timestamp;
use scim::resources::Group;

/// A group that an identity provider has pushed. Its members are those of the resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProvisionedGroup {
    /// The key of its row among the resources of SCIM, by which its members are found.
    pub(crate) row: i64,
    /// Its id over SCIM.
    pub(crate) id: String,
    /// Its `displayName`, which two groups may share.
    pub(crate) name: String,
    pub(crate) external_id: Option<String>,
    pub(crate) created: Timestamp,
}

impl ProvisionedGroup {
    /// Returns what the product knows of a group whose row has this key.
    pub(crate) fn of(row: i64, id: &str, group: &Group, created: Timestamp) -> Self {
        Self {
            row,
            id: id.to_owned(),
            name: group.display_name.clone(),
            external_id: group.external_id.as_ref().map(|id| id.as_str().to_owned()),
            created,
        }
    }
}
