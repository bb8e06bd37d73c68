//! Table `setup_link`.

use jiff::Timestamp;
use scim::store::database::{Reader, Row, Transaction};
use uuid::Uuid;

use super::accounts::read_word;
use super::{read_id, read_time};
use crate::domain::keyword::Keyword;
use crate::domain::secret::Fingerprint;
use crate::domain::setup_link::{Maker, SetupLink};

/// Keeps a new link.
pub(crate) fn insert(
    tx: &Transaction<'_>,
    organization: Uuid,
    link: &SetupLink,
    fingerprint: &Fingerprint,
) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO setup_link (org, id, fingerprint, maker_kind, account, maker_name, created, expires)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &[
            organization.as_bytes().into(),
            link.id.as_bytes().into(),
            fingerprint.as_bytes().into(),
            link.maker.kind.word().into(),
            link.maker
                .account
                .as_ref()
                .map(|account| &account.as_bytes()[..])
                .into(),
            (&link.maker.name).into(),
            link.created.as_microsecond().into(),
            link.expires.as_microsecond().into(),
        ],
    )?;
    Ok(())
}

const COLUMNS: &str = "id, maker_kind, account, maker_name, created, expires, opened, browser, ended, org";

/// Returns the newest links of an organization, the newest first.
pub(crate) fn list(reader: &Reader<'_>, organization: Uuid, most: u32) -> scim::Result<Vec<SetupLink>> {
    let sql = format!("SELECT {COLUMNS} FROM setup_link WHERE org = ?1 ORDER BY id DESC LIMIT ?2");
    reader.query_all(&sql, &[organization.as_bytes().into(), most.into()], read)
}

/// Returns the link with this id.
pub(crate) fn by_id(reader: &Reader<'_>, organization: Uuid, id: Uuid) -> scim::Result<Option<SetupLink>> {
    let sql = format!("SELECT {COLUMNS} FROM setup_link WHERE org = ?1 AND id = ?2");
    reader.query_one(
        &sql,
        &[organization.as_bytes().into(), id.as_bytes().into()],
        read,
    )
}

/// Returns the link with this secret, and its organization, whichever that is.
pub(crate) fn by_fingerprint(
    reader: &Reader<'_>,
    fingerprint: &Fingerprint,
) -> scim::Result<Option<(Uuid, SetupLink)>> {
    let sql = format!("SELECT {COLUMNS} FROM setup_link WHERE fingerprint = ?1");
    reader.query_one(&sql, &[(&fingerprint.as_bytes()[..]).into()], |row| {
        Ok((read_id(row.blob(9)?)?, read(row)?))
    })
}

/// Returns the newest link that was opened in a browser.
pub(crate) fn by_browser(
    reader: &Reader<'_>,
    organization: Uuid,
    browser: &Fingerprint,
) -> scim::Result<Option<SetupLink>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM setup_link WHERE org = ?1 AND browser = ?2 AND browser IS NOT NULL ORDER BY id DESC LIMIT 1"
    );
    reader.query_one(
        &sql,
        &[organization.as_bytes().into(), (&browser.as_bytes()[..]).into()],
        read,
    )
}

/// Notes in which browser a link was opened.
pub(crate) fn open(
    tx: &Transaction<'_>,
    organization: Uuid,
    id: Uuid,
    browser: &Fingerprint,
    now: Timestamp,
) -> scim::Result<()> {
    tx.execute(
        "UPDATE setup_link SET opened = ?3, browser = ?4 WHERE org = ?1 AND id = ?2 AND opened IS NULL",
        &[
            organization.as_bytes().into(),
            id.as_bytes().into(),
            now.as_microsecond().into(),
            (&browser.as_bytes()[..]).into(),
        ],
    )?;
    Ok(())
}

/// Ends a link.
pub(crate) fn end(tx: &Transaction<'_>, organization: Uuid, id: Uuid, now: Timestamp) -> scim::Result<()> {
    tx.execute(
        "UPDATE setup_link SET ended = ?3 WHERE org = ?1 AND id = ?2 AND ended IS NULL",
        &[
            organization.as_bytes().into(),
            id.as_bytes().into(),
            now.as_microsecond().into(),
        ],
    )?;
    Ok(())
}

/// Removes every link that an account has made, also in other organizations than its own.
pub(super) fn end_all_of(tx: &Transaction<'_>, account: Uuid) -> scim::Result<()> {
    tx.execute(
        "DELETE FROM setup_link WHERE account = ?1 AND account IS NOT NULL",
        &[account.as_bytes().into()],
    )?;
    Ok(())
}

/// Removes links whose time was over at a time, a few at a time.
pub(super) fn purge(
    tx: &Transaction<'_>,
    organization: Uuid,
    before: Timestamp,
    most: u32,
) -> scim::Result<u64> {
    tx.execute(
        "DELETE FROM setup_link WHERE org = ?1 AND id IN (
           SELECT id FROM setup_link WHERE org = ?1 AND expires <= ?2 LIMIT ?3)",
        &[
            organization.as_bytes().into(),
            before.as_microsecond().into(),
            most.into(),
        ],
    )
}

fn read(row: &Row<'_>) -> scim::Result<SetupLink> {
    let time = |column| row.optional_integer(column)?.map(read_time).transpose();
    let browser = match row.optional_blob(7)? {
        Some(bytes) => Some(bytes.try_into().map_err(scim::Error::internal)?),
        None => None,
    };
    Ok(SetupLink {
        id: read_id(row.blob(0)?)?,
        maker: Maker {
            kind: read_word(row.text(1)?)?,
            account: row.optional_blob(2)?.map(read_id).transpose()?,
            name: row.text(3)?.to_owned(),
        },
        created: read_time(row.integer(4)?)?,
        expires: read_time(row.integer(5)?)?,
        opened: time(6)?,
        browser: browser.map(Fingerprint::from_bytes),
        ended: time(8)?,
    })
}
