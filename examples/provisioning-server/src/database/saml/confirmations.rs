//! Table `saml_confirmation`: manual accounts whose people have confirmed that they sign in by SAML.

use jiff::Timestamp;
use scim::store::database::{Reader, Transaction};
use uuid::Uuid;

use crate::domain::saml::person::Confirmation;

/// Returns the confirmation of an account.
pub(crate) fn find(
    reader: &Reader<'_>,
    organization: Uuid,
    account: Uuid,
) -> scim::Result<Option<Confirmation>> {
    reader.query_one(
        "SELECT address_key, stable_id FROM saml_confirmation WHERE org = ?1 AND account = ?2",
        &[organization.as_bytes().into(), account.as_bytes().into()],
        |row| {
            Ok(Confirmation {
                address_key: row.text(0)?.to_owned(),
                stable_id: row.optional_text(1)?.map(str::to_owned),
            })
        },
    )
}

/// Keeps the confirmation of an account, in place of a former one.
pub(crate) fn put(
    tx: &Transaction<'_>,
    organization: Uuid,
    account: Uuid,
    confirmation: &Confirmation,
    now: Timestamp,
) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO saml_confirmation (org, account, address_key, stable_id, confirmed) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (org, account) DO UPDATE SET address_key = excluded.address_key, stable_id = excluded.stable_id,
             confirmed = excluded.confirmed",
        &[
            organization.as_bytes().into(),
            account.as_bytes().into(),
            (&confirmation.address_key).into(),
            confirmation.stable_id.as_ref().into(),
            now.as_microsecond().into(),
        ],
    )?;
    Ok(())
}

/// Forgets all confirmations: those of another identity provider say nothing.
pub(crate) fn forget(tx: &Transaction<'_>, organization: Uuid) -> scim::Result<()> {
    tx.execute(
        "DELETE FROM saml_confirmation WHERE org = ?1",
        &[organization.as_bytes().into()],
    )?;
    Ok(())
}
