//! Roles: names for sets of permissions.

use jiff::Timestamp;
use uuid::Uuid;

use super::fault::{Fault, Result};
use super::naming;
use super::permission::{Area, Permission, Permissions, Right};

/// The identifier of a role; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct RoleId(pub(crate) Uuid);

impl std::fmt::Display for RoleId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A role. Its holders are worked out: see [`effective`](super::effective).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Role {
    pub(crate) id: RoleId,
    /// The name of the group that it mirrors, or the name that an administrator gave.
    pub(crate) name: String,
    pub(crate) description: String,
    /// The key of the group that it mirrors, among the resources of SCIM.
    pub(crate) mirrors: Option<i64>,
    pub(crate) permissions: Permissions,
    pub(crate) created: Timestamp,
    pub(crate) changed: Timestamp,
}

impl Role {
    /// Returns a new role of an administrator.
    pub(crate) fn new(id: RoleId, draft: Draft, now: Timestamp) -> Self {
        Self {
            id,
            name: draft.name,
            description: draft.description,
            mirrors: None,
            permissions: draft.permissions,
            created: now,
            changed: now,
        }
    }

    /// Returns the role that mirrors a new group: it permits nothing until an administrator says what.
    pub(crate) fn mirroring(id: RoleId, group: i64, name: &str, now: Timestamp) -> Self {
        Self {
            id,
            name: name.to_owned(),
            description: String::new(),
            mirrors: Some(group),
            permissions: Permissions::NONE,
            created: now,
            changed: now,
        }
    }

    /// Returns whether it mirrors a group and nobody has said yet what it permits.
    pub(crate) fn needs_permissions(&self) -> bool {
        self.mirrors.is_some() && self.permissions.is_empty()
    }

    /// Checks that an administrator may give it another name, or delete it.
    ///
    /// # Errors
    /// The role mirrors a group: the identity provider names and deletes it.
    pub(crate) fn demand_own(&self) -> Result<()> {
        if self.mirrors.is_none() {
            return Ok(());
        }
        Err(Fault::conflict(format!(
            "The role {:?} mirrors a group: rename or delete the group at the identity provider, and the role follows. \
             Its permissions are set here.",
            self.name
        )))
    }
}

/// A role that does not exist yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) permissions: Permissions,
}

/// Checks the name of a role, and trims it.
///
/// # Errors
/// The name is empty, too long, or has characters that cannot be seen.
pub(crate) fn name(text: &str) -> Result<String> {
    naming::name("a role", text)
}

/// Checks the description of a role, and trims it.
///
/// # Errors
/// The description is too long or has characters that cannot be seen.
pub(crate) fn description(text: &str) -> Result<String> {
    naming::description("a role", text)
}

/// Returns the roles of a new organization.
pub(crate) fn first_roles() -> [Draft; 3] {
    let draft = |name: &str, description: &str, permissions| Draft {
        name: name.to_owned(),
        description: description.to_owned(),
        permissions,
    };
    let read: Permissions = Permission::CATALOGUE
        .iter()
        .filter(|permission| is_shown_to_all_readers(permission))
        .cloned()
        .collect();
    let operated = [
        Permission::USERS_WRITE,
        Permission::GROUPS_WRITE,
        Permission::MAPPINGS_WRITE,
    ];
    let mut operate = read.clone();
    operate.extend(operated);
    [
        draft("Administrator", "May do everything.", Permissions::catalogue()),
        draft(
            "Operator",
            "Sees everything but the bodies of requests; changes people, groups and mappings.",
            operate,
        ),
        draft("Read only", "Sees everything but the bodies of requests.", read),
    ]
}

/// Bodies of requests hold what nobody has looked through, and are for those who are given them one by one.
fn is_shown_to_all_readers(permission: &Permission) -> bool {
    matches!(permission, Permission::Catalogue(area, Right::Read) if *area != Area::HistoryBodies)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feature row 112: the roles of a new organization.
    #[test]
    fn a_new_organization_has_three_roles() {
        let [administrator, operator, reader] = first_roles();
        assert_eq!(
            [&administrator.name, &operator.name, &reader.name],
            ["Administrator", "Operator", "Read only"]
        );
        assert_eq!(administrator.permissions.len(), 24);
        assert_eq!(reader.permissions.len(), 11);
        assert!(!reader.permissions.has(&Permission::HISTORY_BODIES_READ));
        assert_eq!(
            reader.permissions.lacking(&operator.permissions).to_string(),
            "users:write, groups:write, mappings:write"
        );
        for role in first_roles() {
            assert_eq!(name(&role.name).unwrap(), role.name);
            assert_eq!(description(&role.description).unwrap(), role.description);
        }
    }

    /// Feature row 62: a role that mirrors a group is named and deleted by the group.
    #[test]
    fn a_mirrored_role_is_the_groups() {
        let id = RoleId(Uuid::nil());
        let mirrored = Role::mirroring(id, 7, "Sales", Timestamp::UNIX_EPOCH);
        assert!(mirrored.needs_permissions());
        assert!(
            mirrored
                .demand_own()
                .unwrap_err()
                .to_string()
                .contains("mirrors a group")
        );
        let own = Role::new(id, first_roles()[2].clone(), Timestamp::UNIX_EPOCH);
        assert!(own.demand_own().is_ok());
        assert!(!own.needs_permissions());
    }
}
