//! The accounts that an assertion may be about.

use scim::store::database::Reader;
use uuid::Uuid;

use super::confirmations;
use crate::database::{accounts, bindings};
use crate::domain::email;
use crate::domain::saml::person::Candidate;

/// More of one address make no difference.
const MOST: u32 = 3;

/// Returns the accounts that have an address now.
pub(crate) fn of_address(
    reader: &Reader<'_>,
    organization: Uuid,
    address: &str,
) -> scim::Result<Vec<Candidate>> {
    let found = accounts::by_address(reader, organization, &email::key(address), MOST)?;
    let candidate = |account: crate::domain::account::Account| {
        let present = bindings::of_account(reader, organization, account.id)?
            .into_iter()
            .find(|binding| binding.until.is_none());
        Ok(Candidate {
            external_id: present.and_then(|binding| binding.external_id),
            confirmed: confirmations::find(reader, organization, account.id)?,
            account,
        })
    };
    found.into_iter().map(candidate).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;
    use scim::store::database::{Database, Options, Transaction};

    use super::*;
    use crate::database::migrations;
    use crate::domain::account::Account;
    use crate::domain::entry::Entry;
    use crate::domain::saml::person::find;
    use crate::domain::saml::person::tests::{Directory, Step, people, steps, told};
    use crate::domain::settings::{FirstLogin, OnDelete};

    const ORGANIZATION: Uuid = Uuid::from_u128(77);

    fn database() -> Database {
        let options = Options {
            portable: true,
            ..Options::default()
        };
        let database = Database::in_memory(options).unwrap();
        let made = database.blocking_write(|tx| migrations::run(tx, Timestamp::UNIX_EPOCH));
        made.unwrap().unwrap();
        database
    }

    fn insert(tx: &Transaction<'_>, organization: Uuid, candidate: &Candidate) -> scim::Result<()> {
        let account = &candidate.account;
        let entry = Entry::of_carried_over(account, FirstLogin::Saml);
        accounts::insert(tx, organization, account, entry)?;
        let (scim_id, external_id) = (account.id.to_string(), candidate.external_id.as_deref());
        let now = Timestamp::UNIX_EPOCH;
        bindings::insert(
            tx,
            organization,
            organization,
            &scim_id,
            external_id,
            account.id,
            now,
        )
    }

    fn update(database: &Database, before: &Account, after: &Account) {
        let (before, after) = (before.clone(), after.clone());
        database
            .blocking_write(move |tx| accounts::update(tx, ORGANIZATION, &before, &after))
            .unwrap();
    }

    fn of(database: &Database, address: &'static str) -> Vec<Candidate> {
        database
            .blocking_read(move |reader| of_address(reader, ORGANIZATION, address))
            .unwrap()
    }

    /// Feature rows 21, 23b: the accounts of an address are those that have it now, in this organization.
    #[test]
    fn whoever_has_an_address_now_is_found() {
        let database = database();
        let known = people();
        let (all, other) = (known.clone(), Uuid::from_u128(78));
        database
            .blocking_write(move |tx| {
                all.iter().try_for_each(|one| insert(tx, ORGANIZATION, one))?;
                insert(tx, other, &told(&all[2], "a@x.example"))
            })
            .unwrap();
        assert_eq!(of(&database, " A@X.example "), known[..1]);
        assert_eq!(of(&database, "nobody@x.example"), []);
        let gone = known[0]
            .account
            .deleted(OnDelete::Deactivate, Timestamp::UNIX_EPOCH);
        update(&database, &known[0].account, &gone);
        assert_eq!(of(&database, "a@x.example"), []);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Feature row 23b: on a database, whatever addresses pass from person to person and however late SCIM tells of it, the
        /// rules come to the same as on a picture of it: with the stable id, nobody is somebody else.
        #[test]
        fn statements_find_whom_the_rules_find(steps in steps()) {
            let database = database();
            let (mut directory, mut known) = (Directory::new(), people());
            let all = known.clone();
            database
                .blocking_write(move |tx| all.iter().try_for_each(|one| insert(tx, ORGANIZATION, one)))
                .unwrap();
            for step in steps {
                match step {
                    Step::Rename { person, address } => directory.rename(person, address),
                    Step::Tell(person) => {
                        let after = told(&known[person], directory.address(person));
                        update(&database, &known[person].account, &after.account);
                        known[person] = after;
                    }
                    Step::SignIn(person) => {
                        let assertion = directory.assertion(person);
                        let stored = of(&database, directory.address(person));
                        let found = find(&assertion, &stored).map(|account| account.id);
                        let expected = find(&assertion, &known).map(|account| account.id);
                        prop_assert_eq!(found, expected);
                        if let Ok(id) = found {
                            prop_assert_eq!(id.as_u128(), person as u128);
                        }
                    }
                }
            }
        }
    }
}
