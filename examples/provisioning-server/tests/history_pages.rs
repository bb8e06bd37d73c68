//! The tab API History, and what the connection card says of requests.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use std::thread::sleep;
use std::time::{Duration, Instant};

use program::bench::{Bench, USER};
use program::person::{Page, open_until};
use serde_json::json;

const HISTORY: &str = "/o/acme/integrations/scim/history";
const PANEL: &str = "/o/acme/integrations/scim";

/// Returns the sentences of the rows.
fn sentences(page: &Page) -> Vec<&str> {
    let parts = page.answer.text.split("<span class=\"what\"><b>").skip(1);
    parts.map(|part| part.split_once("</b>").unwrap().0).collect()
}

/// Creates a person, and answers with the status.
fn create(bench: &Bench, name: &str) -> u16 {
    bench
        .send("POST", "/Users", &json!({ "schemas": [USER], "userName": name }))
        .status
}

/// Feature rows 28, 33, 35, 64, 66, 75: each request is a sentence first and the wire second; filters let success, errors, a
/// path, a person or a request through, and how many came over time is drawn, and told in words and in a table; one that failed
/// says why, what to do, and what it sent.
#[test]
fn requests_are_sentences_that_can_be_filtered() {
    let bench = Bench::new(&[]);
    bench.administrator("elif@acme.example", "users:read");
    let mut ida = bench.enter();
    assert!(ida.open(HISTORY).says("No request has arrived yet"));
    let ada = bench.user("ada@acme.example");
    assert_eq!(create(&bench, "jdoe"), 400);
    assert_eq!(create(&bench, "elif@acme.example"), 409);
    assert_eq!(bench.get("/Users?startIndex=1&count=2").status, 200);
    let page = open_until(&mut ida, HISTORY, "Connection test");
    let said = sentences(&page);
    assert_eq!(said.len(), 4, "{said:?}");
    assert_eq!(said[3], "Created user ada@acme.example");
    assert!(
        said[2].starts_with("Rejected: create a user: ") && said[1].starts_with("Rejected"),
        "{said:?}"
    );
    assert!(page.says("POST /Users · uniqueness") && page.says("POST /Users · invalidValue"));
    assert!(page.says("managed by hand"), "{}", page.answer.text);
    assert_eq!(sentences(&ida.open(&format!("{HISTORY}?show=errors"))).len(), 2);
    assert_eq!(sentences(&ida.open(&format!("{HISTORY}?show=success"))).len(), 2);
    assert_eq!(sentences(&ida.open(&format!("{HISTORY}?path=/Groups"))).len(), 0);
    assert_eq!(
        sentences(&ida.open(&format!("{HISTORY}?subject=ADA@acme.example"))),
        [said[3]]
    );
    assert_eq!(
        sentences(&ida.open(&format!("{HISTORY}?subject={ada}"))),
        [said[3]]
    );
    assert_eq!(
        sentences(&ida.open(&format!("{HISTORY}?from=2020-01-01&to=2020-12-31"))).len(),
        0
    );
    let odd = ida.open(&format!("{HISTORY}?from=soon"));
    assert!(odd.says("is not a valid date"), "{}", odd.answer.text);

    // The picture shows all requests of the days that are asked for, and its text says the same.
    let chart = open_until(&mut ida, HISTORY, "4 requests, of which 2 were refused");
    let label = chart.between("role=\"img\" aria-label=\"Requests from ", "\"");
    assert!(
        label.contains(": 4 requests, of which 2 were refused. Most from "),
        "{label}"
    );
    assert!(
        chart.says("<td class=\"num\">2</td><td class=\"num\">2</td>"),
        "{}",
        chart.answer.text
    );
    let others = ida.open(&format!("{HISTORY}?show=errors&from=2020-01-01&to=2020-12-31"));
    assert!(
        others.says("Requests from 1 January 2020 to 31 December 2020"),
        "{}",
        others.answer.text
    );
    assert!(others.says("0 requests, of which 0 were refused") && !others.says("<figure>"));
    let backwards = ida.open(&format!("{HISTORY}?from=2020-12-31&to=2020-01-01"));
    assert!(!backwards.says("id=\"history-chart\""));

    let errors = ida.open(&format!("{HISTORY}?show=errors&subject=jdoe"));
    let link = errors.between(
        "<a class=\"btn btn-s\" href=\"/o/acme/integrations/scim/history/",
        "\"",
    );
    let request = ida.open(&format!("{HISTORY}/{link}"));
    assert!(request.says("What happened") && request.says("What to do"));
    assert!(
        request.says("Masked; kept for 24 hours."),
        "{}",
        request.answer.text
    );
    let id = request
        .between("<dt>Request ID</dt><dd><code>", "</code>")
        .to_owned();
    assert_eq!(sentences(&ida.open(&format!("{HISTORY}?subject={id}"))).len(), 1);
    assert_eq!(ida.open(&format!("{HISTORY}/nothing")).status(), 404);
}

/// Feature rows 8, 51, 65, 74, 79, 105: the card says why requests were refused, which old token is still used, what was
/// sent and is not kept, and who has no role.
#[test]
fn the_card_says_what_is_wrong() {
    let bench = Bench::new(&["--attributes", "mapped", "--idp", "entra"]);
    let mut ida = bench.enter();
    bench.user_with("ada@acme.example", &json!({ "title": "Captain" }));
    assert_eq!(create(&bench, "jdoe"), 400);
    let page = open_until(&mut ida, PANEL, "A value does not fit");
    assert!(page.says("Why the last requests were refused"));
    assert!(page.says("1 person has no role"), "{}", page.answer.text);
    assert!(page.says("<dt>PATCH</dt><dd>yes</dd>") && page.says("<dt>Changing passwords</dt><dd>no</dd>"));
    assert!(page.says("pauses provisioning when more than 40 % fail"));
    open_until(&mut ida, PANEL, "<dt><code>title</code></dt>");
    let old = bench.token[bench.token.len() - 4..].to_owned();
    bench.run(&["token", "rotate", "acme"]);
    // A server hears within a second of what a command has done.
    let patience = Instant::now() + Duration::from_secs(10);
    while bench.get("/Users").status != 401 {
        assert!(Instant::now() < patience, "the old token is still good");
        sleep(Duration::from_millis(50));
    }
    let page = open_until(&mut ida, PANEL, "still uses an old token");
    assert!(page.says(&format!("revoked token ending {old}")) && page.says("Wrong token"));
    assert!(open_until(&mut ida, HISTORY, "was revoked").says("Enter the current token"));
    let shown = bench.run(&["connection", "show", "acme"]);
    assert_eq!(shown["old_token"]["last_four"], old, "{shown:#}");
    assert_eq!(shown["unassigned"], 1);
}

/// Feature rows 14, 64, 75, 76: what is listed can be taken out as a file, page for page the list goes on, and bodies are for
/// those who may see them.
#[test]
fn the_history_is_read_on_and_taken_out() {
    let bench = Bench::new(&[]);
    let allow = ["--allow", "integrations:read", "--allow", "history:read"];
    bench.run(&[&["role", "create", "acme", "Looker"], &allow[..]].concat());
    bench.run(&["role", "create", "acme", "Desk", "--allow", "integrations:read"]);
    let mut reader = bench.enter_as("rea@acme.example", "Looker");
    for n in 0..52 {
        bench.user(&format!("p{n}@acme.example"));
    }
    assert_eq!(create(&bench, "jdoe"), 400);
    open_until(&mut reader, HISTORY, "invalidValue");
    let first = reader.open(HISTORY);
    assert_eq!(sentences(&first).len(), 50);
    let next = first.between("rel=\"next\"", "</a>");
    assert!(next.ends_with("Next"), "{next}");
    let path = first.between(
        "<a class=\"btn btn-s\" href=\"/o/acme/integrations/scim/history?before=",
        "\"",
    );
    let second = reader.open(&format!("{HISTORY}?before={path}"));
    assert_eq!(sentences(&second).len(), 3);
    let request = first.between("id=\"request-", "\"");
    let opened = reader.open(&format!("{HISTORY}/{request}"));
    assert!(
        opened.says("Only those with the permission history-bodies:read"),
        "{}",
        opened.answer.text
    );
    assert!(!opened.says("<pre"));

    let csv = reader.get(&format!("{HISTORY}/export?format=csv&show=success"));
    assert!(
        csv.head.contains("attachment; filename=\"acme-api-history.csv\""),
        "{}",
        csv.head
    );
    assert!(csv.text.contains("created user p51@acme.example") && !csv.text.contains("invalidValue"));
    let lines = reader.get(&format!("{HISTORY}/export?format=jsonl&show=errors"));
    assert!(lines.text.contains("invalidValue") && !lines.text.contains("created user"));
    assert_eq!(reader.get(&format!("{HISTORY}/export?format=exe")).status, 404);
    let mut stranger = bench.enter_as("dee@acme.example", "Desk");
    for path in [
        HISTORY.to_owned(),
        format!("{HISTORY}/{request}"),
        format!("{HISTORY}/export?format=csv"),
    ] {
        assert_eq!(stranger.open(&path).status(), 403, "{path}");
    }
}

/// Feature rows 28, 39, 64, 75: requests arrive while one looks; newer ones are announced and shown when they are asked for,
/// and filters act while one types.
#[test]
fn requests_arrive_while_one_looks() {
    let bench = Bench::new(&[]);
    let mut browser = bench.open_browser();
    browser.goto(&bench.url(HISTORY));
    browser.wait("#history-rows", "No request has arrived yet");
    bench.user("ada@acme.example");
    browser.goto(&bench.url(HISTORY));
    browser.wait("#history-rows", "Created user ada@acme.example");
    bench.user("bo@acme.example");
    browser.wait("#history-new", "Show 1 new request");
    assert_eq!(browser.count(".log details"), 1, "nothing moves while one reads");
    browser.press("Show 1 new request");
    browser.wait(".log", "Created user bo@acme.example");
    browser.type_into("Path", "/Groups");
    browser.wait("#history-rows", "No request matches");
    browser.press("Show all requests");
    browser.click(".log summary");
    browser.press("Open this request");
    browser.wait("#request", "Created user bo@acme.example");
    browser.is_quiet();
}
