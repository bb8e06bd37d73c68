//! Actors: by whom something is done, and what they may do.

use std::net::IpAddr;

use uuid::Uuid;

use super::audit::ActorKind;
use super::fault::{Fault, Result};
use super::permission::{Permission, Permissions};

/// Somebody who does something, as far as an action has to know them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Actor {
    pub(crate) who: Who,
    /// The permissions that they have now. Nobody asks for the operator's.
    pub(crate) permissions: Permissions,
    /// Whether they have proved a second factor a moment ago.
    pub(crate) fresh: bool,
    pub(crate) address: Option<IpAddr>,
}

/// The identity of an actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Who {
    /// Somebody at the command line, who could as well change the database itself.
    Operator {
        /// Their name in the operating system.
        user: String,
    },
    /// An administrator of one organization.
    Account {
        organization: Uuid,
        id: Uuid,
        name: String,
    },
    /// An owner of the instance, who belongs to no organization.
    Owner { id: Uuid, name: String },
    /// An identity provider.
    Provider { organization: Uuid, token: Uuid },
    /// Somebody with a link to the set-up guide.
    SetupLink {
        organization: Uuid,
        /// The name of whoever has made the link.
        maker: String,
        /// Whether that was somebody who stands above all organizations.
        is_of_instance: bool,
    },
}

/// Something that an actor can do, and what it asks of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Action {
    /// The noun and the verb, such as `role.create`: the word of the audit log.
    pub(crate) name: &'static str,
    pub(crate) permission: Permission,
    /// Whether it asks for a second factor that was proved a moment ago.
    pub(crate) fresh: bool,
}

impl Actor {
    /// Returns the operator at the command line.
    pub(crate) fn operator(user: String) -> Self {
        Self {
            who: Who::Operator { user },
            permissions: Permissions::NONE,
            fresh: false,
            address: None,
        }
    }

    /// Returns whether it is the operator at the command line, of whom nothing is asked.
    pub(crate) fn is_operator(&self) -> bool {
        matches!(self.who, Who::Operator { .. })
    }

    /// Returns whether it stands above all organizations: the operator, or an owner of the instance.
    pub(crate) fn is_of_instance(&self) -> bool {
        matches!(self.who, Who::Operator { .. } | Who::Owner { .. })
    }

    /// Checks that it stands above all organizations.
    ///
    /// # Errors
    /// Forbidden if not; stale for an owner who has not confirmed a factor a moment ago, where `fresh` asks for that.
    pub(crate) fn demand_instance(&self, fresh: bool) -> Result<()> {
        if !self.is_of_instance() {
            return Err(Fault::forbidden(
                "Only owners of the instance and the operator at the command line can do this.",
            ));
        }
        if fresh { self.demand_fresh() } else { Ok(()) }
    }

    /// Returns whether it is this account.
    pub(crate) fn is_account(&self, account: Uuid) -> bool {
        matches!(self.who, Who::Account { id, .. } if id == account)
    }

    /// Returns whether it can have to do with this organization at all.
    pub(crate) fn knows(&self, organization: Uuid) -> bool {
        match &self.who {
            Who::Operator { .. } | Who::Owner { .. } => true,
            Who::Account {
                organization: own, ..
            }
            | Who::Provider {
                organization: own, ..
            }
            | Who::SetupLink {
                organization: own, ..
            } => *own == organization,
        }
    }

    /// Returns the name by which a reader of the audit log knows the actor.
    pub(crate) fn name(&self) -> String {
        match &self.who {
            Who::Operator { user } => user.clone(),
            Who::Account { name, .. } | Who::Owner { name, .. } => name.clone(),
            Who::Provider { token, .. } => token.to_string(),
            Who::SetupLink { maker, .. } => maker.clone(),
        }
    }

    /// Checks that the actor may do it.
    ///
    /// # Errors
    /// Forbidden without the permission; stale without a fresh second factor where one is asked for.
    pub(crate) fn demand(&self, action: &Action) -> Result<()> {
        if self.is_operator() {
            return Ok(());
        }
        if !self.permissions.has(&action.permission) {
            return Err(Fault::forbidden(format!(
                "This needs the permission {}, which you do not have: ask an administrator who has it.",
                action.permission
            )));
        }
        if action.fresh { self.demand_fresh() } else { Ok(()) }
    }

    /// Checks that the actor has proved a second factor a moment ago.
    ///
    /// # Errors
    /// Stale if not.
    pub(crate) fn demand_fresh(&self) -> Result<()> {
        if self.is_operator() || self.fresh {
            return Ok(());
        }
        Err(Fault::stale(
            "This needs a second factor that was confirmed a moment ago: confirm it and try again.",
        ))
    }

    /// Checks that the actor has all of these permissions, so that none goes beyond their own; `what` says for what.
    ///
    /// # Errors
    /// Forbidden, with the permissions that are lacking.
    pub(crate) fn demand_all(&self, permissions: &Permissions, what: &str) -> Result<()> {
        let is_for_instance = matches!(
            self.who,
            Who::SetupLink {
                is_of_instance: true,
                ..
            }
        );
        if is_for_instance || self.is_of_instance() || self.permissions.covers(permissions) {
            return Ok(());
        }
        let lacking = self.permissions.lacking(permissions);
        Err(Fault::forbidden(format!(
            "{what} needs permissions that you do not have yourself: {lacking}. Ask an administrator who has them, or \
             the operator at the command line."
        )))
    }
}

impl Who {
    /// Returns the kind of actor, as the audit log has it.
    pub(crate) const fn kind(&self) -> ActorKind {
        match self {
            Self::Operator { .. } => ActorKind::Operator,
            Self::Account { .. } => ActorKind::Account,
            Self::Owner { .. } => ActorKind::Owner,
            Self::Provider { .. } => ActorKind::Provider,
            Self::SetupLink { .. } => ActorKind::SetupLink,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::fault::Kind;
    use crate::domain::permission::tests::{permission, permissions};

    /// Makes an administrator with these permissions.
    pub(crate) fn administrator(permissions: Permissions, fresh: bool) -> Actor {
        Actor {
            who: Who::Account {
                organization: Uuid::nil(),
                id: Uuid::from_u128(1),
                name: "ada@x.example".to_owned(),
            },
            permissions,
            fresh,
            address: None,
        }
    }

    /// Feature row 87: an action is a constant of the program, and so is the list of all.
    #[test]
    fn actions_are_constants() {
        const CREATE: Action = Action {
            name: "role.create",
            permission: Permission::ROLES_WRITE,
            fresh: true,
        };
        static ALL: &[Action] = &[CREATE];
        assert_eq!(ALL, [CREATE]);
    }

    proptest! {
        /// Feature rows 86, 87: what an action asks for, and of whom.
        #[test]
        fn an_action_asks_for_its_permission_and_freshness(
            own in permissions(), asked in permission(), fresh: bool, asks_fresh: bool,
        ) {
            let action = Action { name: "thing.do", permission: asked.clone(), fresh: asks_fresh };
            let answer = administrator(own.clone(), fresh).demand(&action);
            let kind = answer.as_ref().err().map(Fault::kind);
            let expected = if !own.has(&asked) {
                Some(Kind::Forbidden)
            } else if asks_fresh && !fresh {
                Some(Kind::Stale)
            } else {
                None
            };
            prop_assert_eq!(kind, expected);
            if kind == Some(Kind::Forbidden) {
                prop_assert!(answer.unwrap_err().to_string().contains(&asked.to_string()));
            }
            prop_assert!(Actor::operator("root".to_owned()).demand(&action).is_ok());
            let provider = Actor { who: Who::Provider { organization: Uuid::nil(), token: Uuid::nil() }, ..administrator(Permissions::NONE, true) };
            prop_assert_eq!(provider.demand(&action).unwrap_err().kind(), Kind::Forbidden);
        }

        /// Feature row 87: nobody goes beyond their own permissions but the operator.
        #[test]
        fn nobody_goes_beyond_their_own_permissions(own in permissions(), given in permissions()) {
            let answer = administrator(own.clone(), true).demand_all(&given, "To map this group");
            prop_assert_eq!(answer.is_ok(), own.covers(&given));
            prop_assert!(Actor::operator("root".to_owned()).demand_all(&given, "To map this group").is_ok());
        }
    }
}
