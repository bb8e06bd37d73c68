//! Accounts: everybody who can sign in, or could once, whether the identity provider or an administrator looks after
//! them. An account is not a resource of SCIM: it outlives the person there, and may come back with another.

use jiff::Timestamp;
use scim::fold;
use uuid::Uuid;

use super::email::is_email;
use super::fault::{Fault, Result};
use super::keyword::keywords;
use super::settings::{OnDelete, UserNames};
use super::user::User;

/// The longest name and the longest reason of a suspension, in characters.
const TEXT_MAX: usize = 256;

keywords! {
    /// The side that looks after an account.
    ManagedBy {
        /// The identity provider, over SCIM.
        Scim = "scim",
        /// Administrators.
        Hand = "hand",
    }
}

keywords! {
    /// The life of an account.
    AccountState {
        /// Its person can sign in, unless the account is suspended.
        Active = "active",
        /// It is listed, and its person cannot sign in.
        Disabled = "disabled",
        /// It is hidden, and its person cannot sign in.
        Removed = "removed",
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) id: Uuid,
    pub(crate) managed_by: ManagedBy,
    /// The name under which its person signs in: the `userName`.
    pub(crate) name: String,
    pub(crate) display: String,
    /// The address to which mails go and by which SAML finds the account.
    pub(crate) address: Option<String>,
    pub(crate) state: AccountState,
    pub(crate) suspended: Option<Suspension>,
    /// The key of the person among the resources of SCIM, as long as there is one.
    pub(crate) row: Option<i64>,
    pub(crate) created: Timestamp,
    pub(crate) changed: Timestamp,
}

/// A lock beside the state of an account. Only an administrator sets and lifts it, and SCIM does not show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Suspension {
    pub(crate) since: Timestamp,
    pub(crate) reason: String,
    /// The name of whoever suspended the account.
    pub(crate) by: String,
}

/// A person of SCIM, as far as an account repeats it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) display: String,
    pub(crate) address: Option<String>,
    /// `None` if the provider has not said.
    pub(crate) active: Option<bool>,
}

impl Person {
    /// Returns what an account repeats of a person.
    pub(crate) fn of(user: &User) -> Self {
        Self {
            name: user.user_name.clone(),
            display: display(user),
            address: address(user),
            active: user.active,
        }
    }
}

/// Returns the name by which people know a person: the first that there is of `displayName`, the whole name, its parts
/// and `userName`.
fn display(user: &User) -> String {
    let name = user.name.as_ref();
    let parts = name.map(|name| {
        let parts = [name.given_name.as_deref(), name.family_name.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    });
    let formatted = name.and_then(|name| name.formatted.clone());
    [user.display_name.clone(), formatted, parts]
        .into_iter()
        .flatten()
        .map(|text| text.trim().to_owned())
        .find(|text| !text.is_empty())
        .unwrap_or_else(|| user.user_name.clone())
}

/// Returns the address of a person: `userName` if it is one, else the primary e-mail, else the one for work.
fn address(user: &User) -> Option<String> {
    let primary = user.emails.iter().filter(|email| email.primary == Some(true));
    let work = user
        .emails
        .iter()
        .filter(|email| email.kind.as_deref().is_some_and(is_work));
    let emails = primary.chain(work).filter_map(|email| email.value.as_deref());
    let mut candidates = std::iter::once(user.user_name.as_str())
        .chain(emails)
        .map(str::trim);
    candidates.find(|text| is_email(text)).map(str::to_owned)
}

fn is_work(kind: &str) -> bool {
    kind.eq_ignore_ascii_case("work")
}

/// Returns the form in which names under which people sign in are compared.
pub(crate) fn name_key(name: &str) -> String {
    fold::user_name(name).into_owned()
}

impl Account {
    /// Returns the account of a person whom the identity provider creates. Only `active: false` disables.
    pub(crate) fn provisioned(id: Uuid, row: i64, person: Person, now: Timestamp) -> Self {
        let state = match person.active {
            Some(false) => AccountState::Disabled,
            Some(true) | None => AccountState::Active,
        };
        Self {
            id,
            managed_by: ManagedBy::Scim,
            name: person.name,
            display: person.display,
            address: person.address,
            state,
            suspended: None,
            row: Some(row),
            created: now,
            changed: now,
        }
    }

    /// Returns the account of a person whom an administrator creates.
    ///
    /// # Errors
    /// The name is not one under which people of this organization sign in.
    pub(crate) fn by_hand(
        id: Uuid,
        name: &str,
        display: Option<&str>,
        names: UserNames,
        now: Timestamp,
    ) -> Result<Self> {
        let name = manual_name(name, names)?;
        let display = match display.map(str::trim) {
            Some(text) if !text.is_empty() => printable(text, "the display name of a person")?,
            _ => name.clone(),
        };
        Ok(Self {
            id,
            managed_by: ManagedBy::Hand,
            address: is_email(&name).then(|| name.clone()),
            name,
            display,
            state: AccountState::Active,
            suspended: None,
            row: None,
            created: now,
            changed: now,
        })
    }

    /// Returns the form in which its name is compared.
    pub(crate) fn name_key(&self) -> String {
        name_key(&self.name)
    }

    /// Returns whether its person can have any access at all.
    pub(crate) fn has_access(&self) -> bool {
        self.state == AccountState::Active && self.suspended.is_none()
    }

    /// Returns whether the identity provider has deleted its person.
    pub(crate) fn is_deleted(&self) -> bool {
        self.state == AccountState::Removed || (self.managed_by == ManagedBy::Scim && self.row.is_none())
    }

    /// Returns the account after the identity provider has changed its person. Whatever the provider does not say changes
    /// nothing: a disabled person is enabled by `active: true` alone. A suspension stays. An account whose person was
    /// deleted does not change.
    #[must_use]
    pub(crate) fn changed(&self, person: Person, now: Timestamp) -> Self {
        if self.managed_by != ManagedBy::Scim || self.is_deleted() {
            return self.clone();
        }
        let state = match person.active {
            Some(true) => AccountState::Active,
            Some(false) => AccountState::Disabled,
            None => self.state,
        };
        let after = Self {
            name: person.name,
            display: person.display,
            address: person.address,
            state,
            ..self.clone()
        };
        after.stamped(self, now)
    }

    /// Returns the account after the identity provider has deleted its person.
    #[must_use]
    pub(crate) fn deleted(&self, how: OnDelete, now: Timestamp) -> Self {
        if self.managed_by != ManagedBy::Scim {
            return self.clone();
        }
        let state = match how {
            _ if self.state == AccountState::Removed => AccountState::Removed,
            OnDelete::Remove => AccountState::Removed,
            OnDelete::Deactivate => AccountState::Disabled,
        };
        let after = Self {
            state,
            row: None,
            ..self.clone()
        };
        after.stamped(self, now)
    }

    /// Returns the account of a deleted person who has come back as this person. A suspension stays.
    #[must_use]
    pub(crate) fn rebound(&self, row: i64, person: Person, now: Timestamp) -> Self {
        Self {
            created: self.created,
            suspended: self.suspended.clone(),
            ..Self::provisioned(self.id, row, person, now)
        }
    }

    /// Returns the account after an administrator has suspended it.
    ///
    /// # Errors
    /// It is suspended or removed already, or the reason cannot be read.
    pub(crate) fn suspend(&self, reason: &str, by: &str, now: Timestamp) -> Result<Self> {
        if self.state == AccountState::Removed {
            return Err(Fault::conflict(format!(
                "The account {:?} is removed and cannot sign in.",
                self.name
            )));
        }
        if self.suspended.is_some() {
            return Err(Fault::conflict(format!(
                "The account {:?} is suspended already.",
                self.name
            )));
        }
        let suspension = Suspension {
            since: now,
            reason: printable(reason, "a reason to suspend an account")?,
            by: by.to_owned(),
        };
        Ok(Self {
            suspended: Some(suspension),
            changed: now,
            ..self.clone()
        })
    }

    /// Returns the account after an administrator has lifted its suspension.
    ///
    /// # Errors
    /// It is not suspended.
    pub(crate) fn resume(&self, now: Timestamp) -> Result<Self> {
        if self.suspended.is_none() {
            return Err(Fault::conflict(format!(
                "The account {:?} is not suspended.",
                self.name
            )));
        }
        Ok(Self {
            suspended: None,
            changed: now,
            ..self.clone()
        })
    }

    /// Returns the account after an administrator has given it another name, or its person.
    ///
    /// # Errors
    /// The identity provider looks after it, it is removed, or the name is not one under which people of this organization
    /// sign in.
    pub(crate) fn edited(
        &self,
        name: Option<&str>,
        display: Option<&str>,
        names: UserNames,
        now: Timestamp,
    ) -> Result<Self> {
        let mut after = self.set_by_hand(self.state, now)?;
        if let Some(name) = name {
            after.name = manual_name(name, names)?;
            after.address = is_email(&after.name).then(|| after.name.clone());
        }
        if let Some(display) = display {
            after.display = printable(display, "the display name of a person")?;
        }
        Ok(after.stamped(self, now))
    }

    /// Returns the account after an administrator has enabled, disabled or removed it.
    ///
    /// # Errors
    /// The identity provider looks after it, or it is removed.
    pub(crate) fn set_by_hand(&self, state: AccountState, now: Timestamp) -> Result<Self> {
        self.demand_manual()?;
        if self.state == AccountState::Removed {
            return Err(Fault::conflict(format!(
                "The account {:?} is removed.",
                self.name
            )));
        }
        let after = Self {
            state,
            ..self.clone()
        };
        Ok(after.stamped(self, now))
    }

    /// Checks that an administrator may change, disable or remove it.
    ///
    /// # Errors
    /// The identity provider looks after it.
    pub(crate) fn demand_manual(&self) -> Result<()> {
        match self.managed_by {
            ManagedBy::Hand => Ok(()),
            ManagedBy::Scim => Err(Fault::conflict(format!(
                "The account {:?} is managed by the identity provider: change, disable or remove it there. To keep its \
                 person out at once, suspend the account.",
                self.name
            ))),
        }
    }

    /// Notes the time if anything is other than before.
    fn stamped(self, before: &Self, now: Timestamp) -> Self {
        if self == *before {
            return self;
        }
        Self { changed: now, ..self }
    }
}

/// Checks the name of an account that an administrator makes, and trims it.
fn manual_name(text: &str, names: UserNames) -> Result<String> {
    let text = text.trim();
    if names == UserNames::Email && !is_email(text) {
        return Err(Fault::invalid(format!(
            "{text:?} is not a valid name of an account; expected an e-mail address, as the settings of this \
             organization ask for."
        )));
    }
    printable(text, "the name of an account")
}

fn printable(text: &str, thing: &str) -> Result<String> {
    let text = text.trim();
    if (1..=TEXT_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(Fault::invalid(format!(
        "{text:?} is not valid as {thing}; expected 1 to {TEXT_MAX} printable characters."
    )))
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use scim::ScimResource;
    use scim::limits::Limits;
    use scim::value::{Cx, Intent, Json, Strict};

    use super::*;
    use crate::domain::keyword::Keyword;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn person(active: Option<bool>) -> Person {
        Person {
            name: "ada@x.example".to_owned(),
            display: "Ada".to_owned(),
            address: Some("ada@x.example".to_owned()),
            active,
        }
    }

    fn account(active: Option<bool>) -> Account {
        Account::provisioned(Uuid::from_u128(1), 7, person(active), at(0))
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Change(Option<bool>),
        Delete(OnDelete),
        Suspend,
        Resume,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            5 => any::<Option<bool>>().prop_map(Step::Change),
            1 => proptest::sample::select(OnDelete::ALL).prop_map(Step::Delete),
            1 => Just(Step::Suspend),
            1 => Just(Step::Resume),
        ];
        proptest::collection::vec(step, 0..20)
    }

    fn after(before: &Account, step: Step, now: Timestamp) -> Account {
        match step {
            Step::Change(active) => before.changed(person(active), now),
            Step::Delete(how) => before.deleted(how, now),
            Step::Suspend => before
                .suspend("Laptop lost", "ada", now)
                .unwrap_or_else(|_| before.clone()),
            Step::Resume => before.resume(now).unwrap_or_else(|_| before.clone()),
        }
    }

    fn user(json: &str) -> User {
        let limits = Limits::default();
        let json = Json::parse(json.as_bytes(), &limits).unwrap();
        User::decode(json, &mut Cx::new(Intent::Create, &Strict, &limits)).unwrap()
    }

    fn address_of(attributes: &str) -> Option<String> {
        let user = user(&format!(
            r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],{attributes}}}"#
        ));
        Person::of(&user).address
    }

    /// Feature row 23b: which address a person has.
    #[test]
    fn the_address_is_the_user_name_or_the_primary_or_the_one_for_work() {
        let emails = r#""emails":[{"value":"home@x.example","type":"home"},{"value":"work@x.example","type":"Work"},
            {"value":"first@x.example","type":"home","primary":true}]"#;
        let of = |name: &str, emails: &str| address_of(&format!(r#""userName":"{name}",{emails}"#));
        assert_eq!(of("ada@x.example", emails).as_deref(), Some("ada@x.example"));
        assert_eq!(of("ada", emails).as_deref(), Some("first@x.example"));
        let no_primary = emails.replace(r#","primary":true"#, "");
        assert_eq!(of("ada", &no_primary).as_deref(), Some("work@x.example"));
        let no_mail = emails
            .replace("first@x.example", "nobody")
            .replace("work@x.example", "somebody");
        assert_eq!(of("ada", &no_mail), None);
        assert_eq!(of("ada", r#""emails":[]"#), None);
    }

    /// Feature row 51: by what name a person is shown.
    #[test]
    fn a_person_is_shown_by_the_best_name_there_is() {
        let shown = |attributes: &str| {
            let json = format!(
                r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada"{attributes}}}"#
            );
            Person::of(&user(&json)).display
        };
        assert_eq!(shown(""), "ada");
        assert_eq!(
            shown(r#","name":{"givenName":"Ada","familyName":"King"}"#),
            "Ada King"
        );
        assert_eq!(shown(r#","name":{"familyName":"King"}"#), "King");
        assert_eq!(
            shown(r#","name":{"formatted":"Lady A","familyName":"King"}"#),
            "Lady A"
        );
        assert_eq!(
            shown(r#","displayName":"Countess","name":{"formatted":"Lady A"}"#),
            "Countess"
        );
        assert_eq!(
            shown(r#","displayName":" ","name":{"formatted":"Lady A"}"#),
            "Lady A"
        );
    }

    /// Feature row 98: a person who never had `active` is active, and only `false` disables.
    #[test]
    fn only_false_disables_a_new_person() {
        assert!(account(None).has_access());
        assert!(account(Some(true)).has_access());
        assert_eq!(account(Some(false)).state, AccountState::Disabled);
    }

    /// Feature row 46: what a deletion makes of an account, by setting.
    #[test]
    fn a_deleted_person_is_hidden_or_listed_as_disabled() {
        for (how, state) in [
            (OnDelete::Remove, AccountState::Removed),
            (OnDelete::Deactivate, AccountState::Disabled),
        ] {
            let gone = account(None).deleted(how, at(5));
            assert_eq!((gone.state, gone.row, gone.changed), (state, None, at(5)));
            assert!(gone.is_deleted());
            assert_eq!(gone.name, "ada@x.example");
        }
    }

    /// Feature rows 49, 53, 103: an account of the identity provider is not changed by hand, and a manual one not by SCIM.
    #[test]
    fn each_side_changes_its_own_accounts() {
        let refused = account(None)
            .set_by_hand(AccountState::Removed, at(1))
            .unwrap_err();
        assert!(
            refused.to_string().contains("managed by the identity provider"),
            "{refused}"
        );
        let manual =
            Account::by_hand(Uuid::nil(), " root@x.example ", None, UserNames::Email, at(0)).unwrap();
        assert_eq!(manual.changed(person(Some(false)), at(1)), manual);
        assert_eq!(manual.deleted(OnDelete::Remove, at(1)), manual);
        let disabled = manual.set_by_hand(AccountState::Disabled, at(2)).unwrap();
        assert!(!disabled.has_access());
        assert!(
            disabled
                .set_by_hand(AccountState::Active, at(3))
                .unwrap()
                .has_access()
        );
        let removed = disabled.set_by_hand(AccountState::Removed, at(4)).unwrap();
        assert!(removed.set_by_hand(AccountState::Active, at(5)).is_err());
    }

    /// Feature row 33: the setting for user names holds for manual accounts too.
    #[test]
    fn a_manual_account_has_a_name_that_fits_the_settings() {
        let made = |name, names| Account::by_hand(Uuid::nil(), name, Some("Root"), names, at(0));
        assert_eq!(
            made("root@x.example", UserNames::Any).unwrap().address.as_deref(),
            Some("root@x.example")
        );
        assert_eq!(made("root", UserNames::Any).unwrap().address, None);
        assert!(
            made("root", UserNames::Email)
                .unwrap_err()
                .to_string()
                .contains("expected an e-mail address")
        );
        assert!(made(" ", UserNames::Any).is_err());
    }

    /// Feature row 54: a change of nothing is not a change.
    #[test]
    fn the_time_of_a_change_is_that_of_a_difference() {
        let before = account(Some(true));
        assert_eq!(before.changed(person(Some(true)), at(9)), before);
        let renamed = Person {
            name: "ada.king@x.example".to_owned(),
            ..person(None)
        };
        let after = before.changed(renamed, at(9));
        assert_eq!(
            (after.id, after.row, after.changed),
            (before.id, before.row, at(9))
        );
    }

    proptest! {
        /// Feature rows 46, 98, 111: whatever happens, access is given only by what says so.
        #[test]
        fn access_is_never_given_by_absence(start: Option<bool>, steps in steps()) {
            let mut before = account(start);
            for (second, step) in (1..).zip(steps) {
                let now = after(&before, step, at(second));
                if now.has_access() && !before.has_access() {
                    prop_assert!(
                        matches!(step, Step::Change(Some(true)) | Step::Resume),
                        "{:?}", step
                    );
                }
                if !matches!(step, Step::Suspend | Step::Resume) {
                    prop_assert_eq!(&now.suspended, &before.suspended);
                }
                if before.is_deleted() {
                    prop_assert!(now.is_deleted() && !now.has_access());
                }
                match step {
                    Step::Change(Some(active)) if !before.is_deleted() => {
                        prop_assert_eq!(now.state == AccountState::Active, active);
                    }
                    Step::Change(None) => prop_assert_eq!(now.state, before.state),
                    Step::Delete(_) => prop_assert!(!now.has_access() && now.row.is_none()),
                    _ => {}
                }
                before = now;
            }
        }
    }
}
