//! The rules for when the identity provider creates a person whose name is known here: a manual account is kept from it,
//! or adopted once an administrator has confirmed that; the account of a person who was deleted comes back or does not.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::account::{Account, AccountState, ManagedBy, Person, name_key};
use super::actor::Actor;
use super::effective::Picture;
use super::escalation::Needs;
use super::fault::{Fault, Remedy, Result};
use super::grant::{Holder, Origin};
use super::permission::Permissions;
use super::settings::{ExistingAccount, OnDelete};

/// For how long a confirmation holds.
const OPEN_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A manual account that an administrator has given free for one person of the identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Adoption {
    /// The name of the person, in the form in which names are compared.
    pub(crate) name_key: String,
    /// The identifier that the provider has for the person; `None` if it sends none.
    pub(crate) external_id: Option<String>,
    pub(crate) account: Uuid,
    /// The name of whoever confirmed it.
    pub(crate) confirmed_by: String,
    pub(crate) until: Timestamp,
}

/// A manual account that may be adopted, and what it can have.
#[derive(Debug, Clone)]
pub(crate) struct Candidate<'a> {
    pub(crate) account: &'a Account,
    /// Everything that the account has as soon as its person can sign in.
    pub(crate) permissions: &'a Permissions,
    /// Whether it holds a role or permission for the day on which nothing else works.
    pub(crate) is_break_glass: bool,
}

impl Candidate<'_> {
    /// Checks that an identity provider may ever look after the account.
    ///
    /// # Errors
    /// The account is managed by the provider, cannot sign in, or has a permission by which more can be gained.
    fn demand_adoptable(&self) -> Result<()> {
        let name = &self.account.name;
        if self.account.managed_by == ManagedBy::Scim {
            return Err(Fault::conflict(format!(
                "The account {name:?} is managed by the identity provider already."
            )));
        }
        if self.account.state != AccountState::Active {
            return Err(Fault::conflict(format!(
                "The account {name:?} is not active: enable it before it is adopted."
            )));
        }
        if self.is_break_glass || self.permissions.escalate() {
            return Err(Fault::conflict(format!(
                "The account {name:?} is protected: accounts of owners, and those with a permission by which more can be \
                 gained, are never adopted. Take these away first, or give the person another name at the identity \
                 provider."
            )));
        }
        Ok(())
    }
}

/// Confirms that the next person of this name and identifier takes over a manual account.
///
/// # Errors
/// The organization refuses adoption, the account cannot be adopted, or the actor may not confirm it: they must have
/// every permission of the account and of the provider, and a fresh second factor.
pub(crate) fn confirm(
    setting: ExistingAccount,
    candidate: &Candidate<'_>,
    external_id: Option<&str>,
    provider_power: &Permissions,
    actor: &Actor,
    by: &str,
    now: Timestamp,
) -> Result<Adoption> {
    if setting == ExistingAccount::Refuse {
        return Err(Fault::conflict(
            "Manual accounts are kept from the identity provider in this organization",
        )
        .mended_by(Remedy {
            page: "have an administrator asked to hand them over first, in the settings of SCIM.",
            command: "set \"existing-account\" to adopt first.",
        }));
    }
    candidate.demand_adoptable()?;
    let needs = Needs::of_provider(provider_power.clone()).and(&Needs::of(candidate.permissions.clone()));
    needs.demand(actor, "This adoption")?;
    let until = now.checked_add(OPEN_FOR);
    Ok(Adoption {
        name_key: candidate.account.name_key(),
        external_id: external_id.map(str::to_owned),
        account: candidate.account.id,
        confirmed_by: by.to_owned(),
        until: until
            .map_err(|cause| Fault::internal("The time of the adoption cannot be written.", cause))?,
    })
}

/// The outcome when the identity provider creates a person whose name an account has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meeting {
    /// A person of the provider has it: 409 `uniqueness`.
    Taken,
    /// A manual account has it and is kept from the provider: 409 `uniqueness`, and an entry in the conflict inbox.
    Kept,
    /// As `Kept`, and an administrator may confirm that the account is adopted.
    Confirmable,
    /// The account is adopted: the person is created and bound to it.
    Adopted,
}

/// Returns what happens when the identity provider creates a person whose name an account has.
pub(crate) fn meet(
    setting: ExistingAccount,
    candidate: &Candidate<'_>,
    person: (&Person, Option<&str>),
    confirmed: Option<&Adoption>,
    now: Timestamp,
) -> Meeting {
    if candidate.account.managed_by == ManagedBy::Scim {
        return Meeting::Taken;
    }
    // Permissions may have been given since it was confirmed.
    if setting == ExistingAccount::Refuse || candidate.demand_adoptable().is_err() {
        return Meeting::Kept;
    }
    let (person, external_id) = person;
    let holds = |adoption: &Adoption| {
        adoption.account == candidate.account.id
            && adoption.name_key == name_key(&person.name)
            && adoption.external_id.as_deref() == external_id
            && now < adoption.until
    };
    if confirmed.is_some_and(holds) {
        Meeting::Adopted
    } else {
        Meeting::Confirmable
    }
}

/// The account of a person whom the identity provider has deleted, and by what it was bound.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Former<'a> {
    pub(crate) account: &'a Account,
    pub(crate) external_id: Option<&'a str>,
    /// When the binding ended.
    pub(crate) until: Timestamp,
}

/// Returns the account that a new person of the identity provider is bound to again: one that was deleted, had the same
/// name, and was bound by the same identifier. Without an identifier there is none: a recycled name inherits nothing.
pub(crate) fn comes_back(former: &[Former<'_>], person: &Person, external_id: Option<&str>) -> Option<Uuid> {
    let external_id = external_id.filter(|id| !id.is_empty())?;
    let is_same = |former: &&Former<'_>| {
        former.account.managed_by == ManagedBy::Scim
            && former.account.is_deleted()
            && former.external_id == Some(external_id)
            && former.account.name_key() == name_key(&person.name)
    };
    let last = former
        .iter()
        .filter(is_same)
        .max_by_key(|former| (former.until, former.account.id));
    last.map(|former| former.account.id)
}

impl Account {
    /// Returns a manual account after a person of the identity provider has taken it over.
    #[must_use]
    pub(crate) fn adopted(&self, row: i64, person: Person, now: Timestamp) -> Self {
        let bound = Self {
            managed_by: ManagedBy::Scim,
            ..self.clone()
        };
        bound.rebound(row, person, now)
    }
}

impl Picture {
    /// Returns the organization after a manual account was adopted: roles that it holds itself go, permissions stay.
    #[must_use]
    pub(crate) fn adopted(&self, account: Uuid, row: i64, person: Person, now: Timestamp) -> Self {
        let mut after = self.clone();
        if let Some(account) = after.accounts.get_mut(&account) {
            *account = account.adopted(row, person, now);
        }
        after
            .role_grants
            .retain(|grant| grant.holder != Holder::Account(account));
        after
    }

    /// Returns the organization after the identity provider has deleted a person: they leave the local groups, and where
    /// deleted people are removed, permissions that they hold themselves go.
    #[must_use]
    pub(crate) fn person_deleted(&self, account: Uuid, how: OnDelete, now: Timestamp) -> Self {
        let mut after = self.clone();
        let Some(deleted) = after.accounts.get_mut(&account) else {
            return after;
        };
        *deleted = deleted.deleted(how, now);
        for group in after.local_groups.values_mut() {
            group.members.remove(&account);
        }
        if how == OnDelete::Remove {
            after.permission_grants.retain(|grant| grant.account != account);
        }
        after
    }

    /// Returns the organization after the person of a deleted account was created again: permissions that the account
    /// holds itself wait for an administrator.
    #[must_use]
    pub(crate) fn rebound(&self, account: Uuid, row: i64, person: Person, now: Timestamp) -> Self {
        let mut after = self.clone();
        let Some(deleted) = after.accounts.get_mut(&account) else {
            return after;
        };
        *deleted = deleted.rebound(row, person, now);
        for grant in after
            .permission_grants
            .iter_mut()
            .filter(|grant| grant.account == account)
        {
            grant.waiting = true;
        }
        after
    }

    /// Returns whether an account holds something for the day on which nothing else works.
    pub(crate) fn is_break_glass(&self, account: Uuid) -> bool {
        let held = self
            .role_grants
            .iter()
            .filter(|grant| grant.holder == Holder::Account(account));
        let own = self
            .permission_grants
            .iter()
            .filter(|grant| grant.account == account);
        let mut origins = held
            .map(|grant| grant.origin)
            .chain(own.map(|grant| grant.origin));
        origins.any(|origin| origin == Origin::BreakGlass)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::actor::tests::administrator;
    use crate::domain::effective::Effective;
    use crate::domain::effective::tests::picture;
    use crate::domain::fault::Kind;
    use crate::domain::permission::Permission;
    use crate::domain::permission::tests::permissions;
    use crate::domain::settings::UserNames;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn person(name: &str) -> Person {
        Person {
            name: name.to_owned(),
            display: "Ada".to_owned(),
            address: None,
            active: None,
        }
    }

    fn manual() -> Account {
        Account::by_hand(Uuid::from_u128(5), "Ada@x.example", None, UserNames::Any, at(0)).unwrap()
    }

    fn candidate<'a>(account: &'a Account, permissions: &'a Permissions) -> Candidate<'a> {
        Candidate {
            account,
            permissions,
            is_break_glass: false,
        }
    }

    fn confirmed(
        candidate: &Candidate<'_>,
        external_id: Option<&str>,
        own: &Permissions,
        fresh: bool,
    ) -> Result<Adoption> {
        let actor = administrator(own.clone(), fresh);
        confirm(
            ExistingAccount::Adopt,
            candidate,
            external_id,
            &Permissions::NONE,
            &actor,
            "grace",
            at(0),
        )
    }

    /// Feature row 35: a manual account is kept from the provider, which is told why.
    #[test]
    fn a_manual_account_is_kept() {
        let (account, none) = (manual(), Permissions::NONE);
        let candidate = candidate(&account, &none);
        let met = |setting| meet(setting, &candidate, (&person("ada@X.example"), None), None, at(1));
        assert_eq!(met(ExistingAccount::Refuse), Meeting::Kept);
        assert_eq!(met(ExistingAccount::Adopt), Meeting::Confirmable);
        let actor = Actor::operator("root".to_owned());
        let refused = confirm(
            ExistingAccount::Refuse,
            &candidate,
            None,
            &none,
            &actor,
            "root",
            at(0),
        )
        .unwrap_err();
        assert!(refused.with_causes().contains("existing-account"), "{refused}");
    }

    /// Feature row 88: what is confirmed holds for this name and identifier, and for seven days.
    #[test]
    fn a_confirmation_is_for_one_person_and_seven_days() {
        let (account, none) = (manual(), Permissions::NONE);
        let candidate = candidate(&account, &none);
        let adoption = confirmed(&candidate, Some("7"), &none, true).unwrap();
        let met = |name: &str, id, now| {
            meet(
                ExistingAccount::Adopt,
                &candidate,
                (&person(name), id),
                Some(&adoption),
                now,
            )
        };
        let week = 7 * 24 * 3_600;
        assert_eq!(met("ADA@x.example", Some("7"), at(week - 1)), Meeting::Adopted);
        assert_eq!(met("ada@x.example", Some("7"), at(week)), Meeting::Confirmable);
        assert_eq!(met("ada@x.example", Some("8"), at(1)), Meeting::Confirmable);
        assert_eq!(met("ada@x.example", None, at(1)), Meeting::Confirmable);
        assert_eq!(met("eve@x.example", Some("7"), at(1)), Meeting::Confirmable);
        let given = Permissions::from_iter([Permission::ROLES_WRITE]);
        let raised = Candidate {
            permissions: &given,
            ..candidate.clone()
        };
        let met = meet(
            ExistingAccount::Adopt,
            &raised,
            (&person("ada@x.example"), Some("7")),
            Some(&adoption),
            at(1),
        );
        assert_eq!(met, Meeting::Kept);
    }

    /// Feature row 88: owners and disabled accounts are never adopted.
    #[test]
    fn owners_and_disabled_accounts_are_not_adopted() {
        let (account, none) = (manual(), Permissions::NONE);
        let owner = Candidate {
            is_break_glass: true,
            ..candidate(&account, &none)
        };
        let refused = confirmed(&owner, None, &none, true).unwrap_err();
        assert!(refused.to_string().contains("is protected"), "{refused}");
        let disabled = account.set_by_hand(AccountState::Disabled, at(1)).unwrap();
        let refused = confirmed(&candidate(&disabled, &none), None, &none, true).unwrap_err();
        assert!(refused.to_string().contains("is not active"), "{refused}");
    }

    /// Feature row 47: an account comes back by the same name and identifier alone.
    #[test]
    fn an_account_comes_back_by_name_and_identifier() {
        let provisioned = |id, name| Account::provisioned(Uuid::from_u128(id), 1, person(name), at(0));
        let gone = provisioned(1, "ada@x.example").deleted(OnDelete::Remove, at(1));
        let later = provisioned(2, "ada@x.example").deleted(OnDelete::Deactivate, at(2));
        let living = provisioned(3, "ada@x.example");
        let former = |account, external_id, until| Former {
            account,
            external_id,
            until: at(until),
        };
        let back = |former: &[Former<'_>], name, id| comes_back(former, &person(name), id);
        let all = [
            former(&gone, Some("7"), 1),
            former(&later, Some("7"), 2),
            former(&living, Some("9"), 3),
        ];
        assert_eq!(back(&all, "ADA@x.example", Some("7")), Some(later.id));
        assert_eq!(back(&all[..1], "ada@x.example", Some("7")), Some(gone.id));
        assert_eq!(back(&all, "ada@x.example", Some("8")), None);
        assert_eq!(back(&all, "ada@x.example", None), None);
        assert_eq!(back(&all, "eve@x.example", Some("7")), None);
        assert_eq!(back(&all, "ada@x.example", Some("9")), None);
        let nameless = [former(&gone, None, 1), former(&later, Some(""), 2)];
        assert_eq!(back(&nameless, "ada@x.example", None), None);
        assert_eq!(back(&nameless, "ada@x.example", Some("")), None);
    }

    proptest! {
        /// Feature row 88: who confirms has everything that the account has, and a fresh factor; nothing that escalates
        /// is adopted.
        #[test]
        fn who_confirms_has_what_the_account_has(own in permissions(), has in permissions(), fresh: bool) {
            let account = manual();
            let kind = confirmed(&candidate(&account, &has), None, &own, fresh).err().map(|fault| fault.kind());
            let expected = match () {
                () if has.escalate() => Some(Kind::Conflict),
                () if !own.covers(&has) => Some(Kind::Forbidden),
                () if !fresh => Some(Kind::Stale),
                () => None,
            };
            prop_assert_eq!(kind, expected);
        }

        /// Feature rows 88, 111: an adoption takes roles by hand and keeps permissions and suspension; nobody else
        /// notices.
        #[test]
        fn an_adopted_account_keeps_its_permissions(before in picture(), manual in 5_u128..=6) {
            let id = Uuid::from_u128(manual);
            let mut before = before;
            before.accounts.get_mut(&id).unwrap().state = AccountState::Active;
            let account = &before.accounts[&id];
            prop_assert_eq!(account.managed_by, ManagedBy::Hand);
            let after = before.adopted(id, 99, person("ada@x.example"), at(1));
            let adopted = &after.accounts[&id];
            prop_assert_eq!((adopted.managed_by, adopted.row), (ManagedBy::Scim, Some(99)));
            prop_assert_eq!((&adopted.suspended, adopted.created), (&account.suspended, account.created));
            prop_assert!(after.role_grants.iter().all(|grant| grant.holder != Holder::Account(id)));
            prop_assert_eq!(&after.permission_grants, &before.permission_grants);
            for other in before.accounts.keys().filter(|other| **other != id) {
                prop_assert_eq!(before.effective(*other), after.effective(*other));
            }
        }

        /// Feature rows 47, 96, 111: who comes back has nothing until an administrator or a group gives it.
        #[test]
        fn who_comes_back_has_nothing_of_before(before in picture(), person_of in 1_u128..=4, how: bool) {
            let id = Uuid::from_u128(person_of);
            let account = &before.accounts[&id];
            prop_assert_eq!(account.managed_by, ManagedBy::Scim);
            let how = if how { OnDelete::Remove } else { OnDelete::Deactivate };
            let gone = before.person_deleted(id, how, at(1));
            let after = gone.rebound(id, 99, person("ada@x.example"), at(2));
            prop_assert_eq!(after.effective(id), Effective::default());
            prop_assert_eq!(after.accounts[&id].suspended.is_some(), account.suspended.is_some());
            let held = |picture: &Picture| -> Vec<Permission> {
                let held = picture.permission_grants.iter().filter(|grant| grant.account == id);
                held.map(|grant| grant.permission.clone()).collect()
            };
            match how {
                OnDelete::Deactivate => prop_assert_eq!(held(&after), held(&before)),
                OnDelete::Remove => prop_assert!(held(&after).is_empty()),
            }
            for other in before.accounts.keys().filter(|other| **other != id) {
                prop_assert_eq!(before.effective(*other), after.effective(*other));
            }
        }
    }
}
