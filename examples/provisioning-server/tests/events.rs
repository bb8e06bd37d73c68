//! `event list`: everybody who follows an organization is told of every change, in order.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use program::Place;
use program::bench::Bench;
use serde_json::{Value, json};

fn patch(bench: &Bench, path: &str, operations: &Value) {
    let answer = bench.patch(path, operations);
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// Returns kind, subject and what the test cares for of every event, read in pages of two.
fn told(place: &Place) -> Vec<(String, String, Value)> {
    let mut told = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut command = vec!["event", "list", "acme", "--limit", "2"];
        if let Some(cursor) = &cursor {
            command.extend(["--after", cursor]);
        }
        let page = place.json(&command);
        let events = page["events"].as_array().unwrap();
        for event in events {
            let text = |key: &str| event[key].as_str().unwrap().to_owned();
            told.push((text("kind"), text("subject"), event["data"].clone()));
        }
        if events.is_empty() {
            assert_eq!(page["cursor"].as_str(), cursor.as_deref());
            return told;
        }
        cursor = page["cursor"].as_str().map(str::to_owned);
    }
}

fn kinds(told: &[(String, String, Value)]) -> Vec<(&str, &str)> {
    told.iter()
        .map(|(kind, subject, _)| (kind.as_str(), subject.as_str()))
        .collect()
}

/// Feature row 80: every change of people, groups and members is an event, in the order of the changes.
#[test]
fn every_change_is_told_in_its_order() {
    let bench = Bench::new(&[]);
    let ann = bench.hire("ann@example.com");
    let bob = bench.hire("bob@example.com");
    let crew = bench.group("Crew", &[&ann]);
    let (user, group) = (format!("/Users/{ann}"), format!("/Groups/{crew}"));
    patch(
        &bench,
        &group,
        &json!([{ "op": "add", "path": "members", "value": [{ "value": bob }] }]),
    );
    patch(
        &bench,
        &group,
        &json!([{ "op": "replace", "path": "displayName", "value": "Staff" }]),
    );
    patch(
        &bench,
        &user,
        &json!([{ "op": "replace", "path": "title", "value": "Pilot" }]),
    );
    patch(
        &bench,
        &user,
        &json!([{ "op": "replace", "path": "active", "value": false }]),
    );
    patch(
        &bench,
        &user,
        &json!([{ "op": "replace", "path": "active", "value": false }]),
    );
    patch(
        &bench,
        &user,
        &json!([{ "op": "replace", "path": "active", "value": true }]),
    );
    assert_eq!(bench.send("DELETE", &user, &Value::Null).status, 204);
    assert_eq!(bench.send("DELETE", &group, &Value::Null).status, 204);

    let told = told(&bench.place);
    let expected = [
        ("user.created", &ann),
        ("user.created", &bob),
        ("group.created", &crew),
        ("member.added", &crew),
        ("member.added", &crew),
        ("group.renamed", &crew),
        ("user.updated", &ann),
        ("user.deactivated", &ann),
        ("user.reactivated", &ann),
        ("member.removed", &crew),
        ("user.removed", &ann),
        ("group.removed", &crew),
    ];
    let expected: Vec<_> = expected.iter().map(|(kind, id)| (*kind, id.as_str())).collect();
    assert_eq!(kinds(&told), expected);
    assert_eq!(
        told[0].2,
        json!({ "name": "ann@example.com", "external_id": "x-ann@example.com" })
    );
    assert_eq!(
        told[3].2,
        json!({ "group": crew, "name": "Crew", "users": [ann] })
    );
    assert_eq!(told[5].2["former_name"], "Crew");
    assert_eq!(told[6].2["changed"], json!(["title"]));
    assert_eq!(told[9].2["users"], json!([ann]));
    assert_eq!(told[11].2["name"], "Staff");
}

/// Feature row 80: what an import brings is told as what a provider brings.
#[test]
fn an_import_is_told() {
    let bench = Bench::new(&[]);
    let ann = bench.hire("ann@example.com");
    let crew = bench.group("Crew", &[&ann]);
    bench.place.json(&["export", "acme", "--out", "acme.jsonl"]);
    bench.place.json(&["org", "delete", "acme"]);
    bench.place.json(&["import", "acme.jsonl"]);
    let told = told(&bench.place);
    let expected = [
        ("user.created", &ann),
        ("group.created", &crew),
        ("member.added", &crew),
    ];
    let kinds = kinds(&told);
    let (people_and_groups, roles) = kinds.split_at(expected.len());
    assert_eq!(people_and_groups, expected.map(|(kind, id)| (kind, id.as_str())));
    // The roles of a new organization, which the file carries.
    assert_eq!(roles.len(), 3);
    assert!(roles.iter().all(|(kind, _)| *kind == "role.created"), "{roles:?}");
}

/// Feature row 80: a cursor of somebody's own making is refused with a sentence.
#[test]
fn a_wrong_cursor_is_refused() {
    let place = Place::new();
    place.json(&["org", "create", "acme"]);
    let (code, refusal) = place.refusal(&["event", "list", "acme", "--after", "yesterday"]);
    let detail = refusal["detail"].as_str().unwrap();
    assert_eq!(code, 2);
    assert!(detail.contains("is not a valid cursor; expected"), "{detail}");
    let (code, refusal) = place.refusal(&["event", "list", "other"]);
    assert_eq!((code, &refusal["error"]), (1, &json!("not_found")));
}
