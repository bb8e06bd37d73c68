//! `backup`, `restore` and `check`: what is kept stays whole, and can be put back.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use std::fs;
use std::path::Path;

use program::{Answer, Place, Server, rows};
use scim::store::database::{Database, Options, Transaction, Value as Cell};
use serde_json::{Value, json};

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn token_of(document: &Value) -> String {
    document["token"].as_str().unwrap().to_owned()
}

fn hire(server: &Server, token: &str, name: &str) -> String {
    let body = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name });
    let created = server.acme(token, "POST", "/Users", &body);
    assert_eq!(created.status, 201, "{created:?}");
    created.body["id"].as_str().unwrap().to_owned()
}

fn found(server: &Server, token: &str, name: &str, members: &[&str]) -> String {
    let members: Vec<_> = members.iter().map(|id| json!({ "value": id })).collect();
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name, "members": members,
    });
    let created = server.acme(token, "POST", "/Groups", &body);
    assert_eq!(created.status, 201, "{created:?}");
    created.body["id"].as_str().unwrap().to_owned()
}

fn get(server: &Server, token: &str, path: &str) -> Answer {
    server.acme(token, "GET", path, &Value::Null)
}

/// Makes an organization with two people, one of them in a group.
fn inhabited(place: &Place) -> (String, String) {
    let token = token_of(&place.json(&["org", "create", "acme"]));
    let server = place.serve(&[]);
    let ann = hire(&server, &token, "ann@example.com");
    hire(&server, &token, "bob@example.com");
    found(&server, &token, "Crew", &[&ann]);
    (token, ann)
}

#[test]
fn a_backup_of_a_running_server_brings_back_what_was_there_when_it_was_taken() {
    let place = Place::new();
    let token = token_of(&place.json(&["org", "create", "acme"]));
    let public = ["--public-url", "https://scim.example.com"];
    let server = place.serve(&public);
    let ann = hire(&server, &token, "ann@example.com");
    let crew = found(&server, &token, "Crew", &[&ann]);
    let before = get(&server, &token, &format!("/Groups/{crew}"));

    let made = place.json(&["backup", "copy.db"]);
    assert_eq!(made["backup"], "copy.db");
    assert_eq!(made["bytes"], fs::metadata(place.path("copy.db")).unwrap().len());
    let late = hire(&server, &token, "late@example.com");
    server.acme(&token, "DELETE", &format!("/Users/{ann}"), &Value::Null);
    let newer = token_of(&place.json(&["token", "rotate", "acme"]));
    #[cfg(unix)]
    server.terminate();

    let restored = place.json(&["restore", "copy.db", "--replace"]);
    assert_eq!(
        (&restored["people"], &restored["groups"], &restored["memberships"]),
        (&json!(1), &json!(1), &json!(1))
    );
    assert_eq!(restored["taken"], made["taken"]);
    let server = place.serve(&public);
    assert_eq!(get(&server, &token, &format!("/Groups/{crew}")).body, before.body);
    assert_eq!(get(&server, &token, &format!("/Users/{ann}")).status, 200);
    assert_eq!(get(&server, &token, &format!("/Users/{late}")).status, 404);
    assert_eq!(
        get(&server, &newer, "/Users").status,
        401,
        "a later token is not known"
    );
    let checked = place.json(&["check"]);
    assert_eq!(checked["sound"], true, "{checked:#}");

    // The database that was there before is a database still.
    let replaced = restored["replaced"].as_str().unwrap();
    let checked = place.json(&["check", "--database", &format!("sqlite://{replaced}")]);
    assert_eq!((&checked["sound"], &checked["people"]), (&json!(true), &json!(1)));
}

#[test]
#[cfg(unix)]
fn a_backup_is_for_its_owner_and_stands_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    inhabited(&place);
    place.json(&["backup", "copy.db"]);
    let mode = fs::metadata(place.path("copy.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let beside: Vec<_> = fs::read_dir(place.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("copy.db"))
        .collect();
    assert_eq!(beside, ["copy.db"]);
}

#[test]
fn a_backup_never_replaces_a_file() {
    let place = Place::new();
    inhabited(&place);
    let file = place.file("mine.txt", "mine");
    let (code, refusal) = place.refusal(&["backup", &file]);
    assert_eq!((code, &refusal["error"]), (1, &json!("conflict")));
    assert_eq!(fs::read_to_string(file).unwrap(), "mine");
}

#[test]
fn a_backup_that_cannot_be_written_says_why() {
    let place = Place::new();
    inhabited(&place);
    let (code, refusal) = place.refusal(&["backup", "missing/copy.db"]);
    let detail = refusal["detail"].as_str().unwrap();
    assert_eq!(code, 1);
    assert!(
        detail.contains("missing/copy.db") && detail.contains("No such file"),
        "{detail}"
    );
}

#[test]
fn nothing_is_restored_into_a_database_that_is_in_use() {
    let place = Place::new();
    inhabited(&place);
    place.json(&["backup", "copy.db"]);
    let server = place.serve(&[]);
    let (code, refusal) = place.refusal(&["restore", "copy.db", "--replace"]);
    assert_eq!((code, &refusal["error"]), (1, &json!("conflict")));
    assert!(
        refusal["detail"]
            .as_str()
            .unwrap()
            .contains("stop the server first"),
        "{refusal}"
    );
    drop(server);
    place.json(&["restore", "copy.db", "--replace"]);
}

#[test]
fn a_database_that_is_there_is_replaced_only_if_that_is_said() {
    let place = Place::new();
    inhabited(&place);
    place.json(&["backup", "copy.db"]);
    let bytes = fs::read(place.database()).unwrap();
    let (_, refusal) = place.refusal(&["restore", "copy.db"]);
    assert!(
        refusal["detail"].as_str().unwrap().contains("--replace"),
        "{refusal}"
    );
    assert_eq!(fs::read(place.database()).unwrap(), bytes);
    let elsewhere = ["restore", "copy.db", "--database", "sqlite://new/folder/x.db"];
    let restored = place.json(&elsewhere);
    assert_eq!(
        (&restored["people"], &restored["replaced"]),
        (&json!(2), &Value::Null)
    );
    let checked = place.json(&["check", "--database", "sqlite://new/folder/x.db"]);
    assert_eq!(checked["sound"], true);
}

#[test]
fn what_is_no_backup_is_refused() {
    let place = Place::new();
    inhabited(&place);
    let text = place.file("notes.txt", "SQLite would be nice");
    let empty = place.file("empty.db", "");
    for (file, said) in [
        (text.as_str(), "is not a backup"),
        (&empty, "is not a backup"),
        ("nowhere.db", "cannot be read"),
    ] {
        let (code, refusal) = place.refusal(&["restore", file, "--replace"]);
        assert_eq!(code, 1);
        assert!(refusal["detail"].as_str().unwrap().contains(said), "{refusal}");
    }
    assert_eq!(place.json(&["check"])["people"], 2, "the database is as it was");
}

#[test]
fn a_backup_that_is_not_sound_is_not_put_in_place() {
    let place = Place::new();
    inhabited(&place);
    place.execute("UPDATE scim_counter SET n = 7");
    place.json(&["backup", "copy.db"]);
    place.execute(
        "UPDATE scim_counter SET n = 2 WHERE n = 7 AND type = (SELECT id FROM scim_type WHERE name = 'User')",
    );
    place.execute("UPDATE scim_counter SET n = 1 WHERE n = 7");
    let (code, refusal) = place.refusal(&["restore", "copy.db", "--replace"]);
    let detail = refusal["detail"].as_str().unwrap();
    assert_eq!(code, 1);
    assert!(
        detail.contains("not sound") && detail.contains("7 are counted"),
        "{detail}"
    );
    assert_eq!(place.json(&["check"])["sound"], true, "the database is as it was");
    assert!(!Path::new(&place.path("data/provisioning.db.restoring")).exists());
}

#[test]
fn a_database_that_is_not_a_backup_but_in_use_is_not_copied() {
    let place = Place::new();
    let (token, _) = inhabited(&place);
    let server = place.serve(&[]);
    hire(&server, &token, "eve@example.com");
    let live = place.database();
    let live = live.to_str().unwrap();
    let (code, refusal) = place.refusal(&["restore", live, "--database", "sqlite://other.db"]);
    let detail = refusal["detail"].as_str().unwrap();
    assert_eq!(code, 1);
    assert!(
        detail.contains("write-ahead log") && detail.contains("backup FILE"),
        "{detail}"
    );
}

#[test]
fn a_sound_database_is_said_to_be_sound_while_the_server_runs() {
    let place = Place::new();
    let (token, _) = inhabited(&place);
    let server = place.serve(&[]);
    assert_eq!(get(&server, &token, "/Users").status, 200);
    let checked = place.json(&["check"]);
    assert_eq!(checked["sound"], true, "{checked:#}");
    assert_eq!(
        (&checked["people"], &checked["groups"], &checked["memberships"]),
        (&json!(2), &json!(1), &json!(1))
    );
    assert_eq!(
        (&checked["finding_count"], &checked["findings"]),
        (&json!(0), &json!([]))
    );
    assert_eq!(checked["organizations"], 2, "acme and default");
    assert!(checked["requests"].as_u64().unwrap() >= 3, "{checked:#}");
    let output = place.run(&["check"]);
    assert!(output.status.success());
    assert!(text(&output.stdout).contains("is sound: 2 organizations, 2 people, 1 group, 1 membership,"));
}

#[test]
fn what_is_not_as_it_must_be_is_found_and_named() {
    for (damage, finding) in [
        ("UPDATE scim_counter SET n = 9", "are counted"),
        ("DELETE FROM provisioned_group", "acme: Group \""),
        ("UPDATE provisioned_group SET row = 7", "roles mirror no group"),
        ("UPDATE account SET display = 'x'", "its account has another name"),
        ("UPDATE account SET state = 'disabled'", "its account is not in the same state"),
        ("DELETE FROM account", "bindings lead to no account"),
        ("DELETE FROM sign_in_name", "2 accounts do not have their names"),
        ("DELETE FROM binding", "2 accounts of people are not bound to them"),
        (
            "INSERT INTO account (org, id, managed_by, name, name_key, display, state, row, created, changed, first_login)
             SELECT org, x'00', managed_by, 'x', 'x', 'x', state, 7, 1, 1, 'invitation' FROM account LIMIT 1",
            "1 accounts are those of no person",
        ),
        (
            "INSERT INTO mapping (org, grp, role, created) VALUES (x'00', 1, x'00', 1)",
            "1 mappings lead from no group, or to no role",
        ),
        (
            "INSERT INTO role_grant VALUES (x'00', x'00', x'00', 'hand', 1, 'x')",
            "1 roles are given to nobody, or do not exist",
        ),
        (
            "INSERT INTO permission_grant VALUES (x'00', x'00', 'users:read', 'hand', 0, 1, 'x')",
            "1 permissions are given to nobody",
        ),
        (
            "INSERT INTO local_member VALUES (x'00', x'00', x'00', 1)",
            "1 members of local groups, or their groups, do not exist",
        ),
        (
            "INSERT INTO mail (org, id, kind, recipient, state, attempts, until, created, message_id, params)
             VALUES (x'00', x'00', 'invitation', 'a@x.example', 'kept', 0, 1, 1, '<1@x.example>', '{}')",
            "1 mails belong to no organization",
        ),
        (
            "INSERT INTO mail (org, id, kind, recipient, state, attempts, until, created, message_id, params)
             VALUES (zeroblob(16), x'00', 'invitation', 'a@x.example', 'queued', 0, 1, 1, '<1@x.example>', '{}')",
            "1 mails are not in the state that they say",
        ),
        (
            "INSERT INTO session VALUES (x'00', x'00', x'00', x'00', 'full', 'password', 1, 1, 1, NULL, NULL)",
            "1 sessions are of nobody who can sign in",
        ),
        (
            "INSERT INTO link VALUES (x'00', x'00', x'00', 'invitation', x'00', 1, 2)",
            "1 links let in nobody who can sign in",
        ),
        (
            "INSERT INTO password VALUES (x'00', x'00', 'x', 1)",
            "1 passwords and second factors are of nobody",
        ),
        (
            "INSERT INTO recovery_code VALUES (x'00', x'00', x'00')",
            "1 recovery codes stand in for no second factor",
        ),
        ("DELETE FROM scim_edge", "the number of its edges"),
        (
            "UPDATE request SET token = x'00'",
            "name a token that does not exist",
        ),
        (
            "UPDATE request SET org = x'00'",
            "rows of the history belong to no organization",
        ),
        (
            "UPDATE organization SET deleted = 1 WHERE name = 'acme'",
            "1 tokens of deleted organizations are not revoked",
        ),
        (
            "INSERT INTO token SELECT org, randomblob(16), randomblob(32), prefix, last_four, created, expires, revoked, last_used, purpose, doubted, told
             FROM token, (SELECT 1 UNION SELECT 2)",
            "1 organizations have more than two tokens in force",
        ),
        (
            "UPDATE organization SET settings = '{' WHERE name = 'acme'",
            "acme: its settings cannot be read",
        ),
        (
            "UPDATE scim_tenant SET name = CAST('nobody' AS BLOB)",
            "it belongs to an organization that does not exist",
        ),
    ] {
        let place = Place::new();
        inhabited(&place);
        place.execute(damage);
        let output = place.run(&["check", "--json"]);
        let checked: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{damage}\n{checked:#}");
        assert_eq!(checked["sound"], false);
        let findings = checked["findings"].as_array().unwrap();
        assert!(
            findings
                .iter()
                .any(|found| found.as_str().unwrap().contains(finding)),
            "{damage}\n{checked:#}"
        );
        let report = text(&place.run(&["check"]).stdout);
        assert!(
            report.contains("NOT sound") && report.contains(finding),
            "{report}"
        );
        assert!(!report.contains("example.com"), "{report}");
    }
}

/// The people and groups of a deleted organization go in steps, which a check must not mistake for damage.
#[test]
fn a_deletion_that_was_interrupted_is_no_damage() {
    let place = Place::new();
    inhabited(&place);
    place.execute("UPDATE token SET revoked = 1");
    place
        .execute("UPDATE source SET ended = 1 WHERE org = (SELECT id FROM organization WHERE name = 'acme')");
    place.execute("UPDATE organization SET deleted = 1 WHERE name = 'acme'");
    let checked = place.json(&["check"]);
    assert_eq!(checked["sound"], true, "{checked:#}");
    drop(place.serve(&[]));
    let checked = place.json(&["check"]);
    assert_eq!(
        (&checked["sound"], &checked["people"]),
        (&json!(true), &json!(0)),
        "{checked:#}"
    );
}

#[test]
fn a_damaged_file_is_reported_and_not_put_in_place() {
    let place = Place::new();
    inhabited(&place);
    place.json(&["backup", "copy.db"]);
    let pages: Vec<_> = rows(
        &place,
        "SELECT rootpage FROM sqlite_schema WHERE name = 'scim_resource_list'",
    );
    let Cell::Integer(page) = pages[0][0] else {
        panic!("{pages:?}")
    };
    let mut bytes = fs::read(place.path("copy.db")).unwrap();
    let at = usize::try_from(page - 1).unwrap() * 4_096;
    bytes[at..at + 64].fill(0xff);
    fs::write(place.path("copy.db"), bytes).unwrap();
    let (code, refusal) = place.refusal(&["restore", "copy.db", "--replace"]);
    assert_eq!(code, 1);
    assert!(
        refusal["detail"].as_str().unwrap().contains("damaged"),
        "{refusal}"
    );
    assert_eq!(place.json(&["check"])["people"], 2);
}

#[test]
fn a_backup_of_a_newer_version_is_not_put_in_place() {
    let place = Place::new();
    inhabited(&place);
    place.json(&["backup", "copy.db"]);
    let copy = Database::open(place.path("copy.db"), Options::default()).unwrap();
    let newer = |tx: &Transaction<'_>| tx.execute("INSERT INTO product_migration VALUES (99, 0)", &[]);
    copy.blocking_write(newer).unwrap();
    drop(copy);
    let (code, refusal) = place.refusal(&["restore", "copy.db", "--replace"]);
    assert_eq!(code, 1);
    assert!(
        refusal["detail"].as_str().unwrap().contains("newer version"),
        "{refusal}"
    );
    assert_eq!(place.json(&["check"])["people"], 2);
}

#[test]
fn without_a_database_there_is_nothing_to_back_up_or_check() {
    let place = Place::new();
    for command in [&["backup", "copy.db"][..], &["check"]] {
        let (code, refusal) = place.refusal(command);
        assert_eq!((code, &refusal["error"]), (1, &json!("not_found")));
    }
    assert!(!Path::new(&place.path("copy.db")).exists());
}
