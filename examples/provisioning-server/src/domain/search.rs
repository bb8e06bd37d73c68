//! The search for people by the beginning of what they are called: the name under which somebody signs in, the display name,
//! the family name or the address.

use super::account::{Account, name_key};
use super::email;

/// The keys by which a search finds an account beside those of its name and its address. A key that says no more than these
/// is left out, so that hardly an account has more than two.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SearchKeys {
    /// That of the display name.
    pub(crate) display: Option<String>,
    /// That of the last word of the display name, which is the family name of most people.
    pub(crate) family: Option<String>,
    /// That of the address, where names and addresses are not compared alike.
    pub(crate) address: Option<String>,
}

impl SearchKeys {
    /// Returns the keys of an account.
    pub(crate) fn of(account: &Account) -> Self {
        let name = account.name_key();
        let display = called(&account.display);
        let last_word = display.rsplit_once(' ').map(|(_, word)| word.to_owned());
        let address = account.address.as_deref();
        let of_address = address.map(|address| (name_key(address), email::key(address)));
        Self {
            family: last_word,
            display: Some(display).filter(|display| *display != name || display.contains(' ')),
            address: of_address
                .filter(|(folded, key)| folded != key && *folded != name)
                .map(|(folded, _)| folded),
        }
    }
}

/// The text that is searched for, as it is compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sought {
    /// The beginning of a name or an address.
    pub(crate) name: String,
    /// The beginning of a display name or a family name.
    pub(crate) called: String,
}

impl Sought {
    /// Returns a text as it is compared.
    pub(crate) fn new(text: &str) -> Self {
        Self {
            name: name_key(text),
            called: called(text),
        }
    }

    /// Returns whether nothing is searched for: everybody is called so.
    pub(crate) fn is_empty(&self) -> bool {
        self.name.is_empty()
    }
}

/// Returns the form in which display names are compared: as names are, and with one space between two words.
fn called(text: &str) -> String {
    let key = name_key(text);
    key.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
pub(crate) mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::domain::account::Person;

    /// Returns whether a search finds an account: the rule to which statements are held.
    pub(crate) fn finds(sought: &Sought, account: &Account) -> bool {
        let display = called(&account.display);
        let last_word = display.rsplit(' ').next().unwrap_or_default();
        let address = account.address.as_deref();
        account.name_key().starts_with(&sought.name)
            || display.starts_with(&sought.called)
            || last_word.starts_with(&sought.called)
            || address.is_some_and(|address| {
                name_key(address).starts_with(&sought.name) || email::key(address).starts_with(&sought.name)
            })
    }

    pub(crate) fn account(name: &str, display: &str, address: Option<&str>) -> Account {
        let person = Person {
            name: name.to_owned(),
            display: display.to_owned(),
            address: address.map(str::to_owned),
            active: None,
        };
        Account::provisioned(Uuid::from_u128(1), 7, person, Timestamp::UNIX_EPOCH)
    }

    /// Feature row 50: somebody is found by the beginning of everything that they are called, in any case and Unicode form.
    #[test]
    fn somebody_is_found_as_people_call_them() {
        let ada = account("alove", "Ada  King LOVELACE", Some("Ada.Lovelace@x.example"));
        for text in [
            "alo", "ADA", "ada king", "ada  k", "lovel", "Lovelace", "ada.l", " ada ",
        ] {
            assert!(finds(&Sought::new(text), &ada), "{text:?}");
        }
        for text in ["king", "ovelace", "x.example", "adam", "lovelace ada"] {
            assert!(!finds(&Sought::new(text), &ada), "{text:?}");
        }
        let zoe = account("zoe", "Ame\u{301}lie ÖZ", Some("ÖZ@x.example"));
        for text in ["amélie", "AMÉ", "ö", "o\u{308}z", "Öz@"] {
            assert!(finds(&Sought::new(text), &zoe), "{text:?}");
        }
    }

    /// Feature row 50: a person whom a provider sends as most do has two keys beside the name and the address.
    #[test]
    fn hardly_an_account_has_more_than_two_keys() {
        let keys = |name, display, address| {
            let keys = SearchKeys::of(&account(name, display, address));
            [keys.display, keys.family, keys.address]
                .into_iter()
                .flatten()
                .count()
        };
        assert_eq!(keys("ada@x.example", "Ada Lovelace", Some("ada@x.example")), 2);
        assert_eq!(keys("alove", "Ada Lovelace", Some("Ada@x.example")), 2);
        assert_eq!(keys("ada@x.example", "ada@x.example", Some("ada@x.example")), 0);
        assert_eq!(keys("ada@x.example", "Ada", None), 1);
        assert_eq!(keys("alove", "Ada Lovelace", Some("ÅDA@x.example")), 3);
    }
}
