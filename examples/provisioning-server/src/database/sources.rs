//! Table `source`: an organization's connection with its identity provider, at most one of them live.

use jiff::Timestamp;
use scim::store::database::Transaction;
use uuid::Uuid;

use crate::domain::organization::{Organization, Source};

pub(super) fn insert(tx: &Transaction<'_>, organization: Uuid, source: &Source) -> scim::Result<()> {
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
pub(super) fn update(tx: &Transaction<'_>, organization: &Organization) -> scim::Result<()> {
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
