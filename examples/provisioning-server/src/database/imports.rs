//! Tables `import_position` and `import_id`: how far the last import into an organization has come, and which ids of its
//! file are others here.

use scim::store::database::{Reader, Transaction};
use uuid::Uuid;

use super::read_id;
use crate::domain::export_file::{Counts, Position};

pub(crate) fn find(reader: &Reader<'_>, organization: Uuid) -> scim::Result<Option<Position>> {
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    reader.query_one(
        "SELECT source, bytes, lines, digest, people, groups, members, skipped, finished, access
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
                    access: count(row.integer(9)?),
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
           (org, source, bytes, lines, digest, people, groups, members, skipped, finished, access)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT(org) DO UPDATE SET source = excluded.source, bytes = excluded.bytes, lines = excluded.lines,
           digest = excluded.digest, people = excluded.people, groups = excluded.groups, members = excluded.members,
           skipped = excluded.skipped, finished = excluded.finished, access = excluded.access",
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
            integer(position.counts.access).into(),
        ],
    )?;
    Ok(())
}

/// Returns whether an organization but this one may have what a file has under the same ids: the one that it is an export of, or
/// a copy of that.
pub(crate) fn is_elsewhere(reader: &Reader<'_>, organization: Uuid, source: Uuid) -> scim::Result<bool> {
    let found = reader.query_one(
        "SELECT 1 FROM organization WHERE id = ?2 AND id <> ?1
         UNION ALL SELECT 1 FROM import_position WHERE source = ?2 AND org <> ?1 LIMIT 1",
        &[organization.as_bytes().into(), source.as_bytes().into()],
        |row| row.integer(0),
    )?;
    Ok(found.is_some())
}

/// Keeps which id here stands for one of the file.
pub(crate) fn put_id(tx: &Transaction<'_>, organization: Uuid, of_file: Uuid, id: Uuid) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO import_id (org, of_file, id) VALUES (?1, ?2, ?3)
         ON CONFLICT (org, of_file) DO UPDATE SET id = excluded.id",
        &[
            organization.as_bytes().into(),
            of_file.as_bytes().into(),
            id.as_bytes().into(),
        ],
    )?;
    Ok(())
}

/// Returns the id here that stands for one of the file: mostly itself.
pub(crate) fn id(reader: &Reader<'_>, organization: Uuid, of_file: Uuid) -> scim::Result<Uuid> {
    let found = reader.query_one(
        "SELECT id FROM import_id WHERE org = ?1 AND of_file = ?2",
        &[organization.as_bytes().into(), of_file.as_bytes().into()],
        |row| read_id(row.blob(0)?),
    )?;
    Ok(found.unwrap_or(of_file))
}
