//! What accounts may do, worked out from groups, mappings, roles and grants by SQL: nothing of it is stored.

use std::fmt::Write as _;

use scim::resources::Group;
use scim::store::database::{Param, Reader};
use scim::store::documents::EdgeRows;
use uuid::Uuid;

use super::accounts::read_word;
use super::read_id;
use super::roles::read_permission;
use crate::domain::account::Account;
use crate::domain::grant::Origin;
use crate::domain::organization::Organization;
use crate::domain::permission::Permissions;
use crate::domain::role::RoleId;
use crate::domain::settings::{Assignment, Groups, Settings};

/// A role that an account holds, and one way by which it came to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HeldRole {
    pub(crate) role: RoleId,
    pub(crate) origin: Origin,
    /// The group of the provider that leads to it, by the key of its row.
    pub(crate) group: Option<i64>,
    /// The group kept here that leads to it.
    pub(crate) local_group: Option<Uuid>,
}

/// What statements about the members of an organization's groups need.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Members<'o> {
    organization: &'o Organization,
    /// Numbers of no edge at all where nothing was ever kept for the organization.
    edges: EdgeRows,
}

impl<'o> Members<'o> {
    /// Looks up where the members of the groups are.
    pub(crate) fn of(reader: &Reader<'_>, organization: &'o Organization) -> scim::Result<Self> {
        let found = EdgeRows::of::<Group>(reader, &organization.id.to_string(), "members")?;
        let none = EdgeRows {
            tenant: -1,
            attribute: -1,
        };
        Ok(Self {
            organization,
            edges: found.unwrap_or(none),
        })
    }

    fn settings(&self) -> &Settings {
        &self.organization.settings
    }

    /// Parameters 1 to 3 of every statement here: the organization, and where its edges are.
    pub(super) fn params<'p>(&'p self, others: &[Param<'p>]) -> Vec<Param<'p>> {
        let mut params = vec![
            self.organization.id.as_bytes().into(),
            self.edges.tenant.into(),
            self.edges.attribute.into(),
        ];
        params.extend_from_slice(others);
        params
    }

    /// The roles that an account holds, with every way to each of them; none while it has no access.
    pub(crate) fn roles(&self, reader: &Reader<'_>, account: &Account) -> scim::Result<Vec<HeldRole>> {
        if !account.has_access() {
            return Ok(Vec::new());
        }
        let sql = format!("{} ORDER BY 1, 2, 3, 4", self.ways());
        let params = self.params(&[account.id.as_bytes().into(), account.row.into()]);
        reader.query_all(&sql, &params, |row| {
            Ok(HeldRole {
                role: RoleId(read_id(row.blob(0)?)?),
                origin: read_word(row.text(1)?)?,
                group: row.optional_integer(2)?,
                local_group: row.optional_blob(3)?.map(read_id).transpose()?,
            })
        })
    }

    /// The permissions of an account: those of its roles, and those it holds by itself.
    pub(crate) fn permissions(&self, reader: &Reader<'_>, account: &Account) -> scim::Result<Permissions> {
        let mut permissions = Permissions::NONE;
        if !account.has_access() {
            return Ok(permissions);
        }
        let sql = format!(
            "SELECT DISTINCT p.permission FROM ({}) held JOIN role_permission p ON p.org = ?1 AND p.role = held.role
             UNION SELECT permission FROM permission_grant WHERE org = ?1 AND holder = ?4 AND NOT waiting",
            self.ways()
        );
        let params = self.params(&[account.id.as_bytes().into(), account.row.into()]);
        let read = |row: &scim::store::database::Row<'_>| read_permission(row.text(0)?);
        for permission in reader.query_all(&sql, &params, read)? {
            permissions.insert(permission);
        }
        Ok(permissions)
    }

    /// A statement for all ways by which account 4, whose row is 5, comes to roles.
    fn ways(&self) -> String {
        let by_groups = match self.settings().groups {
            Groups::Map => {
                "SELECT m.role AS role, 'mapping' AS origin, m.grp AS grp, NULL AS local_group
                 FROM scim_edge e JOIN mapping m ON m.org = ?1 AND m.grp = e.src
                 WHERE e.tenant = ?2 AND e.attr = ?3 AND e.dst = ?5"
            }
            Groups::Mirror => {
                "SELECT r.id AS role, 'mirrored-group' AS origin, r.mirrors AS grp, NULL AS local_group
                 FROM scim_edge e JOIN role r ON r.org = ?1 AND r.mirrors = e.src
                 WHERE e.tenant = ?2 AND e.attr = ?3 AND e.dst = ?5"
            }
        };
        let mut sql = format!(
            "{by_groups} UNION ALL SELECT g.role, g.origin, NULL, NULL FROM role_grant g
             WHERE g.org = ?1 AND g.holder = ?4"
        );
        if self.settings().assignment == Assignment::LocalGroups {
            sql += " UNION ALL SELECT g.role, 'local-group', NULL, l.local_group
                FROM local_member l JOIN role_grant g ON g.org = l.org AND g.holder = l.local_group
                WHERE l.org = ?1 AND l.account = ?4";
        }
        sql
    }

    /// A condition on the account `a`: that it holds the role `role` (a parameter), or any role where there is none, by
    /// another way than the group `except` (a parameter).
    pub(super) fn holds(&self, role: Option<&str>, except: Option<&str>) -> String {
        let is = |column: &str| role.map_or_else(String::new, |role| format!(" AND {column} = {role}"));
        let other = except.map_or_else(String::new, |group| format!(" AND o.src <> {group}"));
        let by_groups = match self.settings().groups {
            Groups::Map => format!("JOIN mapping m ON m.org = ?1 AND m.grp = o.src{}", is("m.role")),
            Groups::Mirror => format!("JOIN role r ON r.org = ?1 AND r.mirrors = o.src{}", is("r.id")),
        };
        let mut sql = format!(
            "(EXISTS (SELECT 1 FROM scim_edge o {by_groups}
                      WHERE o.tenant = ?2 AND o.attr = ?3 AND o.dst = a.row{other})
              OR EXISTS (SELECT 1 FROM role_grant g WHERE g.org = ?1 AND g.holder = a.id{})",
            is("g.role")
        );
        if self.settings().assignment == Assignment::LocalGroups {
            _ = write!(
                sql,
                " OR EXISTS (SELECT 1 FROM local_member l JOIN role_grant g ON g.org = l.org AND g.holder = l.local_group{}
                             WHERE l.org = ?1 AND l.account = a.id)",
                is("g.role")
            );
        }
        sql + ")"
    }

    /// How many members of a group, who have access, hold a role by no other way than this group: they gain it when the
    /// group is mapped to it, and lose it when it is not any more.
    pub(crate) fn count_by_group_alone(
        &self,
        reader: &Reader<'_>,
        group: i64,
        role: RoleId,
    ) -> scim::Result<u64> {
        let sql = format!(
            "SELECT count(*) FROM scim_edge e JOIN account a ON a.org = ?1 AND a.row = e.dst
             WHERE e.tenant = ?2 AND e.src = ?4 AND e.attr = ?3 AND a.state = 'active' AND a.suspended IS NULL
               AND NOT {}",
            self.holds(Some("?5"), Some("?4"))
        );
        let params = self.params(&[group.into(), role.0.as_bytes().into()]);
        count(reader, &sql, &params)
    }
}

pub(super) fn count(reader: &Reader<'_>, sql: &str, params: &[Param<'_>]) -> scim::Result<u64> {
    let count = reader.query_one(sql, params, |row| row.integer(0))?;
    Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
}
