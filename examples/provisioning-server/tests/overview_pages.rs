//! The first page of an organization, and the help.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod program;

use std::thread::sleep;
use std::time::{Duration, Instant};

use program::bench::Bench;
use program::person::{Person, open_until};
use serde_json::{Value, json};

const START: &str = "/o/acme/";
const HELP: &str = "/o/acme/help";

/// Feature rows 39, 74: an organization to which nobody was provisioned is told what comes next, until people arrive.
#[test]
fn the_first_steps_are_told_until_people_arrive() {
    let bench = Bench::new(&["--display", "Halden Freight", "--idp", "entra"]);
    let mut ida = bench.enter();
    let empty = ida.open(START);
    assert_eq!(empty.heading(), "Welcome to Halden Freight");
    assert!(
        empty.says("Waiting for the first request"),
        "{}",
        empty.answer.text
    );
    assert!(empty.says("can take up to an hour"));
    bench.run(&["org", "disable", "acme"]);
    let off = open_until(&mut ida, START, "generate a token, and copy two values over");
    assert!(off.says("/o/acme/integrations/scim\""), "{}", off.answer.text);
    bench.run(&["org", "enable", "acme"]);
    sleep(Duration::from_secs(1));
    bench.user("noor@halden.example");
    let page = open_until(&mut ida, START, ">Connected<");
    assert_eq!(page.heading(), "Overview");
    assert!(
        page.says("People and groups come from Microsoft Entra ID."),
        "{}",
        page.answer.text
    );
}

/// Feature rows 50, 73, 74, 99: what needs attention is listed, each with the page that mends it.
#[test]
fn what_needs_attention_is_listed() {
    let bench = Bench::new(&["--first-login", "password-reset"]);
    let mut ida = bench.enter();
    let user = bench.user("noor@acme.example");
    let group = bench.group("Crew", &[&user]);
    bench.run(&["mapping", "set", "acme", "Crew", "Administrator"]);
    let page = open_until(&mut ida, START, "Nothing needs your attention.");
    assert!(!page.says("id=\"attention-title\""));
    bench.leave(&group, &user);
    let refused = bench.send(
        "POST",
        "/Users",
        &json!({ "schemas": [program::bench::USER], "userName": "jdoe" }),
    );
    assert_eq!(refused.status, 400);
    bench.run(&["token", "rotate", "acme", "--expires", "5"]);
    let page = open_until(&mut ida, START, "1 conflict waits");
    assert!(page.says("/o/acme/conflicts\""), "{}", page.answer.text);
    let page = open_until(&mut ida, START, "1 person has no role");
    assert!(page.says("expires in "), "{}", page.answer.text);
    assert!(page.says("Requests of "), "{}", page.answer.text);
}

/// Feature row 89: an organization whose owners all come from the identity provider is warned.
#[test]
fn an_owner_who_is_independent_is_missed() {
    let bench = Bench::new(&[]);
    let looks = ["--allow", "organization:read"];
    bench.run(&[&["role", "create", "acme", "Reader"], &looks[..]].concat());
    let mut reader = bench.enter_as("reader@acme.example", "Reader");
    assert!(
        reader
            .open(START)
            .says("No owner is independent of the identity provider")
    );
    let page = bench.enter().open(START);
    assert!(!page.says("No owner is independent"), "{}", page.answer.text);
}

/// Feature row 91: an alert about many losses stands on the first page until somebody has acknowledged it.
#[test]
fn an_alert_stands_there_until_it_is_acknowledged() {
    let bench = Bench::new(&["--mass-deactivations", "1"]);
    let mut ida = bench.enter();
    let people: Vec<_> = (0..3)
        .map(|number| bench.user(&format!("p{number}@acme.example")))
        .collect();
    for id in &people {
        bench.delete(&format!("/Users/{id}"));
    }
    assert_eq!(
        bench.run(&["alert", "list", "acme"])["alerts"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let page = open_until(&mut ida, START, "3 people were deactivated within an hour");
    assert!(page.says("Nothing was held back"), "{}", page.answer.text);
    let seen = ida.submit("/o/acme/alerts/seen", &[]);
    assert!(seen.says("The alert was acknowledged.") && !seen.says("were deactivated within an hour, more"));
    let mut reader = Person::new(&bench.server);
    assert_eq!(reader.submit("/o/acme/alerts/seen", &[]).heading(), "Sign in");
}

/// Feature rows 38, 74: what the provider has done is drawn, said in a sentence and shown as a table.
#[test]
fn what_the_provider_has_done_is_drawn() {
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    let user = bench.user("noor@acme.example");
    bench.user("omar@acme.example");
    bench.delete(&format!("/Users/{user}"));
    let refused = bench.send(
        "POST",
        "/Users",
        &json!({ "schemas": [program::bench::USER], "userName": "jdoe" }),
    );
    assert_eq!(refused.status, 400);
    let page = open_until(&mut ida, START, "deactivated or removed, 1 error.");
    let finding = page.between("role=\"img\" aria-label=\"", "\"");
    assert!(
        finding.contains("2 created") && finding.contains("Busiest on "),
        "{finding}"
    );
    assert!(page.between("<path class=\"c1\" d=\"", "\"").starts_with('M'));
    assert!(page.says("<summary>Show as a table</summary>"));
    let recent = page.between("id=\"recent\">", "</ol>");
    assert!(
        recent.contains("omar@acme.example") && recent.contains("<li class=\"bad\">"),
        "{recent}"
    );
    assert!(
        recent.contains("Signed in") && recent.contains("The identity provider"),
        "who: {recent}"
    );
}

/// Feature row 74: the first page goes on by itself.
#[test]
fn the_first_page_goes_on_by_itself() {
    let bench = Bench::new(&[]);
    let mut browser = bench.open_browser();
    browser.wait("h1", "Welcome to acme");
    bench.user("noor@acme.example");
    browser.wait("#recent", "noor@acme.example");
    browser.wait("#connection", "Connected");
    browser.is_quiet();
}

/// Feature rows 14, 42: whoever may see little has a first page with little on it, and no page says what is not theirs.
#[test]
fn the_first_page_shows_what_somebody_may_see() {
    let bench = Bench::new(&[]);
    bench.user("noor@acme.example");
    bench.run(&["role", "create", "acme", "Clerk", "--allow", "groups:read"]);
    let mut clerk = bench.enter_as("clerk@acme.example", "Clerk");
    let page = clerk.open(START);
    assert_eq!(page.status(), 200);
    for hidden in [
        "noor@acme.example",
        "id=\"connection\"",
        "role=\"img\"",
        "id=\"recent\"",
        "conflict waits",
    ] {
        assert!(!page.says(hidden), "{hidden}: {}", page.answer.text);
    }
    let help = clerk.open(HELP);
    assert!(
        !help.says(">URL and token<") && help.says(">Assignment<"),
        "{}",
        help.answer.text
    );
    let account = clerk.open("/o/acme/account");
    assert_eq!(
        account
            .between("id=\"permissions\">", "</ul>")
            .matches("groups:read")
            .count(),
        1
    );
}

/// Feature rows 16, 17, 83: the help says which version runs, which instance it is, and every URL, in the words of the product.
#[test]
fn the_help_says_what_runs_where() {
    let bench = Bench::new(&[
        "--support-contact",
        "helpdesk@acme.example",
        "--words",
        "third-platform",
    ]);
    let mut ida = bench.enter();
    let page = ida.open(HELP);
    let health = bench.server.get("/healthz", &[]);
    let health: Value = serde_json::from_str(&health.text).unwrap();
    assert_eq!(
        page.between("id=\"version\">", "</dd>"),
        health["version"].as_str().unwrap()
    );
    let address = bench.server.address();
    assert!(page.says("Provisioning Access</dt>"), "{}", page.answer.text);
    assert!(
        page.between("id=\"access\">", "</dd>")
            .ends_with(&format!("({address})"))
    );
    let shown = bench.run(&["org", "show", "acme"]);
    assert!(page.says(shown["id"].as_str().unwrap()));
    assert!(page.says(&format!("value=\"http://{address}/scim/acme/v2\"")) && page.says(">SCIM URI</label>"));
    assert!(page.says("AssertionConsumerService\"") && page.says(">Assertion</label>"));
    assert!(
        page.says("<strong>helpdesk@acme.example</strong>"),
        "the support contact"
    );
    for link in ["learn.microsoft.com", "help.okta.com", "jumpcloud.com"] {
        assert!(page.says(link), "{link}");
    }
}

/// Feature rows 38, 65, 79: the help looks at what is wrong now: URL and token, values, names, access.
#[test]
fn the_help_finds_what_is_wrong() {
    let bench = Bench::new(&["--idp", "entra"]);
    let mut ida = bench.enter();
    let page = ida.open(HELP);
    assert!(
        page.says("No request has come with the token yet."),
        "{}",
        page.answer.text
    );
    let user = bench.user("noor@acme.example");
    let page = open_until(&mut ida, HELP, "The last request came ");
    assert!(page.says("No request of the last 24 hours was refused because of a value."));
    assert!(page.says("works in quarantine, too"), "as the provider calls it");
    let refused = bench.send(
        "POST",
        "/Users",
        &json!({ "schemas": [program::bench::USER], "userName": "jdoe" }),
    );
    assert_eq!(refused.status, 400);
    let page = open_until(&mut ida, HELP, "1 conflict.");
    assert!(
        !page.says("No request of the last 24 hours was refused"),
        "{}",
        page.answer.text
    );
    assert!(page.says("1 person has no role"), "{user}: {}", page.answer.text);
    let old = bench.token.clone();
    bench.run(&["token", "rotate", "acme"]);
    sleep(Duration::from_secs(1));
    let until = Instant::now() + Duration::from_secs(10);
    while bench.server.acme(&old, "GET", "/Users", &Value::Null).status != 401 {
        assert!(Instant::now() < until, "the old token still works");
    }
    open_until(&mut ida, START, "still uses an old token");
}
