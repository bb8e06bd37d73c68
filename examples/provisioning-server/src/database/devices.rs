//! Table `device`: browsers in which somebody has signed in.

use jiff::{SignedDuration, Timestamp};
use scim::store::database::{Reader, Transaction};
use uuid::Uuid;

use crate::domain::clock::earlier;
use crate::domain::secret::Fingerprint;

/// A browser is known for this long after somebody has last signed in with it.
const KNOWN: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Notes that somebody has signed in with a browser.
pub(crate) fn note(
    tx: &Transaction<'_>,
    realm: Uuid,
    account: Uuid,
    fingerprint: &Fingerprint,
    now: Timestamp,
) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO device (org, account, fingerprint, used) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (org, account, fingerprint) DO UPDATE SET used = excluded.used",
        &[
            realm.as_bytes().into(),
            account.as_bytes().into(),
            (&fingerprint.as_bytes()[..]).into(),
            now.as_microsecond().into(),
        ],
    )?;
    Ok(())
}

/// Returns whether somebody has signed in with a browser, not too long ago.
pub(crate) fn is_known(
    reader: &Reader<'_>,
    realm: Uuid,
    account: Uuid,
    fingerprint: &Fingerprint,
    now: Timestamp,
) -> scim::Result<bool> {
    let found = reader.query_one(
        "SELECT 1 FROM device WHERE org = ?1 AND account = ?2 AND fingerprint = ?3 AND used >= ?4",
        &[
            realm.as_bytes().into(),
            account.as_bytes().into(),
            (&fingerprint.as_bytes()[..]).into(),
            earlier(now, KNOWN).as_microsecond().into(),
        ],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Forgets the browsers of an account.
pub(super) fn end(tx: &Transaction<'_>, realm: Uuid, account: Uuid) -> scim::Result<()> {
    tx.execute(
        "DELETE FROM device WHERE org = ?1 AND account = ?2",
        &[realm.as_bytes().into(), account.as_bytes().into()],
    )?;
    Ok(())
}

/// Forgets browsers that were not used for long.
pub(super) fn purge(tx: &Transaction<'_>, realm: Uuid, now: Timestamp, most: u32) -> scim::Result<u64> {
    tx.execute(
        "DELETE FROM device WHERE (org, account, fingerprint) IN (
             SELECT org, account, fingerprint FROM device WHERE org = ?1 AND used < ?2 LIMIT ?3)",
        &[
            realm.as_bytes().into(),
            earlier(now, KNOWN).as_microsecond().into(),
            most.into(),
        ],
    )
}
