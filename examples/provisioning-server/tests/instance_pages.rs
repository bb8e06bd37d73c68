//! The pages of owners of the instance.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod program;

use std::thread::sleep;
use std::time::{Duration, Instant};

use program::bench::{Bench, USER};
use program::entering::{OWNER, PASSWORD};
use program::person::{Person, open_until};
use serde_json::json;

/// Feature rows 15, 89: an owner makes an organization in a browser, finds it by what people call it, opens it with the
/// same session, and gets back.
#[test]
fn an_owner_makes_and_opens_organizations() {
    let bench = Bench::new(&["--display", "Acme & Sons"]);
    let mut browser = bench.open_as_owner();
    assert_eq!(
        (browser.heading(), browser.path()),
        ("Organizations".to_owned(), "/instance/organizations".to_owned())
    );
    browser.press("Add an organization");
    browser.fill("Name", "Halden Freight");
    browser.choose("Identity provider", "Okta");
    browser.choose("Settings like", "Third platform: groups become roles");
    browser.press("Add organization");
    assert!(
        browser.path().starts_with("/o/halden-freight/"),
        "{}",
        browser.path()
    );
    browser.wait(".toast", "The organization was made.");
    let shown = bench.run(&["org", "show", "halden-freight"]);
    assert_eq!(shown["display"], "Halden Freight");
    assert_eq!(
        (&shown["settings"]["idp"], &shown["settings"]["groups"]),
        (&json!("okta"), &json!("mirror"))
    );
    assert_eq!(
        shown["enabled"], false,
        "its integration is set up step by step: {shown:#}"
    );

    browser.goto(&bench.url("/instance/organizations"));
    assert_eq!(browser.count("tbody tr"), 3);
    browser.type_into("Search organizations", "& so");
    browser.wait("tbody:not(:has(tr + tr))", "Acme & Sons");
    assert_eq!(browser.count("tbody tr"), 1);
    browser.fill("Search organizations", "zz");
    browser.wait(".empty", "No organization is called “zz”");
    browser.goto(&bench.url("/instance/organizations"));
    browser.press("Halden Freight");
    assert_eq!(browser.path(), "/o/halden-freight/");
    browser.press_in("#nav", "Organizations");
    assert_eq!(browser.heading(), "Organizations");
    browser.is_quiet();
}

/// Feature row 15: the list has pages, whatever there are.
#[test]
fn organizations_are_listed_in_pages() {
    let bench = Bench::new(&[]);
    let mut owner = bench.own();
    for number in 10..36 {
        let display = format!("Organization {number}");
        let made = owner.post(
            "/instance/new-organization",
            &[("display", &display), ("name", "")],
        );
        assert_eq!(made.status, 303, "{}", made.text);
    }
    let first = owner.open("/instance/organizations");
    assert!(
        first.says("28 organizations") && first.says("Organization 10") && !first.says("Organization 35")
    );
    let next = first.between("rel=\"next\"", ">").to_owned();
    assert!(next.is_empty());
    let before = first.answer.text.split("\" rel=\"next\"").next().unwrap();
    let path = before.rsplit("href=\"").next().unwrap().replace("&#38;", "&");
    let second = owner.open(&path);
    assert!(second.says("Organization 35") && !second.says("Organization 10") && second.says("First page"));
    let found = owner.open("/instance/organizations?q=ORGANIZATION+3");
    assert!(found.says("Organization 30") && !found.says("Organization 29"));
}

/// Feature row 15: a name that cannot be, or is taken, is refused with what was typed.
#[test]
fn a_name_that_is_taken_is_refused_with_what_was_typed() {
    let bench = Bench::new(&[]);
    let mut owner = bench.own();
    for (name, said) in [("acme", "choose another name"), ("Ä b", "is part of its URL")] {
        let page = owner.submit(
            "/instance/new-organization",
            &[
                ("display", "Räk & Co"),
                ("name", name),
                ("idp", "entra"),
                ("like", "level-access"),
            ],
        );
        assert_eq!(page.status(), 422);
        assert!(page.trouble().contains(said), "{}", page.trouble());
        assert!(page.says("value=\"Räk &#38; Co\"") && page.says("value=\"entra\" selected"));
    }
    let nothing = owner.submit("/instance/new-organization", &[("display", "")]);
    assert_eq!(nothing.status(), 422);
}

/// Feature rows 63, 108: what is deleted is named with numbers, typed, gone at once, and cleared behind.
#[test]
fn an_organization_is_deleted_once_its_name_is_typed() {
    let bench = Bench::new(&["--display", "Acme & Sons"]);
    bench.user("ada@acme.example");
    bench.group("Crew", &[]);
    bench.run(&["org", "delete", "default"]);
    let mut browser = bench.open_as_owner();
    browser.press("Manage Acme & Sons");
    assert!(browser.text("main").contains("1 person, 1 group"));
    browser.press("Delete");
    assert_eq!(browser.heading(), "Delete Acme & Sons?");
    assert!(
        browser
            .text("main")
            .contains("1 person and 1 group of its identity provider are removed")
    );
    browser.fill("Type acme to confirm", "acme & sons");
    browser.press("Delete the organization");
    assert!(
        browser
            .text(".banner")
            .contains("confirm it with the name of the organization")
    );
    assert_eq!(bench.get("/Users").status, 200);
    browser.fill("Type acme to confirm", "acme");
    browser.press("Delete the organization");
    browser.wait(".toast", "Acme & Sons was deleted.");
    assert_eq!(browser.path(), "/instance/organizations");
    browser.wait(".empty", "No organizations yet");
    browser.press("Add the first organization");
    assert_eq!(browser.heading(), "Add an organization");
    assert_eq!(bench.get("/Users").status, 401);
    browser.is_quiet();
    let patience = Instant::now() + Duration::from_secs(10);
    let mut owner = Person::new(&bench.server);
    owner.submit("/instance/sign-in", &[("name", OWNER), ("password", PASSWORD)]);
    while owner.open("/instance/organizations").says("Being cleared") {
        assert!(Instant::now() < patience, "it is never cleared");
        sleep(Duration::from_millis(50));
    }
    bench.is_sound();
}

/// Feature row 10: an owner keeps an organization's identity provider out, and lets it in again; nothing is lost.
#[test]
fn an_owner_renames_and_switches_an_organization() {
    let bench = Bench::new(&[]);
    bench.user("ada@acme.example");
    let mut owner = bench.own();
    let page = owner.submit("/instance/organizations/acme/rename", &[("display", "  ")]);
    assert_eq!(page.status(), 422);
    let page = owner.submit(
        "/instance/organizations/acme/rename",
        &[("display", "Acme Söhne")],
    );
    assert_eq!(
        (page.path.as_str(), page.heading()),
        ("/instance/organizations/acme", "Acme Söhne")
    );
    assert!(page.says("It is called Acme Söhne now."));

    let asked = owner.open("/instance/organizations/acme/disable");
    assert!(
        asked.says("1 person and 0 groups stay as they are"),
        "{}",
        asked.answer.text
    );
    let page = owner.submit("/instance/organizations/acme/disable", &[]);
    assert!(page.says("Off</span>") && page.says("acme/enable"));
    assert_eq!(bench.get("/Users").status, 403);
    let page = owner.submit("/instance/organizations/acme/enable", &[]);
    assert!(page.says("is switched on."));
    let patience = Instant::now() + Duration::from_secs(5);
    while bench.get("/Users").status != 200 {
        assert!(Instant::now() < patience);
    }
}

/// Feature rows 15, 74: the list of organizations says of each connection what the overview of the organization says.
#[test]
fn the_list_says_how_each_connection_stands() {
    let bench = Bench::new(&[]);
    let mut owner = bench.own();
    owner.post("/instance/new-organization", &[("display", "Other")]);
    let (list, overview) = ("/instance/organizations", "/o/acme/");
    let page = owner.open(list);
    assert!(page.says("Not configured</span>"), "{}", page.answer.text);
    let waiting = "Waiting for the first request</span>";
    assert!(page.says(waiting) && owner.open(overview).says(waiting));
    bench.user("ann@x.example");
    for path in [list, overview] {
        open_until(&mut owner, path, "Connected</span>");
    }
    for _ in 0..3 {
        let refused = bench.send("POST", "/Users", &json!({ "schemas": [USER] }));
        assert_eq!(refused.status, 400, "{}", refused.text);
    }
    for path in [list, overview, "/instance/organizations/acme"] {
        open_until(&mut owner, path, "Errors</span>");
    }
}

/// The name of an organization is not part of its set-up: with the order in which the first save makes the key, a new name
/// makes none.
///
/// Feature row 13.
#[test]
fn another_name_makes_no_key() {
    let bench = Bench::new(&[]);
    let mut owner = bench.own();
    owner.post(
        "/instance/new-organization",
        &[("display", "Other"), ("like", "third-platform")],
    );
    owner.post("/instance/organizations/other/rename", &[("display", "Another")]);
    let page = owner.open("/instance/organizations/other");
    assert!(
        page.says("Another") && page.says("Not configured"),
        "{}",
        page.answer.text
    );
    assert_eq!(bench.run(&["token", "list", "other"])["tokens"], json!([]));
}

/// Feature row 89: owners add, let back in and remove one another, each by a link that is shown once; the last one stays.
#[test]
fn owners_look_after_one_another() {
    const SECOND: &str = "second@instance.example";
    let bench = Bench::new(&[]);
    let mut owner = bench.own();
    let page = owner.open("/instance/owners");
    assert!(page.says("There is one owner.") && !page.says("/remove"));
    let refused = owner.submit("/instance/owners/new", &[("email", OWNER)]);
    assert_eq!(refused.status(), 422);
    assert!(refused.trouble().contains("is the address of an owner already"));

    let shown = owner.submit("/instance/owners/new", &[("email", SECOND), ("mailed", "on")]);
    assert_eq!(shown.heading(), format!("A link for {SECOND}"));
    assert!(program::person::header(&shown.answer, "cache-control").unwrap() == "no-store");
    let url = shown.between("<code id=\"way-in\" tabindex=\"0\">", "</code>");
    let link = url[url.find("/instance/link/").unwrap()..].to_owned();
    let mut second = Person::elsewhere(&bench.server);
    let entered = second.submit(
        &link,
        &[
            ("new", "a lighthouse keeps no calendar"),
            ("again", "a lighthouse keeps no calendar"),
        ],
    );
    assert_eq!(entered.heading(), "Organizations");
    assert_eq!(second.open(&link).status(), 410);
    let list = open_until(&mut owner, "/instance/owners", SECOND);
    assert!(!list.says("sciml_"), "a link is shown once");

    let rest = list.answer.text.split(SECOND).nth(1).unwrap();
    let id = rest
        .split("/instance/owners/")
        .nth(1)
        .unwrap()
        .split('/')
        .next()
        .unwrap()
        .to_owned();
    let shown = owner.submit(&format!("/instance/owners/{id}/recover"), &[]);
    assert!(shown.says("removes the second factor"));
    let removed = owner.submit(&format!("/instance/owners/{id}/remove"), &[]);
    assert!(removed.says(&format!("{SECOND} is not an owner any more.")));
    assert_eq!(second.open("/instance/owners").heading(), "Sign in");
    let own = bench.run(&["admin", "list"])["owners"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let last = owner.submit(&format!("/instance/owners/{own}/remove"), &[]);
    assert_eq!(last.status(), 422);
    assert!(last.trouble().contains("This is the last owner"));
}

/// Feature rows 87, 89: what matters about organizations and owners is asked of those who have confirmed a moment ago that
/// it is they, before a form is filled in, and the way leads back to it.
#[test]
fn what_matters_asks_for_a_fresh_confirmation_first() {
    let bench = Bench::new(&[]);
    let mut owner = bench.own();
    let id = bench.run(&["admin", "list"])["owners"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    bench.place.execute("UPDATE session SET proved = 0");
    for page in [
        "new-organization".to_owned(),
        "organizations/acme/delete".to_owned(),
        "owners/new".to_owned(),
        format!("owners/{id}/recover"),
    ] {
        open_until(&mut owner, &format!("/instance/{page}"), "Confirm that it is you");
        let asked = owner.open(&format!("/instance/{page}"));
        assert_eq!(asked.path, format!("/instance/step-up?to={page}"));
    }
    let page = owner.submit("/instance/step-up?to=owners/new", &[("password", PASSWORD)]);
    assert_eq!(
        (page.path.as_str(), page.heading()),
        ("/instance/owners/new", "Add an owner")
    );
}
