//! The default payloads of identity providers, as they send them without anybody having adjusted anything.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use program::bench::{Bench, GROUP, USER, id};
use serde_json::{Value, json};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Returns the state of an account.
fn state(bench: &Bench, user: &str) -> Value {
    bench.run(&["user", "show", "acme", user])["state"].clone()
}

/// Feature row 4: the URL of an organization is its own, answers, and stays when the token is another one.
#[test]
fn the_url_stays_when_the_token_changes() {
    let bench = Bench::new(&[]);
    let before = bench.run(&["org", "show", "acme"])["scim_url"].clone();
    assert!(before.as_str().unwrap().ends_with("/scim/acme/v2"), "{before}");
    assert_eq!(bench.get("/ServiceProviderConfig").status, 200);
    let rotated = bench.run(&["token", "rotate", "acme"]);
    assert_eq!(
        (
            &rotated["scim_url"],
            &bench.run(&["org", "show", "acme"])["scim_url"]
        ),
        (&before, &before)
    );
    let token = rotated["token"].as_str().unwrap();
    let answer = bench
        .server
        .acme(token, "GET", "/ServiceProviderConfig", &Value::Null);
    assert_eq!(answer.status, 200, "{}", answer.text);
}

/// Feature row 29: people are created, replaced and changed, and `active` disables by PUT and by PATCH, also as Entra's text.
#[test]
fn a_person_is_disabled_by_put_and_by_patch() {
    let bench = Bench::new(&[]);
    let ann = bench.user_with("ann@x.example", &json!({ "active": true }));
    let path = format!("/Users/{ann}");
    let put = |active: &Value| {
        let body = json!({ "schemas": [USER], "userName": "ann@x.example", "active": active });
        assert_eq!(bench.send("PUT", &path, &body).status, 200);
    };
    let patch = |operation: Value| {
        let answer = bench.patch(&path, &json!([operation]));
        assert_eq!(answer.status, 200, "{}", answer.text);
    };
    for (off, on) in [(json!(false), json!(true)), (json!("False"), json!("True"))] {
        put(&off);
        assert_eq!(state(&bench, "ann@x.example"), "disabled");
        patch(json!({ "op": "Replace", "path": "active", "value": on }));
        assert_eq!(state(&bench, "ann@x.example"), "active");
        patch(json!({ "op": "replace", "value": { "active": off } }));
        assert_eq!(state(&bench, "ann@x.example"), "disabled");
        put(&on);
        assert_eq!(state(&bench, "ann@x.example"), "active");
    }
}

/// Feature row 30: what Okta sends by default is accepted untouched, its password and its empty list of groups too.
#[test]
fn oktas_default_mapping_is_accepted() {
    let bench = Bench::new(&["--idp", "okta"]);
    let body = json!({
        "schemas": [USER],
        "userName": "isaac.brock@example.com",
        "name": { "givenName": "Isaac", "familyName": "Brock" },
        "emails": [{ "primary": true, "value": "isaac.brock@example.com", "type": "work" }],
        "phoneNumbers": [{ "primary": true, "type": "work", "value": "123-444-5555" }],
        "displayName": "Isaac Brock",
        "locale": "en-US",
        "externalId": "00ujl29u0le5T6Aj10h7",
        "groups": [],
        "password": "1mz050nq",
        "active": true
    });
    let created = bench.send("POST", "/Users", &body);
    assert_eq!(created.status, 201, "{}", created.text);
    assert!(!created.text.contains("1mz050nq"));
    assert_eq!(created.body["emails"][0]["value"], "isaac.brock@example.com");
    assert_eq!(
        bench.run(&["user", "show", "acme", "isaac.brock@example.com"])["display"],
        "Isaac Brock"
    );
    bench.is_sound();
}

/// Feature row 31: a telephone number that is null, empty or absent never fails a request.
#[test]
fn a_missing_telephone_number_is_not_an_error() {
    let bench = Bench::new(&["--idp", "okta"]);
    let numbers = [
        json!([{ "value": null, "type": "work", "primary": true }]),
        json!([{ "value": "", "type": "work" }]),
        json!([]),
        Value::Null,
    ];
    for (n, numbers) in numbers.into_iter().enumerate() {
        let body =
            json!({ "schemas": [USER], "userName": format!("p{n}@x.example"), "phoneNumbers": numbers });
        let created = bench.send("POST", "/Users", &body);
        assert_eq!(created.status, 201, "{}", created.text);
    }
    bench.user("absent@x.example");
}

/// Feature row 36: Entra's default mapping of groups: looked for, created without members, filled one by one, read without them.
#[test]
fn entras_default_mapping_of_groups_is_accepted() {
    let bench = Bench::new(&["--idp", "entra"]);
    let people: Vec<_> = (0..3).map(|n| bench.user(&format!("p{n}@x.example"))).collect();
    let look = "/Groups?excludedAttributes=members&filter=displayName%20eq%20%22Crew%22";
    assert_eq!(bench.get(look).body["totalResults"], 0);
    let body = json!({
        "schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
        "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
        "displayName": "Crew",
        "meta": { "resourceType": "Group" }
    });
    let created = bench.send("POST", "/Groups", &body);
    assert_eq!(created.status, 201, "{}", created.text);
    let crew = id(&created);
    for person in &people {
        let add = json!([{ "op": "Add", "path": "members", "value": [{ "$ref": null, "value": person }] }]);
        let answer = bench.patch(&format!("/Groups/{crew}"), &add);
        assert!((200..300).contains(&answer.status), "{}", answer.text);
    }
    let found = bench.get(look);
    assert_eq!(found.body["totalResults"], 1);
    assert!(
        found.body["Resources"][0].get("members").is_none(),
        "{}",
        found.text
    );
    assert_eq!(bench.run(&["group", "show", "acme", "Crew"])["members"], 3);
    let remove = json!([{ "op": "Remove", "path": "members", "value": [{ "value": people[0] }] }]);
    assert!((200..300).contains(&bench.patch(&format!("/Groups/{crew}"), &remove).status));
    assert_eq!(bench.run(&["group", "show", "acme", "Crew"])["members"], 2);
}

/// Feature rows 38, 39: errors that could lead to quarantine are counted, the first success ends the warning, and each request
/// says when the provider came last.
#[test]
fn the_first_success_ends_the_warning() {
    let bench = Bench::new(&["--idp", "entra"]);
    let card = || bench.run(&["connection", "show", "acme"]);
    assert_eq!(card()["state"], "waiting");
    let wrong = json!({ "schemas": [USER], "userName": "nobody" });
    assert_eq!(bench.send("POST", "/Users", &wrong).status, 400);
    let warned = until(card, |card| card["errors"] == 1);
    assert_eq!(warned["state"], "errors");
    for n in 0..12 {
        bench.user(&format!("p{n}@x.example"));
    }
    let mended = until(card, |card| card["requests"] == 13);
    assert_eq!(
        (&mended["state"], &mended["errors"]),
        (&json!("connected"), &json!(1))
    );
    assert!(mended["last_request"].as_str() >= warned["last_request"].as_str());
}

/// Asks again until rows that are written behind the answers are there.
fn until(ask: impl Fn() -> Value, holds: impl Fn(&Value) -> bool) -> Value {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let found = ask();
        if holds(&found) {
            return found;
        }
        assert!(std::time::Instant::now() < deadline, "{found:#}");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// Feature row 52: attributes of an extension that nobody has registered are accepted and disregarded.
#[test]
fn an_unknown_extension_is_disregarded() {
    let bench = Bench::new(&[]);
    let unknown = "urn:example:params:scim:schemas:extension:badges:2.0:User";
    let body = json!({
        "schemas": [USER, ENTERPRISE, unknown],
        "userName": "ann@x.example",
        ENTERPRISE: { "department": "Kitchen" },
        unknown: { "badge": "7" }
    });
    let created = bench.send("POST", "/Users", &body);
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.body[ENTERPRISE]["department"], "Kitchen");
    assert!(
        created.body.get(unknown).is_none() && !created.text.contains("badge"),
        "{}",
        created.text
    );
    let path = format!("{unknown}:badge");
    let patched = bench.patch(
        &format!("/Users/{}", id(&created)),
        &json!([{ "op": "replace", "path": path, "value": "8" }]),
    );
    assert_eq!(patched.status, 200, "{}", patched.text);
}
