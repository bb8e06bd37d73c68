//! Whole stories: from the identity provider's first request to the last credential that ends.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod program;

use std::collections::BTreeSet;

use program::Place;
use program::bench::Bench;
use program::person::{Application, Page, Person};
use serde_json::{Value, json};

const PASSWORD: &str = "seven herons over the grey fjord";
const OTHER: &str = "a lighthouse keeps no calendar";

/// The attributes that ThreatLocker keeps of a person, and whether they are active.
const MAPPED: &str = "userName,name.givenName,name.familyName,active,externalId";

/// Makes an organization like a product, whose people and groups a simulated provider has sent.
fn provisioned(product: &str, dialect: &str, flags: &[&str]) -> Bench {
    let place = Place::new();
    place.json(&["org", "create", "acme", "--like", product, "--idp", "other"]);
    let token = place.json(&["token", "rotate", "acme"])["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let server = place.serve(&[]);
    let bench = Bench { server, token, place };
    let url = format!("http://{}/scim/acme/v2", bench.server.address());
    let sent = [
        "simulate",
        dialect,
        "--url",
        &url,
        "--token",
        &bench.token,
        "--users",
        "8",
        "--groups",
        "2",
        "--members",
        "8",
        "--changes",
        "0",
    ];
    bench.run(&[&sent[..], flags].concat());
    bench
}

/// Finds somebody whom the provider has sent, who can sign in and is in a group: name, id over SCIM and address.
fn somebody(bench: &Bench) -> (String, String, String) {
    let listed = bench.run(&["user", "list", "acme", "--state", "active"]);
    for user in listed["users"].as_array().unwrap() {
        let name = user["name"].as_str().unwrap();
        let shown = bench.run(&["user", "show", "acme", name]);
        let scim_id = shown["scim_id"].as_str().unwrap().to_owned();
        let groups = bench.get(&format!("/Users/{scim_id}")).body["groups"].clone();
        if let (Some(address), false) = (user["address"].as_str(), groups.is_null()) {
            return (name.to_owned(), scim_id, address.to_owned());
        }
    }
    panic!("nobody can sign in: {listed:#}")
}

/// Gives every group of the provider a role.
fn map_all(bench: &Bench) {
    let allowed = ["--allow", "users:read", "--allow", "history:read"];
    bench.run(&[&["role", "create", "acme", "Desk"], &allowed[..]].concat());
    let groups = bench.run(&["group", "list", "acme"]);
    for group in groups["groups"].as_array().unwrap() {
        bench.run(&["mapping", "set", "acme", group["name"].as_str().unwrap(), "Desk"]);
    }
}

fn sign_in(person: &mut Person<'_>, name: &str, password: &str) -> Page {
    person.submit("/o/acme/sign-in", &[("name", name), ("password", password)])
}

/// Returns the permissions that somebody sees on the page of their account.
fn shown_permissions(person: &mut Person<'_>) -> BTreeSet<String> {
    let page = person.open("/o/acme/account");
    let list = page.between("id=\"permissions\">", "</ul>");
    list.split("<code>")
        .skip(1)
        .map(|it| it.split_once('<').unwrap().0.to_owned())
        .collect()
}

fn permissions(bench: &Bench, name: &str) -> BTreeSet<String> {
    let shown = bench.run(&["user", "show", "acme", name]);
    let held = shown["permissions"].as_array().unwrap();
    let word = |held: &Value| held["permission"].as_str().unwrap().to_owned();
    held.iter().map(word).collect()
}

fn set_active(bench: &Bench, scim_id: &str, is_active: bool) {
    let set = json!([{ "op": "replace", "path": "active", "value": is_active }]);
    assert_eq!(bench.patch(&format!("/Users/{scim_id}"), &set).status, 200);
}

/// Goes from the first page to the last refusal, for somebody who has a link that sets a password.
fn story(bench: &Bench, name: &str, scim_id: &str, address: &str, link: &str) {
    let mut person = Person::new(&bench.server);
    let page = person.submit(link, &[("new", PASSWORD), ("again", PASSWORD)]);
    assert_eq!((page.path.as_str(), page.heading()), ("/o/acme/", "Overview"));
    let expected = permissions(bench, name);
    assert!(!expected.is_empty());
    assert_eq!(
        shown_permissions(&mut person),
        expected,
        "exactly their permissions"
    );
    let page = person.open("/o/acme/second-factor/set-up");
    let mut application = Application::scan(&page);
    let codes = person
        .submit("/o/acme/second-factor/set-up", &[("code", &application.code())])
        .codes();
    person.submit("/o/acme/forgotten-password", &[("name", name)]);
    let open = bench.mailed("reset-link", address);
    let mut half = Person::elsewhere(&bench.server);
    assert_eq!(sign_in(&mut half, name, PASSWORD).heading(), "Second factor");

    set_active(bench, scim_id, false);
    assert_eq!(
        person.open("/o/acme/account").heading(),
        "Sign in",
        "the session has ended"
    );
    let code = half.submit("/o/acme/sign-in/second-factor", &[("code", &application.code())]);
    assert_eq!(code.heading(), "Sign in", "so has the sign-in that was under way");
    let code = half.submit("/o/acme/sign-in/second-factor", &[("code", &codes[0])]);
    assert_eq!(code.heading(), "Sign in", "with a recovery code, too");
    assert_eq!(person.open(&open).status(), 410, "so has the link");
    let used = person.submit(&open, &[("new", OTHER), ("again", OTHER)]);
    assert_eq!(used.status(), 410);
    assert_eq!(
        sign_in(&mut person, name, PASSWORD).status(),
        422,
        "the password lets nobody in"
    );
    person.submit("/o/acme/forgotten-password", &[("name", name)]);

    set_active(bench, scim_id, true);
    assert_eq!(
        person.open("/o/acme/account").heading(),
        "Sign in",
        "sessions do not come back"
    );
    assert_eq!(person.open(&open).status(), 410, "links do not, either");
    assert_eq!(
        sign_in(&mut person, name, PASSWORD).heading(),
        "Second factor",
        "both come back"
    );
    let page = person.submit("/o/acme/sign-in/second-factor", &[("code", &codes[1])]);
    assert_eq!(page.heading(), "Overview");
    assert_eq!(shown_permissions(&mut person), expected);
    bench.is_sound();
}

/// Feature rows 20, 46, 47, 90, 97: as with ThreatLocker, provisioned by Okta: invited, signed in, deactivated, and back.
#[test]
fn like_threatlocker_by_invitation() {
    let bench = provisioned("threatlocker", "okta", &["--keeps", MAPPED]);
    map_all(&bench);
    let (name, scim_id, address) = somebody(&bench);
    let link = bench.mailed("invitation", &address);
    story(&bench, &name, &scim_id, &address, &link);
}

/// Feature rows 24, 46, 47, 90, 97: as with the third platform, provisioned by JumpCloud: a forgotten password is the first way
/// in, and groups are roles.
#[test]
fn like_the_third_platform_by_a_forgotten_password() {
    let bench = provisioned("third-platform", "jumpcloud", &[]);
    let (name, scim_id, address) = somebody(&bench);
    let groups = bench.run(&["group", "list", "acme"]);
    for group in groups["groups"].as_array().unwrap() {
        let role = group["name"].as_str().unwrap();
        bench.run(&["role", "set", "acme", role, "--allow", "users:read"]);
    }
    let mut person = Person::new(&bench.server);
    assert_eq!(sign_in(&mut person, &name, PASSWORD).status(), 422);
    person.submit("/o/acme/forgotten-password", &[("name", &name)]);
    let link = bench.mailed("reset-link", &address);
    story(&bench, &name, &scim_id, &address, &link);
}

/// Feature rows 94, 97: two servers on one database know the same sessions and links, and those that the other has ended.
#[test]
fn two_servers_know_the_same_sessions() {
    const NOOR: &str = "noor@halden.example";
    let bench = Bench::new(&[]);
    let other = bench.place.serve(&[]);
    let id = bench.user(NOOR);
    let link = bench.mailed("invitation", NOOR);
    let mut here = Person::new(&bench.server);
    let mut there = Person::new(&other);
    here.submit(&link, &[("new", PASSWORD), ("again", PASSWORD)]);
    assert_eq!(there.open(&link).status(), 410, "a link is used once, wherever");
    there.cookies = here.cookies.clone();
    assert_eq!(
        there.open("/o/acme/account").status(),
        200,
        "a session is known everywhere"
    );
    there.submit("/o/acme/sign-out", &[]);
    assert_eq!(
        here.open("/o/acme/account").heading(),
        "Sign in",
        "and so is its end"
    );
    assert_eq!(sign_in(&mut there, NOOR, PASSWORD).status(), 200);
    set_active(&bench, &id, false);
    assert_eq!(there.open("/o/acme/account").heading(), "Sign in");
    assert_eq!(sign_in(&mut there, NOOR, PASSWORD).status(), 422);
    bench.is_sound();
}
