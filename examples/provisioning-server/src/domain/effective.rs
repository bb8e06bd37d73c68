//! Effective access: the roles and permissions of everybody in an organization, and why they have them.
//!
//! It follows from a [`Picture`] of the organization, is worked out whenever it is asked for, and is kept nowhere. This
//! is the plain form of the rules; statements of the database must come to the same.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::account::{Account, AccountState, ManagedBy};
use super::grant::{Holder, Origin, PermissionGrant, RoleGrant};
use super::permission::{Permission, Permissions};
use super::role::{Role, RoleId};
use super::settings::{Assignment, Groups};

/// Everything in one organization that access follows from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) groups_become: Groups,
    pub(crate) assignment: Assignment,
    pub(crate) accounts: BTreeMap<Uuid, Account>,
    /// Groups of the identity provider, by their key among the resources of SCIM.
    pub(crate) groups: BTreeMap<i64, Group>,
    /// Roles that groups are mapped to. While groups are mirrored they have no effect.
    pub(crate) mappings: BTreeSet<(i64, RoleId)>,
    /// Roles that administrators made, and those that mirror groups. The latter have no effect while groups are mapped.
    pub(crate) roles: BTreeMap<RoleId, Role>,
    pub(crate) local_groups: BTreeMap<Uuid, LocalGroup>,
    pub(crate) role_grants: Vec<RoleGrant>,
    pub(crate) permission_grants: Vec<PermissionGrant>,
}

/// A group of the identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) name: String,
    /// The keys of its direct members: people, and groups that give nothing.
    pub(crate) members: BTreeSet<i64>,
}

/// A group that is kept in the portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocalGroup {
    pub(crate) name: String,
    pub(crate) members: BTreeSet<Uuid>,
}

/// A way by which somebody has a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Path {
    /// They are in a group of the identity provider that is mapped to the role.
    Mapping { group: i64 },
    /// They are in the group that the role mirrors.
    MirroredGroup { group: i64 },
    /// They are in a local group that holds the role.
    LocalGroup { group: Uuid },
    /// They hold the role themselves.
    Held(Origin),
}

impl Path {
    /// Returns the origin of what comes by it.
    pub(crate) const fn origin(self) -> Origin {
        match self {
            Self::Mapping { .. } => Origin::Mapping,
            Self::MirroredGroup { .. } => Origin::MirroredGroup,
            Self::LocalGroup { .. } => Origin::LocalGroup,
            Self::Held(origin) => origin,
        }
    }
}

/// A reason for which somebody has a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Reason {
    /// They have a role that permits it, by one way.
    Role { role: RoleId, path: Path },
    /// They hold the permission themselves.
    Held(Origin),
}

/// The roles and permissions that somebody has, each with every way that leads to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Effective {
    pub(crate) roles: BTreeMap<RoleId, BTreeSet<Path>>,
    pub(crate) permissions: BTreeMap<Permission, BTreeSet<Reason>>,
}

impl Effective {
    /// Returns the permissions without the reasons.
    pub(crate) fn permitted(&self) -> Permissions {
        self.permissions.keys().cloned().collect()
    }

    /// Returns why somebody may do what a permission stands for: the permission that lets them, which may be one to
    /// write where one to read was asked for, with every reason for it. Empty if they may not.
    pub(crate) fn why(&self, asked: &Permission) -> BTreeMap<&Permission, &BTreeSet<Reason>> {
        let lets = |own: &Permission| Permissions::from_iter([own.clone()]).has(asked);
        self.permissions.iter().filter(|(own, _)| lets(own)).collect()
    }

    /// Returns the roles and permissions that would go with one group of the identity provider or of the portal: what no
    /// other way leads to.
    pub(crate) fn lost_without(&self, is_of_group: impl Fn(&Path) -> bool) -> (Vec<RoleId>, Permissions) {
        let roles = self.roles.iter();
        let lost: Vec<RoleId> = roles
            .filter(|(_, paths)| paths.iter().all(&is_of_group))
            .map(|(role, _)| *role)
            .collect();
        let stays = |reason: &Reason| !matches!(reason, Reason::Role { path, .. } if is_of_group(path));
        let kept = self.permissions.iter();
        let kept = kept.filter(|(_, reasons)| reasons.iter().any(stays));
        let kept: Permissions = kept.map(|(permission, _)| permission.clone()).collect();
        (lost, kept.lacking(&self.permitted()))
    }
}

impl Picture {
    /// Returns what an account has now: nothing if it is disabled, removed or suspended.
    pub(crate) fn effective(&self, account: Uuid) -> Effective {
        match self.accounts.get(&account) {
            Some(account) if account.has_access() => self.potential(account),
            _ => Effective::default(),
        }
    }

    /// Returns what every account has now.
    pub(crate) fn everybody(&self) -> BTreeMap<Uuid, Effective> {
        self.accounts
            .keys()
            .map(|id| (*id, self.effective(*id)))
            .collect()
    }

    /// Returns what an account has as soon as its person can sign in.
    pub(crate) fn potential(&self, account: &Account) -> Effective {
        let mut effective = Effective::default();
        for (role, path) in self.paths(account) {
            effective.roles.entry(role).or_default().insert(path);
            let permissions = self.roles.get(&role).map(|role| &role.permissions);
            for permission in permissions.into_iter().flat_map(Permissions::iter) {
                let reasons = effective.permissions.entry(permission.clone()).or_default();
                reasons.insert(Reason::Role { role, path });
            }
        }
        for grant in &self.permission_grants {
            if grant.account == account.id && !grant.waiting {
                let reasons = effective.permissions.entry(grant.permission.clone()).or_default();
                reasons.insert(Reason::Held(grant.origin));
            }
        }
        effective
    }

    /// Returns every way from an account to a role.
    fn paths(&self, account: &Account) -> Vec<(RoleId, Path)> {
        let provisioned = match self.groups_become {
            Groups::Map => self.mapped(account),
            Groups::Mirror => self.mirrored(account),
        };
        let local = match self.assignment {
            Assignment::LocalGroups => self.by_local_groups(account),
            Assignment::MappedOnly => Vec::new(),
        };
        let held = match account.managed_by {
            ManagedBy::Hand => self.held(account),
            ManagedBy::Scim => Vec::new(),
        };
        [provisioned, local, held].concat()
    }

    fn mapped(&self, account: &Account) -> Vec<(RoleId, Path)> {
        let is_member = |group: &i64| self.is_member(account, *group);
        let mappings = self.mappings.iter().filter(|(group, _)| is_member(group));
        mappings
            .map(|(group, role)| (*role, Path::Mapping { group: *group }))
            .collect()
    }

    fn mirrored(&self, account: &Account) -> Vec<(RoleId, Path)> {
        let roles = self
            .roles
            .values()
            .filter_map(|role| Some((role.id, role.mirrors?)));
        roles
            .filter(|(_, group)| self.is_member(account, *group))
            .map(|(role, group)| (role, Path::MirroredGroup { group }))
            .collect()
    }

    fn by_local_groups(&self, account: &Account) -> Vec<(RoleId, Path)> {
        let groups = self
            .local_groups
            .iter()
            .filter(|(_, group)| group.members.contains(&account.id));
        groups
            .flat_map(|(group, _)| {
                let roles = self
                    .role_grants
                    .iter()
                    .filter(|grant| grant.holder == Holder::LocalGroup(*group));
                roles.map(|grant| (grant.role, Path::LocalGroup { group: *group }))
            })
            .collect()
    }

    fn held(&self, account: &Account) -> Vec<(RoleId, Path)> {
        let grants = self
            .role_grants
            .iter()
            .filter(|grant| grant.holder == Holder::Account(account.id));
        grants
            .map(|grant| (grant.role, Path::Held(grant.origin)))
            .collect()
    }

    /// Returns whether the person of an account is a direct member of a group. A group in a group gives nothing.
    fn is_member(&self, account: &Account, group: i64) -> bool {
        let members = self.groups.get(&group).map(|group| &group.members);
        account
            .row
            .is_some_and(|row| members.is_some_and(|members| members.contains(&row)))
    }

    /// Returns the people of the identity provider who can sign in and wait for somebody to give them anything: they
    /// have no role and are in no local group.
    pub(crate) fn unassigned(&self) -> BTreeSet<Uuid> {
        let waits = |account: &&Account| {
            account.managed_by == ManagedBy::Scim
                && account.state == AccountState::Active
                && self.paths(account).is_empty()
                && !self.is_in_local_group(account.id)
        };
        self.accounts
            .values()
            .filter(waits)
            .map(|account| account.id)
            .collect()
    }

    fn is_in_local_group(&self, account: Uuid) -> bool {
        self.assignment == Assignment::LocalGroups
            && self
                .local_groups
                .values()
                .any(|group| group.members.contains(&account))
    }

    /// Returns the permissions of some roles together.
    pub(crate) fn permissions_of<'a>(&self, roles: impl IntoIterator<Item = &'a RoleId>) -> Permissions {
        let roles = roles.into_iter().filter_map(|role| self.roles.get(role));
        roles.fold(Permissions::NONE, |all, role| all.union(&role.permissions))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use jiff::Timestamp;
    use proptest::collection::{btree_map, btree_set, vec};
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::domain::account::{Person, Suspension};
    use crate::domain::keyword::Keyword;
    use crate::domain::permission::tests::{permission, permissions};
    use crate::domain::role::Draft;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;
    /// The accounts of a picture: the first four come of SCIM and have rows of the same number, the others are manual.
    const PEOPLE: std::ops::RangeInclusive<u128> = 1..=6;
    const PROVISIONED: u128 = 4;
    const GROUPS: std::ops::RangeInclusive<i64> = 11..=13;
    const ROLES: std::ops::RangeInclusive<u128> = 21..=23;
    const LOCAL_GROUPS: std::ops::RangeInclusive<u128> = 31..=32;

    pub(crate) fn account_id() -> impl Strategy<Value = Uuid> {
        PEOPLE.prop_map(Uuid::from_u128)
    }

    pub(crate) fn group_row() -> impl Strategy<Value = i64> {
        GROUPS
    }

    /// Draws the id of a role of an administrator.
    pub(crate) fn role_id() -> impl Strategy<Value = RoleId> {
        ROLES.prop_map(|number| RoleId(Uuid::from_u128(number)))
    }

    pub(crate) fn local_group_id() -> impl Strategy<Value = Uuid> {
        LOCAL_GROUPS.prop_map(Uuid::from_u128)
    }

    /// Returns the id of the role that mirrors a group in a picture.
    pub(crate) fn mirror_of(group: i64) -> RoleId {
        RoleId(Uuid::from_u128(1_000 + u128::from(group.unsigned_abs())))
    }

    fn account(number: u128, state: AccountState, is_suspended: bool) -> Account {
        let person = Person {
            name: format!("person-{number}@x.example"),
            display: format!("Person {number}"),
            address: None,
            active: None,
        };
        let row = i64::try_from(number).unwrap();
        let is_provisioned = number <= PROVISIONED;
        let suspension = || Suspension {
            since: NOW,
            reason: "Laptop lost".to_owned(),
            by: "ada".to_owned(),
        };
        Account {
            managed_by: if is_provisioned {
                ManagedBy::Scim
            } else {
                ManagedBy::Hand
            },
            row: (is_provisioned && state != AccountState::Removed).then_some(row),
            state,
            suspended: is_suspended.then(suspension),
            ..Account::provisioned(Uuid::from_u128(number), row, person, NOW)
        }
    }

    fn accounts() -> impl Strategy<Value = BTreeMap<Uuid, Account>> {
        let state = prop_oneof![
            4 => Just(AccountState::Active),
            1 => Just(AccountState::Disabled),
            1 => Just(AccountState::Removed),
        ];
        let one = (state, proptest::bool::weighted(0.1));
        vec(one, PEOPLE.count()).prop_map(|drawn| {
            let people = PEOPLE
                .zip(drawn)
                .map(|(number, (state, suspended))| account(number, state, suspended));
            people.map(|account| (account.id, account)).collect()
        })
    }

    fn groups() -> impl Strategy<Value = BTreeMap<i64, Group>> {
        // Members are people of SCIM, and groups.
        let member = prop_oneof![4 => 1..=i64::try_from(PROVISIONED).unwrap(), 1 => GROUPS];
        vec(btree_set(member, 0..4), GROUPS.count()).prop_map(|drawn| {
            let group = |(row, members)| {
                (
                    row,
                    Group {
                        name: format!("Group {row}"),
                        members,
                    },
                )
            };
            GROUPS.zip(drawn).map(group).collect()
        })
    }

    fn roles() -> impl Strategy<Value = BTreeMap<RoleId, Role>> {
        let own = vec(permissions(), ROLES.count()).prop_map(|drawn| {
            let role = |(number, permissions)| {
                let draft = Draft {
                    name: format!("Role {number}"),
                    description: String::new(),
                    permissions,
                };
                Role::new(RoleId(Uuid::from_u128(number)), draft, NOW)
            };
            ROLES.zip(drawn).map(role).collect::<Vec<_>>()
        });
        let mirrored = vec(permissions(), GROUPS.count()).prop_map(|drawn| {
            let role = |(group, permissions)| Role {
                permissions,
                ..Role::mirroring(mirror_of(group), group, "", NOW)
            };
            GROUPS.zip(drawn).map(role).collect::<Vec<_>>()
        });
        (own, mirrored).prop_map(|(own, mirrored)| {
            own.into_iter()
                .chain(mirrored)
                .map(|role| (role.id, role))
                .collect()
        })
    }

    fn role_grant() -> impl Strategy<Value = RoleGrant> {
        let holder = prop_oneof![
            account_id().prop_map(Holder::Account),
            local_group_id().prop_map(Holder::LocalGroup),
        ];
        let origin = select(&[Origin::Hand, Origin::BreakGlass]);
        (holder, role_id(), origin).prop_map(|(holder, role, origin)| RoleGrant {
            holder,
            role,
            origin,
            created: NOW,
            by: String::new(),
        })
    }

    /// Permissions that accounts hold themselves: one grant for each account and permission, as the table has it.
    fn permission_grants() -> impl Strategy<Value = Vec<PermissionGrant>> {
        let drawn = btree_map((account_id(), permission()), any::<bool>(), 0..4);
        drawn.prop_map(|drawn| {
            let grant = |((account, permission), waiting)| PermissionGrant {
                account,
                permission,
                origin: Origin::Hand,
                waiting,
                created: NOW,
                by: String::new(),
            };
            drawn.into_iter().map(grant).collect()
        })
    }

    /// Draws any small organization.
    pub(crate) fn picture() -> impl Strategy<Value = Picture> {
        let settings = (select(Groups::ALL), select(Assignment::ALL));
        let mappings = btree_set((group_row(), role_id()), 0..6);
        let local_groups = vec(btree_set(account_id(), 0..4), LOCAL_GROUPS.count()).prop_map(|drawn| {
            let group = |(number, members)| {
                (
                    Uuid::from_u128(number),
                    LocalGroup {
                        name: format!("Local {number}"),
                        members,
                    },
                )
            };
            LOCAL_GROUPS.zip(drawn).map(group).collect()
        });
        let grants = (vec(role_grant(), 0..5), permission_grants());
        (
            settings,
            accounts(),
            groups(),
            mappings,
            roles(),
            local_groups,
            grants,
        )
            .prop_map(
                |((groups_become, assignment), accounts, groups, mappings, roles, local_groups, grants)| {
                    Picture {
                        groups_become,
                        assignment,
                        accounts,
                        groups,
                        mappings,
                        roles,
                        local_groups,
                        role_grants: grants.0,
                        permission_grants: grants.1,
                    }
                },
            )
    }

    /// Returns a picture without what makes a way.
    fn without(picture: &Picture, account: Uuid, role: RoleId, path: Path) -> Picture {
        let mut picture = picture.clone();
        let row = picture.accounts.get(&account).and_then(|account| account.row);
        match path {
            Path::Mapping { group } => _ = picture.mappings.remove(&(group, role)),
            Path::MirroredGroup { group } => {
                let members = &mut picture.groups.get_mut(&group).unwrap().members;
                assert!(members.remove(&row.unwrap()));
            }
            Path::LocalGroup { group } => {
                assert!(
                    picture
                        .local_groups
                        .get_mut(&group)
                        .unwrap()
                        .members
                        .remove(&account)
                );
            }
            Path::Held(origin) => picture.role_grants.retain(|grant| {
                (grant.holder, grant.role, grant.origin) != (Holder::Account(account), role, origin)
            }),
        }
        picture
    }

    fn roles_of(picture: &Picture, account: Uuid) -> BTreeSet<RoleId> {
        picture.effective(account).roles.into_keys().collect()
    }

    proptest! {
        /// Feature rows 46, 60, 111: who cannot sign in has nothing.
        #[test]
        fn who_cannot_sign_in_has_nothing(picture in picture()) {
            for (id, effective) in picture.everybody() {
                let account = &picture.accounts[&id];
                if account.state != AccountState::Active || account.suspended.is_some() {
                    prop_assert_eq!(effective, Effective::default());
                }
            }
        }

        /// Feature rows 57, 60: the roles of a person are those of all their groups together, and of no others.
        #[test]
        fn roles_are_the_union_over_groups(picture in picture()) {
            let picture = Picture { groups_become: Groups::Map, assignment: Assignment::MappedOnly, ..picture };
            for account in picture.accounts.values().filter(|account| account.has_access()) {
                let mut expected = BTreeSet::new();
                for (row, group) in &picture.groups {
                    if account.row.is_some_and(|person| group.members.contains(&person)) {
                        let mapped = picture.mappings.iter().filter(|(of, _)| of == row);
                        expected.extend(mapped.map(|(_, role)| *role));
                    }
                }
                let roles = roles_of(&picture, account.id);
                if account.managed_by == ManagedBy::Scim {
                    prop_assert_eq!(&roles, &expected);
                } else {
                    prop_assert!(roles.is_superset(&expected));
                }
            }
        }

        /// Feature rows 60, 77: a person who leaves a group loses its roles, except those that another way gives, and keeps
        /// individual permissions; what would be lost is told before.
        #[test]
        fn leaving_a_group_takes_what_no_other_way_gives(before in picture(), group in group_row(), row in 1_i64..=4) {
            let mut after = before.clone();
            after.groups.get_mut(&group).unwrap().members.remove(&row);
            let id = Uuid::from_u128(u128::from(row.unsigned_abs()));
            let (had, has) = (before.effective(id), after.effective(id));
            for (role, paths) in &had.roles {
                let of_group = |path: &Path| matches!(path,
                    Path::Mapping { group: of } | Path::MirroredGroup { group: of } if *of == group);
                prop_assert_eq!(has.roles.contains_key(role), !paths.iter().all(of_group));
            }
            prop_assert!(has.roles.keys().all(|role| had.roles.contains_key(role)));
            let is_of_group = |path: &Path| matches!(path,
                Path::Mapping { group: of } | Path::MirroredGroup { group: of } if *of == group);
            let (lost, lacking) = had.lost_without(is_of_group);
            let gone = had.roles.keys().filter(|role| !has.roles.contains_key(role));
            prop_assert_eq!(lost, gone.copied().collect::<Vec<_>>());
            prop_assert_eq!(lacking, has.permitted().lacking(&had.permitted()));
            let held = |effective: &Effective| -> Vec<Permission> {
                let held = effective.permissions.iter().filter(|(_, why)| why.contains(&Reason::Held(Origin::Hand)));
                held.map(|(permission, _)| permission.clone()).collect()
            };
            prop_assert_eq!(held(&had), held(&has));
            for other in before.accounts.keys().filter(|other| **other != id) {
                prop_assert_eq!(before.effective(*other), after.effective(*other));
            }
        }

        /// Feature row 60: only direct membership gives roles.
        #[test]
        fn a_group_in_a_group_gives_nothing(before in picture(), outer in group_row(), inner in group_row()) {
            let mut after = before.clone();
            after.groups.get_mut(&outer).unwrap().members.insert(inner);
            prop_assert_eq!(before.everybody(), after.everybody());
        }

        /// Feature row 62: mappings sleep while groups are mirrored, and come back; so do mirrored roles.
        #[test]
        fn mappings_and_mirrors_sleep_and_come_back(picture in picture(), given in permissions()) {
            let with = |groups_become, picture: &Picture| Picture { groups_become, ..picture.clone() };
            let mapped = with(Groups::Map, &picture);
            let mut mirrored = with(Groups::Mirror, &mapped);
            for role in mirrored.roles.values_mut().filter(|role| role.mirrors.is_some()) {
                role.permissions = given.clone();
            }
            prop_assert_eq!(with(Groups::Map, &mirrored).everybody(), mapped.everybody());
            let unmapped = Picture { mappings: BTreeSet::new(), ..mirrored.clone() };
            prop_assert_eq!(unmapped.everybody(), mirrored.everybody());
        }

        /// Feature row 50: where only mapped groups assign roles, local groups have no effect.
        #[test]
        fn local_groups_have_an_effect_only_by_setting(picture in picture()) {
            let picture = Picture { assignment: Assignment::MappedOnly, ..picture };
            let without = Picture { local_groups: BTreeMap::new(), ..picture.clone() };
            prop_assert_eq!(without.everybody(), picture.everybody());
            prop_assert_eq!(without.unassigned(), picture.unassigned());
        }

        /// Feature rows 44, 96: a role that is kept for a provisioned person by mistake has no effect.
        #[test]
        fn provisioned_people_hold_no_role_themselves(picture in picture()) {
            for account in picture.accounts.values().filter(|account| account.managed_by == ManagedBy::Scim) {
                let effective = picture.effective(account.id);
                prop_assert!(effective.roles.values().flatten().all(|path| !matches!(path, Path::Held(_))));
            }
        }

        /// Feature row 77: the ways that are told are all there are, and each is enough.
        #[test]
        fn a_role_is_held_as_long_as_one_way_leads_to_it(picture in picture()) {
            for (id, effective) in picture.everybody() {
                for (role, paths) in effective.roles {
                    let mut left = picture.clone();
                    for path in paths {
                        prop_assert!(roles_of(&left, id).contains(&role));
                        left = without(&left, id, role, path);
                    }
                    prop_assert!(!roles_of(&left, id).contains(&role));
                }
            }
        }

        /// Feature row 77: each permission is explained by the roles that permit it and by what is held, and no other.
        #[test]
        fn each_permission_is_explained(picture in picture(), asked in permission()) {
            for (id, effective) in picture.everybody() {
                let why = effective.why(&asked);
                prop_assert_eq!(why.is_empty(), !effective.permitted().has(&asked));
                for (permission, reasons) in why {
                    for reason in reasons {
                        match reason {
                            Reason::Role { role, path } => {
                                prop_assert!(effective.roles[role].contains(path));
                                prop_assert!(picture.roles[role].permissions.contains(permission));
                            }
                            Reason::Held(_) => {
                                let mut grants = picture.permission_grants.iter().filter(|grant| !grant.waiting);
                                let is_kept = grants.any(|grant| grant.account == id && grant.permission == *permission);
                                prop_assert!(is_kept);
                            }
                        }
                    }
                }
                let of_roles = picture.permissions_of(effective.roles.keys());
                prop_assert!(effective.permitted().covers(&of_roles));
            }
        }

        /// Feature row 50: those who wait have no role, and leave the list with the first that they get.
        #[test]
        fn the_unassigned_have_no_role(picture in picture(), group in group_row(), role in role_id()) {
            let before = picture.unassigned();
            for id in &before {
                prop_assert!(roles_of(&picture, *id).is_empty());
                let mut after = picture.clone();
                after.groups_become = Groups::Map;
                after.mappings.insert((group, role));
                let row = picture.accounts[id].row;
                if let Some(row) = row {
                    after.groups.get_mut(&group).unwrap().members.insert(row);
                    prop_assert!(!after.unassigned().contains(id));
                }
            }
        }
    }
}
