//! Table `mail`: the mails of an organization, or of the instance, whose organization is the nil UUID.

use jiff::Timestamp;
use scim::store::database::{Reader, Row, Transaction};
use uuid::Uuid;

use super::accounts::read_word;
use super::keys::Keys;
use super::{delivery, read_id, read_time};
use crate::domain::account::Account;
use crate::domain::keyword::Keyword;
use crate::domain::mail::{Content, Kind, Link, Mail, Recipient, State, retry};
use crate::domain::sealed::Column;

/// The links in mails.
pub(crate) const LINK: Column = Column {
    table: "mail",
    key: &["org", "id"],
    name: "sealed_link",
};

/// The domain of messages of a server whose name is not known.
const NOWHERE: &str = "localhost";

/// Queues a mail without a link in the transaction of its cause. Returns its id.
///
/// # Errors
/// The database fails.
pub(crate) fn notify(
    tx: &Transaction<'_>,
    organization: Uuid,
    now: Timestamp,
    recipient: Recipient,
    content: Content,
) -> scim::Result<Uuid> {
    let id = Uuid::now_v7();
    insert(tx, organization, id, now, &Mail::notice(recipient, content), None)?;
    Ok(id)
}

/// Queues a mail without a link to the person of an account in the transaction of its cause, if they have an address.
///
/// # Errors
/// The database fails.
pub(crate) fn tell(
    tx: &Transaction<'_>,
    organization: Uuid,
    now: Timestamp,
    account: &Account,
    content: Content,
) -> scim::Result<()> {
    match Recipient::of(account) {
        Some(recipient) => notify(tx, organization, now, recipient, content).map(drop),
        None => Ok(()),
    }
}

/// Queues a mail in the transaction of its cause. It is sent behind, soon and once, or stays in the mailbox of the product
/// if the server that started last has no mail server. Returns its id.
///
/// # Errors
/// The database fails, or its link cannot be sealed.
pub(crate) fn queue(
    tx: &Transaction<'_>,
    keys: &Keys,
    organization: Uuid,
    now: Timestamp,
    mail: &Mail,
) -> scim::Result<Uuid> {
    let id = Uuid::now_v7();
    let row: [&[u8]; 2] = [organization.as_bytes(), id.as_bytes()];
    let link = mail.link.as_ref().map(|link| link.reveal().as_bytes());
    let link = link.map(|link| keys.seal(tx, &LINK, &row, link)).transpose()?;
    insert(tx, organization, id, now, mail, link.as_deref())?;
    Ok(id)
}

fn insert(
    tx: &Transaction<'_>,
    organization: Uuid,
    id: Uuid,
    now: Timestamp,
    mail: &Mail,
    sealed_link: Option<&[u8]>,
) -> scim::Result<()> {
    let params = serde_json::to_string(&mail.content).map_err(scim::Error::internal)?;
    let state = match delivery::is_kept(tx)? {
        true => State::Kept,
        false => State::Queued,
    };
    let time = now.as_microsecond();
    let link_ends = mail.content.link_expires().filter(|_| sealed_link.is_some());
    tx.execute(
        "INSERT INTO mail (org, id, kind, account, recipient, state, attempts, due, until, created, message_id, params,
                           sealed_link, link_ends)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        &[
            organization.as_bytes().into(),
            id.as_bytes().into(),
            mail.content.kind().word().into(),
            mail.recipient.account.as_ref().map(Uuid::as_bytes).into(),
            (&mail.recipient.address).into(),
            state.word().into(),
            (state == State::Queued).then_some(time).into(),
            retry::until(now).as_microsecond().into(),
            time.into(),
            (&message_id(tx, id)?).into(),
            (&params).into(),
            sealed_link.into(),
            link_ends.map(Timestamp::as_microsecond).into(),
        ],
    )?;
    Ok(())
}

/// Makes the `Message-ID` of a mail (RFC 5322 section 3.6.4), which it has however often it is sent.
fn message_id(reader: &Reader<'_>, id: Uuid) -> scim::Result<String> {
    let origin = reader.query_one("SELECT value FROM instance WHERE key = 'origin'", &[], |row| {
        let url = url::Url::parse(row.text(0)?).ok();
        Ok(url.as_ref().and_then(url::Url::domain).map(str::to_owned))
    })?;
    let domain = origin.flatten();
    Ok(format!(
        "<{}@{}>",
        id.simple(),
        domain.as_deref().unwrap_or(NOWHERE)
    ))
}

/// A mail as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Queued {
    pub(crate) id: Uuid,
    pub(crate) state: State,
    pub(crate) account: Option<Uuid>,
    pub(crate) recipient: String,
    pub(crate) content: Content,
    pub(crate) created: Timestamp,
    pub(crate) sent: Option<Timestamp>,
    /// When it is tried next.
    pub(crate) due: Option<Timestamp>,
    pub(crate) attempts: u32,
    /// Why it was not sent.
    pub(crate) error: Option<String>,
    pub(crate) message_id: String,
    sealed_link: Option<Vec<u8>>,
}

impl Queued {
    /// Returns whether there is a link in it that can still be used.
    pub(crate) fn has_link(&self) -> bool {
        self.sealed_link.is_some()
    }

    /// Opens its link.
    ///
    /// # Errors
    /// Its key is not there, or it was changed.
    pub(crate) fn link(&self, keys: &Keys, organization: Uuid) -> scim::Result<Option<Link>> {
        let open = |sealed| open_link(keys, organization, self.id, sealed);
        self.sealed_link.as_deref().map(open).transpose()
    }
}

const COLUMNS: &str =
    "id, state, account, recipient, params, created, sent, due, attempts, error, message_id, sealed_link";

/// Returns one mail of an organization.
pub(crate) fn find(reader: &Reader<'_>, organization: Uuid, id: Uuid) -> scim::Result<Option<Queued>> {
    reader.query_one(
        &format!("SELECT {COLUMNS} FROM mail WHERE org = ?1 AND id = ?2"),
        &[organization.as_bytes().into(), id.as_bytes().into()],
        read,
    )
}

/// Returns the mails of an organization, those in one state or all, the last first.
pub(crate) fn list(
    reader: &Reader<'_>,
    organization: Uuid,
    state: Option<State>,
    before: Option<Uuid>,
    limit: u32,
) -> scim::Result<Vec<Queued>> {
    let before = before.unwrap_or(Uuid::max());
    match state {
        Some(state) => reader.query_all(
            &format!(
                "SELECT {COLUMNS} FROM mail WHERE org = ?1 AND state = ?2 AND id < ?4 ORDER BY id DESC LIMIT ?3"
            ),
            &[
                organization.as_bytes().into(),
                state.word().into(),
                limit.into(),
                before.as_bytes().into(),
            ],
            read,
        ),
        None => reader.query_all(
            &format!("SELECT {COLUMNS} FROM mail WHERE org = ?1 AND id < ?3 ORDER BY id DESC LIMIT ?2"),
            &[
                organization.as_bytes().into(),
                limit.into(),
                before.as_bytes().into(),
            ],
            read,
        ),
    }
}

fn read(row: &Row<'_>) -> scim::Result<Queued> {
    let time = |column| row.optional_integer(column)?.map(read_time).transpose();
    Ok(Queued {
        id: read_id(row.blob(0)?)?,
        state: read_word(row.text(1)?)?,
        account: row.optional_blob(2)?.map(read_id).transpose()?,
        recipient: row.text(3)?.to_owned(),
        content: serde_json::from_str(row.text(4)?).map_err(scim::Error::internal)?,
        created: read_time(row.integer(5)?)?,
        sent: time(6)?,
        due: time(7)?,
        attempts: u32::try_from(row.integer(8)?).unwrap_or(u32::MAX),
        error: row.optional_text(9)?.map(str::to_owned),
        message_id: row.text(10)?.to_owned(),
        sealed_link: row.optional_blob(11)?.map(<[u8]>::to_vec),
    })
}

/// Queues a mail once more that has failed or was kept, as the same mail.
pub(crate) fn retry(tx: &Transaction<'_>, organization: Uuid, id: Uuid, now: Timestamp) -> scim::Result<()> {
    tx.execute(
        "UPDATE mail SET state = 'queued', due = ?3, until = ?4, error = NULL
         WHERE org = ?1 AND id = ?2",
        &[
            organization.as_bytes().into(),
            id.as_bytes().into(),
            now.as_microsecond().into(),
            retry::until(now).as_microsecond().into(),
        ],
    )?;
    Ok(())
}

/// Cancels one mail.
pub(crate) fn cancel_one(tx: &Transaction<'_>, organization: Uuid, id: Uuid) -> scim::Result<()> {
    tx.execute(
        "UPDATE mail SET state = 'cancelled', due = NULL, sealed_link = NULL, link_ends = NULL
         WHERE org = ?1 AND id = ?2",
        &[organization.as_bytes().into(), id.as_bytes().into()],
    )?;
    Ok(())
}

/// Returns how many mails of an organization wait to be sent, up to `most`.
pub(crate) fn count_queued(reader: &Reader<'_>, organization: Uuid, most: u32) -> scim::Result<u64> {
    super::count(
        reader,
        "SELECT count(*) FROM (SELECT 1 FROM mail WHERE org = ?1 AND state = 'queued' LIMIT ?2)",
        &[organization.as_bytes().into(), most.into()],
    )
}

/// Cancels the mails of one kind to an account that were not sent, because their link has ended. Answers how many there were.
pub(crate) fn cancel(
    tx: &Transaction<'_>,
    organization: Uuid,
    account: Uuid,
    kind: Kind,
) -> scim::Result<u64> {
    tx.execute(
        "UPDATE mail SET state = 'cancelled', due = NULL, sealed_link = NULL, link_ends = NULL
         WHERE org = ?1 AND account = ?2 AND kind = ?3 AND state IN ('queued', 'kept', 'failed')",
        &[
            organization.as_bytes().into(),
            account.as_bytes().into(),
            kind.word().into(),
        ],
    )
}

/// Cancels every mail to an account that was not sent, of whatever kind.
pub(crate) fn cancel_all_to(tx: &Transaction<'_>, organization: Uuid, account: Uuid) -> scim::Result<()> {
    tx.execute(
        "UPDATE mail SET state = 'cancelled', due = NULL, sealed_link = NULL, link_ends = NULL
         WHERE org = ?1 AND account = ?2 AND state IN ('queued', 'kept', 'failed')",
        &[organization.as_bytes().into(), account.as_bytes().into()],
    )?;
    Ok(())
}

/// Cancels the mails of an organization that wait.
pub(super) fn cancel_waiting(tx: &Transaction<'_>, organization: Uuid) -> scim::Result<()> {
    tx.execute(
        "UPDATE mail SET state = 'cancelled', due = NULL, sealed_link = NULL, link_ends = NULL
         WHERE org = ?1 AND state = 'queued'",
        &[organization.as_bytes().into()],
    )?;
    Ok(())
}

/// Cancels the mails of a database that is as it was some time ago: those that waited may have been sent since, and links end
/// with it.
pub(super) fn cancel_restored(tx: &Transaction<'_>) -> scim::Result<()> {
    for is_meant in ["state = 'queued'", "sealed_link IS NOT NULL"] {
        tx.execute(
            &format!(
                "UPDATE mail SET state = 'cancelled', due = NULL, sealed_link = NULL, link_ends = NULL,
                        error = 'The database was restored from a backup.'
                 WHERE {is_meant}"
            ),
            &[],
        )?;
    }
    Ok(())
}

/// Removes mails that were made before one and do not wait, up to so many. Answers how many there were.
pub(super) fn purge(tx: &Transaction<'_>, organization: Uuid, before: Uuid, most: u32) -> scim::Result<u64> {
    tx.execute(
        "DELETE FROM mail WHERE org = ?1 AND id IN (
             SELECT id FROM mail WHERE org = ?1 AND id < ?2 AND state <> 'queued' ORDER BY id LIMIT ?3)",
        &[
            organization.as_bytes().into(),
            before.as_bytes().into(),
            most.into(),
        ],
    )
}

/// Opens the link of a mail.
pub(super) fn open_link(keys: &Keys, organization: Uuid, id: Uuid, sealed: &[u8]) -> scim::Result<Link> {
    let path = keys.open(&LINK, &[organization.as_bytes(), id.as_bytes()], sealed)?;
    let path = String::from_utf8(path).map_err(scim::Error::internal)?;
    Link::parse(&path).map_err(scim::Error::internal)
}
