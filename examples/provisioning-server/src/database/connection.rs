//! Table `connection`: when an organization's identity provider came for the first time and for the last.

use jiff::Timestamp;
use scim::store::database::{Reader, Transaction};
use uuid::Uuid;

use super::read_time;

/// Notes that a request has come with a token.
pub(super) fn used(tx: &Transaction<'_>, organization: Uuid, at: Timestamp) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO connection (org, first, last) VALUES (?1, ?2, ?2)
         ON CONFLICT (org) DO UPDATE SET last = excluded.last WHERE excluded.last > connection.last",
        &[organization.as_bytes().into(), at.as_microsecond().into()],
    )?;
    Ok(())
}

/// The first request and the last one.
pub(crate) fn find(reader: &Reader<'_>, organization: Uuid) -> scim::Result<Option<(Timestamp, Timestamp)>> {
    reader.query_one(
        "SELECT first, last FROM connection WHERE org = ?1",
        &[organization.as_bytes().into()],
        |row| Ok((read_time(row.integer(0)?)?, read_time(row.integer(1)?)?)),
    )
}
