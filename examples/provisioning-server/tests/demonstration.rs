//! `serve --demo`: a working product within a moment, in a database of its own.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use program::{Place, Server};
use scim::store::database::{Database, Options};
use serde_json::Value;

const DATABASE: &str = "sqlite://data/demo.db";

/// Returns the lines that a command prints about the demonstration.
fn run(place: &Place, arguments: &[&str]) -> Value {
    place.json(&[arguments, &["--database", DATABASE]].concat())
}

/// Returns everything in a list that has pages.
fn listed(place: &Place, arguments: &[&str], name: &str) -> Vec<Value> {
    let found = run(place, &[arguments, &["--limit", "1000"]].concat());
    found[name].as_array().unwrap().clone()
}

fn texts(list: &[Value], name: &str) -> BTreeSet<String> {
    list.iter()
        .map(|one| one[name].as_str().unwrap().to_owned())
        .collect()
}

/// Counts the events.
fn events(place: &Place) -> usize {
    listed(place, &["event", "list", "acme"], "events").len()
}

fn refusal(place: &Place, arguments: &[&str]) -> String {
    let (code, said) = place.refusal(&[&["serve", "--demo"], arguments].concat());
    assert_eq!(code, 1, "{said}");
    said["detail"].as_str().unwrap().to_owned()
}

/// Feature row 113: a newcomer sees people in mapped groups with roles, reasons, history, events, conflicts and alerts, each
/// by a command that the server prints.
#[test]
fn a_demonstration_shows_a_working_product() {
    let place = Place::new();
    let server = place.serve(&["--demo"]);
    assert!(!place.database().exists(), "it has a database of its own");
    let components = server.get("/components", &[]);
    assert_eq!(components.status, 200, "{}", components.text);
    assert!(
        components.text.contains("<h1>Components</h1>"),
        "{}",
        components.text
    );
    let people = listed(&place, &["user", "list", "acme", "--managed-by", "scim"], "users");
    assert!(people.len() >= 120, "{}", people.len());
    let mappings = run(&place, &["mapping", "list", "acme"]);
    assert_eq!(mappings["mappings"].as_array().unwrap().len(), 10);
    assert!(listed(&place, &["group", "list", "acme"], "groups").len() >= 12);
    for role in ["Administrator", "Operator", "Read only", "Help desk", "Auditor"] {
        let shown = run(&place, &["role", "show", "acme", role]);
        assert!(shown["people"].as_u64().unwrap() > 0, "{role}");
    }
    let unassigned = listed(&place, &["user", "list", "acme", "--unassigned"], "users");
    assert!(people.len() - unassigned.len() >= 40, "people have roles");
    let manual = run(&place, &["user", "show", "acme", "root@example.com"]);
    assert_eq!(manual["managed_by"], "hand");
    assert_eq!(
        listed(&place, &["user", "list", "acme", "--suspended"], "users").len(),
        1
    );
    let kinds = texts(
        &listed(&place, &["conflict", "list", "acme"], "conflicts"),
        "kind",
    );
    assert!(kinds.contains("manual-account") && kinds.len() >= 3, "{kinds:?}");
    assert!(
        !run(&place, &["alert", "list", "acme"])["alerts"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    let told = texts(&listed(&place, &["event", "list", "acme"], "events"), "kind");
    for kind in ["user.created", "member.added", "mapping.changed", "role.created"] {
        assert!(told.contains(kind), "{kind}: {told:?}");
    }
    commands_work(&place, &server);
    mirrored_groups_are_roles(&place);
    assert_eq!(run(&place, &["check"])["sound"], true);
}

/// Runs the commands that the server prints as they stand.
fn commands_work(place: &Place, server: &Server) {
    let commands = server.started["commands"].as_array().unwrap();
    assert!(commands.len() >= 8, "{commands:?}");
    for command in commands {
        let words: Vec<_> = command.as_str().unwrap().split(' ').skip(1).collect();
        let shown = place.json(&words);
        if words.starts_with(&["user", "show"]) {
            assert!(
                !shown["roles"][0]["why"].as_array().unwrap().is_empty(),
                "{shown:#}"
            );
        }
    }
}

fn mirrored_groups_are_roles(place: &Place) {
    let roles = listed(place, &["role", "list", "beacon"], "roles");
    let mirrored: Vec<_> = roles.iter().filter(|role| role["mirrored"] == true).collect();
    let needing = mirrored
        .iter()
        .filter(|role| role["needs_permissions"] == true)
        .count();
    assert!(
        mirrored.len() >= 4 && (1..mirrored.len()).contains(&needing),
        "{mirrored:#?}"
    );
}

/// Feature row 113: the demonstration goes on by itself, and after a restart where it was.
#[test]
fn a_demonstration_goes_on() {
    let place = Place::new();
    let server = place.serve(&["--demo"]);
    let wait_for_more = |before: usize| {
        let deadline = Instant::now() + Duration::from_secs(120);
        while events(&place) <= before {
            assert!(Instant::now() < deadline, "nothing happens");
            std::thread::sleep(Duration::from_millis(200));
        }
    };
    wait_for_more(events(&place));
    drop(server);
    let people = listed(&place, &["user", "list", "acme"], "users").len();
    let _server = place.serve(&["--demo"]);
    assert!(listed(&place, &["user", "list", "acme"], "users").len() >= people - 1);
    wait_for_more(events(&place));
    assert_eq!(run(&place, &["check"])["sound"], true);
}

/// Feature row 113: a start that ended too early is made good by the next one.
#[test]
fn a_demonstration_that_was_interrupted_is_made_again() {
    let place = Place::new();
    drop(place.serve(&["--demo"]));
    let database = Database::open(place.path("data/demo.db"), Options::default()).unwrap();
    let begun = "UPDATE instance SET value = 'begun' WHERE key = 'demo'";
    database.blocking_write(move |tx| tx.execute(begun, &[])).unwrap();
    drop(database);
    let before = run(&place, &["org", "show", "acme"])["id"].clone();
    let _server = place.serve(&["--demo"]);
    assert_ne!(run(&place, &["org", "show", "acme"])["id"], before);
    assert!(listed(&place, &["user", "list", "acme"], "users").len() >= 120);
    assert_eq!(run(&place, &["check"])["sound"], true);
}

/// Feature row 113: a database that holds anything else stays as it is.
#[test]
fn a_demonstration_touches_no_other_database() {
    let place = Place::new();
    place.json(&["org", "create", "acme"]);
    let own = "sqlite://data/provisioning.db";
    let said = refusal(&place, &["--listen", "127.0.0.1:0", "--database", own]);
    assert!(said.contains("not a demonstration"), "{said}");
    assert_eq!(
        place.json(&["user", "list", "acme"])["users"],
        Value::Array(Vec::new())
    );
    let empty = Place::new();
    drop(empty.serve(&[]));
    let before = empty.json(&["org", "list"]);
    let said = refusal(&empty, &["--listen", "127.0.0.1:0", "--database", own]);
    assert!(said.contains("not a demonstration"), "{said}");
    assert_eq!(
        empty.json(&["org", "list"]),
        before,
        "nor does it learn another address"
    );
}

/// Feature row 113: it is reached from this machine alone, and sends nothing out.
#[test]
fn a_demonstration_is_secluded() {
    let place = Place::new();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8080"] {
        let said = refusal(&place, &["--listen", address]);
        assert!(said.contains("loopback only"), "{said}");
    }
    let said = refusal(
        &place,
        &[
            "--listen",
            "127.0.0.1:0",
            "--otlp-endpoint",
            "http://127.0.0.1:4318",
        ],
    );
    assert!(said.contains("sends nothing out"), "{said}");
    assert!(!place.database().exists() && !std::path::Path::new(&place.path("data/demo.db")).exists());
}

/// Feature row 113: what is for developers is in a demonstration, and on no other server.
#[test]
fn only_a_demonstration_shows_the_components() {
    let place = Place::new();
    let server = place.serve(&[]);
    assert_eq!(server.get("/components", &[]).status, 404);
}
