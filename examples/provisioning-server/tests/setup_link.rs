//! Links to the set-up guide, for somebody without an account.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod program;

use std::fs::read_to_string;
use std::io::Write;
use std::thread::sleep;
use std::time::{Duration, Instant};

use program::bench::Bench;
use program::browser::Browser;
use program::person::{Page, Person, header};
use serde_json::{Value, json};

const LINKS: &str = "/o/acme/integrations/scim/setup-link";

/// Returns the path of a URL.
fn path(url: &str) -> String {
    let (_, rest) = url.split_once("://").unwrap();
    rest[rest.find('/').unwrap()..].to_owned()
}

/// Makes a link at the command line, and returns its path and its id.
fn link(bench: &Bench) -> (String, String) {
    let made = bench.run(&["setup-link", "create", "acme"]);
    let text = |key: &str| made[key].as_str().unwrap().to_owned();
    (path(&text("url")), text("id"))
}

/// Opens a link in somebody's browser.
fn open<'s>(bench: &'s Bench, link: &str) -> (Person<'s>, Page) {
    let mut helper = Person::elsewhere(&bench.server);
    let page = helper.submit(link, &[("begin", "")]);
    (helper, page)
}

/// Asks until a page answers so.
fn until(person: &mut Person<'_>, path: &str, status: u16) -> Page {
    let patience = Instant::now() + Duration::from_secs(10);
    loop {
        let page = person.open(path);
        if page.status() == status {
            return page;
        }
        assert!(Instant::now() < patience, "{path}: {}", page.answer.text);
        sleep(Duration::from_millis(50));
    }
}

/// Returns the actions of the audit log about links and tokens, with the kind of actor, the oldest first.
fn audited(bench: &Bench) -> Vec<(String, String)> {
    let listed = bench.run(&["audit", "list", "acme"]);
    let rows = listed["changes"].as_array().unwrap();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    let mut rows: Vec<_> = rows
        .iter()
        .map(|row| (text(row, "action"), text(row, "actor_kind")))
        .filter(|(action, _)| action.starts_with("setup-link") || action.starts_with("token"))
        .collect();
    rows.reverse();
    rows
}

/// Feature row 71: an administrator hands a link over; whoever opens it first follows the guide without an account, makes the
/// first token, and sees the connection come up: in real browsers.
#[test]
fn somebody_without_an_account_sets_the_connection_up() {
    let bench = Bench::new(&["--idp", "entra"]);
    for token in bench.run(&["token", "list", "acme"])["tokens"]
        .as_array()
        .unwrap()
    {
        bench.run(&["token", "revoke", "acme", token["id"].as_str().unwrap()]);
    }
    let mut administrator = bench.open_browser();
    administrator.goto(&bench.url("/o/acme/integrations/scim/wizard"));
    administrator.press("Share this guide");
    administrator.press("Make a link");
    administrator.press("Make the link");
    let url = administrator.text("#setup-url");
    administrator.press("Copy link");
    assert_eq!(administrator.clipboard(), url);
    administrator.goto(&bench.url(LINKS));
    assert!(
        !administrator.text("main").contains("scimu_"),
        "a link is shown once"
    );
    administrator.is_quiet();

    let mut helper = Browser::open();
    helper.goto(&url);
    assert_eq!(helper.heading(), "Set up provisioning for acme");
    helper.press("Begin");
    assert_eq!(helper.path(), "/o/acme/setup");
    assert_eq!(helper.heading(), "Set up provisioning from Microsoft Entra ID");
    helper.press("Make the API Token");
    let token = helper.text("#secret");
    helper.press("Copy API Token");
    assert_eq!(helper.clipboard(), token);
    helper.goto(&bench.url("/o/acme/setup?steps=all"));
    assert!(!helper.text("main").contains(&token), "a token is shown once");
    helper.press("Copy Tenant URL");
    assert_eq!(helper.clipboard(), bench.url("/scim/acme/v2"));
    helper.wait("#prerequisites", "Waiting: First request from Entra ID");
    let ada = json!({ "schemas": [program::bench::USER], "userName": "ada@acme.example" });
    let answer = bench.server.acme(&token, "POST", "/Users", &ada);
    assert_eq!(answer.status, 201, "{}", answer.text);
    helper.wait("#prerequisites", "Done: First person");
    helper.wait("#arrivals", "1 person, 0 groups");
    let shown = helper.text("body");
    for hidden in [
        "ada@acme.example",
        "Group Mapping",
        "SAML",
        "Login Settings",
        "User Roles",
    ] {
        assert!(!shown.contains(hidden), "{hidden}: {shown}");
    }
    helper.press("I am done");
    assert_eq!(helper.heading(), "You are done");
    helper.goto(&bench.url("/o/acme/setup"));
    assert_eq!(helper.heading(), "This link is of no use any more");
    assert_eq!(
        bench.server.acme(&token, "GET", "/Users", &Value::Null).status,
        200
    );
    let owned = |action: &str, kind: &str| (action.to_owned(), kind.to_owned());
    let audited = audited(&bench);
    for row in [
        owned("setup-link.create", "account"),
        owned("setup-link.open", "setup-link"),
        owned("token.create", "setup-link"),
        owned("setup-link.finish", "setup-link"),
    ] {
        assert!(audited.contains(&row), "{row:?} in {audited:?}");
    }
    bench.is_sound();
}

/// Feature row 71: the first form binds a link to its browser: opening it does not, and nobody else gets in.
#[test]
fn a_second_browser_gets_nowhere() {
    let bench = Bench::new(&[]);
    let (link, _) = link(&bench);
    let mut scanner = Person::new(&bench.server);
    for _ in 0..2 {
        assert_eq!(
            until(&mut scanner, &link, 200).heading(),
            "Set up provisioning for acme"
        );
    }
    assert!(scanner.cookies.is_empty());
    let (mut first, page) = open(&bench, &link);
    assert_eq!((page.path.as_str(), page.status()), ("/o/acme/setup", 200));
    let (mut second, page) = open(&bench, &link);
    assert_eq!(page.status(), 410);
    for path in ["/o/acme/setup", "/o/acme/setup/token", &link] {
        assert_eq!(second.open(path).status(), 410, "{path}");
    }
    assert_eq!(second.submit("/o/acme/setup/token", &[("x", "")]).status(), 410);
    assert_eq!(first.open("/o/acme/setup").status(), 200);
    // Feature row 15: nor is it of use in another organization.
    bench.run(&["org", "create", "other"]);
    let (_, cookie) = first
        .cookies
        .iter()
        .find(|(name, _)| name == "setup-o-acme")
        .unwrap()
        .clone();
    first.cookies.push(("setup-o-other".to_owned(), cookie));
    until(&mut first, "/o/other/sign-in", 200);
    assert_eq!(first.open("/o/other/setup").status(), 410);
}

/// Feature row 71: a link ends with its time, by an administrator who takes it back, and by its value wherever it was found
/// (row 106).
#[test]
fn a_link_ends() {
    let bench = Bench::new(&[]);
    let (late, _) = link(&bench);
    let (mut helper, _) = open(&bench, &late);
    bench.place.execute("UPDATE setup_link SET expires = 1");
    until(&mut helper, "/o/acme/setup", 410);
    assert_eq!(helper.post("/o/acme/setup/token", &[]).status, 410);

    let (taken, id) = link(&bench);
    let (mut helper, page) = open(&bench, &taken);
    assert_eq!(page.status(), 200);
    let mut administrator = bench.enter();
    let asked = administrator.open(&format!("{LINKS}/{id}/revoke"));
    assert_eq!(asked.heading(), "Take the set-up link back?");
    let page = administrator.submit(&format!("{LINKS}/{id}/revoke"), &[("x", "")]);
    assert!(page.says("The link is of no use any more.") && page.says("Ended on"));
    assert_eq!(helper.open("/o/acme/setup").status(), 410);
    let again = administrator.submit(&format!("{LINKS}/{id}/revoke"), &[("x", "")]);
    assert_eq!(again.status(), 409);

    let (found, _) = link(&bench);
    let value = found.rsplit('/').next().unwrap();
    let mut command = bench
        .place
        .begin_with_input(&["token", "revoke", "--value-stdin", "--json"]);
    command.stdin.take().unwrap().write_all(value.as_bytes()).unwrap();
    assert!(command.wait_with_output().unwrap().status.success());
    let (_, page) = open(&bench, &found);
    assert_eq!(page.status(), 410);
    let states: Vec<_> = bench.run(&["setup-link", "list", "acme"])["links"]
        .as_array()
        .unwrap()
        .iter()
        .map(|link| link["state"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(states, ["ended", "ended", "expired"]);
    let refused = bench.refused(&["setup-link", "revoke", "acme", &id]);
    assert!(refused.contains("of no use any more"), "{refused}");
}

/// Feature rows 71, 87: a link does nothing that whoever made it may not do at that moment, and ends with their access.
#[test]
fn a_link_does_no_more_than_its_maker_may() {
    let bench = Bench::new(&[]);
    let mut maker = bench.enter_as("mara@acme.example", "Administrator");
    let made = maker.submit(&format!("{LINKS}/new"), &[("x", "")]);
    let link = path(made.between("<code id=\"setup-url\" tabindex=\"0\">", "</code>"));
    let (mut helper, page) = open(&bench, &link);
    assert!(page.says("made by mara@acme.example"), "{}", page.answer.text);
    let page = helper.submit("/o/acme/setup/token", &[("x", "")]);
    assert_eq!(page.status(), 200);
    assert!(page.says("scimp_"), "a second token beside the first");
    assert_eq!(bench.get("/Users").status, 200, "the first one works on");
    let page = helper.submit("/o/acme/setup/token", &[("x", "")]);
    assert_eq!(page.status(), 422, "two are enough");

    bench.run(&["token", "complete", "acme"]);
    bench.run(&[
        "user",
        "revoke",
        "acme",
        "mara@acme.example",
        "--role",
        "Administrator",
    ]);
    let patience = Instant::now() + Duration::from_secs(5);
    while helper.submit("/o/acme/setup/token", &[("x", "")]).status() != 403 {
        assert!(Instant::now() < patience);
    }
    bench.run(&["user", "suspend", "acme", "mara@acme.example", "--reason", "test"]);
    until(&mut helper, "/o/acme/setup", 410);
    assert_eq!(bench.run(&["setup-link", "list", "acme"])["links"], json!([]));
}

/// Feature row 71: a link is in no log, and its pages send no referrer; nothing of it is kept by a browser's cache.
#[test]
fn a_link_leaves_no_trace() {
    let place = program::Place::new();
    place.json(&["org", "create", "acme"]);
    let made = place.json(&["setup-link", "create", "acme"]);
    let link = path(made["url"].as_str().unwrap());
    let (server, log) = place.serve_logged(&[], &[("RUST_LOG", "trace")]);
    let mut helper = Person::new(&server);
    let answer = helper.get(&link);
    let posted = helper.post(&link, &[]);
    let guide = helper.get("/o/acme/setup");
    for answer in [&answer, &posted, &guide] {
        assert_eq!(header(answer, "referrer-policy"), Some("no-referrer"));
        assert_eq!(header(answer, "cache-control"), Some("no-store"));
    }
    assert_eq!((answer.status, posted.status, guide.status), (200, 303, 200));
    assert!(!guide.text.contains("scimu_"));
    let cookie = program::person::set_cookies(&posted).remove(0);
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    server.terminate();
    let log = read_to_string(log).unwrap();
    let secret = link.rsplit('/').next().unwrap();
    assert!(!log.is_empty(), "everything is logged");
    assert!(!log.contains(&secret[6..]), "{log}");
    let audit = place.json(&["audit", "list", "acme"]).to_string();
    assert!(!audit.contains(&secret[6..]));
}

/// Feature rows 12, 13, 71: where an administrator takes the first step of the set-up, a link is made after it.
#[test]
fn a_link_is_made_once_somebody_with_it_can_make_a_key() {
    let bench = Bench::new(&[]);
    let mut owner = bench.own();
    owner.post(
        "/instance/new-organization",
        &[("display", "Third"), ("like", "third-platform")],
    );
    let page = owner.submit("/o/third/integrations/scim/setup-link/new", &[("x", "")]);
    assert_eq!(page.status(), 422);
    assert!(
        page.trouble()
            .contains("choose the identity provider and save first")
    );
    owner.post("/instance/new-organization", &[("display", "First")]);
    let page = owner.submit("/o/first/integrations/scim/setup-link/new", &[("x", "")]);
    let link = path(page.between("<code id=\"setup-url\" tabindex=\"0\">", "</code>"));
    let (mut helper, _) = open(&bench, &link);
    let page = helper.submit("/o/first/setup/token", &[("x", "")]);
    assert!(page.says("scimp_"), "{}", page.answer.text);
    assert!(
        page.says("The integration is switched off."),
        "an administrator switches it on"
    );
}
