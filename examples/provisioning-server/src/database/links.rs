//! Table `link`: links that are used once.

use jiff::Timestamp;
use scim::store::database::{Reader, Row, Transaction};
use uuid::Uuid;

use super::accounts::read_word;
use super::{read_id, read_time};
use crate::domain::keyword::Keyword;
use crate::domain::link::{Link, LinkKind};
use crate::domain::secret::Fingerprint;

/// Keeps a link, in the place of others of its kind to the same account.
pub(crate) fn replace(
    tx: &Transaction<'_>,
    realm: Uuid,
    link: &Link,
    fingerprint: &Fingerprint,
) -> scim::Result<()> {
    end(tx, realm, link.account, link.kind)?;
    tx.execute(
        "INSERT INTO link (org, id, account, kind, fingerprint, created, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &[
            realm.as_bytes().into(),
            link.id.as_bytes().into(),
            link.account.as_bytes().into(),
            link.kind.word().into(),
            (&fingerprint.as_bytes()[..]).into(),
            link.created.as_microsecond().into(),
            link.expires.as_microsecond().into(),
        ],
    )?;
    Ok(())
}

/// Finds the link with this secret, whether its time is over or not.
pub(crate) fn find(
    reader: &Reader<'_>,
    realm: Uuid,
    fingerprint: &Fingerprint,
) -> scim::Result<Option<Link>> {
    reader.query_one(
        "SELECT id, account, kind, created, expires FROM link WHERE org = ?1 AND fingerprint = ?2",
        &[realm.as_bytes().into(), (&fingerprint.as_bytes()[..]).into()],
        read,
    )
}

/// Returns when the link of a kind to an account ends, if it can still be used.
pub(crate) fn live_until(
    reader: &Reader<'_>,
    realm: Uuid,
    account: Uuid,
    kind: LinkKind,
    now: Timestamp,
) -> scim::Result<Option<Timestamp>> {
    reader.query_one(
        "SELECT expires FROM link WHERE org = ?1 AND account = ?2 AND kind = ?3 AND expires > ?4",
        &[
            realm.as_bytes().into(),
            account.as_bytes().into(),
            kind.word().into(),
            now.as_microsecond().into(),
        ],
        |row| read_time(row.integer(0)?),
    )
}

fn read(row: &Row<'_>) -> scim::Result<Link> {
    Ok(Link {
        id: read_id(row.blob(0)?)?,
        account: read_id(row.blob(1)?)?,
        kind: read_word(row.text(2)?)?,
        created: read_time(row.integer(3)?)?,
        expires: read_time(row.integer(4)?)?,
    })
}

/// Ends the links of one kind to an account. Answers how many there were.
pub(crate) fn end(tx: &Transaction<'_>, realm: Uuid, account: Uuid, kind: LinkKind) -> scim::Result<u64> {
    tx.execute(
        "DELETE FROM link WHERE org = ?1 AND account = ?2 AND kind = ?3",
        &[
            realm.as_bytes().into(),
            account.as_bytes().into(),
            kind.word().into(),
        ],
    )
}

/// Removes links whose time is over.
pub(super) fn purge(tx: &Transaction<'_>, realm: Uuid, now: Timestamp, most: u32) -> scim::Result<u64> {
    tx.execute(
        "DELETE FROM link WHERE (org, id) IN (SELECT org, id FROM link WHERE org = ?1 AND expires <= ?2 LIMIT ?3)",
        &[realm.as_bytes().into(), now.as_microsecond().into(), most.into()],
    )
}
