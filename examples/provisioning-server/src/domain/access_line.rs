//! The lines of an export that say who has access to what: accounts, roles, local groups, mappings and grants.
//!
//! Accounts, roles and local groups are named by their ids, people and groups of the identity provider by theirs over
//! SCIM. No credential is in any line.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::account::{Account, AccountState, ManagedBy, Suspension};
use super::grant::{Holder, Origin, PermissionGrant, RoleGrant};
use super::local_group::LocalGroup;
use super::permission::{Permission, Permissions};
use super::role::{Role, RoleId};

/// The beginning of every such line, by which it is told from others without being read.
const BEGIN: &[u8] = b"{\"access\":";

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "access", rename_all = "kebab-case")]
pub(crate) enum AccessLine {
    /// An account. It comes before the person of SCIM that it is, who is then bound to it.
    Account(AccountLine),
    /// A role of administrators.
    Role(RoleLine),
    /// The permissions of the role that mirrors a group.
    MirroredRole(MirroredRoleLine),
    /// A group that is kept here.
    LocalGroup(LocalGroupLine),
    /// Accounts in such a group.
    LocalMembers(LocalMembersLine),
    /// A group of the identity provider, and a role that its members have.
    Mapping(MappingLine),
    /// A role that an account or a local group holds by itself.
    RoleGrant(RoleGrantLine),
    /// A permission that an account holds by itself.
    PermissionGrant(PermissionGrantLine),
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountLine {
    pub(crate) id: Uuid,
    pub(crate) managed_by: ManagedBy,
    pub(crate) name: String,
    pub(crate) display: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    pub(crate) state: AccountState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) suspended: Option<SuspensionLine>,
    pub(crate) created: Timestamp,
    /// Missing of somebody who is there over SCIM: then it is the time of the import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) changed: Option<Timestamp>,
    /// The people of SCIM that it is and was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) people: Vec<BindingLine>,
}

/// A lock of the sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SuspensionLine {
    since: Timestamp,
    reason: String,
    by: String,
}

/// A person of SCIM that an account is, or was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BindingLine {
    pub(crate) id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) external_id: Option<String>,
    pub(crate) since: Timestamp,
    /// Missing as long as the person is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<Timestamp>,
}

/// A role of administrators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleLine {
    pub(crate) id: RoleId,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) permissions: Permissions,
    pub(crate) created: Timestamp,
    pub(crate) changed: Timestamp,
}

/// The permissions of the role that mirrors a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MirroredRoleLine {
    /// The id of the group over SCIM.
    pub(crate) group: String,
    pub(crate) description: String,
    pub(crate) permissions: Permissions,
}

/// A group that is kept here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LocalGroupLine {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) created: Timestamp,
}

/// Accounts in a group that is kept here, at most a thousand in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LocalMembersLine {
    pub(crate) group: Uuid,
    pub(crate) add: Vec<Uuid>,
}

/// A group of the identity provider, and a role that its members have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MappingLine {
    /// The id of the group over SCIM.
    pub(crate) group: String,
    pub(crate) role: RoleId,
    pub(crate) created: Timestamp,
    pub(crate) by: String,
}

/// A role that an account or a local group holds by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleGrantLine {
    pub(crate) holder: Holder,
    pub(crate) role: RoleId,
    pub(crate) origin: Origin,
    pub(crate) created: Timestamp,
    pub(crate) by: String,
}

/// A permission that an account holds by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PermissionGrantLine {
    pub(crate) account: Uuid,
    pub(crate) permission: Permission,
    pub(crate) origin: Origin,
    pub(crate) waiting: bool,
    pub(crate) created: Timestamp,
    pub(crate) by: String,
}

impl AccessLine {
    /// Reads a line that may be one. `None` if it is another; a sentence that says what is wrong with it.
    pub(crate) fn parse(line: &[u8]) -> Option<Result<Self, String>> {
        line.starts_with(BEGIN)
            .then(|| serde_json::from_slice(line).map_err(|why| format!("The line is not valid: {why}.")))
    }

    /// Returns the kind of line, as it stands in it.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Account(_) => "account",
            Self::Role(_) => "role",
            Self::MirroredRole(_) => "mirrored-role",
            Self::LocalGroup(_) => "local-group",
            Self::LocalMembers(_) => "local-members",
            Self::Mapping(_) => "mapping",
            Self::RoleGrant(_) => "role-grant",
            Self::PermissionGrant(_) => "permission-grant",
        }
    }

    /// Returns how many rows it writes at most, beside its own.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::LocalMembers(line) => line.add.len(),
            Self::Account(line) => line.people.len(),
            _ => 0,
        }
    }
}

impl AccountLine {
    /// Makes the line of an account.
    pub(crate) fn of(account: Account, people: Vec<BindingLine>) -> Self {
        Self {
            id: account.id,
            managed_by: account.managed_by,
            name: account.name,
            display: account.display,
            address: account.address,
            state: account.state,
            suspended: account.suspended.map(SuspensionLine::of),
            created: account.created,
            changed: account.row.is_none().then_some(account.changed),
            people,
        }
    }

    /// Returns whether a person of SCIM follows in the file, who is then bound to the account.
    pub(crate) fn is_there_over_scim(&self) -> bool {
        self.people.iter().any(|person| person.until.is_none())
    }

    /// Returns the account under another id, as it is until its person comes: removed, if there is one to come.
    pub(crate) fn account(&self, id: Uuid) -> Account {
        Account {
            id,
            managed_by: self.managed_by,
            name: self.name.clone(),
            display: self.display.clone(),
            address: self.address.clone(),
            state: match self.is_there_over_scim() {
                true => AccountState::Removed,
                false => self.state,
            },
            suspended: self.suspended.clone().map(SuspensionLine::suspension),
            row: None,
            created: self.created,
            changed: self.changed.unwrap_or(self.created),
        }
    }
}

impl SuspensionLine {
    fn of(Suspension { since, reason, by }: Suspension) -> Self {
        Self { since, reason, by }
    }

    pub(crate) fn suspension(self) -> Suspension {
        let Self { since, reason, by } = self;
        Suspension { since, reason, by }
    }
}

impl From<Role> for RoleLine {
    fn from(role: Role) -> Self {
        Self {
            id: role.id,
            name: role.name,
            description: role.description,
            permissions: role.permissions,
            created: role.created,
            changed: role.changed,
        }
    }
}

impl From<LocalGroup> for LocalGroupLine {
    fn from(group: LocalGroup) -> Self {
        Self {
            id: group.id,
            name: group.name,
            description: group.description,
            created: group.created,
        }
    }
}

impl From<RoleGrant> for RoleGrantLine {
    fn from(grant: RoleGrant) -> Self {
        Self {
            holder: grant.holder,
            role: grant.role,
            origin: grant.origin,
            created: grant.created,
            by: grant.by,
        }
    }
}

impl From<PermissionGrant> for PermissionGrantLine {
    fn from(grant: PermissionGrant) -> Self {
        Self {
            account: grant.account,
            permission: grant.permission,
            origin: grant.origin,
            waiting: grant.waiting,
            created: grant.created,
            by: grant.by,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feature row 115: a line comes back as it was, is known by its beginning, and has nothing that is not known.
    #[test]
    fn a_line_comes_back_as_it_was() {
        let line = AccessLine::RoleGrant(RoleGrantLine {
            holder: Holder::LocalGroup(Uuid::from_u128(1)),
            role: RoleId(Uuid::from_u128(2)),
            origin: Origin::Hand,
            created: Timestamp::UNIX_EPOCH,
            by: "root".to_owned(),
        });
        let text = serde_json::to_string(&line).unwrap();
        assert!(
            text.starts_with(r#"{"access":"role-grant","holder":{"local-group":"#),
            "{text}"
        );
        assert_eq!(AccessLine::parse(text.as_bytes()).unwrap().unwrap(), line);
        assert!(AccessLine::parse(br#"{"type":"User"}"#).is_none());
        let more = text.replace("\"by\"", "\"password\":\"x\",\"by\"");
        let refused = AccessLine::parse(more.as_bytes()).unwrap().unwrap_err();
        assert!(refused.contains("password"), "{refused}");
    }
}
