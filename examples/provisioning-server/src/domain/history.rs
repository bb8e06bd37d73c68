//! The API history as it is read: entries, and what they are searched by.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::endpoint::PathFilter;

/// A request, as the history shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct HistoryEntry {
    /// The id to ask for it by, and to go on with.
    pub(crate) id: Uuid,
    pub(crate) time: Timestamp,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) scim_type: Option<String>,
    /// In microseconds.
    pub(crate) duration_us: i64,
    /// The meaning of the request to the organization.
    pub(crate) meaning: String,
    pub(crate) resource_type: Option<String>,
    pub(crate) resource_id: Option<String>,
    pub(crate) external_id: Option<String>,
    /// The id of the token.
    pub(crate) token: Option<Uuid>,
    pub(crate) request_id: String,
    pub(crate) idp: String,
    /// Which tolerances acted, and which attributes were sent and not kept.
    pub(crate) notes: Option<String>,
    pub(crate) error: Option<String>,
}

/// Which entries are looked for. Everything that is `Some` must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct HistoryFilter {
    /// Only requests that failed, or only those that did not.
    pub(crate) failed: Option<bool>,
    pub(crate) path: Option<PathFilter>,
    /// The id, external id or name of a person or group.
    pub(crate) subject: Option<String>,
    pub(crate) since: Option<Timestamp>,
    /// Not included.
    pub(crate) until: Option<Timestamp>,
}

/// The subject of an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Touched {
    /// The ids of people and groups.
    pub(crate) subjects: Vec<String>,
    /// How many more there were.
    pub(crate) more: u64,
}

/// How often a tolerance was needed, and for what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Needed {
    /// The name of the tolerance, or `not-kept` for attributes that were sent and are not kept here.
    pub(crate) tolerance: String,
    /// The name that it acted on; empty where none is known.
    pub(crate) subject: String,
    pub(crate) count: u64,
}
