//! Table `organization`.

use jiff::Timestamp;
use scim::store::database::{Reader, Row, Transaction};
use uuid::Uuid;

use super::{read_id, read_time, sources};
use crate::domain::organization::{Name, Organization, Source};
use crate::domain::settings::Settings;

pub(super) fn insert(tx: &Transaction<'_>, organization: &Organization) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO organization (id, name, display, settings, created) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[
            organization.id.as_bytes().into(),
            organization.name.as_str().into(),
            (&organization.display).into(),
            (&settings(organization)?).into(),
            organization.created.as_microsecond().into(),
        ],
    )?;
    match &organization.source {
        Some(source) => sources::insert(tx, organization.id, source),
        None => Ok(()),
    }
}

pub(super) fn update(tx: &Transaction<'_>, organization: &Organization) -> scim::Result<()> {
    tx.execute(
        "UPDATE organization SET display = ?2, settings = ?3 WHERE id = ?1",
        &[
            organization.id.as_bytes().into(),
            (&organization.display).into(),
            (&settings(organization)?).into(),
        ],
    )?;
    sources::update(tx, organization)
}

/// The row stays, so that the history keeps its name and the id is never used again.
pub(super) fn delete(tx: &Transaction<'_>, id: Uuid, now: Timestamp) -> scim::Result<()> {
    tx.execute(
        "UPDATE organization SET deleted = ?2 WHERE id = ?1",
        &[id.as_bytes().into(), now.as_microsecond().into()],
    )?;
    sources::end(tx, id, now)
}

/// Notes that nothing of a deleted organization is left but its history.
pub(super) fn purged(tx: &Transaction<'_>, id: Uuid, now: Timestamp) -> scim::Result<()> {
    tx.execute(
        "UPDATE organization SET purged = ?2 WHERE id = ?1",
        &[id.as_bytes().into(), now.as_microsecond().into()],
    )?;
    Ok(())
}

/// The deleted organizations that may have left something behind.
pub(super) fn to_purge(reader: &Reader<'_>) -> scim::Result<Vec<Uuid>> {
    reader.query_all(
        "SELECT id FROM organization WHERE deleted IS NOT NULL AND purged IS NULL",
        &[],
        |row| read_id(row.blob(0)?),
    )
}

/// Whether an organization exists in the state that a transaction sees.
pub(crate) fn exists(tx: &Transaction<'_>, id: Uuid) -> scim::Result<bool> {
    let found = tx.query_one(
        "SELECT 1 FROM organization WHERE id = ?1 AND deleted IS NULL",
        &[id.as_bytes().into()],
        |row| row.integer(0),
    )?;
    Ok(found.is_some())
}

/// The columns of an organization that exists, and of its live source.
const COLUMNS: &str = "SELECT o.id, o.name, o.display, o.settings, o.created, s.id, s.enabled, s.created
    FROM organization o LEFT JOIN source s ON s.org = o.id AND s.ended IS NULL WHERE o.deleted IS NULL";

pub(crate) fn find(reader: &Reader<'_>, name: &Name) -> scim::Result<Option<Organization>> {
    let sql = format!("{COLUMNS} AND o.name = ?1");
    reader.query_one(&sql, &[name.as_str().into()], read)
}

/// The one with this id.
pub(crate) fn by_id(reader: &Reader<'_>, id: Uuid) -> scim::Result<Option<Organization>> {
    let sql = format!("{COLUMNS} AND o.id = ?1");
    reader.query_one(&sql, &[id.as_bytes().into()], read)
}

/// All of them, without looking at their settings.
pub(super) fn names(reader: &Reader<'_>) -> scim::Result<Vec<(Uuid, String)>> {
    reader.query_all(
        "SELECT id, name FROM organization WHERE deleted IS NULL",
        &[],
        |row| Ok((read_id(row.blob(0)?)?, row.text(1)?.to_owned())),
    )
}

pub(super) fn all(reader: &Reader<'_>) -> scim::Result<Vec<Organization>> {
    let sql = format!("{COLUMNS} ORDER BY o.name");
    reader.query_all(&sql, &[], read)
}

/// The settings of every organization, also of those that were deleted: their history is kept as they say.
pub(super) fn all_settings(reader: &Reader<'_>) -> scim::Result<Vec<(Uuid, Settings)>> {
    reader.query_all("SELECT id, settings FROM organization", &[], |row| {
        let settings = serde_json::from_str(row.text(1)?).map_err(scim::Error::internal)?;
        Ok((read_id(row.blob(0)?)?, settings))
    })
}

fn read(row: &Row<'_>) -> scim::Result<Organization> {
    let source = match row.optional_blob(5)? {
        None => None,
        Some(id) => Some(Source {
            id: read_id(id)?,
            enabled: row.boolean(6)?,
            created: read_time(row.integer(7)?)?,
        }),
    };
    Ok(Organization {
        id: read_id(row.blob(0)?)?,
        name: Name::parse(row.text(1)?).map_err(scim::Error::internal)?,
        display: row.text(2)?.to_owned(),
        source,
        settings: serde_json::from_str(row.text(3)?).map_err(scim::Error::internal)?,
        created: read_time(row.integer(4)?)?,
    })
}

fn settings(organization: &Organization) -> scim::Result<String> {
    serde_json::to_string(&organization.settings).map_err(scim::Error::internal)
}
