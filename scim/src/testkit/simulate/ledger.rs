//! All that a provider remembers of the server.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::directory::Key;

/// A group as the provider believes the server holds it. Providers do not read members back.
#[derive(Debug, Clone, Default)]
pub(super) struct Team {
    pub(super) id: String,
    /// The name that the server has confirmed.
    pub(super) name: Option<String>,
    /// The members that the server has confirmed, with their ids.
    pub(super) members: BTreeMap<Key, String>,
    /// Members whose last change has not been answered.
    pub(super) doubtful: BTreeMap<Key, String>,
}

/// One who is to be in a group.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member {
    pub(super) key: Key,
    pub(super) id: String,
    pub(super) login: String,
}

/// The changes that are to be made in a group.
#[derive(Debug, Clone, Default)]
pub(super) struct Roster {
    pub(super) all: Vec<Member>,
    pub(super) add: Vec<Member>,
    pub(super) remove: Vec<(Key, String)>,
}

impl Roster {
    pub(super) fn is_settled(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Ids of the people that the provider has linked.
    pub(super) accounts: BTreeMap<Key, String>,
    owners: BTreeMap<String, Key>,
    pub(super) teams: BTreeMap<Key, Team>,
    /// Creations without an answer: under which login or name.
    pub(super) attempted_people: BTreeMap<Key, String>,
    pub(super) attempted_groups: BTreeMap<Key, String>,
    /// The resources that the provider leaves on the server when it lets go, by id.
    pub(super) left_people: BTreeMap<String, Value>,
    pub(super) left_groups: BTreeMap<String, Value>,
    /// Attributes that were set by a path through a filter that selected nothing.
    pub(super) made_by_path: BTreeSet<(String, String)>,
    /// Groups from which members were removed by value.
    pub(super) removed_by_value: BTreeSet<String>,
}

impl Ledger {
    /// Makes a ledger that knows these people and nothing else: enough to provision one object of which nothing is known yet.
    pub(super) fn excerpt(&self, people: impl Iterator<Item = Key>) -> Self {
        let mut excerpt = Self::default();
        for person in people {
            if let Some(id) = self.accounts.get(&person) {
                excerpt.link(person, id.clone());
            }
        }
        excerpt
    }

    /// Takes over what was learned with an excerpt.
    pub(super) fn absorb(&mut self, learned: Self) {
        for (person, id) in learned.accounts {
            if self.accounts.get(&person) != Some(&id) {
                self.link(person, id);
            }
        }
        self.teams.extend(learned.teams);
        self.attempted_people.extend(learned.attempted_people);
        self.attempted_groups.extend(learned.attempted_groups);
        self.left_people.extend(learned.left_people);
        self.left_groups.extend(learned.left_groups);
        self.made_by_path.extend(learned.made_by_path);
        self.removed_by_value.extend(learned.removed_by_value);
    }

    /// Doubts everything: nothing that the server has confirmed of groups counts any more.
    pub(super) fn doubt_everything(&mut self) {
        for team in self.teams.values_mut() {
            team.doubtful.append(&mut team.members);
            team.name = None;
        }
    }

    /// Returns whose account this is.
    pub(super) fn owner_of(&self, id: &str) -> Option<Key> {
        self.owners.get(id).copied()
    }

    pub(super) fn link(&mut self, person: Key, id: String) {
        self.attempted_people.remove(&person);
        self.left_people.remove(&id);
        self.owners.insert(id.clone(), person);
        self.accounts.insert(person, id);
    }

    /// Returns whether the account belongs to somebody else: somebody with the same login who has left, and whom the provider
    /// has not let go of yet.
    pub(super) fn is_anothers(&self, id: &str, person: Key) -> bool {
        self.owner_of(id).is_some_and(|owner| owner != person)
    }

    /// Lets go of the account, which stays where it is, in the groups where it is.
    pub(super) fn unlink(&mut self, person: Key) {
        if let Some(id) = self.accounts.remove(&person) {
            self.owners.remove(&id);
        }
    }

    /// Forgets the account: it is gone from the server, and with it every membership.
    pub(super) fn forget(&mut self, person: Key) {
        self.unlink(person);
        for team in self.teams.values_mut() {
            team.members.remove(&person);
            team.doubtful.remove(&person);
        }
    }

    pub(super) fn link_group(&mut self, group: Key, team: Team) {
        self.attempted_groups.remove(&group);
        self.left_groups.remove(&team.id);
        self.teams.insert(group, team);
    }

    /// Returns the changes that make the members of a group those in `all`.
    pub(super) fn roster(&self, group: Key, all: Vec<Member>) -> Roster {
        let Some(team) = self.teams.get(&group) else {
            return Roster::default();
        };
        let wanted: BTreeSet<_> = all.iter().map(|member| member.id.as_str()).collect();
        let is_sure = |key: &Key| !team.doubtful.contains_key(key);
        let add = all
            .iter()
            .filter(|member| !(team.members.contains_key(&member.key) && is_sure(&member.key)));
        let known: BTreeMap<_, _> = team.members.iter().chain(&team.doubtful).collect();
        let remove = known
            .into_iter()
            .filter(|(_, id)| !wanted.contains(id.as_str()))
            .map(|(key, id)| (*key, id.clone()));
        Roster {
            add: add.cloned().collect(),
            remove: remove.collect(),
            all,
        }
    }

    /// Remembers that a change of members is under way, and may have happened if nobody answers.
    pub(super) fn doubt(&mut self, group: Key, roster: &Roster) {
        if let Some(team) = self.teams.get_mut(&group) {
            let added = roster.add.iter().map(|member| (member.key, member.id.clone()));
            team.doubtful.extend(added.chain(roster.remove.iter().cloned()));
        }
    }

    /// Remembers that a change of members has happened.
    pub(super) fn confirm(&mut self, group: Key, roster: &Roster) {
        if let Some(team) = self.teams.get_mut(&group) {
            for member in &roster.add {
                team.members.insert(member.key, member.id.clone());
                team.doubtful.remove(&member.key);
            }
            for (key, _) in &roster.remove {
                team.members.remove(key);
                team.doubtful.remove(key);
            }
        }
    }

    pub(super) fn confirm_name(&mut self, group: Key, name: Option<&str>) {
        if let Some(team) = self.teams.get_mut(&group) {
            team.name = name.map(str::to_owned);
        }
    }
}
