//! The connection card: its states, and the rhythm of the identity provider.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use std::thread::sleep;
use std::time::{Duration, Instant};

use program::bench::{Bench, USER};
use program::rows;
use scim::store::database::Value as Cell;
use serde_json::json;

const PANEL: &str = "/o/acme/integrations/scim";
const CARD: &str = "#scim-connection";

/// Waits until a query about the database finds something else than nothing.
fn until_found(bench: &Bench, sql: &'static str) {
    let end = Instant::now() + Duration::from_secs(20);
    while rows(&bench.place, sql).is_empty() {
        assert!(Instant::now() < end, "{sql} finds nothing");
        sleep(Duration::from_millis(50));
    }
}

/// Feature rows 38, 39, 74: each state of the card, by what an administrator and a simulated provider do, while the page is open: a
/// disclosure that was opened stays open.
#[test]
fn each_state_is_reached() {
    let bench = Bench::new(&["--idp", "entra"]);
    bench.run(&["integration", "delete", "acme"]);
    let mut browser = bench.open_browser();
    browser.goto(&bench.url(PANEL));
    browser.wait(CARD, "Not configured");
    browser.press("Generate API Token");
    let token = browser.text("#secret");
    browser.wait(CARD, "Off");
    browser.tick("Enabled");
    browser.press("Save");
    browser.wait(CARD, "Waiting for the first request");
    browser.wait(CARD, "Its first synchronisation can take up to an hour.");
    browser.click("#offered summary");

    let url = bench.url("/scim/acme/v2");
    let size = [
        "--users",
        "30",
        "--groups",
        "3",
        "--members",
        "5",
        "--changes",
        "10",
    ];
    let simulated = ["simulate", "entra", "--url", &url, "--token", &token];
    bench.run(&[&simulated[..], &size].concat());
    browser.wait(CARD, "Connected");
    assert_eq!(browser.count("#offered[open]"), 1, "it stays as it was left");
    browser.wait("#panel-state", "Microsoft Entra ID");

    // Nothing comes for thirty days.
    bench
        .place
        .execute("UPDATE connection SET first = first - 2592000000000, last = last - 2592000000000");
    browser.wait(CARD, "Quiet");
    browser.wait(CARD, "Entra ID has been silent for longer than usual.");

    // It comes again, and is refused.
    let post = |name: &str| {
        let body = json!({ "schemas": [USER], "userName": name });
        bench.server.acme(&token, "POST", "/Users", &body).status
    };
    assert_eq!(post("jdoe"), 400);
    browser.wait(CARD, "Errors");
    browser.wait(CARD, "A value does not fit");

    // The first success clears it.
    assert_eq!(post("jdoe@acme.example"), 201);
    browser.wait(CARD, "Connected");
    browser.is_quiet();
}

/// Feature rows 39, 100: the card and the guide say when the provider came last, how often it usually comes, and when it is expected
/// next, as soon as that can be told.
#[test]
fn the_rhythm_of_the_provider_is_told() {
    let bench = Bench::new(&["--idp", "entra"]);
    let mut ida = bench.enter();
    let guide = "/o/acme/integrations/scim/wizard?steps=all";
    bench.user("ada@acme.example");
    until_found(&bench, "SELECT begun FROM synchronisation");
    for path in [PANEL, guide] {
        let page = ida.open(path);
        assert!(
            page.says("<dt>Usual interval</dt><dd>not known yet</dd>"),
            "{}",
            page.answer.text
        );
        assert!(page.says("<dt>Next expected</dt><dd>not known yet</dd>"));
        assert!(page.says("then Entra ID calls every 40 minutes."));
    }
    assert_eq!(
        bench.run(&["connection", "show", "acme"])["rhythm"]["next"]["when"],
        "not-known"
    );

    // It has come every hour before, but for a night, and comes once more.
    for sql in [
        "INSERT INTO synchronisation (org, begun) SELECT org, first - 3600000000 FROM connection",
        "INSERT INTO synchronisation (org, begun) SELECT org, first - 7200000000 FROM connection",
        "INSERT INTO synchronisation (org, begun) SELECT org, first - 43200000000 FROM connection",
        "INSERT INTO synchronisation (org, begun) SELECT org, first - 46800000000 FROM connection",
    ] {
        bench.place.execute(sql);
    }
    for path in [PANEL, guide] {
        let page = ida.open(path);
        assert!(
            page.says("<dt>Usual interval</dt><dd>every 60 minutes</dd>"),
            "{}",
            page.answer.text
        );
        let next = page.between("<dt>Next expected</dt><dd><time datetime=\"", "</time>");
        assert!(next.ends_with(" minutes"), "{next}");
    }
    let shown = bench.run(&["connection", "show", "acme"]);
    assert_eq!(
        (
            &shown["rhythm"]["usual_seconds"],
            &shown["rhythm"]["next"]["when"]
        ),
        (&json!(3600), &json!("at"))
    );

    // A provider without a cycle is expected at no time.
    bench.run(&["org", "set", "acme", "--idp", "okta"]);
    let page = ida.open(PANEL);
    assert!(
        page.says("<dt>Next expected</dt><dd>when something changes there</dd>"),
        "{}",
        page.answer.text
    );
    assert!(page.says("Okta has no cycle"));
    bench.is_sound();
}

/// Feature row 100: requests that follow each other are one synchronisation, after a silence another begins, the newest alone are
/// kept; and the product behind, which reads with a token of its own, is not the identity provider.
#[test]
fn a_silence_ends_a_synchronisation() {
    let bench = Bench::new(&[]);
    let made = bench.run(&["token", "create", "acme", "--for", "access"]);
    let bearer = format!("Bearer {}", made["token"].as_str().unwrap());
    let asked = bench
        .server
        .get("/api/v1/access/ada@acme.example", &[("authorization", &bearer)]);
    assert_eq!(asked.status, 404, "{}", asked.text);
    until_found(&bench, "SELECT id FROM token WHERE last_used IS NOT NULL");
    assert!(rows(&bench.place, "SELECT org FROM connection").is_empty());
    bench.user("ada@acme.example");
    until_found(&bench, "SELECT begun FROM synchronisation");
    bench.user("bo@acme.example");
    until_found(&bench, "SELECT org FROM activity WHERE succeeded = 2");
    let begun = || rows(&bench.place, "SELECT begun FROM synchronisation").len();
    assert_eq!(begun(), 1);
    bench
        .place
        .execute("UPDATE connection SET first = first - 86400000000, last = last - 660000000");
    bench.user("cy@acme.example");
    until_found(
        &bench,
        "SELECT org FROM synchronisation GROUP BY org HAVING count(*) = 2",
    );
    bench.place.execute(
        "INSERT INTO synchronisation (org, begun)
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
         SELECT org, first - i FROM connection, n",
    );
    bench
        .place
        .execute("UPDATE connection SET last = last - 660000000");
    bench.user("di@acme.example");
    until_found(
        &bench,
        "SELECT org FROM synchronisation GROUP BY org HAVING count(*) = 21",
    );
    until_found(
        &bench,
        "SELECT org FROM activity GROUP BY org HAVING sum(succeeded) = 4",
    );
    let counted = rows(&bench.place, "SELECT sum(succeeded), sum(refused) FROM activity");
    assert_eq!(counted, [[Cell::Integer(4), Cell::Integer(0)]]);
    bench.is_sound();
}
