//! What accounts may do, worked out from groups, mappings, roles and grants by SQL: nothing of it is stored.

use std::fmt::Write as _;

use scim::resources::Group;
use scim::store::database::{Param, Reader, Row};
use scim::store::documents::EdgeRows;
use uuid::Uuid;

use super::accounts::{Named, read_word};
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
    /// Counts the members of group 4 who have access.
    const MEMBERS: &'static str =
        "SELECT count(*) FROM scim_edge e JOIN account a ON a.org = ?1 AND a.row = e.dst
        WHERE e.tenant = ?2 AND e.src = ?4 AND e.attr = ?3 AND a.state = 'active' AND a.suspended IS NULL";

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
        let read = |row: &Row<'_>| read_permission(row.text(0)?);
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
        let sql = format!("{} AND NOT {}", Self::MEMBERS, self.holds(Some("?5"), Some("?4")));
        let params = self.params(&[group.into(), role.0.as_bytes().into()]);
        count(reader, &sql, &params)
    }

    /// How many members of a group gain or lose anything when these roles are added to it or removed from it: those who
    /// hold one of them by no other way.
    pub(crate) fn count_moved(&self, reader: &Reader<'_>, group: i64, roles: &[RoleId]) -> scim::Result<u64> {
        let ids: Vec<String> = (5..5 + roles.len()).map(|n| format!("?{n}")).collect();
        let alone = ids
            .iter()
            .map(|id| format!("NOT {}", self.holds(Some(id), Some("?4"))));
        let alone = alone.collect::<Vec<_>>().join(" OR ");
        if roles.is_empty() {
            return Ok(0);
        }
        let sql = format!("{} AND ({alone})", Self::MEMBERS);
        let mut others: Vec<Param<'_>> = vec![group.into()];
        others.extend(roles.iter().map(|role| Param::from(role.0.as_bytes())));
        count(reader, &sql, &self.params(&others))
    }

    /// How many people have a role, whatever leads to it.
    pub(crate) fn count_holding(&self, reader: &Reader<'_>, role: RoleId) -> scim::Result<u64> {
        let sql = format!("SELECT count(*) FROM ({})", self.holders("a.id"));
        count(reader, &sql, &self.params(&[role.0.as_bytes().into()]))
    }

    /// The first people who have a role, by their names.
    pub(crate) fn holding(&self, reader: &Reader<'_>, role: RoleId, most: u32) -> scim::Result<Vec<Named>> {
        let columns = "a.id, a.name, a.display, a.name_key";
        let sql = format!("{} ORDER BY 4, 1 LIMIT ?5", self.holders(columns));
        let params = self.params(&[role.0.as_bytes().into(), most.into()]);
        reader.query_all(&sql, &params, read_named)
    }

    /// How many people are in a group, whether they have access or not.
    pub(crate) fn count_in(&self, reader: &Reader<'_>, group: i64) -> scim::Result<u64> {
        let sql = "SELECT count(*) FROM scim_edge e JOIN account a ON a.org = ?1 AND a.row = e.dst
                   WHERE e.tenant = ?2 AND e.src = ?4 AND e.attr = ?3";
        count(reader, sql, &self.params(&[group.into()]))
    }

    /// The first people of a group, in the order in which they were provisioned.
    pub(crate) fn first_in(&self, reader: &Reader<'_>, group: i64, most: u32) -> scim::Result<Vec<Named>> {
        let sql =
            "SELECT a.id, a.name, a.display FROM scim_edge e JOIN account a ON a.org = ?1 AND a.row = e.dst
                   WHERE e.tenant = ?2 AND e.src = ?4 AND e.attr = ?3 ORDER BY e.dst LIMIT ?5";
        reader.query_all(sql, &self.params(&[group.into(), most.into()]), read_named)
    }

    /// A statement for these columns of the accounts that have role 4, each once: from the role to the people, so that it
    /// costs what the role has.
    fn holders(&self, columns: &str) -> String {
        let can = "a.state = 'active' AND a.suspended IS NULL";
        let to_group = match self.settings().groups {
            Groups::Map => "mapping m JOIN scim_edge e ON e.src = m.grp WHERE m.org = ?1 AND m.role = ?4",
            Groups::Mirror => "role r JOIN scim_edge e ON e.src = r.mirrors WHERE r.org = ?1 AND r.id = ?4",
        };
        let mut sql = format!(
            "SELECT {columns} FROM account a WHERE a.org = ?1 AND {can} AND a.row IN (
                SELECT e.dst FROM {to_group} AND e.tenant = ?2 AND e.attr = ?3)
             UNION SELECT {columns} FROM role_grant g JOIN account a ON a.org = g.org AND a.id = g.holder
                WHERE g.org = ?1 AND g.role = ?4 AND {can}"
        );
        if self.settings().assignment == Assignment::LocalGroups {
            sql += &format!(
                " UNION SELECT {columns} FROM role_grant g JOIN local_member l ON l.org = g.org AND l.local_group = g.holder
                    JOIN account a ON a.org = l.org AND a.id = l.account WHERE g.org = ?1 AND g.role = ?4 AND {can}"
            );
        }
        sql
    }
}

fn read_named(row: &Row<'_>) -> scim::Result<Named> {
    Ok(Named {
        id: read_id(row.blob(0)?)?,
        name: row.text(1)?.to_owned(),
        display: row.text(2)?.to_owned(),
    })
}

pub(super) fn count(reader: &Reader<'_>, sql: &str, params: &[Param<'_>]) -> scim::Result<u64> {
    let count = reader.query_one(sql, params, |row| row.integer(0))?;
    Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
}
