//! The server is killed while several clients write: whatever it had acknowledged is there when it runs again, and its
//! database is whole. `cargo bench -p scim-peers --bench kill` does the same hundreds of times.

#![allow(
    clippy::indexing_slicing,
    reason = "indexing a `serde_json::Value` gives `Null` for what is not there"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use scim_tests::acknowledged::{Change, Writers};
use scim_tests::server::Server;
use scim_tests::{Failure, check};
use serde_json::Value;

/// Whatever is acknowledged is durable (RFC 7644 section 3.3: 201 says that the resource was created).
#[test]
fn nothing_that_was_acknowledged_is_lost() -> Result<(), Failure> {
    let mut server = Server::start()?;
    let organization = server.organization("acme", &["--idp", "other", "--username", "any"])?;
    let mut writers = Writers::of(&organization, 8)?;
    for _ in 0..3 {
        writers.work(Duration::from_millis(300), || server.kill())?;
        server.restart()?;
        writers.verify()?;
        server.command_line(&["check"])?;
    }
    check(writers.acknowledged().next().is_some(), || {
        "nothing was acknowledged".to_owned()
    })
}

/// Feature rows 64, 75, 80, 96: a change and everything that follows from it are one. After kills in the middle of
/// synchronizations each acknowledged change has its account and its event, roles are those of the groups, and no account,
/// group, role, event or row of the history is without what it belongs to.
#[test]
fn nothing_disagrees_after_a_kill_in_the_middle() -> Result<(), Failure> {
    let mut server = Server::start()?;
    let organization = server.organization("acme", &["--idp", "entra"])?;
    let mut writers = Writers::of(&organization, 6)?;
    for group in writers.groups() {
        server.command_line(&["mapping", "set", "acme", group, "Operator"])?;
    }
    for seed in ["1", "2", "3"] {
        let provider = [
            "simulate", "entra", "--users", "300", "--groups", "20", "--seed", seed,
        ];
        let to = ["--url", &organization.scim_url, "--token", &organization.token];
        let mut provider = server.begin(&[&provider[..], &to].concat())?;
        writers.work(Duration::from_millis(500), || server.kill())?;
        provider.kill()?;
        provider.wait()?;
        server.restart()?;
        writers.verify()?;
        server.command_line(&["check"])?;
        Follows::read(&server)?.everything(&writers)?;
    }
    Ok(())
}

/// The consequences of changes, as the command line shows them.
struct Follows {
    /// How often something of a kind has happened to somebody or something.
    events: BTreeMap<(String, String), usize>,
    /// Group and person.
    joined: BTreeSet<(String, String)>,
    /// The names of accounts by their states.
    accounts: BTreeMap<&'static str, BTreeSet<String>>,
    operators: usize,
}

impl Follows {
    fn read(server: &Server) -> Result<Self, Failure> {
        let mut follows = Self {
            events: BTreeMap::new(),
            joined: BTreeSet::new(),
            accounts: BTreeMap::new(),
            operators: 0,
        };
        follows.read_events(server)?;
        for state in ["active", "removed"] {
            let arguments = ["user", "list", "acme", "--state", state, "--limit", "100000"];
            let listed = json(server, &arguments)?;
            let names = items(&listed["users"]).map(|user| text(&user["name"]));
            follows.accounts.insert(state, names.collect());
        }
        let people = &json(server, &["role", "show", "acme", "Operator"])?["people"];
        follows.operators = people
            .as_u64()
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or_default();
        Ok(follows)
    }

    fn read_events(&mut self, server: &Server) -> Result<(), Failure> {
        let mut after = Vec::new();
        loop {
            let list = ["event", "list", "acme", "--limit", "1000"];
            let arguments: Vec<_> = list.into_iter().chain(after.iter().map(String::as_str)).collect();
            let told = json(server, &arguments)?;
            if items(&told["events"]).next().is_none() {
                return Ok(());
            }
            for event in items(&told["events"]) {
                let (kind, subject) = (text(&event["kind"]), text(&event["subject"]));
                if kind == "member.added" {
                    let users = items(&event["data"]["users"]).map(text);
                    self.joined.extend(users.map(|user| (subject.clone(), user)));
                }
                *self.events.entry((kind, subject)).or_default() += 1;
            }
            after = vec!["--after".to_owned(), text(&told["cursor"])];
        }
    }

    /// Compares with everything that was acknowledged.
    fn everything(&self, writers: &Writers) -> Result<(), Failure> {
        let mut changed: BTreeMap<&str, usize> = BTreeMap::new();
        for change in writers.acknowledged() {
            let follows = match change {
                Change::Created { user, name } => {
                    self.count("user.created", user) == 1
                        && self.accounts.values().any(|names| names.contains(name))
                }
                Change::Changed { user } => {
                    let count = changed.entry(user).or_default();
                    *count += 1;
                    self.count("user.updated", user) >= *count
                }
                Change::Joined { group, user } => self.joined.contains(&(group.clone(), user.clone())),
                Change::Deleted { user, name } => {
                    self.count("user.removed", user) == 1
                        && self
                            .accounts
                            .get("removed")
                            .is_some_and(|names| names.contains(name))
                }
            };
            check(follows, || {
                format!("{change:?} was acknowledged, and what follows from it is not there")
            })?;
        }
        let members = writers.member_count();
        check(self.operators == members, || {
            format!(
                "{members} people are in the mapped groups, but {} have their role",
                self.operators
            )
        })
    }

    fn count(&self, kind: &str, subject: &str) -> usize {
        let key = (kind.to_owned(), subject.to_owned());
        self.events.get(&key).copied().unwrap_or_default()
    }
}

fn json(server: &Server, arguments: &[&str]) -> Result<Value, Failure> {
    Ok(serde_json::from_str(&server.command_line(arguments)?)?)
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
