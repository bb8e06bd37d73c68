//! The people whom a list shows: by name, or those whom a search or a role leads to.

use std::collections::BTreeSet;

use scim::store::database::{Param, Reader};
use uuid::Uuid;

use super::accounts::{self, Shown, condition};
use super::effective::Members;
use super::page::Page;
use super::read_id;
use crate::domain::account::{Account, AccountState, ManagedBy, name_key};
use crate::domain::keyword::Keyword;
use crate::domain::search::Sought;

/// The most people whom a search goes through by one index. If there are more, it shows the first of those.
const WALKED: u32 = 2_000;

/// The indexes by the beginning of whose keys somebody is found, and whether they are keys of a name or of what somebody
/// is called.
const INDEXES: [(&str, Range); 5] = [
    ("name_key", Range::Name),
    ("address_key", Range::Name),
    ("address_name", Range::Name),
    ("display_key", Range::Called),
    ("family_key", Range::Called),
];

/// The parameters of a beginning: the least key that has it, and the least behind all that have.
#[derive(Debug, Clone, Copy)]
enum Range {
    Name,
    Called,
}

impl Range {
    const fn parameters(self) -> (&'static str, &'static str) {
        match self {
            Self::Name => ("?5", "?6"),
            Self::Called => ("?7", "?8"),
        }
    }

    /// Returns the condition that a column begins so.
    fn of(self, column: &str) -> String {
        let (from, to) = self.parameters();
        format!("{column} >= {from} AND {column} < {to}")
    }
}

/// A page of people in the order of their names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    pub(crate) accounts: Vec<Account>,
    /// Whether others follow.
    pub(crate) has_more: bool,
    /// How many there are on all pages.
    pub(crate) count: u64,
    /// Whether there are at least so many, and nobody has counted further.
    pub(crate) is_least: bool,
    /// Whether only the first page of those who were found can be shown, because they are too many to be put in order.
    pub(crate) is_cut: bool,
}

/// Finds people, with their number up to `counted`.
pub(crate) fn people(
    reader: &Reader<'_>,
    members: &Members<'_>,
    shown: Shown,
    page: &Page<Uuid>,
    counted: u32,
) -> scim::Result<Found> {
    let search = Search {
        reader,
        members,
        shown,
        sought: Sought::new(&page.prefix),
    };
    match search.gathered()? {
        Some(gathered) => gathered.page(reader, members.organization(), page),
        None => by_name(reader, members, shown, page, counted),
    }
}

/// Returns a page of a walk through the names.
fn by_name(
    reader: &Reader<'_>,
    members: &Members<'_>,
    shown: Shown,
    page: &Page<Uuid>,
    counted: u32,
) -> scim::Result<Found> {
    let mut accounts = accounts::list(reader, members, shown, &page.with_one_more())?;
    let has_more = page.cut(&mut accounts);
    // Those who have a role that many have are not counted one by one.
    let most = shown.role.map_or(counted, |_| WALKED);
    let count = accounts::count(reader, members, shown, most)?;
    Ok(Found {
        accounts,
        has_more,
        count,
        is_least: count >= u64::from(most),
        is_cut: false,
    })
}

/// A search that is under way.
struct Search<'s> {
    reader: &'s Reader<'s>,
    members: &'s Members<'s>,
    shown: Shown,
    sought: Sought,
}

/// People whom a search has found: the keys of their names, and their ids.
#[derive(Default)]
struct Gathered {
    people: BTreeSet<(String, Uuid)>,
    /// Whether there were more than the search goes through.
    is_cut: bool,
}

impl Search<'_> {
    /// Gathers those who are found; none where a walk through the names finds them at less cost.
    fn gathered(&self) -> scim::Result<Option<Gathered>> {
        let by_text = match self.sought.is_empty() {
            true => None,
            false => Some(self.gather(&by_text())?),
        };
        if by_text.as_ref().is_some_and(|found| !found.is_cut) {
            return Ok(by_text);
        }
        let Some(ways) = self.by_filter() else {
            return Ok(by_text);
        };
        let by_filter = self.gather(&ways)?;
        Ok(match by_filter.is_cut {
            true => by_text,
            false => Some(by_filter),
        })
    }

    /// Returns the ways to those whom a filter shows, if an index has them: those who have a role, and those who are exceptions.
    fn by_filter(&self) -> Option<Vec<String>> {
        if self.shown.role.is_some() {
            return Some(self.members.holders("a.id AS id"));
        }
        if self.sought.is_empty() {
            return None;
        }
        let exception = match self.shown {
            Shown { suspended: true, .. } => "n.suspended IS NOT NULL".to_owned(),
            Shown {
                managed_by: Some(ManagedBy::Hand),
                ..
            } => "n.managed_by = 'hand'".to_owned(),
            Shown {
                state: Some(state @ (AccountState::Disabled | AccountState::Removed)),
                ..
            } => format!("n.state = '{}' AND n.state <> 'active'", state.word()),
            _ => return None,
        };
        Some(vec![format!(
            "SELECT n.id FROM account n WHERE n.org = ?1 AND n.name_key >= '' AND {exception} ORDER BY n.name_key, n.id"
        )])
    }

    /// Goes through the people of some ways, and gathers those whom the list shows.
    fn gather(&self, ways: &[String]) -> scim::Result<Gathered> {
        let mut gathered = Gathered::default();
        let (name, called) = (&self.sought.name, &self.sought.called);
        let ends = [name, called].map(|from| format!("{from}\u{10ffff}"));
        let [end_of_names, end_of_called] = &ends;
        let role = self
            .shown
            .role
            .as_ref()
            .map(|role| Param::from(role.0.as_bytes()));
        let params = self.members.params(&[
            role.unwrap_or(Param::Null),
            name.into(),
            end_of_names.into(),
            called.into(),
            end_of_called.into(),
            WALKED.saturating_add(1).into(),
        ]);
        for way in ways {
            let sql = format!(
                "SELECT a.id, a.name_key, CASE WHEN {} AND ({}) THEN 1 ELSE 0 END
                 FROM ({way} LIMIT ?9) w CROSS JOIN account a WHERE a.org = ?1 AND a.id = w.id",
                condition(self.members, self.shown, "?4"),
                is_called()
            );
            let mut walked = 0;
            self.reader.query(&sql, &params, |row| {
                walked += 1;
                if row.integer(2)? == 1 {
                    gathered
                        .people
                        .insert((row.text(1)?.to_owned(), read_id(row.blob(0)?)?));
                }
                Ok(())
            })?;
            gathered.is_cut |= walked > WALKED;
        }
        Ok(gathered)
    }
}

/// Returns the ways to those who are called so, one for each index.
fn by_text() -> Vec<String> {
    let way = |(column, range): (&str, Range)| {
        let is_so = range.of(&format!("n.{column}"));
        format!("SELECT n.id FROM account n WHERE n.org = ?1 AND {is_so} ORDER BY n.{column}")
    };
    INDEXES.into_iter().map(way).collect()
}

/// Returns the condition that the account `a` is called so.
fn is_called() -> String {
    let conditions = INDEXES.map(|(column, range)| range.of(&format!("a.{column}")));
    conditions.join(" OR ")
}

impl Gathered {
    fn page(self, reader: &Reader<'_>, organization: Uuid, page: &Page<Uuid>) -> scim::Result<Found> {
        let behind = page.behind.as_ref().filter(|_| !self.is_cut);
        let behind = behind.map(|(name, id)| (name_key(name), *id));
        let count = u64::try_from(self.people.len()).unwrap_or(u64::MAX);
        let is_behind = |place: &(String, Uuid)| behind.as_ref().is_none_or(|behind| place > behind);
        let size = usize::try_from(page.with_one_more().size).unwrap_or(usize::MAX);
        let mut places: Vec<_> = self.people.into_iter().filter(is_behind).take(size).collect();
        let has_more = page.cut(&mut places);
        let ids: Vec<_> = places.iter().map(|(_, id)| *id).collect();
        let mut accounts = accounts::by_ids(reader, organization, &ids)?;
        accounts.sort_by_cached_key(|account| (account.name_key(), account.id));
        Ok(Found {
            accounts,
            has_more: has_more && !self.is_cut,
            count,
            is_least: self.is_cut,
            is_cut: self.is_cut,
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;
    use scim::store::database::{Database, Options, Transaction};

    use super::*;
    use crate::database::{migrations, organizations};
    use crate::domain::entry::Entry;
    use crate::domain::organization::{Name, Organization};
    use crate::domain::search::tests::{account, finds};
    use crate::domain::settings::{FirstLogin, Settings};

    fn organization() -> Organization {
        let name = Name::parse("acme").unwrap();
        Organization::new(
            Uuid::from_u128(7),
            name,
            None,
            Settings::default(),
            Timestamp::UNIX_EPOCH,
        )
        .unwrap()
    }

    /// Makes a database with these accounts, of which the store knows no groups.
    fn database(accounts: Vec<Account>) -> Database {
        let options = Options {
            portable: true,
            ..Options::default()
        };
        let database = Database::in_memory(options).unwrap();
        let store = scim::store::documents::DocumentStore::on(database.clone())
            .resource::<crate::domain::user::User>()
            .resource::<scim::resources::Group>()
            .link(
                scim::resources::Group::paths().members(),
                crate::domain::user::User::paths().groups(),
            );
        let written = database.blocking_write(move |tx| {
            migrations::run(tx, Timestamp::UNIX_EPOCH)?.unwrap();
            organizations::insert(tx, &organization())?;
            accounts.iter().try_for_each(|account| write(tx, account))
        });
        written.unwrap();
        let store: scim::store::documents::DocumentStore<String> = store.build().unwrap();
        drop(store);
        database
    }

    fn write(tx: &Transaction<'_>, account: &Account) -> scim::Result<()> {
        let entry = Entry::of_carried_over(account, FirstLogin::Invitation);
        accounts::insert(tx, organization().id, account, entry)?;
        accounts::update(tx, organization().id, account, account)
    }

    /// Returns everybody whom a list shows, page by page.
    fn all(database: &Database, shown: Shown, text: &str, size: u32) -> (Vec<Uuid>, Found) {
        let text = text.to_owned();
        let listed = database.blocking_read(move |reader| {
            let organization = organization();
            let members = Members::of(reader, &organization)?;
            let mut page = Page {
                prefix: text.clone(),
                behind: None,
                size,
            };
            let mut ids = Vec::new();
            loop {
                let found = people(reader, &members, shown, &page, 10_000)?;
                ids.extend(found.accounts.iter().map(|account| account.id));
                match found.accounts.last().filter(|_| found.has_more) {
                    Some(last) => page.behind = Some((last.name.clone(), last.id)),
                    None => return Ok((ids, found)),
                }
            }
        });
        listed.unwrap()
    }

    /// Draws somebody with one of a few names, so that searches meet several.
    fn drawn() -> impl Strategy<Value = Account> {
        let name = select(&["ada", "ADAM", "b.king", "bob@x.example", "ÅSE", "zoe lee"][..]);
        let display = select(&["Ada King", "ada", "Bo  KING", "a\u{30a}sa Öz", "Zoe", "King Adam"][..]);
        let address = select(
            &[
                None,
                Some("Ada@x.example"),
                Some("ÅSE@x.example"),
                Some("king@x.example"),
            ][..],
        );
        let state = select(AccountState::ALL);
        (
            name,
            display,
            address,
            state,
            select(ManagedBy::ALL),
            any::<bool>(),
        )
            .prop_map(|(name, display, address, state, managed_by, suspended)| {
                let drawn = account(name, display, address);
                let drawn = match suspended {
                    true => drawn.suspend("x", "y", Timestamp::UNIX_EPOCH).unwrap(),
                    false => drawn,
                };
                Account {
                    state,
                    managed_by,
                    ..drawn
                }
            })
    }

    fn shown() -> impl Strategy<Value = Shown> {
        let state = proptest::option::of(select(AccountState::ALL));
        let managed_by = proptest::option::of(select(ManagedBy::ALL));
        (state, managed_by, any::<bool>()).prop_map(|(state, managed_by, suspended)| Shown {
            state,
            managed_by,
            suspended,
            ..Shown::default()
        })
    }

    fn is_shown(shown: Shown, account: &Account) -> bool {
        let is_in_state = match shown.state {
            Some(state) => account.state == state,
            None => account.state != AccountState::Removed,
        };
        is_in_state
            && shown.managed_by.is_none_or(|side| account.managed_by == side)
            && (!shown.suspended || account.suspended.is_some())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        /// Feature rows 50, 108: a search finds those whom the rule names, together with every other filter, each once, in the
        /// order of names, however long the pages are; and it counts them.
        #[test]
        fn a_search_finds_whom_the_rule_names(
            drawn in vec(drawn(), 0..12), shown in shown(), size in 1_u32..5,
            text in select(&["", "a", "AD", "ada", "king", "k", "å", "a\u{30a}s", "ÖZ", "zoe ", "bo k", "zz"][..]),
        ) {
            let accounts: Vec<Account> = (1..).zip(drawn).map(|(number, account)| Account {
                id: Uuid::from_u128(number),
                row: None,
                ..account
            }).collect();
            let database = database(accounts.clone());
            let sought = Sought::new(text);
            let mut expected: Vec<_> = accounts.iter()
                .filter(|account| is_shown(shown, account) && finds(&sought, account))
                .map(|account| (account.name_key(), account.id)).collect();
            expected.sort();
            let (ids, last) = all(&database, shown, text, size);
            prop_assert_eq!(last.count, u64::try_from(expected.len()).unwrap());
            prop_assert_eq!(ids, expected.into_iter().map(|(_, id)| id).collect::<Vec<_>>());
            prop_assert!(!last.is_cut && !last.is_least);
        }
    }

    /// Feature row 108: where more are called so than a search goes through, it says so, and shows the first; with more letters,
    /// and among those who are an exception, everybody is found.
    #[test]
    fn too_many_are_not_put_in_order() {
        let many = i64::from(WALKED) + 5;
        let accounts = (1..=many).map(|number| {
            let id = Uuid::from_u128(u128::try_from(number).unwrap());
            let person = account(&format!("user{number:05}"), "Ada Lovelace", None);
            let person = match number == many {
                true => person.suspend("x", "y", Timestamp::UNIX_EPOCH).unwrap(),
                false => person,
            };
            Account {
                id,
                row: Some(number),
                ..person
            }
        });
        let database = database(accounts.collect());
        let (ids, found) = all(&database, Shown::default(), "lovel", 50);
        assert_eq!(ids.len(), 50);
        assert!(found.is_cut && found.is_least && !found.has_more);
        assert_eq!(found.count, u64::from(WALKED) + 1);
        let (ids, found) = all(&database, Shown::default(), "user0200", 50);
        assert_eq!((ids.len(), found.is_cut), (6, false));
        let suspended = Shown {
            suspended: true,
            ..Shown::default()
        };
        let (ids, found) = all(&database, suspended, "ada", 50);
        assert_eq!((ids.len(), found.is_cut, found.count), (1, false, 1));
    }
}
