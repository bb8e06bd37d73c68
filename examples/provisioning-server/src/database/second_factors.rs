//! Table `second_factor`: what authenticator applications share with the server, sealed.

use jiff::Timestamp;
use scim::store::database::{Reader, Transaction};
use uuid::Uuid;

use super::keys::Keys;
use super::read_time;
use crate::domain::sealed::Column;
use crate::domain::second_factor::FactorSecret;

/// The secrets of second factors.
pub(super) const SECRET: Column = Column {
    table: "second_factor",
    key: &["org", "account"],
    name: "sealed_secret",
};

/// The secrets that are to take the place of those in force.
pub(super) const OFFER: Column = Column {
    table: "second_factor",
    key: &["org", "account"],
    name: "sealed_offer",
};

/// The second factor of an account.
#[derive(Debug, Clone)]
pub(crate) struct SecondFactor {
    pub(crate) secret: FactorSecret,
    /// When its first code was right: before that it is not in force.
    pub(crate) confirmed: Option<Timestamp>,
    /// The step of time whose code was used last.
    pub(crate) last_step: Option<i64>,
    /// The secret that takes its place with the first code of it.
    pub(crate) offer: Option<FactorSecret>,
}

/// Puts a second factor that is being set up in the place of another that is. One that is in force stays.
pub(crate) fn offer(
    tx: &Transaction<'_>,
    keys: &Keys,
    realm: Uuid,
    account: Uuid,
    secret: &FactorSecret,
    now: Timestamp,
) -> scim::Result<()> {
    let row: [&[u8]; 2] = [realm.as_bytes(), account.as_bytes()];
    let sealed = keys.seal(tx, &SECRET, &row, secret.as_bytes())?;
    tx.execute(
        "INSERT INTO second_factor (org, account, sealed_secret, created) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (org, account) DO UPDATE SET sealed_secret = excluded.sealed_secret, created = excluded.created,
             last_step = NULL WHERE second_factor.confirmed IS NULL",
        &[
            row[0].into(),
            row[1].into(),
            (&sealed[..]).into(),
            now.as_microsecond().into(),
        ],
    )?;
    Ok(())
}

/// Keeps a secret that is to take the place of the one in force, which goes on to hold.
pub(crate) fn offer_another(
    tx: &Transaction<'_>,
    keys: &Keys,
    realm: Uuid,
    account: Uuid,
    secret: &FactorSecret,
) -> scim::Result<()> {
    let row: [&[u8]; 2] = [realm.as_bytes(), account.as_bytes()];
    let sealed = keys.seal(tx, &OFFER, &row, secret.as_bytes())?;
    tx.execute(
        "UPDATE second_factor SET sealed_offer = ?3 WHERE org = ?1 AND account = ?2",
        &[row[0].into(), row[1].into(), (&sealed[..]).into()],
    )?;
    Ok(())
}

/// Puts the secret that was offered in the place of the one in force, with the step of its first code.
pub(crate) fn exchange(
    tx: &Transaction<'_>,
    keys: &Keys,
    realm: Uuid,
    account: Uuid,
    (secret, step): (&FactorSecret, i64),
    now: Timestamp,
) -> scim::Result<()> {
    let row: [&[u8]; 2] = [realm.as_bytes(), account.as_bytes()];
    let sealed = keys.seal(tx, &SECRET, &row, secret.as_bytes())?;
    tx.execute(
        "UPDATE second_factor SET sealed_secret = ?3, sealed_offer = NULL, last_step = ?4, confirmed = ?5
         WHERE org = ?1 AND account = ?2",
        &[
            row[0].into(),
            row[1].into(),
            (&sealed[..]).into(),
            step.into(),
            now.as_microsecond().into(),
        ],
    )?;
    Ok(())
}

/// Notes that the code of a step was used, and puts the factor into force with its first.
pub(crate) fn used(
    tx: &Transaction<'_>,
    realm: Uuid,
    account: Uuid,
    step: i64,
    now: Timestamp,
) -> scim::Result<()> {
    tx.execute(
        "UPDATE second_factor SET last_step = ?3, confirmed = coalesce(confirmed, ?4) WHERE org = ?1 AND account = ?2",
        &[
            realm.as_bytes().into(),
            account.as_bytes().into(),
            step.into(),
            now.as_microsecond().into(),
        ],
    )?;
    Ok(())
}

/// Returns the second factor of an account, in force or being set up.
pub(crate) fn find(
    reader: &Reader<'_>,
    keys: &Keys,
    realm: Uuid,
    account: Uuid,
) -> scim::Result<Option<SecondFactor>> {
    let row: [&[u8]; 2] = [realm.as_bytes(), account.as_bytes()];
    let found = reader.query_one(
        "SELECT sealed_secret, confirmed, last_step, sealed_offer FROM second_factor WHERE org = ?1 AND account = ?2",
        &[row[0].into(), row[1].into()],
        |found| {
            Ok((
                found.blob(0)?.to_owned(),
                found.optional_integer(1)?,
                found.optional_integer(2)?,
                found.optional_blob(3)?.map(<[u8]>::to_vec),
            ))
        },
    )?;
    let Some((sealed, confirmed, last_step, offer)) = found else {
        return Ok(None);
    };
    let open = |column, sealed: &[u8]| {
        let secret = keys.open(column, &row, sealed)?;
        FactorSecret::from_bytes(&secret).map_err(scim::Error::internal)
    };
    Ok(Some(SecondFactor {
        secret: open(&SECRET, &sealed)?,
        confirmed: confirmed.map(read_time).transpose()?,
        last_step,
        offer: offer.map(|sealed| open(&OFFER, &sealed)).transpose()?,
    }))
}

/// Returns when the second factor of an account came into force: `None` without one.
pub(crate) fn confirmed(reader: &Reader<'_>, realm: Uuid, account: Uuid) -> scim::Result<Option<Timestamp>> {
    let found = reader.query_one(
        "SELECT confirmed FROM second_factor WHERE org = ?1 AND account = ?2",
        &[realm.as_bytes().into(), account.as_bytes().into()],
        |row| row.optional_integer(0),
    )?;
    found.flatten().map(read_time).transpose()
}

/// Removes the second factor of an account.
pub(crate) fn end(tx: &Transaction<'_>, realm: Uuid, account: Uuid) -> scim::Result<()> {
    tx.execute(
        "DELETE FROM second_factor WHERE org = ?1 AND account = ?2",
        &[realm.as_bytes().into(), account.as_bytes().into()],
    )?;
    Ok(())
}
