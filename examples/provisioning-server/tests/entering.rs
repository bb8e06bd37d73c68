//! The ways in of the people of an organization: invited, by a forgotten password, and what they find inside.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use std::thread::sleep;
use std::time::{Duration, Instant};

use program::bench::Bench;
use program::browser::Browser;
use program::person::{Application, Person};
use serde_json::json;

const NOOR: &str = "noor.haddad@halden.example";
const PASSWORD: &str = "seven herons over the grey fjord";
const OTHER: &str = "a lighthouse keeps no calendar";

fn bench(settings: &[&str]) -> Bench {
    Bench::new(&[&["--display", "Halden Freight"], settings].concat())
}

/// Gives the members of a group the permissions of a role.
fn crew(bench: &Bench, members: &[&str]) {
    bench.group("Crew", members);
    let allowed = ["--allow", "users:read", "--allow", "history:read"];
    bench.run(&[&["role", "create", "acme", "Desk"], &allowed[..]].concat());
    bench.run(&["mapping", "set", "acme", "Crew", "Desk"]);
}

fn sign_in(person: &mut Person<'_>, password: &str) -> program::person::Page {
    person.submit("/o/acme/sign-in", &[("name", NOOR), ("password", password)])
}

/// Feature row 20: a provisioned person is invited, chooses a password once, and sees exactly their permissions.
#[test]
fn a_provisioned_person_is_invited_and_sees_their_permissions() {
    let bench = bench(&[]);
    let noor = bench.user(NOOR);
    crew(&bench, &[&noor]);
    let link = bench.mailed("invitation", NOOR);
    let mut person = Person::new(&bench.server);
    let page = person.open(&link);
    assert!(
        page.heading().starts_with("Welcome, ") && page.says(NOOR),
        "{}",
        page.answer.text
    );
    assert!(page.says("Halden Freight gave you an administrator account."));
    let page = person.submit(&link, &[("new", PASSWORD), ("again", PASSWORD)]);
    assert_eq!((page.path.as_str(), page.heading()), ("/o/acme/", "Overview"));
    let account = person.open("/o/acme/account");
    let list = account.between("id=\"permissions\">", "</ul>");
    let permissions: Vec<_> = list
        .split("<code>")
        .skip(1)
        .map(|it| it.split_once('<').unwrap().0)
        .collect();
    assert_eq!(permissions, ["users:read", "history:read"]);
    assert_eq!(person.open(&link).status(), 410);
    bench.is_sound();
}

/// Feature row 24: somebody without a password sets one by "forgotten password", which never removes a second factor
/// (row 90).
#[test]
fn a_forgotten_password_is_the_first_way_in() {
    let bench = bench(&["--first-login", "password-reset"]);
    bench.user(NOOR);
    let mut noor = Person::new(&bench.server);
    assert_eq!(sign_in(&mut noor, PASSWORD).status(), 422);
    noor.submit("/o/acme/forgotten-password", &[("name", NOOR)]);
    let link = bench.mailed("reset-link", NOOR);
    assert_eq!(noor.open(&link).heading(), "Choose a new password");
    let page = noor.submit(&link, &[("new", PASSWORD), ("again", PASSWORD)]);
    assert_eq!(page.heading(), "You are signed in, but have no access yet");

    let page = noor.open("/o/acme/second-factor/set-up");
    let mut application = Application::scan(&page);
    let code = application.code();
    noor.submit("/o/acme/second-factor/set-up", &[("code", &code)]);
    noor.submit("/o/acme/forgotten-password", &[("name", NOOR)]);
    let link = bench.mailed("reset-link", NOOR);
    let page = noor.submit(&link, &[("new", OTHER), ("again", OTHER)]);
    assert_eq!(page.heading(), "Second factor");
    let page = noor.submit("/o/acme/sign-in/second-factor", &[("code", &application.code())]);
    assert_eq!(page.path, "/o/acme/");
}

/// Feature row 42: somebody without a role signs in, and is told which groups give nothing and whom to ask, without the name
/// of any administrator.
#[test]
fn somebody_without_a_role_is_told_what_is_missing() {
    let bench = bench(&["--support-contact", "helpdesk@halden.example"]);
    bench.administrator("boss@halden.example", "organization:write");
    let noor = bench.user(NOOR);
    bench.group("Night shift", &[&noor]);
    bench.group("Day shift", &[]);
    let link = bench.mailed("invitation", NOOR);
    let mut person = Person::new(&bench.server);
    let page = person.submit(&link, &[("new", PASSWORD), ("again", PASSWORD)]);
    assert_eq!(page.heading(), "You are signed in, but have no access yet");
    assert!(page.says("groups at your identity provider") && page.says(NOOR));
    assert!(page.says("<li>Night shift</li>") && page.says("helpdesk@halden.example"));
    assert!(!page.says("Day shift") && !page.says("boss@halden.example"));
    crew(&bench, &[&noor]);
    let until = Instant::now() + Duration::from_secs(10);
    while person.open("/o/acme/").heading() != "Overview" {
        assert!(Instant::now() < until, "the role does not arrive");
        sleep(Duration::from_millis(50));
    }
}

/// Feature row 90: where a second factor is asked for, nobody gets past its set-up.
#[test]
fn a_second_factor_that_is_asked_for_comes_first() {
    let bench = bench(&["--second-factor", "required"]);
    bench.user(NOOR);
    let link = bench.mailed("invitation", NOOR);
    let mut noor = Person::new(&bench.server);
    let page = noor.submit(&link, &[("new", PASSWORD), ("again", PASSWORD)]);
    assert_eq!(page.heading(), "Set up your second factor");
    assert!(page.says("Halden Freight asks for one."));
    for inside in ["/o/acme/", "/o/acme/account", "/o/acme/account/password"] {
        assert_eq!(
            noor.open(inside).heading(),
            "Set up your second factor",
            "{inside}"
        );
    }
    let mut application = Application::scan(&page);
    let wrong = noor.submit("/o/acme/second-factor/set-up", &[("code", "000000")]);
    assert!(wrong.status() == 422 && wrong.trouble().contains("This code is not right"));
    let code = application.code();
    let page = noor.submit("/o/acme/second-factor/set-up", &[("code", &code)]);
    assert_eq!(page.heading(), "Recovery codes");
    let account = noor.open("/o/acme/account");
    assert!(account.says("Halden Freight asks for one") && !account.says("second-factor/remove"));
}

/// Feature rows 46 and 97: whoever is deactivated is out within a second, with every credential, and comes back with a
/// password.
#[test]
fn a_deactivated_person_is_out_within_a_second() {
    let bench = bench(&[]);
    let id = bench.user(NOOR);
    let link = bench.mailed("invitation", NOOR);
    let mut noor = Person::new(&bench.server);
    noor.submit(&link, &[("new", PASSWORD), ("again", PASSWORD)]);
    assert_eq!(noor.open("/o/acme/account").status(), 200);
    let active = |value: bool| {
        let set = json!([{ "op": "replace", "path": "active", "value": value }]);
        assert_eq!(bench.patch(&format!("/Users/{id}"), &set).status, 200);
    };
    active(false);
    assert_eq!(noor.open("/o/acme/account").heading(), "Sign in");
    assert_eq!(sign_in(&mut noor, PASSWORD).status(), 422);
    active(true);
    assert_eq!(
        noor.open("/o/acme/account").heading(),
        "Sign in",
        "a session never comes back"
    );
    assert_eq!(sign_in(&mut noor, PASSWORD).path, "/o/acme/");
}

/// Feature row 15: a session of one organization is none of another.
#[test]
fn a_session_is_of_one_organization() {
    let bench = bench(&[]);
    bench.user(NOOR);
    bench.run(&["org", "create", "other"]);
    let link = bench.mailed("invitation", NOOR);
    let mut noor = Person::new(&bench.server);
    noor.submit(&link, &[("new", PASSWORD), ("again", PASSWORD)]);
    let (_, secret) = noor
        .cookies
        .iter()
        .find(|(name, _)| name == "o-acme")
        .unwrap()
        .clone();
    let mut elsewhere = Person::new(&bench.server);
    elsewhere.cookies = vec![
        ("o-other".to_owned(), secret.clone()),
        ("instance".to_owned(), secret),
    ];
    let until = Instant::now() + Duration::from_secs(10);
    while elsewhere.open("/o/other/").status() == 404 {
        assert!(Instant::now() < until, "the organization does not arrive");
        sleep(Duration::from_millis(50));
    }
    assert_eq!(elsewhere.open("/o/other/").heading(), "Sign in");
    assert_eq!(elsewhere.open("/instance/").heading(), "Sign in");
}

/// Feature rows 89 and 90, in a real browser, with and without scripts: from the link of the first start to a second
/// factor, out, and in again.
#[test]
fn the_first_owner_comes_with_a_browser() {
    for javascript in [true, false] {
        let place = program::Place::new();
        let server = place.serve(&[]);
        let mut browser = Browser::open();
        browser.anew(javascript);
        browser.goto(server.started["set_up_url"].as_str().unwrap());
        assert_eq!(browser.heading(), "Set up this server");
        browser.fill("E-mail address", NOOR);
        browser.fill("Password", PASSWORD);
        browser.fill("The same password again", PASSWORD);
        browser.press("Create and sign in");
        assert_eq!(browser.heading(), "Set up your second factor");
        let mut application = Application::new(&browser.text("code.value"));
        browser.fill("Six digits from the app", &application.code());
        browser.press("Confirm");
        assert_eq!(browser.heading(), "Recovery codes");
        let codes = browser.text("#codes");
        assert_eq!(codes.lines().count(), 10, "{codes}");
        browser.tick("I have kept the codes in a safe place");
        browser.press("Finish");
        assert_eq!(browser.heading(), "Organizations");
        browser.press(&format!("Account of {NOOR}"));
        if javascript {
            browser.inspect("menu");
        }
        browser.press("Sign-in and security");
        assert_eq!(browser.heading(), "Sign-in and security");
        browser.press(&format!("Account of {NOOR}"));
        browser.press("Sign out");
        assert_eq!(browser.heading(), "You are signed out");
        browser.press("Sign in again");
        browser.fill("E-mail address", NOOR);
        browser.fill("Password", PASSWORD);
        browser.press("Sign in");
        assert_eq!(browser.heading(), "Second factor");
        browser.fill("Code", &application.code());
        browser.press("Continue");
        assert_eq!(browser.heading(), "Organizations");
        browser.is_quiet();
    }
}

/// Feature rows 20 and 24, in a real browser, with and without scripts: an invitation, then a forgotten password.
#[test]
fn a_provisioned_person_comes_with_a_browser() {
    for javascript in [true, false] {
        let bench = bench(&[]);
        let noor = bench.user(NOOR);
        crew(&bench, &[&noor]);
        let start = format!("http://{}", bench.server.address());
        let mut browser = Browser::open();
        browser.anew(javascript);
        browser.goto(&format!("{start}{}", bench.mailed("invitation", NOOR)));
        browser.fill("Password", PASSWORD);
        browser.fill("The same password again", OTHER);
        browser.press("Set password and continue");
        assert!(browser.text("main").contains("The two passwords are different."));
        browser.fill("Password", PASSWORD);
        browser.fill("The same password again", PASSWORD);
        browser.press("Set password and continue");
        assert_eq!(browser.heading(), "Overview");

        browser.anew(javascript);
        browser.goto(&start);
        browser.fill("Organization", "halden freight");
        browser.press("Continue");
        browser.press("Forgotten password?");
        browser.fill("E-mail address", NOOR);
        browser.press("Send me a link");
        assert_eq!(browser.heading(), "Check your mailbox");
        browser.goto(&format!("{start}{}", bench.mailed("reset-link", NOOR)));
        browser.fill("New password", OTHER);
        browser.fill("The same password again", OTHER);
        browser.press("Set password and continue");
        assert_eq!(browser.heading(), "Overview");
        browser.is_quiet();
    }
}

/// Recovery codes are copied by a button that is there for scripts alone.
#[test]
fn recovery_codes_can_be_copied() {
    let place = program::Place::new();
    let server = place.serve(&[]);
    let mut browser = Browser::open();
    browser.goto(server.started["set_up_url"].as_str().unwrap());
    browser.fill("E-mail address", NOOR);
    browser.fill("Password", PASSWORD);
    browser.fill("The same password again", PASSWORD);
    browser.press("Create and sign in");
    let mut application = Application::new(&browser.text("code.value"));
    browser.fill("Six digits from the app", &application.code());
    browser.press("Confirm");
    let codes = browser.text("#codes");
    browser.press("Copy all");
    browser.wait("[data-copy]", "Copied");
    assert_eq!(browser.clipboard(), codes);
    browser.is_quiet();
}
