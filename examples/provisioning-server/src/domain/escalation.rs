//! Escalation: nobody gives, maps or edits beyond what they may do themselves.
//!
//! An action asks for its own permission first. Its effect asks for more: that whoever acts has every permission
//! that somebody can gain by it, or that belongs to what is edited.

use uuid::Uuid;

use super::account::{Account, ManagedBy};
use super::actor::Actor;
use super::effective::Picture;
use super::fault::Result;
use super::grant::Holder;
use super::mapping::{Change, Difference};
use super::permission::{Permission, Permissions};
use super::role::RoleId;
use super::settings::{Assignment, Groups};

/// The needs of a change, beside the permission of the action.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    pub(crate) permissions: Permissions,
    /// Whether it asks for a second factor that was confirmed a moment ago.
    pub(crate) fresh: bool,
}

impl Needs {
    /// Returns what is asked for giving or taking these permissions, or for editing what has them: an account that can
    /// have them, or a role that permits them before or after.
    pub(crate) fn of(permissions: Permissions) -> Self {
        Self {
            fresh: permissions.escalate(),
            permissions,
        }
    }

    /// Returns what is asked for a change of mappings to roles that permit this, whether they are added or removed.
    pub(crate) fn of_mapping(permissions: Permissions) -> Self {
        Self {
            permissions,
            fresh: true,
        }
    }

    /// Returns what is asked for whatever lets somebody act as the identity provider: making and rotating its
    /// credentials, changing SAML or login settings, sending a set-up link, adopting an account, releasing a conflict.
    /// `power` is everything that the provider can give.
    pub(crate) fn of_provider(power: Permissions) -> Self {
        Self {
            permissions: power,
            fresh: true,
        }
    }

    /// Returns what is asked for two things at once.
    #[must_use]
    pub(crate) fn and(self, other: &Self) -> Self {
        Self {
            permissions: self.permissions.union(&other.permissions),
            fresh: self.fresh || other.fresh,
        }
    }

    /// Checks that an actor has what is asked; `what` names the change, such as `This mapping`.
    ///
    /// # Errors
    /// Forbidden with the permissions that are lacking; stale without a fresh second factor where one is asked for.
    pub(crate) fn demand(&self, actor: &Actor, what: &str) -> Result<()> {
        actor.demand_all(&self.permissions, what)?;
        if self.fresh { actor.demand_fresh() } else { Ok(()) }
    }
}

/// Something that can give access to somebody, or take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Changes an account: its name and address, whether it is enabled, suspended, removed.
    EditAccount {
        account: Uuid,
    },
    GiveRole {
        holder: Holder,
        role: RoleId,
    },
    TakeRole {
        holder: Holder,
        role: RoleId,
    },
    /// Gives a permission to an account, or lets one that waits have its effect.
    GivePermission {
        account: Uuid,
        permission: Permission,
    },
    TakePermission {
        account: Uuid,
        permission: Permission,
    },
    JoinLocalGroup {
        account: Uuid,
        group: Uuid,
    },
    LeaveLocalGroup {
        account: Uuid,
        group: Uuid,
    },
    CreateRole {
        permissions: Permissions,
    },
    EditRole {
        role: RoleId,
        permissions: Permissions,
    },
    DeleteRole {
        role: RoleId,
    },
    Map(Change),
    SetGroups(Groups),
    SetAssignment(Assignment),
    /// Makes or rotates a credential of the provider, changes SAML or login settings, sends a set-up link, or releases
    /// a conflict.
    ActAsProvider,
    /// Lets the provider take over a manual account.
    Adopt {
        account: Uuid,
    },
}

impl Picture {
    /// Returns what somebody asks of whoever does it.
    pub(crate) fn needs(&self, deed: &Deed) -> Needs {
        match deed {
            Deed::EditAccount { account } => Needs::of(self.can_have(*account)),
            Deed::GiveRole { role, .. } | Deed::TakeRole { role, .. } | Deed::DeleteRole { role } => {
                Needs::of(self.permissions_of([role]))
            }
            Deed::GivePermission { permission, .. } | Deed::TakePermission { permission, .. } => {
                Needs::of(Permissions::from_iter([permission.clone()]))
            }
            Deed::JoinLocalGroup { group, .. } | Deed::LeaveLocalGroup { group, .. } => {
                Needs::of(self.local_group_gives(*group))
            }
            Deed::CreateRole { permissions } => Needs::of(permissions.clone()),
            Deed::EditRole { role, permissions } => Needs::of(self.permissions_of([role]).union(permissions)),
            Deed::Map(change) => {
                let difference = Difference::between(&self.mapped_to(change.group), &change.roles);
                Needs::of_mapping(self.permissions_of(difference.roles()))
            }
            Deed::SetGroups(_) => Needs::of_mapping(self.mappings_give().union(&self.mirrors_give())),
            Deed::SetAssignment(_) => {
                let groups = self
                    .local_groups
                    .keys()
                    .map(|group| self.local_group_gives(*group));
                Needs::of_mapping(groups.fold(Permissions::NONE, |all, group| all.union(&group)))
            }
            Deed::ActAsProvider => Needs::of_provider(self.provider_power()),
            Deed::Adopt { account } => {
                Needs::of_provider(self.provider_power()).and(&Needs::of(self.can_have(*account)))
            }
        }
    }

    /// Returns everything that whoever acts as the identity provider can come to: what mappings or mirrored roles give,
    /// and what people of the provider hold otherwise, since the provider says by which name and address they sign in.
    pub(crate) fn provider_power(&self) -> Permissions {
        let given = match self.groups_become {
            Groups::Map => self.mappings_give(),
            Groups::Mirror => self.mirrors_give(),
        };
        let provisioned = self
            .accounts
            .values()
            .filter(|account| account.managed_by == ManagedBy::Scim);
        provisioned.fold(given, |all, account| {
            all.union(&self.potential(account).permitted())
        })
    }

    fn mappings_give(&self) -> Permissions {
        self.permissions_of(self.mappings.iter().map(|(_, role)| role))
    }

    fn mirrors_give(&self) -> Permissions {
        let mirrors = self.roles.values().filter(|role| role.mirrors.is_some());
        self.permissions_of(mirrors.map(|role| &role.id))
    }

    fn local_group_gives(&self, group: Uuid) -> Permissions {
        let grants = self
            .role_grants
            .iter()
            .filter(|grant| grant.holder == Holder::LocalGroup(group));
        self.permissions_of(grants.map(|grant| &grant.role))
    }

    fn can_have(&self, account: Uuid) -> Permissions {
        let potential = |account: &Account| self.potential(account).permitted();
        self.accounts.get(&account).map_or(Permissions::NONE, potential)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use jiff::Timestamp;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::domain::account::AccountState;
    use crate::domain::actor::Who;
    use crate::domain::effective::tests::{
        account_id, group_row, local_group_id, mirror_of, picture, role_id,
    };
    use crate::domain::fault::Kind;
    use crate::domain::grant::{Origin, PermissionGrant, RoleGrant};
    use crate::domain::keyword::Keyword;
    use crate::domain::mapping::tests::change;
    use crate::domain::permission::tests::{permission, permissions};
    use crate::domain::role::{Draft, Role};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    /// A deed, or something that only who acts as the provider can do.
    #[derive(Debug, Clone)]
    enum Step {
        Deed(Deed),
        AddMember { group: i64, row: i64 },
        Activate { account: Uuid },
    }

    fn holder() -> impl Strategy<Value = Holder> {
        prop_oneof![
            account_id().prop_map(Holder::Account),
            local_group_id().prop_map(Holder::LocalGroup),
        ]
    }

    fn any_role() -> impl Strategy<Value = RoleId> {
        prop_oneof![2 => role_id(), 1 => group_row().prop_map(mirror_of)]
    }

    pub(crate) fn deed() -> impl Strategy<Value = Deed> {
        prop_oneof![
            account_id().prop_map(|account| Deed::EditAccount { account }),
            (holder(), role_id()).prop_map(|(holder, role)| Deed::GiveRole { holder, role }),
            (holder(), role_id()).prop_map(|(holder, role)| Deed::TakeRole { holder, role }),
            (account_id(), permission())
                .prop_map(|(account, permission)| Deed::GivePermission { account, permission }),
            (account_id(), permission())
                .prop_map(|(account, permission)| Deed::TakePermission { account, permission }),
            (account_id(), local_group_id())
                .prop_map(|(account, group)| Deed::JoinLocalGroup { account, group }),
            (account_id(), local_group_id())
                .prop_map(|(account, group)| Deed::LeaveLocalGroup { account, group }),
            permissions().prop_map(|permissions| Deed::CreateRole { permissions }),
            (any_role(), permissions()).prop_map(|(role, permissions)| Deed::EditRole { role, permissions }),
            role_id().prop_map(|role| Deed::DeleteRole { role }),
            change().prop_map(Deed::Map),
            select(Groups::ALL).prop_map(Deed::SetGroups),
            select(Assignment::ALL).prop_map(Deed::SetAssignment),
            Just(Deed::ActAsProvider),
            account_id().prop_map(|account| Deed::Adopt { account }),
        ]
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => deed().prop_map(Step::Deed),
            1 => (group_row(), select(&[1, 2, 3, 4, 95, 96])).prop_map(|(group, row)| Step::AddMember { group, row }),
            1 => account_id().prop_map(|account| Step::Activate { account }),
        ]
    }

    /// Applies a deed, with whatever follows from it.
    pub(crate) fn apply(mut picture: Picture, deed: &Deed) -> Picture {
        match deed {
            // The change itself is one of many; the most that it can give is that the account can be used.
            Deed::EditAccount { account } => enable(&mut picture, *account),
            Deed::GiveRole { holder, role } => picture.role_grants.push(RoleGrant {
                holder: *holder,
                role: *role,
                origin: Origin::Hand,
                created: NOW,
                by: String::new(),
            }),
            Deed::TakeRole { holder, role } => {
                picture
                    .role_grants
                    .retain(|grant| (grant.holder, grant.role) != (*holder, *role));
            }
            Deed::GivePermission { account, permission } => picture.permission_grants.push(PermissionGrant {
                account: *account,
                permission: permission.clone(),
                origin: Origin::Hand,
                waiting: false,
                created: NOW,
                by: String::new(),
            }),
            Deed::TakePermission { account, permission } => picture
                .permission_grants
                .retain(|grant| (&grant.account, &grant.permission) != (account, permission)),
            Deed::JoinLocalGroup { account, group } => {
                _ = picture
                    .local_groups
                    .get_mut(group)
                    .unwrap()
                    .members
                    .insert(*account);
            }
            Deed::LeaveLocalGroup { account, group } => {
                _ = picture
                    .local_groups
                    .get_mut(group)
                    .unwrap()
                    .members
                    .remove(account);
            }
            Deed::CreateRole { permissions } => {
                let id = RoleId(Uuid::from_u128(900 + picture.roles.len() as u128));
                let draft = Draft {
                    name: "New".to_owned(),
                    description: String::new(),
                    permissions: permissions.clone(),
                };
                picture.roles.insert(id, Role::new(id, draft, NOW));
            }
            Deed::EditRole { role, permissions } => {
                if let Some(role) = picture.roles.get_mut(role) {
                    role.permissions = permissions.clone();
                }
            }
            Deed::DeleteRole { role } => {
                picture.roles.remove(role);
                picture.mappings.retain(|(_, of)| of != role);
                picture.role_grants.retain(|grant| grant.role != *role);
            }
            Deed::Map(change) => {
                let mut change = change.clone();
                change.roles.retain(|role| picture.roles.contains_key(role));
                picture = picture.mapping(&[change]);
            }
            Deed::SetGroups(groups) => picture.groups_become = *groups,
            Deed::SetAssignment(assignment) => picture.assignment = *assignment,
            Deed::ActAsProvider => {}
            Deed::Adopt { account } => {
                picture
                    .role_grants
                    .retain(|grant| grant.holder != Holder::Account(*account));
                let row = 90 + i64::try_from(account.as_u128()).unwrap();
                let account = picture.accounts.get_mut(account).unwrap();
                account.managed_by = ManagedBy::Scim;
                account.row.get_or_insert(row);
            }
        }
        picture
    }

    fn enable(picture: &mut Picture, account: Uuid) {
        let account = picture.accounts.get_mut(&account).unwrap();
        account.suspended = None;
        account.state = AccountState::Active;
    }

    /// Returns the accounts that are in the hand of the actor after a deed.
    fn taken(deed: &Deed, picture: &Picture) -> BTreeSet<Uuid> {
        match deed {
            Deed::EditAccount { account } => BTreeSet::from([*account]),
            Deed::ActAsProvider | Deed::Adopt { .. } => {
                let provisioned = picture
                    .accounts
                    .values()
                    .filter(|account| account.managed_by == ManagedBy::Scim);
                provisioned.map(|account| account.id).collect()
            }
            _ => BTreeSet::new(),
        }
    }

    /// Gives an account everything but one permission: nobody could try more without it.
    fn give_all_but(picture: &mut Picture, account: Uuid, lacked: &Permission) {
        let free_form = ["app:a", "app:b", "app:c"].map(|text| Permission::parse(text).unwrap());
        for permission in Permission::CATALOGUE.iter().chain(&free_form) {
            if !Permissions::from_iter([permission.clone()]).has(lacked) {
                let permission = permission.clone();
                *picture = apply(picture.clone(), &Deed::GivePermission { account, permission });
            }
        }
        enable(picture, account);
    }

    fn actor(picture: &Picture, account: Uuid) -> Actor {
        Actor {
            who: Who::Account {
                organization: Uuid::nil(),
                id: account,
                name: String::new(),
            },
            permissions: picture.effective(account).permitted(),
            fresh: true,
            address: None,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        /// Feature row 87: whatever an actor without X does, in whatever order, no account of theirs comes to X, also
        /// not as soon as its person can sign in.
        #[test]
        fn nobody_comes_to_what_they_lack(
            start in picture(), account in account_id(), asked in permission(), steps in vec(step(), 0..25), most: bool,
        ) {
            let mut start = start;
            if most {
                give_all_but(&mut start, account, &asked);
            }
            let account_before = &start.accounts[&account];
            prop_assume!(!start.potential(account_before).permitted().has(&asked));
            let mut now = start;
            let mut theirs = BTreeSet::from([account]);
            let mut is_provider = false;
            for step in steps {
                match step {
                    Step::Deed(deed) => {
                        if now.needs(&deed).demand(&actor(&now, account), "This").is_err() {
                            continue;
                        }
                        now = apply(now, &deed);
                        is_provider |= matches!(deed, Deed::ActAsProvider);
                        theirs.extend(taken(&deed, &now));
                    }
                    Step::AddMember { group, row } if is_provider => {
                        _ = now.groups.get_mut(&group).unwrap().members.insert(row);
                    }
                    Step::Activate { account } if is_provider => {
                        let active = &mut now.accounts.get_mut(&account).unwrap();
                        if active.managed_by == ManagedBy::Scim {
                            active.state = AccountState::Active;
                        }
                    }
                    Step::AddMember { .. } | Step::Activate { .. } => {}
                }
                if is_provider {
                    theirs.extend(taken(&Deed::ActAsProvider, &now));
                }
                for account in &theirs {
                    let potential = now.potential(&now.accounts[account]);
                    prop_assert!(!potential.permitted().has(&asked), "{account} has {asked}");
                }
            }
        }
    }

    proptest! {
        /// Feature rows 87, 90: changes of mappings and of what the provider signs in with ask for a fresh factor, and so
        /// does everything that an escalating permission takes part in.
        #[test]
        fn what_escalates_asks_for_a_fresh_factor(picture in picture(), deed in deed()) {
            let needs = picture.needs(&deed);
            let always = matches!(deed, Deed::Map(_) | Deed::SetGroups(_) | Deed::SetAssignment(_)
                | Deed::ActAsProvider | Deed::Adopt { .. });
            prop_assert_eq!(needs.fresh, always || needs.permissions.escalate());
            let mut stale = actor(&picture, Uuid::nil());
            stale.permissions = needs.permissions.clone();
            stale.fresh = false;
            let kind = needs.demand(&stale, "This").err().map(|fault| fault.kind());
            prop_assert_eq!(kind, needs.fresh.then_some(Kind::Stale));
            prop_assert!(needs.demand(&Actor::operator("root".to_owned()), "This").is_ok());
        }

        /// Feature row 87: a credential of the provider asks for every permission that it can give.
        #[test]
        fn a_provider_can_give_no_more_than_was_asked_for(start in picture(), group in group_row(), row in 1_i64..=4) {
            let power = start.provider_power();
            let mut after = start;
            after.groups.get_mut(&group).unwrap().members.insert(row);
            for account in after.accounts.values().filter(|account| account.managed_by == ManagedBy::Scim) {
                prop_assert!(power.covers(&after.potential(account).permitted()));
            }
            prop_assert_eq!(after.provider_power(), power);
        }
    }
}
