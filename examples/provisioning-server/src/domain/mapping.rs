//! The mapping of groups of the identity provider to roles: changes, and what they would do.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::effective::Picture;
use super::fault::{Fault, Remedy, Result};
use super::preview::Preview;
use super::role::{Role, RoleId};
use super::settings::Groups;

/// The roles that a group shall be mapped to, in place of those that it is mapped to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// The key of the group among the resources of SCIM.
    pub(crate) group: i64,
    pub(crate) roles: BTreeSet<RoleId>,
}

/// The mappings that a change makes and ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) added: BTreeSet<RoleId>,
    pub(crate) removed: BTreeSet<RoleId>,
}

impl Difference {
    /// Returns what has to be done so that a group is mapped to the roles `after`.
    pub(crate) fn between(before: &BTreeSet<RoleId>, after: &BTreeSet<RoleId>) -> Self {
        Self {
            added: after.difference(before).copied().collect(),
            removed: before.difference(after).copied().collect(),
        }
    }

    /// Returns whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }

    /// Returns every role that somebody can gain or lose by it.
    pub(crate) fn roles(&self) -> impl Iterator<Item = &RoleId> {
        self.added.iter().chain(&self.removed)
    }
}

/// Checks that mappings have an effect, so that nobody edits them in vain.
///
/// # Errors
/// The organization mirrors groups.
pub(crate) fn demand_mapped(groups: Groups) -> Result<()> {
    match groups {
        Groups::Map => Ok(()),
        Groups::Mirror => Err(Fault::conflict(
            "Each group becomes a role of its own in this organization, and mappings have no effect",
        )
        .mended_by(Remedy {
            page: "set the permissions of these roles, or have groups become members of roles first, in the settings of \
                   SCIM.",
            command: "set the permissions of these roles, or set \"groups\" to map first.",
        })),
    }
}

/// Checks that a role can be given: by a mapping, by hand or to a local group.
///
/// # Errors
/// The role mirrors a group, and goes with it.
pub(crate) fn demand_role_to_give(role: &Role) -> Result<()> {
    match role.mirrors {
        None => Ok(()),
        Some(_) => Err(Fault::conflict(format!(
            "The role {:?} mirrors a group of the identity provider, whose members have it: add people to the group \
             there, or make a role with the same permissions.",
            role.name
        ))),
    }
}

impl Picture {
    /// Returns the roles that a group is mapped to.
    pub(crate) fn mapped_to(&self, group: i64) -> BTreeSet<RoleId> {
        let mappings = self.mappings.iter().filter(|(of, _)| *of == group);
        mappings.map(|(_, role)| *role).collect()
    }

    /// Returns the organization after changes of mappings.
    #[must_use]
    pub(crate) fn mapping(&self, changes: &[Change]) -> Self {
        let mut after = self.clone();
        for change in changes {
            after.mappings.retain(|(group, _)| *group != change.group);
            after
                .mappings
                .extend(change.roles.iter().map(|role| (change.group, *role)));
        }
        after
    }

    /// Returns what changes of mappings would do: only direct members of the groups can gain or lose by them.
    pub(crate) fn preview(&self, changes: &[Change]) -> Preview {
        let groups = changes.iter().filter_map(|change| self.groups.get(&change.group));
        let rows: BTreeSet<i64> = groups.flat_map(|group| &group.members).copied().collect();
        let touched = self
            .accounts
            .values()
            .filter(|account| account.row.is_some_and(|row| rows.contains(&row)));
        let touched: BTreeSet<Uuid> = touched.map(|account| account.id).collect();
        Preview::among(touched, self, &self.mapping(changes))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    use super::*;
    use crate::domain::effective::tests::{group_row, mirror_of, picture, role_id};

    pub(crate) fn change() -> impl Strategy<Value = Change> {
        (group_row(), btree_set(role_id(), 0..3)).prop_map(|(group, roles)| Change { group, roles })
    }

    /// Feature row 62: mappings are not edited while they sleep, and a mirrored role is given by its group alone.
    #[test]
    fn what_mirrors_a_group_is_given_by_the_group_alone() {
        assert!(demand_mapped(Groups::Map).is_ok());
        assert!(
            demand_mapped(Groups::Mirror)
                .unwrap_err()
                .to_string()
                .contains("have no effect")
        );
        let mirrored = Role::mirroring(mirror_of(1), 1, "Sales", jiff::Timestamp::UNIX_EPOCH);
        assert!(
            demand_role_to_give(&mirrored)
                .unwrap_err()
                .to_string()
                .contains("mirrors a group")
        );
        assert!(
            demand_role_to_give(&Role {
                mirrors: None,
                ..mirrored
            })
            .is_ok()
        );
    }

    proptest! {
        /// Feature rows 58, 77: a preview is what the change then does, to whomever it does it.
        #[test]
        fn a_preview_is_what_happens(before in picture(), changes in vec(change(), 0..3)) {
            let after = before.mapping(&changes);
            prop_assert_eq!(before.preview(&changes), Preview::difference(&before, &after));
        }

        /// Feature row 60: disabled people do not count in previews.
        #[test]
        fn who_cannot_sign_in_is_in_no_preview(before in picture(), changes in vec(change(), 0..3)) {
            let preview = before.preview(&changes);
            let moved = preview.roles.values().chain(preview.permissions.values());
            for id in moved.flat_map(|moved| moved.gain.union(&moved.lose)) {
                prop_assert!(before.accounts[id].has_access());
            }
            prop_assert_eq!(preview.losers().is_empty(), preview.roles.values().all(|moved| moved.lose.is_empty()));
        }

        /// Feature row 57: a group is mapped to just the roles of the last change, and other groups stay.
        #[test]
        fn a_change_replaces_the_roles_of_its_group(before in picture(), change in change(), other in group_row()) {
            let after = before.mapping(std::slice::from_ref(&change));
            prop_assert_eq!(&after.mapped_to(change.group), &change.roles);
            if other != change.group {
                prop_assert_eq!(after.mapped_to(other), before.mapped_to(other));
            }
            let difference = Difference::between(&before.mapped_to(change.group), &change.roles);
            prop_assert_eq!(difference.is_empty(), before == after);
            let moved: BTreeSet<RoleId> = difference.roles().copied().collect();
            prop_assert!(before.preview(&[change]).roles.keys().all(|role| moved.contains(role)));
        }
    }
}
