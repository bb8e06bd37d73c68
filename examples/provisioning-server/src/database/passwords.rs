//! Table `password`: the hashes of passwords.

use jiff::Timestamp;
use scim::store::database::{Reader, Transaction};
use uuid::Uuid;

use super::read_time;

/// Sets the password of an account.
pub(crate) fn set(
    tx: &Transaction<'_>,
    realm: Uuid,
    account: Uuid,
    hash: &str,
    now: Timestamp,
) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO password (org, account, hash, changed) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (org, account) DO UPDATE SET hash = excluded.hash, changed = excluded.changed",
        &[
            realm.as_bytes().into(),
            account.as_bytes().into(),
            hash.into(),
            now.as_microsecond().into(),
        ],
    )?;
    Ok(())
}

/// Puts another hash of the same password in the place of the one before.
pub(crate) fn renew(tx: &Transaction<'_>, realm: Uuid, account: Uuid, hash: &str) -> scim::Result<()> {
    tx.execute(
        "UPDATE password SET hash = ?3 WHERE org = ?1 AND account = ?2",
        &[realm.as_bytes().into(), account.as_bytes().into(), hash.into()],
    )?;
    Ok(())
}

/// Returns the hash of an account's password.
pub(crate) fn find(reader: &Reader<'_>, realm: Uuid, account: Uuid) -> scim::Result<Option<String>> {
    reader.query_one(
        "SELECT hash FROM password WHERE org = ?1 AND account = ?2",
        &[realm.as_bytes().into(), account.as_bytes().into()],
        |row| Ok(row.text(0)?.to_owned()),
    )
}

/// Returns when the password of an account was set.
pub(crate) fn changed(reader: &Reader<'_>, realm: Uuid, account: Uuid) -> scim::Result<Option<Timestamp>> {
    reader.query_one(
        "SELECT changed FROM password WHERE org = ?1 AND account = ?2",
        &[realm.as_bytes().into(), account.as_bytes().into()],
        |row| read_time(row.integer(0)?),
    )
}

/// Removes the password of an account.
pub(super) fn end(tx: &Transaction<'_>, realm: Uuid, account: Uuid) -> scim::Result<()> {
    tx.execute(
        "DELETE FROM password WHERE org = ?1 AND account = ?2",
        &[realm.as_bytes().into(), account.as_bytes().into()],
    )?;
    Ok(())
}
