//! Tables `local_group` and `local_member`: groups that are kept here, hold roles, and are not shown over SCIM.

use jiff::Timestamp;
use scim::store::database::{Reader, Row, Transaction};
use uuid::Uuid;

use super::page::Page;
use super::{read_id, read_time};
use crate::domain::local_group::LocalGroup;
use crate::domain::naming::key;

pub(crate) fn insert(tx: &Transaction<'_>, organization: Uuid, group: &LocalGroup) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO local_group (org, id, name, name_key, description, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            organization.as_bytes().into(),
            group.id.as_bytes().into(),
            (&group.name).into(),
            (&key(&group.name)).into(),
            (&group.description).into(),
            group.created.as_microsecond().into(),
        ],
    )?;
    Ok(())
}

/// Writes name and description.
pub(crate) fn update(tx: &Transaction<'_>, organization: Uuid, group: &LocalGroup) -> scim::Result<()> {
    tx.execute(
        "UPDATE local_group SET name = ?3, name_key = ?4, description = ?5 WHERE org = ?1 AND id = ?2",
        &[
            organization.as_bytes().into(),
            group.id.as_bytes().into(),
            (&group.name).into(),
            (&key(&group.name)).into(),
            (&group.description).into(),
        ],
    )?;
    Ok(())
}

/// Removes a group and everybody from it; what it holds is the caller's to take.
pub(crate) fn remove(tx: &Transaction<'_>, organization: Uuid, group: Uuid) -> scim::Result<()> {
    tx.execute(
        "DELETE FROM local_member WHERE org = ?1 AND local_group = ?2",
        &[organization.as_bytes().into(), group.as_bytes().into()],
    )?;
    tx.execute(
        "DELETE FROM local_group WHERE org = ?1 AND id = ?2",
        &[organization.as_bytes().into(), group.as_bytes().into()],
    )?;
    Ok(())
}

const COLUMNS: &str = "SELECT id, name, description, created FROM local_group";

/// Returns the group of this name.
pub(crate) fn by_name(
    reader: &Reader<'_>,
    organization: Uuid,
    name: &str,
) -> scim::Result<Option<LocalGroup>> {
    let sql = format!("{COLUMNS} WHERE org = ?1 AND name_key = ?2");
    reader.query_one(&sql, &[organization.as_bytes().into(), (&key(name)).into()], read)
}

/// Returns the group with this id.
pub(crate) fn by_id(reader: &Reader<'_>, organization: Uuid, id: Uuid) -> scim::Result<Option<LocalGroup>> {
    let sql = format!("{COLUMNS} WHERE org = ?1 AND id = ?2");
    reader.query_one(
        &sql,
        &[organization.as_bytes().into(), id.as_bytes().into()],
        read,
    )
}

/// Returns all groups in the order of their names.
pub(crate) fn list(reader: &Reader<'_>, organization: Uuid) -> scim::Result<Vec<LocalGroup>> {
    let sql = format!("{COLUMNS} WHERE org = ?1 ORDER BY name_key");
    reader.query_all(&sql, &[organization.as_bytes().into()], read)
}

/// Returns groups in the order of their names, of which no two are the same.
pub(crate) fn page(
    reader: &Reader<'_>,
    organization: Uuid,
    page: &Page<()>,
) -> scim::Result<Vec<LocalGroup>> {
    let range = page.range(key);
    let sql = format!(
        "{COLUMNS} WHERE org = ?1 AND name_key >= ?2 AND name_key < ?3 AND (name_key > ?4 OR ?5) ORDER BY name_key LIMIT ?6"
    );
    let params = [
        organization.as_bytes().into(),
        (&range.from).into(),
        (&range.to).into(),
        (&range.behind).into(),
        page.behind.is_none().into(),
        page.size.into(),
    ];
    reader.query_all(&sql, &params, read)
}

/// Returns how many there are.
pub(crate) fn count_all(reader: &Reader<'_>, organization: Uuid) -> scim::Result<u64> {
    super::count(
        reader,
        "SELECT count(*) FROM local_group WHERE org = ?1",
        &[organization.as_bytes().into()],
    )
}

fn read(row: &Row<'_>) -> scim::Result<LocalGroup> {
    Ok(LocalGroup {
        id: read_id(row.blob(0)?)?,
        name: row.text(1)?.to_owned(),
        description: row.text(2)?.to_owned(),
        created: read_time(row.integer(3)?)?,
    })
}

/// Puts an account into a group. Answers with whether it was not in it before.
pub(crate) fn join(
    tx: &Transaction<'_>,
    organization: Uuid,
    group: Uuid,
    account: Uuid,
    now: Timestamp,
) -> scim::Result<bool> {
    let joined = tx.execute(
        "INSERT INTO local_member (org, local_group, account, created) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (org, local_group, account) DO NOTHING",
        &[
            organization.as_bytes().into(),
            group.as_bytes().into(),
            account.as_bytes().into(),
            now.as_microsecond().into(),
        ],
    )?;
    Ok(joined > 0)
}

/// Takes an account out of a group. Answers with whether it was in it.
pub(crate) fn leave(
    tx: &Transaction<'_>,
    organization: Uuid,
    group: Uuid,
    account: Uuid,
) -> scim::Result<bool> {
    let left = tx.execute(
        "DELETE FROM local_member WHERE org = ?1 AND local_group = ?2 AND account = ?3",
        &[
            organization.as_bytes().into(),
            group.as_bytes().into(),
            account.as_bytes().into(),
        ],
    )?;
    Ok(left > 0)
}

/// Takes an account out of all groups.
pub(crate) fn leave_all(tx: &Transaction<'_>, organization: Uuid, account: Uuid) -> scim::Result<()> {
    tx.execute(
        "DELETE FROM local_member WHERE org = ?1 AND account = ?2",
        &[organization.as_bytes().into(), account.as_bytes().into()],
    )?;
    Ok(())
}

/// Returns the groups that an account is in.
pub(crate) fn of_account(
    reader: &Reader<'_>,
    organization: Uuid,
    account: Uuid,
) -> scim::Result<Vec<LocalGroup>> {
    reader.query_all(
        "SELECT g.id, g.name, g.description, g.created
         FROM local_member m JOIN local_group g ON g.org = m.org AND g.id = m.local_group
         WHERE m.org = ?1 AND m.account = ?2 ORDER BY g.name_key",
        &[organization.as_bytes().into(), account.as_bytes().into()],
        read,
    )
}

/// Returns the members of a group behind one of them, in the order of their ids.
pub(crate) fn members(
    reader: &Reader<'_>,
    organization: Uuid,
    group: Uuid,
    behind: Option<Uuid>,
    most: u32,
) -> scim::Result<Vec<Uuid>> {
    reader.query_all(
        "SELECT account FROM local_member WHERE org = ?1 AND local_group = ?2 AND account > ?3 ORDER BY account LIMIT ?4",
        &[
            organization.as_bytes().into(),
            group.as_bytes().into(),
            behind.as_ref().map_or(&[][..], |id| id.as_bytes()).into(),
            most.into(),
        ],
        |row| read_id(row.blob(0)?),
    )
}

/// Returns how many are in a group.
pub(crate) fn count(reader: &Reader<'_>, organization: Uuid, group: Uuid) -> scim::Result<u64> {
    super::count(
        reader,
        "SELECT count(*) FROM local_member WHERE org = ?1 AND local_group = ?2",
        &[organization.as_bytes().into(), group.as_bytes().into()],
    )
}
