//! Tables `connection` and `synchronisation`: when an organization's identity provider came for the first time and for the last,
//! and when it began to come again.

use jiff::Timestamp;
use scim::store::database::{Reader, Transaction};
use uuid::Uuid;

use super::read_time;
use crate::domain::rhythm::{self, KEPT};

/// Notes that a request of the identity provider has come with a token.
pub(super) fn used(tx: &Transaction<'_>, organization: Uuid, at: Timestamp) -> scim::Result<()> {
    let last = find(tx, organization)?.map(|(_, last)| last);
    if rhythm::begins(last, at) {
        begin(tx, organization, at)?;
    }
    tx.execute(
        "INSERT INTO connection (org, first, last) VALUES (?1, ?2, ?2)
         ON CONFLICT (org) DO UPDATE SET last = excluded.last WHERE excluded.last > connection.last",
        &[organization.as_bytes().into(), at.as_microsecond().into()],
    )?;
    Ok(())
}

/// Notes that a synchronisation has begun, and removes those that are too many.
fn begin(tx: &Transaction<'_>, organization: Uuid, at: Timestamp) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO synchronisation (org, begun) VALUES (?1, ?2) ON CONFLICT (org, begun) DO NOTHING",
        &[organization.as_bytes().into(), at.as_microsecond().into()],
    )?;
    tx.execute(
        "DELETE FROM synchronisation WHERE org = ?1 AND begun NOT IN (
             SELECT begun FROM synchronisation WHERE org = ?1 ORDER BY begun DESC LIMIT ?2)",
        &[organization.as_bytes().into(), KEPT.into()],
    )?;
    Ok(())
}

/// Returns when the newest synchronisations have begun.
pub(crate) fn synchronisations(reader: &Reader<'_>, organization: Uuid) -> scim::Result<Vec<Timestamp>> {
    reader.query_all(
        "SELECT begun FROM synchronisation WHERE org = ?1 ORDER BY begun",
        &[organization.as_bytes().into()],
        |row| read_time(row.integer(0)?),
    )
}

/// Returns the times of the first request and the last one.
pub(crate) fn find(reader: &Reader<'_>, organization: Uuid) -> scim::Result<Option<(Timestamp, Timestamp)>> {
    reader.query_one(
        "SELECT first, last FROM connection WHERE org = ?1",
        &[organization.as_bytes().into()],
        |row| Ok((read_time(row.integer(0)?)?, read_time(row.integer(1)?)?)),
    )
}
