//! Table `audit`: the changes that administrators, operators and rules have made.

use std::borrow::Cow;

use jiff::Timestamp;
use scim::store::database::{Param, Reader, Row, Transaction};
use serde_json::Value;
use uuid::Uuid;

use super::history::before;
use super::{organizations, read_id, read_time, sequence};
use crate::domain::actor::Actor;
use crate::domain::audit::{ActorKind, AuditEntry, AuditFilter, AuditRow, By};
use crate::domain::endpoint::first_sequence;
use crate::domain::keyword::Keyword;

/// Inserts a row in the transaction of the change that it tells of. Secrets are hidden. Answers its sequence, which is
/// greater than those of all rows of the organization before it.
pub(crate) fn insert(tx: &Transaction<'_>, row: &AuditRow) -> scim::Result<Uuid> {
    let row = row.clone().bounded();
    let sequence = sequence::after(last(tx, row.organization)?);
    tx.execute(
        "INSERT INTO audit (org, sequence, time, actor_kind, actor, action, subject_type, subject, subject_name, detail,
                            address, request_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        &[
            row.organization.as_bytes().into(),
            sequence.as_bytes().into(),
            row.time.as_microsecond().into(),
            row.actor_kind.word().into(),
            (&row.actor).into(),
            row.action.as_ref().into(),
            row.subject_type.as_ref().into(),
            (&row.subject).into(),
            (&row.subject_name).into(),
            (&row.detail.to_string()).into(),
            row.address.as_ref().into(),
            row.request_id.as_ref().into(),
        ],
    )?;
    Ok(sequence)
}

/// Inserts a row of something that concerns the whole instance into the log of every organization.
pub(crate) fn insert_everywhere(
    tx: &Transaction<'_>,
    actor: &Actor,
    action: &'static str,
    now: Timestamp,
    detail: &Value,
) -> scim::Result<()> {
    for (organization, name) in organizations::names(tx)? {
        let row = AuditRow {
            organization,
            time: now,
            actor_kind: actor.who.kind(),
            actor: actor.name(),
            action: action.into(),
            subject_type: "organization".into(),
            subject: organization.to_string(),
            subject_name: name,
            detail: detail.clone(),
            address: None,
            request_id: None,
        };
        insert(tx, &row)?;
    }
    Ok(())
}

fn last(tx: &Transaction<'_>, organization: Uuid) -> scim::Result<Option<Uuid>> {
    tx.query_one(
        "SELECT sequence FROM audit WHERE org = ?1 ORDER BY sequence DESC LIMIT 1",
        &[organization.as_bytes().into()],
        |row| read_id(row.blob(0)?),
    )
}

/// The columns that [`read`] reads.
const COLUMNS: &str =
    "sequence, time, actor_kind, actor, action, subject_type, subject, subject_name, detail, address,
                       request_id";

/// Returns the newest rows that a filter lets through, or those before a row. Each filter is served by an index.
pub(crate) fn page(
    reader: &Reader<'_>,
    organization: Uuid,
    filter: &AuditFilter,
    before: Option<Uuid>,
    limit: u32,
) -> scim::Result<Vec<AuditEntry>> {
    let at = |time: Timestamp| first_sequence(time.as_millisecond());
    let begin = filter.since.map_or(Uuid::nil(), at);
    let end = filter
        .until
        .map_or(Uuid::max(), at)
        .min(before.unwrap_or(Uuid::max()));
    let (condition, values) = match &filter.by {
        None => ("", vec![]),
        Some(By::Subject(id)) => (" AND subject = ?5", vec![id]),
        Some(By::Actor(name)) => (" AND actor = ?5", vec![name]),
        Some(By::Action(word)) => (" AND action = ?5", vec![word]),
        Some(By::ActorAndAction(name, word)) => (" AND actor = ?5 AND action = ?6", vec![name, word]),
    };
    let range = [
        organization.as_bytes().into(),
        begin.as_bytes().into(),
        end.as_bytes().into(),
        limit.into(),
    ];
    let mut params: Vec<Param<'_>> = range.into();
    params.extend(values.into_iter().map(Param::from));
    reader.query_all(&statement(condition), &params, |row| read(organization, row))
}

/// Returns the statement that reads the rows of a page. Their sequences are found first, by an index that has all that is
/// asked for: then no planner would rather go through all rows.
fn statement(condition: &str) -> String {
    format!(
        "SELECT {COLUMNS} FROM audit WHERE org = ?1 AND sequence IN ({})
         ORDER BY sequence DESC",
        sequences(condition)
    )
}

fn sequences(condition: &str) -> String {
    format!(
        "SELECT sequence FROM audit WHERE org = ?1 AND sequence >= ?2 AND sequence < ?3{condition}
         ORDER BY sequence DESC LIMIT ?4"
    )
}

fn read(organization: Uuid, row: &Row<'_>) -> scim::Result<AuditEntry> {
    let kind = row.text(2)?;
    let unknown = || scim::Error::internal(format!("{kind:?} is not a kind of actor"));
    let entry = AuditRow {
        organization,
        time: read_time(row.integer(1)?)?,
        actor_kind: ActorKind::from_word(kind).ok_or_else(unknown)?,
        actor: row.text(3)?.to_owned(),
        action: Cow::Owned(row.text(4)?.to_owned()),
        subject_type: Cow::Owned(row.text(5)?.to_owned()),
        subject: row.text(6)?.to_owned(),
        subject_name: row.text(7)?.to_owned(),
        detail: serde_json::from_str(row.text(8)?).map_err(scim::Error::internal)?,
        address: row.optional_text(9)?.map(str::to_owned),
        request_id: row.optional_text(10)?.map(str::to_owned),
    };
    Ok(AuditEntry {
        id: read_id(row.blob(0)?)?,
        row: entry,
    })
}

/// Removes rows before `limit`, up to so many. Answers how many there were.
pub(super) fn purge(tx: &Transaction<'_>, organization: Uuid, limit: Uuid, most: u32) -> scim::Result<u64> {
    tx.execute(
        "DELETE FROM audit WHERE (org, sequence) IN (
             SELECT org, sequence FROM audit WHERE org = ?1 AND sequence < ?2 ORDER BY sequence LIMIT ?3)",
        &before(organization.as_bytes(), limit.as_bytes(), most),
    )
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use scim::store::database::{Database, Options};
    use serde_json::json;

    use super::*;
    use crate::database::migrations;

    fn row(organization: u128, action: &'static str) -> AuditRow {
        AuditRow {
            organization: Uuid::from_u128(organization),
            time: Timestamp::UNIX_EPOCH,
            actor_kind: ActorKind::Operator,
            actor: "root".to_owned(),
            action: action.into(),
            subject_type: "role".into(),
            subject: "1".to_owned(),
            subject_name: "Auditor".to_owned(),
            detail: json!({ "name": "Auditor" }),
            address: None,
            request_id: None,
        }
    }

    /// Feature row 81: rows are in the order of the changes, newest first, and each organization has its own.
    #[test]
    fn rows_come_back_newest_first_page_by_page() {
        let database = Database::in_memory(Options::default()).unwrap();
        database
            .blocking_write(|tx| migrations::run(tx, Timestamp::UNIX_EPOCH))
            .unwrap()
            .unwrap();
        let shown = database.blocking_write(|tx| {
            for action in ["a.one", "a.two", "a.three"] {
                insert(tx, &row(1, action))?;
            }
            insert(tx, &row(2, "other.organization"))?;
            let all = AuditFilter::default();
            let first = page(tx, Uuid::from_u128(1), &all, None, 2)?;
            let next = page(
                tx,
                Uuid::from_u128(1),
                &all,
                first.last().map(|entry| entry.id),
                2,
            )?;
            Ok([first, next].concat())
        });
        let shown: Vec<_> = shown.unwrap().into_iter().map(|entry| entry.row).collect();
        assert_eq!(shown, [row(1, "a.three"), row(1, "a.two"), row(1, "a.one")]);
    }

    /// Feature row 81: each filter is served by an index.
    #[test]
    fn no_filter_reads_what_it_does_not_show() {
        let plan = |condition: &str, params: usize| {
            let database = Database::in_memory(Options::default()).unwrap();
            database
                .blocking_write(|tx| migrations::run(tx, Timestamp::UNIX_EPOCH))
                .unwrap()
                .unwrap();
            let sql = format!("EXPLAIN QUERY PLAN {}", sequences(condition));
            let plan = database.blocking_read(move |reader| {
                let nothing = vec![Param::Null; params];
                reader.query_all(&sql, &nothing, |row| Ok(row.text(3)?.to_owned()))
            });
            plan.unwrap()
        };
        for (condition, params, index) in [
            ("", 4, "PRIMARY KEY (org=? AND sequence>? AND sequence<?)"),
            (
                " AND subject = ?5",
                5,
                "COVERING INDEX audit_subject (org=? AND subject=? AND sequence>? AND sequence<?)",
            ),
            (
                " AND actor = ?5",
                5,
                "COVERING INDEX audit_actor (org=? AND actor=? AND sequence>? AND sequence<?)",
            ),
            (
                " AND action = ?5",
                5,
                "COVERING INDEX audit_action (org=? AND action=? AND sequence>? AND sequence<?)",
            ),
            (
                " AND actor = ?5 AND action = ?6",
                6,
                "COVERING INDEX audit_actor_action (org=? AND actor=? AND action=? AND sequence>? AND sequence<?)",
            ),
        ] {
            let steps = plan(condition, params);
            assert_eq!(steps.len(), 1, "{steps:?}");
            assert!(steps[0].ends_with(index), "{steps:?}");
        }
    }
}
