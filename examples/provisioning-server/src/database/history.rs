//! Tables `history` and `history_count`.

use scim::store::sqlite::Transaction;

use super::tokens;
use crate::domain::batch::{Batch, Counts};
use crate::domain::keyword::Keyword;
use crate::domain::request_row::RequestRow;

/// Inserts the row of one request, in whichever transaction the caller has: that of the change, if there is one.
/// Of a row that is there already, what is known only after the change is corrected; so a batch can also be written
/// again after a doubtful failure.
pub(crate) fn insert(tx: &Transaction<'_>, row: &RequestRow) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO history (org, sequence, time, method, path, status, scim_type, duration_us, meaning,
                              resource_type, resource_id, external_id, token, request_id, idp, notes, error)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
         ON CONFLICT (org, sequence) DO UPDATE SET status = excluded.status, scim_type = excluded.scim_type,
             duration_us = excluded.duration_us, notes = excluded.notes, error = excluded.error",
        &[
            row.organization.as_bytes().into(),
            row.sequence.as_bytes().into(),
            row.time.as_microsecond().into(),
            (&row.method).into(),
            (&row.path).into(),
            i64::from(row.status).into(),
            row.scim_type.into(),
            row.duration_us.into(),
            (&row.meaning).into(),
            row.resource_type.as_ref().into(),
            row.resource_id.as_ref().into(),
            row.external_id.as_ref().into(),
            row.token.as_ref().map(uuid::Uuid::as_bytes).into(),
            (&row.request_id).into(),
            row.idp.word().into(),
            row.notes.as_ref().into(),
            row.error.as_ref().into(),
        ],
    )?;
    Ok(())
}

/// The same, with the meaning corrected, too: of work that goes on over many transactions, each says what all have done.
pub(crate) fn insert_so_far(tx: &Transaction<'_>, row: &RequestRow) -> scim::Result<()> {
    insert(tx, row)?;
    tx.execute(
        "UPDATE history SET meaning = ?3 WHERE org = ?1 AND sequence = ?2",
        &[
            row.organization.as_bytes().into(),
            row.sequence.as_bytes().into(),
            (&row.meaning).into(),
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
    for (token, (organization, at)) in &batch.uses {
        tokens::used(tx, *organization, *token, *at)?;
    }
    Ok(())
}

fn count(tx: &Transaction<'_>, organization: uuid::Uuid, counts: Counts) -> scim::Result<()> {
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
