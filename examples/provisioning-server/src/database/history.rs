//! Tables `request` and `history_count`, and the view `history`, which shows requests with a sentence each.
//!
//! A row of a read has no sentence of its own: the view makes it of the operation, the type, the total and the status.

use scim::store::database::Transaction;

use super::tokens;
use crate::domain::batch::{Batch, Counts};
use crate::domain::keyword::Keyword;
use crate::domain::request_row::RequestRow;

/// Inserts the row of one request, in whichever transaction the caller has: that of the change, if there is one.
/// Of a row that is there already, what is known only after the change is corrected; so a batch can also be written
/// again after a doubtful failure.
pub(crate) fn insert(tx: &Transaction<'_>, row: &RequestRow) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO request (org, sequence, time, method, path, status, scim_type, duration_us, operation, total,
                              sentence, resource_type, resource_id, external_id, token, request_id, idp, notes, error)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
         ON CONFLICT (org, sequence) DO UPDATE SET status = excluded.status, scim_type = excluded.scim_type,
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
            row.token.as_ref().map(uuid::Uuid::as_bytes).into(),
            (&row.request_id).into(),
            row.idp.word().into(),
            row.notes.as_ref().into(),
            row.error.as_ref().into(),
        ],
    )?;
    Ok(())
}

/// The same, with the sentence corrected, too: of work that goes on over many transactions, each says what all have done.
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
            token: None,
            request_id: "r".to_owned(),
            idp: IdentityProvider::Other,
            notes: None,
            error: None,
        }
    }

    /// The sentence that the history shows of a request.
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

    /// A sentence that stands in the row is shown as it is.
    #[test]
    fn a_sentence_that_was_kept_is_shown() {
        let test = RequestRow {
            sentence: Some("connection test".into()),
            ..read("query", 200, Some(0))
        };
        assert_eq!(meaning(test), "connection test");
    }
}
