//! The pages of the product: what all of them have in common.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use program::browser::Browser;
use program::{Answer, Place};

/// Returns the value of a header, in lower case.
fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let mut lines = answer.head.lines();
    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// Returns the paths of the assets that a page names.
fn assets(page: &str) -> Vec<&str> {
    let parts = page.split('"');
    parts.filter(|part| part.starts_with("/assets/")).collect()
}

/// OWASP's cheat sheet on HTTP headers: an answer of the portal runs nothing that is not ours, stands in no frame, and is
/// not kept; whether it is a page, an asset or a refusal.
#[test]
fn every_answer_tells_the_browser_how_little_it_may_do() {
    let place = Place::new();
    place.json(&["org", "create", "acme"]);
    let server = place.serve(&[]);
    let page = server.get("/?organization=none", &[]);
    let style = assets(&page.text)[1].to_owned();
    for path in [
        "/?organization=none",
        "/o/acme/nothing/here",
        "/instance/nothing",
        "/assets/nothing",
        &style,
    ] {
        let answer = server.get(path, &[]);
        let policy = header(&answer, "content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(header(&answer, "x-content-type-options"), Some("nosniff"));
        assert_eq!(header(&answer, "referrer-policy"), Some("same-origin"));
        assert_eq!(header(&answer, "cross-origin-opener-policy"), Some("same-origin"));
        // The server is reached by http.
        assert_eq!(header(&answer, "strict-transport-security"), None);
        let kept = header(&answer, "cache-control").unwrap();
        match path == style {
            true => assert_eq!(kept, "public, max-age=31536000, immutable"),
            false => assert_eq!(kept, "no-store"),
        }
    }
}

/// RFC 6797: once a browser came by https, it comes by nothing else.
#[test]
fn behind_an_https_url_browsers_are_told_to_stay_there() {
    let place = Place::new();
    let server = place.serve(&["--public-url", "https://scim.example.com"]);
    let answer = server.get("/o/default/nothing", &[]);
    assert_eq!(
        header(&answer, "strict-transport-security"),
        Some("max-age=63072000")
    );
}

/// A page that is not there looks the same whether the organization exists.
#[test]
fn what_is_not_there_has_one_page() {
    let place = Place::new();
    place.json(&["org", "create", "acme"]);
    let server = place.serve(&[]);
    let known = server.get("/o/acme/nothing", &[]);
    let foreign = server.get("/o/other/nothing", &[]);
    assert_eq!((known.status, foreign.status), (404, 404));
    assert_eq!(known.text, foreign.text);
    assert!(
        known.text.contains("<h1>There is nothing here</h1>"),
        "{}",
        known.text
    );
    assert!(header(&known, "content-type").unwrap().starts_with("text/html"));
}

/// The only organization needs no choice; of several, one is asked for by its name.
#[test]
fn the_start_leads_to_the_sign_in_of_an_organization() {
    let place = Place::new();
    let first = place.serve(&[]);
    assert_eq!(
        header(&first.get("/", &[]), "location"),
        Some("/o/default/sign-in")
    );
    first.terminate();
    place.json(&["org", "create", "acme", "--display", "Acme & Sons"]);
    let server = place.serve(&[]);
    assert_eq!(server.get("/", &[]).status, 200);
    for asked in ["acme", "+ACME+", "acme+%26+sons"] {
        let answer = server.get(&format!("/?organization={asked}"), &[]);
        assert_eq!(
            (answer.status, header(&answer, "location")),
            (303, Some("/o/acme/sign-in"))
        );
    }
    let unknown = server.get("/?organization=%3Cb%3E", &[]);
    assert_eq!(unknown.status, 404);
    assert!(unknown.text.contains("No organization here is called so."));
    assert!(unknown.text.contains("value=\"&#60;b&#62;\""), "{}", unknown.text);
}

/// OWASP's cheat sheet on cross-site request forgery: a form is taken from a page of this server alone.
#[test]
fn a_form_of_another_site_is_refused() {
    let place = Place::new();
    let server = place.serve(&["--public-url", "https://scim.example.com"]);
    for foreign in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let refused = server.send("POST", "/", &[foreign], "");
        assert_eq!(refused.status, 403, "{foreign:?}");
        assert!(
            refused.text.contains("This form came from another site"),
            "{}",
            refused.text
        );
    }
    // The path takes no form; that it is said means that the form came through.
    for own in [
        ("sec-fetch-site", "same-origin"),
        ("origin", "https://scim.example.com"),
        ("x-other", "a script of one's own"),
    ] {
        let answer = server.send("POST", "/", &[own], "");
        assert_eq!(
            (answer.status, header(&answer, "allow")),
            (405, Some("get,head")),
            "{own:?}"
        );
        assert!(
            answer.text.contains("<h1>There is nothing here</h1>"),
            "{}",
            answer.text
        );
    }
}

/// RFC 9110 section 8.4: assets come in gzip to those who take it.
#[test]
fn assets_have_names_of_their_content() {
    let place = Place::new();
    let server = place.serve(&[]);
    let page = server.get("/?organization=none", &[]);
    let assets = assets(&page.text);
    assert_eq!(assets.len(), 3, "{assets:?}");
    for path in assets {
        let plain = server.get(path, &[]);
        assert_eq!((plain.status, header(&plain, "content-encoding")), (200, None));
        assert_eq!(header(&plain, "vary"), Some("accept-encoding"));
        let asked = server.send("HEAD", path, &[("accept-encoding", "br, gzip")], "");
        assert_eq!(
            (asked.status, header(&asked, "content-encoding")),
            (200, Some("gzip"))
        );
        let length = |answer: &Answer| {
            header(answer, "content-length")
                .unwrap()
                .parse::<usize>()
                .unwrap()
        };
        assert!(length(&asked) < length(&plain), "{path}");
    }
}

/// The promises of all pages, in a real browser.
#[test]
fn pages_of_the_start_keep_what_all_pages_promise() {
    let place = Place::new();
    place.json(&["org", "create", "acme"]);
    place.json(&["org", "create", "other"]);
    let server = place.serve(&[]);
    let start = format!("http://{}/", server.address());
    let mut browser = Browser::open();
    browser.goto(&start);
    browser.inspect("entrance");
    browser.fill("Organization", "no such");
    browser.press("Continue");
    browser.inspect("entrance-unknown");
    browser.goto(&format!("{start}o/acme/nothing"));
    browser.inspect("not-found");
    for javascript in [true, false] {
        browser.anew(javascript);
        browser.goto(&start);
        browser.fill("Organization", "other");
        browser.press("Continue");
        assert_eq!(browser.path(), "/o/other/sign-in");
    }
}
