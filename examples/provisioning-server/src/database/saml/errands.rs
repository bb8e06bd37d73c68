//! Table `saml_errand`: sign-ins by SAML that let nobody in.

use jiff::Timestamp;
use scim::store::database::{Reader, Transaction};
use uuid::Uuid;

use crate::database::accounts::read_word;
use crate::database::read_id;
use crate::domain::keyword::Keyword;
use crate::domain::saml::errand::{Errand, ErrandKind};
use crate::domain::secret::Fingerprint;

/// Keeps an errand.
pub(crate) fn insert(
    tx: &Transaction<'_>,
    organization: Uuid,
    errand: Errand,
    fingerprint: &Fingerprint,
    expires: Timestamp,
) -> scim::Result<()> {
    let account = errand.account();
    tx.execute(
        "INSERT INTO saml_errand (org, fingerprint, kind, account, expires) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[
            organization.as_bytes().into(),
            fingerprint.as_bytes().into(),
            errand.kind().word().into(),
            account.as_ref().map(|account| &account.as_bytes()[..]).into(),
            expires.as_microsecond().into(),
        ],
    )?;
    Ok(())
}

/// Returns the errand that can still be done.
pub(crate) fn find(
    reader: &Reader<'_>,
    organization: Uuid,
    fingerprint: &Fingerprint,
    now: Timestamp,
) -> scim::Result<Option<Errand>> {
    let found = reader.query_one(
        "SELECT kind, account FROM saml_errand WHERE org = ?1 AND fingerprint = ?2 AND expires > ?3",
        &[
            organization.as_bytes().into(),
            fingerprint.as_bytes().into(),
            now.as_microsecond().into(),
        ],
        |row| {
            let kind: ErrandKind = read_word(row.text(0)?)?;
            let account = row.optional_blob(1)?.map(read_id).transpose()?;
            Ok(Errand::of(kind, account))
        },
    )?;
    Ok(found.flatten())
}

/// Notes that an errand is done.
pub(crate) fn end(tx: &Transaction<'_>, organization: Uuid, fingerprint: &Fingerprint) -> scim::Result<()> {
    tx.execute(
        "DELETE FROM saml_errand WHERE org = ?1 AND fingerprint = ?2",
        &[organization.as_bytes().into(), fingerprint.as_bytes().into()],
    )?;
    Ok(())
}

/// Removes those that cannot be done any more, a few at a time.
pub(in crate::database) fn purge(
    tx: &Transaction<'_>,
    organization: Uuid,
    now: Timestamp,
    most: u32,
) -> scim::Result<u64> {
    tx.execute(
        "DELETE FROM saml_errand WHERE org = ?1 AND fingerprint IN (
           SELECT fingerprint FROM saml_errand WHERE org = ?1 AND expires <= ?2 LIMIT ?3)",
        &[
            organization.as_bytes().into(),
            now.as_microsecond().into(),
            most.into(),
        ],
    )
}
