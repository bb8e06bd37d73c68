//! Owners of an organization: those who may change the organization itself. The last one is not lost by accident.

use super::account::ManagedBy;
use super::actor::Actor;
use super::effective::Picture;
use super::fault::{Fault, Result};
use super::permission::Permission;

/// How many owners an organization has who can sign in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Owners {
    /// Owners whom no identity provider can take away. Only these count.
    pub(crate) manual: u64,
    pub(crate) provisioned: u64,
}

impl Owners {
    /// Counts the owners of an organization.
    pub(crate) fn of(picture: &Picture) -> Self {
        let mut owners = Self::default();
        for account in picture.accounts.values() {
            if picture
                .effective(account.id)
                .permitted()
                .has(&Permission::ORGANIZATION_WRITE)
            {
                match account.managed_by {
                    ManagedBy::Hand => owners.manual += 1,
                    ManagedBy::Scim => owners.provisioned += 1,
                }
            }
        }
        owners
    }

    /// Checks that a change of an administrator leaves an owner where there was one. The identity provider is never
    /// refused anything for it, and the operator at the command line can always make another.
    ///
    /// # Errors
    /// The change would take the last one away.
    pub(crate) fn demand_left(self, after: Self, actor: &Actor) -> Result<()> {
        if actor.is_operator() || self.manual == 0 || after.manual > 0 {
            return Ok(());
        }
        Err(Fault::conflict(
            "This would take away the last account that may change the organization and that no identity provider \
             manages: give another manual account the permission organization:write first.",
        ))
    }

    /// Returns a warning if an identity provider can take away every owner.
    pub(crate) fn warning(self) -> Option<&'static str> {
        (self.manual == 0 && self.provisioned > 0).then_some(
            "Everybody who may change this organization comes by the identity provider: make a manual account with the \
             permission organization:write, so that somebody is left if the provider takes them away.",
        )
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;
    use uuid::Uuid;

    use super::*;
    use crate::domain::account::AccountState;
    use crate::domain::actor::tests::administrator;
    use crate::domain::effective::tests::{account_id, picture};
    use crate::domain::escalation::Deed;
    use crate::domain::escalation::tests::{apply, deed};
    use crate::domain::keyword::Keyword;
    use crate::domain::permission::Permissions;

    /// Feature row 89: the warning is for organizations whose owners all come by SCIM.
    #[test]
    fn owners_by_scim_alone_are_warned_of() {
        let owners = |manual, provisioned| Owners { manual, provisioned };
        assert!(owners(0, 2).warning().is_some());
        assert!(owners(1, 2).warning().is_none());
        assert!(owners(0, 0).warning().is_none());
    }

    /// A change by an administrator.
    #[derive(Debug, Clone)]
    enum Change {
        Deed(Deed),
        Suspend(Uuid),
        Set(Uuid, AccountState),
    }

    fn change() -> impl Strategy<Value = Change> {
        prop_oneof![
            deed().prop_map(Change::Deed),
            account_id().prop_map(Change::Suspend),
            (account_id(), select(AccountState::ALL))
                .prop_map(|(account, state)| Change::Set(account, state)),
        ]
    }

    fn after(mut picture: Picture, change: &Change) -> Picture {
        let now = Timestamp::UNIX_EPOCH;
        let (id, changed) = match change {
            Change::Deed(deed) => return apply(picture, deed),
            Change::Suspend(id) => (id, picture.accounts[id].suspend("Laptop lost", "ada", now)),
            Change::Set(id, state) => (id, picture.accounts[id].set_by_hand(*state, now)),
        };
        if let Ok(changed) = changed {
            picture.accounts.insert(*id, changed);
        }
        picture
    }

    proptest! {
        /// Feature rows 89, 104: no sequence of changes by administrators takes the last manual owner away.
        #[test]
        fn the_last_owner_stays(start in picture(), owner in 5_u128..=6, changes in vec(change(), 0..25)) {
            let actor = administrator(Permissions::catalogue(), true);
            let account = Uuid::from_u128(owner);
            let permission = Permission::ORGANIZATION_WRITE;
            let mut now = apply(start, &Deed::GivePermission { account, permission });
            now = apply(now, &Deed::EditAccount { account });
            prop_assert!(Owners::of(&now).manual > 0);
            let mut refused = 0;
            for change in changes {
                let next = after(now.clone(), &change);
                match Owners::of(&now).demand_left(Owners::of(&next), &actor) {
                    Ok(()) => now = next,
                    Err(_) => refused += 1,
                }
                prop_assert!(Owners::of(&now).manual > 0, "after {change:?}, {refused} refused");
            }
        }
    }

    /// Feature row 89: the operator may, and where there was none before, nothing is refused.
    #[test]
    fn only_a_loss_is_refused() {
        let none = Owners::default();
        let one = Owners { manual: 1, ..none };
        let actor = administrator(Permissions::catalogue(), true);
        assert!(
            one.demand_left(none, &actor)
                .unwrap_err()
                .to_string()
                .contains("last account")
        );
        let provisioned = Owners {
            provisioned: 5,
            ..none
        };
        assert!(one.demand_left(provisioned, &actor).is_err());
        assert!(provisioned.demand_left(none, &actor).is_ok());
        assert!(one.demand_left(one, &actor).is_ok());
        assert!(none.demand_left(none, &actor).is_ok());
        assert!(one.demand_left(none, &Actor::operator("root".to_owned())).is_ok());
    }
}
