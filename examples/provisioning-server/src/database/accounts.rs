//! Table `account`: everybody who has or had an account.

use scim::store::database::{Param, Reader, Row, Transaction};
use uuid::Uuid;

use super::credentials;
use super::effective::Members;
use super::page::Page;
use super::{placeholders, read_id, read_time};
use crate::domain::account::{Account, AccountState, ManagedBy, Suspension, name_key};
use crate::domain::email;
use crate::domain::entry::Entry;
use crate::domain::keyword::Keyword;
use crate::domain::role::RoleId;
use crate::domain::search::SearchKeys;

/// Keeps a new account, with the way in that its person has.
pub(crate) fn insert(
    tx: &Transaction<'_>,
    organization: Uuid,
    account: &Account,
    entry: Entry,
) -> scim::Result<()> {
    let keys = SearchKeys::of(account);
    tx.execute(
        "INSERT INTO account (org, id, managed_by, name, name_key, display, address, state, row, created, changed,
             first_login, due, address_key, display_key, family_key, address_name)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        &[
            organization.as_bytes().into(),
            account.id.as_bytes().into(),
            account.managed_by.word().into(),
            (&account.name).into(),
            (&account.name_key()).into(),
            (&account.display).into(),
            account.address.as_ref().into(),
            account.state.word().into(),
            account.row.into(),
            account.created.as_microsecond().into(),
            account.changed.as_microsecond().into(),
            entry.by.word().into(),
            entry.due.map(Keyword::word).into(),
            account.address.as_deref().map(email::key).as_ref().into(),
            keys.display.as_ref().into(),
            keys.family.as_ref().into(),
            keys.address.as_ref().into(),
        ],
    )?;
    Ok(())
}

/// Writes everything of an account that can change, and does to its credentials what the change means to them: whoever
/// changes an account cannot forget that.
pub(crate) fn update(
    tx: &Transaction<'_>,
    organization: Uuid,
    before: &Account,
    account: &Account,
) -> scim::Result<()> {
    let suspended = account.suspended.as_ref();
    let keys = SearchKeys::of(account);
    tx.execute(
        "UPDATE account SET managed_by = ?3, name = ?4, name_key = ?5, display = ?6, address = ?7, state = ?8, row = ?9,
             changed = ?10, suspended = ?11, suspended_reason = ?12, suspended_by = ?13, address_key = ?14,
             display_key = ?15, family_key = ?16, address_name = ?17
         WHERE org = ?1 AND id = ?2",
        &[
            organization.as_bytes().into(),
            account.id.as_bytes().into(),
            account.managed_by.word().into(),
            (&account.name).into(),
            (&account.name_key()).into(),
            (&account.display).into(),
            account.address.as_ref().into(),
            account.state.word().into(),
            account.row.into(),
            account.changed.as_microsecond().into(),
            suspended.map(|lock| lock.since.as_microsecond()).into(),
            suspended.map(|lock| &lock.reason).into(),
            suspended.map(|lock| &lock.by).into(),
            account.address.as_deref().map(email::key).as_ref().into(),
            keys.display.as_ref().into(),
            keys.family.as_ref().into(),
            keys.address.as_ref().into(),
        ],
    )?;
    credentials::follow(tx, organization, before, account)
}

/// How many accounts one statement looks up by their ids.
const AT_ONCE: usize = 500;

const COLUMNS: &str =
    "SELECT a.id, a.managed_by, a.name, a.display, a.address, a.state, a.suspended, a.suspended_reason,
    a.suspended_by, a.row, a.created, a.changed FROM account a";

/// Returns the account with this id.
pub(crate) fn by_id(reader: &Reader<'_>, organization: Uuid, id: Uuid) -> scim::Result<Option<Account>> {
    let sql = format!("{COLUMNS} WHERE a.org = ?1 AND a.id = ?2");
    reader.query_one(
        &sql,
        &[organization.as_bytes().into(), id.as_bytes().into()],
        read,
    )
}

/// Returns the accounts with these ids, in no order.
pub(crate) fn by_ids(reader: &Reader<'_>, organization: Uuid, ids: &[Uuid]) -> scim::Result<Vec<Account>> {
    let mut found = Vec::new();
    for ids in ids.chunks(AT_ONCE) {
        let sql = format!(
            "{COLUMNS} WHERE a.org = ?1 AND a.id IN ({})",
            placeholders(2, ids.len())
        );
        let mut params: Vec<Param<'_>> = vec![organization.as_bytes().into()];
        params.extend(ids.iter().map(|id| Param::from(id.as_bytes())));
        found.extend(reader.query_all(&sql, &params, read)?);
    }
    Ok(found)
}

/// Returns the account that has a name now.
pub(crate) fn by_name(reader: &Reader<'_>, organization: Uuid, name: &str) -> scim::Result<Option<Account>> {
    let sql = format!(
        "{COLUMNS} JOIN sign_in_name s ON s.org = a.org AND s.account = a.id WHERE s.org = ?1 AND s.name = ?2"
    );
    reader.query_one(
        &sql,
        &[organization.as_bytes().into(), (&name_key(name)).into()],
        read,
    )
}

/// Returns the accounts that have an address now, as addresses are compared. Those whose person was deleted have none.
pub(crate) fn by_address(
    reader: &Reader<'_>,
    organization: Uuid,
    address_key: &str,
    most: u32,
) -> scim::Result<Vec<Account>> {
    let sql = format!(
        "{COLUMNS} WHERE a.org = ?1 AND a.address_key = ?2 AND a.state <> 'removed'
           AND (a.row IS NOT NULL OR a.managed_by = 'hand') ORDER BY a.id LIMIT ?3"
    );
    reader.query_all(
        &sql,
        &[organization.as_bytes().into(), address_key.into(), most.into()],
        read,
    )
}

/// Returns the account of a person of SCIM, deleted ones too.
pub(crate) fn by_scim_id(
    reader: &Reader<'_>,
    organization: Uuid,
    scim_id: &str,
) -> scim::Result<Option<Account>> {
    let sql = format!(
        "{COLUMNS} JOIN binding b ON b.org = a.org AND b.account = a.id WHERE b.org = ?1 AND b.scim_id = ?2"
    );
    reader.query_one(&sql, &[organization.as_bytes().into(), scim_id.into()], read)
}

/// Returns the account of a deleted person who had this name and this identifier of the provider: the one that was deleted last.
pub(crate) fn former(
    reader: &Reader<'_>,
    organization: Uuid,
    name: &str,
    external_id: &str,
) -> scim::Result<Option<Account>> {
    if external_id.is_empty() {
        return Ok(None);
    }
    let sql = format!(
        "{COLUMNS} JOIN binding b ON b.org = a.org AND b.account = a.id
         WHERE a.org = ?1 AND a.name_key = ?2 AND a.managed_by = ?3 AND a.row IS NULL AND b.external_id = ?4
         ORDER BY b.until DESC, b.account DESC LIMIT 1"
    );
    let name = name_key(name);
    let params = [
        organization.as_bytes().into(),
        (&name).into(),
        ManagedBy::Scim.word().into(),
        external_id.into(),
    ];
    reader.query_one(&sql, &params, read)
}

/// Returns the accounts behind one of them, in the order of their ids: all of them, in whatever state.
pub(crate) fn behind(
    reader: &Reader<'_>,
    organization: Uuid,
    behind: Uuid,
    most: u32,
) -> scim::Result<Vec<Account>> {
    let sql = format!("{COLUMNS} WHERE a.org = ?1 AND a.id > ?2 ORDER BY a.id LIMIT ?3");
    let params = [
        organization.as_bytes().into(),
        behind.as_bytes().into(),
        most.into(),
    ];
    reader.query_all(&sql, &params, read)
}

/// Returns accounts behind one of them that are bound to people of SCIM, in the order of their ids: each with the id of
/// its person.
pub(crate) fn bound(
    reader: &Reader<'_>,
    organization: Uuid,
    behind: Uuid,
    most: u32,
) -> scim::Result<Vec<(Uuid, String)>> {
    reader.query_all(
        "SELECT a.id, b.scim_id FROM account a JOIN binding b ON b.org = a.org AND b.account = a.id AND b.until IS NULL
         WHERE a.org = ?1 AND a.id > ?2 AND a.row IS NOT NULL ORDER BY a.id LIMIT ?3",
        &[
            organization.as_bytes().into(),
            behind.as_bytes().into(),
            most.into(),
        ],
        |row| Ok((read_id(row.blob(0)?)?, row.text(1)?.to_owned())),
    )
}

/// Returns how many accounts are bound to people of SCIM.
pub(crate) fn count_bound(reader: &Reader<'_>, organization: Uuid) -> scim::Result<u64> {
    let sql = "SELECT count(*) FROM account WHERE org = ?1 AND row IS NOT NULL";
    super::count(reader, sql, &[organization.as_bytes().into()])
}

/// Returns how many people of the identity provider are active.
pub(crate) fn count_attached(reader: &Reader<'_>, organization: Uuid) -> scim::Result<u64> {
    let sql = format!(
        "SELECT count(*) FROM account WHERE org = ?1 AND row IS NOT NULL AND managed_by = '{}' AND state = '{}'",
        ManagedBy::Scim.word(),
        AccountState::Active.word()
    );
    super::count(reader, &sql, &[organization.as_bytes().into()])
}

/// Returns how many accounts there are, but for those that are removed.
pub(crate) fn count_all(reader: &Reader<'_>, organization: Uuid) -> scim::Result<u64> {
    let sql = format!(
        "SELECT count(*) FROM account WHERE org = ?1 AND state <> '{}'",
        AccountState::Removed.word()
    );
    super::count(reader, &sql, &[organization.as_bytes().into()])
}

/// Returns the account of this name that was removed last: nobody has the name by it any more.
pub(crate) fn removed(reader: &Reader<'_>, organization: Uuid, name: &str) -> scim::Result<Option<Account>> {
    let sql = format!(
        "{COLUMNS} WHERE a.org = ?1 AND a.name_key = ?2 AND a.state = 'removed' ORDER BY a.changed DESC, a.id DESC LIMIT 1"
    );
    reader.query_one(
        &sql,
        &[organization.as_bytes().into(), (&name_key(name)).into()],
        read,
    )
}

/// Which accounts a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Shown {
    /// In this state; in any but removed without it.
    pub(crate) state: Option<AccountState>,
    pub(crate) managed_by: Option<ManagedBy>,
    /// Only those whose sign-in is suspended.
    pub(crate) suspended: bool,
    /// Only people of the provider who have no role and are in no local group.
    pub(crate) unassigned: bool,
    /// Only people of the provider whom no request with the newest token has named.
    pub(crate) unconfirmed: bool,
    /// Only those who have this role now: who cannot sign in has none.
    pub(crate) role: Option<RoleId>,
}

/// Returns accounts in the order of their names.
pub(crate) fn list(
    reader: &Reader<'_>,
    members: &Members<'_>,
    shown: Shown,
    page: &Page<Uuid>,
) -> scim::Result<Vec<Account>> {
    let range = page.range(name_key);
    // Before the ids of all accounts.
    let behind = page.behind.as_ref().map_or(&[][..], |(_, id)| id.as_bytes());
    let sql = format!(
        "{COLUMNS} WHERE a.org = ?1 AND a.name_key >= ?4 AND a.name_key < ?5 AND (a.name_key, a.id) > (?6, ?7) AND {}
         ORDER BY a.name_key, a.id LIMIT ?8",
        condition(members, shown, "?9")
    );
    let mut params = members.params(&[
        (&range.from).into(),
        (&range.to).into(),
        (&range.behind).into(),
        behind.into(),
        page.size.into(),
    ]);
    params.extend(shown.role.as_ref().map(|role| Param::from(role.0.as_bytes())));
    reader.query_all(&sql, &params, read)
}

/// Returns how many accounts a list shows, up to `most`.
pub(crate) fn count(
    reader: &Reader<'_>,
    members: &Members<'_>,
    shown: Shown,
    most: u32,
) -> scim::Result<u64> {
    let sql = format!(
        "SELECT count(*) FROM (SELECT 1 FROM account a WHERE a.org = ?1 AND {} LIMIT ?4)",
        condition(members, shown, "?5")
    );
    let mut params = members.params(&[most.into()]);
    params.extend(shown.role.as_ref().map(|role| Param::from(role.0.as_bytes())));
    super::count(reader, &sql, &params)
}

/// Returns how many of the `walked` newest people of the provider are active, have no role and are in no local group: those who
/// wait are mostly the newest.
pub(crate) fn count_unassigned(reader: &Reader<'_>, members: &Members<'_>, walked: u32) -> scim::Result<u64> {
    let sql = format!(
        "SELECT count(*) FROM (SELECT 1 FROM (
             SELECT n.id, n.row, n.managed_by FROM account n
             WHERE n.org = ?1 AND n.managed_by = '{}' AND n.state = 'active' ORDER BY n.id DESC LIMIT ?4
         ) a WHERE NOT {} AND NOT {})",
        ManagedBy::Scim.word(),
        members.is_in_local_group(),
        members.holds(None, None)
    );
    super::count(reader, &sql, &members.params(&[walked.into()]))
}

/// Returns the people of a group of the provider behind one of them, in the order in which they were provisioned.
pub(crate) fn in_group(
    reader: &Reader<'_>,
    members: &Members<'_>,
    group: i64,
    behind: i64,
    most: u32,
) -> scim::Result<Vec<Account>> {
    let sql = format!(
        "{COLUMNS} JOIN scim_edge e ON e.dst = a.row
         WHERE a.org = ?1 AND e.tenant = ?2 AND e.src = ?4 AND e.attr = ?3 AND e.dst > ?5 ORDER BY e.dst LIMIT ?6"
    );
    let params = members.params(&[group.into(), behind.into(), most.into()]);
    reader.query_all(&sql, &params, read)
}

/// That no request with the newest token has named the person. Ids of tokens are in the order in which tokens were made.
const UNCONFIRMED: &str = " AND a.managed_by = 'scim' AND a.row IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM binding b WHERE b.org = ?1 AND b.account = a.id AND b.until IS NULL AND b.token >= (
        SELECT max(t.id) FROM token t WHERE t.org = ?1 AND t.purpose = 'scim' AND t.revoked IS NULL))";

/// Returns the condition on `a` that says which accounts are shown; `role` is the parameter with the role that they have.
pub(super) fn condition(members: &Members<'_>, shown: Shown, role: &str) -> String {
    let mut sql = match shown.state {
        Some(AccountState::Active) => "a.state = 'active'".to_owned(),
        // Said twice, as the index of those who are not active says it.
        Some(state) => format!("a.state = '{}' AND a.state <> 'active'", state.word()),
        None => format!("a.state <> '{}'", AccountState::Removed.word()),
    };
    if let Some(managed_by) = shown.managed_by {
        sql += &format!(" AND a.managed_by = '{}'", managed_by.word());
    }
    if shown.suspended {
        // Of any name: so that the index of those who are suspended serves a count, too.
        sql += " AND a.suspended IS NOT NULL AND a.name_key >= ''";
    }
    if shown.unconfirmed {
        sql += UNCONFIRMED;
    }
    if shown.role.is_some() {
        sql += &format!(
            " AND a.state = 'active' AND a.suspended IS NULL AND {}",
            members.holds(Some(role), None)
        );
    }
    if shown.unassigned {
        let scim = ManagedBy::Scim.word();
        sql += &format!(
            " AND a.managed_by = '{scim}' AND a.state = 'active' AND NOT {} AND NOT {}",
            members.is_in_local_group(),
            members.holds(None, None)
        );
    }
    sql
}

/// An account, as far as a list names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) display: String,
}

pub(super) fn read(row: &Row<'_>) -> scim::Result<Account> {
    let word = |column: usize| Ok::<_, scim::Error>(row.text(column)?.to_owned());
    let suspended = match row.optional_integer(6)? {
        None => None,
        Some(since) => Some(Suspension {
            since: read_time(since)?,
            reason: row.optional_text(7)?.unwrap_or_default().to_owned(),
            by: row.optional_text(8)?.unwrap_or_default().to_owned(),
        }),
    };
    Ok(Account {
        id: read_id(row.blob(0)?)?,
        managed_by: read_word(&word(1)?)?,
        name: word(2)?,
        display: word(3)?,
        address: row.optional_text(4)?.map(str::to_owned),
        state: read_word(&word(5)?)?,
        suspended,
        row: row.optional_integer(9)?,
        created: read_time(row.integer(10)?)?,
        changed: read_time(row.integer(11)?)?,
    })
}

/// Reads a choice as it is stored.
pub(super) fn read_word<K: Keyword>(word: &str) -> scim::Result<K> {
    K::from_word(word).ok_or_else(|| scim::Error::internal(format!("{word:?} is stored and not known")))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;
    use scim::store::database::{Database, Options};

    use super::*;
    use crate::database::{bindings, migrations};
    use crate::domain::account::Person;
    use crate::domain::adoption::{Former, comes_back};
    use crate::domain::settings::FirstLogin;
    use crate::domain::settings::OnDelete;

    const ORGANIZATION: Uuid = Uuid::from_u128(1);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn person(name: &str) -> Person {
        Person {
            name: name.to_owned(),
            display: name.to_owned(),
            address: None,
            active: None,
        }
    }

    /// How an account was deleted, if it was; its name, its identifier, and when.
    type Drawn = (Option<OnDelete>, &'static str, Option<&'static str>, i64);

    fn drawn() -> impl Strategy<Value = Drawn> {
        let how = select(&[None, Some(OnDelete::Remove), Some(OnDelete::Deactivate)][..]);
        let name = select(&["ada@x.example", "Ada@X.example", "eve@x.example"][..]);
        let external_id = select(&[None, Some(""), Some("7"), Some("8")][..]);
        (how, name, external_id, 1_i64..4)
    }

    proptest! {
        /// Feature row 47: the statement finds the account that comes back by the rules, whatever there was before.
        #[test]
        fn the_account_that_comes_back_is_the_one_of_the_rules(
            drawn in vec(drawn(), 0..6), name in select(&["ada@x.example", "EVE@x.example"][..]),
            external_id in select(&["", "7", "8"][..]),
        ) {
            let database = Database::in_memory(Options::default()).unwrap();
            database.blocking_write(|tx| migrations::run(tx, at(0))).unwrap().unwrap();
            let accounts: Vec<Account> = (1..).zip(&drawn).map(|(number, (how, name, _, until))| {
                let row = i64::try_from(number).unwrap();
                let account = Account::provisioned(Uuid::from_u128(number), row, person(name), at(0));
                how.map_or(account.clone(), |how| account.deleted(how, at(*until)))
            }).collect();
            let written: Vec<_> = accounts.iter().cloned().zip(drawn.clone()).collect();
            let found = database.blocking_write(move |tx| {
                for (account, (how, _, external_id, until)) in &written {
                    insert(tx, ORGANIZATION, account, Entry::of_carried_over(account, FirstLogin::Invitation))?;
                    let scim_id = account.id.to_string();
                    bindings::insert(tx, ORGANIZATION, ORGANIZATION, &scim_id, *external_id, account.id, at(0))?;
                    if how.is_some() {
                        bindings::end(tx, ORGANIZATION, &scim_id, at(*until))?;
                    }
                }
                former(tx, ORGANIZATION, name, external_id)
            });
            let known: Vec<_> = accounts.iter().zip(&drawn).map(|(account, (_, _, external_id, until))| Former {
                account,
                external_id: *external_id,
                until: at(*until),
            }).collect();
            let expected = comes_back(&known, &person(name), Some(external_id));
            prop_assert_eq!(found.unwrap().map(|account| account.id), expected);
        }
    }
}
