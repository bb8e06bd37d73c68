//! The JSON documents of the command line. Their keys are a contract with the scripts of others.

use std::fmt::{self, Display, Formatter};

use jiff::{Timestamp, Unit};
use serde::Serialize;
use uuid::Uuid;

use super::settings::InForce;
use crate::actions::organization::MovedRole;
use crate::domain::counted::counted;
use crate::domain::organization::Organization;
use crate::domain::settings::Settings;
use crate::domain::token::{Purpose, State, Token};

/// Rounds a time for people and scripts to whole seconds, in UTC.
pub(super) fn time(at: Timestamp) -> Timestamp {
    at.round(Unit::Second).unwrap_or(at)
}

/// The answer of `org create`.
#[derive(Debug, Serialize)]
pub(super) struct Created {
    pub(super) organization: String,
    pub(super) scim_url: String,
    /// The only time that it is shown.
    pub(super) token: String,
}

/// An organization.
#[derive(Debug, Serialize)]
pub(super) struct OrganizationDocument {
    pub(super) organization: String,
    pub(super) id: Uuid,
    pub(super) display: String,
    pub(super) enabled: bool,
    pub(super) scim_url: String,
    pub(super) created: Timestamp,
    pub(super) settings: Settings,
}

impl OrganizationDocument {
    pub(super) fn new(organization: Organization, scim_url: String) -> Self {
        Self {
            organization: organization.name.to_string(),
            id: organization.id,
            enabled: organization.is_enabled(),
            display: organization.display,
            scim_url,
            created: time(organization.created),
            settings: organization.settings,
        }
    }
}

/// The answer of `org list`.
#[derive(Debug, Serialize)]
pub(super) struct Organizations {
    pub(super) organizations: Vec<OrganizationDocument>,
}

/// The answer of `org show`.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    #[serde(flatten)]
    pub(super) organization: OrganizationDocument,
    pub(super) tokens: Vec<TokenDocument>,
}

/// The answer of `org delete`.
#[derive(Debug, Serialize)]
pub(super) struct Deleted {
    pub(super) organization: String,
    pub(super) id: Uuid,
    pub(super) deleted: bool,
    /// The things that went with it.
    pub(super) people: u64,
    pub(super) groups: u64,
}

/// The answer of `org set`. A part that does not apply has no key.
#[derive(Debug, Serialize)]
pub(super) struct SetDocument {
    #[serde(flatten)]
    pub(super) organization: OrganizationDocument,
    /// `false` of a preview.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) applied: Option<bool>,
    /// Changes that cannot be undone or keep people out, and ask for --confirm.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) needs_confirmation: Vec<String>,
    /// The effect on the access of people.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) effects: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) people_with_roles: Option<WithRoles>,
    /// The roles that more or fewer people would have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) roles: Vec<MovedRole>,
    /// Further things worth knowing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) notes: Vec<&'static str>,
    /// The token that the first save has made, where that is the order of the set-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
}

/// How many people have roles.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct WithRoles {
    pub(super) before: u64,
    pub(super) after: u64,
}

/// The known facts about a token.
#[derive(Debug, Serialize)]
pub(super) struct TokenDocument {
    pub(super) id: Uuid,
    pub(super) state: State,
    pub(super) purpose: Purpose,
    pub(super) prefix: String,
    pub(super) last_four: String,
    pub(super) created: Timestamp,
    pub(super) expires: Option<Timestamp>,
    pub(super) last_used: Option<Timestamp>,
    pub(super) revoked: Option<Timestamp>,
    /// A backup was restored that was taken then, and nobody has said that the token was not revoked afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) may_be_revoked_since: Option<Timestamp>,
}

impl TokenDocument {
    /// Returns a document for every token, the oldest first.
    pub(super) fn of_all(tokens: &[Token], now: Timestamp) -> Vec<Self> {
        let document = |token: &Token| Self {
            id: token.id,
            state: token.state(tokens, now),
            purpose: token.purpose,
            prefix: token.prefix.clone(),
            last_four: token.last_four.clone(),
            created: time(token.created),
            expires: token.expires.map(time),
            last_used: token.last_used.map(time),
            revoked: token.revoked.map(time),
            may_be_revoked_since: token.doubted.map(time),
        };
        tokens.iter().map(document).collect()
    }
}

/// The answer of `token create` and `token rotate`.
#[derive(Debug, Serialize)]
pub(super) struct TokenIssued {
    pub(super) organization: String,
    pub(super) scim_url: String,
    /// The URL at which the product behind reads, of a token for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) access_url: Option<String>,
    /// The only time that it is shown.
    pub(super) token: String,
    pub(super) id: Uuid,
    pub(super) purpose: Purpose,
    pub(super) expires: Option<Timestamp>,
    /// The tokens that ended with this.
    pub(super) revoked: Vec<Uuid>,
}

impl TokenIssued {
    pub(super) fn expires(at: Option<Timestamp>) -> Option<Timestamp> {
        at.map(time)
    }
}

/// The answer of `token list`, `revoke`, `complete` and `cancel`.
#[derive(Debug, Serialize)]
pub(super) struct Tokens {
    pub(super) organization: String,
    /// The tokens that ended with this command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) revoked: Option<Vec<Uuid>>,
    pub(super) tokens: Vec<TokenDocument>,
}

/// The answer of `serve` once it listens.
#[derive(Debug, Serialize)]
pub(super) struct Serving {
    pub(super) listening: String,
    pub(super) version: &'static str,
    pub(super) organizations: Vec<Served>,
    /// As long as the instance has no owner: where the first one sets it up, once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) set_up_url: Option<String>,
    /// With `--demo`: commands that show what there is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) commands: Vec<String>,
}

/// An organization that is served.
#[derive(Debug, Serialize)]
pub(super) struct Served {
    pub(super) organization: String,
    pub(super) scim_url: String,
}

/// The answer of `backup`.
#[derive(Debug, Serialize)]
pub(super) struct BackedUp {
    pub(super) backup: String,
    pub(super) bytes: u64,
    /// The file that is needed beside it, and is not part of it.
    pub(super) key_file: String,
    pub(super) taken: Timestamp,
}

/// The answer of `restore`.
#[derive(Debug, Serialize)]
pub(super) struct Restored {
    pub(super) database: String,
    pub(super) restored: String,
    /// When the backup was taken, if it says so.
    pub(super) taken: Option<Timestamp>,
    /// The present place of the database that was there before.
    pub(super) replaced: Option<String>,
    #[serde(flatten)]
    pub(super) counts: Counts,
}

/// The answer of `check`.
#[derive(Debug, Serialize)]
pub(super) struct Checked {
    pub(super) database: String,
    pub(super) sound: bool,
    #[serde(flatten)]
    pub(super) counts: Counts,
    pub(super) finding_count: u64,
    /// The first findings.
    pub(super) findings: Vec<String>,
    /// Work of many transactions that is not done yet, which is not a finding.
    pub(super) under_way: Vec<String>,
}

/// The contents of a database.
#[derive(Debug, Serialize)]
pub(super) struct Counts {
    pub(super) organizations: u64,
    pub(super) people: u64,
    pub(super) groups: u64,
    pub(super) memberships: u64,
    /// Requests in the history.
    pub(super) requests: u64,
}

impl Display for Counts {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {}, {}, {}, {} in the history",
            counted(self.organizations, "organization", "organizations"),
            counted(self.people, "person", "people"),
            counted(self.groups, "group", "groups"),
            counted(self.memberships, "membership", "memberships"),
            counted(self.requests, "request", "requests")
        )
    }
}

/// The answer of `serve --check-config`.
#[derive(Debug, Serialize)]
pub(super) struct Configuration {
    pub(super) settings: Vec<InForce>,
    /// Things that are allowed, and should be put right.
    pub(super) warnings: Vec<String>,
}

/// The answer of `health` about a server that is ready.
#[derive(Debug, Serialize)]
pub(super) struct Healthy {
    pub(super) url: String,
    pub(super) status: &'static str,
}
