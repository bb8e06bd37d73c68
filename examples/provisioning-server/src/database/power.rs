//! The permissions that somebody can come to, whoever it is: by acting as the identity provider, or when a setting changes what
//! groups give.

use scim::store::database::Reader;
use uuid::Uuid;

use super::roles::read_permission;
use crate::domain::account::ManagedBy;
use crate::domain::keyword::Keyword;
use crate::domain::organization::Organization;
use crate::domain::permission::Permissions;
use crate::domain::settings::{Assignment, Groups};

/// Role permissions `p` of organization 1 that mapped groups give.
const MAPPED: &str = "SELECT p.permission FROM role_permission p WHERE p.org = ?1
    AND EXISTS (SELECT 1 FROM mapping m WHERE m.org = p.org AND m.role = p.role)";

/// Those that mirrored groups give.
const MIRRORED: &str =
    "SELECT p.permission FROM role_permission p JOIN role r ON r.org = p.org AND r.id = p.role
    WHERE p.org = ?1 AND r.mirrors IS NOT NULL";

/// Those that groups kept here give.
const LOCAL: &str = "SELECT p.permission FROM role_permission p WHERE p.org = ?1 AND EXISTS (
    SELECT 1 FROM role_grant g JOIN local_group l ON l.org = g.org AND l.id = g.holder
    WHERE g.org = p.org AND g.role = p.role)";

/// Returns everything that whoever acts as the identity provider can come to: what its groups give, and what its people hold
/// otherwise, since the provider says by which name and address they sign in.
pub(crate) fn of_provider(reader: &Reader<'_>, organization: &Organization) -> scim::Result<Permissions> {
    let settings = &organization.settings;
    let scim = ManagedBy::Scim.word();
    let given = match settings.groups {
        Groups::Map => MAPPED,
        Groups::Mirror => MIRRORED,
    };
    let mut sql = format!(
        "{given} UNION SELECT g.permission FROM permission_grant g JOIN account a ON a.org = g.org AND a.id = g.holder
         WHERE g.org = ?1 AND a.managed_by = '{scim}' AND NOT g.waiting"
    );
    if settings.assignment == Assignment::LocalGroups {
        sql += &format!(
            " UNION SELECT p.permission FROM role_permission p WHERE p.org = ?1 AND EXISTS (
                SELECT 1 FROM role_grant g JOIN local_member l ON l.org = g.org AND l.local_group = g.holder
                JOIN account a ON a.org = l.org AND a.id = l.account
                WHERE g.org = p.org AND g.role = p.role AND a.managed_by = '{scim}')"
        );
    }
    read(reader, organization.id, &sql)
}

/// Returns everything that the groups of the identity provider give, mapped or mirrored.
pub(crate) fn of_groups(reader: &Reader<'_>, organization: Uuid) -> scim::Result<Permissions> {
    read(reader, organization, &format!("{MAPPED} UNION {MIRRORED}"))
}

/// Returns everything that groups kept here give.
pub(crate) fn of_local_groups(reader: &Reader<'_>, organization: Uuid) -> scim::Result<Permissions> {
    read(reader, organization, LOCAL)
}

fn read(reader: &Reader<'_>, organization: Uuid, sql: &str) -> scim::Result<Permissions> {
    let found = reader.query_all(sql, &[organization.as_bytes().into()], |row| {
        read_permission(row.text(0)?)
    })?;
    Ok(found.into_iter().collect())
}
