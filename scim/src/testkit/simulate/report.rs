//! The report that an administrator gets to read.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::console::Console;
use super::network::NetworkCounts;

/// A known way in which servers disappoint this provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Fault {
    /// A search without a hit is answered with an error instead of an empty list.
    EmptySearchRefused,
    /// An answer to a search or a page of a list is no ListResponse.
    ListMalformed,
    /// A page does not hold as many resources as it says.
    PageCountWrong,
    /// A search for one name finds another.
    WrongMatch,
    /// A created resource comes back without an id.
    NoId,
    /// An answer shows a password.
    PasswordShown,
    /// Members are sent although they were excluded.
    ExcludedShown,
    /// An answer with a body is not `application/scim+json`.
    NotScimJson,
    /// A refusal is no SCIM error.
    ErrorMalformed,
    /// `emails[type eq "work"].value` does not make the element that it does not find.
    ElementNotMade,
    /// A remove with a value takes away more than that value.
    RemovesTooMuch,
    /// A remove with a value is refused.
    RemovalByValueRefused,
    /// A manager that is sent as a bare id is refused.
    ManagerRefused,
    /// A single value in a list of one, or in an object there, is refused.
    WrappedValueRefused,
    /// A resource whose `schemas` name one that the server does not know is refused.
    UnknownSchemaRefused,
    /// A group holds the same member twice.
    MemberTwice,
    /// The members of a deleted user are still in groups.
    DanglingMember,
}

impl Fault {
    fn sentence(self) -> &'static str {
        match self {
            Self::EmptySearchRefused => {
                "Looking for somebody who is not there yet is answered with an error, so that nobody can be created."
            }
            Self::ListMalformed => "A search or a list comes back in a form that the provider cannot read.",
            Self::PageCountWrong => {
                "Pages say that they hold another number of people or groups than they do: imports stop early or never."
            }
            Self::WrongMatch => {
                "A search for one name returns somebody else, whose account the provider would take over."
            }
            Self::NoId => {
                "What was created comes back without an id, so that the provider can never change it."
            }
            Self::PasswordShown => "The server shows passwords.",
            Self::ExcludedShown => {
                "Every look at a group sends all of its members, although the provider asks to leave them out."
            }
            Self::NotScimJson => {
                "Answers are labelled as something else than SCIM, and strict providers refuse them."
            }
            Self::ErrorMalformed => {
                "The reason of a refusal does not reach the administrator, who sees a bare number."
            }
            Self::ElementNotMade => {
                "A phone number, address or role that a person gets for the first time is refused or lost; only one \
                 that is there already can be changed."
            }
            Self::RemovesTooMuch => "Taking one person out of a group takes others out as well.",
            Self::RemovalByValueRefused => {
                "Taking people out of a group is refused: who leaves a group keeps the access that it gives."
            }
            Self::ManagerRefused => {
                "A person's manager is refused, and with it everything else that was sent about the person."
            }
            Self::WrappedValueRefused => {
                "Changes of people are refused: the provider sends each value in a list, and the server wants it alone."
            }
            Self::UnknownSchemaRefused => {
                "Groups cannot be created: the provider labels them with a schema of its own beside the standard one, \
                 and the server refuses what it does not know."
            }
            Self::MemberTwice => {
                "A person who is added to a group again is in it twice, and may stay in it after being taken out."
            }
            Self::DanglingMember => "Groups still hold people who have been deleted.",
        }
    }

    /// Returns the remedy that is up to the server.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::EmptySearchRefused => {
                "answer a search without a hit with 200 and an empty list, never with 404."
            }
            Self::ListMalformed => {
                "answer with a ListResponse, which has schemas, totalResults and, unless it is empty, Resources."
            }
            Self::PageCountWrong => "set itemsPerPage to the number of resources on this page.",
            Self::WrongMatch => "return only what has exactly the value that the filter asks for.",
            Self::NoId => "answer a creation with 201 and the whole resource, with an id that never changes.",
            Self::PasswordShown => "never return the attribute password.",
            Self::ExcludedShown => "honour excludedAttributes=members; large groups time out otherwise.",
            Self::NotScimJson => {
                "send Content-Type: application/scim+json with every answer, errors included."
            }
            Self::ErrorMalformed => {
                "send a SCIM error: its schema, the status as a text, and the reason as detail."
            }
            Self::ElementNotMade => {
                "where a path such as phoneNumbers[type eq \"mobile\"].value finds no such entry, add an entry of \
                 that type with the value."
            }
            Self::RemovesTooMuch => {
                "when a removal of members names some in its value, remove those only, and not all members."
            }
            Self::RemovalByValueRefused => {
                "accept a removal with the path members that names the members in its value, and remove just those."
            }
            Self::ManagerRefused => {
                "accept the bare id of the manager's account as well, and keep it as the value of manager."
            }
            Self::WrappedValueRefused => "where one value is meant, read [x] and [{\"value\": x}] as x.",
            Self::UnknownSchemaRefused => "ignore schemas and attributes that it does not know.",
            Self::MemberTwice => {
                "tell members apart by their value alone; adding one who is there already changes nothing."
            }
            Self::DanglingMember => "take whoever is deleted out of every group.",
        }
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}

/// How the provider sees the connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Health {
    /// All is well.
    #[default]
    Healthy,
    /// The test of the connection failed: nothing was provisioned.
    NotConnected(String),
    /// The provider tries seldom, and does nothing else until it succeeds.
    Quarantined(String),
    /// The provider has given up.
    Disabled(String),
}

impl Display for Health {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Healthy => f.write_str("healthy"),
            Self::NotConnected(why) => write!(f, "the test failed: {why}"),
            Self::Quarantined(why) => write!(f, "in quarantine, tried once a day: {why}"),
            Self::Disabled(why) => write!(f, "disabled after four weeks in quarantine: {why}"),
        }
    }
}

/// Things of one kind that happened, and the first of them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// How often.
    pub count: u64,
    /// The first time.
    pub example: String,
}

/// How long the parts of a run took on a real clock. Nothing depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Timing {
    /// Everybody and every group for the first time.
    pub initial_cycle: Duration,
    /// All that happened afterwards.
    pub changes: Duration,
    /// Reading everything at the end and comparing it.
    pub comparison: Duration,
}

impl Timing {
    /// Returns the sum of all of them.
    #[must_use]
    pub fn total(self) -> Duration {
        self.initial_cycle + self.changes + self.comparison
    }
}

/// The outcome of a simulation. `Display` is for the administrator: what the provider would show, what is
/// wrong and what to do.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Report {
    /// The provider and its dialect.
    pub dialect: String,
    /// People in the directory at the end.
    pub people: usize,
    /// Groups in the directory at the end.
    pub groups: usize,
    /// Things that happened in the directory.
    pub changes: usize,
    /// Cycles of provisioning, the initial one included.
    pub cycles: u64,
    /// How often the provider went into quarantine.
    pub quarantines: u64,
    /// Requests by method and endpoint, such as `PATCH /Groups`.
    pub requests: BTreeMap<String, u64>,
    /// The effects of the network on them.
    pub network: NetworkCounts,
    /// The provider's own clock: back-off and waits between cycles.
    pub clock: Duration,
    /// The time that the run took.
    pub timing: Timing,
    /// How the provider sees the connection at the end.
    pub health: Health,
    /// The remedy for the connection; empty if it works.
    pub advice: String,
    /// Faults that were recognized.
    pub faults: BTreeMap<Fault, Tally>,
    /// Refusals by what was asked and how it was answered.
    pub refusals: BTreeMap<String, Tally>,
    /// Objects that the provider has given up on, or never got to; the first of them.
    pub unfinished: Vec<String>,
    /// How many such objects there are.
    pub unfinished_count: u64,
    /// The differences between server and model; the first of them.
    pub differences: Vec<String>,
    /// How many differences there are.
    pub difference_count: u64,
    pub(super) console: Console,
}

/// Lines of one kind that are kept; more say nothing new.
const MOST_LINES: usize = 50;

impl Report {
    /// Returns whether the server holds what it must, and the provider saw nothing amiss.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.health == Health::Healthy
            && self.difference_count == 0
            && self.faults.is_empty()
            && self.unfinished_count == 0
    }

    /// Returns how many requests were sent.
    #[must_use]
    pub fn request_count(&self) -> u64 {
        self.requests.values().sum()
    }

    /// Returns how many requests were sent in a second, over the whole run.
    #[must_use]
    pub fn requests_per_second(&self) -> f64 {
        let seconds = self.timing.total().as_secs_f64();
        if seconds > 0.0 {
            self.request_count() as f64 / seconds
        } else {
            0.0
        }
    }

    pub(super) fn fault(&mut self, fault: Fault, example: impl Into<String>) {
        tally(&mut self.faults, fault, example);
    }

    pub(super) fn refusal(&mut self, kind: String, example: impl Into<String>) {
        tally(&mut self.refusals, kind, example);
    }

    /// Takes over what was counted beside.
    pub(super) fn absorb(&mut self, more: Self) {
        for (what, count) in more.requests {
            *self.requests.entry(what).or_default() += count;
        }
        absorb_tallies(&mut self.faults, more.faults);
        absorb_tallies(&mut self.refusals, more.refusals);
        self.clock += more.clock;
    }

    pub(super) fn differs(&mut self, how: String) {
        self.difference_count += 1;
        keep(&mut self.differences, how);
    }

    pub(super) fn unfinished(&mut self, what: String) {
        self.unfinished_count += 1;
        keep(&mut self.unfinished, what);
    }
}

fn keep(lines: &mut Vec<String>, line: String) {
    if lines.len() < MOST_LINES {
        lines.push(line);
    }
}

fn tally<K: Ord>(tallies: &mut BTreeMap<K, Tally>, key: K, example: impl Into<String>) {
    tallies
        .entry(key)
        .or_insert_with(|| Tally {
            count: 0,
            example: example.into(),
        })
        .count += 1;
}

fn absorb_tallies<K: Ord>(tallies: &mut BTreeMap<K, Tally>, more: BTreeMap<K, Tally>) {
    for (key, tally) in more {
        match tallies.entry(key) {
            Entry::Vacant(entry) => _ = entry.insert(tally),
            Entry::Occupied(mut entry) => entry.get_mut().count += tally.count,
        }
    }
}
