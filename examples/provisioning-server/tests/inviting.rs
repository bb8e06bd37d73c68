//! Invitations, owners of the instance and the sign-in of others, at the command line.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod program;

use std::time::Duration;

use program::Place;
use program::bench::Bench;
use serde_json::{Value, json};

/// Returns the kinds and recipients of the mails of an organization, the first first.
fn mails(bench: &Bench, organization: &str) -> Vec<(String, String)> {
    let listed = bench.run(&["mail", "list", organization]);
    let mut all: Vec<_> = listed["mails"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|mail| mail["state"] != "cancelled")
        .map(|mail| {
            let text = |key: &str| mail[key].as_str().unwrap().to_owned();
            (text("kind"), text("recipient"))
        })
        .collect();
    all.reverse();
    all
}

/// Waits until the mails of the organization are as asked, and returns them.
fn mails_when(bench: &Bench, are_so: impl Fn(&[(String, String)]) -> bool) -> Vec<(String, String)> {
    for _ in 0..300 {
        let all = mails(bench, "acme");
        if are_so(&all) {
            return all;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{:#?}", mails(bench, "acme"));
}

/// Waits until there are so many mails, and makes sure that no other follows: somebody else is `last` to be invited.
fn await_mails_until(bench: &Bench, count: usize, last: &str) -> Vec<(String, String)> {
    mails_when(bench, |all| all.len() >= count);
    // Whatever was due before somebody else is made no later than that person's invitation.
    bench.user(last);
    let mut all = mails_when(bench, |all| all.last().is_some_and(|(_, to)| to == last));
    all.pop();
    all
}

fn await_mails(bench: &Bench, count: usize) -> Vec<(String, String)> {
    await_mails_until(bench, count, "last@x.example")
}

fn invitation(to: &str) -> (String, String) {
    ("invitation".to_owned(), to.to_owned())
}

fn active(is_active: bool) -> Value {
    json!([{ "op": "replace", "path": "active", "value": is_active }])
}

/// Feature row 20: whoever is provisioned is invited once; what comes after that, and a repeated request, invites nobody.
#[test]
fn a_person_is_invited_once() {
    let bench = Bench::new(&[]);
    let id = bench.user("ada@x.example");
    let path = format!("/Users/{id}");
    assert_eq!(await_mails(&bench, 1), [invitation("ada@x.example")]);
    let again = bench.send(
        "POST",
        "/Users",
        &json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada@x.example",
        }),
    );
    assert_eq!(again.status, 409);
    let renamed = json!([{ "op": "replace", "path": "displayName", "value": "Ada" }]);
    assert_eq!(bench.patch(&path, &renamed).status, 200);
    let whole = bench.get(&path).body;
    assert_eq!(bench.send("PUT", &path, &whole).status, 200);
    // Deactivation ends the invitation, and reactivation makes no other.
    assert_eq!(bench.patch(&path, &active(false)).status, 200);
    assert_eq!(bench.patch(&path, &active(true)).status, 200);
    let all = await_mails_until(&bench, 0, "new@x.example");
    assert!(!all.contains(&invitation("ada@x.example")), "{all:?}");
    assert_eq!(
        bench.get(&path).body["active"],
        true,
        "an unanswered invitation is nothing to SCIM"
    );
    // An administrator sends it again.
    let sent = bench.run(&["user", "invite", "acme", "ada@x.example"]);
    assert_eq!(sent["link"], "invitation");
    mails_when(&bench, |all| all.contains(&invitation("ada@x.example")));
    bench.is_sound();
}

/// Feature rows 20, 23b: an invitation waits until its person is active and has an address; without one nothing fails.
#[test]
fn an_invitation_waits_until_it_can_be_sent() {
    let bench = Bench::new(&["--username", "any"]);
    let off = bench.user_with("off@x.example", &json!({ "active": false }));
    let nowhere = bench.user("nowhere");
    let work = json!({ "emails": [{ "type": "work", "value": "work@x.example" }] });
    bench.user_with("worker", &work);
    assert_eq!(await_mails(&bench, 1), [invitation("work@x.example")]);
    let refused = bench.refused(&["user", "invite", "acme", "nowhere"]);
    assert!(refused.contains("No e-mail address"), "{refused}");
    assert_eq!(bench.patch(&format!("/Users/{off}"), &active(true)).status, 200);
    let address =
        json!([{ "op": "add", "path": "emails", "value": [{ "value": "now@x.example", "primary": true }] }]);
    assert_eq!(bench.patch(&format!("/Users/{nowhere}"), &address).status, 200);
    let expected = [invitation("off@x.example"), invitation("now@x.example")];
    mails_when(&bench, |all| expected.iter().all(|mail| all.contains(mail)));
    bench.is_sound();
}

/// Feature row 20: another address ends the invitation and makes another.
#[test]
fn another_address_is_invited_again() {
    let bench = Bench::new(&[]);
    let id = bench.user("old@x.example");
    assert_eq!(await_mails(&bench, 1), [invitation("old@x.example")]);
    let name = json!([{ "op": "replace", "path": "userName", "value": "new@x.example" }]);
    assert_eq!(bench.patch(&format!("/Users/{id}"), &name).status, 200);
    let all = mails_when(&bench, |all| all.contains(&invitation("new@x.example")));
    assert!(
        !all.contains(&invitation("old@x.example")),
        "its link has ended: {all:?}"
    );
}

/// Feature rows 18, 24, 25: people who come by SAML or by a forgotten password are sent nothing.
#[test]
fn nobody_is_invited_who_comes_another_way() {
    let bench = Bench::new(&["--first-login", "password-reset"]);
    bench.user("ada@x.example");
    bench.run(&["org", "set", "acme", "--first-login", "invitation"]);
    // The server takes up what another process has set within a quarter of a second.
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(await_mails(&bench, 0), [], "the way in is kept with the account");
    let shown = bench.run(&["user", "sign-in", "acme", "ada@x.example"]);
    assert_eq!(shown["first_login"], "password-reset");
}

/// Feature rows 20, 115: neither an import nor a restore invites anybody, and a restore ends invitations.
#[test]
fn neither_an_import_nor_a_restore_invites() {
    let bench = Bench::new(&[]);
    bench.user("ada@x.example");
    assert_eq!(await_mails(&bench, 1), [invitation("ada@x.example")]);
    bench.run(&["export", "acme", "--out", "acme.jsonl"]);
    bench.run(&["import", "acme.jsonl", "--org", "copy"]);
    bench.run(&["backup", "copy.db"]);
    let shown = bench.run(&["user", "sign-in", "acme", "ada@x.example"]);
    assert!(shown["invited_until"].is_string(), "{shown:#}");
    let token = bench.token.clone();
    let place = bench.end();
    place.json(&["restore", "copy.db", "--replace"]);
    let bench = Bench {
        server: place.serve(&[]),
        token,
        place,
    };
    let all = await_mails_until(&bench, 0, "new@x.example");
    assert_eq!(all, [], "{all:?}");
    assert_eq!(mails(&bench, "copy"), []);
    let shown = bench.run(&["user", "sign-in", "acme", "ada@x.example"]);
    assert_eq!(shown["invited_until"], Value::Null, "{shown:#}");
    bench.is_sound();
}

/// Feature row 89: as long as the instance has no owner, every start prints a set-up link, which is not in the log; the last
/// owner stays, and whoever is let back in is known to all owners.
#[test]
fn owners_of_the_instance_are_made_and_let_back_in() {
    let place = Place::new();
    let (server, log) = place.serve_logged(&[], &[]);
    let first = server.started["set_up_url"].as_str().unwrap().to_owned();
    drop(server);
    let (server, second_log) = place.serve_logged(&[], &[]);
    let second = server.started["set_up_url"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    assert!(first.contains("/instance/set-up/sciml_"), "{first}");
    for log in [log, second_log] {
        assert!(!std::fs::read_to_string(log).unwrap().contains("sciml_"));
    }
    assert_eq!(place.json(&["admin", "list"])["owners"], json!([]));
    let made = place.json(&["admin", "create", "root@x.example"]);
    assert!(
        made["url"].as_str().unwrap().contains("/instance/link/sciml_"),
        "{made:#}"
    );
    let (_, refused) = place.refusal(&["admin", "create", "ROOT@x.example"]);
    assert!(
        refused["detail"].as_str().unwrap().contains("already"),
        "{refused:#}"
    );
    let (_, refused) = place.refusal(&["admin", "create", "nobody"]);
    assert_eq!(refused["error"], "invalid");
    let (_, refused) = place.refusal(&["admin", "delete", "root@x.example"]);
    assert!(
        refused["detail"].as_str().unwrap().contains("last owner"),
        "{refused:#}"
    );
    place.json(&["admin", "create", "eve@x.example"]);
    let back = place.json(&["admin", "recover", "root@x.example"]);
    assert_ne!(back["url"], made["url"]);
    place.json(&["admin", "delete", "eve@x.example"]);
    let (_, refused) = place.refusal(&["admin", "recover", "eve@x.example"]);
    assert_eq!(refused["error"], "not_found");
    drop(server);
    let server = place.serve(&[]);
    assert_eq!(server.started["set_up_url"], Value::Null);
    let audit = place.json(&["audit", "list", "default"]);
    let actions: Vec<_> = audit["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["action"].clone())
        .collect();
    for action in ["admin.create", "admin.recover", "admin.delete"] {
        assert!(actions.contains(&json!(action)), "{actions:?}");
    }
    assert_eq!(place.json(&["check"])["sound"], true);
}
