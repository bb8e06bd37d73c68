//! Table `token`.

use jiff::Timestamp;
use scim::store::database::{Reader, Row, Transaction};
use uuid::Uuid;

use super::{read_id, read_time};
use crate::domain::keyword::Keyword;
use crate::domain::secret::Fingerprint;
use crate::domain::token::{Purpose, Token};

pub(crate) fn insert(tx: &Transaction<'_>, organization: Uuid, token: &Token) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO token (org, id, fingerprint, prefix, last_four, created, expires, purpose)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &[
            organization.as_bytes().into(),
            token.id.as_bytes().into(),
            token.fingerprint.as_bytes().into(),
            (&token.prefix).into(),
            (&token.last_four).into(),
            token.created.as_microsecond().into(),
            token.expires.map(Timestamp::as_microsecond).into(),
            token.purpose.word().into(),
        ],
    )?;
    Ok(())
}

/// Returns every token that is not revoked and the fifty that were revoked last, the oldest first.
///
/// A revoked token is remembered so that whoever still uses it is told so, and not for ever.
pub(crate) fn all(reader: &Reader<'_>, organization: Uuid) -> scim::Result<Vec<Token>> {
    reader.query_all(
        "SELECT id, fingerprint, prefix, last_four, created, expires, revoked, last_used, purpose, doubted FROM token
         WHERE org = ?1 AND (revoked IS NULL OR id IN (
             SELECT id FROM token WHERE org = ?1 AND revoked IS NOT NULL ORDER BY revoked DESC, id DESC LIMIT 50))
         ORDER BY id",
        &[organization.as_bytes().into()],
        read,
    )
}

pub(crate) fn revoke(tx: &Transaction<'_>, organization: Uuid, id: Uuid, now: Timestamp) -> scim::Result<()> {
    tx.execute(
        "UPDATE token SET revoked = ?3 WHERE org = ?1 AND id = ?2 AND revoked IS NULL",
        &[
            organization.as_bytes().into(),
            id.as_bytes().into(),
            now.as_microsecond().into(),
        ],
    )?;
    Ok(())
}

pub(super) fn revoke_all(tx: &Transaction<'_>, organization: Uuid, now: Timestamp) -> scim::Result<()> {
    tx.execute(
        "UPDATE token SET revoked = ?2 WHERE org = ?1 AND revoked IS NULL",
        &[organization.as_bytes().into(), now.as_microsecond().into()],
    )?;
    Ok(())
}

/// Notes of every live token that it may have been revoked since a time.
pub(super) fn doubt_all(tx: &Transaction<'_>, since: Timestamp) -> scim::Result<()> {
    tx.execute(
        "UPDATE token SET doubted = ?1 WHERE revoked IS NULL",
        &[since.as_microsecond().into()],
    )?;
    Ok(())
}

/// Notes that a token was not revoked.
pub(crate) fn confirm(tx: &Transaction<'_>, organization: Uuid, id: Uuid) -> scim::Result<()> {
    tx.execute(
        "UPDATE token SET doubted = NULL WHERE org = ?1 AND id = ?2",
        &[organization.as_bytes().into(), id.as_bytes().into()],
    )?;
    Ok(())
}

/// Notes when a token was used. The time is for people: it is not written more often than twice a minute, so that
/// a busy token does not cost a write of its row with every batch.
pub(super) fn used(tx: &Transaction<'_>, organization: Uuid, id: Uuid, at: Timestamp) -> scim::Result<()> {
    tx.execute(
        "UPDATE token SET last_used = ?3
         WHERE org = ?1 AND id = ?2 AND (last_used IS NULL OR last_used + 30000000 <= ?3)",
        &[
            organization.as_bytes().into(),
            id.as_bytes().into(),
            at.as_microsecond().into(),
        ],
    )?;
    Ok(())
}

/// Returns the first time after `now` at which a token of an enabled organization expires.
pub(super) fn next_expiry(reader: &Reader<'_>, now: Timestamp) -> scim::Result<Option<Timestamp>> {
    let first = reader.query_one(
        "SELECT MIN(expires) FROM token
         WHERE revoked IS NULL AND expires > ?1 AND org IN (SELECT org FROM source WHERE enabled AND ended IS NULL)",
        &[now.as_microsecond().into()],
        |row| row.optional_integer(0),
    )?;
    first.flatten().map(read_time).transpose()
}

/// Returns tokens that end within a time, with their organizations, and for how many days before their end was told last.
/// Those of identity providers whose integration is disabled have no part in it.
pub(crate) fn ending(
    reader: &Reader<'_>,
    now: Timestamp,
    until: Timestamp,
) -> scim::Result<Vec<(Uuid, Token, Option<u32>)>> {
    reader.query_all(
        "SELECT id, fingerprint, prefix, last_four, created, expires, revoked, last_used, purpose, doubted, org, told
         FROM token WHERE revoked IS NULL AND expires > ?1 AND expires <= ?2
           AND (purpose <> 'scim' OR org IN (SELECT org FROM source WHERE enabled AND ended IS NULL))",
        &[now.as_microsecond().into(), until.as_microsecond().into()],
        |row| {
            let told = row.optional_integer(11)?.and_then(|days| u32::try_from(days).ok());
            Ok((read_id(row.blob(10)?)?, read(row)?, told))
        },
    )
}

/// Notes for how many days before its end was told of a token. Answers whether nobody else has.
pub(crate) fn told(tx: &Transaction<'_>, organization: Uuid, id: Uuid, days: u32) -> scim::Result<bool> {
    let noted = tx.execute(
        "UPDATE token SET told = ?3 WHERE org = ?1 AND id = ?2 AND revoked IS NULL AND (told IS NULL OR told > ?3)",
        &[organization.as_bytes().into(), id.as_bytes().into(), days.into()],
    )?;
    Ok(noted > 0)
}

/// Finds a token by what it is, with its organization, whichever that is.
pub(crate) fn by_fingerprint(
    reader: &Reader<'_>,
    fingerprint: &Fingerprint,
) -> scim::Result<Option<(Uuid, Token)>> {
    reader.query_one(
        "SELECT id, fingerprint, prefix, last_four, created, expires, revoked, last_used, purpose, doubted, org FROM token
         WHERE fingerprint = ?1 ORDER BY created DESC, id DESC LIMIT 1",
        &[(&fingerprint.as_bytes()[..]).into()],
        |row| Ok((read_id(row.blob(10)?)?, read(row)?)),
    )
}

fn read(row: &Row<'_>) -> scim::Result<Token> {
    let fingerprint = row.blob(1)?.try_into().map_err(scim::Error::internal)?;
    let purpose = Purpose::from_word(row.text(8)?);
    let time = |column| row.optional_integer(column)?.map(read_time).transpose();
    Ok(Token {
        id: read_id(row.blob(0)?)?,
        purpose: purpose
            .ok_or_else(|| scim::Error::internal("a token has a purpose that this version does not know"))?,
        fingerprint: Fingerprint::from_bytes(fingerprint),
        prefix: row.text(2)?.to_owned(),
        last_four: row.text(3)?.to_owned(),
        created: read_time(row.integer(4)?)?,
        expires: time(5)?,
        revoked: time(6)?,
        last_used: time(7)?,
        doubted: time(9)?,
    })
}
