//! The person whom an assertion is about.
//!
//! Addresses pass from one person to another, and SCIM may tell of it late. So an address alone decides only where the
//! provider sends nothing better: a stable id has to be the `externalId` of whoever has the address now. Nothing is ever
//! bound to an address.

use super::assertion::Assertion;
use super::refusal::Refusal;
use crate::domain::account::{Account, ManagedBy};
use crate::domain::email;

/// An account that may be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) account: Account,
    /// The identifier that the identity provider has for the person now.
    pub(crate) external_id: Option<String>,
    /// That the person of a manual account has once confirmed, with its own credentials, that this is they.
    pub(crate) confirmed: Option<Confirmation>,
}

/// The confirmation of a manual account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Confirmation {
    /// The address that was asserted, as addresses are compared.
    pub(crate) address_key: String,
    /// The stable id that was asserted, if there was one.
    pub(crate) stable_id: Option<String>,
}

/// Returns the account that an assertion is about, as whose person whoever brings it is signed in.
pub(crate) fn find<'c>(assertion: &Assertion, candidates: &'c [Candidate]) -> Result<&'c Account, Refusal> {
    let found = only(assertion, candidates)?;
    match found.account.managed_by {
        ManagedBy::Scim => demand_same_id(assertion, found.external_id.as_deref())?,
        ManagedBy::Hand => {
            let key = email::key(&assertion.name_id);
            let confirmed = found
                .confirmed
                .as_ref()
                .filter(|confirmed| confirmed.address_key == key);
            let confirmed = confirmed.ok_or(Refusal::Unconfirmed)?;
            demand_same_id(assertion, confirmed.stable_id.as_deref())?;
        }
    }
    demand_access(found)
}

/// Returns the account whose person an assertion is about who proves it by other means: with its own credentials, for a manual
/// account that is to sign in so from now on, or as an administrator who tries whether it works.
pub(crate) fn find_unconfirmed<'c>(
    assertion: &Assertion,
    candidates: &'c [Candidate],
) -> Result<&'c Account, Refusal> {
    match find(assertion, candidates) {
        Err(Refusal::Unconfirmed) => demand_access(only(assertion, candidates)?),
        found => found,
    }
}

/// Returns the one account that has the address now.
fn only<'c>(assertion: &Assertion, candidates: &'c [Candidate]) -> Result<&'c Candidate, Refusal> {
    let key = email::key(&assertion.name_id);
    let has_address = |candidate: &&Candidate| {
        let address = candidate.account.address.as_deref();
        !candidate.account.is_deleted() && address.is_some_and(|address| email::key(address) == key)
    };
    let mut found = candidates.iter().filter(has_address);
    match (found.next(), found.next()) {
        (None, _) => Err(Refusal::Nobody),
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => Err(Refusal::Several),
    }
}

fn demand_same_id(assertion: &Assertion, known: Option<&str>) -> Result<(), Refusal> {
    match &assertion.stable_id {
        Some(stated) if known != Some(stated) => Err(Refusal::OtherPerson),
        _ => Ok(()),
    }
}

fn demand_access(found: &Candidate) -> Result<&Account, Refusal> {
    match found.account.has_access() {
        true => Ok(&found.account),
        false => Err(Refusal::NoAccess),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::domain::account::{AccountState, Person, Suspension};
    use crate::domain::settings::{OnDelete, UserNames};

    fn at() -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    pub(crate) fn assertion(address: &str, stable_id: Option<&str>) -> Assertion {
        Assertion {
            name_id: address.to_owned(),
            name_id_format: String::new(),
            stable_id: stable_id.map(str::to_owned),
            id: "_1".to_owned(),
            in_response_to: None,
            not_on_or_after: at(),
            session_index: None,
        }
    }

    fn person(address: &str) -> Person {
        Person {
            name: address.to_owned(),
            display: address.to_owned(),
            address: Some(address.to_owned()),
            active: Some(true),
        }
    }

    fn of_scim(number: u128, address: &str) -> Candidate {
        Candidate {
            account: Account::provisioned(Uuid::from_u128(number), number as i64, person(address), at()),
            external_id: Some(format!("x-{number}")),
            confirmed: None,
        }
    }

    fn by_hand(number: u128, address: &str) -> Candidate {
        let account = Account::by_hand(Uuid::from_u128(number), address, None, UserNames::Email, at());
        Candidate {
            account: account.unwrap(),
            external_id: None,
            confirmed: None,
        }
    }

    fn found(assertion: &Assertion, candidates: &[Candidate]) -> Result<u128, Refusal> {
        find(assertion, candidates).map(|account| account.id.as_u128())
    }

    /// Feature rows 21, 23b: the address decides, ignoring case; none and two matches are refused.
    #[test]
    fn one_account_has_the_address() {
        let ada = assertion("Ada@X.example", None);
        let (one, two) = (of_scim(1, "ada@x.example"), of_scim(2, "ADA@x.example"));
        assert_eq!(found(&ada, &[]), Err(Refusal::Nobody));
        assert_eq!(found(&ada, &[of_scim(1, "bob@x.example")]), Err(Refusal::Nobody));
        assert_eq!(found(&ada, std::slice::from_ref(&one)), Ok(1));
        assert_eq!(found(&ada, &[one.clone(), two.clone()]), Err(Refusal::Several));
        // Whoever was deleted states nothing now.
        let gone = Candidate {
            account: two.account.deleted(OnDelete::Deactivate, at()),
            ..two
        };
        assert_eq!(found(&ada, &[one, gone]), Ok(1));
    }

    /// Feature row 23b: letters that only look alike are other letters.
    #[test]
    fn letters_that_look_alike_are_not_the_same() {
        // KELVIN SIGN, FULLWIDTH LATIN SMALL LETTER K, LATIN SMALL LETTER LONG S.
        for other in [
            "\u{212a}im@x.example",
            "\u{ff4b}im@x.example",
            "kim@x.example\u{17f}",
        ] {
            assert_eq!(
                found(&assertion(other, None), &[of_scim(1, "kim@x.example")]),
                Err(Refusal::Nobody)
            );
        }
    }

    /// Feature row 23b: a stable id is that of the person, exactly, or nobody signs in; without one the address decides.
    #[test]
    fn a_stable_id_is_that_of_the_person() {
        let all = [of_scim(1, "ada@x.example")];
        let with = |id| found(&assertion("ada@x.example", id), &all);
        assert_eq!(with(Some("x-1")), Ok(1));
        assert_eq!(with(None), Ok(1));
        for other in ["x-2", "X-1", "x-1 ", ""] {
            assert_eq!(with(Some(other)), Err(Refusal::OtherPerson), "{other}");
        }
        let without = Candidate {
            external_id: None,
            ..of_scim(1, "ada@x.example")
        };
        assert_eq!(
            found(&assertion("ada@x.example", Some("x-1")), &[without]),
            Err(Refusal::OtherPerson)
        );
    }

    /// Feature row 23b: a manual account signs in so once its person has confirmed it, for the same address and the same
    /// stable id.
    #[test]
    fn a_manual_account_has_to_confirm() {
        let mut root = by_hand(9, "root@x.example");
        let with = |root: &Candidate, id| found(&assertion("root@x.example", id), std::slice::from_ref(root));
        assert_eq!(with(&root, Some("r")), Err(Refusal::Unconfirmed));
        let unconfirmed = find_unconfirmed(
            &assertion("root@x.example", Some("r")),
            std::slice::from_ref(&root),
        );
        assert_eq!(unconfirmed.unwrap().id, root.account.id);
        let confirmed = |address: &str, id: Option<&str>| Confirmation {
            address_key: email::key(address),
            stable_id: id.map(str::to_owned),
        };
        root.confirmed = Some(confirmed("Root@x.example", Some("r")));
        assert_eq!(with(&root, Some("r")), Ok(9));
        assert_eq!(with(&root, None), Ok(9));
        assert_eq!(with(&root, Some("s")), Err(Refusal::OtherPerson));
        root.confirmed = Some(confirmed("root@x.example", None));
        assert_eq!(with(&root, None), Ok(9));
        assert_eq!(with(&root, Some("r")), Err(Refusal::OtherPerson));
        root.confirmed = Some(confirmed("former@x.example", Some("r")));
        assert_eq!(with(&root, Some("r")), Err(Refusal::Unconfirmed));
    }

    /// Feature rows 97, 111: without access nobody signs in, confirmed or not.
    #[test]
    fn without_access_nobody_signs_in() {
        let ada = assertion("ada@x.example", Some("x-1"));
        let mut disabled = of_scim(1, "ada@x.example");
        disabled.account.state = AccountState::Disabled;
        let mut suspended = of_scim(1, "ada@x.example");
        suspended.account.suspended = Some(Suspension {
            since: at(),
            reason: "Laptop lost".to_owned(),
            by: "root".to_owned(),
        });
        for candidate in [disabled, suspended] {
            let all = [candidate];
            assert_eq!(found(&ada, &all), Err(Refusal::NoAccess));
            assert_eq!(find_unconfirmed(&ada, &all).unwrap_err(), Refusal::NoAccess);
        }
    }

    /// A step between a provider's directory, SCIM and sign-in.
    #[derive(Debug, Clone, Copy)]
    pub(crate) enum Step {
        /// A person gets an address in the directory of the provider, whoever has had it.
        Rename { person: usize, address: usize },
        /// SCIM tells what the directory says of a person at this moment.
        Tell(usize),
        /// A person signs in at the provider, which asserts what its directory says of them.
        SignIn(usize),
    }

    pub(crate) const PEOPLE: usize = 3;
    const ADDRESSES: [&str; 4] = ["a@x.example", "A@x.example", "b@x.example", "c@x.example"];

    pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (0..PEOPLE, 0..ADDRESSES.len()).prop_map(|(person, address)| Step::Rename { person, address }),
            (0..PEOPLE).prop_map(Step::Tell),
            (0..PEOPLE).prop_map(Step::SignIn),
        ];
        proptest::collection::vec(step, 0..40)
    }

    /// The directory of a provider: the address of each person.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Directory([usize; PEOPLE]);

    impl Directory {
        pub(crate) fn new() -> Self {
            Self([0, 2, 3])
        }

        pub(crate) fn rename(&mut self, person: usize, address: usize) {
            self.0[person] = address;
        }

        pub(crate) fn address(&self, person: usize) -> &'static str {
            ADDRESSES[self.0[person]]
        }

        /// Makes the assertion about a person.
        pub(crate) fn assertion(&self, person: usize) -> Assertion {
            assertion(self.address(person), Some(&stable_id(person)))
        }
    }

    pub(crate) fn stable_id(person: usize) -> String {
        format!("x-{person}")
    }

    /// Returns the person as SCIM knows them once it was told.
    pub(crate) fn told(candidate: &Candidate, address: &str) -> Candidate {
        Candidate {
            account: candidate.account.changed(person(address), at()),
            ..candidate.clone()
        }
    }

    /// Returns the people as SCIM knows them at first.
    pub(crate) fn people() -> Vec<Candidate> {
        let directory = Directory::new();
        let of = |number: usize| Candidate {
            external_id: Some(stable_id(number)),
            ..of_scim(number as u128, directory.address(number))
        };
        (0..PEOPLE).map(of).collect()
    }

    proptest! {
        /// Feature row 23b: whatever addresses pass from person to person, in whatever order and however late SCIM tells of
        /// it: with the stable id nobody signs in as somebody else, and once SCIM has told of everybody who has an address
        /// of their own, everybody signs in.
        #[test]
        fn nobody_is_somebody_else(steps in steps()) {
            let (mut directory, mut known) = (Directory::new(), people());
            for step in steps {
                match step {
                    Step::Rename { person, address } => directory.rename(person, address),
                    Step::Tell(person) => known[person] = told(&known[person], directory.address(person)),
                    Step::SignIn(person) => {
                        if let Ok(found) = find(&directory.assertion(person), &known) {
                            prop_assert_eq!(found.id.as_u128(), person as u128);
                        }
                    }
                }
            }
            for (person, candidate) in known.iter_mut().enumerate() {
                *candidate = told(candidate, directory.address(person));
            }
            for person in 0..PEOPLE {
                let key = email::key(directory.address(person));
                let sharing = (0..PEOPLE).filter(|other| email::key(directory.address(*other)) == key);
                let is_alone = sharing.count() == 1;
                let found = find(&directory.assertion(person), &known).map(|found| found.id.as_u128());
                prop_assert_eq!(found, if is_alone { Ok(person as u128) } else { Err(Refusal::Several) });
            }
        }
    }
}
