//! Whether history, events, audit log and conflict inbox belong together.

use scim::store::database::{Reader, Row};

use crate::domain::audit::ActorKind;
use crate::domain::conflict::{ConflictKind, ConflictState};
use crate::domain::endpoint::Endpoint;
use crate::domain::event::EventKind;
use crate::domain::keyword::Keyword;

/// Counts of rows that must not be there, and the finding for each.
pub(super) const WRONG: &[(&str, &str)] = &[
    (
        "SELECT count(*) FROM named t
         WHERE NOT EXISTS (SELECT 1 FROM request r WHERE r.org = t.org AND r.sequence = t.sequence)",
        "names of members in the history lead to no request",
    ),
    (
        "SELECT count(*) FROM named n WHERE number < 1 OR (subject = '' AND number <= 1000)
           OR (subject <> '' AND number > 1000 AND NOT EXISTS (
             SELECT 1 FROM request r WHERE r.org = n.org AND r.sequence = n.sequence AND r.method = 'IMPORT'))
           OR NOT EXISTS (SELECT 1 FROM named_period p WHERE p.org = n.org AND p.period = n.period)",
        "links of the history are not counted as they must be",
    ),
    (
        "SELECT count(*) FROM request WHERE period <> number / 4096
           OR (resource_id IS NOT NULL AND asked_for IS NOT NULL)",
        "requests are not found by the resource that they are about",
    ),
    (
        "SELECT count(*) FROM request WHERE failed <> CASE WHEN status >= 400 THEN 1 ELSE 0 END",
        "requests are found with the wrong outcome",
    ),
    (
        "SELECT count(*) FROM tolerance_use WHERE count < 1",
        "counts of tolerances count nothing",
    ),
    (
        "SELECT count(*) FROM activity WHERE succeeded < 0 OR refused < 0 OR succeeded + refused < 1",
        "counts of requests count nothing",
    ),
    (
        "SELECT count(*) FROM synchronisation WHERE org NOT IN (SELECT org FROM connection)",
        "synchronisations belong to no connection",
    ),
    (
        "SELECT count(*) FROM connection WHERE first > last",
        "connections ended before they began",
    ),
    (
        "SELECT count(*) FROM conflict WHERE count < 1 OR first > last",
        "conflicts have not happened",
    ),
];

/// The tables whose rows belong to an organization, be it a deleted one.
const OF_ORGANIZATIONS: [&str; 9] = [
    "activity",
    "audit",
    "conflict",
    "connection",
    "event",
    "named",
    "request_body",
    "subject_name",
    "tolerance_use",
];

/// Returns what is not as it must be, in words.
pub(super) fn findings(reader: &Reader<'_>) -> scim::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut note = |count: i64, what: &str| {
        if count > 0 {
            found.push(format!("{count} {what}"));
        }
    };
    for (sql, what) in WRONG {
        note(count(reader, sql)?, what);
    }
    for table in OF_ORGANIZATIONS {
        // The instance itself has the nil UUID.
        let sql = format!(
            "SELECT count(*) FROM {table} WHERE org NOT IN (SELECT id FROM organization) AND org <> zeroblob(16)"
        );
        note(
            count(reader, &sql)?,
            &format!("rows of {table} belong to no organization"),
        );
    }
    note(events(reader)?, "events cannot be read");
    note(audit(reader)?, "rows of the audit log cannot be read");
    note(
        unread(reader, "SELECT kind, state FROM conflict", |row| {
            let known = ConflictKind::from_word(row.text(0)?).and(ConflictState::from_word(row.text(1)?));
            Ok(known.is_some())
        })?,
        "conflicts cannot be read",
    );
    note(
        unread(reader, "SELECT DISTINCT endpoint FROM request", |row| {
            Ok(Endpoint::from_word(row.text(0)?).is_some())
        })?,
        "endpoints of the history are not known",
    );
    Ok(found)
}

/// Counts events whose kind is not known, that are about nothing, or whose data is not an object.
fn events(reader: &Reader<'_>) -> scim::Result<i64> {
    unread(
        reader,
        "SELECT kind, subject_type, subject, people, data FROM event",
        |row| {
            Ok(EventKind::from_word(row.text(0)?).is_some()
                && !row.text(1)?.is_empty()
                && !row.text(2)?.is_empty()
                && row.integer(3)? >= 0
                && is_object(row.text(4)?))
        },
    )
}

/// Counts rows whose kind of actor is not known, that tell of no action, or whose detail is not JSON.
fn audit(reader: &Reader<'_>) -> scim::Result<i64> {
    unread(reader, "SELECT actor_kind, action, detail FROM audit", |row| {
        Ok(ActorKind::from_word(row.text(0)?).is_some()
            && row.text(1)?.contains('.')
            && serde_json::from_str::<serde_json::Value>(row.text(2)?).is_ok())
    })
}

fn is_object(text: &str) -> bool {
    serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).is_ok()
}

/// Counts the rows that are not as `is_good` says.
fn unread(
    reader: &Reader<'_>,
    sql: &str,
    is_good: impl Fn(&Row<'_>) -> scim::Result<bool>,
) -> scim::Result<i64> {
    let mut wrong = 0;
    reader.query(sql, &[], |row| {
        wrong += i64::from(!is_good(row)?);
        Ok(())
    })?;
    Ok(wrong)
}

fn count(reader: &Reader<'_>, sql: &str) -> scim::Result<i64> {
    Ok(reader.query_one(sql, &[], |row| row.integer(0))?.unwrap_or(0))
}
