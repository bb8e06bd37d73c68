//! The events in the organization: a story that is the same for the same seed.

use std::collections::BTreeSet;

use super::directory::{Directory, Group, Key, Person};
use super::random::Random;

/// An organization of some size, and how often it changes.
///
/// The changes are hires, renames, moves, leaves, returns and removals, and now and then a group comes, goes or gets
/// another name. Names and logins are of the kind that breaks naive servers: accents, apostrophes, quotes, plus signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    pub(super) seed: u64,
    pub(super) people: usize,
    pub(super) groups: usize,
    pub(super) members: usize,
    pub(super) changes: usize,
}

impl Script {
    /// Makes a story of 300 people in 30 groups of 12, to whom 1,000 things happen.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self {
            seed,
            people: 300,
            groups: 30,
            members: 12,
            changes: 1_000,
        }
    }

    /// Sets how many people there are at the beginning.
    #[must_use]
    pub fn people(mut self, people: usize) -> Self {
        self.people = people;
        self
    }

    /// Sets how many groups there are at the beginning.
    #[must_use]
    pub fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// Sets how many people a group has at the beginning, if there are as many.
    #[must_use]
    pub fn members(mut self, members: usize) -> Self {
        self.members = members;
        self
    }

    /// Sets how many things happen.
    #[must_use]
    pub fn changes(mut self, changes: usize) -> Self {
        self.changes = changes;
        self
    }
}

const GIVEN: [&str; 12] = [
    "Ada", "Björn", "Chloé", "Dmitri", "Ewa", "Fatima", "Grace", "Håkon", "Inês", "Jürgen", "Kwame", "Łucja",
];
const FAMILY: [&str; 12] = [
    "Lovelace",
    "O'Brien",
    "Nuñez",
    "Müller-Lüdenscheidt",
    "de la Cruz",
    "Çelik",
    "Ng",
    "Smith \"Smitty\"",
    "van 't Hoff",
    "Kowalska",
    "山田",
    "Okafor & Sons",
];
const TITLES: [&str; 5] = ["Engineer", "Analyst", "Head of R&D", "Counsel", "Tour Guide"];
const DEPARTMENTS: [&str; 5] = ["Sales", "R&D", "Legal", "Field Operations", "Büro"];
const CITIES: [&str; 4] = ["Denver", "São Paulo", "Köln", "Redmond"];
const ROLES: [&str; 3] = ["User", "Admin", "Auditor"];

/// Whom and what a change has touched.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Touched {
    pub(super) people: BTreeSet<Key>,
    pub(super) groups: BTreeSet<Key>,
}

/// The story while it is told.
pub(super) struct Story {
    pub(super) directory: Directory,
    random: Random,
    next: Key,
    present: Vec<Key>,
    former: Vec<String>,
}

impl Story {
    pub(super) fn begin(script: &Script) -> Self {
        let mut story = Self {
            directory: Directory::default(),
            random: Random::seeded(script.seed),
            next: 1,
            present: Vec::with_capacity(script.people),
            former: Vec::new(),
        };
        for _ in 0..script.people {
            story.hire();
        }
        for _ in 0..script.groups {
            story.found(script.members);
        }
        story
    }

    /// Makes the next change.
    pub(super) fn advance(&mut self) -> Touched {
        let mut touched = Touched::default();
        match self.random.below(100) {
            0..15 => {
                let person = self.hire();
                touched.people.insert(person);
                self.join(person, &mut touched);
            }
            15..32 => self.rename(&mut touched),
            32..62 => self.move_on(&mut touched),
            62..74 => self.set_active(false, &mut touched),
            74..84 => self.set_active(true, &mut touched),
            84..92 => self.remove(&mut touched),
            92..95 => _ = touched.groups.insert(self.found(5)),
            95..98 => self.rename_group(&mut touched),
            _ => self.dissolve(&mut touched),
        }
        touched
    }

    fn key(&mut self) -> Key {
        let key = self.next;
        self.next += 1;
        key
    }

    fn hire(&mut self) -> Key {
        let key = self.key();
        let given = self.random.pick(&GIVEN).unwrap_or_default();
        let family = self.random.pick(&FAMILY).unwrap_or_default();
        // Whoever comes back after a removal is a new person with an old login.
        let returns = self.random.chance(300);
        let login = match self.former.pop().filter(|_| returns) {
            Some(login) => login,
            None => self.login(key),
        };
        let manager = self.random.pick(&self.present).filter(|_| key.is_multiple_of(3));
        let person = Person {
            key,
            login,
            given: given.to_owned(),
            family: family.to_owned(),
            title: self.random.pick(&TITLES).unwrap_or_default().to_owned(),
            department: self.random.pick(&DEPARTMENTS).unwrap_or_default().to_owned(),
            city: key.is_multiple_of(4).then(|| self.city()),
            mobile: key.is_multiple_of(5).then(|| self.mobile()),
            role: key.is_multiple_of(7).then(|| self.role()),
            manager,
            active: true,
        };
        self.directory.people.insert(key, person);
        self.present.push(key);
        key
    }

    fn login(&mut self, key: Key) -> String {
        match self.random.below(4) {
            0 => format!("user+{key}@example.com"),
            1 => format!("User.{key}@Example.com"),
            2 => format!("o'user_{key}@example.com"),
            _ => format!("user.{key}@example.com"),
        }
    }

    fn city(&mut self) -> String {
        self.random.pick(&CITIES).unwrap_or_default().to_owned()
    }

    fn mobile(&mut self) -> String {
        format!("+1 555 {:04}", self.random.below(10_000))
    }

    fn role(&mut self) -> String {
        self.random.pick(&ROLES).unwrap_or_default().to_owned()
    }

    fn found(&mut self, members: usize) -> Key {
        let key = self.key();
        let name = self.group_name(key);
        let members = self.some_people(members);
        self.directory.groups.insert(key, Group { key, name, members });
        key
    }

    /// Picks so many different people, or all if there are fewer.
    fn some_people(&mut self, count: usize) -> BTreeSet<Key> {
        if count >= self.present.len() {
            return self.present.iter().copied().collect();
        }
        let mut people = BTreeSet::new();
        while people.len() < count {
            people.extend(self.random.pick(&self.present));
        }
        people
    }

    fn group_name(&mut self, key: Key) -> String {
        match self.random.below(4) {
            0 => format!("R&D \"core\" #{key}"),
            1 => format!("Büro + Außendienst {key}"),
            2 => format!("Team {key} [50% \\ legacy]"),
            _ => format!("Team {key}"),
        }
    }

    fn somebody(&mut self) -> Option<Key> {
        self.random.pick(&self.present)
    }

    fn some_group(&mut self) -> Option<Key> {
        let nth = self.random.below(self.directory.groups.len());
        self.directory.groups.keys().nth(nth).copied()
    }

    fn join(&mut self, person: Key, touched: &mut Touched) {
        for _ in 0..self.random.below(3) {
            if let Some(key) = self.some_group()
                && let Some(group) = self.directory.groups.get_mut(&key)
            {
                group.members.insert(person);
                touched.groups.insert(key);
            }
        }
    }

    fn rename(&mut self, touched: &mut Touched) {
        let Some(key) = self.somebody() else { return };
        let family = self.random.pick(&FAMILY).unwrap_or_default();
        let login = self.random.chance(400).then(|| {
            let number = self.next;
            self.next += 1;
            self.login(number)
        });
        if let Some(person) = self.directory.people.get_mut(&key).filter(|person| person.active) {
            person.family = family.to_owned();
            person.login = login.unwrap_or_else(|| person.login.clone());
            touched.people.insert(key);
            // Some providers show members by their logins.
            touched.groups.extend(self.directory.groups_of(key));
        }
    }

    fn move_on(&mut self, touched: &mut Touched) {
        let Some(key) = self.somebody() else { return };
        let (city, mobile, role) = (self.city(), self.mobile(), self.role());
        let title = self.random.pick(&TITLES).unwrap_or_default();
        let department = self.random.pick(&DEPARTMENTS).unwrap_or_default();
        let manager = self
            .somebody()
            .filter(|manager| *manager != key && !key.is_multiple_of(4));
        let dice = self.random.next();
        let Some(person) = self.directory.people.get_mut(&key).filter(|person| person.active) else {
            return;
        };
        person.title = title.to_owned();
        person.department = department.to_owned();
        person.manager = manager;
        for (slot, value, bit) in [
            (&mut person.city, city, 1),
            (&mut person.mobile, mobile, 2),
            (&mut person.role, role, 4),
        ] {
            if dice & bit != 0 {
                *slot = Some(value);
            }
        }
        touched.people.insert(key);
        let left: Vec<_> = self.directory.groups_of(key).take(1).collect();
        for group in left {
            if let Some(group) = self.directory.groups.get_mut(&group) {
                group.members.remove(&key);
                touched.groups.insert(group.key);
            }
        }
        self.join(key, touched);
    }

    fn set_active(&mut self, active: bool, touched: &mut Touched) {
        let Some(key) = self.find_by_active(!active) else {
            return;
        };
        if let Some(person) = self.directory.people.get_mut(&key) {
            person.active = active;
        }
        touched.people.insert(key);
        touched.groups.extend(self.directory.groups_of(key));
        touched.people.extend(self.directory.reports_of(key));
    }

    fn find_by_active(&mut self, active: bool) -> Option<Key> {
        (0..50).find_map(|_| {
            let key = self.somebody()?;
            let person = self.directory.people.get(&key)?;
            (person.active == active).then_some(key)
        })
    }

    fn remove(&mut self, touched: &mut Touched) {
        // Most people are deactivated for a while before they are removed.
        let inactive = self.random.chance(700);
        let Some(key) = self.find_by_active(!inactive) else {
            return;
        };
        touched.groups.extend(self.directory.groups_of(key));
        touched.people.extend(self.directory.reports_of(key));
        for group in &touched.groups {
            if let Some(group) = self.directory.groups.get_mut(group) {
                group.members.remove(&key);
            }
        }
        for report in &touched.people {
            if let Some(person) = self.directory.people.get_mut(report) {
                person.manager = None;
            }
        }
        if let Some(person) = self.directory.people.remove(&key) {
            self.former.push(person.login);
        }
        self.present.retain(|present| *present != key);
        touched.people.insert(key);
    }

    fn rename_group(&mut self, touched: &mut Touched) {
        let Some(key) = self.some_group() else { return };
        let number = self.key();
        let name = self.group_name(number);
        if let Some(group) = self.directory.groups.get_mut(&key) {
            group.name = name;
            touched.groups.insert(key);
        }
    }

    fn dissolve(&mut self, touched: &mut Touched) {
        if let Some(key) = self.some_group() {
            self.directory.groups.remove(&key);
            touched.groups.insert(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_tells_the_same_story() {
        let script = Script::seeded(7).people(50).groups(5);
        let (mut one, mut other) = (Story::begin(&script), Story::begin(&script));
        let mut stranger = Story::begin(&Script { seed: 8, ..script });
        let mut differs = false;
        for _ in 0..500 {
            let touched = one.advance();
            assert_eq!(touched, other.advance());
            differs |= touched != stranger.advance();
        }
        assert_eq!(one.directory.people, other.directory.people);
        assert!(differs);
    }

    #[test]
    fn groups_are_as_large_as_they_are_to_be() {
        for (members, size) in [(0, 0), (12, 12), (40, 40), (500, 40)] {
            let story = Story::begin(&Script::seeded(5).people(40).groups(6).members(members));
            let mut groups = story.directory.groups.values();
            assert!(groups.all(|group| group.members.len() == size), "{members}");
        }
    }

    #[test]
    fn logins_and_group_names_stay_unique_and_members_exist() {
        let mut story = Story::begin(&Script::seeded(3).people(80).groups(8));
        for _ in 0..2_000 {
            story.advance();
            let people = &story.directory.people;
            let logins: BTreeSet<_> = people
                .values()
                .map(|person| person.login.to_lowercase())
                .collect();
            assert_eq!(logins.len(), people.len());
            let names: BTreeSet<_> = story.directory.groups.values().map(|group| &group.name).collect();
            assert_eq!(names.len(), story.directory.groups.len());
            let mut members = story.directory.groups.values().flat_map(|group| &group.members);
            assert!(members.all(|member| people.contains_key(member)));
            let mut managers = people.values().filter_map(|person| person.manager);
            assert!(managers.all(|manager| people.contains_key(&manager)));
        }
    }
}
