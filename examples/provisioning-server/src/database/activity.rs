//! How much an identity provider has done in a time: its requests by the hour, as table `activity` has them, and what has
//! changed, counted up to a bound by indexes.

use jiff::Timestamp;
use scim::store::database::{Param, Reader, Transaction};
use uuid::Uuid;

use super::accounts::read_word;
use crate::domain::activity::{Counts, MOST, Requests, Span};
use crate::domain::clock::hour;
use crate::domain::endpoint::{Endpoint, first_sequence};
use crate::domain::event::EventKind;
use crate::domain::keyword::Keyword;

/// The kinds of the first events in a range, of people and groups of the identity provider. Manual accounts are none of them.
const KINDS: &str = "SELECT kind, count(*) FROM (
        SELECT kind, subject_type FROM event WHERE org = ?1 AND sequence >= ?2 AND sequence < ?3 LIMIT ?4
    ) WHERE subject_type IN ('user', 'group') GROUP BY kind";

/// The requests to one endpoint in a range that have failed.
const FAILED: &str = "SELECT 1 FROM (
        SELECT 1 FROM request WHERE org = ?1 AND endpoint = 'ENDPOINT' AND failed = 1 AND sequence >= ?2 AND sequence < ?3
        LIMIT ?4
    )";

/// The endpoints whose requests change something, or look for what is to be changed.
const ENDPOINTS: [Endpoint; 4] = [Endpoint::Users, Endpoint::Groups, Endpoint::Bulk, Endpoint::Other];

/// Counts what has happened from one time to another.
pub(crate) fn count(
    reader: &Reader<'_>,
    organization: Uuid,
    begin: Timestamp,
    end: Timestamp,
) -> scim::Result<Counts> {
    let (begin, end) = (
        first_sequence(begin.as_millisecond()),
        first_sequence(end.as_millisecond()),
    );
    let range: [Param<'_>; 4] = [
        organization.as_bytes().into(),
        begin.as_bytes().into(),
        end.as_bytes().into(),
        MOST.into(),
    ];
    let mut counts = Counts::default();
    let kinds = reader.query_all(KINDS, &range, |row| {
        Ok((read_word::<EventKind>(row.text(0)?)?, row.integer(1)?))
    })?;
    for (kind, count) in kinds {
        counts.add(kind, u64::try_from(count).unwrap_or(0));
    }
    let failed = ENDPOINTS.map(|endpoint| FAILED.replace("ENDPOINT", endpoint.word()));
    let failed = format!("SELECT count(*) FROM ({})", failed.join(" UNION ALL "));
    counts.errors = super::count(reader, &failed, &range)?;
    Ok(counts)
}

/// Adds to the requests of an hour.
pub(super) fn add(
    tx: &Transaction<'_>,
    organization: Uuid,
    hour: i64,
    requests: &Requests,
) -> scim::Result<()> {
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    tx.execute(
        "INSERT INTO activity (org, hour, succeeded, refused) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (org, hour) DO UPDATE SET succeeded = activity.succeeded + excluded.succeeded,
             refused = activity.refused + excluded.refused",
        &[
            organization.as_bytes().into(),
            hour.into(),
            count(requests.succeeded).into(),
            count(requests.refused).into(),
        ],
    )?;
    Ok(())
}

/// Returns the requests of each hour of a span in which there were any.
pub(crate) fn requests(
    reader: &Reader<'_>,
    organization: Uuid,
    span: &Span,
) -> scim::Result<Vec<(i64, Requests)>> {
    let (begin, end) = span.hours();
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    reader.query_all(
        "SELECT hour, succeeded, refused FROM activity WHERE org = ?1 AND hour >= ?2 AND hour < ?3",
        &[organization.as_bytes().into(), begin.into(), end.into()],
        |row| {
            let requests = Requests {
                succeeded: count(row.integer(1)?),
                refused: count(row.integer(2)?),
            };
            Ok((row.integer(0)?, requests))
        },
    )
}

/// Removes hours before a time. Answers how many there were.
pub(super) fn purge(
    tx: &Transaction<'_>,
    organization: Uuid,
    limit: Timestamp,
    most: u32,
) -> scim::Result<u64> {
    tx.execute(
        "DELETE FROM activity WHERE (org, hour) IN (
             SELECT org, hour FROM activity WHERE org = ?1 AND hour < ?2 ORDER BY hour LIMIT ?3)",
        &[organization.as_bytes().into(), hour(limit).into(), most.into()],
    )
}
