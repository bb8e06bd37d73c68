//! How much an identity provider has done in a time: counted up to a bound, by indexes.

use jiff::Timestamp;
use scim::store::database::{Param, Reader};
use uuid::Uuid;

use super::accounts::read_word;
use crate::domain::activity::{Counts, MOST};
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
