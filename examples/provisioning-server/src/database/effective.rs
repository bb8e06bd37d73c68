//! The access of accounts, worked out from groups, mappings, roles and grants by SQL: nothing of it is stored.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use scim::resources::Group;
use scim::store::database::{Param, Reader, Row};
use scim::store::documents::EdgeRows;
use uuid::Uuid;

use super::accounts::{Named, read_word};
use super::roles::read_permission;
use super::{count, grants, placeholders, read_id};
use crate::domain::account::{Account, ManagedBy};
use crate::domain::effective::{Effective, Path, Reason};
use crate::domain::grant::Origin;
use crate::domain::mail::Recipient;
use crate::domain::organization::Organization;
use crate::domain::permission::Permission;
use crate::domain::role::RoleId;
use crate::domain::settings::{Assignment, Groups, Settings};

/// The most people who have a role that are sorted to show the first of them.
const MOST_SORTED: u32 = 1_000;

/// The numbers that statements about the members of an organization's groups need.
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

    pub(super) fn organization(&self) -> Uuid {
        self.organization.id
    }

    pub(super) fn settings(&self) -> &Settings {
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

    /// Returns the access of an account now: nothing while it has none.
    pub(crate) fn effective(&self, reader: &Reader<'_>, account: &Account) -> scim::Result<Effective> {
        match account.has_access() {
            true => self.potential(reader, account),
            false => Ok(Effective::default()),
        }
    }

    /// Returns the access of an account as soon as its person can sign in, with every way that leads to it.
    pub(crate) fn potential(&self, reader: &Reader<'_>, account: &Account) -> scim::Result<Effective> {
        let mut effective = Effective::default();
        let sql = format!(
            "SELECT held.role, held.origin, held.grp, held.local_group, p.permission FROM ({}) held
             LEFT JOIN role_permission p ON p.org = ?1 AND p.role = held.role",
            self.ways(account)
        );
        let params = self.params(&[account.id.as_bytes().into(), account.row.into()]);
        for (role, path, permission) in reader.query_all(&sql, &params, read_way)? {
            effective.roles.entry(role).or_default().insert(path);
            if let Some(permission) = permission {
                let reasons = effective.permissions.entry(permission).or_default();
                reasons.insert(Reason::Role { role, path });
            }
        }
        for grant in grants::permissions_of(reader, self.organization.id, account.id)? {
            if !grant.waiting {
                let reasons = effective.permissions.entry(grant.permission).or_default();
                reasons.insert(Reason::Held(grant.origin));
            }
        }
        Ok(effective)
    }

    /// Returns the names of groups of the identity provider that an account is in, up to so many.
    pub(crate) fn groups_of(
        &self,
        reader: &Reader<'_>,
        account: &Account,
        most: u32,
    ) -> scim::Result<Vec<String>> {
        let sql = "SELECT g.name FROM scim_edge e JOIN provisioned_group g ON g.org = ?1 AND g.row = e.src
             WHERE e.tenant = ?2 AND e.attr = ?3 AND e.dst = ?4 LIMIT ?5";
        let params = self.params(&[account.row.into(), most.into()]);
        reader.query_all(sql, &params, |row| Ok(row.text(0)?.to_owned()))
    }

    /// Returns a statement for all ways by which account 4, whose row is 5, comes to roles.
    fn ways(&self, account: &Account) -> String {
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
        let mut sql = by_groups.to_owned();
        if account.managed_by == ManagedBy::Hand {
            sql += " UNION ALL SELECT g.role, g.origin, NULL, NULL FROM role_grant g WHERE g.org = ?1 AND g.holder = ?4";
        }
        if self.settings().assignment == Assignment::LocalGroups {
            sql += " UNION ALL SELECT g.role, 'local-group', NULL, l.local_group
                FROM local_member l JOIN role_grant g ON g.org = l.org AND g.holder = l.local_group
                WHERE l.org = ?1 AND l.account = ?4";
        }
        // Each parameter is used, whichever ways there are.
        format!("SELECT * FROM ({sql}) WHERE ?4 IS NOT NULL")
    }

    /// Returns a condition on the account `a`: that it holds the role `role` (a parameter), or any role where there is none, by
    /// another way than the group `except` (a parameter).
    pub(super) fn holds(&self, role: Option<&str>, except: Option<&str>) -> String {
        let other = except.map_or_else(String::new, |group| format!(" AND o.src <> {group}"));
        self.holds_by(role, &other)
    }

    /// Returns the same condition by groups `o`, of which the condition `other` says which count.
    fn holds_by(&self, role: Option<&str>, other: &str) -> String {
        let is = |column: &str| role.map_or_else(String::new, |role| format!(" AND {column} = {role}"));
        let by_groups = match self.settings().groups {
            Groups::Map => format!("JOIN mapping m ON m.org = ?1 AND m.grp = o.src{}", is("m.role")),
            Groups::Mirror => format!("JOIN role r ON r.org = ?1 AND r.mirrors = o.src{}", is("r.id")),
        };
        let mut sql = format!(
            "(EXISTS (SELECT 1 FROM scim_edge o {by_groups}
                      WHERE o.tenant = ?2 AND o.attr = ?3 AND o.dst = a.row{other})
              OR a.managed_by = 'hand' AND EXISTS (SELECT 1 FROM role_grant g WHERE g.org = ?1 AND g.holder = a.id{})",
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

    /// Returns a condition on the account `a`: that it is in a group that is kept here and counts.
    pub(super) fn is_in_local_group(&self) -> &'static str {
        match self.settings().assignment {
            Assignment::LocalGroups => {
                "EXISTS (SELECT 1 FROM local_member l WHERE l.org = ?1 AND l.account = a.id)"
            }
            Assignment::MappedOnly => "a.id IS NULL",
        }
    }

    /// Returns how many members of a group gain or lose anything when these roles are added to it or removed from it: those who
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

    /// Returns the people who gain a role when it is added to some groups; none if it is added to none.
    fn gaining<'p>(&self, role: &'p RoleId, added: &'p [i64]) -> Option<Side<'p>> {
        (!added.is_empty()).then(|| Side {
            groups: numbers(5, added),
            rest: format!("NOT {}", self.holds(Some("?4"), None)),
            others: of_groups(role, &[added]),
        })
    }

    /// Returns the people who lose a role when it is removed from some groups and added to others at once.
    fn losing<'p>(&self, role: &'p RoleId, added: &'p [i64], removed: &'p [i64]) -> Option<Side<'p>> {
        (!removed.is_empty()).then(|| {
            let (from, to) = (numbers(5, removed), numbers(5 + removed.len(), added));
            let others = format!(" AND o.src NOT IN ({from})");
            Side {
                rest: format!(
                    "NOT {} AND NOT EXISTS (
                         SELECT 1 FROM scim_edge n WHERE n.tenant = ?2 AND n.attr = ?3 AND n.dst = a.row AND n.src IN ({to}))",
                    self.holds_by(Some("?4"), &others)
                ),
                groups: from,
                others: of_groups(role, &[removed, added]),
            }
        })
    }

    /// Counts the people who gain a role, and those who lose it, when it is added to some groups and removed from others at once.
    pub(crate) fn count_remapped(
        &self,
        reader: &Reader<'_>,
        role: RoleId,
        added: &[i64],
        removed: &[i64],
    ) -> scim::Result<(u64, u64)> {
        self.on_each_side(&role, added, removed, |side| {
            let sql = format!("SELECT count(*) FROM account a WHERE {}", side.by_groups());
            count(reader, &sql, &self.params(&side.others))
        })
    }

    /// Returns the first people who gain a role, and the first who lose it, by such a change, by their names.
    pub(crate) fn first_remapped(
        &self,
        reader: &Reader<'_>,
        role: RoleId,
        added: &[i64],
        removed: &[i64],
        most: u32,
    ) -> scim::Result<(Vec<Named>, Vec<Named>)> {
        self.on_each_side(&role, added, removed, |side| self.first_of(reader, side, most))
    }

    /// Asks of those who gain a role by such a change, and of those who lose it; of nobody, nothing is asked.
    fn on_each_side<T: Default>(
        &self,
        role: &RoleId,
        added: &[i64],
        removed: &[i64],
        ask: impl Fn(&Side<'_>) -> scim::Result<T>,
    ) -> scim::Result<(T, T)> {
        let ask = |side: Option<Side<'_>>| side.map_or_else(|| Ok(T::default()), |side| ask(&side));
        let gain = ask(self.gaining(role, added))?;
        Ok((gain, ask(self.losing(role, added, removed))?))
    }

    fn first_of(&self, reader: &Reader<'_>, side: &Side<'_>, most: u32) -> scim::Result<Vec<Named>> {
        let sql = format!(
            "SELECT a.id, a.name, a.display, a.name_key FROM account a WHERE {} LIMIT ?{}",
            side.by_groups(),
            side.next_number()
        );
        let few = reader.query_all(&sql, &self.params_of(side, MOST_SORTED), read_named_by_key)?;
        match first_by_name(few, most) {
            Some(first) => Ok(first),
            // They are many, so that the first ones are not far in the order of the names.
            None => self.walk(reader, side, most),
        }
    }

    /// Finds the first people on a side of a change by a walk through the names.
    fn walk(&self, reader: &Reader<'_>, side: &Side<'_>, most: u32) -> scim::Result<Vec<Named>> {
        let sql = format!(
            "SELECT a.id, a.name, a.display FROM account a WHERE {} ORDER BY a.name_key, a.id LIMIT ?{}",
            side.by_names(),
            side.next_number()
        );
        reader.query_all(&sql, &self.params_of(side, most), read_named)
    }

    /// The same as [`Self::first_remapped`] by that walk, however few they are.
    #[cfg(test)]
    pub(super) fn walk_remapped(
        &self,
        reader: &Reader<'_>,
        role: RoleId,
        added: &[i64],
        removed: &[i64],
        most: u32,
    ) -> scim::Result<(Vec<Named>, Vec<Named>)> {
        self.on_each_side(&role, added, removed, |side| self.walk(reader, side, most))
    }

    /// Returns the parameters of a statement about a side of a change, and a limit.
    fn params_of<'p>(&'p self, side: &Side<'p>, most: u32) -> Vec<Param<'p>> {
        let mut params = self.params(&side.others);
        params.push(most.into());
        params
    }

    /// Returns how many people have a role, whatever leads to it.
    pub(crate) fn count_holding(&self, reader: &Reader<'_>, role: RoleId) -> scim::Result<u64> {
        let sql = format!("SELECT count(*) FROM ({})", self.holders("a.id").join(" UNION "));
        count(reader, &sql, &self.params(&[role.0.as_bytes().into()]))
    }

    /// Returns the same up to `most`, at the cost of so many.
    pub(crate) fn count_holding_up_to(
        &self,
        reader: &Reader<'_>,
        role: RoleId,
        most: u32,
    ) -> scim::Result<u64> {
        let ways = self.holders("DISTINCT a.id");
        let bounded = ways.iter().map(|way| format!("SELECT * FROM ({way} LIMIT ?5)"));
        let sql = format!(
            "SELECT count(*) FROM (SELECT * FROM ({}) LIMIT ?5)",
            bounded.collect::<Vec<_>>().join(" UNION ")
        );
        count(
            reader,
            &sql,
            &self.params(&[role.0.as_bytes().into(), most.into()]),
        )
    }

    /// Returns the first people who have a role, by their names.
    pub(crate) fn holding(&self, reader: &Reader<'_>, role: RoleId, most: u32) -> scim::Result<Vec<Named>> {
        let columns = "a.id, a.name, a.display, a.name_key";
        let sql = format!("{} LIMIT ?5", self.holders(columns).join(" UNION ALL "));
        let params = self.params(&[role.0.as_bytes().into(), MOST_SORTED.into()]);
        let few = reader.query_all(&sql, &params, read_named_by_key)?;
        match first_by_name(few, most) {
            Some(first) => Ok(first),
            // Many have it, so that the first ones are not far in the order of the names.
            None => self.first_holding(reader, role, most),
        }
    }

    /// Finds the same by a walk through the names.
    pub(super) fn first_holding(
        &self,
        reader: &Reader<'_>,
        role: RoleId,
        most: u32,
    ) -> scim::Result<Vec<Named>> {
        let sql = format!(
            "SELECT a.id, a.name, a.display FROM account a
             WHERE a.org = ?1 AND a.state = 'active' AND a.suspended IS NULL AND {}
             ORDER BY a.name_key, a.id LIMIT ?5",
            self.holds(Some("?4"), None)
        );
        let params = self.params(&[role.0.as_bytes().into(), most.into()]);
        reader.query_all(&sql, &params, read_named)
    }

    /// Returns how many manual accounts that have access hold this permission itself: by a role of their own, of a local group,
    /// or by hand. No identity provider can take it from them.
    pub(crate) fn count_manual(&self, reader: &Reader<'_>, permission: &Permission) -> scim::Result<u64> {
        let can = "a.managed_by = 'hand' AND a.state = 'active' AND a.suspended IS NULL";
        let of_role = "FROM role_permission p JOIN role_grant g ON g.org = p.org AND g.role = p.role";
        let mut sql = format!(
            "SELECT a.id {of_role} JOIN account a ON a.org = g.org AND a.id = g.holder
                WHERE p.org = ?1 AND p.permission = ?2 AND {can}
             UNION SELECT a.id FROM permission_grant g JOIN account a ON a.org = g.org AND a.id = g.holder
                WHERE g.org = ?1 AND g.permission = ?2 AND NOT g.waiting AND {can}"
        );
        if self.settings().assignment == Assignment::LocalGroups {
            sql += &format!(
                " UNION SELECT a.id {of_role} JOIN local_member l ON l.org = g.org AND l.local_group = g.holder
                    JOIN account a ON a.org = l.org AND a.id = l.account
                    WHERE p.org = ?1 AND p.permission = ?2 AND {can}"
            );
        }
        let permission = permission.to_string();
        let params = [self.organization.id.as_bytes().into(), (&permission).into()];
        count(reader, &format!("SELECT count(*) FROM ({sql})"), &params)
    }

    /// Returns the first people with an address who have this permission itself, by their accounts: those who are told
    /// of something.
    pub(crate) fn reached(
        &self,
        reader: &Reader<'_>,
        permission: &Permission,
        most: u32,
    ) -> scim::Result<Vec<Recipient>> {
        let permission = permission.to_string();
        let of_permission = [self.organization.id.as_bytes().into(), (&permission).into()];
        let sql = "SELECT role FROM role_permission WHERE org = ?1 AND permission = ?2";
        let roles = reader.query_all(sql, &of_permission, |row| read_id(row.blob(0)?))?;
        let mut found = BTreeMap::new();
        let mut note = |row: &Row<'_>| {
            if let Some(address) = row.optional_text(1)? {
                found.insert(read_id(row.blob(0)?)?, address.to_owned());
            }
            Ok(())
        };
        for role in roles {
            for way in self.holders("a.id, a.address") {
                let sql = format!("{way} AND a.address IS NOT NULL LIMIT ?5");
                reader.query(
                    &sql,
                    &self.params(&[role.as_bytes().into(), most.into()]),
                    &mut note,
                )?;
            }
        }
        let [org, permission] = of_permission;
        reader.query(
            "SELECT a.id, a.address FROM permission_grant g JOIN account a ON a.org = g.org AND a.id = g.holder
             WHERE g.org = ?1 AND g.permission = ?2 AND NOT g.waiting AND a.state = 'active' AND a.suspended IS NULL
               AND a.address IS NOT NULL LIMIT ?3",
            &[org, permission, most.into()],
            note,
        )?;
        let recipient = |(account, address)| Recipient {
            account: Some(account),
            address,
        };
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Ok(found.into_iter().map(recipient).take(most).collect())
    }

    /// Returns the account of somebody over SCIM who has left a group that gives these roles, if they have access and lack one of
    /// them now.
    pub(crate) fn has_lost(
        &self,
        reader: &Reader<'_>,
        scim_id: &str,
        given: &[RoleId],
    ) -> scim::Result<Option<Uuid>> {
        let lacks = (5..5 + given.len()).map(|n| format!("NOT {}", self.holds(Some(&format!("?{n}")), None)));
        let lacks = lacks.collect::<Vec<_>>().join(" OR ");
        let sql = format!(
            "SELECT a.id FROM binding b JOIN account a ON a.org = b.org AND a.id = b.account
             WHERE b.org = ?1 AND b.scim_id = ?4 AND b.until IS NULL AND a.state = 'active' AND a.suspended IS NULL
               AND ({lacks})"
        );
        let mut others: Vec<Param<'_>> = vec![scim_id.into()];
        others.extend(given.iter().map(|role| Param::from(role.0.as_bytes())));
        reader.query_one(&sql, &self.params(&others), |row| read_id(row.blob(0)?))
    }

    /// Returns how many people have any role.
    pub(crate) fn count_with_roles(&self, reader: &Reader<'_>) -> scim::Result<u64> {
        let sql = format!(
            "SELECT count(*) FROM account a WHERE a.org = ?1 AND a.state = 'active' AND a.suspended IS NULL AND {}",
            self.holds(None, None)
        );
        count(reader, &sql, &self.params(&[]))
    }

    /// Returns how many people are in a group, whether they have access or not.
    pub(crate) fn count_in(&self, reader: &Reader<'_>, group: i64) -> scim::Result<u64> {
        let sql = "SELECT count(*) FROM scim_edge e JOIN account a ON a.org = ?1 AND a.row = e.dst
                   WHERE e.tenant = ?2 AND e.src = ?4 AND e.attr = ?3";
        count(reader, sql, &self.params(&[group.into()]))
    }

    /// Returns the same up to `most`, at the cost of so many.
    pub(crate) fn count_in_up_to(&self, reader: &Reader<'_>, group: i64, most: u32) -> scim::Result<u64> {
        let sql =
            "SELECT count(*) FROM (SELECT 1 FROM scim_edge e JOIN account a ON a.org = ?1 AND a.row = e.dst
                   WHERE e.tenant = ?2 AND e.src = ?4 AND e.attr = ?3 LIMIT ?5)";
        count(reader, sql, &self.params(&[group.into(), most.into()]))
    }

    /// Returns the first people of a group, in the order in which they were provisioned.
    pub(crate) fn first_in(&self, reader: &Reader<'_>, group: i64, most: u32) -> scim::Result<Vec<Named>> {
        let sql =
            "SELECT a.id, a.name, a.display FROM scim_edge e JOIN account a ON a.org = ?1 AND a.row = e.dst
                   WHERE e.tenant = ?2 AND e.src = ?4 AND e.attr = ?3 ORDER BY e.dst LIMIT ?5";
        reader.query_all(sql, &self.params(&[group.into(), most.into()]), read_named)
    }

    /// Statements for these columns of the accounts that have role 4, one for each kind of way to it: from the role to the
    /// people, so that they cost what the role has.
    pub(super) fn holders(&self, columns: &str) -> Vec<String> {
        let can = "a.state = 'active' AND a.suspended IS NULL";
        let to_group = match self.settings().groups {
            Groups::Map => {
                "mapping m CROSS JOIN scim_edge e ON e.src = m.grp CROSS JOIN account a ON a.org = m.org AND a.row = e.dst
                 WHERE m.org = ?1 AND m.role = ?4"
            }
            Groups::Mirror => {
                "role r CROSS JOIN scim_edge e ON e.src = r.mirrors CROSS JOIN account a ON a.org = r.org AND a.row = e.dst
                 WHERE r.org = ?1 AND r.id = ?4"
            }
        };
        let mut ways = vec![
            format!("SELECT {columns} FROM {to_group} AND e.tenant = ?2 AND e.attr = ?3 AND {can}"),
            format!(
                "SELECT {columns} FROM role_grant g JOIN account a ON a.org = g.org AND a.id = g.holder
                 WHERE g.org = ?1 AND g.role = ?4 AND a.managed_by = 'hand' AND {can}"
            ),
        ];
        if self.settings().assignment == Assignment::LocalGroups {
            ways.push(format!(
                "SELECT {columns} FROM role_grant g JOIN local_member l ON l.org = g.org AND l.local_group = g.holder
                    JOIN account a ON a.org = l.org AND a.id = l.account WHERE g.org = ?1 AND g.role = ?4 AND {can}"
            ));
        }
        ways
    }
}

/// Reads a way to a role, and one permission that the role gives.
fn read_way(row: &Row<'_>) -> scim::Result<(RoleId, Path, Option<Permission>)> {
    let (group, local_group) = (row.optional_integer(2)?, row.optional_blob(3)?);
    let path = match (read_word(row.text(1)?)?, group, local_group) {
        (Origin::Mapping, Some(group), _) => Path::Mapping { group },
        (Origin::MirroredGroup, Some(group), _) => Path::MirroredGroup { group },
        (_, _, Some(group)) => Path::LocalGroup {
            group: read_id(group)?,
        },
        (origin, ..) => Path::Held(origin),
    };
    let permission = row.optional_text(4)?.map(read_permission).transpose()?;
    Ok((RoleId(read_id(row.blob(0)?)?), path, permission))
}

fn read_named(row: &Row<'_>) -> scim::Result<Named> {
    Ok(Named {
        id: read_id(row.blob(0)?)?,
        name: row.text(1)?.to_owned(),
        display: row.text(2)?.to_owned(),
    })
}

/// Reads an account that a list names, behind the key of its name.
fn read_named_by_key(row: &Row<'_>) -> scim::Result<(String, Named)> {
    Ok((row.text(3)?.to_owned(), read_named(row)?))
}

/// Returns the first of people by their names; nothing where they may not be all, because so many were asked for.
fn first_by_name(mut found: Vec<(String, Named)>, most: u32) -> Option<Vec<Named>> {
    if !u32::try_from(found.len()).is_ok_and(|found| found < MOST_SORTED) {
        return None;
    }
    found.sort_by(|(key, named), (other, other_named)| (key, named.id).cmp(&(other, other_named.id)));
    found.dedup_by_key(|(_, named)| named.id);
    let first = found.into_iter().map(|(_, named)| named);
    Some(first.take(usize::try_from(most).unwrap_or(usize::MAX)).collect())
}

/// The people on one side of a change of mappings: those who gain a role, or those who lose it.
struct Side<'p> {
    /// The numbers of the parameters of the groups whose members they are.
    groups: String,
    /// Everything else that holds of the account `a`.
    rest: String,
    /// The parameters from 4 on: the role, and groups.
    others: Vec<Param<'p>>,
}

impl Side<'_> {
    /// Returns a condition on the account `a` that leads from the groups to their members who have access.
    fn by_groups(&self) -> String {
        format!(
            "a.org = ?1 AND a.row IN (
                 SELECT e.dst FROM scim_edge e WHERE e.tenant = ?2 AND e.attr = ?3 AND e.src IN ({}))
             AND a.state = 'active' AND a.suspended IS NULL AND {}",
            self.groups, self.rest
        )
    }

    /// Returns the same as a question to each account.
    fn by_names(&self) -> String {
        format!(
            "a.org = ?1 AND a.state = 'active' AND a.suspended IS NULL AND EXISTS (
                 SELECT 1 FROM scim_edge e
                 WHERE e.tenant = ?2 AND e.attr = ?3 AND e.dst = a.row AND e.src IN ({}))
             AND {}",
            self.groups, self.rest
        )
    }

    /// Returns the number of the parameter behind these.
    fn next_number(&self) -> usize {
        4 + self.others.len()
    }
}

/// Returns the numbers of the parameters of groups, from one on.
fn numbers(first: usize, groups: &[i64]) -> String {
    placeholders(first, groups.len())
}

/// Returns the parameters of a role and of groups.
fn of_groups<'p>(role: &'p RoleId, groups: &[&[i64]]) -> Vec<Param<'p>> {
    let mut params: Vec<Param<'p>> = vec![role.0.as_bytes().into()];
    params.extend(groups.iter().copied().flatten().map(|group| Param::from(*group)));
    params
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use scim::store::database::{Database, Options, Transaction};
    use scim::store::documents::DocumentStore;
    use uuid::Uuid;

    use super::*;
    use crate::database::accounts::{self, Shown};
    use crate::database::page::Page;
    use crate::database::{
        Product, groups, held, local_groups, mappings, migrations, organizations, power, product_of_test,
        roles, search,
    };
    use crate::domain::effective::Picture;
    use crate::domain::effective::tests::picture;
    use crate::domain::entry::Entry;
    use crate::domain::escalation::Deed;
    use crate::domain::group::ProvisionedGroup;
    use crate::domain::local_group::LocalGroup;
    use crate::domain::mapping::tests::change;
    use crate::domain::organization::Name;
    use crate::domain::owner::Owners;
    use crate::domain::settings::FirstLogin;
    use crate::domain::user::User;

    fn at() -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn organization(picture: &Picture) -> Organization {
        let settings = Settings {
            groups: picture.groups_become,
            assignment: picture.assignment,
            ..Settings::default()
        };
        Organization::new(
            Uuid::from_u128(77),
            Name::parse("acme").unwrap(),
            None,
            settings,
            at(),
        )
        .unwrap()
    }

    /// Makes a database without people, whose documents know who they would be.
    fn database() -> Database {
        let database = Database::in_memory(Options {
            portable: true,
            ..Options::default()
        })
        .unwrap();
        database
            .blocking_write(|tx| migrations::run(tx, at()))
            .unwrap()
            .unwrap();
        let store = DocumentStore::on(database.clone())
            .resource::<User>()
            .resource::<Group>()
            .link(Group::paths().members(), User::paths().groups());
        let store: DocumentStore<String> = store.build().unwrap();
        drop(store);
        database
    }

    /// Writes everything that a picture shows as the rows that say so.
    fn write(tx: &Transaction<'_>, picture: &Picture, organization: &Organization) -> scim::Result<()> {
        let id = organization.id;
        tx.execute(
            "INSERT INTO scim_tenant (id, name) VALUES (1, ?1)",
            &[id.to_string().as_bytes().into()],
        )?;
        let edges = EdgeRows::of::<Group>(tx, &id.to_string(), "members")?.unwrap();
        for account in picture.accounts.values() {
            let entry = Entry::of_carried_over(account, FirstLogin::Invitation);
            accounts::insert(tx, id, account, entry)?;
            accounts::update(tx, id, account, account)?;
        }
        for (row, group) in &picture.groups {
            let group_row = ProvisionedGroup {
                row: *row,
                id: row.to_string(),
                name: group.name.clone(),
                external_id: None,
                created: at(),
            };
            groups::insert(tx, id, &group_row)?;
            for member in &group.members {
                tx.execute(
                    "INSERT INTO scim_edge (tenant, src, attr, dst) VALUES (?1, ?2, ?3, ?4)",
                    &[
                        edges.tenant.into(),
                        (*row).into(),
                        edges.attribute.into(),
                        (*member).into(),
                    ],
                )?;
            }
        }
        for role in picture.roles.values() {
            roles::insert(tx, id, role)?;
        }
        for (group, role) in &picture.mappings {
            let mapping = mappings::Mapping {
                group: *group,
                role: *role,
                created: at(),
                by: "root".to_owned(),
            };
            mappings::insert(tx, id, &mapping)?;
        }
        for (local, group) in &picture.local_groups {
            let row = LocalGroup {
                id: *local,
                name: format!("{} {local}", group.name),
                description: String::new(),
                created: at(),
            };
            local_groups::insert(tx, id, &row)?;
            for member in &group.members {
                local_groups::join(tx, id, *local, *member, at())?;
            }
        }
        for grant in &picture.role_grants {
            grants::give_role(tx, id, grant)?;
        }
        for grant in &picture.permission_grants {
            grants::give_permission(tx, id, grant)?;
        }
        Ok(())
    }

    /// Opens a product in a folder that keeps what a picture shows, and nothing else.
    pub(crate) async fn product_of(picture: &Picture) -> (Product, Organization, tempfile::TempDir) {
        let (product, folder) = product_of_test().await;
        let organization = organization(picture);
        let (picture, owner) = (picture.clone(), organization.clone());
        let written = product.write(move |tx| {
            organizations::insert(tx, &owner)?;
            Ok(Ok(write(tx, &picture, &owner)?))
        });
        written.await.unwrap();
        (product, organization, folder)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        /// Feature rows 58, 60, 77: of several changes that are made at once, the statements count and name the people whom the
        /// rules name: whoever leaves a role by one of them and comes to it by another neither gains nor loses.
        #[test]
        fn changes_at_once_are_counted_together(picture in picture(), changes in vec(change(), 1..4)) {
            let picture = Picture { groups_become: Groups::Map, ..picture };
            let organization = organization(&picture);
            let database = database();
            let (written, owner) = (picture.clone(), organization.clone());
            database.blocking_write(move |tx| write(tx, &written, &owner)).unwrap();
            let after = picture.mapping(&changes);
            let preview = picture.preview(&changes);
            for role in picture.roles.keys().copied() {
                let of = |mappings: &std::collections::BTreeSet<(i64, RoleId)>, others: &std::collections::BTreeSet<(i64, RoleId)>| {
                    let new = mappings.difference(others).filter(|(_, of)| *of == role);
                    new.map(|(group, _)| *group).collect::<Vec<_>>()
                };
                let (added, removed) = (of(&after.mappings, &picture.mappings), of(&picture.mappings, &after.mappings));
                let owner = organization.clone();
                let found = database.blocking_read(move |reader| {
                    let members = Members::of(reader, &owner)?;
                    let counts = members.count_remapped(reader, role, &added, &removed)?;
                    let first = |most| members.first_remapped(reader, role, &added, &removed, most);
                    let walked = members.walk_remapped(reader, role, &added, &removed, 100)?;
                    Ok((counts, first(100)?, first(1)?, walked))
                });
                let moved = preview.roles.get(&role).cloned().unwrap_or_default();
                let expected = (moved.gain.len(), moved.lose.len());
                let ((gain, lose), named, one, walked) = found.unwrap();
                prop_assert_eq!((usize::try_from(gain).unwrap(), usize::try_from(lose).unwrap()), expected);
                let by_name = |ids: &std::collections::BTreeSet<Uuid>| {
                    let accounts = ids.iter().map(|id| &picture.accounts[id]);
                    let mut keys: Vec<_> = accounts.map(|account| (account.name_key(), account.id)).collect();
                    keys.sort();
                    keys.into_iter().map(|(_, id)| id).collect::<Vec<_>>()
                };
                let ids = |named: &[Named]| named.iter().map(|named| named.id).collect::<Vec<_>>();
                let (gain, lose) = (by_name(&moved.gain), by_name(&moved.lose));
                prop_assert_eq!((ids(&named.0), ids(&named.1)), (gain.clone(), lose.clone()));
                prop_assert_eq!((ids(&walked.0), ids(&walked.1)), (gain.clone(), lose.clone()));
                prop_assert_eq!((ids(&one.0), ids(&one.1)), (gain[..gain.len().min(1)].to_vec(), lose[..lose.len().min(1)].to_vec()));
            }
        }

        /// Feature rows 42, 50, 60, 62, 77, 86, 87: the statements come to the same roles, permissions, reasons, unassigned people,
        /// previews and powers as the rules say of the same data.
        #[test]
        fn statements_come_to_what_the_rules_say(picture in picture(), change in change()) {
            let organization = organization(&picture);
            let database = database();
            let (written, owner) = (picture.clone(), organization.clone());
            database.blocking_write(move |tx| write(tx, &written, &owner)).unwrap();

            let (asked, owner) = (picture.clone(), organization.clone());
            let found = database.blocking_read(move |reader| {
                let members = Members::of(reader, &owner)?;
                let mut found = BTreeMap::new();
                for account in asked.accounts.values() {
                    let stored = accounts::by_id(reader, owner.id, account.id)?.unwrap();
                    found.insert(account.id, members.effective(reader, &stored)?);
                }
                Ok(found)
            });
            prop_assert_eq!(found.unwrap(), picture.everybody());

            // A list says of a page of people what is said of each.
            let (asked, owner) = (picture.clone(), organization.clone());
            let listed = database.blocking_read(move |reader| {
                let members = Members::of(reader, &owner)?;
                let ids: Vec<_> = asked.accounts.keys().copied().collect();
                let roles = held::roles(reader, &members, &ids)?;
                let names = held::role_names(reader, owner.id, &roles.values().flatten().copied().collect())?;
                let own = held::with_permissions(reader, owner.id, &ids)?;
                let each = asked.accounts.values().map(|account| {
                    let roles = roles.get(&account.id).cloned().unwrap_or_default();
                    let permits = own.contains(&account.id) || roles.iter().any(|role| names[role].permits);
                    let potential = members.potential(reader, account)?;
                    let known = (potential.roles.keys().copied().collect(), !potential.permissions.is_empty());
                    Ok(((roles, permits), known))
                });
                each.collect::<scim::Result<Vec<_>>>()
            });
            for (of_list, known) in listed.unwrap() {
                prop_assert_eq!(of_list, known);
            }

            let owner = organization.clone();
            let unassigned = database.blocking_read(move |reader| {
                let members = Members::of(reader, &owner)?;
                let shown = Shown { unassigned: true, ..Shown::default() };
                let page = Page { size: 1_000, ..Page::default() };
                let listed = accounts::list(reader, &members, shown, &page)?;
                let count = accounts::count(reader, &members, shown, 1_000)?;
                Ok((listed, [count, accounts::count_unassigned(reader, &members, 1_000)?]))
            });
            let (listed, counts) = unassigned.unwrap();
            prop_assert_eq!([u64::try_from(listed.len()).unwrap(); 2], counts);
            let listed: std::collections::BTreeSet<_> = listed.into_iter().map(|account| account.id).collect();
            prop_assert_eq!(listed, picture.unassigned());

            let owner = organization.clone();
            let manual = database.blocking_read(move |reader| {
                Members::of(reader, &owner)?.count_manual(reader, &Permission::ORGANIZATION_WRITE)
            });
            prop_assert_eq!(manual.unwrap(), Owners::of(&picture).manual);

            let owner = organization.clone();
            let reached = database.blocking_read(move |reader| {
                Members::of(reader, &owner)?.reached(reader, &Permission::ORGANIZATION_WRITE, 1_000)
            });
            let reached: Vec<_> = reached.unwrap().into_iter().map(|to| (to.account.unwrap(), to.address)).collect();
            let owns = |account: &&Account| {
                picture.effective(account.id).permissions.contains_key(&Permission::ORGANIZATION_WRITE)
            };
            let expected = picture.accounts.values().filter(owns);
            let expected = expected.filter_map(|account| Some((account.id, account.address.clone()?)));
            prop_assert_eq!(reached, expected.collect::<BTreeMap<_, _>>().into_iter().collect::<Vec<_>>());

            let owner = organization.clone();
            let powers = database.blocking_read(move |reader| {
                let provider = power::of_provider(reader, &owner)?;
                Ok([provider, power::of_groups(reader, owner.id)?, power::of_local_groups(reader, owner.id)?])
            });
            let deeds = [
                Deed::ActAsProvider,
                Deed::SetGroups(picture.groups_become),
                Deed::SetAssignment(picture.assignment),
            ];
            prop_assert_eq!(powers.unwrap(), deeds.map(|deed| picture.needs(&deed).permissions));

            let owner = organization.clone();
            let with_roles = database.blocking_read(move |reader| {
                Members::of(reader, &owner)?.count_with_roles(reader)
            });
            let expected = picture.everybody().values().filter(|has| !has.roles.is_empty()).count();
            prop_assert_eq!(with_roles.unwrap(), u64::try_from(expected).unwrap());

            let (asked, owner) = (picture.clone(), organization.clone());
            let holding = database.blocking_read(move |reader| {
                let members = Members::of(reader, &owner)?;
                let mut holding = BTreeMap::new();
                for role in asked.roles.keys() {
                    let up_to = |most| members.count_holding_up_to(reader, *role, most);
                    holding.insert(*role, [members.count_holding(reader, *role)?, up_to(1_000)?, up_to(2)?]);
                }
                Ok(holding)
            });
            for (role, people) in holding.unwrap() {
                let expected = picture.everybody().values().filter(|has| has.roles.contains_key(&role)).count();
                let expected = u64::try_from(expected).unwrap();
                prop_assert_eq!(people, [expected, expected, expected.min(2)]);
            }

            let (asked, owner) = (picture.clone(), organization.clone());
            let listed = database.blocking_read(move |reader| {
                let members = Members::of(reader, &owner)?;
                let page = Page { size: 1_000, ..Page::default() };
                let mut listed = BTreeMap::new();
                for role in asked.roles.keys() {
                    let shown = Shown { role: Some(*role), ..Shown::default() };
                    let gathered = search::people(reader, &members, shown, &page, 1_000)?.accounts;
                    let walked = accounts::list(reader, &members, shown, &page)?;
                    listed.insert(*role, [gathered, walked]);
                }
                Ok(listed)
            });
            for (role, ways) in listed.unwrap() {
                let everybody = picture.everybody();
                let has = |account: &&Account| everybody[&account.id].roles.contains_key(&role);
                let mut expected: Vec<_> = picture.accounts.values().filter(has)
                    .map(|account| (account.name_key(), account.id)).collect();
                expected.sort();
                for accounts in ways {
                    let found: Vec<_> = accounts.iter().map(|account| (account.name_key(), account.id)).collect();
                    prop_assert_eq!(&found, &expected);
                }
            }

            let (asked, owner) = (picture.clone(), organization.clone());
            let in_groups = database.blocking_read(move |reader| {
                let members = Members::of(reader, &owner)?;
                let mut found = BTreeMap::new();
                for group in asked.groups.keys() {
                    let first = accounts::in_group(reader, &members, *group, i64::MIN, 1)?;
                    let behind = first.first().and_then(|account| account.row).unwrap_or(i64::MIN);
                    let rest = accounts::in_group(reader, &members, *group, behind, 1_000)?;
                    let people: Vec<_> = first.into_iter().chain(rest).filter_map(|account| account.row).collect();
                    found.insert(*group, (people, members.count_in_up_to(reader, *group, 2)?));
                }
                Ok(found)
            });
            for (group, (people, count)) in in_groups.unwrap() {
                let is_person = |row: &&i64| picture.accounts.values().any(|account| account.row == Some(**row));
                let expected: Vec<i64> = picture.groups[&group].members.iter().filter(is_person).copied().collect();
                prop_assert_eq!(count, u64::try_from(expected.len().min(2)).unwrap());
                prop_assert_eq!(people, expected);
            }

            // A preview counts, by SQL, the people whom the rules name.
            if picture.groups_become == Groups::Map {
                let before = picture.mapped_to(change.group);
                let moved: Vec<RoleId> = before.symmetric_difference(&change.roles).copied().collect();
                let owner = organization;
                let group = change.group;
                let roles = moved.clone();
                let people = database.blocking_read(move |reader| {
                    Members::of(reader, &owner)?.count_moved(reader, group, &roles)
                });
                let people = people.unwrap();
                let preview = picture.preview(std::slice::from_ref(&change));
                let mut touched = std::collections::BTreeSet::new();
                for role in &moved {
                    let moved = preview.roles.get(role).cloned().unwrap_or_default();
                    touched.extend(moved.gain);
                    touched.extend(moved.lose);
                }
                prop_assert_eq!(people, u64::try_from(touched.len()).unwrap());
            }
        }
    }
}
