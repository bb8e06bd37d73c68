//! The three products that the settings reproduce, each from its first token to the end of its integration, with the
//! identity providers that it supports.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use std::time::{Duration, Instant};

use program::Place;
use program::bench::{Bench, USER, id, texts};
use serde_json::{Value, json};

/// The attributes that ThreatLocker keeps of a person, and whether they are active.
const MAPPED: &str = "userName,name.givenName,name.familyName,active,externalId";

/// Makes an organization like a product, whose integration is then set up in the order of the product: `set_up` answers with
/// the token.
fn bench(product: &str, provider: &str, set_up: impl Fn(&Place) -> String) -> Bench {
    let place = Place::new();
    place.json(&["org", "create", "acme", "--like", product, "--idp", provider]);
    place.json(&["integration", "delete", "acme"]);
    let token = set_up(&place);
    assert_eq!(place.json(&["integration", "show", "acme"])["state"], "enabled");
    let server = place.serve(&[]);
    Bench { server, token, place }
}

fn new_token(place: &Place) -> String {
    text(&place.json(&["token", "create", "acme"])["token"])
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Lets a provider test its connection, provision people and groups, and follow changes: in the end the server is in step.
fn simulate(bench: &Bench, dialect: &str, flags: &[&str]) {
    let url = format!("http://{}/scim/acme/v2", bench.server.address());
    let size = [
        "--users",
        "12",
        "--groups",
        "3",
        "--members",
        "5",
        "--changes",
        "25",
    ];
    let fixed = [
        "simulate",
        dialect,
        "--url",
        &url,
        "--token",
        &bench.token,
        "--json",
    ];
    let output = bench.place.run(&[&fixed[..], &size, flags].concat());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success() && report["in_step"] == true, "{report:#}");
    bench.is_sound();
}

fn show(bench: &Bench, user: &str) -> Value {
    bench.run(&["user", "show", "acme", user])
}

fn roles(bench: &Bench, user: &str) -> Vec<String> {
    let shown = show(bench, user);
    shown["roles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|role| text(&role["role"]))
        .collect()
}

fn permissions(bench: &Bench, user: &str) -> Vec<String> {
    let shown = show(bench, user);
    shown["permissions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|held| text(&held["permission"]))
        .collect()
}

fn names(bench: &Bench, noun: &str, list: &str, flags: &[&str]) -> Vec<String> {
    let found = bench.run(&[&[noun, "list", "acme", "--limit", "1000"], flags].concat());
    found[list]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| text(&one["name"]))
        .collect()
}

fn is_listed(bench: &Bench, user: &str, flags: &[&str]) -> bool {
    names(bench, "user", "users", flags)
        .iter()
        .any(|name| name == user)
}

fn set_active(bench: &Bench, user: &str, active: bool) {
    let change = json!([{ "op": "replace", "path": "active", "value": active }]);
    assert_eq!(bench.patch(&format!("/Users/{user}"), &change).status, 200);
}

fn post(bench: &Bench, name: &str) -> (u16, Value) {
    let answer = bench.send("POST", "/Users", &json!({ "schemas": [USER], "userName": name }));
    (answer.status, answer.body)
}

fn until(holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "it does not come about");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Checks that a generated token ends the one before at once, and that off keeps the provider out.
fn tokens_and_switch(bench: &mut Bench) {
    let old = bench.token.clone();
    bench.token = text(&bench.run(&["token", "rotate", "acme"])["token"]);
    until(|| bench.server.scim("acme", &old).status == 401);
    until(|| bench.server.scim("acme", &bench.token).status == 200);
    let is = |status| bench.server.scim("acme", &bench.token).status == status;
    bench.run(&["integration", "disable", "acme"]);
    until(|| is(403));
    bench.run(&["integration", "enable", "acme"]);
    until(|| is(200));
}

/// Checks that a manual account stays as it is: its name is refused, and no search finds it.
fn manual_accounts_stay(bench: &Bench) {
    bench.run(&["user", "create", "acme", "root@x.example"]);
    for name in ["root@x.example", "ROOT@X.example"] {
        let (status, refused) = post(bench, name);
        assert_eq!(
            (status, &refused["scimType"]),
            (409, &json!("uniqueness")),
            "{refused}"
        );
    }
    let found = bench.get("/Users?filter=userName%20eq%20%22root@x.example%22");
    assert_eq!(found.body["totalResults"], 0);
    assert_eq!(show(bench, "root@x.example")["managed_by"], "hand");
}

/// Checks the end: people are disabled or stay, and nobody is let in any more.
fn remove(bench: &Bench, people: &str) {
    bench.run(&["integration", "delete", "acme", "--people", people]);
    until(|| bench.get("/Users").status == 404);
    assert_eq!(names(bench, "group", "groups", &[]), [] as [&str; 0]);
    assert_ne!(
        bench.run(&["history", "list", "acme"])["requests"],
        json!([]),
        "the history stays"
    );
    bench.is_sound();
}

/// Feature rows 7, 9, 10, 32, 32b, 33, 34, 42, 43, 44, 45, 46, 47, 55, 56, 57, 59, 60, 61, 63: ThreatLocker, with Okta, and
/// with Entra ID that sends three attributes.
#[test]
fn like_threatlocker() {
    for (provider, dialect) in [("okta", "okta"), ("entra", "entra-three-attributes")] {
        let mut bench = bench("threatlocker", provider, |place| {
            let (_, refused) = place.refusal(&["integration", "enable", "acme"]);
            assert!(text(&refused["detail"]).contains("no API token"), "{refused}");
            let token = new_token(place);
            place.json(&["integration", "enable", "acme"]);
            token
        });
        simulate(&bench, dialect, &["--keeps", MAPPED]);
        tokens_and_switch(&mut bench);
        threatlocker_people(&bench);
        threatlocker_groups(&bench);
        manual_accounts_stay(&bench);
        remove(&bench, "disable");
        assert_eq!(
            names(&bench, "user", "users", &["--state", "active"]),
            ["root@x.example"]
        );
    }
}

fn threatlocker_people(bench: &Bench) {
    let (status, refused) = post(bench, "jdoe");
    assert_eq!((status, &refused["scimType"]), (400, &json!("invalidValue")));
    assert!(
        text(&refused["detail"]).contains("userPrincipalName"),
        "{refused}"
    );
    let more = json!({ "title": "Cook", "name": { "givenName": "Ann", "familyName": "Lee", "honorificPrefix": "Dr" },
        "urn:example:unknown": { "x": 1 } });
    let ann = bench.user_with("ann@x.example", &more);
    let kept = bench.get(&format!("/Users/{ann}")).body;
    assert_eq!(
        (&kept["title"], &kept["name"]["honorificPrefix"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        (&kept["name"]["givenName"], &kept["active"]),
        (&json!("Ann"), &Value::Null),
        "{kept}"
    );
    let ignored = json!([{ "op": "replace", "path": "roles[primary eq \"True\"].value", "value": "Boss" }]);
    assert!((200..300).contains(&bench.patch(&format!("/Users/{ann}"), &ignored).status));
    assert_eq!(post(bench, "Ann@X.example").0, 409);
    assert_eq!(
        show(bench, "ann@x.example")["state"],
        "active",
        "nobody said that she is not"
    );
    assert!(roles(bench, "ann@x.example").is_empty() && permissions(bench, "ann@x.example").is_empty());
    bench.run(&[
        "user",
        "grant",
        "acme",
        "ann@x.example",
        "--permission",
        "app:reports",
    ]);
    assert_eq!(permissions(bench, "ann@x.example"), ["app:reports"]);
    for verb in ["grant", "revoke"] {
        let refused = bench.refused(&["user", verb, "acme", "ann@x.example", "--role", "Operator"]);
        assert!(refused.contains("its roles come by groups"), "{refused}");
    }
    set_active(bench, &ann, false);
    assert_eq!(show(bench, "ann@x.example")["state"], "disabled");
    assert!(is_listed(bench, "ann@x.example", &[]) && permissions(bench, "ann@x.example").is_empty());
    set_active(bench, &ann, true);
    assert_eq!(permissions(bench, "ann@x.example"), ["app:reports"]);
    bench.delete(&format!("/Users/{ann}"));
    assert_eq!(bench.get(&format!("/Users/{ann}")).status, 404);
    assert!(!is_listed(bench, "ann@x.example", &[]), "removed here, too");
    assert!(is_listed(bench, "ann@x.example", &["--state", "removed"]));
    let again = bench.user("ann@x.example");
    assert_ne!(again, ann);
    assert!(
        permissions(bench, &again).is_empty(),
        "a name alone proves nothing"
    );
}

fn threatlocker_groups(bench: &Bench) {
    let bob = bench.user("bob@x.example");
    let crew = bench.group("Crew", &[]);
    let night = bench.group("Night", &[&bob]);
    bench.join(&crew, &bob);
    let unmapped = || names(bench, "group", "groups", &["--unmapped"]);
    assert!(unmapped().contains(&"Crew".to_owned()));
    bench.run(&["mapping", "set", "acme", "Crew", "Operator", "Read only"]);
    bench.run(&["mapping", "set", "acme", "Night", "Read only"]);
    assert!(
        !unmapped().contains(&"Crew".to_owned()),
        "a mapped group leaves the list"
    );
    assert_eq!(roles(bench, "bob@x.example"), ["Operator", "Read only"]);
    bench.run(&[
        "user",
        "grant",
        "acme",
        "bob@x.example",
        "--permission",
        "app:reports",
    ]);
    bench.leave(&crew, &bob);
    assert_eq!(
        roles(bench, "bob@x.example"),
        ["Read only"],
        "the other group gives that one"
    );
    assert!(permissions(bench, "bob@x.example").contains(&"app:reports".to_owned()));
    bench.delete(&format!("/Groups/{night}"));
    assert!(roles(bench, "bob@x.example").is_empty());
    assert!(!names(bench, "group", "groups", &[]).contains(&"Night".to_owned()));
    bench.run(&["mapping", "delete", "acme", "Crew"]);
    assert!(unmapped().contains(&"Crew".to_owned()));
    bench.is_sound();
}

/// Feature rows 12, 25, 32, 35, 37, 46, 47, 49, 50, 53, 63: Level Access, with Okta and with Entra ID.
#[test]
fn like_level_access() {
    for provider in ["okta", "entra"] {
        let mut bench = bench("level-access", provider, |place| {
            let (_, refused) = place.refusal(&["token", "create", "acme"]);
            assert!(
                text(&refused["detail"]).contains("activate it first"),
                "{refused}"
            );
            place.json(&["integration", "enable", "acme"]);
            new_token(place)
        });
        simulate(&bench, provider, &[]);
        tokens_and_switch(&mut bench);
        level_access_people(&bench);
        manual_accounts_stay(&bench);
        remove(&bench, "detach");
        assert_eq!(show(&bench, "cid")["managed_by"], "hand");
        assert_eq!(
            roles(&bench, "cid"),
            ["Read only"],
            "the local group still gives it"
        );
    }
}

fn level_access_people(bench: &Bench) {
    // A name need not be an address, everything is kept, and groups of a person's attributes are disregarded.
    let more = json!({ "title": "Cook", "groups": [{ "value": "x", "display": "Attribute group" }] });
    let cid = bench.user_with("cid", &more);
    let kept = bench.get(&format!("/Users/{cid}")).body;
    assert_eq!(
        (&kept["title"], &kept["groups"]),
        (&json!("Cook"), &Value::Null),
        "{kept}"
    );
    let unassigned = || is_listed(bench, "cid", &["--unassigned"]);
    assert!(unassigned(), "new people wait");
    let groups = bench.get("/Groups?count=0").body["totalResults"].clone();
    bench.run(&["local-group", "create", "acme", "Desk"]);
    bench.run(&["local-group", "set", "acme", "Desk", "--allow", "Read only"]);
    bench.run(&["local-group", "add", "acme", "Desk", "cid"]);
    assert!(!unassigned());
    assert_eq!(roles(bench, "cid"), ["Read only"]);
    assert_eq!(
        bench.get("/Groups?count=0").body["totalResults"],
        groups,
        "SCIM does not see local groups"
    );
    for command in [
        &["user", "remove", "acme", "cid"][..],
        &["user", "disable", "acme", "cid"],
        &["user", "set", "acme", "cid", "--display", "X"],
    ] {
        let refused = bench.refused(command);
        assert!(refused.contains("managed by the identity provider"), "{refused}");
    }
    set_active(bench, &cid, false);
    assert!(roles(bench, "cid").is_empty());
    set_active(bench, &cid, true);
    assert_eq!(roles(bench, "cid"), ["Read only"], "the local group was kept");
    let dan = bench.user("dan");
    bench.run(&["local-group", "add", "acme", "Desk", "dan"]);
    bench.delete(&format!("/Users/{dan}"));
    assert!(!is_listed(bench, "dan", &[]));
    let again = bench.user("dan");
    assert!(
        roles(bench, &again).is_empty() && is_listed(bench, "dan", &["--unassigned"]),
        "a new person"
    );
}

/// Feature rows 7, 8, 13, 25, 41, 46, 47, 48, 51, 54, 62, 63: the third platform, with Entra ID, JumpCloud and Okta.
#[test]
fn like_the_third_platform() {
    for provider in ["entra", "jumpcloud", "okta"] {
        let mut bench = bench("third-platform", provider, |place| {
            assert_eq!(
                place.refusal(&["token", "create", "acme"]).0,
                1,
                "Save makes the key"
            );
            let saved = place.json(&["org", "set", "acme", "--idp", provider]);
            let token = text(&saved["token"]);
            let again = place.json(&["org", "set", "acme", "--idp", provider, "--display", "Acme"]);
            assert_eq!(again.get("token"), None, "it is shown once");
            place.json(&["integration", "enable", "acme"]);
            token
        });
        simulate(&bench, provider, &[]);
        tokens_and_switch(&mut bench);
        third_platform_people(&bench);
        third_platform_roles(&bench);
        manual_accounts_stay(&bench);
        remove(&bench, "detach");
        assert_eq!(
            show(&bench, "eve@x.example")["state"],
            "active",
            "whoever is not removed before stays"
        );
    }
}

fn third_platform_people(bench: &Bench) {
    let known = json!({ "externalId": "e-1", "title": "Cook", "phoneNumbers": [{ "type": "mobile", "value": "+1 555" }],
        "addresses": [{ "type": "work", "locality": "Oslo" }] });
    let eve = bench.user_with("eve@x.example", &known);
    let kept = bench.get(&format!("/Users/{eve}")).body;
    assert_eq!(
        (
            &kept["title"],
            &kept["phoneNumbers"][0]["value"],
            &kept["addresses"][0]["locality"]
        ),
        (&json!("Cook"), &json!("+1 555"), &json!("Oslo"))
    );
    let change = json!([{ "op": "replace", "path": "name.givenName", "value": "Eve" }]);
    assert_eq!(bench.patch(&format!("/Users/{eve}"), &change).status, 200);
    let account = show(bench, "eve@x.example")["id"].clone();
    set_active(bench, &eve, false);
    assert_eq!(show(bench, "eve@x.example")["state"], "disabled");
    set_active(bench, &eve, true);
    assert_eq!(show(bench, "eve@x.example")["state"], "active");
    bench.delete(&format!("/Users/{eve}"));
    assert_eq!(bench.get(&format!("/Users/{eve}")).status, 404);
    let left = show(bench, &eve);
    assert_eq!(
        (&left["state"], &left["name"]),
        (&json!("disabled"), &json!("eve@x.example"))
    );
    assert!(
        is_listed(bench, "eve@x.example", &[]),
        "deactivated, never deleted"
    );
    let touched = bench.run(&["history", "list", "acme", "--user", "eve@x.example"]);
    assert!(touched["requests"].as_array().unwrap().len() >= 4, "{touched:#}");
    let back = bench.user_with("eve@x.example", &known);
    let shown = show(bench, "eve@x.example");
    assert_eq!(
        (&shown["id"], &shown["scim_id"]),
        (&account, &json!(back)),
        "restored, with the history of before"
    );
    assert_eq!(texts(&shown["former_scim_ids"]), [eve.as_str()]);
}

fn third_platform_roles(bench: &Bench) {
    let eve = text(&show(bench, "eve@x.example")["scim_id"]);
    let crew = bench.group("Crew", &[&eve]);
    assert_eq!(roles(bench, "eve@x.example"), ["Crew"], "a group comes as a role");
    assert!(
        permissions(bench, "eve@x.example").is_empty(),
        "which permits nothing yet"
    );
    bench.run(&["role", "set", "acme", "crew", "--allow", "app:reports"]);
    assert_eq!(permissions(bench, "eve@x.example"), ["app:reports"]);
    let rename = json!([{ "op": "replace", "path": "displayName", "value": "Night" }]);
    assert_eq!(bench.patch(&format!("/Groups/{crew}"), &rename).status, 200);
    assert_eq!(roles(bench, "eve@x.example"), ["Night"]);
    assert!(
        bench
            .refused(&["mapping", "set", "acme", "Night", "Operator"])
            .contains("have no effect")
    );
    bench.leave(&crew, &eve);
    assert!(roles(bench, "eve@x.example").is_empty());
    bench.join(&crew, &eve);
    bench.delete(&format!("/Groups/{crew}"));
    assert!(roles(bench, "eve@x.example").is_empty());
    assert!(
        bench
            .refused(&["role", "show", "acme", "Night"])
            .contains("has no role")
    );
    let other = bench.send(
        "POST",
        "/Groups",
        &json!({ "schemas": [program::bench::GROUP], "displayName": "Night" }),
    );
    assert_ne!(id(&other), crew);
    let another = bench.run(&["role", "show", "acme", "Night"]);
    assert_eq!(
        another["permissions"],
        json!([]),
        "the role of another group, of that name"
    );
    bench.group("night", &[]);
    let refused = bench.refused(&["role", "show", "acme", "Night"]);
    assert!(
        refused.contains("Several roles") && refused.contains(&text(&another["id"])),
        "{refused}"
    );
    bench.is_sound();
}
