//! People and groups of an organization over SCIM: its settings, and what its history keeps.

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
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A server with the organization "acme".
struct Bench {
    server: Server,
    token: String,
    place: Place,
}

impl Bench {
    fn new(flags: &[&str]) -> Self {
        let place = Place::new();
        let created = place.json(&[&["org", "create", "acme"], flags].concat());
        let server = place.serve(&[]);
        Self {
            server,
            token: created["token"].as_str().unwrap().to_owned(),
            place,
        }
    }

    fn get(&self, path: &str) -> Answer {
        self.server.acme(&self.token, "GET", path, &Value::Null)
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.server.acme(&self.token, method, path, body)
    }

    fn patch(&self, path: &str, operations: &Value) -> Answer {
        self.send(
            "PATCH",
            path,
            &json!({ "schemas": [PATCH], "Operations": operations }),
        )
    }

    fn user(&self, name: &str) -> Answer {
        self.send("POST", "/Users", &json!({ "schemas": [USER], "userName": name }))
    }

    fn group(&self, name: &str, members: &[&str]) -> Answer {
        let members: Vec<_> = members.iter().map(|id| json!({ "value": id })).collect();
        self.send(
            "POST",
            "/Groups",
            &json!({ "schemas": [GROUP], "displayName": name, "members": members }),
        )
    }
}

fn id(answer: &Answer) -> String {
    answer.body["id"].as_str().unwrap().to_owned()
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

#[test]
fn a_person_is_created_changed_and_removed() {
    // Feature row 46.
    let bench = Bench::new(&[]);
    let created = bench.user("bjensen@example.com");
    assert_eq!(created.status, 201);
    let id = id(&created);
    let path = format!("/Users/{id}");
    let listening = bench.server.started["listening"].as_str().unwrap();
    let location = format!("{listening}/scim/acme/v2/Users/{id}");
    assert_eq!(created.body["meta"]["location"], location.as_str());
    assert!(
        created
            .head
            .contains(&format!("location: {}", location.to_lowercase())),
        "{}",
        created.head
    );
    let off = bench.patch(
        &path,
        &json!([{ "op": "Replace", "path": "active", "value": "False" }]),
    );
    assert_eq!((off.status, &off.body["active"]), (200, &json!(false)));
    let found = bench.get("/Users?filter=userName+eq+%22BJENSEN@example.com%22");
    assert_eq!(
        found.body["Resources"][0]["id"],
        id.as_str(),
        "who is inactive is still found"
    );
    assert_eq!(bench.send("DELETE", &path, &Value::Null).status, 204);
    for method in ["GET", "DELETE"] {
        assert_eq!(bench.send(method, &path, &Value::Null).status, 404);
    }
    let again = bench.user("bjensen@example.com");
    assert_eq!(again.status, 201, "the userName is free");
    assert_ne!(again.body["id"], id.as_str(), "the id is dead");
}

#[test]
fn an_absent_active_is_neither_stored_nor_echoed() {
    // Feature row 32b.
    let bench = Bench::new(&[]);
    let created = bench.user("a@x.example");
    assert!(created.body.get("active").is_none(), "{}", created.body);
    let read = bench.get(&format!("/Users/{}", id(&created)));
    assert!(read.body.get("active").is_none(), "{}", read.body);
}

/// RFC 7644 section 3.5.1: PUT of what GET shows changes nothing, also where it names another person.
#[test]
fn a_manager_is_named_as_the_server_shows_them() {
    let bench = Bench::new(&[]);
    let boss = bench.user("boss@example.com");
    let place = boss.body["meta"]["location"].as_str().unwrap();
    let manager = json!({ "value": id(&boss), "$ref": place });
    let person = bench.send(
        "POST",
        "/Users",
        &json!({ "schemas": [USER, ENTERPRISE], "userName": "person@example.com", ENTERPRISE: { "manager": manager } }),
    );
    let path = format!("/Users/{}", id(&person));
    let shown = bench.get(&path);
    assert_eq!(shown.body[ENTERPRISE]["manager"]["$ref"], place);
    let again = bench.send("PUT", &path, &shown.body);
    assert_eq!((again.status, &again.body), (200, &shown.body));
    let unversioned = place.replacen("/v2/", "/", 1);
    for operand in [place, &unversioned] {
        let filter = format!("{ENTERPRISE}:manager.%24ref%20eq%20%22{operand}%22");
        let found = bench.get(&format!("/Users?filter={filter}"));
        assert_eq!(found.body["Resources"][0]["id"], person.body["id"], "{operand}");
    }
    let documents = rows(&bench.place, "SELECT CAST(doc AS TEXT) FROM scim_resource");
    let kept = format!("{documents:?}");
    assert!(!kept.contains("http"), "a base URL is kept: {kept}");
}

#[test]
fn a_password_is_accepted_and_discarded() {
    // Feature row 85.
    let bench = Bench::new(&[]);
    let secret = "t1meMa$heen";
    let created = bench.send(
        "POST",
        "/Users",
        &json!({ "schemas": [USER], "userName": "a@x.example", "password": secret }),
    );
    assert_eq!(created.status, 201);
    let path = format!("/Users/{}", id(&created));
    let changed = bench.patch(
        &path,
        &json!([{ "op": "replace", "path": "password", "value": secret }]),
    );
    assert_eq!(changed.status, 200);
    assert_eq!(
        bench.get("/ServiceProviderConfig").body["changePassword"]["supported"],
        false
    );
    let Bench { server, place, .. } = bench;
    server.terminate();
    assert_eq!(
        rows(
            &place,
            "SELECT notes FROM history WHERE notes IS NOT NULL ORDER BY sequence"
        ),
        [
            [text("ignored: password (unknown-names)")],
            [text("ignored: password (unknown-names)")]
        ]
    );
    let folder = place.database().parent().unwrap().to_owned();
    for file in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(
            !bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes())
        );
    }
}

/// AL-17, feature row 85: no schema has a password, so that strict refuses one as an attribute that nobody knows.
#[test]
fn a_password_stands_in_no_schema() {
    let secret = "t1meMa$heen";
    for policy in ["strict", "tolerant"] {
        let bench = Bench::new(&["--policy", policy]);
        let schemas = bench.get("/Schemas").body;
        assert!(schemas["Resources"][0]["attributes"].is_array());
        let names = names(&schemas["Resources"]);
        assert!(names.contains(&"userName") && names.contains(&"emails"));
        assert!(
            names
                .iter()
                .all(|name| !name.to_lowercase().contains("password") || *name == "changePassword")
        );
        let found = bench.get("/Users?filter=password+eq+%22t1meMa$heen%22");
        assert_eq!(
            (found.status, &found.body["scimType"]),
            (400, &json!("invalidFilter"))
        );
        assert!(!found.detail().contains(secret), "{}", found.detail());
    }
    let bench = Bench::new(&["--policy", "strict"]);
    let user = json!({ "schemas": [USER], "userName": "a@x.example", "password": secret });
    let refused = bench.send("POST", "/Users", &user);
    assert_eq!(
        (refused.status, &refused.body["scimType"]),
        (400, &json!("invalidSyntax"))
    );
    assert!(refused.detail().contains("password") && !refused.detail().contains(secret));
    let path = format!("/Users/{}", id(&bench.user("a@x.example")));
    let refused = bench.patch(
        &path,
        &json!([{ "op": "replace", "path": "password", "value": secret }]),
    );
    assert_eq!(
        (refused.status, &refused.body["scimType"]),
        (400, &json!("invalidPath"))
    );
    assert!(refused.detail().contains("password") && !refused.detail().contains(secret));
}

/// Returns the names of all attributes and sub-attributes below a document.
fn names(document: &Value) -> Vec<&str> {
    let inner = match document {
        Value::Array(items) => items.iter().flat_map(names).collect(),
        Value::Object(members) => ["attributes", "subAttributes"]
            .iter()
            .filter_map(|list| members.get(*list))
            .flat_map(names)
            .collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    let own = document.get("name").and_then(Value::as_str);
    own.into_iter().chain(inner).collect()
}

#[test]
fn a_user_name_must_be_an_email_where_the_organization_says_so() {
    // Feature row 33.
    let bench = Bench::new(&["--username", "email"]);
    let refused = bench.user("jdoe");
    assert_eq!(
        (refused.status, &refused.body["scimType"]),
        (400, &json!("invalidValue"))
    );
    for word in ["userName", "userPrincipalName", "mail"] {
        assert!(refused.detail().contains(word), "{}", refused.detail());
    }
    let created = bench.user("jdoe@example.com");
    let path = format!("/Users/{}", id(&created));
    let renamed = bench.patch(
        &path,
        &json!([{ "op": "replace", "path": "userName", "value": "jdoe" }]),
    );
    assert_eq!(renamed.status, 400);
    assert_eq!(bench.get(&path).body["userName"], "jdoe@example.com");
    bench.place.json(&["org", "set", "acme", "--username", "any"]);
    let Bench { server, token, place } = bench;
    drop(server);
    let bench = Bench {
        server: place.serve(&[]),
        token,
        place,
    };
    assert_eq!(bench.user("jdoe").status, 201);
}

#[test]
fn what_is_not_mapped_is_accepted_and_changes_nothing() {
    // Feature row 32.
    let bench = Bench::new(&["--attributes", "mapped"]);
    let created = bench.send(
        "POST",
        "/Users",
        &json!({
            "schemas": [USER, ENTERPRISE, "urn:example:unknown"],
            "userName": "a@x.example",
            "externalId": "7",
            "name": { "givenName": "Ann", "familyName": "X", "middleName": "B" },
            "title": "Tour guide",
            "emails": [{ "value": "a@x.example" }],
            ENTERPRISE: { "department": "Sales" },
            "urn:example:unknown": { "x": 1 },
        }),
    );
    assert_eq!(created.status, 201, "{}", created.body);
    let path = format!("/Users/{}", id(&created));
    let changed = bench.patch(
        &path,
        &json!([
            { "op": "replace", "path": "roles[primary eq \"True\"].value", "value": "admin" },
            { "op": "replace", "path": "title", "value": "Boss" },
        ]),
    );
    assert_eq!(changed.status, 200, "{}", changed.body);
    let kept = bench.get(&path).body;
    assert_eq!(kept["name"], json!({ "givenName": "Ann", "familyName": "X" }));
    assert_eq!(kept["externalId"], "7");
    for name in ["title", "emails", "roles", ENTERPRISE, "urn:example:unknown"] {
        assert!(kept.get(name).is_none(), "{kept}");
    }
    let schema = bench.get(&format!("/Schemas/{USER}")).body;
    let names: Vec<_> = schema["attributes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"userName") && !names.contains(&"title"),
        "{names:?}"
    );
}

#[test]
fn group_names_are_unique_where_the_organization_says_so() {
    // Feature row 62b.
    let bench = Bench::new(&["--unique-group-names", "on"]);
    let staff = bench.group("Staff", &[]);
    assert_eq!(staff.status, 201);
    let refused = bench.group("STAFF", &[]);
    assert_eq!(
        (refused.status, &refused.body["scimType"]),
        (409, &json!("uniqueness"))
    );
    let guests = bench.group("Guests", &[]);
    let rename = json!([{ "op": "replace", "path": "displayName", "value": "staff" }]);
    assert_eq!(
        bench.patch(&format!("/Groups/{}", id(&guests)), &rename).status,
        409
    );
    let own = bench.patch(&format!("/Groups/{}", id(&staff)), &rename);
    assert_eq!(own.status, 200, "a group may change the case of its own name");
    assert_eq!(
        bench
            .send("DELETE", &format!("/Groups/{}", id(&staff)), &Value::Null)
            .status,
        204
    );
    assert_eq!(
        bench.patch(&format!("/Groups/{}", id(&guests)), &rename).status,
        200,
        "the name is free"
    );

    let other = Bench::new(&[]);
    assert_eq!(other.group("Staff", &[]).status, 201);
    assert_eq!(other.group("Staff", &[]).status, 201);
}

#[test]
fn organizations_do_not_see_each_other() {
    // Feature row 15.
    let bench = Bench::new(&[]);
    let user = bench.user("a@x.example");
    let other = bench.place.json(&["org", "create", "other"])["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let authorization = format!("Bearer {other}");
    let headers = [("authorization", authorization.as_str())];
    let path = format!("/scim/other/v2/Users/{}", id(&user));
    assert_eq!(bench.server.get(&path, &headers).status, 404);
    let same = json!({ "schemas": [USER], "userName": "a@x.example" }).to_string();
    assert_eq!(
        bench
            .server
            .send("POST", "/scim/other/v2/Users", &headers, &same)
            .status,
        201
    );
    assert_eq!(bench.get("/Users").body["totalResults"], 1);
}

#[cfg(unix)]
#[test]
fn the_history_says_what_requests_meant() {
    // Feature rows 28, 32 and 75.
    let bench = Bench::new(&["--idp", "entra"]);
    bench.get("/Users?filter=userName+eq+%22cbdc8aa1-a1f1-4a55-a2a5-3e6b8f4b1a6e%22");
    let ann = bench.send(
        "POST",
        "/Users",
        &json!({ "schemas": [USER], "userName": "ann@x.example", "externalId": "e-1", "favouriteColour": "red" }),
    );
    let ben = id(&bench.user("ben@x.example"));
    let ann = id(&ann);
    let path = format!("/Users/{ann}");
    bench.patch(
        &path,
        &json!([{ "op": "Replace", "path": "title", "value": "Guide" }]),
    );
    bench.patch(
        &path,
        &json!([{ "op": "Replace", "path": "active", "value": "False" }]),
    );
    bench.patch(
        &path,
        &json!([{ "op": "Replace", "path": "active", "value": "False" }]),
    );
    bench.patch(
        &path,
        &json!([{ "op": "Replace", "path": "active", "value": "True" }]),
    );
    let group = id(&bench.group("G", &[]));
    let group = format!("/Groups/{group}");
    bench.patch(
        &group,
        &json!([{ "op": "Add", "path": "members", "value": [{ "value": ann }, { "value": ben }] }]),
    );
    bench.patch(
        &group,
        &json!([{ "op": "Remove", "path": "members", "value": [{ "value": ben }] }]),
    );
    bench.patch(
        &group,
        &json!([{ "op": "Replace", "path": "displayName", "value": "H" }]),
    );
    bench.send("DELETE", &path, &Value::Null);
    bench.send("DELETE", &group, &Value::Null);
    bench.user("ben@x.example");
    bench.user("jdoe");
    bench.get("/Users/nobody");
    let Bench { server, place, .. } = bench;
    server.terminate();

    let kept = rows(&place, "SELECT meaning, status FROM history ORDER BY sequence");
    let expected = [
        ("connection test", 200),
        ("created user ann@x.example", 201),
        ("created user ben@x.example", 201),
        ("changed user ann@x.example: title", 200),
        ("deactivated user ann@x.example", 200),
        ("changed nothing: the user was like that already", 200),
        ("reactivated user ann@x.example", 200),
        ("created group G", 201),
        ("added 2 members to G", 200),
        ("removed 1 member of G", 200),
        ("renamed group G to H", 200),
        ("deleted user ann@x.example", 204),
        ("deleted group H", 204),
        ("rejected: create a user", 409),
        ("rejected: create a user", 400),
        ("not found: read a user", 404),
    ];
    let expected: Vec<_> = expected
        .map(|(meaning, status)| vec![text(meaning), Cell::Integer(status)])
        .into();
    assert_eq!(kept, expected);
    assert_eq!(
        rows(
            &place,
            "SELECT external_id, resource_type, notes FROM history WHERE meaning = 'created user ann@x.example'"
        ),
        [[
            text("e-1"),
            text("User"),
            text("ignored: favouriteColour (unknown-names)")
        ]]
    );
    assert_eq!(
        rows(&place, "SELECT scim_type FROM history WHERE status = 409"),
        [[text("uniqueness")]]
    );
}

#[test]
fn a_deleted_organization_leaves_nobody_behind() {
    let bench = Bench::new(&[]);
    let user = id(&bench.user("secret.person@x.example"));
    bench.group("G", &[&user]);
    bench.place.json(&["org", "delete", "acme"]);
    for sql in [
        "SELECT 1 FROM scim_resource",
        "SELECT 1 FROM scim_edge",
        "SELECT 1 FROM scim_value",
        "SELECT 1 FROM scim_unique",
        "SELECT 1 FROM account",
        "SELECT 1 FROM binding",
        "SELECT 1 FROM sign_in_name",
        "SELECT 1 FROM provisioned_group",
        "SELECT 1 FROM role WHERE mirrors IS NOT NULL",
    ] {
        assert!(rows(&bench.place, sql).is_empty(), "{sql}");
    }
    assert_eq!(
        rows(&bench.place, "SELECT count(*) FROM history WHERE method = 'POST'"),
        [[Cell::Integer(2)]],
        "the history is kept"
    );
    assert!(
        rows(
            &bench.place,
            "SELECT 1 FROM organization WHERE name = 'acme' AND purged IS NULL"
        )
        .is_empty()
    );
}

#[test]
fn a_deletion_that_was_cut_off_is_finished_at_the_next_start() {
    let bench = Bench::new(&[]);
    bench.user("secret.person@x.example");
    let Bench { server, place, .. } = bench;
    drop(server);
    place.execute("UPDATE organization SET deleted = 1 WHERE name = 'acme'");
    drop(place.serve(&[]));
    assert!(rows(&place, "SELECT 1 FROM scim_resource").is_empty());
}
