//! Tables `request` and `history_count`, and the view `history`, which shows requests with a sentence each.
//!
//! A row of a read has no sentence of its own: the view makes it of the operation, the type, the total and the status.

use std::collections::HashMap;
use std::ops::Range;

use scim::store::database::{Param, Reader, Row, Transaction};
use uuid::Uuid;

use super::{
    activity, bindings, conflict, connection, named, read_id, read_time, request_body, subject_names, tokens,
    tolerance_use,
};
use crate::domain::batch::{Batch, Counts, Outcome};
use crate::domain::endpoint::{Endpoint, first_sequence};
use crate::domain::history::{HistoryEntry, HistoryFilter, Touched};
use crate::domain::keyword::Keyword;
use crate::domain::request_row::RequestRow;
use crate::domain::token::Purpose;

/// Numbers of a period. Requests of a period are found by their resource in one look.
const PERIOD: i64 = 4_096;

/// How many rows are written at once behind the answers: as many as hold the writer for a few milliseconds.
const ROWS_AT_ONCE: usize = 512;

/// Inserts the row of one request, in whichever transaction the caller has: that of the change, if there is one.
/// Of a row that is there already, what is known only after the change is corrected; so a batch can also be written
/// again after a doubtful failure.
pub(crate) fn insert(tx: &Transaction<'_>, row: &RequestRow) -> scim::Result<()> {
    let number = next_number(tx, row.organization)?;
    insert_as(tx, row, number)
}

/// Returns the number of the next request: one more than that of the newest. Two that come at once may have the same.
fn next_number(tx: &Transaction<'_>, organization: Uuid) -> scim::Result<i64> {
    let newest = tx.query_one(
        "SELECT number FROM request WHERE org = ?1 ORDER BY sequence DESC LIMIT 1",
        &[organization.as_bytes().into()],
        |row| row.integer(0),
    )?;
    Ok(newest.unwrap_or(0) + 1)
}

fn insert_as(tx: &Transaction<'_>, row: &RequestRow, number: i64) -> scim::Result<()> {
    let asked_for = row.asked_for.as_deref().filter(|_| row.resource_id.is_none());
    tx.execute(
        "INSERT INTO request (org, sequence, time, method, path, status, scim_type, duration_us, operation, total,
                              sentence, resource_type, resource_id, external_id, token, request_id, idp, notes, error,
                              endpoint, failed, number, period, asked_for)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
                 ?23, ?24)
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
            number.into(),
            (number / PERIOD).into(),
            asked_for.map(subject_names::asked_for).as_ref().into(),
        ],
    )?;
    // Whoever is named by a request that succeeds is known to the identity provider.
    if let (Some(id), Some(token)) = (&row.resource_id, row.token)
        && row.status < 400
    {
        bindings::touch(tx, row.organization, id, token)?;
    }
    Ok(())
}

/// Returns the id that a client has given its request; empty for one that is called by its sequence.
fn own_id(row: &RequestRow) -> &str {
    let mut text = Uuid::encode_buffer();
    match *row.sequence.hyphenated().encode_lower(&mut text) == row.request_id {
        true => "",
        false => &row.request_id,
    }
}

/// Inserts the same, with the sentence corrected, too: of work that goes on over many transactions, each says what all have done.
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

/// Returns the parts in which so many rows are written: the last is written together with everything else.
pub(super) fn slices(rows: usize) -> (impl Iterator<Item = Range<usize>>, Range<usize>) {
    let last = rows.saturating_sub(1) / ROWS_AT_ONCE * ROWS_AT_ONCE;
    let slices = (0..last).step_by(ROWS_AT_ONCE);
    (slices.map(|start| start..start + ROWS_AT_ONCE), last..rows)
}

/// Writes some of the rows that were gathered behind the answers.
pub(super) fn append_rows(tx: &Transaction<'_>, batch: &Batch, slice: Range<usize>) -> scim::Result<()> {
    let mut numbers = HashMap::new();
    for row in batch.rows.get(slice).into_iter().flatten() {
        let number = match numbers.get(&row.organization) {
            Some(last) => last + 1,
            None => next_number(tx, row.organization)?,
        };
        insert_as(tx, row, number)?;
        numbers.insert(row.organization, number);
    }
    Ok(())
}

/// Writes the last of those rows, and what else was gathered.
pub(super) fn append(tx: &Transaction<'_>, batch: &Batch, slice: Range<usize>) -> scim::Result<()> {
    append_rows(tx, batch, slice)?;
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

/// Returns how many requests no token was known for, and how many rows had to be dropped.
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

/// The rows `t` of `request` that are about person or group 5, in period 8.
const OF_RESOURCE: (&str, &str) = ("request", "t.period = ?8 AND t.resource_id = ?5");

/// Those that have asked for somebody in vain.
const OF_ASKED_FOR: (&str, &str) = ("request", "t.asked_for = ?5");

/// Returns the sequences of requests to which rows `t` of a table lead, with outcome 6 and to endpoint 7, where these are given.
fn linked((table, which): (&str, &str)) -> String {
    format!(
        "SELECT t.sequence FROM {table} t JOIN request r ON r.org = t.org AND r.sequence = t.sequence
         WHERE t.org = ?1 AND {which} AND t.sequence >= ?2 AND t.sequence < ?3
           AND r.failed = coalesce(?6, r.failed) AND r.endpoint = coalesce(?7, r.endpoint)
         ORDER BY t.sequence DESC LIMIT ?4"
    )
}

/// A beginning of statements: each period `n` of organization 1 that may have requests about a resource, up to `last`.
pub(super) const PERIODS: &str = "WITH RECURSIVE period (n, last) AS (
    SELECT (SELECT period FROM request WHERE org = ?1 AND resource_id IS NOT NULL ORDER BY period LIMIT 1),
           (SELECT period FROM request WHERE org = ?1 AND resource_id IS NOT NULL ORDER BY period DESC LIMIT 1)
    UNION ALL SELECT n + 1, last FROM period WHERE n < last)";

/// Returns the periods with requests about a resource, the newest first.
fn periods(reader: &Reader<'_>, organization: Uuid) -> scim::Result<Vec<i64>> {
    reader.query_all(
        &format!("{PERIODS} SELECT n FROM period WHERE n IS NOT NULL ORDER BY n DESC"),
        &[organization.as_bytes().into()],
        |row| row.integer(0),
    )
}

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

/// Entries that are gathered for a page, from indexes in turn.
struct Gathering<'r> {
    reader: &'r Reader<'r>,
    organization: Uuid,
    /// The sequences between which they are.
    range: (Uuid, Uuid),
    limit: u32,
    found: Vec<HistoryEntry>,
}

impl Gathering<'_> {
    /// Reads entries from one source, which has parameters of its own from the fifth on.
    fn read_from(&mut self, source: &str, more: &[Param<'_>]) -> scim::Result<()> {
        self.read(&entries(source), more).map(drop)
    }

    /// Reads the entries of a statement. Answers how many there were.
    fn read(&mut self, statement: &str, more: &[Param<'_>]) -> scim::Result<u32> {
        let (begin, end) = self.range;
        let range = [
            self.organization.as_bytes().into(),
            begin.as_bytes().into(),
            end.as_bytes().into(),
            self.limit.into(),
        ];
        let mut read_now = 0;
        self.reader.query(statement, &[&range, more].concat(), |row| {
            self.found.push(read(row)?);
            read_now += 1;
            Ok(())
        })?;
        Ok(read_now)
    }

    /// Reads entries from a source that is looked through period by period, until there are enough.
    ///
    /// Requests end in the order of their commits, which is nearly that of their sequences: whoever has found enough in a
    /// period looks into the next one too, so that none is left out at its edge.
    fn read_periods(
        &mut self,
        source: (&str, &str),
        periods: &[i64],
        of: [Param<'_>; 3],
    ) -> scim::Result<()> {
        let [subject, failed, endpoint] = of;
        let statement = entries(&linked(source));
        let mut read_so_far = 0;
        for period in periods {
            read_so_far += self.read(&statement, &[subject, failed, endpoint, (*period).into()])?;
            if read_so_far >= self.limit.saturating_mul(2) {
                break;
            }
        }
        Ok(())
    }

    /// Reads what was about somebody: as the resource of a request, among those whom it named, or as whom it asked for.
    fn read_about(&mut self, subjects: &[String], filter: &HistoryFilter) -> scim::Result<()> {
        let endpoint = filter.path.as_ref().map(|path| path.endpoint.word());
        let (failed, endpoint) = (filter.failed.into(), endpoint.into());
        if let Some(text) = &filter.subject {
            let name = subject_names::asked_for(text);
            self.read_from(&linked(OF_ASKED_FOR), &[(&name).into(), failed, endpoint])?;
        }
        let of_resource = periods(self.reader, self.organization)?;
        let of_named = named::periods(self.reader, self.organization)?;
        for subject in subjects {
            let of = [subject.into(), failed, endpoint];
            self.read_periods(OF_RESOURCE, &of_resource, of)?;
            self.read_periods(named::OF_PERIOD, &of_named, of)?;
        }
        Ok(())
    }

    /// Reads what has one outcome, or went to one endpoint.
    fn read_outcomes(&mut self, filter: &HistoryFilter) -> scim::Result<()> {
        let path = filter.path.as_ref();
        let endpoints = path.map_or(Endpoint::ALL.to_vec(), |path| vec![path.endpoint]);
        let outcomes = filter.failed.map_or(vec![false, true], |failed| vec![failed]);
        for endpoint in endpoints {
            for failed in &outcomes {
                self.read_from(OF_ENDPOINT, &[endpoint.word().into(), (*failed).into()])?;
            }
        }
        Ok(())
    }
}

/// Returns the newest entries that a filter lets through, or those before an entry. Each filter is served by an index: by
/// the key, by endpoint and outcome, or by whom it was about.
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
    let mut gathering = Gathering {
        reader,
        organization,
        range: (begin, end),
        limit,
        found: Vec::new(),
    };
    let resource = filter.path.as_ref().and_then(|path| path.resource.as_ref());
    match (&filter.subject, resource) {
        (Some(text), _) => {
            let subjects = subject_names::meant(reader, organization, text)?;
            gathering.read_about(&subjects, filter)?;
        }
        (None, Some(id)) => gathering.read_about(std::slice::from_ref(id), filter)?,
        (None, None) if filter.path.is_none() && filter.failed.is_none() => gathering.read_from(ALL, &[])?,
        (None, None) => gathering.read_outcomes(filter)?,
    }
    let mut found = gathering.found;
    if let Some(id) = resource {
        found.retain(|entry| entry.resource_id.as_ref() == Some(id));
    }
    found.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.id));
    found.dedup_by_key(|entry| entry.id);
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(found)
}

/// Returns the entry with an id: that of the request, or, where a client gave its requests ids of its own, the newest of that.
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

/// Returns how many requests there were since a time that failed, or did not, and when the last one was. Up to `most` are counted
/// for each endpoint.
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

/// Returns the people and groups that a request was about: its resource, or the name that it asked for, first.
pub(crate) fn touched(reader: &Reader<'_>, organization: Uuid, sequence: Uuid) -> scim::Result<Touched> {
    let own = reader.query_one(
        "SELECT coalesce(resource_id, asked_for) FROM request WHERE org = ?1 AND sequence = ?2",
        &[organization.as_bytes().into(), sequence.as_bytes().into()],
        |row| Ok(row.optional_text(0)?.map(str::to_owned)),
    )?;
    let (named, more) = named::of_request(reader, organization, sequence)?;
    let subjects = own.flatten().into_iter().chain(named).collect();
    Ok(Touched { subjects, more })
}

/// Returns the parameters of statements that remove what is older than a sequence.
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

    /// Returns the sentence that the history shows of a request.
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

    /// Feature row 75: many requests at once do not keep others from writing, and each is written once.
    #[tokio::test]
    async fn rows_of_busy_moments_are_written_some_at_a_time() {
        use crate::database::product_of_test;
        use std::sync::Arc;

        let (product, _folder) = product_of_test().await;
        let mut written = 0;
        for (rows, commits) in [(0, 1), (1, 1), (ROWS_AT_ONCE, 1), (2 * ROWS_AT_ONCE + 1, 3)] {
            let mut batch = Batch::default();
            (0..rows).for_each(|_| _ = batch.add_row(read("get", 200, None)));
            batch.counts.entry(Uuid::nil()).or_default().unattributed = 1;
            let before = product.statistics().commits;
            product.append_history(Arc::new(batch)).await.unwrap();
            assert_eq!(product.statistics().commits - before, commits, "{rows} rows");
            written += rows;
        }
        let counted = product.transact(|tx| {
            let rows = crate::database::count(tx, "SELECT count(*) FROM request", &[])?;
            Ok((rows, not_listed(tx, Uuid::nil())?.0))
        });
        assert_eq!(counted.await.unwrap(), (written as u64, 4));
        product.close().await;
    }

    /// Feature row 66: whoever looks through the requests about somebody meets each of them once, the newest first, in however
    /// many periods they lie, and whether they were resources or asked for in vain.
    #[test]
    fn requests_about_somebody_are_found_in_all_periods() {
        const REQUESTS: usize = 9_000;
        const OF_EACH: [(&str, usize); 3] = [("ann", 1), ("bob", 100), ("cem", 4_000)];
        let database = Database::in_memory(Options::default()).unwrap();
        let made = database.blocking_write(|tx| migrations::run(tx, Timestamp::UNIX_EPOCH));
        made.unwrap().unwrap();
        let mut batch = Batch::default();
        let mut expected: HashMap<&str, Vec<Uuid>> = HashMap::new();
        for n in 0..REQUESTS {
            let whom = OF_EACH.iter().rev().find(|(_, every)| n % every == 0);
            let (whom, _) = *whom.unwrap();
            let found = n % 3 > 0;
            let row = RequestRow {
                resource_id: found.then(|| whom.to_owned()),
                asked_for: Some(whom.to_owned()),
                ..read("get", if found { 200 } else { 404 }, None)
            };
            expected.entry(whom).or_default().push(row.sequence);
            batch.rows.push(row);
        }
        database
            .blocking_write(move |tx| append_rows(tx, &batch, 0..batch.rows.len()))
            .unwrap();
        for (whom, _) in OF_EACH {
            let filter = HistoryFilter {
                subject: Some(whom.to_owned()),
                ..HistoryFilter::default()
            };
            let mut seen = Vec::new();
            loop {
                let (filter, last) = (filter.clone(), seen.last().copied());
                let next =
                    database.blocking_read(move |reader| page(reader, Uuid::nil(), &filter, last, 700));
                let next = next.unwrap();
                if next.is_empty() {
                    break;
                }
                seen.extend(next.iter().map(|entry| entry.id));
            }
            seen.reverse();
            assert_eq!(Some(&seen), expected.get(whom), "{whom}");
        }
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
            let nothing = [Param::Null; 8];
            let count = (1..=8).filter(|n| sql.contains(&format!("?{n}"))).count();
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
        let joins = [OF_RESOURCE, OF_ASKED_FOR, named::OF_PERIOD].map(linked);
        let [of_resource, of_asked_for, of_named] = joins.each_ref().map(String::as_str);
        for (sql, index) in [
            (ALL, format!("request USING PRIMARY KEY (org=? AND {RANGE}")),
            (
                OF_ENDPOINT,
                format!(
                    "request USING COVERING INDEX request_endpoint (org=? AND endpoint=? AND failed=? AND {RANGE}"
                ),
            ),
            (
                of_resource,
                format!(
                    "t USING COVERING INDEX request_resource (org=? AND period=? AND resource_id=? AND {RANGE}"
                ),
            ),
            (
                of_asked_for,
                format!("t USING COVERING INDEX request_asked_for (org=? AND asked_for=? AND {RANGE}"),
            ),
            (
                of_named,
                format!("t USING PRIMARY KEY (org=? AND period=? AND subject=? AND {RANGE}"),
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
            let is_join = joins.iter().any(|join| join == sql);
            let expected = expected.get(..if is_join { 2 } else { 1 }).unwrap();
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
