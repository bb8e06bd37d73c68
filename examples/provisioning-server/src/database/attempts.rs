//! Table `attempt`: how often somebody has failed to sign in, by name, network address and browser.

use jiff::Timestamp;
use scim::store::database::{Reader, Transaction};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::read_time;
use crate::domain::attempts::{Counted, Counter};

/// Returns the key of a counter. It is a hash, because whatever somebody has typed as a name can be a password.
fn key(what: Counted, text: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(what.word());
    hash.update([0]);
    hash.update(text);
    hash.finalize().into()
}

/// Returns the counter of something.
pub(crate) fn find(reader: &Reader<'_>, realm: Uuid, what: Counted, text: &str) -> scim::Result<Counter> {
    let found = reader.query_one(
        "SELECT failed, last FROM attempt WHERE org = ?1 AND key = ?2",
        &[realm.as_bytes().into(), (&key(what, text)[..]).into()],
        |row| {
            Ok(Counter {
                failed: u32::try_from(row.integer(0)?).unwrap_or(u32::MAX),
                last: read_time(row.integer(1)?)?,
            })
        },
    )?;
    Ok(found.unwrap_or_default())
}

/// Writes a counter.
pub(crate) fn set(
    tx: &Transaction<'_>,
    realm: Uuid,
    what: Counted,
    text: &str,
    counter: Counter,
) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO attempt (org, key, failed, last) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (org, key) DO UPDATE SET failed = excluded.failed, last = excluded.last",
        &[
            realm.as_bytes().into(),
            (&key(what, text)[..]).into(),
            counter.failed.into(),
            counter.last.as_microsecond().into(),
        ],
    )?;
    Ok(())
}

/// Removes counters that nobody waits for any more.
pub(super) fn purge(tx: &Transaction<'_>, realm: Uuid, now: Timestamp, most: u32) -> scim::Result<u64> {
    tx.execute(
        "DELETE FROM attempt WHERE (org, key) IN (SELECT org, key FROM attempt WHERE org = ?1 AND last < ?2 LIMIT ?3)",
        &[
            realm.as_bytes().into(),
            Counter::kept_since(now).as_microsecond().into(),
            most.into(),
        ],
    )
}
