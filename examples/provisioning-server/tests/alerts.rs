//! The guard on mass changes: alerts, and mappings that come back.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use program::bench::{Bench, texts};
use serde_json::{Value, json};

fn alerts(bench: &Bench) -> Vec<Value> {
    let listed = bench.run(&["alert", "list", "acme"]);
    listed["alerts"].as_array().unwrap().clone()
}

fn deactivate(bench: &Bench, user: &str) {
    let off = json!([{ "op": "replace", "path": "active", "value": false }]);
    assert_eq!(bench.patch(&format!("/Users/{user}"), &off).status, 200);
}

/// Feature row 91: more people than the threshold who are disabled or removed within an hour raise one alert, and nothing is
/// held back.
#[test]
fn many_deactivations_raise_an_alert() {
    let bench = Bench::new(&["--mass-deactivations", "3"]);
    let people: Vec<_> = (0..6).map(|n| bench.user(&format!("p{n}@x.example"))).collect();
    for person in &people[..3] {
        deactivate(&bench, person);
    }
    deactivate(&bench, &people[0]);
    assert!(alerts(&bench).is_empty(), "three are not more than three");
    bench.delete(&format!("/Users/{}", people[3]));
    let raised = alerts(&bench);
    assert_eq!(raised.len(), 1, "{raised:#?}");
    assert_eq!(
        (
            &raised[0]["kind"],
            &raised[0]["people"],
            &raised[0]["threshold"],
            &raised[0]["seen"]
        ),
        (&json!("deactivation"), &json!(4), &json!(3), &Value::Null)
    );
    let sentence = raised[0]["sentence"].as_str().unwrap();
    assert!(
        sentence.contains("4 people were deactivated") && sentence.contains("Nothing was held back"),
        "{sentence}"
    );
    bench.delete(&format!("/Users/{}", people[4]));
    assert_eq!(alerts(&bench).len(), 1, "one an hour");
    assert_eq!(bench.run(&["alert", "seen", "acme"])["seen"], 1);
    assert_eq!(bench.run(&["alert", "seen", "acme"])["seen"], 0);
    let told = bench.run(&["event", "list", "acme"]);
    let kinds = told["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["kind"] == "alert.raised");
    assert_eq!(kinds.count(), 1);
    bench.is_sound();
}

/// Feature row 91: role losses are counted exactly: whoever has the role by another group has lost nothing, and neither has
/// somebody who could not sign in.
#[test]
fn many_role_losses_raise_an_alert() {
    let bench = Bench::new(&["--mass-role-losses", "2"]);
    let people: Vec<_> = (0..6).map(|n| bench.user(&format!("p{n}@x.example"))).collect();
    let ids: Vec<_> = people.iter().map(String::as_str).collect();
    let crew = bench.group("Crew", &ids);
    bench.group("Night", &ids[..2]);
    bench.run(&["mapping", "set", "acme", "Crew", "Operator"]);
    bench.run(&["mapping", "set", "acme", "Night", "Operator"]);
    deactivate(&bench, &people[2]);
    for person in &people[..5] {
        bench.leave(&crew, person);
    }
    assert!(alerts(&bench).is_empty(), "only two of the five have lost it");
    bench.delete(&format!("/Groups/{crew}"));
    let raised = alerts(&bench);
    assert_eq!(
        (&raised[0]["kind"], &raised[0]["people"]),
        (&json!("role-loss"), &json!(3))
    );
    let causes: Vec<_> = raised[0]["causes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cause| cause["cause"].as_str().unwrap())
        .collect();
    assert_eq!(
        causes,
        [
            "people were taken out of the group \"Crew\"",
            "the group \"Crew\" was deleted"
        ]
    );
    bench.is_sound();
}

/// Feature row 91: mappings that went with a deleted group come back to the group that took its place, after a preview.
#[test]
fn a_mapping_is_restored_to_the_group_that_came_back() {
    let bench = Bench::new(&[]);
    let ann = bench.user("ann@x.example");
    let crew = bench.group("Crew", &[&ann]);
    bench.run(&["mapping", "set", "acme", "Crew", "Operator", "Read only"]);
    bench.delete(&format!("/Groups/{crew}"));
    let lost = bench.run(&["mapping", "lost", "acme"]);
    assert_eq!(
        (
            &lost["lost"][0]["group"],
            texts(&lost["lost"][0]["roles"]),
            &lost["lost"][0]["members"],
            &lost["lost"][0]["successor"]
        ),
        (
            &json!("Crew"),
            vec!["Operator", "Read only"],
            &json!(1),
            &Value::Null
        )
    );
    assert!(
        bench
            .refused(&["mapping", "restore", "acme", "Crew"])
            .contains("No group has come in place")
    );
    let again = bench.group("crew", &[&ann]);
    let lost = bench.run(&["mapping", "lost", "acme"]);
    assert_eq!(
        (&lost["lost"][0]["successor"], &lost["lost"][0]["likeness"]),
        (&json!(again), &json!("name"))
    );
    let preview = bench.run(&["mapping", "restore", "acme", "Crew", "--preview"]);
    assert_eq!(
        (&preview["applied"], &preview["people"]),
        (&json!(false), &json!(1))
    );
    let done = bench.run(&["mapping", "restore", "acme", "Crew"]);
    assert_eq!(done["effect"], preview["effect"]);
    let shown = bench.run(&["user", "show", "acme", "ann@x.example"]);
    assert_eq!(shown["roles"].as_array().unwrap().len(), 2);
    bench.group("Crew", &[]);
    assert!(
        bench
            .refused(&["mapping", "restore", "acme", "Crew"])
            .contains("several could have")
    );
    bench.is_sound();
}

/// Feature row 91: one command keeps the identity provider out, and nobody loses anything more.
#[test]
fn the_integration_is_disabled_at_once() {
    let bench = Bench::new(&[]);
    let ann = bench.user("ann@x.example");
    bench.run(&["org", "disable", "acme"]);
    let off = json!([{ "op": "replace", "path": "active", "value": false }]);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while bench.get("/Users").status != 403 {
        assert!(std::time::Instant::now() < deadline);
    }
    assert_eq!(bench.patch(&format!("/Users/{ann}"), &off).status, 403);
    assert_eq!(
        bench.run(&["user", "show", "acme", "ann@x.example"])["state"],
        "active"
    );
}
