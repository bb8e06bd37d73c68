//! What an administrator gets to read.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

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
    /// A manager that is sent as a bare id is refused.
    ManagerRefused,
    /// A group holds the same member twice.
    MemberTwice,
    /// The members of a deleted user are still in groups.
    DanglingMember,
}

impl Fault {
    fn sentence(self) -> &'static str {
        match self {
            Self::EmptySearchRefused => {
                "A search that finds nobody is answered with an error; it must be 200 with an empty list."
            }
            Self::ListMalformed => "A search or list is not answered with a ListResponse.",
            Self::PageCountWrong => {
                "itemsPerPage is not the number of resources on the page: imports stop early or never."
            }
            Self::WrongMatch => {
                "A search for one name returns somebody else, to whom the account would be linked."
            }
            Self::NoId => "A created resource comes back without an id and cannot be linked.",
            Self::PasswordShown => "The server shows passwords.",
            Self::ExcludedShown => {
                "excludedAttributes=members is ignored: every look at a group sends all members."
            }
            Self::NotScimJson => "Answers are not of the type application/scim+json.",
            Self::ErrorMalformed => "Errors are no SCIM errors: the reason does not reach the administrator.",
            Self::ElementNotMade => {
                "A value set by a path with a filter, such as emails[type eq \"work\"].value, is lost or refused \
                 where the person has no such element yet; the server must make it."
            }
            Self::RemovesTooMuch => {
                "Removing one member takes others away too: the server reads “remove members, value: one” as “remove \
                 all members”."
            }
            Self::ManagerRefused => {
                "A manager sent as the bare id of a user is refused; the server must keep it as {\"value\": id}."
            }
            Self::MemberTwice => {
                "Adding a member who is already there makes the group hold the member twice."
            }
            Self::DanglingMember => "Groups still hold members who have been deleted.",
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
            Self::NotConnected(why) => write!(f, "not connected: {why}"),
            Self::Quarantined(why) => write!(f, "in quarantine: {why}"),
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

/// What came of a simulation. `Display` is what the provider would show its administrator.
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
    /// What the network did to them.
    pub network: NetworkCounts,
    /// The provider's own clock: back-off and waits between cycles.
    pub clock: Duration,
    /// How the provider sees the connection at the end.
    pub health: Health,
    /// Faults that were recognized.
    pub faults: BTreeMap<Fault, Tally>,
    /// Refusals by what was asked and how it was answered.
    pub refusals: BTreeMap<String, Tally>,
    /// Objects that the provider has given up on, or never got to; the first of them.
    pub unfinished: Vec<String>,
    /// How many such objects there are.
    pub unfinished_count: u64,
    /// Where server and model differ; the first of them.
    pub differences: Vec<String>,
    /// How many differences there are.
    pub difference_count: u64,
}

/// Lines of one kind that are kept; more say nothing new.
const MOST_LINES: usize = 50;

impl Report {
    /// Whether the server holds what it must, and the provider saw nothing amiss.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.health == Health::Healthy
            && self.difference_count == 0
            && self.faults.is_empty()
            && self.unfinished_count == 0
    }

    /// How many requests were sent.
    #[must_use]
    pub fn request_count(&self) -> u64 {
        self.requests.values().sum()
    }

    pub(super) fn fault(&mut self, fault: Fault, example: impl Into<String>) {
        tally(&mut self.faults, fault, example);
    }

    pub(super) fn refusal(&mut self, kind: String, example: impl Into<String>) {
        tally(&mut self.refusals, kind, example);
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

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let verdict = if self.is_success() {
            "in step"
        } else {
            "NOT in step"
        };
        writeln!(f, "{}: the server is {verdict}", self.dialect)?;
        writeln!(f, "  connection: {}", self.health)?;
        writeln!(
            f,
            "  directory: {} people, {} groups, {} changes in {} cycles",
            self.people, self.groups, self.changes, self.cycles
        )?;
        let network = self.network;
        writeln!(
            f,
            "  network: {} requests; {} lost, {} answers lost, {} repeated, {} late, {} throttled",
            self.request_count(),
            network.lost,
            network.unanswered,
            network.repeated,
            network.late,
            network.throttled
        )?;
        for (what, count) in &self.requests {
            writeln!(f, "    {count:>8}  {what}")?;
        }
        if !self.faults.is_empty() {
            writeln!(f, "  faults of the server:")?;
        }
        for (fault, tally) in &self.faults {
            writeln!(f, "    {fault} ({} times, first: {})", tally.count, tally.example)?;
        }
        if !self.refusals.is_empty() {
            writeln!(f, "  refusals:")?;
        }
        for (kind, tally) in &self.refusals {
            writeln!(f, "    {kind} ({} times, first: {})", tally.count, tally.example)?;
        }
        write_lines(f, "unfinished", &self.unfinished, self.unfinished_count)?;
        write_lines(f, "differences", &self.differences, self.difference_count)
    }
}

fn write_lines(f: &mut Formatter<'_>, title: &str, lines: &[String], count: u64) -> fmt::Result {
    if count > 0 {
        writeln!(f, "  {title}: {count}")?;
    }
    lines.iter().try_for_each(|line| writeln!(f, "    {line}"))
}
