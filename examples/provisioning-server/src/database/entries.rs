//! The way in of accounts: columns of the tables `account` and `owner`.

use jiff::Timestamp;
use scim::store::database::{Reader, Transaction};
use uuid::Uuid;

use super::accounts::read_word;
use super::{count, read_id, read_time};
use crate::domain::account::AccountState;
use crate::domain::entry::Entry;
use crate::domain::keyword::Keyword;
use crate::domain::link::LinkKind;
use crate::domain::settings::FirstLogin;

/// Returns the way in of an account.
pub(crate) fn find(reader: &Reader<'_>, realm: Uuid, account: Uuid) -> scim::Result<Option<Entry>> {
    let sql = match realm.is_nil() {
        true => "SELECT 'invitation', due, created FROM owner WHERE org = ?1 AND id = ?2",
        false => "SELECT first_login, due, signed_in FROM account WHERE org = ?1 AND id = ?2",
    };
    reader.query_one(
        sql,
        &[realm.as_bytes().into(), account.as_bytes().into()],
        |row| {
            Ok(Entry {
                by: read_word::<FirstLogin>(row.text(0)?)?,
                due: row.optional_text(1)?.map(read_word).transpose()?,
                first: row.optional_integer(2)?.map(read_time).transpose()?,
            })
        },
    )
}

/// Returns how many people can sign in by SAML alone.
pub(crate) fn count_by_saml_alone(reader: &Reader<'_>, organization: Uuid) -> scim::Result<u64> {
    let sql = format!(
        "SELECT count(*) FROM account WHERE org = ?1 AND first_login = '{}' AND state = '{}'",
        FirstLogin::Saml.word(),
        AccountState::Active.word()
    );
    count(reader, &sql, &[organization.as_bytes().into()])
}

/// Returns how many people of the identity provider have another way in than this one.
pub(crate) fn count_otherwise(reader: &Reader<'_>, organization: Uuid, by: FirstLogin) -> scim::Result<u64> {
    count(
        reader,
        "SELECT count(*) FROM account WHERE org = ?1 AND row IS NOT NULL AND first_login <> ?2",
        &[organization.as_bytes().into(), by.word().into()],
    )
}

/// Notes another way in of somebody.
pub(crate) fn convert(
    tx: &Transaction<'_>,
    organization: Uuid,
    account: Uuid,
    entry: &Entry,
) -> scim::Result<()> {
    tx.execute(
        "UPDATE account SET first_login = ?3, due = ?4 WHERE org = ?1 AND id = ?2",
        &[
            organization.as_bytes().into(),
            account.as_bytes().into(),
            entry.by.word().into(),
            entry.due.map(Keyword::word).into(),
        ],
    )?;
    Ok(())
}

/// Notes which link is to be made and sent to somebody.
pub(crate) fn set_due(
    tx: &Transaction<'_>,
    realm: Uuid,
    account: Uuid,
    due: Option<LinkKind>,
) -> scim::Result<()> {
    let table = table(realm);
    tx.execute(
        &format!("UPDATE {table} SET due = ?3 WHERE org = ?1 AND id = ?2"),
        &[
            realm.as_bytes().into(),
            account.as_bytes().into(),
            due.map(Keyword::word).into(),
        ],
    )?;
    Ok(())
}

/// Begins anew with somebody who has come back.
pub(crate) fn begin(
    tx: &Transaction<'_>,
    organization: Uuid,
    account: Uuid,
    entry: Entry,
) -> scim::Result<()> {
    tx.execute(
        "UPDATE account SET first_login = ?3, due = ?4, signed_in = NULL WHERE org = ?1 AND id = ?2",
        &[
            organization.as_bytes().into(),
            account.as_bytes().into(),
            entry.by.word().into(),
            entry.due.map(Keyword::word).into(),
        ],
    )?;
    Ok(())
}

/// Notes that somebody has signed in. Only the first time is kept, and an invitation is not due any more.
pub(crate) fn signed_in(
    tx: &Transaction<'_>,
    realm: Uuid,
    account: Uuid,
    now: Timestamp,
) -> scim::Result<()> {
    if realm.is_nil() {
        return Ok(());
    }
    tx.execute(
        "UPDATE account SET signed_in = ?3, due = NULL WHERE org = ?1 AND id = ?2 AND signed_in IS NULL",
        &[
            realm.as_bytes().into(),
            account.as_bytes().into(),
            now.as_microsecond().into(),
        ],
    )?;
    Ok(())
}

/// The condition of the index of those to whom a link can be sent now.
const CAN_BE_SENT: &str =
    "due IS NOT NULL AND state = 'active' AND suspended IS NULL AND address IS NOT NULL";

/// Returns accounts to whom a link of a kind is due and can be sent.
pub(crate) fn due(reader: &Reader<'_>, realm: Uuid, kind: LinkKind, most: u32) -> scim::Result<Vec<Uuid>> {
    let table = table(realm);
    let can_be_sent = if realm.is_nil() {
        "due IS NOT NULL"
    } else {
        CAN_BE_SENT
    };
    reader.query_all(
        &format!("SELECT id FROM {table} WHERE org = ?1 AND due = ?2 AND {can_be_sent} ORDER BY id LIMIT ?3"),
        &[realm.as_bytes().into(), kind.word().into(), most.into()],
        |row| read_id(row.blob(0)?),
    )
}

/// Returns the realms in which a link is due and can be sent.
pub(crate) fn realms_with_due(reader: &Reader<'_>) -> scim::Result<Vec<Uuid>> {
    let instance = Uuid::nil();
    let sql = "SELECT org FROM owner WHERE org = ?1 AND due IS NOT NULL LIMIT 1";
    let owners = reader.query_one(sql, &[instance.as_bytes().into()], |row| read_id(row.blob(0)?))?;
    let mut realms: Vec<Uuid> = owners.into_iter().collect();
    // One step of the index for each, however many accounts there are.
    let sql = format!("SELECT org FROM account WHERE org > ?1 AND {CAN_BE_SENT} ORDER BY org LIMIT 1");
    let mut behind = instance;
    while let Some(next) = reader.query_one(&sql, &[behind.as_bytes().into()], |row| read_id(row.blob(0)?))? {
        realms.push(next);
        behind = next;
    }
    Ok(realms)
}

fn table(realm: Uuid) -> &'static str {
    if realm.is_nil() { "owner" } else { "account" }
}
