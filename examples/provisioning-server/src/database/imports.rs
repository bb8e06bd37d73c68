//! Table `import_position`: how far the last import into an organization has come.

use scim::store::database::{Reader, Transaction};
use uuid::Uuid;

use super::read_id;
use crate::domain::export_file::{Counts, Position};

pub(crate) fn find(reader: &Reader<'_>, organization: Uuid) -> scim::Result<Option<Position>> {
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    reader.query_one(
        "SELECT source, bytes, lines, digest, people, groups, members, skipped, finished
         FROM import_position WHERE org = ?1",
        &[organization.as_bytes().into()],
        |row| {
            Ok(Position {
                source: read_id(row.blob(0)?)?,
                bytes: count(row.integer(1)?),
                lines: count(row.integer(2)?),
                digest: row.blob(3)?.try_into().map_err(scim::Error::internal)?,
                counts: Counts {
                    people: count(row.integer(4)?),
                    groups: count(row.integer(5)?),
                    members: count(row.integer(6)?),
                },
                skipped: count(row.integer(7)?),
                finished: row.boolean(8)?,
            })
        },
    )
}

pub(crate) fn put(tx: &Transaction<'_>, organization: Uuid, position: &Position) -> scim::Result<()> {
    let integer = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    tx.execute(
        "INSERT INTO import_position
           (org, source, bytes, lines, digest, people, groups, members, skipped, finished)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT(org) DO UPDATE SET source = excluded.source, bytes = excluded.bytes, lines = excluded.lines,
           digest = excluded.digest, people = excluded.people, groups = excluded.groups, members = excluded.members,
           skipped = excluded.skipped, finished = excluded.finished",
        &[
            organization.as_bytes().into(),
            position.source.as_bytes().into(),
            integer(position.bytes).into(),
            integer(position.lines).into(),
            (&position.digest).into(),
            integer(position.counts.people).into(),
            integer(position.counts.groups).into(),
            integer(position.counts.members).into(),
            integer(position.skipped).into(),
            position.finished.into(),
        ],
    )?;
    Ok(())
}
