//! Tables `request` and `history_count`, and the view `history`, which shows requests with a sentence each.
//!
//! A row of a read has no sentence of its own: the view makes it of the operation, the type, the total and the status.

use scim::store::database::{Param, Reader, Row, Transaction};
use uuid::Uuid;

use super::{
    activity, bindings, conflict, connection, named, read_id, read_time, request_body, tokens, tolerance_use,
    touched,
};
use crate::domain::batch::{Batch, Counts, Outcome};
use crate::domain::endpoint::{Endpoint, first_sequence};
use crate::domain::history::{HistoryEntry, HistoryFilter};
use crate::domain::keyword::Keyword;
use crate::domain::request_row::RequestRow;
use crate::domain::token::Purpose;

/// Inserts the row of one request, in whichever transaction the caller has: that of the change, if there is one.
/// Of a row that is there already, what is known only after the change is corrected; so a batch can also be written
/// again after a doubtful failure.
pub(crate) fn insert(tx: &Transaction<'_>, row: &RequestRow) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO request (org, sequence, time, method, path, status, scim_type, duration_us, operation, total,
                              sentence, resource_type, resource_id, external_id, token, request_id, idp, notes, error,
                              endpoint, failed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)
         ON CONFLICT (org, sequence) DO UPDATE SET status = excluded.status, failed = excluded.failed,
             scim_type = excluded.scim_type,
             duration_us = excluded.duration_us, notes = excluded.notes, error = excluded.error",
        &[
            row.organization.as_bytes().into(),
            row.sequence.as_bytes().into(),
            row.time.as_microsecond().into(),
            row.method.as_ref().into(),
            (&row.path).into(),
            i64::from(row.status).into(),
            row.scim_type.into(),
            row.duration_us.into(),
            row.operation.into(),
            row.total.map(|total| i64::try_from(total).unwrap_or(i64::MAX)).into(),
            row.sentence.as_deref().unwrap_or_default().into(),
            row.resource_type.into(),
            row.resource_id.as_ref().into(),
            row.external_id.as_ref().into(),
            row.token.as_ref().map(Uuid::as_bytes).into(),
            own_id(row).into(),
            row.idp.word().into(),
            row.notes.as_ref().into(),
            row.error.as_ref().into(),
            Endpoint::of(&row.path).word().into(),
            (row.status >= 400).into(),
        ],
    )?;
    // Whoever is named by a request that succeeds is known to the identity provider.
    if let (Some(id), Some(token)) = (&row.resource_id, row.token)
        && row.status < 400
    {
        bindings::touch(tx, row.organization, id, token)?;
    }
    let asked_for = row.asked_for.as_deref().map(touched::asked_for);
    match row.resource_id.as_ref().or(asked_for.as_ref()) {
        Some(id) => touched::insert(tx, row.organization, row.sequence, id),
        None => Ok(()),
    }
}

/// The id that a client has given its request; empty for one that is called by its sequence.
fn own_id(row: &RequestRow) -> &str {
    let mut text = Uuid::encode_buffer();
    match *row.sequence.hyphenated().encode_lower(&mut text) == row.request_id {
        true => "",
        false => &row.request_id,
    }
}

/// The same, with the sentence corrected, too: of work that goes on over many transactions, each says what all have done.
pub(crate) fn insert_so_far(tx: &Transaction<'_>, row: &RequestRow) -> scim::Result<()> {
    insert(tx, row)?;
    tx.execute(
        "UPDATE request SET sentence = ?3 WHERE org = ?1 AND sequence = ?2",
        &[
            row.organization.as_bytes().into(),
            row.sequence.as_bytes().into(),
            row.sentence.as_deref().unwrap_or_default().into(),
        ],
    )?;
    Ok(())
}

/// Writes what was gathered behind the answers.
pub(super) fn append(tx: &Transaction<'_>, batch: &Batch) -> scim::Result<()> {
    for row in &batch.rows {
        insert(tx, row)?;
    }
    for (organization, counts) in &batch.counts {
        count(tx, *organization, *counts)?;
    }
    for (token, used) in &batch.uses {
        tokens::used(tx, used.organization, *token, used.at)?;
        if used.purpose == Purpose::Scim {
            connection::used(tx, used.organization, used.at)?;
        }
    }
    for ((organization, hour), requests) in &batch.activity {
        activity::add(tx, *organization, *hour, requests)?;
    }
    for body in &batch.bodies {
        request_body::insert(tx, body.organization, body.sequence, &body.text)?;
    }
    for outcome in &batch.outcomes {
        match outcome {
            Outcome::Conflict(seen) => conflict::insert(tx, seen)?,
            Outcome::Success { organization, id } => conflict::resolve(tx, *organization, [id.as_str()])?,
        }
    }
    for (of, count) in &batch.tolerances {
        tolerance_use::add(tx, of, *count)?;
    }
    Ok(())
}

fn count(tx: &Transaction<'_>, organization: Uuid, counts: Counts) -> scim::Result<()> {
    let integer = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    tx.execute(
        "INSERT INTO history_count (org, unattributed, overflow, last) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (org) DO UPDATE SET unattributed = unattributed + excluded.unattributed,
             overflow = overflow + excluded.overflow, last = excluded.last",
        &[
            organization.as_bytes().into(),
            integer(counts.unattributed).into(),
            integer(counts.overflow).into(),
            jiff::Timestamp::now().as_microsecond().into(),
        ],
    )?;
    Ok(())
}

/// How many requests no token was known for, and how many rows had to be dropped.
pub(crate) fn not_listed(reader: &Reader<'_>, organization: Uuid) -> scim::Result<(u64, u64)> {
    let found = reader.query_one(
        "SELECT unattributed, overflow FROM history_count WHERE org = ?1",
        &[organization.as_bytes().into()],
        |row| Ok((row.integer(0)?, row.integer(1)?)),
    )?;
    let (unattributed, overflow) = found.unwrap_or_default();
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    Ok((count(unattributed), count(overflow)))
}

/// The columns of the view that [`read`] reads.
const COLUMNS: &str = "h.sequence, h.time, h.method, h.path, h.status, h.scim_type, h.duration_us, h.meaning,
    h.resource_type, h.resource_id, h.external_id, h.token, h.request_id, h.idp, h.notes, h.error";

/// The sequences of everything, in a range.
const ALL: &str = "SELECT sequence FROM request WHERE org = ?1 AND sequence >= ?2 AND sequence < ?3
    ORDER BY sequence DESC LIMIT ?4";

/// Those of what went to one endpoint, with one outcome.
const OF_ENDPOINT: &str = "SELECT sequence FROM request
    WHERE org = ?1 AND endpoint = ?5 AND failed = ?6 AND sequence >= ?2 AND sequence < ?3
    ORDER BY sequence DESC LIMIT ?4";

/// Those of what was about one person or group.
const OF_SUBJECT: &str =
    "SELECT t.sequence FROM touched t JOIN request r ON r.org = t.org AND r.sequence = t.sequence
    WHERE t.org = ?1 AND t.subject = ?5 AND t.sequence >= ?2 AND t.sequence < ?3
      AND r.failed = coalesce(?6, r.failed) AND r.endpoint = coalesce(?7, r.endpoint)
    ORDER BY t.sequence DESC LIMIT ?4";

/// That of the newest request of a client's own id.
const OF_REQUEST_ID: &str = "SELECT sequence FROM request WHERE org = ?1 AND request_id = ?2
    AND request_id <> '' ORDER BY sequence DESC LIMIT 1";

/// Returns the statement that reads the entries of these sequences. They are found first, by an index that has all that
/// is asked for: then no planner would rather go through all rows.
fn entries(sequences: &str) -> String {
    format!(
        "SELECT {COLUMNS} FROM ({sequences}) found JOIN history h ON h.org = ?1 AND h.sequence = found.sequence"
    )
}

/// Returns the newest entries that a filter lets through, or those before an entry. Each filter is served by an index: by
/// the key, by endpoint and outcome, or by who was touched.
pub(crate) fn page(
    reader: &Reader<'_>,
    organization: Uuid,
    filter: &HistoryFilter,
    before: Option<Uuid>,
    limit: u32,
) -> scim::Result<Vec<HistoryEntry>> {
    let at = |time: jiff::Timestamp| first_sequence(time.as_millisecond());
    let begin = filter.since.map_or(Uuid::nil(), at);
    let end = filter
        .until
        .map_or(Uuid::max(), at)
        .min(before.unwrap_or(Uuid::max()));
    let mut found = Vec::new();
    let mut read_from = |source: &str, more: &[Param<'_>]| {
        let range = [
            organization.as_bytes().into(),
            begin.as_bytes().into(),
            end.as_bytes().into(),
            limit.into(),
        ];
        let mut read_now = 0_u32;
        reader.query(&entries(source), &[&range, more].concat(), |row| {
            found.push(read(row)?);
            read_now += 1;
            Ok(())
        })?;
        Ok::<_, scim::Error>(read_now)
    };
    let path = filter.path.as_ref();
    let resource = path.and_then(|path| path.resource.as_ref());
    let subjects = match (&filter.subject, resource) {
        (Some(text), _) => touched::meant(reader, organization, text)?,
        (None, Some(id)) => vec![id.clone()],
        (None, None) => Vec::new(),
    };
    if !subjects.is_empty() {
        let endpoint = path.map(|path| path.endpoint.word());
        for subject in &subjects {
            read_from(
                OF_SUBJECT,
                &[subject.into(), filter.failed.into(), endpoint.into()],
            )?;
            let mut named = 0;
            for period in named::periods(reader, organization)? {
                let asked = [
                    subject.into(),
                    filter.failed.into(),
                    endpoint.into(),
                    period.into(),
                ];
                named += read_from(named::OF_PERIOD, &asked)?;
                if named >= limit.saturating_mul(2) {
                    break;
                }
            }
        }
    } else if path.is_none() && filter.failed.is_none() {
        read_from(ALL, &[])?;
    } else {
        let endpoints = path.map_or(Endpoint::ALL.to_vec(), |path| vec![path.endpoint]);
        let outcomes = filter.failed.map_or(vec![false, true], |failed| vec![failed]);
        for endpoint in endpoints {
            for failed in &outcomes {
                read_from(OF_ENDPOINT, &[endpoint.word().into(), (*failed).into()])?;
            }
        }
    }
    if let Some(id) = resource {
        found.retain(|entry| entry.resource_id.as_ref() == Some(id));
    }
    found.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.id));
    found.dedup_by_key(|entry| entry.id);
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(found)
}

/// The entry with an id: that of the request, or, where a client gave its requests ids of its own, the newest of that.
pub(crate) fn find(reader: &Reader<'_>, organization: Uuid, id: &str) -> scim::Result<Option<HistoryEntry>> {
    let sequence = Uuid::try_parse(id).ok();
    let by_sequence = sequence.map(|sequence| {
        reader.query_one(
            &format!("SELECT {COLUMNS} FROM history h WHERE h.org = ?1 AND h.sequence = ?2"),
            &[organization.as_bytes().into(), sequence.as_bytes().into()],
            read,
        )
    });
    if let Some(found) = by_sequence.transpose()?.flatten() {
        return Ok(Some(found));
    }
    reader.query_one(
        &entries(OF_REQUEST_ID),
        &[organization.as_bytes().into(), id.into()],
        read,
    )
}

fn read(row: &Row<'_>) -> scim::Result<HistoryEntry> {
    let text = |column| row.optional_text(column).map(|text| text.map(str::to_owned));
    Ok(HistoryEntry {
        id: read_id(row.blob(0)?)?,
        time: read_time(row.integer(1)?)?,
        method: row.text(2)?.to_owned(),
        path: row.text(3)?.to_owned(),
        status: u16::try_from(row.integer(4)?).map_err(scim::Error::internal)?,
        scim_type: text(5)?,
        duration_us: row.integer(6)?,
        meaning: row.text(7)?.to_owned(),
        resource_type: text(8)?,
        resource_id: text(9)?,
        external_id: text(10)?,
        token: row.optional_blob(11)?.map(read_id).transpose()?,
        request_id: row.text(12)?.to_owned(),
        idp: row.text(13)?.to_owned(),
        notes: text(14)?,
        error: text(15)?,
    })
}

/// The requests to one endpoint since a time that have failed, or not, up to so many, and when the last one was.
const OUTCOMES: &str = "SELECT (SELECT count(*) FROM (SELECT 1 FROM request
            WHERE org = ?1 AND endpoint = 'ENDPOINT' AND failed = ?2 AND sequence >= ?3 LIMIT ?4)),
        (SELECT time FROM request WHERE org = ?1 AND sequence = (
            SELECT sequence FROM request WHERE org = ?1 AND endpoint = 'ENDPOINT' AND failed = ?2
            ORDER BY sequence DESC LIMIT 1))";

/// How many requests there were since a time that failed, or did not, and when the last one was. Up to `most` are counted for
/// each endpoint.
pub(crate) fn outcomes(
    reader: &Reader<'_>,
    organization: Uuid,
    failed: bool,
    since: jiff::Timestamp,
    most: u32,
) -> scim::Result<(u64, Option<jiff::Timestamp>)> {
    let since = first_sequence(since.as_millisecond());
    let of_endpoint = |endpoint: &Endpoint| OUTCOMES.replace("ENDPOINT", endpoint.word());
    let each: Vec<String> = Endpoint::ALL.iter().map(of_endpoint).collect();
    let params = [
        organization.as_bytes().into(),
        failed.into(),
        since.as_bytes().into(),
        most.into(),
    ];
    let (mut count, mut last) = (0, None);
    for (found, newest) in reader.query_all(&each.join(" UNION ALL "), &params, |row| {
        Ok((
            row.integer(0)?,
            row.optional_integer(1)?.map(read_time).transpose()?,
        ))
    })? {
        count += u64::try_from(found).unwrap_or(0);
        last = last.max(newest);
    }
    Ok((count, last))
}

/// The parameters of statements that remove what is older than a sequence.
pub(super) fn before<'a>(organization: &'a [u8; 16], limit: &'a [u8; 16], most: u32) -> [Param<'a>; 3] {
    [organization.into(), limit.into(), most.into()]
}

/// Removes requests before `limit`, up to so many. Answers how many there were.
pub(super) fn purge(tx: &Transaction<'_>, organization: Uuid, limit: Uuid, most: u32) -> scim::Result<u64> {
    tx.execute(
        "DELETE FROM request WHERE (org, sequence) IN (
             SELECT org, sequence FROM request WHERE org = ?1 AND sequence < ?2 ORDER BY sequence LIMIT ?3)",
        &before(organization.as_bytes(), limit.as_bytes(), most),
    )
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use scim::store::database::{Database, Options};
    use uuid::Uuid;

    use super::*;
    use crate::database::migrations;
    use crate::domain::settings::IdentityProvider;

    fn read(operation: &'static str, status: u16, total: Option<u64>) -> RequestRow {
        RequestRow {
            organization: Uuid::nil(),
            sequence: Uuid::now_v7(),
            time: Timestamp::UNIX_EPOCH,
            method: "GET".into(),
            path: "/scim/acme/v2/Users".to_owned(),
            status,
            scim_type: None,
            duration_us: 1,
            operation: Some(operation),
            total,
            sentence: None,
            resource_type: Some("User"),
            resource_id: None,
            external_id: None,
            asked_for: None,
            token: None,
            request_id: "r".to_owned(),
            idp: IdentityProvider::Other,
            notes: None,
            error: None,
        }
    }

    /// The sentence that the history shows of a request.
    fn meaning(row: RequestRow) -> String {
        let database = Database::in_memory(Options::default()).unwrap();
        database
            .blocking_write(|tx| migrations::run(tx, Timestamp::UNIX_EPOCH))
            .unwrap()
            .unwrap();
        let shown = database.blocking_write(move |tx| {
            insert(tx, &row.clone().bounded())?;
            tx.query_one("SELECT meaning FROM history", &[], |row| {
                Ok(row.text(0)?.to_owned())
            })
        });
        shown.unwrap().unwrap()
    }

    /// A read, and a request that was refused or changed nothing, is kept as codes and shown in words.
    #[test]
    fn a_sentence_is_made_of_operation_type_total_and_status() {
        for (operation, status, total, sentence) in [
            ("get", 200, None, "read a user"),
            ("get", 304, None, "read a user"),
            ("get", 404, None, "not found: read a user"),
            ("query", 200, Some(0), "looked for users: 0 found"),
            ("query", 400, None, "rejected: look for users"),
            ("create", 400, None, "rejected: create a user"),
            ("create", 409, None, "rejected: create a user"),
            ("create", 503, None, "failed: create a user"),
            ("replace", 501, None, "not supported: replace a user"),
            (
                "patch",
                200,
                None,
                "changed nothing: the user was like that already",
            ),
            ("patch", 412, None, "rejected: change a user"),
            ("delete", 404, None, "not found: delete a user"),
            ("discover", 200, None, "read what the service can do"),
            ("options", 204, None, "ask what can be done"),
        ] {
            assert_eq!(meaning(read(operation, status, total)), sentence);
        }
        let all = RequestRow {
            resource_type: None,
            ..read("query-all", 200, Some(7))
        };
        assert_eq!(meaning(all), "looked for resources: 7 found");
        let lost = RequestRow {
            operation: None,
            resource_type: None,
            ..read("", 405, None)
        };
        assert_eq!(meaning(lost), "rejected: unknown request");
    }

    /// A sentence that stands in the row is shown as it is.
    #[test]
    fn a_sentence_that_was_kept_is_shown() {
        let test = RequestRow {
            sentence: Some("connection test".into()),
            ..read("query", 200, Some(0))
        };
        assert_eq!(meaning(test), "connection test");
    }

    fn steps(sql: String) -> Vec<String> {
        let database = Database::in_memory(Options::default()).unwrap();
        database
            .blocking_write(|tx| migrations::run(tx, Timestamp::UNIX_EPOCH))
            .unwrap()
            .unwrap();
        let plan = database.blocking_read(move |reader| {
            let nothing = [Param::Null; 7];
            let count = (1..=7).filter(|n| sql.contains(&format!("?{n}"))).count();
            let sql = format!("EXPLAIN QUERY PLAN {sql}");
            reader.query_all(&sql, nothing.get(..count).unwrap(), |row| {
                Ok(row.text(3)?.to_owned())
            })
        });
        plan.unwrap()
    }

    /// Feature rows 64, 66, 75: each filter, single requests and what ends are found by an index, in order.
    #[test]
    fn nothing_is_read_that_is_not_shown() {
        const RANGE: &str = "sequence>? AND sequence<?)";
        let entry = "SEARCH request USING PRIMARY KEY (org=? AND sequence=?)".to_owned();
        for (sql, index) in [
            (ALL, format!("request USING PRIMARY KEY (org=? AND {RANGE}")),
            (
                OF_ENDPOINT,
                format!(
                    "request USING COVERING INDEX request_endpoint (org=? AND endpoint=? AND failed=? AND {RANGE}"
                ),
            ),
            (
                OF_SUBJECT,
                format!("t USING PRIMARY KEY (org=? AND subject=? AND {RANGE}"),
            ),
            (
                OF_REQUEST_ID,
                "request USING COVERING INDEX request_id (org=? AND request_id=?)".to_owned(),
            ),
        ] {
            let found = steps(sql.to_owned());
            let expected = [
                format!("SEARCH {index}"),
                entry.replace("request USING", "r USING"),
            ];
            let expected = expected.get(..if sql == OF_SUBJECT { 2 } else { 1 }).unwrap();
            assert_eq!(found, expected, "{sql}");
            let shown = steps(entries(sql));
            assert!(shown.contains(&entry), "{shown:#?}");
            assert!(
                shown.iter().all(|step| !step.starts_with("USE TEMP")),
                "{shown:#?}"
            );
        }
        for (sql, index) in [
            (
                "SELECT org, sequence FROM request WHERE org = ?1 AND sequence < ?2 ORDER BY sequence LIMIT ?3",
                "request USING PRIMARY KEY (org=? AND sequence<?)",
            ),
            (
                "SELECT org, subject, sequence FROM touched WHERE org = ?1 AND sequence < ?2 ORDER BY sequence LIMIT ?3",
                "touched USING COVERING INDEX touched_request (org=? AND sequence<?)",
            ),
            (
                "SELECT org, period, subject, sequence FROM named WHERE org = ?1 AND sequence < ?2
                 ORDER BY sequence LIMIT ?3",
                "named USING COVERING INDEX named_request (org=? AND sequence<?)",
            ),
            (
                "SELECT count(*) FROM request WHERE org = ?1 AND endpoint = ?2 AND failed = ?3 AND sequence >= ?4",
                "request USING COVERING INDEX request_endpoint (org=? AND endpoint=? AND failed=? AND sequence>?)",
            ),
        ] {
            assert_eq!(steps(sql.to_owned()), [format!("SEARCH {index}")]);
        }
    }
}
