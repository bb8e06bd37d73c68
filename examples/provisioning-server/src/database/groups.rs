//! Table `provisioned_group`: the groups of the identity provider, as the product needs them beside the resources of SCIM.

use scim::store::database::{Reader, Row, Transaction};
use uuid::Uuid;

use super::page::Page;
use super::read_time;
use crate::domain::group::ProvisionedGroup;
use crate::domain::naming::key;

const COLUMNS: &str = "SELECT g.row, g.id, g.name, g.external_id, g.created FROM provisioned_group g";

pub(crate) fn insert(tx: &Transaction<'_>, organization: Uuid, group: &ProvisionedGroup) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO provisioned_group (org, row, id, name, name_key, external_id, created)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &[
            organization.as_bytes().into(),
            group.row.into(),
            (&group.id).into(),
            (&group.name).into(),
            (&key(&group.name)).into(),
            group.external_id.as_ref().into(),
            group.created.as_microsecond().into(),
        ],
    )?;
    Ok(())
}

/// Writes the name, and the identifier that the provider has for the group.
pub(crate) fn update(
    tx: &Transaction<'_>,
    organization: Uuid,
    id: &str,
    name: &str,
    external_id: Option<&str>,
) -> scim::Result<()> {
    tx.execute(
        "UPDATE provisioned_group SET name = ?3, name_key = ?4, external_id = ?5 WHERE org = ?1 AND id = ?2",
        &[
            organization.as_bytes().into(),
            id.into(),
            name.into(),
            (&key(name)).into(),
            external_id.into(),
        ],
    )?;
    Ok(())
}

pub(crate) fn remove(tx: &Transaction<'_>, organization: Uuid, row: i64) -> scim::Result<()> {
    tx.execute(
        "DELETE FROM provisioned_group WHERE org = ?1 AND row = ?2",
        &[organization.as_bytes().into(), row.into()],
    )?;
    Ok(())
}

/// Returns the group with this id among the resources of SCIM.
pub(crate) fn by_id(
    reader: &Reader<'_>,
    organization: Uuid,
    id: &str,
) -> scim::Result<Option<ProvisionedGroup>> {
    let sql = format!("{COLUMNS} WHERE g.org = ?1 AND g.id = ?2");
    reader.query_one(&sql, &[organization.as_bytes().into(), id.into()], read)
}

/// Returns the group whose row has this key.
pub(crate) fn by_row(
    reader: &Reader<'_>,
    organization: Uuid,
    row: i64,
) -> scim::Result<Option<ProvisionedGroup>> {
    let sql = format!("{COLUMNS} WHERE g.org = ?1 AND g.row = ?2");
    reader.query_one(&sql, &[organization.as_bytes().into(), row.into()], read)
}

/// Returns the first two groups with this name: a name that two have names neither.
pub(crate) fn by_name(
    reader: &Reader<'_>,
    organization: Uuid,
    name: &str,
) -> scim::Result<Vec<ProvisionedGroup>> {
    let sql = format!("{COLUMNS} WHERE g.org = ?1 AND g.name_key = ?2 ORDER BY g.row LIMIT 2");
    reader.query_all(&sql, &[organization.as_bytes().into(), (&key(name)).into()], read)
}

/// Returns the first two groups for which the provider has this identifier.
pub(crate) fn by_external_id(
    reader: &Reader<'_>,
    organization: Uuid,
    external_id: &str,
) -> scim::Result<Vec<ProvisionedGroup>> {
    let sql = format!("{COLUMNS} WHERE g.org = ?1 AND g.external_id = ?2 ORDER BY g.row LIMIT 2");
    reader.query_all(&sql, &[organization.as_bytes().into(), external_id.into()], read)
}

/// Returns whether another group than this one has the name.
pub(crate) fn is_taken(tx: &Transaction<'_>, organization: Uuid, name: &str, id: &str) -> scim::Result<bool> {
    let named = by_name(tx, organization, name)?;
    Ok(named.iter().any(|group| group.id != id))
}

/// Returns how many there are.
pub(crate) fn count(reader: &Reader<'_>, organization: Uuid) -> scim::Result<u64> {
    let sql = "SELECT count(*) FROM provisioned_group WHERE org = ?1";
    super::count(reader, sql, &[organization.as_bytes().into()])
}

/// Returns groups in the order of their names.
pub(crate) fn list(
    reader: &Reader<'_>,
    organization: Uuid,
    page: &Page<i64>,
) -> scim::Result<Vec<ProvisionedGroup>> {
    list_where(reader, organization, page, "")
}

/// Returns groups that are mapped to no role, in the order of their names.
pub(crate) fn list_unmapped(
    reader: &Reader<'_>,
    organization: Uuid,
    page: &Page<i64>,
) -> scim::Result<Vec<ProvisionedGroup>> {
    let condition = " AND NOT EXISTS (SELECT 1 FROM mapping m WHERE m.org = g.org AND m.grp = g.row)";
    list_where(reader, organization, page, condition)
}

/// Returns groups that are mapped to a role, in the order of their names.
pub(crate) fn list_mapped(
    reader: &Reader<'_>,
    organization: Uuid,
    page: &Page<i64>,
) -> scim::Result<Vec<ProvisionedGroup>> {
    let condition = " AND EXISTS (SELECT 1 FROM mapping m WHERE m.org = g.org AND m.grp = g.row)";
    list_where(reader, organization, page, condition)
}

fn list_where(
    reader: &Reader<'_>,
    organization: Uuid,
    page: &Page<i64>,
    condition: &'static str,
) -> scim::Result<Vec<ProvisionedGroup>> {
    let sql = format!(
        "{COLUMNS} WHERE g.org = ?1 AND g.name_key >= ?2 AND g.name_key < ?3 AND (g.name_key, g.row) > (?4, ?5){condition}
         ORDER BY g.name_key, g.row LIMIT ?6"
    );
    let range = page.range(key);
    let behind = page.behind.as_ref().map_or(i64::MIN, |(_, row)| *row);
    let params = [
        organization.as_bytes().into(),
        (&range.from).into(),
        (&range.to).into(),
        (&range.behind).into(),
        behind.into(),
        page.size.into(),
    ];
    reader.query_all(&sql, &params, read)
}

pub(super) fn read(row: &Row<'_>) -> scim::Result<ProvisionedGroup> {
    Ok(ProvisionedGroup {
        row: row.integer(0)?,
        id: row.text(1)?.to_owned(),
        name: row.text(2)?.to_owned(),
        external_id: row.optional_text(3)?.map(str::to_owned),
        created: read_time(row.integer(4)?)?,
    })
}
