//! Table `session`: the browsers that are signed in.

use jiff::Timestamp;
use scim::store::database::{Reader, Row, Transaction};
use uuid::Uuid;

use super::accounts::read_word;
use super::{read_id, read_time};
use crate::domain::clock::earlier;
use crate::domain::keyword::Keyword;
use crate::domain::secret::Fingerprint;
use crate::domain::session::{ABSOLUTE, Session, Stage};

/// Keeps a session that begins.
pub(crate) fn insert(
    tx: &Transaction<'_>,
    realm: Uuid,
    session: &Session,
    fingerprint: &Fingerprint,
) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO session (org, id, account, fingerprint, stage, way, created, used, proved, address, agent)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        &[
            realm.as_bytes().into(),
            session.id.as_bytes().into(),
            session.account.as_bytes().into(),
            (&fingerprint.as_bytes()[..]).into(),
            session.stage.word().into(),
            session.way.word().into(),
            session.created.as_microsecond().into(),
            session.used.as_microsecond().into(),
            session.proved.as_microsecond().into(),
            session.address.as_ref().into(),
            session.agent.as_ref().into(),
        ],
    )?;
    Ok(())
}

const COLUMNS: &str = "SELECT id, account, stage, way, created, used, proved, address, agent FROM session";

/// Returns the session with this secret, whether its time is over or not.
pub(crate) fn find(
    reader: &Reader<'_>,
    realm: Uuid,
    fingerprint: &Fingerprint,
) -> scim::Result<Option<Session>> {
    let sql = format!("{COLUMNS} WHERE org = ?1 AND fingerprint = ?2");
    reader.query_one(
        &sql,
        &[realm.as_bytes().into(), (&fingerprint.as_bytes()[..]).into()],
        read,
    )
}

/// Returns the sessions of an account that are signed in and whose time is not over, the newest first.
pub(crate) fn live(
    reader: &Reader<'_>,
    realm: Uuid,
    account: Uuid,
    now: Timestamp,
) -> scim::Result<Vec<Session>> {
    let sql = format!("{COLUMNS} WHERE org = ?1 AND account = ?2 ORDER BY id DESC");
    let all = reader.query_all(&sql, &[realm.as_bytes().into(), account.as_bytes().into()], read)?;
    let is_shown = |session: &Session| session.stage == Stage::Full && session.is_live(now);
    Ok(all.into_iter().filter(is_shown).collect())
}

fn read(row: &Row<'_>) -> scim::Result<Session> {
    Ok(Session {
        id: read_id(row.blob(0)?)?,
        account: read_id(row.blob(1)?)?,
        stage: read_word(row.text(2)?)?,
        way: read_word(row.text(3)?)?,
        created: read_time(row.integer(4)?)?,
        used: read_time(row.integer(5)?)?,
        proved: read_time(row.integer(6)?)?,
        address: row.optional_text(7)?.map(str::to_owned),
        agent: row.optional_text(8)?.map(str::to_owned),
    })
}

/// Notes that a session was used.
pub(crate) fn used(tx: &Transaction<'_>, realm: Uuid, id: Uuid, now: Timestamp) -> scim::Result<()> {
    tx.execute(
        "UPDATE session SET used = ?3 WHERE org = ?1 AND id = ?2",
        &[
            realm.as_bytes().into(),
            id.as_bytes().into(),
            now.as_microsecond().into(),
        ],
    )?;
    Ok(())
}

/// Notes that the person of a session has confirmed a factor.
pub(crate) fn proved(tx: &Transaction<'_>, realm: Uuid, id: Uuid, now: Timestamp) -> scim::Result<()> {
    tx.execute(
        "UPDATE session SET proved = ?3, used = ?3 WHERE org = ?1 AND id = ?2",
        &[
            realm.as_bytes().into(),
            id.as_bytes().into(),
            now.as_microsecond().into(),
        ],
    )?;
    Ok(())
}

/// Ends a session of an account. Answers with whether there was one.
pub(crate) fn end(tx: &Transaction<'_>, realm: Uuid, account: Uuid, id: Uuid) -> scim::Result<bool> {
    let ended = tx.execute(
        "DELETE FROM session WHERE org = ?1 AND id = ?2 AND account = ?3",
        &[
            realm.as_bytes().into(),
            id.as_bytes().into(),
            account.as_bytes().into(),
        ],
    )?;
    Ok(ended > 0)
}

/// Ends all sessions of an account, but for one that may be kept. Answers how many there were.
pub(crate) fn end_all(
    tx: &Transaction<'_>,
    realm: Uuid,
    account: Uuid,
    kept: Option<Uuid>,
) -> scim::Result<u64> {
    let kept = kept.unwrap_or(Uuid::nil());
    tx.execute(
        "DELETE FROM session WHERE org = ?1 AND account = ?2 AND id <> ?3",
        &[
            realm.as_bytes().into(),
            account.as_bytes().into(),
            kept.as_bytes().into(),
        ],
    )
}

/// Removes sessions whose time is over.
pub(super) fn purge(tx: &Transaction<'_>, realm: Uuid, now: Timestamp, most: u32) -> scim::Result<u64> {
    // None lives longer than that, however it is used.
    let limit = earlier(now, ABSOLUTE);
    tx.execute(
        "DELETE FROM session WHERE (org, id) IN (
             SELECT org, id FROM session WHERE org = ?1 AND used < ?2 LIMIT ?3)",
        &[
            realm.as_bytes().into(),
            limit.as_microsecond().into(),
            most.into(),
        ],
    )
}
