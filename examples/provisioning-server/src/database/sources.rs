//! Table `source`: an organization's connection with its identity provider, at most one of them live.

use jiff::Timestamp;
use scim::store::database::{Reader, Row, Transaction};
use uuid::Uuid;

use super::accounts::read_word;
use super::read_id;
use crate::domain::integration::Attached;
use crate::domain::keyword::Keyword;
use crate::domain::organization::{Organization, Source};

pub(crate) fn insert(tx: &Transaction<'_>, organization: Uuid, source: &Source) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO source (org, id, enabled, created) VALUES (?1, ?2, ?3, ?4)",
        &[
            organization.as_bytes().into(),
            source.id.as_bytes().into(),
            source.enabled.into(),
            source.created.as_microsecond().into(),
        ],
    )?;
    Ok(())
}

/// Writes the switch of the live source.
pub(crate) fn update(tx: &Transaction<'_>, organization: &Organization) -> scim::Result<()> {
    let Some(source) = &organization.source else {
        return Ok(());
    };
    tx.execute(
        "UPDATE source SET enabled = ?3 WHERE org = ?1 AND id = ?2 AND enabled <> ?3",
        &[
            organization.id.as_bytes().into(),
            source.id.as_bytes().into(),
            source.enabled.into(),
        ],
    )?;
    Ok(())
}

/// Ends the live source, if there is one. Its row stays: bindings name it.
pub(super) fn end(tx: &Transaction<'_>, organization: Uuid, now: Timestamp) -> scim::Result<()> {
    tx.execute(
        "UPDATE source SET ended = ?2, enabled = ?3 WHERE org = ?1 AND ended IS NULL",
        &[
            organization.as_bytes().into(),
            now.as_microsecond().into(),
            false.into(),
        ],
    )?;
    Ok(())
}

/// A source that has ended, and whose people have not all got what was decided for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) organization: Uuid,
    pub(crate) source: Uuid,
    pub(crate) attached: Attached,
}

/// Ends the live source, and keeps what becomes of its people.
pub(crate) fn detach(
    tx: &Transaction<'_>,
    organization: Uuid,
    attached: Attached,
    now: Timestamp,
) -> scim::Result<()> {
    tx.execute(
        "UPDATE source SET attached = ?2 WHERE org = ?1 AND ended IS NULL",
        &[organization.as_bytes().into(), attached.word().into()],
    )?;
    end(tx, organization, now)
}

const ENDING: &str = "SELECT s.org, s.id, s.attached FROM source s JOIN organization o ON o.id = s.org
    WHERE s.attached IS NOT NULL AND s.cleared IS NULL AND o.deleted IS NULL";

/// Returns the sources of all organizations that are ending.
pub(crate) fn all_ending(reader: &Reader<'_>) -> scim::Result<Vec<Ending>> {
    reader.query_all(ENDING, &[], read_ending)
}

/// Returns the source of an organization that is ending.
pub(crate) fn ending(reader: &Reader<'_>, organization: Uuid) -> scim::Result<Option<Ending>> {
    let sql = format!("{ENDING} AND s.org = ?1");
    reader.query_one(&sql, &[organization.as_bytes().into()], read_ending)
}

fn read_ending(row: &Row<'_>) -> scim::Result<Ending> {
    Ok(Ending {
        organization: read_id(row.blob(0)?)?,
        source: read_id(row.blob(1)?)?,
        attached: read_word(row.text(2)?)?,
    })
}

/// Notes that all people of a source have what was decided for them.
pub(crate) fn cleared(tx: &Transaction<'_>, ending: &Ending, now: Timestamp) -> scim::Result<()> {
    tx.execute(
        "UPDATE source SET cleared = ?3 WHERE org = ?1 AND id = ?2",
        &[
            ending.organization.as_bytes().into(),
            ending.source.as_bytes().into(),
            now.as_microsecond().into(),
        ],
    )?;
    Ok(())
}
