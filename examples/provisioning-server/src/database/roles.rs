//! Tables `role` and `role_permission`. A role that mirrors a group has the name of the group.

use scim::store::database::{Reader, Row, Transaction};
use uuid::Uuid;

use super::groups;
use super::page::Page;
use super::{read_id, read_time};
use crate::domain::group::ProvisionedGroup;
use crate::domain::naming::key;
use crate::domain::permission::{Permission, Permissions};
use crate::domain::role::{Role, RoleId};

pub(crate) fn insert(tx: &Transaction<'_>, organization: Uuid, role: &Role) -> scim::Result<()> {
    let name = match role.mirrors {
        Some(_) => "",
        None => &role.name,
    };
    tx.execute(
        "INSERT INTO role (org, id, name, name_key, description, mirrors, created, changed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &[
            organization.as_bytes().into(),
            role.id.0.as_bytes().into(),
            name.into(),
            (&key(name)).into(),
            (&role.description).into(),
            role.mirrors.into(),
            role.created.as_microsecond().into(),
            role.changed.as_microsecond().into(),
        ],
    )?;
    insert_permissions(tx, organization, role)
}

/// Keeps a group that an identity provider has pushed, with the role that mirrors it.
pub(crate) fn insert_group(
    tx: &Transaction<'_>,
    organization: Uuid,
    group: &ProvisionedGroup,
) -> scim::Result<()> {
    groups::insert(tx, organization, group)?;
    let role = Role::mirroring(RoleId(Uuid::now_v7()), group.row, &group.name, group.created);
    insert(tx, organization, &role)
}

fn insert_permissions(tx: &Transaction<'_>, organization: Uuid, role: &Role) -> scim::Result<()> {
    for permission in role.permissions.iter() {
        tx.execute(
            "INSERT INTO role_permission (org, role, permission) VALUES (?1, ?2, ?3)",
            &[
                organization.as_bytes().into(),
                role.id.0.as_bytes().into(),
                (&permission.to_string()).into(),
            ],
        )?;
    }
    Ok(())
}

/// Writes name, description and permissions.
pub(crate) fn update(tx: &Transaction<'_>, organization: Uuid, role: &Role) -> scim::Result<()> {
    let name = match role.mirrors {
        Some(_) => "",
        None => &role.name,
    };
    tx.execute(
        "UPDATE role SET name = ?3, name_key = ?4, description = ?5, changed = ?6 WHERE org = ?1 AND id = ?2",
        &[
            organization.as_bytes().into(),
            role.id.0.as_bytes().into(),
            name.into(),
            (&key(name)).into(),
            (&role.description).into(),
            role.changed.as_microsecond().into(),
        ],
    )?;
    remove_permissions(tx, organization, role.id)?;
    insert_permissions(tx, organization, role)
}

fn remove_permissions(tx: &Transaction<'_>, organization: Uuid, role: RoleId) -> scim::Result<()> {
    tx.execute(
        "DELETE FROM role_permission WHERE org = ?1 AND role = ?2",
        &[organization.as_bytes().into(), role.0.as_bytes().into()],
    )?;
    Ok(())
}

/// Removes a role with its permissions; mappings and grants are the caller's to remove.
pub(crate) fn remove(tx: &Transaction<'_>, organization: Uuid, role: RoleId) -> scim::Result<()> {
    remove_permissions(tx, organization, role)?;
    tx.execute(
        "DELETE FROM role WHERE org = ?1 AND id = ?2",
        &[organization.as_bytes().into(), role.0.as_bytes().into()],
    )?;
    Ok(())
}

/// The columns of a role, of which a mirrored one has the name of its group, and one permission in each row.
const COLUMNS: &str =
    "r.id, coalesce(g.name, r.name), r.description, r.mirrors, r.created, r.changed, p.permission";

/// The joins from a role to the group it mirrors, and to its permissions.
const JOINS: &str = "LEFT JOIN provisioned_group g ON g.org = r.org AND g.row = r.mirrors
    LEFT JOIN role_permission p ON p.org = r.org AND p.role = r.id";

/// Returns the role with this id.
pub(crate) fn by_id(reader: &Reader<'_>, organization: Uuid, id: RoleId) -> scim::Result<Option<Role>> {
    let sql =
        format!("SELECT {COLUMNS} FROM role r {JOINS} WHERE r.org = ?1 AND r.id = ?2 ORDER BY p.permission");
    one(
        reader,
        &sql,
        &[organization.as_bytes().into(), id.0.as_bytes().into()],
    )
}

/// Returns the role of this name that mirrors no group.
pub(crate) fn by_name(reader: &Reader<'_>, organization: Uuid, name: &str) -> scim::Result<Option<Role>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM role r {JOINS}
         WHERE r.org = ?1 AND r.name_key = ?2 AND r.mirrors IS NULL ORDER BY p.permission"
    );
    one(
        reader,
        &sql,
        &[organization.as_bytes().into(), (&key(name)).into()],
    )
}

/// Returns the role that mirrors a group.
pub(crate) fn mirroring(reader: &Reader<'_>, organization: Uuid, group: i64) -> scim::Result<Option<Role>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM role r {JOINS} WHERE r.org = ?1 AND r.mirrors = ?2 ORDER BY p.permission"
    );
    one(reader, &sql, &[organization.as_bytes().into(), group.into()])
}

/// Returns the roles that mirror no group, in the order of their names.
pub(crate) fn list(reader: &Reader<'_>, organization: Uuid) -> scim::Result<Vec<Role>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM role r {JOINS}
         WHERE r.org = ?1 AND r.mirrors IS NULL ORDER BY r.name_key, r.id, p.permission"
    );
    all(reader, &sql, &[organization.as_bytes().into()])
}

/// Returns the ids and names of the first roles that administrators have made, and of those that mirror groups if they
/// count, by name.
pub(crate) fn names(
    reader: &Reader<'_>,
    organization: Uuid,
    with_mirrored: bool,
    most: u32,
) -> scim::Result<Vec<(RoleId, String)>> {
    let params = [organization.as_bytes().into(), most.into()];
    let read = |row: &Row<'_>| Ok((RoleId(read_id(row.blob(0)?)?), row.text(1)?.to_owned()));
    let own = "SELECT r.id, r.name FROM role r
               WHERE r.org = ?1 AND r.mirrors IS NULL ORDER BY r.name_key LIMIT ?2";
    let mut found = reader.query_all(own, &params, read)?;
    if with_mirrored {
        let mirrored =
            "SELECT r.id, g.name FROM provisioned_group g JOIN role r ON r.org = g.org AND r.mirrors = g.row
                        WHERE g.org = ?1 ORDER BY g.name_key, g.row LIMIT ?2";
        found.extend(reader.query_all(mirrored, &params, read)?);
    }
    Ok(found)
}

/// Returns the roles that mirror groups, in the order of the names of the groups.
pub(crate) fn list_mirrored(
    reader: &Reader<'_>,
    organization: Uuid,
    page: &Page<i64>,
) -> scim::Result<Vec<Role>> {
    let mut roles = Vec::new();
    for group in groups::list(reader, organization, page)? {
        roles.extend(mirroring(reader, organization, group.row)?);
    }
    Ok(roles)
}

fn one(
    reader: &Reader<'_>,
    sql: &str,
    params: &[scim::store::database::Param<'_>],
) -> scim::Result<Option<Role>> {
    Ok(all(reader, sql, params)?.into_iter().next())
}

/// Gathers the rows of each role.
fn all(
    reader: &Reader<'_>,
    sql: &str,
    params: &[scim::store::database::Param<'_>],
) -> scim::Result<Vec<Role>> {
    let mut roles: Vec<Role> = Vec::new();
    for (role, permission) in reader.query_all(sql, params, read)? {
        if roles.last().is_none_or(|last| last.id != role.id) {
            roles.push(role);
        }
        if let (Some(role), Some(permission)) = (roles.last_mut(), permission) {
            role.permissions.insert(permission);
        }
    }
    Ok(roles)
}

fn read(row: &Row<'_>) -> scim::Result<(Role, Option<Permission>)> {
    let role = Role {
        id: RoleId(read_id(row.blob(0)?)?),
        name: row.text(1)?.to_owned(),
        description: row.text(2)?.to_owned(),
        mirrors: row.optional_integer(3)?,
        permissions: Permissions::NONE,
        created: read_time(row.integer(4)?)?,
        changed: read_time(row.integer(5)?)?,
    };
    let permission = row.optional_text(6)?.map(read_permission).transpose()?;
    Ok((role, permission))
}

/// Reads a permission as it is stored.
pub(super) fn read_permission(text: &str) -> scim::Result<Permission> {
    Permission::parse(text).map_err(scim::Error::internal)
}
