//! Grants: what somebody holds, and by what they came to it.

use jiff::Timestamp;
use uuid::Uuid;

use super::account::{Account, ManagedBy};
use super::fault::{Fault, Remedy, Result};
use super::keyword::keywords;
use super::permission::Permission;
use super::role::RoleId;
use super::settings::Assignment;

keywords! {
    /// The way by which somebody comes to a role or permission. Each gives and takes only what has its own origin.
    Origin {
        /// A group of the identity provider is mapped to the role.
        Mapping = "mapping",
        /// The role mirrors a group of the identity provider.
        MirroredGroup = "mirrored-group",
        /// A group that is kept in the portal holds the role.
        LocalGroup = "local-group",
        /// An administrator has given it.
        Hand = "hand",
        /// The account is there for the day on which nothing else works.
        BreakGlass = "break-glass",
    }
}

impl Origin {
    /// Returns whether a synchronisation of the identity provider may give and take it.
    pub(crate) const fn is_of_synchronisation(self) -> bool {
        match self {
            Self::Mapping | Self::MirroredGroup => true,
            Self::LocalGroup | Self::Hand | Self::BreakGlass => false,
        }
    }

    /// Returns whether it is kept as a grant. The others follow from groups, and are worked out whenever they are asked for.
    pub(crate) const fn is_kept(self) -> bool {
        match self {
            Self::Hand | Self::BreakGlass => true,
            Self::Mapping | Self::MirroredGroup | Self::LocalGroup => false,
        }
    }
}

/// The account or local group that holds something by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Holder {
    Account(Uuid),
    LocalGroup(Uuid),
}

impl Holder {
    /// Returns the identifier of the holder: those of accounts and local groups are never the same.
    pub(crate) const fn id(self) -> Uuid {
        match self {
            Self::Account(id) | Self::LocalGroup(id) => id,
        }
    }
}

/// A role that an account or local group holds by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoleGrant {
    pub(crate) holder: Holder,
    pub(crate) role: RoleId,
    pub(crate) origin: Origin,
    pub(crate) created: Timestamp,
    /// The name of whoever gave it.
    pub(crate) by: String,
}

/// A permission that an account holds by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PermissionGrant {
    pub(crate) account: Uuid,
    pub(crate) permission: Permission,
    pub(crate) origin: Origin,
    /// It has no effect until an administrator decides: its holder was deleted and has come back.
    pub(crate) waiting: bool,
    pub(crate) created: Timestamp,
    /// The name of whoever gave it.
    pub(crate) by: String,
}

/// Checks that a role may be given to an account, or taken from it, by hand.
///
/// # Errors
/// The identity provider looks after the account: its roles come by groups alone.
pub(crate) fn demand_roles_by_hand(account: &Account) -> Result<()> {
    match account.managed_by {
        ManagedBy::Hand => Ok(()),
        ManagedBy::Scim => Err(Fault::conflict(format!(
            "The account {:?} is managed by the identity provider, and its roles come by groups: map a group of the \
             person to the role, or give single permissions by hand.",
            account.name
        ))),
    }
}

/// Checks that somebody may be put into a local group.
///
/// # Errors
/// The settings of the organization leave no effect to local groups.
pub(crate) fn demand_local_groups(assignment: Assignment) -> Result<()> {
    match assignment {
        Assignment::LocalGroups => Ok(()),
        Assignment::MappedOnly => Err(Fault::conflict(
            "Roles come by mapped groups alone in this organization, and groups kept here have no effect",
        )
        .mended_by(Remedy {
            page: "let people get roles through groups that you keep here first, in the settings of SCIM.",
            command: "set \"assignment\" to local-groups first.",
        })),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::domain::account::Person;
    use crate::domain::effective::tests::{account_id, group_row, picture};
    use crate::domain::effective::{Picture, Reason};
    use crate::domain::keyword::Keyword;
    use crate::domain::settings::{OnDelete, UserNames};

    /// Feature row 96: a synchronisation has what follows from groups of the provider, and nothing that is kept.
    #[test]
    fn a_synchronisation_touches_nothing_that_is_kept() {
        let words = |holds: fn(Origin) -> bool| -> Vec<&str> {
            Origin::ALL
                .iter()
                .filter(|origin| holds(**origin))
                .map(|origin| origin.word())
                .collect()
        };
        assert_eq!(
            words(Origin::is_of_synchronisation),
            ["mapping", "mirrored-group"]
        );
        assert_eq!(words(Origin::is_kept), ["hand", "break-glass"]);
    }

    /// Feature rows 44, 45: roles of a provisioned person are neither given nor taken by hand.
    #[test]
    fn roles_by_hand_are_for_manual_accounts() {
        let person = Person {
            name: "ada@x.example".to_owned(),
            display: "Ada".to_owned(),
            address: None,
            active: None,
        };
        let provisioned = Account::provisioned(Uuid::nil(), 1, person, Timestamp::UNIX_EPOCH);
        let refused = demand_roles_by_hand(&provisioned).unwrap_err().to_string();
        assert!(refused.contains("its roles come by groups"), "{refused}");
        let manual =
            Account::by_hand(Uuid::nil(), "root", None, UserNames::Any, Timestamp::UNIX_EPOCH).unwrap();
        assert!(demand_roles_by_hand(&manual).is_ok());
    }

    /// Feature row 50: local groups are for organizations that assign by them.
    #[test]
    fn local_groups_are_a_setting() {
        assert!(demand_local_groups(Assignment::LocalGroups).is_ok());
        assert!(demand_local_groups(Assignment::MappedOnly).is_err());
    }

    /// A request of the identity provider, as far as access goes.
    #[derive(Debug, Clone)]
    enum Request {
        Change { account: Uuid, active: Option<bool> },
        Delete { account: Uuid },
        AddMember { group: i64, account: Uuid },
        RemoveMember { group: i64, account: Uuid },
        DeleteGroup { group: i64 },
    }

    fn request() -> impl Strategy<Value = Request> {
        prop_oneof![
            (account_id(), any::<Option<bool>>())
                .prop_map(|(account, active)| Request::Change { account, active }),
            account_id().prop_map(|account| Request::Delete { account }),
            (group_row(), account_id()).prop_map(|(group, account)| Request::AddMember { group, account }),
            (group_row(), account_id()).prop_map(|(group, account)| Request::RemoveMember { group, account }),
            group_row().prop_map(|group| Request::DeleteGroup { group }),
        ]
    }

    /// Serves a request. Only people whom SCIM shows are in its reach.
    fn serve(mut picture: Picture, request: &Request, how: OnDelete) -> Picture {
        let row = |picture: &Picture, account| picture.accounts.get(&account).and_then(|account| account.row);
        match request {
            Request::Change { account, active } => {
                let account = picture.accounts.get_mut(account).unwrap();
                let person = Person {
                    name: account.name.clone(),
                    display: "Renamed".to_owned(),
                    address: None,
                    active: *active,
                };
                *account = account.changed(person, Timestamp::UNIX_EPOCH);
            }
            Request::Delete { account } if row(&picture, *account).is_some() => {
                picture = picture.person_deleted(*account, how, Timestamp::UNIX_EPOCH);
            }
            Request::AddMember { group, account } => {
                if let (Some(row), Some(group)) = (row(&picture, *account), picture.groups.get_mut(group)) {
                    group.members.insert(row);
                }
            }
            Request::RemoveMember { group, account } => {
                if let (Some(row), Some(group)) = (row(&picture, *account), picture.groups.get_mut(group)) {
                    group.members.remove(&row);
                }
            }
            Request::DeleteGroup { group } => picture = picture.group_deleted(*group),
            Request::Delete { .. } => {}
        }
        picture
    }

    /// Returns the access that somebody has by other ways than groups of the identity provider.
    fn of_other_origins(picture: &Picture, account: Uuid) -> Vec<String> {
        let effective = picture.effective(account);
        let roles = effective
            .roles
            .iter()
            .flat_map(|(role, paths)| paths.iter().map(move |path| (role, path)));
        let roles = roles.filter(|(_, path)| !path.origin().is_of_synchronisation());
        let roles = roles.map(|(role, path)| format!("{role} {path:?}"));
        let held = effective.permissions.iter().flat_map(|(permission, reasons)| {
            let held = reasons.iter().filter(|reason| matches!(reason, Reason::Held(_)));
            held.map(move |reason| format!("{permission} {reason:?}"))
        });
        roles.chain(held).collect()
    }

    proptest! {
        /// Feature rows 43, 96, 104: whatever the identity provider asks for, manual accounts keep what they have, and
        /// whoever can sign in before and after keeps what does not come of its groups, unless they were deleted.
        #[test]
        fn no_request_changes_a_grant_of_another_origin(
            before in picture(), requests in vec(request(), 0..20), how in select(OnDelete::ALL),
        ) {
            let mut after = before.clone();
            for request in &requests {
                after = serve(after, request, how);
            }
            prop_assert_eq!(&before.role_grants, &after.role_grants);
            for (id, account) in &before.accounts {
                if account.managed_by == ManagedBy::Hand {
                    prop_assert_eq!(account, &after.accounts[id]);
                    prop_assert_eq!(before.effective(*id), after.effective(*id));
                }
                if account.has_access() && after.accounts[id].has_access() {
                    prop_assert_eq!(of_other_origins(&before, *id), of_other_origins(&after, *id));
                }
                let held = |picture: &Picture| -> Vec<PermissionGrant> {
                    picture.permission_grants.iter().filter(|grant| grant.account == *id).cloned().collect()
                };
                let is_removed = how == OnDelete::Remove && after.accounts[id].is_deleted();
                prop_assert!(is_removed || held(&before) == held(&after));
            }
        }
    }
}
