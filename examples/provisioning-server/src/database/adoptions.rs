//! Table `adoption`: manual accounts that an administrator has given free for one person of the identity provider.

use scim::store::database::{Reader, Transaction};
use uuid::Uuid;

use super::{read_id, read_time};
use crate::domain::account::name_key;
use crate::domain::adoption::Adoption;

/// Keeps what was confirmed, in place of what was confirmed for the name before.
pub(crate) fn put(tx: &Transaction<'_>, organization: Uuid, adoption: &Adoption) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO adoption (org, name, external_id, account, confirmed_by, until) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (org, name) DO UPDATE SET external_id = excluded.external_id, account = excluded.account,
             confirmed_by = excluded.confirmed_by, until = excluded.until",
        &[
            organization.as_bytes().into(),
            (&adoption.name_key).into(),
            adoption.external_id.as_ref().into(),
            adoption.account.as_bytes().into(),
            (&adoption.confirmed_by).into(),
            adoption.until.as_microsecond().into(),
        ],
    )?;
    Ok(())
}

/// Returns the adoption that was confirmed for a name.
pub(crate) fn find(reader: &Reader<'_>, organization: Uuid, name: &str) -> scim::Result<Option<Adoption>> {
    reader.query_one(
        "SELECT name, external_id, account, confirmed_by, until FROM adoption WHERE org = ?1 AND name = ?2",
        &[organization.as_bytes().into(), (&name_key(name)).into()],
        |row| {
            Ok(Adoption {
                name_key: row.text(0)?.to_owned(),
                external_id: row.optional_text(1)?.map(str::to_owned),
                account: read_id(row.blob(2)?)?,
                confirmed_by: row.text(3)?.to_owned(),
                until: read_time(row.integer(4)?)?,
            })
        },
    )
}

/// Forgets everything that was confirmed, because the identity provider does not come any more.
pub(crate) fn remove_all(tx: &Transaction<'_>, organization: Uuid) -> scim::Result<()> {
    tx.execute(
        "DELETE FROM adoption WHERE org = ?1",
        &[organization.as_bytes().into()],
    )?;
    Ok(())
}

/// Forgets what was confirmed for a name, because it has happened.
pub(crate) fn remove(tx: &Transaction<'_>, organization: Uuid, name: &str) -> scim::Result<()> {
    tx.execute(
        "DELETE FROM adoption WHERE org = ?1 AND name = ?2",
        &[organization.as_bytes().into(), (&name_key(name)).into()],
    )?;
    Ok(())
}
