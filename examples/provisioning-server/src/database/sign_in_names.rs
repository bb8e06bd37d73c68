//! Table `sign_in_name`: the one key over the names of all who have an account in an organization.

use scim::fold::user_name;
use scim::store::database::{Reader, Transaction};
use uuid::Uuid;

use super::read_id;

/// Returns the form in which names are compared, over SCIM too.
pub(crate) fn key(name: &str) -> String {
    user_name(name).into_owned()
}

/// Returns the account that has a name.
pub(crate) fn find(reader: &Reader<'_>, organization: Uuid, name: &str) -> scim::Result<Option<Uuid>> {
    reader.query_one(
        "SELECT account FROM sign_in_name WHERE org = ?1 AND name = ?2",
        &[organization.as_bytes().into(), (&key(name)).into()],
        |row| read_id(row.blob(0)?),
    )
}

/// Gives a name to an account. Answers with `false` if another one has it.
pub(crate) fn take(
    tx: &Transaction<'_>,
    organization: Uuid,
    name: &str,
    account: Uuid,
) -> scim::Result<bool> {
    let taken = tx.execute(
        "INSERT INTO sign_in_name (org, name, account) VALUES (?1, ?2, ?3) ON CONFLICT (org, name) DO NOTHING",
        &[
            organization.as_bytes().into(),
            (&key(name)).into(),
            account.as_bytes().into(),
        ],
    )?;
    Ok(taken > 0 || find(tx, organization, name)? == Some(account))
}

/// Takes a name from an account, so that it is free.
pub(crate) fn release(
    tx: &Transaction<'_>,
    organization: Uuid,
    name: &str,
    account: Uuid,
) -> scim::Result<()> {
    tx.execute(
        "DELETE FROM sign_in_name WHERE org = ?1 AND name = ?2 AND account = ?3",
        &[
            organization.as_bytes().into(),
            (&key(name)).into(),
            account.as_bytes().into(),
        ],
    )?;
    Ok(())
}
