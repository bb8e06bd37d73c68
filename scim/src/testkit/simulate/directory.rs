//! The organization whose people a provider knows: the truth that the server is to follow.

use std::collections::{BTreeMap, BTreeSet};

/// Who somebody is in the directory, for as long as the directory knows them.
pub(super) type Key = u32;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Person {
    pub(super) key: Key,
    pub(super) login: String,
    pub(super) given: String,
    pub(super) family: String,
    pub(super) title: String,
    pub(super) department: String,
    pub(super) city: Option<String>,
    pub(super) mobile: Option<String>,
    pub(super) role: Option<String>,
    pub(super) manager: Option<Key>,
    pub(super) active: bool,
}

impl Person {
    pub(super) fn display(&self) -> String {
        format!("{} {}", self.given, self.family)
    }

    /// The provider's own identifier.
    pub(super) fn external_id(&self) -> String {
        format!("00u{:08x}", self.key)
    }

    pub(super) fn employee_number(&self) -> String {
        format!("E-{}", self.key)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    pub(super) key: Key,
    pub(super) name: String,
    pub(super) members: BTreeSet<Key>,
}

impl Group {
    pub(super) fn external_id(&self) -> String {
        format!("00g{:08x}", self.key)
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Directory {
    pub(super) people: BTreeMap<Key, Person>,
    pub(super) groups: BTreeMap<Key, Group>,
}

impl Directory {
    pub(super) fn groups_of(&self, person: Key) -> impl Iterator<Item = Key> {
        self.groups
            .values()
            .filter(move |group| group.members.contains(&person))
            .map(|group| group.key)
    }

    pub(super) fn reports_of(&self, manager: Key) -> impl Iterator<Item = Key> {
        self.people
            .values()
            .filter(move |person| person.manager == Some(manager))
            .map(|person| person.key)
    }
}
