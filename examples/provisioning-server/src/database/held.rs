//! Everything that the lists say of each of their people and groups beside the row itself, for a whole page in a few statements.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use scim::store::database::{Param, Reader};
use uuid::Uuid;

use super::effective::Members;
use super::{placeholders, read_id};
use crate::domain::account::ManagedBy;
use crate::domain::keyword::Keyword;
use crate::domain::link::LinkKind;
use crate::domain::role::RoleId;
use crate::domain::settings::{Assignment, Groups};

/// The name of a role, and whether it permits anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoleName {
    pub(crate) name: String,
    pub(crate) permits: bool,
}

/// Returns the roles that some accounts have as soon as their people can sign in, by their accounts.
pub(crate) fn roles(
    reader: &Reader<'_>,
    members: &Members<'_>,
    accounts: &[Uuid],
) -> scim::Result<BTreeMap<Uuid, BTreeSet<RoleId>>> {
    let mut held: BTreeMap<Uuid, BTreeSet<RoleId>> = BTreeMap::new();
    if accounts.is_empty() {
        return Ok(held);
    }
    let (settings, ids) = (members.settings(), placeholders(4, accounts.len()));
    let to_role = match settings.groups {
        Groups::Map => "CROSS JOIN mapping m ON m.org = a.org AND m.grp = e.src",
        Groups::Mirror => "CROSS JOIN role r ON r.org = a.org AND r.mirrors = e.src",
    };
    let role = match settings.groups {
        Groups::Map => "m.role",
        Groups::Mirror => "r.id",
    };
    let mut sql = format!(
        "SELECT a.id, {role} FROM account a
            CROSS JOIN scim_edge e ON e.tenant = ?2 AND e.attr = ?3 AND e.dst = a.row {to_role}
            WHERE a.org = ?1 AND a.id IN ({ids})
         UNION ALL SELECT a.id, g.role FROM account a CROSS JOIN role_grant g ON g.org = a.org AND g.holder = a.id
            WHERE a.org = ?1 AND a.id IN ({ids}) AND a.managed_by = '{}'",
        ManagedBy::Hand.word()
    );
    if settings.assignment == Assignment::LocalGroups {
        sql += &format!(
            " UNION ALL SELECT l.account, g.role FROM local_member l
                CROSS JOIN role_grant g ON g.org = l.org AND g.holder = l.local_group
                WHERE l.org = ?1 AND l.account IN ({ids})"
        );
    }
    let params = members.params(&of(accounts));
    reader.query(&sql, &params, |row| {
        let roles = held.entry(read_id(row.blob(0)?)?).or_default();
        roles.insert(RoleId(read_id(row.blob(1)?)?));
        Ok(())
    })?;
    Ok(held)
}

/// Returns the names of roles.
pub(crate) fn role_names(
    reader: &Reader<'_>,
    organization: Uuid,
    roles: &BTreeSet<RoleId>,
) -> scim::Result<BTreeMap<RoleId, RoleName>> {
    let roles: Vec<_> = roles.iter().map(|role| role.0).collect();
    let mut names = BTreeMap::new();
    for roles in roles.chunks(AT_ONCE) {
        let sql = format!(
            "SELECT r.id, coalesce(g.name, r.name),
                CASE WHEN EXISTS (SELECT 1 FROM role_permission p WHERE p.org = r.org AND p.role = r.id) THEN 1 ELSE 0 END
             FROM role r LEFT JOIN provisioned_group g ON g.org = r.org AND g.row = r.mirrors
             WHERE r.org = ?1 AND r.id IN ({})",
            placeholders(2, roles.len())
        );
        reader.query(&sql, &of_organization(&organization, roles), |row| {
            let name = RoleName {
                name: row.text(1)?.to_owned(),
                permits: row.boolean(2)?,
            };
            names.insert(RoleId(read_id(row.blob(0)?)?), name);
            Ok(())
        })?;
    }
    Ok(names)
}

/// How many ids one statement looks up.
const AT_ONCE: usize = 500;

/// Returns those of some accounts that hold a permission themselves which does not wait.
pub(crate) fn with_permissions(
    reader: &Reader<'_>,
    organization: Uuid,
    accounts: &[Uuid],
) -> scim::Result<BTreeSet<Uuid>> {
    if accounts.is_empty() {
        return Ok(BTreeSet::new());
    }
    let sql = format!(
        "SELECT g.holder FROM permission_grant g WHERE g.org = ?1 AND NOT g.waiting AND g.holder IN ({})",
        placeholders(2, accounts.len())
    );
    let found = reader.query_all(&sql, &of_organization(&organization, accounts), |row| {
        read_id(row.blob(0)?)
    })?;
    Ok(found.into_iter().collect())
}

/// Returns those of some accounts whose people were never signed in and have an invitation that can be used.
pub(crate) fn invited(
    reader: &Reader<'_>,
    organization: Uuid,
    accounts: &[Uuid],
    now: Timestamp,
) -> scim::Result<BTreeSet<Uuid>> {
    if accounts.is_empty() {
        return Ok(BTreeSet::new());
    }
    let sql = format!(
        "SELECT a.id FROM account a CROSS JOIN link l ON l.org = a.org AND l.account = a.id
         WHERE a.org = ?1 AND a.signed_in IS NULL AND l.kind = '{}' AND l.expires > ?2 AND a.id IN ({})",
        LinkKind::Invitation.word(),
        placeholders(3, accounts.len())
    );
    let mut params: Vec<Param<'_>> = vec![organization.as_bytes().into(), now.as_microsecond().into()];
    params.extend(of(accounts));
    let found = reader.query_all(&sql, &params, |row| read_id(row.blob(0)?))?;
    Ok(found.into_iter().collect())
}

/// Returns the names of the roles that the members of some groups of the provider have by them, by the rows of the groups.
pub(crate) fn roles_of_groups(
    reader: &Reader<'_>,
    members: &Members<'_>,
    groups: &[i64],
) -> scim::Result<BTreeMap<i64, Vec<String>>> {
    if groups.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = placeholders(2, groups.len());
    let sql = match members.settings().groups {
        Groups::Map => format!(
            "SELECT m.grp, r.name FROM mapping m CROSS JOIN role r ON r.org = m.org AND r.id = m.role
             WHERE m.org = ?1 AND m.grp IN ({rows})"
        ),
        Groups::Mirror => format!(
            "SELECT r.mirrors, g.name FROM role r CROSS JOIN provisioned_group g ON g.org = r.org AND g.row = r.mirrors
             WHERE r.org = ?1 AND r.mirrors IN ({rows})"
        ),
    };
    let organization = members.organization();
    let mut params: Vec<Param<'_>> = vec![organization.as_bytes().into()];
    params.extend(groups.iter().map(|row| Param::from(*row)));
    let mut names: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    reader.query(&sql, &params, |row| {
        names
            .entry(row.integer(0)?)
            .or_default()
            .push(row.text(1)?.to_owned());
        Ok(())
    })?;
    names.values_mut().for_each(|names| names.sort());
    Ok(names)
}

/// Returns the names of the roles that some local groups hold, by the groups.
pub(crate) fn roles_of_local_groups(
    reader: &Reader<'_>,
    organization: Uuid,
    groups: &[Uuid],
) -> scim::Result<BTreeMap<Uuid, Vec<String>>> {
    if groups.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sql = format!(
        "SELECT g.holder, r.name FROM role_grant g CROSS JOIN role r ON r.org = g.org AND r.id = g.role
         WHERE g.org = ?1 AND g.holder IN ({})",
        placeholders(2, groups.len())
    );
    let mut names: BTreeMap<Uuid, Vec<String>> = BTreeMap::new();
    reader.query(&sql, &of_organization(&organization, groups), |row| {
        let names = names.entry(read_id(row.blob(0)?)?).or_default();
        names.push(row.text(1)?.to_owned());
        Ok(())
    })?;
    for names in names.values_mut() {
        names.sort();
        names.dedup();
    }
    Ok(names)
}

fn of(ids: &[Uuid]) -> Vec<Param<'_>> {
    ids.iter().map(|id| Param::from(id.as_bytes())).collect()
}

fn of_organization<'p>(organization: &'p Uuid, ids: &'p [Uuid]) -> Vec<Param<'p>> {
    let mut params: Vec<Param<'p>> = vec![organization.as_bytes().into()];
    params.extend(of(ids));
    params
}
