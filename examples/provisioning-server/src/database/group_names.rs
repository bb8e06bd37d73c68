//! Table `group_name`: the folded names of an organization's groups, for those organizations in which they are unique.

use scim::store::database::Transaction;
use uuid::Uuid;

pub(crate) use crate::domain::naming::key;

/// Whether a group has this name.
pub(crate) fn is_taken(tx: &Transaction<'_>, organization: Uuid, name: &str) -> scim::Result<bool> {
    let found = tx.query_one(
        "SELECT 1 FROM group_name WHERE org = ?1 AND name = ?2 LIMIT 1",
        &[organization.as_bytes().into(), name.into()],
        |row| row.integer(0),
    )?;
    Ok(found.is_some())
}

pub(crate) fn insert(tx: &Transaction<'_>, organization: Uuid, name: &str, id: &str) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO group_name (org, name, id) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        &[organization.as_bytes().into(), name.into(), id.into()],
    )?;
    Ok(())
}

pub(crate) fn remove(tx: &Transaction<'_>, organization: Uuid, name: &str, id: &str) -> scim::Result<()> {
    tx.execute(
        "DELETE FROM group_name WHERE org = ?1 AND name = ?2 AND id = ?3",
        &[organization.as_bytes().into(), name.into(), id.into()],
    )?;
    Ok(())
}

/// Forgets the groups of an organization.
pub(super) fn remove_all(tx: &Transaction<'_>, organization: Uuid) -> scim::Result<()> {
    tx.execute(
        "DELETE FROM group_name WHERE org = ?1",
        &[organization.as_bytes().into()],
    )?;
    Ok(())
}
