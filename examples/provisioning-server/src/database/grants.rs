//! Tables `role_grant` and `permission_grant`: what accounts and local groups hold by themselves.

use scim::store::database::{Reader, Row, Transaction};
use uuid::Uuid;

use super::accounts::read_word;
use super::roles::read_permission;
use super::{read_id, read_time};
use crate::domain::grant::{Holder, Origin, PermissionGrant, RoleGrant};
use crate::domain::keyword::Keyword;
use crate::domain::permission::Permission;
use crate::domain::role::RoleId;

/// Gives a role. Answers with whether it was not held by this origin before.
pub(crate) fn give_role(tx: &Transaction<'_>, organization: Uuid, grant: &RoleGrant) -> scim::Result<bool> {
    let given = tx.execute(
        "INSERT INTO role_grant (org, holder, role, origin, created, by_whom) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (org, holder, role, origin) DO NOTHING",
        &[
            organization.as_bytes().into(),
            grant.holder.id().as_bytes().into(),
            grant.role.0.as_bytes().into(),
            grant.origin.word().into(),
            grant.created.as_microsecond().into(),
            (&grant.by).into(),
        ],
    )?;
    Ok(given > 0)
}

/// Takes a role of one origin. Answers with whether it was held.
pub(crate) fn take_role(
    tx: &Transaction<'_>,
    organization: Uuid,
    holder: Holder,
    role: RoleId,
    origin: Origin,
) -> scim::Result<bool> {
    let taken = tx.execute(
        "DELETE FROM role_grant WHERE org = ?1 AND holder = ?2 AND role = ?3 AND origin = ?4",
        &[
            organization.as_bytes().into(),
            holder.id().as_bytes().into(),
            role.0.as_bytes().into(),
            origin.word().into(),
        ],
    )?;
    Ok(taken > 0)
}

/// Takes a role from everybody who holds it by themselves, because it is deleted.
pub(crate) fn take_role_from_all(tx: &Transaction<'_>, organization: Uuid, role: RoleId) -> scim::Result<()> {
    tx.execute(
        "DELETE FROM role_grant WHERE org = ?1 AND role = ?2",
        &[organization.as_bytes().into(), role.0.as_bytes().into()],
    )?;
    Ok(())
}

/// Takes all roles that a holder has by itself.
pub(crate) fn take_roles(tx: &Transaction<'_>, organization: Uuid, holder: Holder) -> scim::Result<()> {
    tx.execute(
        "DELETE FROM role_grant WHERE org = ?1 AND holder = ?2",
        &[organization.as_bytes().into(), holder.id().as_bytes().into()],
    )?;
    Ok(())
}

/// Returns the roles that a holder has by itself.
pub(crate) fn roles_of(
    reader: &Reader<'_>,
    organization: Uuid,
    holder: Holder,
) -> scim::Result<Vec<RoleGrant>> {
    reader.query_all(
        "SELECT role, origin, created, by_whom FROM role_grant WHERE org = ?1 AND holder = ?2 ORDER BY role, origin",
        &[organization.as_bytes().into(), holder.id().as_bytes().into()],
        |row| {
            Ok(RoleGrant {
                holder,
                role: RoleId(read_id(row.blob(0)?)?),
                origin: read_word(row.text(1)?)?,
                created: read_time(row.integer(2)?)?,
                by: row.text(3)?.to_owned(),
            })
        },
    )
}

/// Returns those who hold roles by themselves, behind one of them, in the order of their ids.
pub(crate) fn role_holders(
    reader: &Reader<'_>,
    organization: Uuid,
    behind: Uuid,
    most: u32,
) -> scim::Result<Vec<Uuid>> {
    let sql =
        "SELECT DISTINCT holder FROM role_grant WHERE org = ?1 AND holder > ?2 ORDER BY holder LIMIT ?3";
    holders(reader, sql, organization, behind, most)
}

/// Returns those who hold permissions by themselves, behind one of them, in the order of their ids.
pub(crate) fn permission_holders(
    reader: &Reader<'_>,
    organization: Uuid,
    behind: Uuid,
    most: u32,
) -> scim::Result<Vec<Uuid>> {
    let sql = "SELECT DISTINCT holder FROM permission_grant WHERE org = ?1 AND holder > ?2 ORDER BY holder LIMIT ?3";
    holders(reader, sql, organization, behind, most)
}

fn holders(
    reader: &Reader<'_>,
    sql: &str,
    organization: Uuid,
    behind: Uuid,
    most: u32,
) -> scim::Result<Vec<Uuid>> {
    let params = [
        organization.as_bytes().into(),
        behind.as_bytes().into(),
        most.into(),
    ];
    reader.query_all(sql, &params, |row| read_id(row.blob(0)?))
}

/// Gives a permission to an account, or lets one that waits have effect again. Answers with whether that changes anything.
pub(crate) fn give_permission(
    tx: &Transaction<'_>,
    organization: Uuid,
    grant: &PermissionGrant,
) -> scim::Result<bool> {
    let given = tx.execute(
        "INSERT INTO permission_grant (org, holder, permission, origin, waiting, created, by_whom)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (org, holder, permission, origin)
         DO UPDATE SET waiting = excluded.waiting, created = excluded.created, by_whom = excluded.by_whom
         WHERE permission_grant.waiting <> excluded.waiting",
        &[
            organization.as_bytes().into(),
            grant.account.as_bytes().into(),
            (&grant.permission.to_string()).into(),
            grant.origin.word().into(),
            grant.waiting.into(),
            grant.created.as_microsecond().into(),
            (&grant.by).into(),
        ],
    )?;
    Ok(given > 0)
}

/// Takes a permission of one origin. Answers with whether it was held.
pub(crate) fn take_permission(
    tx: &Transaction<'_>,
    organization: Uuid,
    account: Uuid,
    permission: &Permission,
    origin: Origin,
) -> scim::Result<bool> {
    let taken = tx.execute(
        "DELETE FROM permission_grant WHERE org = ?1 AND holder = ?2 AND permission = ?3 AND origin = ?4",
        &[
            organization.as_bytes().into(),
            account.as_bytes().into(),
            (&permission.to_string()).into(),
            origin.word().into(),
        ],
    )?;
    Ok(taken > 0)
}

/// Takes all permissions that an account holds by itself.
pub(crate) fn take_permissions(tx: &Transaction<'_>, organization: Uuid, account: Uuid) -> scim::Result<()> {
    tx.execute(
        "DELETE FROM permission_grant WHERE org = ?1 AND holder = ?2",
        &[organization.as_bytes().into(), account.as_bytes().into()],
    )?;
    Ok(())
}

/// Lets the permissions of an account wait until an administrator decides. Answers with how many there are.
pub(crate) fn let_wait(tx: &Transaction<'_>, organization: Uuid, account: Uuid) -> scim::Result<u64> {
    tx.execute(
        "UPDATE permission_grant SET waiting = ?3 WHERE org = ?1 AND holder = ?2",
        &[
            organization.as_bytes().into(),
            account.as_bytes().into(),
            true.into(),
        ],
    )
}

/// Returns whether any permission of an account waits.
pub(crate) fn has_waiting(reader: &Reader<'_>, organization: Uuid, account: Uuid) -> scim::Result<bool> {
    let found = reader.query_one(
        "SELECT 1 FROM permission_grant WHERE org = ?1 AND holder = ?2 AND waiting LIMIT 1",
        &[organization.as_bytes().into(), account.as_bytes().into()],
        |row| row.integer(0),
    )?;
    Ok(found.is_some())
}

/// Returns the permissions that an account holds by itself, those that wait too.
pub(crate) fn permissions_of(
    reader: &Reader<'_>,
    organization: Uuid,
    account: Uuid,
) -> scim::Result<Vec<PermissionGrant>> {
    let read = |row: &Row<'_>| {
        Ok(PermissionGrant {
            account,
            permission: read_permission(row.text(0)?)?,
            origin: read_word(row.text(1)?)?,
            waiting: row.boolean(2)?,
            created: read_time(row.integer(3)?)?,
            by: row.text(4)?.to_owned(),
        })
    };
    reader.query_all(
        "SELECT permission, origin, waiting, created, by_whom FROM permission_grant
         WHERE org = ?1 AND holder = ?2 ORDER BY permission, origin",
        &[organization.as_bytes().into(), account.as_bytes().into()],
        read,
    )
}

/// Returns whether an account holds something for the day on which nothing else works.
pub(crate) fn is_break_glass(reader: &Reader<'_>, organization: Uuid, account: Uuid) -> scim::Result<bool> {
    let found = reader.query_one(
        "SELECT 1 FROM role_grant WHERE org = ?1 AND holder = ?2 AND origin = ?3
         UNION ALL SELECT 1 FROM permission_grant WHERE org = ?1 AND holder = ?2 AND origin = ?3 LIMIT 1",
        &[
            organization.as_bytes().into(),
            account.as_bytes().into(),
            Origin::BreakGlass.word().into(),
        ],
        |row| row.integer(0),
    )?;
    Ok(found.is_some())
}
