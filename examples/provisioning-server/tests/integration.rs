//! The integration of an organization with its identity provider: its set-up, its settings and its end.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use std::time::Duration;

use program::bench::{Bench, texts};
use program::{Place, rows};
use scim::store::database::Value as Cell;
use serde_json::{Value, json};

fn show(place: &Place) -> Value {
    place.json(&["integration", "show", "acme"])
}

fn state(place: &Place) -> String {
    show(place)["state"].as_str().unwrap().to_owned()
}

/// Returns the one text or number that a query finds.
fn cell(place: &Place, sql: &'static str) -> String {
    let found = rows(place, sql);
    let first = found.first().and_then(|row| row.first());
    match first {
        Some(Cell::Text(text)) => text.clone(),
        Some(Cell::Integer(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}

/// Makes an organization whose integration was deleted before anybody came.
fn without_integration(settings: &[&str]) -> Place {
    let place = Place::new();
    place.json(&[&["org", "create", "acme"], settings].concat());
    let deleted = place.json(&["integration", "delete", "acme"]);
    assert_eq!(
        (&deleted["deleted"], &deleted["active_people"]),
        (&json!(true), &json!(0))
    );
    assert_eq!(state(&place), "absent");
    place
}

/// Feature row 9: with `token-first` a token comes before the switch, which it does not turn.
#[test]
fn the_token_comes_first() {
    let place = without_integration(&["--set-up", "token-first"]);
    assert_eq!(show(&place)["can_enable"], false);
    let (_, refused) = place.refusal(&["integration", "enable", "acme"]);
    assert!(
        refused["detail"].as_str().unwrap().contains("no API token"),
        "{refused}"
    );
    let token = place.json(&["token", "create", "acme"])["token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        (state(&place).as_str(), &show(&place)["can_enable"]),
        ("configured", &json!(true))
    );
    let server = place.serve(&[]);
    assert_eq!(
        server.scim("acme", &token).status,
        403,
        "off until it is switched on"
    );
    assert_eq!(place.json(&["integration", "enable", "acme"])["state"], "enabled");
    assert_eq!(server.scim("acme", &token).status, 200);
    assert_eq!(
        place.json(&["integration", "disable", "acme"])["state"],
        "configured"
    );
    // Another token never turns the switch.
    place.json(&["token", "rotate", "acme"]);
    assert_eq!(state(&place), "configured");
}

/// Feature row 12: with `activate-first` the switch comes before the token, and both orders end enabled.
#[test]
fn the_switch_comes_first() {
    let place = without_integration(&["--set-up", "activate-first"]);
    let (_, refused) = place.refusal(&["token", "create", "acme"]);
    assert!(
        refused["detail"].as_str().unwrap().contains("activate it first"),
        "{refused}"
    );
    assert_eq!(
        place.json(&["integration", "enable", "acme"])["state"],
        "configured"
    );
    place.json(&["token", "create", "acme"]);
    assert_eq!(state(&place), "enabled");
}

/// Feature row 13: with `save-generates` the first save makes the token and shows it once; later ones never do.
#[test]
fn the_first_save_makes_the_token() {
    let place = without_integration(&["--set-up", "save-generates"]);
    assert_eq!(place.refusal(&["token", "create", "acme"]).0, 1);
    let saved = place.json(&["org", "set", "acme", "--idp", "jumpcloud"]);
    let token = saved["token"].as_str().unwrap();
    assert!(token.starts_with("scimp_"), "{saved}");
    assert_eq!(
        (state(&place).as_str(), &show(&place)["idp"]),
        ("configured", &json!("jumpcloud"))
    );
    let again = place.json(&["org", "set", "acme", "--idp", "okta"]);
    assert_eq!(again.get("token"), None);
    place.json(&["integration", "enable", "acme"]);
    assert_eq!(place.serve(&[]).scim("acme", token).status, 200);
}

/// Makes people of a provider with a mapped group, a permission of their own, and one who was disabled.
fn attached() -> Bench {
    let bench = Bench::new(&[]);
    let people: Vec<_> = ["ann@x.example", "bob@x.example", "eve@x.example"]
        .iter()
        .map(|name| bench.user(name))
        .collect();
    let ids: Vec<_> = people.iter().map(String::as_str).collect();
    bench.group("Crew", &ids);
    bench.run(&["mapping", "set", "acme", "Crew", "Operator"]);
    let off = json!([{ "op": "replace", "path": "active", "value": false }]);
    assert_eq!(bench.patch(&format!("/Users/{}", people[2]), &off).status, 200);
    bench.place.execute(
        "INSERT INTO permission_grant (org, holder, permission, origin, waiting, created, by_whom)
         SELECT org, id, 'app:reports', 'hand', 0, 0, 'root' FROM account WHERE name = 'ann@x.example'",
    );
    bench
}

/// Feature row 63: deleting asks what becomes of people who are still active, and says how many they are.
#[test]
fn deleting_asks_about_people() {
    let bench = attached();
    let refused = bench.refused(&["integration", "delete", "acme"]);
    for part in [
        "2 people are still active",
        "--people disable",
        "--people detach",
        "cancel",
    ] {
        assert!(refused.contains(part), "{refused}");
    }
    assert_eq!(bench.get("/Users").status, 200, "nothing has happened");
    assert_eq!(bench.run(&["role", "show", "acme", "Operator"])["people"], 2);
    bench.is_sound();
}

/// Feature row 63: people can be disabled with the integration; the URL is 404, tokens, groups and mappings are gone, and
/// the history stays.
#[test]
fn people_are_disabled_with_the_integration() {
    let bench = attached();
    let requests = cell(&bench.place, "SELECT count(*) FROM request WHERE method <> 'GET'");
    let deleted = bench.run(&["integration", "delete", "acme", "--people", "disable"]);
    assert_eq!(
        (&deleted["people"], &deleted["active_people"], &deleted["groups"]),
        (&json!("disable"), &json!(2), &json!(1))
    );
    until(|| bench.get("/Users").status == 404);
    let gone = bench.get("/Users");
    assert!(gone.detail().contains("integration was deleted"), "{}", gone.text);
    assert_eq!(bench.server.scim("acme", "scimp_nonsense").status, 401);
    assert_eq!(bench.run(&["group", "list", "acme"])["groups"], json!([]));
    assert_eq!(bench.run(&["mapping", "list", "acme"])["mappings"], json!([]));
    assert_eq!(bench.run(&["role", "show", "acme", "Operator"])["people"], 0);
    assert_eq!(states(&bench, "token", "list"), ["revoked"]);
    let listed = cell(
        &bench.place,
        "SELECT group_concat(DISTINCT state || ' ' || managed_by) FROM account",
    );
    assert_eq!(listed, "disabled scim");
    assert_eq!(
        cell(&bench.place, "SELECT count(*) FROM request WHERE method <> 'GET'"),
        requests
    );
    bench.is_sound();
}

/// Feature rows 63, 99: conflicts with a provider, and what was confirmed for it, end with it; permissions that wait are of
/// people who are kept, and wait still.
#[test]
fn conflicts_end_with_the_integration() {
    for (people, waiting) in [("detach", 1), ("disable", 0)] {
        let bench = Bench::new(&["--existing-account", "adopt", "--on-delete", "deactivate"]);
        let known = json!({ "externalId": "e-1" });
        let ann = bench.user_with("ann@x.example", &known);
        let grant = [
            "user",
            "grant",
            "acme",
            "ann@x.example",
            "--permission",
            "app:reports",
        ];
        bench.run(&grant);
        bench.delete(&format!("/Users/{ann}"));
        bench.user_with("ann@x.example", &known);
        bench.run(&["user", "create", "acme", "root@x.example"]);
        bench.run(&["user", "adopt", "acme", "root@x.example"]);
        let twin = json!({ "schemas": [program::bench::USER], "userName": "ann@x.example" });
        assert_eq!(bench.send("POST", "/Users", &twin).status, 409);
        let open = "SELECT count(*) FROM conflict WHERE state = 'open' AND kind <> 'waiting-permissions'";
        let wait = "SELECT count(*) FROM conflict WHERE state = 'open' AND kind = 'waiting-permissions'";
        let adoptions = "SELECT count(*) FROM adoption";
        until(|| cell(&bench.place, open) == "1");
        assert_eq!(
            (cell(&bench.place, wait), cell(&bench.place, adoptions)),
            ("1".into(), "1".into())
        );
        bench.run(&["integration", "delete", "acme", "--people", people]);
        assert_eq!(
            (cell(&bench.place, open), cell(&bench.place, adoptions)),
            ("0".into(), "0".into())
        );
        assert_eq!(cell(&bench.place, wait), waiting.to_string(), "{people}");
        bench.is_sound();
    }
}

/// Feature row 63: people can be kept as manual accounts, with their name and their own permissions and without mapped
/// roles; no provider takes them over.
#[test]
fn people_are_kept_as_manual_accounts() {
    let bench = attached();
    bench.run(&["integration", "delete", "acme", "--people", "detach"]);
    let kept = rows(
        &bench.place,
        "SELECT a.name || ' ' || a.managed_by || ' ' || a.state || ' ' || coalesce(p.permission, '-')
         FROM account a JOIN sign_in_name s ON s.org = a.org AND s.account = a.id
         LEFT JOIN permission_grant p ON p.org = a.org AND p.holder = a.id ORDER BY a.name",
    );
    let kept: Vec<_> = kept.iter().map(|row| &row[0]).collect();
    assert_eq!(
        kept,
        [
            &Cell::Text("ann@x.example hand active app:reports".to_owned()),
            &Cell::Text("bob@x.example hand active -".to_owned()),
            &Cell::Text("eve@x.example hand disabled -".to_owned()),
        ]
    );
    assert_eq!(bench.run(&["role", "show", "acme", "Operator"])["people"], 0);
    bench.is_sound();
    // Making a token again begins another connection.
    let token = bench.run(&["token", "create", "acme"])["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let sources = "SELECT count(*) || ' ' || count(s.ended) FROM source s JOIN organization o ON o.id = s.org
        WHERE o.name = 'acme'";
    assert_eq!(cell(&bench.place, sources), "2 1");
    bench.run(&["integration", "enable", "acme"]);
    until(|| bench.server.scim("acme", &token).status == 200);
    let body = json!({ "schemas": [program::bench::USER], "userName": "ann@x.example" });
    let taken = bench.server.acme(&token, "POST", "/Users", &body);
    assert_eq!(taken.status, 409, "{}", taken.text);
    let new = json!({ "schemas": [program::bench::USER], "userName": "new@x.example" });
    assert_eq!(bench.server.acme(&token, "POST", "/Users", &new).status, 201);
    assert_eq!(bench.get("/Users").status, 401, "the former token stays revoked");
    bench.is_sound();
}

/// Feature row 63: killed in the middle, everything belongs together, and the next start goes on with it.
#[test]
fn an_end_that_was_killed_goes_on() {
    let bench = Bench::new(&[]);
    let people: Vec<_> = (0..150).map(|n| bench.user(&format!("p{n}@x.example"))).collect();
    let ids: Vec<_> = people.iter().map(String::as_str).collect();
    for n in 0..3 {
        bench.group(&format!("Crew {n}"), &ids);
    }
    let mut child = bench
        .place
        .begin(&["integration", "delete", "acme", "--people", "detach"]);
    // It may be anywhere by then: before, in the middle, or done.
    until(|| child.try_wait().unwrap().is_some() || cell(&bench.place, LEFT) != "150");
    child.kill().unwrap();
    child.wait().unwrap();
    bench.is_sound();
    drop(bench.server);
    let server = bench.place.serve(&[]);
    until(|| show(&bench.place).get("ending").is_none());
    assert_eq!(state(&bench.place), "absent");
    assert_eq!(cell(&bench.place, LEFT), "0");
    assert_eq!(
        cell(
            &bench.place,
            "SELECT count(*) FROM account WHERE managed_by = 'hand'"
        ),
        "150"
    );
    assert_eq!(bench.place.json(&["check"])["sound"], true);
    assert_eq!(server.scim("acme", &bench.token).status, 404);
}

/// People who are still bound to the identity provider.
const LEFT: &str = "SELECT count(*) FROM account WHERE row IS NOT NULL";

/// Feature rows 32, 108: fewer attributes erase at once, after the name of the organization was typed.
#[test]
fn what_is_not_kept_any_more_is_erased() {
    let bench = Bench::new(&["--username", "any", "--first-login", "password-reset"]);
    let attributes = json!({
        "externalId": "x1", "displayName": "Ann A.", "title": "Dr.", "nickName": "Annie",
        "name": { "givenName": "Ann", "familyName": "A", "honorificPrefix": "Dr." },
        "emails": [{ "value": "ann@mail.example", "type": "work" }],
        "phoneNumbers": [{ "value": "555", "type": "work" }],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "department": "Tours" },
    });
    let ann = bench.user_with("ann", &attributes);
    let bob = bench.user("bob");
    let before = bench.get(&format!("/Users/{bob}")).body["meta"].clone();
    let to_mapped = ["org", "set", "acme", "--attributes", "mapped"];
    let refused = bench.refused(&to_mapped);
    assert!(
        refused.contains("erased at once, of 2 people") && refused.contains("\"acme\""),
        "{refused}"
    );
    let preview = bench.run(&[&to_mapped[..], &["--preview"]].concat());
    assert_eq!(preview["applied"], false);
    assert_eq!(preview["needs_confirmation"].as_array().unwrap().len(), 1);
    assert!(
        bench
            .refused(&[&to_mapped[..], &["--confirm", "other"]].concat())
            .contains("\"acme\"")
    );
    assert_eq!(bench.get(&format!("/Users/{ann}")).body["title"], "Dr.");
    bench.run(&[&to_mapped[..], &["--confirm", "acme"]].concat());
    until(|| bench.get("/Schemas").text.find("nickName").is_none());
    let after = bench.get(&format!("/Users/{ann}")).body;
    let names: Vec<_> = after.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["externalId", "id", "meta", "name", "schemas", "userName"]);
    assert_eq!(after["name"], json!({ "givenName": "Ann", "familyName": "A" }));
    let file = bench.place.path("acme.jsonl");
    bench.run(&["export", "acme", "--out", &file]);
    let exported = std::fs::read_to_string(file).unwrap();
    assert!(
        exported.contains("\"ann\"") && !exported.contains("Tours"),
        "{exported}"
    );
    let same = bench.get(&format!("/Users/{bob}")).body["meta"].clone();
    assert_eq!(same, before, "who had nothing of it is not changed");
    bench.is_sound();
}

/// Feature row 32: killed in the middle, the next start goes on with the erasing.
#[test]
fn an_erasing_that_was_killed_goes_on() {
    let bench = Bench::new(&[]);
    let ids: Vec<_> = (0..200)
        .map(|n| bench.user_with(&format!("p{n}@x.example"), &json!({ "title": "Dr." })))
        .collect();
    let set = [
        "org",
        "set",
        "acme",
        "--attributes",
        "mapped",
        "--confirm",
        "acme",
    ];
    let mut child = bench.place.begin(&set);
    let begun = "SELECT count(*) FROM organization WHERE settings LIKE '%\"attributes\":\"mapped\"%'";
    until(|| cell(&bench.place, begun) == "1");
    child.kill().unwrap();
    child.wait().unwrap();
    bench.is_sound();
    drop(bench.server);
    let server = bench.place.serve(&[]);
    until(|| {
        cell(
            &bench.place,
            "SELECT count(*) FROM organization WHERE erasing IS NOT NULL",
        ) == "0"
    });
    for id in ids {
        let shown = server.acme(&bench.token, "GET", &format!("/Users/{id}"), &Value::Null);
        assert_eq!((shown.status, shown.body.get("title")), (200, None));
    }
    assert_eq!(bench.place.json(&["check"])["sound"], true);
}

/// Feature rows 62, 77: a change of what groups become is shown before, keeps mappings, and can be changed back.
#[test]
fn mappings_sleep_while_groups_are_mirrored() {
    let bench = Bench::new(&[]);
    let ann = bench.user("ann@x.example");
    bench.group("Crew", &[&ann]);
    bench.run(&["mapping", "set", "acme", "Crew", "Operator"]);
    let preview = bench.run(&["org", "set", "acme", "--groups", "mirror", "--preview"]);
    assert_eq!(preview["applied"], false);
    assert!(
        texts(&preview["effects"])[0].contains("Mappings are kept"),
        "{preview}"
    );
    assert_eq!(preview["people_with_roles"], json!({ "before": 1, "after": 1 }));
    assert_eq!(
        preview["roles"],
        json!([{ "role": "Operator", "before": 1, "after": 0 }, { "role": "Crew", "before": 0, "after": 1 }])
    );
    assert_eq!(bench.run(&["org", "show", "acme"])["settings"]["groups"], "map");
    let set = bench.run(&["org", "set", "acme", "--groups", "mirror"]);
    assert!(texts(&set["effects"])[0].contains("Mappings are kept"), "{set}");
    assert_eq!(bench.run(&["role", "show", "acme", "Operator"])["people"], 0);
    bench.run(&["org", "set", "acme", "--groups", "map"]);
    assert_eq!(bench.run(&["role", "show", "acme", "Operator"])["people"], 1);
    bench.is_sound();
}

/// Feature row 108: what is only worth knowing is said, and asks for nothing.
#[test]
fn a_stricter_setting_says_what_it_leaves_alone() {
    let bench = Bench::new(&["--username", "any"]);
    bench.user("ann");
    let set = bench.run(&["org", "set", "acme", "--username", "email"]);
    assert!(
        texts(&set["notes"])[0].contains("stay until they change"),
        "{set}"
    );
}

/// Feature row 70: every action on an organization, its tokens and its integration is in the audit log, and no token is.
#[test]
fn the_audit_log_has_everything_but_tokens() {
    let place = Place::new();
    let first = place.json(&["org", "create", "acme"])["token"].clone();
    place.json(&[
        "org",
        "set",
        "acme",
        "--display",
        "Acme",
        "--idp",
        "okta",
        "--idp-initiated-saml",
        "on",
    ]);
    let second = place.json(&["token", "rotate", "acme", "--overlap"])["token"].clone();
    place.json(&["token", "complete", "acme"]);
    place.json(&["org", "disable", "acme"]);
    place.json(&["org", "disable", "acme"]);
    place.json(&["org", "enable", "acme"]);
    place.json(&["token", "revoke", "acme"]);
    place.json(&["integration", "delete", "acme"]);
    let deleted = place.json(&["org", "delete", "acme"]);
    assert_eq!((&deleted["people"], &deleted["groups"]), (&json!(0), &json!(0)));
    let audit = rows(&place, "SELECT action, detail FROM audit ORDER BY sequence");
    let text = |cell: &Cell| match cell {
        Cell::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    let actions: Vec<_> = audit.iter().map(|row| text(&row[0])).collect();
    assert_eq!(
        actions,
        [
            "organization.create",
            "organization.set",
            "integration.set",
            "login.set",
            "token.rotate",
            "token.complete",
            "integration.disable",
            "integration.enable",
            "token.revoke",
            "integration.delete",
            "organization.delete"
        ]
    );
    let details: String = audit.iter().map(|row| text(&row[1])).collect();
    for token in [first, second] {
        assert!(!details.contains(&token.as_str().unwrap()[6..20]), "{details}");
    }
}

/// Returns the states of an organization's tokens.
fn states(bench: &Bench, noun: &str, verb: &str) -> Vec<String> {
    let listed = bench.run(&[noun, verb, "acme"]);
    let tokens = listed["tokens"].as_array().unwrap().iter();
    tokens
        .map(|token| token["state"].as_str().unwrap().to_owned())
        .collect()
}

/// Waits until something holds that another process brings about.
fn until(mut holds: impl FnMut() -> bool) {
    let mut looks = (0..1_000).map(|_| holds());
    let has_come = looks.any(|holds| {
        if !holds {
            std::thread::sleep(Duration::from_millis(20));
        }
        holds
    });
    assert!(has_come, "it never comes to it");
}
