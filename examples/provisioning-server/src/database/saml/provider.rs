//! Tables `saml_provider` and `saml_certificate`: the identity provider of an organization for single sign-on.

use jiff::Timestamp;
use scim::store::database::{Reader, Transaction};
use uuid::Uuid;

use crate::database::accounts::read_word;
use crate::database::{read_id, read_time};
use crate::domain::keyword::Keyword;
use crate::domain::saml::certificate::Certificate;
use crate::domain::saml::provider::{Provider, Trusted};

/// Returns the identity provider of an organization, if it has one.
pub(crate) fn find(reader: &Reader<'_>, organization: Uuid) -> scim::Result<Option<Provider>> {
    let found = reader.query_one(
        "SELECT entity_id, sso_url, metadata_url, read, signed, stable_id, tried FROM saml_provider WHERE org = ?1",
        &[organization.as_bytes().into()],
        |row| {
            Ok(Provider {
                entity_id: row.text(0)?.to_owned(),
                sso_url: row.text(1)?.to_owned(),
                metadata_url: row.optional_text(2)?.map(str::to_owned),
                read: row.optional_integer(3)?.map(read_time).transpose()?,
                certificates: Vec::new(),
                signed: read_word(row.text(4)?)?,
                stable_id_attribute: row.optional_text(5)?.map(str::to_owned),
                tried: row.optional_integer(6)?.map(read_time).transpose()?,
            })
        },
    )?;
    let Some(provider) = found else {
        return Ok(None);
    };
    Ok(Some(Provider {
        certificates: certificates(reader, organization)?,
        ..provider
    }))
}

/// Returns the certificates of a provider: first those that its metadata name.
fn certificates(reader: &Reader<'_>, organization: Uuid) -> scim::Result<Vec<Trusted>> {
    reader.query_all(
        "SELECT der, until FROM saml_certificate WHERE org = ?1 ORDER BY until IS NOT NULL, fingerprint",
        &[organization.as_bytes().into()],
        |row| {
            let certificate = Certificate::of_der(row.blob(0)?.to_owned()).map_err(|useless| {
                scim::Error::internal(format!("a certificate is stored and {useless:?}"))
            })?;
            Ok(Trusted {
                certificate,
                until: row.optional_integer(1)?.map(read_time).transpose()?,
            })
        },
    )
}

/// Writes the identity provider of an organization, in place of the one that it has.
pub(crate) fn put(tx: &Transaction<'_>, organization: Uuid, provider: &Provider) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO saml_provider (org, entity_id, sso_url, metadata_url, read, signed, stable_id, tried)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (org) DO UPDATE SET entity_id = excluded.entity_id, sso_url = excluded.sso_url,
             metadata_url = excluded.metadata_url, read = excluded.read, signed = excluded.signed,
             stable_id = excluded.stable_id, tried = excluded.tried",
        &[
            organization.as_bytes().into(),
            (&provider.entity_id).into(),
            (&provider.sso_url).into(),
            provider.metadata_url.as_ref().into(),
            provider.read.map(Timestamp::as_microsecond).into(),
            provider.signed.word().into(),
            provider.stable_id_attribute.as_ref().into(),
            provider.tried.map(Timestamp::as_microsecond).into(),
        ],
    )?;
    remove_certificates(tx, organization)?;
    for trusted in &provider.certificates {
        tx.execute(
            "INSERT INTO saml_certificate (org, fingerprint, der, until) VALUES (?1, ?2, ?3, ?4)",
            &[
                organization.as_bytes().into(),
                (&trusted.certificate.fingerprint().0).into(),
                trusted.certificate.der().into(),
                trusted.until.map(Timestamp::as_microsecond).into(),
            ],
        )?;
    }
    Ok(())
}

/// Removes the identity provider of an organization.
pub(crate) fn remove(tx: &Transaction<'_>, organization: Uuid) -> scim::Result<()> {
    remove_certificates(tx, organization)?;
    tx.execute(
        "DELETE FROM saml_provider WHERE org = ?1",
        &[organization.as_bytes().into()],
    )?;
    Ok(())
}

fn remove_certificates(tx: &Transaction<'_>, organization: Uuid) -> scim::Result<()> {
    tx.execute(
        "DELETE FROM saml_certificate WHERE org = ?1",
        &[organization.as_bytes().into()],
    )?;
    Ok(())
}

/// Returns the organizations whose provider has metadata at a URL.
pub(crate) fn with_metadata_url(reader: &Reader<'_>) -> scim::Result<Vec<Uuid>> {
    reader.query_all(
        "SELECT p.org FROM saml_provider p JOIN organization o ON o.id = p.org
         WHERE p.metadata_url IS NOT NULL AND o.deleted IS NULL",
        &[],
        |row| read_id(row.blob(0)?),
    )
}
