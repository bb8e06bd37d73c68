//! Columns of the table `account` by which people are searched for.

use scim::Result;
use scim::store::database::{Reader, Transaction};
use uuid::Uuid;

use super::{accounts, read_id};
use crate::domain::account::Account;
use crate::domain::search::SearchKeys;

/// How many accounts are looked at by one statement.
const STEP: u32 = 500;

/// Writes the keys of all accounts that have others than they must: a version before made none.
pub(super) fn renew(tx: &Transaction<'_>) -> Result<()> {
    for_each_wrong(tx, |organization, account| {
        let keys = SearchKeys::of(account);
        tx.execute(
            "UPDATE account SET display_key = ?3, family_key = ?4, address_name = ?5 WHERE org = ?1 AND id = ?2",
            &[
                organization.as_bytes().into(),
                account.id.as_bytes().into(),
                keys.display.as_ref().into(),
                keys.family.as_ref().into(),
                keys.address.as_ref().into(),
            ],
        )?;
        Ok(())
    })
}

/// Counts the accounts that a search does not find by what they are called.
pub(super) fn count_wrong(reader: &Reader<'_>) -> Result<u64> {
    let mut count = 0;
    for_each_wrong(reader, |_, _| {
        count += 1;
        Ok(())
    })?;
    Ok(count)
}

/// Visits the accounts of all organizations that have other keys than they must.
fn for_each_wrong(reader: &Reader<'_>, mut visit: impl FnMut(Uuid, &Account) -> Result<()>) -> Result<()> {
    let sql = "SELECT id FROM organization ORDER BY id";
    for organization in reader.query_all(sql, &[], |row| read_id(row.blob(0)?))? {
        let mut behind = Uuid::nil();
        loop {
            let accounts = accounts::behind(reader, organization, behind, STEP)?;
            let Some(last) = accounts.last() else { break };
            let kept = kept(reader, organization, behind)?;
            for (account, kept) in accounts.iter().zip(&kept) {
                if SearchKeys::of(account) != *kept {
                    visit(organization, account)?;
                }
            }
            behind = last.id;
        }
    }
    Ok(())
}

/// Returns the keys of the accounts behind one of them, in the order of their ids.
fn kept(reader: &Reader<'_>, organization: Uuid, behind: Uuid) -> Result<Vec<SearchKeys>> {
    reader.query_all(
        "SELECT display_key, family_key, address_name FROM account
         WHERE org = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
        &[
            organization.as_bytes().into(),
            behind.as_bytes().into(),
            STEP.into(),
        ],
        |row| {
            Ok(SearchKeys {
                display: row.optional_text(0)?.map(str::to_owned),
                family: row.optional_text(1)?.map(str::to_owned),
                address: row.optional_text(2)?.map(str::to_owned),
            })
        },
    )
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use scim::store::database::{Database, Options};

    use super::*;
    use crate::database::migrations;
    use crate::domain::entry::Entry;
    use crate::domain::organization::{Name, Organization};
    use crate::domain::search::tests::account;
    use crate::domain::settings::{FirstLogin, Settings};

    /// Feature row 50: accounts of a version before, which made no keys, are found after they were brought up to date; and a
    /// check tells of those that are not.
    #[test]
    fn accounts_without_keys_get_them() {
        let database = Database::in_memory(Options::default()).unwrap();
        let counts = database.blocking_write(|tx| {
            let now = Timestamp::UNIX_EPOCH;
            migrations::run(tx, now)?.unwrap();
            let name = Name::parse("acme").unwrap();
            let organization =
                Organization::new(Uuid::from_u128(7), name, None, Settings::default(), now).unwrap();
            crate::database::organizations::insert(tx, &organization)?;
            for number in 1..=2 * i64::from(STEP) + 3 {
                let id = Uuid::from_u128(u128::try_from(number).unwrap());
                let made = Account {
                    id,
                    row: Some(number),
                    ..account(&format!("p{number}"), "Ada LÖVELACE", Some("ÄDA@x.example"))
                };
                let entry = Entry::of_carried_over(&made, FirstLogin::Invitation);
                accounts::insert(tx, organization.id, &made, entry)?;
            }
            let before = count_wrong(tx)?;
            tx.execute(
                "UPDATE account SET display_key = NULL, family_key = 'x', address_name = NULL",
                &[],
            )?;
            let between = count_wrong(tx)?;
            renew(tx)?;
            Ok([before, between, count_wrong(tx)?])
        });
        assert_eq!(counts.unwrap(), [0, 2 * u64::from(STEP) + 3, 0]);
    }
}
