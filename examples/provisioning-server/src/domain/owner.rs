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
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::actor::tests::administrator;
    use crate::domain::effective::tests::picture;
    use crate::domain::escalation::tests::{apply, deed};
    use crate::domain::permission::Permissions;

    /// Feature row 89: the warning is for organizations whose owners all come by SCIM.
    #[test]
    fn owners_by_scim_alone_are_warned_of() {
        let owners = |manual, provisioned| Owners { manual, provisioned };
        assert!(owners(0, 2).warning().is_some());
        assert!(owners(1, 2).warning().is_none());
        assert!(owners(0, 0).warning().is_none());
    }

    proptest! {
        /// Feature rows 89, 104: no sequence of changes by administrators takes the last manual owner away.
        #[test]
        fn the_last_owner_stays(start in picture(), deeds in vec(deed(), 0..15)) {
            let actor = administrator(Permissions::catalogue(), true);
            let mut now = start;
            let had = Owners::of(&now).manual > 0;
            for deed in deeds {
                let after = apply(now.clone(), &deed);
                if Owners::of(&now).demand_left(Owners::of(&after), &actor).is_ok() {
                    now = after;
                }
            }
            prop_assert!(!had || Owners::of(&now).manual > 0);
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
        assert!(one.demand_left(one, &actor).is_ok());
        assert!(none.demand_left(none, &actor).is_ok());
        assert!(one.demand_left(none, &Actor::operator("root".to_owned())).is_ok());
    }
}
