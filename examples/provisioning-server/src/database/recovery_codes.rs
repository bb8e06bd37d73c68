//! Table `recovery_code`: the codes that stand in for a second factor and were not used.

use scim::store::database::{Reader, Transaction};
use uuid::Uuid;

use crate::domain::second_factor::RecoveryCode;

/// Puts codes in the place of those that an account had.
pub(crate) fn replace(
    tx: &Transaction<'_>,
    realm: Uuid,
    account: Uuid,
    codes: &[RecoveryCode],
) -> scim::Result<()> {
    end(tx, realm, account)?;
    for code in codes {
        tx.execute(
            "INSERT INTO recovery_code (org, account, fingerprint) VALUES (?1, ?2, ?3)",
            &[
                realm.as_bytes().into(),
                account.as_bytes().into(),
                (&code.fingerprint().as_bytes()[..]).into(),
            ],
        )?;
    }
    Ok(())
}

/// Uses a code. Answers with whether the account had it.
pub(crate) fn consume(
    tx: &Transaction<'_>,
    realm: Uuid,
    account: Uuid,
    code: &RecoveryCode,
) -> scim::Result<bool> {
    let used = tx.execute(
        "DELETE FROM recovery_code WHERE org = ?1 AND account = ?2 AND fingerprint = ?3",
        &[
            realm.as_bytes().into(),
            account.as_bytes().into(),
            (&code.fingerprint().as_bytes()[..]).into(),
        ],
    )?;
    Ok(used > 0)
}

/// Counts the codes that an account has left.
pub(crate) fn count(reader: &Reader<'_>, realm: Uuid, account: Uuid) -> scim::Result<u64> {
    let sql = "SELECT count(*) FROM recovery_code WHERE org = ?1 AND account = ?2";
    super::count(reader, sql, &[realm.as_bytes().into(), account.as_bytes().into()])
}

/// Removes the codes of an account.
pub(crate) fn end(tx: &Transaction<'_>, realm: Uuid, account: Uuid) -> scim::Result<()> {
    tx.execute(
        "DELETE FROM recovery_code WHERE org = ?1 AND account = ?2",
        &[realm.as_bytes().into(), account.as_bytes().into()],
    )?;
    Ok(())
}
