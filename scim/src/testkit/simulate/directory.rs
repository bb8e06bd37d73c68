//! The organization whose people a provider knows: the truth that the server is to follow.

use std::collections::{BTreeMap, BTreeSet};

/// The identity of somebody in the directory, for as long as the directory knows them.
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

    /// Returns the provider's own identifier.
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

/// Somebody or something that is provisioned. People come before the groups that name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Object {
    Person(Key),
    Group(Key),
}

impl Object {
    pub(super) fn is_person(self) -> bool {
        matches!(self, Self::Person(_))
    }

    pub(super) fn is_group(self) -> bool {
        matches!(self, Self::Group(_))
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Directory {
    pub(super) people: BTreeMap<Key, Person>,
    pub(super) groups: BTreeMap<Key, Group>,
}

impl Directory {
    /// Returns everybody, then every group.
    pub(super) fn objects(&self) -> impl Iterator<Item = Object> {
        let people = self.people.keys().map(|key| Object::Person(*key));
        people.chain(self.groups.keys().map(|key| Object::Group(*key)))
    }

    /// Returns the name of an object in a report.
    pub(super) fn name_of(&self, object: Object) -> String {
        match object {
            Object::Person(key) => match self.people.get(&key) {
                Some(person) => person.login.clone(),
                None => "a removed person".to_owned(),
            },
            Object::Group(key) => match self.groups.get(&key) {
                Some(group) => format!("group “{}”", group.name),
                None => "a dissolved group".to_owned(),
            },
        }
    }

    /// Returns whom the description of an object names: a person's manager, a group's members.
    pub(super) fn named_by(&self, object: Object) -> impl Iterator<Item = Key> {
        let (person, group) = match object {
            Object::Person(key) => (self.people.get(&key), None),
            Object::Group(key) => (None, self.groups.get(&key)),
        };
        let members = group.into_iter().flat_map(|group| group.members.iter().copied());
        person
            .and_then(|person| person.manager)
            .into_iter()
            .chain(members)
    }

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
