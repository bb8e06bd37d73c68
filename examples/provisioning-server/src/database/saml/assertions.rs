//! Table `saml_assertion`: assertions that were used.

use jiff::Timestamp;
use scim::store::database::Transaction;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Notes that an assertion is used. Answers with `false` if it was used before.
pub(crate) fn take(
    tx: &Transaction<'_>,
    organization: Uuid,
    id: &str,
    until: Timestamp,
) -> scim::Result<bool> {
    let fingerprint: [u8; 32] = Sha256::digest(id.as_bytes()).into();
    let taken = tx.execute(
        "INSERT INTO saml_assertion (org, fingerprint, until) VALUES (?1, ?2, ?3)
         ON CONFLICT (org, fingerprint) DO NOTHING",
        &[
            organization.as_bytes().into(),
            (&fingerprint).into(),
            until.as_microsecond().into(),
        ],
    )?;
    Ok(taken > 0)
}

/// Removes those that are not valid any more, a few at a time.
pub(in crate::database) fn purge(
    tx: &Transaction<'_>,
    organization: Uuid,
    now: Timestamp,
    most: u32,
) -> scim::Result<u64> {
    tx.execute(
        "DELETE FROM saml_assertion WHERE org = ?1 AND fingerprint IN (
           SELECT fingerprint FROM saml_assertion WHERE org = ?1 AND until < ?2 LIMIT ?3)",
        &[
            organization.as_bytes().into(),
            now.as_microsecond().into(),
            most.into(),
        ],
    )
}
