//! The tables of a new version are made by themselves, once, and what an older one has kept is served as before.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use std::fs;

use program::{Place, rows};
use scim::store::database::{Database, Options, Value as Cell};
use serde_json::{Value, json};

/// The token of the organization "acme" in the old database.
const TOKEN: &str = "scimp_7SUSEN69bO0ZooXlMCeepq5OriOKW1wllJJ6UQKDoJJr16Q4hb";

/// Makes a place with a database that was made by the first version.
fn old() -> Place {
    let place = Place::new();
    let path = place.database();
    fs::create_dir(path.parent().unwrap()).unwrap();
    let database = Database::open(path, Options::default()).unwrap();
    let made = database.blocking_write(|tx| tx.execute_batch(include_str!("fixtures/database-1.sql")));
    made.unwrap();
    place
}

fn steps(place: &Place) -> Vec<Cell> {
    let steps = rows(place, "SELECT step FROM product_migration ORDER BY step");
    steps.into_iter().flatten().collect()
}

/// Runs commands at the same moment, all of which must succeed.
fn at_once(place: &Place, commands: &[Vec<&str>]) {
    let begun: Vec<_> = commands.iter().map(|command| place.begin(command)).collect();
    for child in begun {
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn processes_that_start_at_once_make_the_tables_of_a_new_database_once() {
    let place = Place::new();
    let names: Vec<_> = (0..6).map(|n| format!("org-{n}")).collect();
    let commands: Vec<_> = names.iter().map(|name| vec!["org", "create", name]).collect();
    at_once(&place, &commands);
    let made = place.json(&["org", "list"])["organizations"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(made, 6);
    let expected: Vec<_> = (1..=steps(&place).len())
        .map(|n| Cell::Integer(n as i64))
        .collect();
    assert_eq!(steps(&place), expected);
    assert_eq!(place.json(&["check"])["sound"], true);
}

/// The history of an older version, which kept every sentence, is shown as before, and goes on beside it.
#[test]
fn an_old_history_is_still_shown() {
    let place = old();
    let server = place.serve(&[]);
    assert_eq!(
        server.acme(TOKEN, "GET", "/Users/nobody", &Value::Null).status,
        404
    );
    server.terminate();
    let shown = rows(&place, "SELECT meaning, status FROM history ORDER BY sequence");
    let expected = [
        ("created user ada@example.com", 201),
        ("created user björn@example.com", 201),
        ("created group Crew with 2 members", 201),
        ("deactivated user björn@example.com", 200),
        ("looked for users: 1 found", 200),
        ("not found: read a user", 404),
    ];
    let expected =
        expected.map(|(meaning, status)| vec![Cell::Text(meaning.to_owned()), Cell::Integer(status)]);
    assert_eq!(shown, expected);
}

#[test]
fn processes_that_start_at_once_bring_an_old_database_up_to_date_once() {
    let fresh = Place::new();
    fresh.json(&["org", "create", "acme"]);
    let place = old();
    assert_eq!(steps(&place), [Cell::Integer(1)]);
    at_once(&place, &vec![vec!["org", "list"]; 6]);
    assert_eq!(steps(&place), steps(&fresh));
    let checked = place.json(&["check"]);
    assert_eq!(checked["sound"], true, "{checked:#}");
    assert_eq!(
        (&checked["people"], &checked["groups"], &checked["memberships"]),
        (&json!(2), &json!(1), &json!(2))
    );
}

#[test]
fn what_an_older_version_has_kept_is_served_and_can_be_changed() {
    let place = old();
    let server = place.serve(&[]);
    let get = |path: &str| server.acme(TOKEN, "GET", path, &Value::Null);
    let found = get("/Users?filter=userName%20eq%20%22ADA@example.com%22");
    let ada = &found.body["Resources"][0];
    assert_eq!(
        (&ada["externalId"], &ada["name"]["familyName"]),
        (&json!("00u1"), &json!("Lovelace"))
    );
    assert_eq!(ada["groups"][0]["display"], "Crew");
    let path = format!("/Users/{}", ada["id"].as_str().unwrap());
    let patch = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "title", "value": "Countess"}],
    });
    assert_eq!(server.acme(TOKEN, "PATCH", &path, &patch).status, 200);
    assert_eq!(get(&path).body["title"], "Countess");
    assert_eq!(place.json(&["check"])["sound"], true);
}
