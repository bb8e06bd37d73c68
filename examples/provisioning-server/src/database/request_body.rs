//! Table `request_body`: bodies of requests, masked, for a day.

use scim::store::database::{Reader, Transaction};
use uuid::Uuid;

use super::history::before;

/// Keeps the body of a request.
pub(super) fn insert(
    tx: &Transaction<'_>,
    organization: Uuid,
    sequence: Uuid,
    body: &str,
) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO request_body (org, sequence, body) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        &[
            organization.as_bytes().into(),
            sequence.as_bytes().into(),
            body.into(),
        ],
    )?;
    Ok(())
}

/// Returns the body of a request, if it was kept.
pub(crate) fn find(reader: &Reader<'_>, organization: Uuid, sequence: Uuid) -> scim::Result<Option<String>> {
    reader.query_one(
        "SELECT body FROM request_body WHERE org = ?1 AND sequence = ?2",
        &[organization.as_bytes().into(), sequence.as_bytes().into()],
        |row| Ok(row.text(0)?.to_owned()),
    )
}

/// Removes bodies of requests before `limit`, up to so many. Answers how many there were.
pub(super) fn purge(tx: &Transaction<'_>, organization: Uuid, limit: Uuid, most: u32) -> scim::Result<u64> {
    tx.execute(
        "DELETE FROM request_body WHERE (org, sequence) IN (
             SELECT org, sequence FROM request_body WHERE org = ?1 AND sequence < ?2 ORDER BY sequence LIMIT ?3)",
        &before(organization.as_bytes(), limit.as_bytes(), most),
    )
}
