//! Previews: who gains and who loses what by a change that is not made yet.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::effective::{Effective, Picture};
use super::permission::Permission;
use super::role::RoleId;

/// The people who gain and lose something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) gain: BTreeSet<Uuid>,
    pub(crate) lose: BTreeSet<Uuid>,
}

/// The effects of a change. People who cannot sign in have nothing, and neither gain nor lose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Preview {
    /// Roles that somebody gains or loses.
    pub(crate) roles: BTreeMap<RoleId, Moved>,
    /// Permissions that somebody gains or loses.
    pub(crate) permissions: BTreeMap<Permission, Moved>,
}

impl Preview {
    /// Returns the difference that a change makes for everybody.
    pub(crate) fn difference(before: &Picture, after: &Picture) -> Self {
        Self::among(
            before
                .accounts
                .keys()
                .chain(after.accounts.keys())
                .copied()
                .collect(),
            before,
            after,
        )
    }

    /// Returns the difference that a change makes for some people.
    pub(super) fn among(people: BTreeSet<Uuid>, before: &Picture, after: &Picture) -> Self {
        let mut preview = Self::default();
        for account in people {
            preview.add(account, &before.effective(account), &after.effective(account));
        }
        preview
    }

    fn add(&mut self, account: Uuid, before: &Effective, after: &Effective) {
        moved(&mut self.roles, account, &before.roles, &after.roles);
        moved(
            &mut self.permissions,
            account,
            &before.permissions,
            &after.permissions,
        );
    }

    /// Returns whether nobody gains or loses anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.roles.is_empty() && self.permissions.is_empty()
    }

    /// Returns the people who lose a role.
    pub(crate) fn losers(&self) -> BTreeSet<Uuid> {
        self.roles
            .values()
            .flat_map(|moved| &moved.lose)
            .copied()
            .collect()
    }
}

fn moved<K: Ord + Clone, W>(
    all: &mut BTreeMap<K, Moved>,
    account: Uuid,
    before: &BTreeMap<K, W>,
    after: &BTreeMap<K, W>,
) {
    for gained in after.keys().filter(|key| !before.contains_key(key)) {
        all.entry(gained.clone()).or_default().gain.insert(account);
    }
    for lost in before.keys().filter(|key| !after.contains_key(key)) {
        all.entry(lost.clone()).or_default().lose.insert(account);
    }
}
