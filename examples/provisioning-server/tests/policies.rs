//! The protocol policies of an organization, as clients see them: `tolerant`, `strict`, `interop-profile`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use program::{Answer, Place, Server, rows};
use scim::store::database::Value as Cell;
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// A server with the organization "acme" under a policy.
struct Bench {
    server: Server,
    token: String,
    place: Place,
}

impl Bench {
    fn new(policy: &str) -> Self {
        Self::with(&["--policy", policy])
    }

    fn with(settings: &[&str]) -> Self {
        let place = Place::new();
        let create = ["org", "create", "acme", "--idp", "other", "--username", "any"];
        let created = place.json(&[&create, settings].concat());
        Self {
            server: place.serve(&[]),
            token: created["token"].as_str().unwrap().to_owned(),
            place,
        }
    }

    fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &Value::Null)
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.server.acme(&self.token, method, path, body)
    }

    fn user(&self, name: &str) -> String {
        let created = self.send("POST", "/Users", &json!({ "schemas": [USER], "userName": name }));
        assert_eq!(created.status, 201, "{}", created.text);
        created.body["id"].as_str().unwrap().to_owned()
    }

    /// Ends the server and returns the notes in its history.
    fn notes(self) -> Vec<String> {
        let Self { server, place, .. } = self;
        server.terminate();
        let rows = rows(
            &place,
            "SELECT notes FROM history WHERE notes IS NOT NULL ORDER BY sequence",
        );
        let text = |cell| match cell {
            Cell::Text(text) => Some(text),
            _ => None,
        };
        rows.into_iter().flatten().filter_map(text).collect()
    }
}

/// RFC 7644 sections 3.4.2.4 and 3.4.3: numbers as they are sent, over rows in SQLite.
#[test]
fn pages_beyond_the_end_and_searches_with_slips() {
    let bench = Bench::new("tolerant");
    bench.user("ann");
    for (start, shown) in [
        ("2", 2_u64),
        ("9223372036854775807", 9_223_372_036_854_775_807),
        ("9223372036854775808", 9_223_372_036_854_775_807),
        ("99999999999999999999999", 9_223_372_036_854_775_807),
    ] {
        for query in [
            format!("/Users?startIndex={start}"),
            format!("/Users?startIndex={start}&count=1&sortBy=userName"),
            format!("/Users?startIndex={start}&filter=userName+eq+%22ann%22"),
            format!("/?startIndex={start}"),
        ] {
            let page = bench.get(&query);
            assert_eq!(page.status, 200, "{query}: {}", page.text);
            assert_eq!(page.body["startIndex"], shown, "{query}");
            assert_eq!(
                (&page.body["totalResults"], &page.body["Resources"]),
                (&json!(1), &json!([])),
                "{query}"
            );
        }
    }
    let search = json!({ "schemas": SEARCH, "startIndex": "1", "count": "5" });
    let found = bench.send("POST", "/Users/.search", &search);
    assert_eq!((found.status, &found.body["itemsPerPage"]), (200, &json!(1)));
    let notes = bench.notes();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(
        notes[0].contains("single-values-without-array") && notes[0].contains("numeric-strings"),
        "{notes:?}"
    );

    let strict = Bench::new("strict");
    assert_eq!(strict.send("POST", "/Users/.search", &search).status, 400);
}

/// P-3.4.2.2-04, P-3.4.2.2-17 and P-3.4.2.3-06 (RFC 7644 section 3.4.2).
#[test]
fn broken_queries_are_refused_and_slips_are_noted() {
    for policy in ["tolerant", "strict"] {
        let bench = Bench::new(policy);
        for (query, kind) in [
            ("filter=", "invalidFilter"),
            ("sortOrder=", "invalidValue"),
            ("sortBy=", "invalidPath"),
            ("sortBy=name.", "invalidPath"),
        ] {
            let refused = bench.get(&format!("/Users?{query}"));
            assert_eq!(
                (refused.status, &refused.body["scimType"]),
                (400, &json!(kind)),
                "{query}"
            );
        }
        let slips = [
            "/Users?filter=userName+eq%22ann%22",
            "/Users?filter=emails%5Btype+eq+%22work%22%5D.value+eq+%22x%22",
        ];
        let status = if policy == "strict" { 400 } else { 200 };
        for slip in slips {
            assert_eq!(bench.get(slip).status, status, "{slip}");
        }
        let accept = [
            ("authorization", &*format!("Bearer {}", bench.token)),
            ("accept", "text/html"),
        ];
        let status = if policy == "strict" { 406 } else { 200 };
        assert_eq!(bench.server.get("/scim/acme/v2/Users", &accept).status, status);
        let expected = match policy {
            "strict" => vec![],
            _ => vec![
                "read with a space: filter (missing-spaces)",
                "read as one more condition: filter (value-path-comparisons)",
                "ignored: Accept (other-accept)",
            ],
        };
        assert_eq!(bench.notes(), expected);
    }
}

/// Attributes that were sent and are not in the resource stand in the history row of the request, with what became of
/// them.
#[test]
fn the_history_says_what_was_sent_and_not_kept() {
    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let bench = Bench::with(&["--attributes", "mapped", "--first-login", "password-reset"]);
    let body = json!({
        "schemas": [USER, ENTERPRISE, "urn:example:unknown"],
        "userName": "ann",
        "name": { "givenName": "Ann", "middleName": "B" },
        "title": "Cook",
        "password": "secret",
        "favouriteColour": "red",
        ENTERPRISE: { "department": "Kitchen", "shoeSize": 38 },
    });
    let created = bench.send("POST", "/Users", &body);
    assert_eq!(created.status, 201, "{}", created.text);
    let person = format!("/Users/{}", created.body["id"].as_str().unwrap());
    let mut changed = body;
    changed["externalId"] = json!("7");
    assert_eq!(bench.send("PUT", &person, &changed).status, 200);
    let patch = |operations: Value| {
        let message = json!({ "schemas": [PATCH], "Operations": operations });
        let answer = bench.send("PATCH", &person, &message);
        assert_eq!(answer.status, 200, "{}", answer.text);
    };
    // One that changes something, and three that do not.
    patch(json!([
        { "op": "replace", "path": "externalId", "value": "8" },
        { "op": "add", "path": "title", "value": "Cook" },
        { "op": "add", "path": "favouriteColour", "value": "red" },
    ]));
    patch(json!([{ "op": "add", "value": { "title": "Cook", "favouriteColour": "red" } }]));
    patch(json!([{ "op": "add", "path": "name", "value": { "middleName": "C" } }]));
    patch(json!([{ "op": "replace", "path": format!("{ENTERPRISE}:department"), "value": "Bar" }]));
    // A list does not need anything, and so its row says nothing.
    assert_eq!(bench.get("/Users").status, 200);

    let Bench { server, place, .. } = bench;
    server.terminate();
    let notes = rows(
        &place,
        "SELECT coalesce(notes, '') FROM history ORDER BY sequence",
    );
    let notes: Vec<String> = notes
        .into_iter()
        .flatten()
        .map(|cell| match cell {
            Cell::Text(text) => text,
            other => format!("{other:?}"),
        })
        .collect();
    let (written, patched) = notes.split_at(2);
    for notes in written {
        let (ignored, not_kept) = notes.split_once("; ").unwrap();
        for name in ["urn:example:unknown", "favouriteColour", "password"] {
            assert!(
                ignored.starts_with("ignored: ") && ignored.contains(name),
                "{notes}"
            );
        }
        assert!(ignored.ends_with(" (unknown-names)"), "{notes}");
        for name in ["title", "name.middleName", ENTERPRISE] {
            assert!(
                not_kept.starts_with("not kept: ") && not_kept.contains(name),
                "{notes}"
            );
        }
    }
    assert_eq!(
        patched,
        [
            "not kept: title; ignored: favouriteColour (unknown-names)",
            "ignored: favouriteColour (unknown-names); not kept: title",
            "not kept: name.middleName",
            &format!("not kept: {ENTERPRISE}:department"),
            "",
        ]
    );
}

/// Feature row 109: the SCIM 2.0 Interoperability Profile, over rows in SQLite. The ids are those of
/// `scim::policy::Policy::interop_profile`, whose every rule is tested there.
#[test]
fn the_interoperability_profile_is_a_policy() {
    let bench = Bench::new("interop-profile");
    // IP-01 and IP-08.
    let config = bench.get("/ServiceProviderConfig");
    assert_eq!(config.body["interopProfileConformant"], true);
    let json = [
        ("authorization", &*format!("Bearer {}", bench.token)),
        ("accept", "application/json"),
    ];
    let answer = bench.server.get("/scim/acme/v2/Users", &json);
    assert!(
        answer.head.contains("content-type: application/scim+json"),
        "{}",
        answer.head
    );
    // IP-02, and AL-17 of OpenID's account lifecycle profile: what is not kept is neither listed nor accepted.
    let schema = bench.get(&format!("/Schemas/{USER}")).text;
    assert!(!schema.contains("\"password\""));
    let with_password = json!({ "schemas": [USER], "userName": "p", "password": "x" });
    let refused = bench.send("POST", "/Users", &with_password);
    assert_eq!(
        (refused.status, &refused.body["scimType"]),
        (400, &json!("invalidSyntax"))
    );

    let (ann, ben) = (bench.user("ann"), bench.user("ben"));
    let members = json!([{ "value": ann }, { "value": ben }]);
    let group = json!({ "schemas": [GROUP], "displayName": "Cooks", "members": members });
    let group = bench.send("POST", "/Groups", &group);
    assert_eq!(group.status, 201, "{}", group.text);
    let group = format!("/Groups/{}", group.body["id"].as_str().unwrap());
    let person = format!("/Users/{ann}");
    let emails = json!([{ "value": "a@x", "type": "work" }, { "value": "b@x", "type": "work" }]);
    for (path, operation, outcome) in [
        // IP-05, IP-12 and IP-14 to IP-17.
        (
            &person,
            json!({ "op": "add", "path": "emails", "value": emails }),
            "",
        ),
        (
            &person,
            json!({ "op": "add", "path": "emails", "value": emails[0] }),
            "invalidValue",
        ),
        (
            &person,
            json!({ "op": "add", "path": "favouriteColour", "value": "red" }),
            "invalidSyntax",
        ),
        (
            &person,
            json!({ "op": "add", "value": { "title": "Cook" } }),
            "invalidSyntax",
        ),
        (&person, json!({ "op": "remove" }), "invalidSyntax"),
        (
            &person,
            json!({ "op": "add", "path": "name", "value": { "givenName": "A" } }),
            "",
        ),
        (
            &person,
            json!({ "op": "replace", "path": "name", "value": { "familyName": "B" } }),
            "",
        ),
        (
            &person,
            json!({ "op": "remove", "path": "emails[value eq \"a@x\"]" }),
            "invalidPath",
        ),
        (
            &person,
            json!({ "op": "replace", "path": "emails[type eq \"work\"].display", "value": "E" }),
            "invalidFilter",
        ),
        (
            &group,
            json!({ "op": "add", "path": "members", "value": { "value": ann } }),
            "invalidValue",
        ),
        (
            &group,
            json!({ "op": "remove", "path": format!("members[value eq \"{ann}\"]") }),
            "invalidPath",
        ),
        (
            &group,
            json!({ "op": "remove", "path": "members", "value": [{ "value": ann }] }),
            "",
        ),
    ] {
        let answer = bench.send(
            "PATCH",
            path,
            &json!({ "schemas": [PATCH], "Operations": [operation] }),
        );
        let scim_type = answer.body["scimType"].as_str().unwrap_or_default();
        assert_eq!(scim_type, outcome, "{operation}: {}", answer.text);
        assert_eq!(
            answer.status,
            if outcome.is_empty() { 200 } else { 400 },
            "{}",
            answer.text
        );
    }
    let shown = bench.get(&person).body;
    assert_eq!(shown["name"], json!({ "familyName": "B" }));
    assert_eq!(shown["emails"].as_array().unwrap().len(), 2);
    let left = bench.get(&group).body;
    assert_eq!(left["members"].as_array().unwrap().len(), 1);
    assert_eq!(left["members"][0]["value"], ben.as_str());

    // IP-18, IP-19 and IP-21.
    let again = json!({ "schemas": [USER], "userName": "ANN" });
    let conflict = bench.send("POST", "/Users", &again);
    assert_eq!(
        (conflict.status, &conflict.body["scimType"]),
        (409, &json!("uniqueness"))
    );
    assert_eq!(bench.send("DELETE", &person, &Value::Null).status, 204);
    assert_eq!(bench.get(&person).status, 404);
    assert_eq!(bench.get("/Users").body["totalResults"], 1);
    assert_eq!(bench.send("POST", "/Users", &again).status, 201);

    // A token without its scheme is a tolerance.
    let bare = [("authorization", &*bench.token)];
    assert_eq!(bench.server.get("/scim/acme/v2/Users", &bare).status, 401);
}

/// `interop` is the former name of `tolerant`: it is accepted, with a warning beside the one document.
#[test]
fn the_former_name_of_a_policy_is_accepted_with_a_warning() {
    let place = Place::new();
    let made = place.run(&["org", "create", "acme", "--policy", "interop"]);
    assert!(made.status.success());
    let warning = "warning: The policy interop is called tolerant now: use --policy tolerant.\n";
    assert_eq!(String::from_utf8_lossy(&made.stderr), warning);

    let set = place.run(&["org", "set", "acme", "--policy", "interop", "--json"]);
    assert!(set.status.success());
    let document: Value = serde_json::from_slice(&set.stdout).unwrap();
    assert_eq!(document["settings"]["policy"], "tolerant");
    let warning: Value = serde_json::from_slice(&set.stderr).unwrap();
    assert!(warning["warning"].as_str().unwrap().contains("--policy tolerant"));

    for policy in ["tolerant", "strict", "interop-profile"] {
        let document = place.json(&["org", "set", "acme", "--policy", policy]);
        assert_eq!(document["settings"]["policy"], policy);
    }
    // A failure is one document alone, and help names the present words.
    let (code, refused) = place.refusal(&["org", "set", "nobody", "--policy", "interop"]);
    assert_eq!(code, 1);
    assert!(
        refused["detail"].as_str().unwrap().contains("nobody"),
        "{refused}"
    );
    let help = place.run(&["org", "set", "--help"]);
    // Lines are broken where the terminal ends.
    let help = String::from_utf8_lossy(&help.stdout);
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        help.contains("[possible values: tolerant, strict, interop-profile]"),
        "{help}"
    );
}

/// Organizations that an older version has exported hold the former name of the policy.
#[test]
fn an_export_with_the_former_name_of_a_policy_is_imported() {
    let place = Place::new();
    place.json(&["org", "create", "acme"]);
    let file = place.path("acme.jsonl");
    assert!(place.run(&["export", "acme", "--out", &file]).status.success());
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text.matches(r#""policy":"tolerant""#).count(), 1, "{text}");
    let older = place.file(
        "older.jsonl",
        &text.replace(r#""policy":"tolerant""#, r#""policy":"interop""#),
    );

    let elsewhere = Place::new();
    let imported = elsewhere.run(&["import", &older]);
    assert!(
        imported.status.success(),
        "{}",
        String::from_utf8_lossy(&imported.stderr)
    );
    let shown = elsewhere.json(&["org", "show", "acme"]);
    assert_eq!(shown["settings"]["policy"], "tolerant");
    let kept = rows(&elsewhere, "SELECT settings FROM organization");
    assert!(!format!("{kept:?}").contains("interop"), "{kept:?}");
}
