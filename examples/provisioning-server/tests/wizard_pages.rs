//! The set-up guide of each identity provider, in a browser.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod program;

use program::bench::Bench;
use program::browser::Browser;
use program::person::{Person, open_until};
use serde_json::Value;

const WIZARD: &str = "integrations/scim/wizard";

/// Returns what the three products' guides say, in order: steps, and the words of each.
fn guides() -> Vec<Value> {
    let text = include_str!("fixtures/guides.json");
    serde_json::from_str(text).unwrap()
}

/// Returns the organization that is like a product.
fn organization(product: &str) -> &str {
    match product {
        "threatlocker" => "acme",
        other => other,
    }
}

/// Checks that the words stand in the text one behind the other.
fn follows(text: &str, words: &[&str], guide: &str) {
    let mut rest = text;
    for word in words {
        let Some((_, behind)) = rest.split_once(word) else {
            panic!("{guide}: {word:?} does not follow in {rest}");
        };
        rest = behind;
    }
}

/// Opens the guide for a provider with every step.
fn open(browser: &mut Browser, bench: &Bench, organization: &str, provider: &str) {
    browser.goto(&bench.url(&format!("/o/{organization}/{WIZARD}?provider={provider}")));
    browser.press("Show all steps");
}

/// Feature rows 5, 27, 36, 67, 68, 69: for each product and provider, every step of the guide is there in its order, with
/// this organization's own values and the provider's own words.
#[test]
fn every_step_of_each_guide_is_there_in_order() {
    let bench = Bench::new(&[]);
    let mut ids = vec![("acme", bench.run(&["org", "show", "acme"])["id"].clone())];
    for product in ["level-access", "third-platform"] {
        bench.run(&["org", "create", product, "--like", product]);
        ids.push((product, Value::Null));
    }
    let mut browser = bench.open_as_owner();
    for guide in guides() {
        let text = |key: &str| guide[key].as_str().unwrap().to_owned();
        let (product, provider) = (text("product"), text("provider"));
        let organization = organization(&product);
        open(&mut browser, &bench, organization, &provider);
        let shown = browser.text(".split");
        let url = bench.url(&format!("/scim/{organization}/v2"));
        let acs = bench.url("/portalApi/acme/AuthenticationSAML/AssertionConsumerService");
        let entity_id = bench.url(&format!("/saml/{}", ids[0].1.as_str().unwrap()));
        let words: Vec<&str> = guide["steps"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|step| step.as_array().unwrap())
            .map(|word| match word.as_str().unwrap() {
                "{url}" => &url,
                "{acs}" => &acs,
                "{entity-id}" => &entity_id,
                word => word,
            })
            .collect();
        follows(&shown, &words, &format!("{product}, {provider}"));
    }
    browser.is_quiet();
}

/// Feature rows 5, 27: each value is copied by a button beside the provider's own name of the field, and is the one that
/// the endpoint answers at.
#[test]
fn values_are_copied() {
    let bench = Bench::new(&["--idp", "okta"]);
    let mut browser = bench.open_browser();
    browser.goto(&bench.url(&format!("/o/acme/{WIZARD}")));
    assert_eq!(browser.heading(), "Set up provisioning from Okta");
    browser.press("Show all steps");
    browser.press("Copy SCIM connector base URL");
    let url = bench.url("/scim/acme/v2");
    assert_eq!(browser.clipboard(), url);
    assert_eq!(bench.get("/ServiceProviderConfig").status, 200);
    browser.press("Copy Unique identifier field for users");
    assert_eq!(browser.clipboard(), "email");
    browser.choose("Identity provider", "Microsoft Entra ID");
    browser.press("Change");
    assert!(browser.text("main").contains("The settings say Okta."));
    browser.press("Show all steps");
    browser.press("Copy Tenant URL");
    assert_eq!(browser.clipboard(), url);
    browser.is_quiet();
}

/// Feature rows 26, 28, 39, 100: what is missing, the provider's attempt to connect, the people and groups who come, and which
/// steps are done are seen while the page is open, without a reload; once all are done, nobody asks any more.
#[test]
fn the_guide_shows_what_happens_as_it_happens() {
    let bench = Bench::new(&["--idp", "entra"]);
    let mut browser = bench.open_browser();
    browser.goto(&bench.url(&format!("/o/acme/{WIZARD}")));
    browser.press("Show all steps");
    for tick in [
        "Waiting: First request from Entra ID",
        "Done: The API Token is made",
        "Optional: SAML single sign-on",
    ] {
        browser.wait("#prerequisites", tick);
    }
    let arrivals = browser.text("#arrivals");
    assert!(arrivals.contains("choose Start provisioning"), "{arrivals}");
    assert!(
        arrivals.contains("can take up to an hour; then Entra ID calls every 40 minutes"),
        "{arrivals}"
    );
    browser.wait("#attempt", "Waiting for Entra ID.");
    assert_eq!(browser.count(".mark.done"), 0);
    browser.wait("#mark-1 .sr", "Next");

    bench.run(&["org", "disable", "acme"]);
    browser.wait("#attempt", "The integration is switched off.");
    browser.wait("#prerequisites", "To do: The integration is switched on");
    bench.run(&["org", "enable", "acme"]);
    let test = "/Users?filter=userName+eq+%2242cb0e4c-0000-4000-8000-7e3b5a0e9f11%22";
    assert_eq!(bench.get(test).status, 200);
    browser.wait("#attempt", "Connected.");
    browser.wait("#prerequisites", "Done: First request from Entra ID");
    browser.wait("#prerequisites", "Waiting: First person");
    browser.wait("#mark-2 .sr", "Done");
    browser.wait("#mark-3 .sr", "Next");
    assert_eq!(browser.count("#progress li.done"), 2);
    let ada = bench.user("ada@acme.example");
    browser.wait("#arrivals", "1 person, 0 groups");
    browser.wait("#arrivals", "ada@acme.example");
    bench.group("Crew", &[&ada]);
    browser.wait("#arrivals", "1 person, 1 group");
    browser.wait("#prerequisites", "Done: First group");
    browser.wait("#prerequisites", "To do: First group mapped to a role");
    bench.run(&["mapping", "set", "acme", "Crew", "Operator"]);
    browser.wait("#prerequisites", "Done: First group mapped to a role");
    let last = browser.count(".guide > li");
    browser.wait(&format!("#mark-{last} .sr"), "Done");
    assert_eq!(browser.count(".mark.done"), last);
    assert_eq!(
        (
            browser.count("#progress li.done"),
            browser.count("#progress[hx-get]")
        ),
        (last, 0)
    );
    browser.is_quiet();
}

/// Feature row 33: an attempt that is refused says why, where it is waited for.
#[test]
fn an_attempt_that_is_refused_says_why() {
    let bench = Bench::new(&["--support-contact", "helpdesk@acme.example"]);
    let mut administrator = bench.enter();
    let body = serde_json::json!({ "schemas": [program::bench::USER], "userName": "jdoe" });
    assert_eq!(bench.send("POST", "/Users", &body).status, 400);
    let page = until(&mut administrator, "The last request was refused (400).");
    assert!(page.contains("userPrincipalName"), "{page}");
    // Feature row 65: who helps is named here, too.
    assert!(page.contains("helpdesk@acme.example"));
}

/// Feature rows 14, 71: without the permission there is no guide; without that to see tokens, nothing of one.
#[test]
fn the_guide_is_for_those_who_may_see_the_integration() {
    let bench = Bench::new(&[]);
    bench.run(&["role", "create", "acme", "Desk", "--allow", "users:read"]);
    bench.run(&["role", "create", "acme", "Look", "--allow", "integrations:read"]);
    let mut desk = bench.enter_as("desk@acme.example", "Desk");
    assert_eq!(desk.open(&format!("/o/acme/{WIZARD}")).status(), 403);
    let mut look = bench.enter_as("look@acme.example", "Look");
    let page = look.open(&format!("/o/acme/{WIZARD}"));
    assert_eq!(page.status(), 200);
    let last_four = &bench.token[bench.token.len() - 4..];
    assert!(!page.says(&format!("<code>{last_four}</code>")) && !page.says(&format!("Ends in {last_four}")));
    let mut administrator = bench.enter();
    let page = administrator.open(&format!("/o/acme/{WIZARD}"));
    assert!(page.says(&format!("Ends in {last_four}")));
    assert!(!page.says(&bench.token));
}

fn until(person: &mut Person<'_>, says: &str) -> String {
    let page = open_until(person, &format!("/o/acme/{WIZARD}?steps=all"), says);
    page.answer.text
}
