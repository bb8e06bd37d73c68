//! Table `owner`: the owners of the instance.

use scim::store::database::{Reader, Row, Transaction};
use uuid::Uuid;

use super::{read_id, read_time};
use crate::domain::account::name_key;
use crate::domain::instance_owner::InstanceOwner;

/// The realm of owners.
const INSTANCE: Uuid = Uuid::nil();

/// Keeps a new owner. Answers with `false` if there is one with this address.
pub(crate) fn insert(tx: &Transaction<'_>, owner: &InstanceOwner) -> scim::Result<bool> {
    let made = tx.execute(
        "INSERT INTO owner (org, id, name_key, address, created) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (org, name_key) DO NOTHING",
        &[
            INSTANCE.as_bytes().into(),
            owner.id.as_bytes().into(),
            (&name_key(&owner.address)).into(),
            (&owner.address).into(),
            owner.created.as_microsecond().into(),
        ],
    )?;
    Ok(made > 0)
}

/// Removes an owner.
pub(crate) fn remove(tx: &Transaction<'_>, id: Uuid) -> scim::Result<()> {
    tx.execute(
        "DELETE FROM owner WHERE org = ?1 AND id = ?2",
        &[INSTANCE.as_bytes().into(), id.as_bytes().into()],
    )?;
    Ok(())
}

const COLUMNS: &str = "SELECT id, address, created FROM owner";

/// Returns all owners, the oldest first.
pub(crate) fn all(reader: &Reader<'_>) -> scim::Result<Vec<InstanceOwner>> {
    let sql = format!("{COLUMNS} WHERE org = ?1 ORDER BY id");
    reader.query_all(&sql, &[INSTANCE.as_bytes().into()], read)
}

/// Returns how many there are.
pub(crate) fn count(reader: &Reader<'_>) -> scim::Result<u64> {
    super::count(
        reader,
        "SELECT count(*) FROM owner WHERE org = ?1",
        &[INSTANCE.as_bytes().into()],
    )
}

/// Returns the owner with this address.
pub(crate) fn by_address(reader: &Reader<'_>, address: &str) -> scim::Result<Option<InstanceOwner>> {
    let sql = format!("{COLUMNS} WHERE org = ?1 AND name_key = ?2");
    let name = name_key(address.trim());
    reader.query_one(&sql, &[INSTANCE.as_bytes().into(), (&name).into()], read)
}

/// Returns the owner with this id.
pub(crate) fn by_id(reader: &Reader<'_>, id: Uuid) -> scim::Result<Option<InstanceOwner>> {
    let sql = format!("{COLUMNS} WHERE org = ?1 AND id = ?2");
    reader.query_one(&sql, &[INSTANCE.as_bytes().into(), id.as_bytes().into()], read)
}

fn read(row: &Row<'_>) -> scim::Result<InstanceOwner> {
    Ok(InstanceOwner {
        id: read_id(row.blob(0)?)?,
        address: row.text(1)?.to_owned(),
        created: read_time(row.integer(2)?)?,
    })
}
