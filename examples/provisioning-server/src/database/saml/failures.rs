//! Table `saml_failure`: sign-ins by SAML that were refused.

use jiff::{SignedDuration, Timestamp};
use scim::store::database::{Reader, Row, Transaction};
use uuid::Uuid;

use crate::database::accounts::read_word;
use crate::database::{count, read_id, read_time};
use crate::domain::clock::earlier;
use crate::domain::keyword::Keyword;
use crate::domain::saml::failure::{A_MINUTE, Failure, KEPT, LIFE};

/// Returns whether another one is kept: of a minute only so many are.
pub(crate) fn is_kept(reader: &Reader<'_>, organization: Uuid, now: Timestamp) -> scim::Result<bool> {
    let since = earlier(now, SignedDuration::from_mins(1));
    let sql = "SELECT count(*) FROM saml_failure WHERE org = ?1 AND time > ?2";
    let params = [organization.as_bytes().into(), since.as_microsecond().into()];
    Ok(count(reader, sql, &params)? < A_MINUTE)
}

/// Keeps a failure, and of all only the last ones.
pub(crate) fn insert(tx: &Transaction<'_>, organization: Uuid, failure: &Failure) -> scim::Result<()> {
    let asserted = serde_json::to_string(&failure.asserted).map_err(scim::Error::internal)?;
    tx.execute(
        "INSERT INTO saml_failure (org, id, time, refusal, asserted, address) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            organization.as_bytes().into(),
            failure.id.as_bytes().into(),
            failure.time.as_microsecond().into(),
            failure.refusal.word().into(),
            (&asserted).into(),
            failure.address.as_ref().into(),
        ],
    )?;
    tx.execute(
        "DELETE FROM saml_failure WHERE org = ?1 AND id <= (
           SELECT id FROM saml_failure WHERE org = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        &[organization.as_bytes().into(), KEPT.into()],
    )?;
    Ok(())
}

/// Returns the last failures, the newest first: all, or the one with a reference.
pub(crate) fn list(
    reader: &Reader<'_>,
    organization: Uuid,
    reference: Option<&str>,
    most: u32,
) -> scim::Result<Vec<Failure>> {
    let found = reader.query_all(
        "SELECT id, time, refusal, asserted, address FROM saml_failure WHERE org = ?1 ORDER BY id DESC LIMIT ?2",
        &[
            organization.as_bytes().into(),
            reference.map_or(most, |_| KEPT).into(),
        ],
        read,
    )?;
    let is_asked_for = |failure: &Failure| reference.is_none_or(|reference| failure.reference() == reference);
    Ok(found.into_iter().filter(is_asked_for).collect())
}

fn read(row: &Row<'_>) -> scim::Result<Failure> {
    Ok(Failure {
        id: read_id(row.blob(0)?)?,
        time: read_time(row.integer(1)?)?,
        refusal: read_word(row.text(2)?)?,
        asserted: serde_json::from_str(row.text(3)?).map_err(scim::Error::internal)?,
        address: row.optional_text(4)?.map(str::to_owned),
    })
}

/// Removes those that are too old, a few at a time.
pub(in crate::database) fn purge(
    tx: &Transaction<'_>,
    organization: Uuid,
    now: Timestamp,
    most: u32,
) -> scim::Result<u64> {
    tx.execute(
        "DELETE FROM saml_failure WHERE org = ?1 AND id IN (
           SELECT id FROM saml_failure WHERE org = ?1 AND time < ?2 LIMIT ?3)",
        &[
            organization.as_bytes().into(),
            earlier(now, LIFE).as_microsecond().into(),
            most.into(),
        ],
    )
}
