//! Table `event`: what others are told, in the order of the commits of an organization.

use std::borrow::Cow;

use jiff::Timestamp;
use scim::store::database::{Reader, Row, Transaction};
use uuid::Uuid;

use super::history::before;
use super::{read_id, read_time, sequence};
use crate::domain::event::{self, Cursor, EventKind, EventRow, Left, Told};
use crate::domain::keyword::Keyword;

/// Inserts events in the transaction of the change that they tell of, after all events of the organization so far.
pub(crate) fn insert(
    tx: &Transaction<'_>,
    organization: Uuid,
    time: Timestamp,
    rows: impl IntoIterator<Item = EventRow>,
) -> scim::Result<()> {
    let mut rows = rows.into_iter().peekable();
    if rows.peek().is_none() {
        return Ok(());
    }
    let mut last = last(tx, organization)?;
    for row in rows {
        last = Some(insert_after(tx, organization, last, time, row)?);
    }
    Ok(())
}

fn insert_after(
    tx: &Transaction<'_>,
    organization: Uuid,
    last: Option<Uuid>,
    time: Timestamp,
    row: EventRow,
) -> scim::Result<Uuid> {
    let row = row.bounded();
    let last = match last {
        Some(last) => Some(last),
        None => purged(tx, organization)?.map(Cursor::sequence),
    };
    let sequence = sequence::after(last);
    tx.execute(
        "INSERT INTO event (org, sequence, time, kind, subject_type, subject, people, data)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &[
            organization.as_bytes().into(),
            sequence.as_bytes().into(),
            time.as_microsecond().into(),
            row.kind.word().into(),
            row.subject_type.as_ref().into(),
            (&row.subject).into(),
            i64::try_from(row.people).unwrap_or(i64::MAX).into(),
            (&row.data.to_string()).into(),
        ],
    )?;
    Ok(sequence)
}

/// Inserts the event of a group that a person has left by being removed: one for each of the first
/// [`MOST_NAMED`](crate::domain::event::MOST_NAMED) groups, and one that counts the others. How many there were before is
/// read from the last event, because a transaction may run more than once.
pub(crate) fn insert_left(
    tx: &Transaction<'_>,
    organization: Uuid,
    time: Timestamp,
    group: &str,
    name: &str,
    person: &str,
) -> scim::Result<()> {
    let last = tx.query_one(
        "SELECT sequence, time, kind, subject_type, subject, people, data FROM event
         WHERE org = ?1 ORDER BY sequence DESC LIMIT 1",
        &[organization.as_bytes().into()],
        read,
    )?;
    match event::left(group, name, person, last.as_ref().map(|told| &told.event)) {
        Left::Named(row) => {
            let last = last.map(|told| told.cursor.sequence());
            insert_after(tx, organization, last, time, row).map(drop)
        }
        Left::Counted(row) => {
            let sequence = last.map_or(Uuid::nil(), |told| told.cursor.sequence());
            tx.execute(
                "UPDATE event SET data = ?3 WHERE org = ?1 AND sequence = ?2",
                &[
                    organization.as_bytes().into(),
                    sequence.as_bytes().into(),
                    (&row.data.to_string()).into(),
                ],
            )?;
            Ok(())
        }
    }
}

fn last(tx: &Transaction<'_>, organization: Uuid) -> scim::Result<Option<Uuid>> {
    tx.query_one(
        "SELECT sequence FROM event WHERE org = ?1 ORDER BY sequence DESC LIMIT 1",
        &[organization.as_bytes().into()],
        |row| read_id(row.blob(0)?),
    )
}

/// Returns the events after a cursor, or from the oldest one, in their order.
pub(crate) fn list(
    reader: &Reader<'_>,
    organization: Uuid,
    after: Option<Cursor>,
    limit: u32,
) -> scim::Result<Vec<Told>> {
    let after = after.map_or(Uuid::nil(), Cursor::sequence);
    reader.query_all(
        "SELECT sequence, time, kind, subject_type, subject, people, data FROM event
         WHERE org = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3",
        &[
            organization.as_bytes().into(),
            after.as_bytes().into(),
            limit.into(),
        ],
        read,
    )
}

fn read(row: &Row<'_>) -> scim::Result<Told> {
    let kind = row.text(2)?;
    let unknown = || scim::Error::internal(format!("{kind:?} is not a kind of event"));
    Ok(Told {
        cursor: Cursor::after(read_id(row.blob(0)?)?),
        time: read_time(row.integer(1)?)?,
        event: EventRow {
            kind: EventKind::from_word(kind).ok_or_else(unknown)?,
            subject_type: Cow::Owned(row.text(3)?.to_owned()),
            subject: row.text(4)?.to_owned(),
            people: u64::try_from(row.integer(5)?).unwrap_or(0),
            data: serde_json::from_str(row.text(6)?).map_err(scim::Error::internal)?,
        },
    })
}

/// Returns the place after the last event that was removed because it is older than the organization keeps it.
pub(crate) fn purged(reader: &Reader<'_>, organization: Uuid) -> scim::Result<Option<Cursor>> {
    let found = reader.query_one(
        "SELECT events_purged FROM organization WHERE id = ?1",
        &[organization.as_bytes().into()],
        |row| row.optional_blob(0)?.map(read_id).transpose(),
    )?;
    Ok(found.flatten().map(Cursor::after))
}

/// Removes rows before `limit`, up to so many, and notes up to which. Answers how many there were.
pub(super) fn purge(tx: &Transaction<'_>, organization: Uuid, limit: Uuid, most: u32) -> scim::Result<u64> {
    let last = tx.query_one(
        "SELECT sequence FROM event WHERE org = ?1 AND sequence IN (
             SELECT sequence FROM event WHERE org = ?1 AND sequence < ?2 ORDER BY sequence LIMIT ?3)
         ORDER BY sequence DESC LIMIT 1",
        &before(organization.as_bytes(), limit.as_bytes(), most),
        |row| read_id(row.blob(0)?),
    )?;
    let Some(last) = last else { return Ok(0) };
    let params = [organization.as_bytes().into(), last.as_bytes().into()];
    tx.execute(
        "UPDATE organization SET events_purged = ?2 WHERE id = ?1",
        &params,
    )?;
    tx.execute("DELETE FROM event WHERE org = ?1 AND sequence <= ?2", &params)
}

#[cfg(test)]
mod tests {
    use scim::store::database::{Database, Options};
    use serde_json::json;

    use super::*;
    use crate::database::migrations;

    fn row(number: u64) -> EventRow {
        EventRow {
            kind: EventKind::UserCreated,
            subject_type: "user".into(),
            subject: number.to_string(),
            people: 1,
            data: json!({ "name": "a@x.example" }),
        }
    }

    /// Feature row 80: a removed person leaves a thousand groups by name, and the others are counted in one row.
    #[test]
    fn groups_beyond_a_thousand_are_counted_in_one_row() {
        let database = Database::in_memory(Options::default()).unwrap();
        database
            .blocking_write(|tx| migrations::run(tx, Timestamp::UNIX_EPOCH))
            .unwrap()
            .unwrap();
        let organization = Uuid::from_u128(1);
        let told = database.blocking_write(move |tx| {
            for group in 0..1_005 {
                insert_left(
                    tx,
                    organization,
                    Timestamp::UNIX_EPOCH,
                    &group.to_string(),
                    "Crew",
                    "ann",
                )?;
            }
            list(tx, organization, None, 2_000)
        });
        let told = told.unwrap();
        assert_eq!(told.len(), 1_001);
        assert_eq!(told[999].event.subject, "999");
        assert_eq!(told[1_000].event.data, json!({ "users": ["ann"], "more": 5 }));
    }

    /// Feature row 80: a reader that goes from cursor to cursor sees every event once, in the order of the commits.
    #[test]
    fn a_feed_is_read_page_by_page_in_the_order_of_commits() {
        let database = Database::in_memory(Options::default()).unwrap();
        database
            .blocking_write(|tx| migrations::run(tx, Timestamp::UNIX_EPOCH))
            .unwrap()
            .unwrap();
        let organization = Uuid::from_u128(1);
        for numbers in [0..2, 2..3, 3..7] {
            let insert = move |tx: &Transaction<'_>| {
                insert(tx, organization, Timestamp::UNIX_EPOCH, numbers.clone().map(row))?;
                insert(tx, Uuid::from_u128(2), Timestamp::UNIX_EPOCH, [row(99)])
            };
            database.blocking_write(insert).unwrap();
        }
        let mut cursor = None;
        let mut seen = Vec::new();
        loop {
            let page = database.blocking_read(move |reader| list(reader, organization, cursor, 3));
            let page = page.unwrap();
            let Some(last) = page.last() else { break };
            cursor = Some(last.cursor);
            seen.extend(page.into_iter().map(|told| told.event));
        }
        assert_eq!(seen, (0..7).map(row).collect::<Vec<_>>());
    }
}
