//! Groups that are kept in the portal: they hold roles, take in people by hand, and SCIM does not show them.

use jiff::Timestamp;
use uuid::Uuid;

/// A group that is kept in the portal. The roles that it holds are grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocalGroup {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) created: Timestamp,
}
