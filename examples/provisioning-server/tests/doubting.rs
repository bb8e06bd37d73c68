//! Doubts of an administrator: about tokens after a backup was restored, and about people after the credential has changed.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use program::Place;
use program::bench::Bench;
use serde_json::{Value, json};

/// Feature row 115: after a restore every live token is listed as one that may have been revoked since the backup, until it
/// is confirmed or rotated; the restore is in the audit log.
#[test]
fn tokens_are_in_doubt_after_a_restore() {
    let bench = Bench::new(&[]);
    bench.run(&["org", "create", "other"]);
    let taken = bench.run(&["backup", "b.db"])["taken"].clone();
    bench.run(&["token", "revoke", "acme"]);
    let Bench { server, place, .. } = bench;
    server.terminate();
    place.json(&["restore", "b.db", "--replace"]);
    let doubted = |organization: &str| -> Vec<Value> {
        let listed = place.json(&["token", "list", organization]);
        let tokens = listed["tokens"].as_array().unwrap().iter();
        tokens
            .map(|token| token["may_be_revoked_since"].clone())
            .collect()
    };
    assert_eq!(doubted("acme"), [taken]);
    let shown = place.run(&["token", "list", "acme"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(
        shown.contains("may have been revoked since") && shown.contains("token confirm"),
        "{shown}"
    );
    let audit = place.json(&["audit", "list", "acme"]);
    assert_eq!(audit["changes"][0]["action"], "instance.restore");
    place.json(&["token", "confirm", "acme"]);
    assert_eq!(doubted("acme"), [Value::Null]);
    let audit = place.json(&["audit", "list", "acme"]);
    assert_eq!(audit["changes"][0]["action"], "token.confirm");
    let (_, refused) = place.refusal(&["token", "confirm", "acme"]);
    assert!(refused["detail"].as_str().unwrap().contains("nothing to confirm"));
    place.json(&["token", "rotate", "other"]);
    let live = place.json(&["token", "list", "other"]);
    let live = live["tokens"]
        .as_array()
        .unwrap()
        .iter()
        .find(|token| token["state"] == "active");
    assert_eq!(live.unwrap()["may_be_revoked_since"], Value::Null);
    assert_eq!(place.json(&["check"])["sound"], true);
}

/// Returns the names of the people whom no request with the newest token has named.
fn unconfirmed(place: &Place) -> Vec<String> {
    let listed = place.json(&["user", "list", "acme", "--unconfirmed"]);
    let users = listed["users"].as_array().unwrap().iter();
    users
        .map(|user| user["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Feature row 111: after the token has changed, people are listed whom no request with it has named, whether it reads or
/// changes them or adds them to a group; they can be suspended together.
#[test]
fn people_whom_a_new_token_has_not_named_are_suspended_together() {
    let mut bench = Bench::new(&[]);
    let names = ["ada", "bob", "cleo", "dan", "eve"].map(|name| format!("{name}@x.example"));
    let ids: Vec<_> = names.iter().map(|name| bench.user(name)).collect();
    bench.run(&["user", "create", "acme", "root@x.example"]);
    assert_eq!(unconfirmed(&bench.place), Vec::<String>::new());
    let issued = bench.run(&["token", "rotate", "acme"]);
    bench.token = issued["token"].as_str().unwrap().to_owned();
    assert_eq!(unconfirmed(&bench.place), names);
    let change = json!([{ "op": "replace", "path": "title", "value": "x" }]);
    assert_eq!(bench.patch(&format!("/Users/{}", ids[0]), &change).status, 200);
    assert_eq!(bench.get(&format!("/Users/{}", ids[1])).status, 200);
    bench.group("Crew", &[&ids[2]]);
    assert_eq!(bench.get(&format!("/Users/{}x", ids[3])).status, 404);
    // Everything that was read is written behind the answers.
    let Bench { server, place, .. } = bench;
    server.terminate();
    assert_eq!(unconfirmed(&place), names[3..]);
    place.json(&["user", "suspend", "acme", "eve@x.example", "--reason", "before"]);
    let done = place.json(&[
        "user",
        "suspend",
        "acme",
        "--unconfirmed",
        "--reason",
        "not sent by the new provider",
    ]);
    assert_eq!((&done["suspended"], &done["left"]), (&json!(1), &json!(0)));
    let dan = place.json(&["user", "show", "acme", "dan@x.example"]);
    assert_eq!(dan["suspended"]["reason"], "not sent by the new provider");
    let eve = place.json(&["user", "show", "acme", "eve@x.example"]);
    assert_eq!(eve["suspended"]["reason"], "before");
    let audit = place.json(&["audit", "list", "acme"]);
    assert_eq!(audit["changes"][0]["action"], "user.suspend-unconfirmed");
    assert_eq!(place.json(&["check"])["sound"], true);
}
