//! The words of the three products, where each has them, in the order in which it has them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use program::bench::{Bench, GROUP, texts};
use program::browser::Browser;
use serde_json::{Value, json};

/// Returns the page as one reads it from top to bottom: what is hidden or closed is not in it.
fn panel(browser: &mut Browser) -> String {
    browser.text("dialog.panel")
}

/// Checks that a text has these words, one after the other.
fn has_in_order(text: &str, words: &[&str]) {
    let mut rest = text;
    for word in words {
        let found = rest.split_once(word);
        assert!(
            found.is_some(),
            "{word:?} is missing, or not where it belongs: {text}"
        );
        rest = found.unwrap().1;
    }
}

/// Returns whether a line of a text is just this.
fn has_line(text: &str, line: &str) -> bool {
    text.lines().any(|found| found.trim() == line)
}

/// Takes the steps of a set-up, and returns the token that was shown on the way.
fn take_steps(browser: &mut Browser, steps: &Value) -> String {
    let mut token = String::new();
    for step in steps.as_array().unwrap() {
        let text = |name: &str| step[name].as_str();
        if let Some(name) = text("press") {
            browser.press_in("dialog.panel", name);
        } else if let Some(label) = text("tick") {
            browser.tick(label);
        } else if let Some(label) = text("choose") {
            browser.choose(label, text("option").unwrap());
        } else {
            browser.wait("dialog.panel", text("sees").unwrap());
            token = browser.text("#secret");
        }
    }
    token
}

/// Sets the integration up in the order of a product, and finds its words on the way.
fn set_up(name: &str, product_name: &str) {
    let products: Value = serde_json::from_str(include_str!("fixtures/words.json")).unwrap();
    let products = products.as_array().unwrap();
    let words = products.iter().find(|one| one["product"] == name).unwrap();
    let settings = ["--like", name];
    let bench = Bench::serving(&settings, &["--product-name", product_name]);
    bench.run(&["integration", "delete", "acme"]);
    let mut browser = bench.open_browser();
    let place = texts(&words["place"]);
    browser.press_in("nav", place.last().unwrap());
    has_in_order(&browser.text("main"), &place);
    browser.press(words["card"].as_str().unwrap());
    let title = format!("SCIM Integration for {product_name} Administrator Accounts");
    assert_eq!(browser.text("#panel-title"), format!("Create {title}"));
    has_in_order(&browser.text("[role=tablist]"), &texts(&words["tabs"]));
    let new = panel(&mut browser);
    has_in_order(&new, &texts(&words["new"]));
    for early in texts(&words["not_new"]) {
        assert!(!has_line(&new, early), "{early:?} comes too early: {new}");
    }
    let token = take_steps(&mut browser, &words["steps"]);
    browser.goto(&bench.url("/o/acme/integrations/scim"));
    assert_eq!(browser.text("#panel-title"), format!("Edit {title}"));
    let after = panel(&mut browser);
    has_in_order(&after, &texts(&words["after"]));
    has_in_order(&after, &texts(&words["told"]));
    let group = json!({ "schemas": [GROUP], "displayName": "Crew" });
    let sent = bench.server.acme(&token, "POST", "/Groups", &group);
    assert_eq!(sent.status, words["group"], "{}", sent.text);
    browser.click("#tab-mapping");
    has_in_order(&panel(&mut browser), &texts(&words["mapping"]));
    browser.is_quiet();
}

/// Feature rows 1, 2, 3, 4, 6, 9, 11, 18, 55: ThreatLocker's words, where it has them.
#[test]
fn the_words_of_threatlocker() {
    set_up("threatlocker", "ThreatLocker");
}

/// Feature rows 5, 12, 14: Level Access Platform's words, where it has them.
#[test]
fn the_words_of_level_access() {
    set_up("level-access", "Level Access Platform");
}

/// Feature rows 5, 8, 13, 14, 62: the third platform's words, where it has them.
#[test]
fn the_words_of_the_third_platform() {
    set_up("third-platform", "The Platform");
}
