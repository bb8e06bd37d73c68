//! Table `tolerance_use`: how often each tolerance was needed, by hour.

use jiff::Timestamp;
use scim::store::database::{Reader, Transaction};
use uuid::Uuid;

use crate::domain::batch::ToleranceUse;
use crate::domain::clock::hour;
use crate::domain::history::Needed;

/// Adds to how often a tolerance was needed.
pub(super) fn add(tx: &Transaction<'_>, of: &ToleranceUse, count: u64) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO tolerance_use (org, hour, tolerance, subject, count) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (org, hour, tolerance, subject) DO UPDATE SET count = tolerance_use.count + excluded.count",
        &[
            of.organization.as_bytes().into(),
            of.hour.into(),
            of.tolerance.into(),
            (&of.subject).into(),
            i64::try_from(count).unwrap_or(i64::MAX).into(),
        ],
    )?;
    Ok(())
}

/// Returns what was needed since a time, the most frequent first.
pub(crate) fn sum(
    reader: &Reader<'_>,
    organization: Uuid,
    since: Timestamp,
    most: u32,
) -> scim::Result<Vec<Needed>> {
    reader.query_all(
        "SELECT tolerance, subject, sum(count) AS total FROM tolerance_use WHERE org = ?1 AND hour >= ?2
         GROUP BY tolerance, subject ORDER BY total DESC, tolerance, subject LIMIT ?3",
        &[organization.as_bytes().into(), hour(since).into(), most.into()],
        |row| {
            Ok(Needed {
                tolerance: row.text(0)?.to_owned(),
                subject: row.text(1)?.to_owned(),
                count: u64::try_from(row.integer(2)?).unwrap_or(0),
            })
        },
    )
}

/// Removes counts from before a time. Answers how many there were.
pub(super) fn purge(
    tx: &Transaction<'_>,
    organization: Uuid,
    limit: Timestamp,
    most: u32,
) -> scim::Result<u64> {
    tx.execute(
        "DELETE FROM tolerance_use WHERE (org, hour, tolerance, subject) IN (
             SELECT org, hour, tolerance, subject FROM tolerance_use WHERE org = ?1 AND hour < ?2 ORDER BY hour LIMIT ?3)",
        &[organization.as_bytes().into(), hour(limit).into(), most.into()],
    )
}
