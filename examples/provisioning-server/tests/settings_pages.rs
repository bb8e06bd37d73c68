//! The pages of how people sign in: Login Settings, the SAML integration, sign-ins that failed.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod program;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use program::bench::Bench;
use program::browser::Browser;
use program::identity_provider::{ISSUER, IdentityProvider, MetadataServer};
use program::person::{Page, Person, header};
use saml_rs::binding::deflate_raw_decode;
use serde_json::json;
use url::Url;

const SAML: &str = "/o/acme/integrations/saml";
const SETTINGS: &str = "/o/acme/login-settings";
const ACS: &str = "/portalApi/acme/AuthenticationSAML/AssertionConsumerService";
const NOOR: &str = "noor@acme.example";

/// Returns the text of a field that is there to be copied.
fn copied<'p>(page: &'p Page, id: &str) -> &'p str {
    page.between(&format!("id=\"{id}\" type=\"text\" readonly value=\""), "\"")
}

/// Configures the provider by its metadata as a file.
fn configure(person: &mut Person<'_>, provider: &IdentityProvider) -> Page {
    let metadata = provider.metadata(&["provider"]);
    person.submit(SAML, &[("source", "file"), ("metadata", &metadata)])
}

/// Returns the id of the request with which a path leads to the provider, and the state that comes back with the answer.
fn begin(person: &mut Person<'_>, path: &str) -> (String, String) {
    let answer = person.get(path);
    let url = Url::parse(header(&answer, "location").unwrap()).unwrap();
    let sent = |name: &str| {
        let sent = url.query_pairs().find(|(field, _)| field == name);
        sent.map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    let deflated = STANDARD.decode(sent("SAMLRequest")).unwrap();
    let xml = String::from_utf8(deflate_raw_decode(&deflated).unwrap()).unwrap();
    let (_, rest) = xml.split_once(" ID=\"").unwrap();
    (rest.split_once('"').unwrap().0.to_owned(), sent("RelayState"))
}

/// Tries a sign-in of Noor's, as the panel leads there.
fn try_out(person: &mut Person<'_>, provider: &IdentityProvider) {
    let panel = person.open(SAML);
    let made = person.submit(&format!("{SAML}/trial"), &[]);
    let link = made.between("<a class=\"btn btn-s\" href=\"", "\"").to_owned();
    let (request, state) = begin(person, &link);
    let asked = json!({
        "entity_id": copied(&panel, "entity"), "acs": copied(&panel, "acs"), "request": request,
        "name_id": NOOR, "stable_id": "x-noor",
    });
    let response = provider.answer("assertion", &asked);
    let tried = person.post_across(ACS, &[("SAMLResponse", &response), ("RelayState", &state)]);
    assert!(tried.text.contains("The trial has succeeded"), "{}", tried.text);
}

/// Feature rows 18, 21, 22, 23, 68: from metadata to single sign-on that is allowed, as the panel and Login Settings say.
#[test]
fn single_sign_on_is_configured_tried_and_allowed() {
    let (bench, provider) = (Bench::new(&[]), IdentityProvider::new());
    let mut ida = bench.enter();
    bench.hire(NOOR);
    let panel = ida.open(SAML);
    assert!(
        panel.says("Create SAML Integration") && panel.says("Not configured"),
        "{}",
        panel.answer.text
    );
    let acs = copied(&panel, "acs");
    assert!(acs.ends_with(ACS), "{acs}");
    let ours = ida.get(panel.between("href=\"/saml/", "\"").to_owned().as_str());
    assert_eq!(ours.status, 404, "the path is whole");
    let path = format!("/saml/{}", panel.between("href=\"/saml/", "\""));
    assert!(ida.get(&path).text.contains(acs), "the same as in the metadata");
    assert!(
        panel.says("<label for=\"acs\">Assertion</label>"),
        "as the product calls it"
    );

    let settings = ida.open(SETTINGS);
    assert!(
        settings.says("SAML is not configured"),
        "{}",
        settings.answer.text
    );
    let refused = ida.submit(
        SETTINGS,
        &[("first-login", "saml"), ("second-factor", "optional")],
    );
    assert!(
        refused.trouble().contains("SAML-enabled accounts need SAML"),
        "{}",
        refused.answer.text
    );

    let wrong = ida.submit(SAML, &[("source", "file"), ("metadata", "<b>no</b>")]);
    assert_eq!(wrong.status(), 422, "{}", wrong.answer.text);
    assert!(
        wrong.says("&#60;b&#62;no&#60;/b&#62;</textarea>"),
        "what was typed is still there"
    );
    let saved = configure(&mut ida, &provider);
    assert!(saved.says("Edit SAML Integration") && saved.says("Waiting for a trial sign-in"));
    assert!(
        saved.says(ISSUER) && saved.says("The SAML integration was saved."),
        "{}",
        saved.answer.text
    );
    let early = ida.submit(SETTINGS, &[("sso", "on"), ("first-login", "invitation")]);
    assert!(
        early.trouble().contains("once a trial sign-in has succeeded"),
        "{}",
        early.answer.text
    );

    try_out(&mut ida, &provider);
    assert!(ida.open(SAML).says("Configured, not allowed yet"));
    let allowed = ida.submit(SETTINGS, &[("sso", "on"), ("first-login", "saml")]);
    assert!(
        allowed.says("Login settings were saved.") && allowed.says("In force"),
        "{}",
        allowed.answer.text
    );
    assert!(ida.open(SAML).says("People sign in through it"));
    assert!(
        Person::new(&bench.server)
            .open("/o/acme/sign-in")
            .says("Sign in with single sign-on")
    );
    let audit = ida.open("/o/acme/audit?what=login.set");
    assert!(audit.says("sso: from “off” to “on”"), "{}", audit.answer.text);
    bench.is_sound();
}

/// Feature row 19b: a change of the first sign-in is for new people alone, or for all; then passwords end, after how many people
/// it concerns was read and confirmed.
#[test]
fn everybody_comes_by_saml_after_a_typed_confirmation() {
    let (bench, provider) = (Bench::new(&[]), IdentityProvider::new());
    let mut ida = bench.enter();
    bench.hire(NOOR);
    let link = bench.mailed("invitation", NOOR);
    let mut noor = Person::new(&bench.server);
    let password = [
        ("new", program::entering::PASSWORD),
        ("again", program::entering::PASSWORD),
    ];
    noor.submit(&link, &password);
    configure(&mut ida, &provider);
    try_out(&mut ida, &provider);
    let all = [("sso", "on"), ("first-login", "saml"), ("for", "all")];
    let asked = ida.submit(SETTINGS, &all);
    assert!(
        asked.says("1 person signs in at the identity provider alone from now on"),
        "{}",
        asked.answer.text
    );
    assert_eq!(
        bench.run(&["org", "show", "acme"])["settings"]["first_login"],
        "invitation",
        "nothing is changed yet"
    );
    let confirmed = [&all[..], &[("confirmed", "yes"), ("typed", "acm")]].concat();
    let refused = ida.submit(SETTINGS, &confirmed);
    assert!(refused.trouble().contains("\"acme\"") || refused.trouble().contains("&#34;acme&#34;"));
    assert_eq!(
        noor.open("/o/acme/account").heading(),
        "Sign-in and security",
        "her session is still there"
    );
    let confirmed = [&all[..], &[("confirmed", "yes"), ("typed", "acme")]].concat();
    let saved = ida.submit(SETTINGS, &confirmed);
    assert!(saved.says("Login settings were saved."), "{}", saved.answer.text);
    assert_eq!(
        noor.open("/o/acme/account").heading(),
        "Sign in",
        "her session has ended"
    );
    let name = [("name", NOOR), ("password", program::entering::PASSWORD)];
    assert_eq!(
        noor.submit("/o/acme/sign-in", &name).status(),
        422,
        "so has her password"
    );
    let shown = bench.run(&["user", "sign-in", "acme", NOOR]);
    assert_eq!(
        (&shown["first_login"], &shown["password"]),
        (&json!("saml"), &json!(null)),
        "{shown:#}"
    );
    assert_eq!(
        ida.open("/o/acme/account").status(),
        200,
        "manual accounts keep their password"
    );

    // And back: whoever has no password is mailed a link.
    bench.run(&[
        "org",
        "set",
        "acme",
        "--first-login",
        "invitation",
        "--for",
        "all",
    ]);
    let link = bench.mailed("reset-link", NOOR);
    assert_eq!(
        noor.submit(&link, &password).heading(),
        "You are signed in, but have no access yet"
    );
    bench.is_sound();
}

/// Feature row 19b: new people alone is what is meant where nothing else is said, and nobody is kept out by mistake.
#[test]
fn a_change_is_for_new_people_unless_it_is_said() {
    let bench = Bench::new(&[]);
    bench.hire(NOOR);
    let saved = bench
        .enter()
        .submit(SETTINGS, &[("first-login", "password-reset"), ("for", "new")]);
    assert!(saved.says("Login settings were saved."), "{}", saved.answer.text);
    let way = |name: &str| bench.run(&["user", "sign-in", "acme", name])["first_login"].clone();
    assert_eq!(way(NOOR), "invitation");
    bench.hire("omar@acme.example");
    assert_eq!(way("omar@acme.example"), "password-reset");
    let refused = bench.refused(&["org", "set", "acme", "--first-login", "saml", "--for", "all"]);
    assert!(refused.contains("SAML"), "{refused}");
    let preview = bench.run(&["org", "set", "acme", "--for", "all", "--preview"]);
    assert!(
        preview["notes"][0].as_str().unwrap().contains("Forgot password"),
        "{preview:#}"
    );
    bench.run(&["org", "set", "acme", "--for", "all"]);
    assert_eq!(way(NOOR), "password-reset");
    bench.is_sound();
}

/// Feature rows 21, 22, 93: metadata from a URL are read again, another certificate is accepted, and private addresses are
/// refused.
#[test]
fn metadata_come_from_a_url() {
    let provider = IdentityProvider::new();
    let served = MetadataServer::new(provider.metadata(&["provider"]));
    let bench = Bench::serving(&[], &["--fetch-from", "127.0.0.0/8"]);
    let mut ida = bench.enter();
    let refused = ida.submit(
        SAML,
        &[("source", "url"), ("metadata-url", "http://10.1.2.3/metadata")],
    );
    assert_eq!(refused.status(), 422, "{}", refused.answer.text);
    assert!(
        refused.says("value=\"http://10.1.2.3/metadata\""),
        "what was typed is still there"
    );
    let saved = ida.submit(SAML, &[("source", "url"), ("metadata-url", &served.url)]);
    assert!(saved.says("read from the URL on"), "{}", saved.answer.text);
    let certificates = |page: &Page| page.answer.text.matches("<th scope=\"row\"><code>").count();
    assert_eq!(certificates(&saved), 1);
    served.set(provider.metadata(&["next"]));
    let read = ida.submit(&format!("{SAML}/refresh"), &[]);
    assert!(
        read.says("The metadata were read again.") && certificates(&read) == 2,
        "{}",
        read.answer.text
    );
    assert!(read.says("Accepted until"), "the one before overlaps");
}

/// Feature rows 19b, 23b, 108: before the integration is deleted, it is said who is kept out, and the name is typed.
#[test]
fn the_integration_is_deleted_after_a_confirmation() {
    let (bench, provider) = (Bench::new(&[]), IdentityProvider::new());
    let mut ida = bench.enter();
    configure(&mut ida, &provider);
    let saved = ida.submit(SETTINGS, &[("first-login", "saml")]);
    assert!(saved.says("Login settings were saved."), "{}", saved.answer.text);
    bench.hire(NOOR);
    let delete = format!("{SAML}/delete");
    let asked = ida.open(&delete);
    assert!(
        asked.says("1 person signs in through it alone"),
        "{}",
        asked.answer.text
    );
    let refused = ida.submit(&delete, &[("typed", "acme")]);
    assert!(
        refused.trouble().contains("SAML-enabled accounts"),
        "{}",
        refused.answer.text
    );
    bench.run(&["org", "set", "acme", "--first-login", "invitation"]);
    let refused = ida.submit(&delete, &[("typed", "")]);
    assert_eq!(refused.status(), 422, "{}", refused.answer.text);
    let deleted = ida.submit(&delete, &[("typed", "acme")]);
    assert!(deleted.says("The SAML integration was deleted.") && deleted.says("Not configured"));
}

/// Feature row 102: whoever was refused reads a number out, under which the reason is found.
#[test]
fn a_refused_sign_in_is_found_by_its_number() {
    let (bench, provider) = (Bench::new(&[]), IdentityProvider::new());
    let mut ida = bench.enter();
    bench.hire(NOOR);
    configure(&mut ida, &provider);
    try_out(&mut ida, &provider);
    ida.submit(SETTINGS, &[("sso", "on"), ("first-login", "invitation")]);
    let path = format!("{SAML}/failures");
    assert!(ida.open(&path).says("No sign-in was refused"));
    let panel = ida.open(SAML);
    let mut noor = Person::new(&bench.server);
    let (request, state) = begin(&mut noor, "/o/acme/saml/start");
    let asked = json!({
        "entity_id": "https://another.example/", "acs": copied(&panel, "acs"), "request": request, "name_id": NOOR,
        "stable_id": "x-noor",
    });
    let response = provider.answer("assertion", &asked);
    let refused = noor.post_across(ACS, &[("SAMLResponse", &response), ("RelayState", &state)]);
    assert_eq!(refused.status, 403, "{}", refused.text);
    let listed = ida.open(&path);
    assert!(
        listed.says("https://another.example/") && !listed.says(NOOR),
        "masked: {}",
        listed.answer.text
    );
    let number = listed.between("number <code class=\"value\">", "</code>");
    assert!(refused.text.contains(number), "{}", refused.text);
    assert!(
        ida.open(&format!("{path}?reference={number}"))
            .says("The assertion is made for another service.")
    );
    assert!(
        ida.open(&format!("{path}?reference=00000000"))
            .says("No such number")
    );
}

/// Feature rows 23, 89, 90: who can sign in in which way is changed after a fresh confirmation, and seen by whoever may see it.
#[test]
fn settings_ask_for_a_fresh_confirmation() {
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    let required = [("first-login", "invitation"), ("second-factor", "required")];
    bench.place.execute("UPDATE session SET proved = 0");
    for path in [SETTINGS, SAML] {
        let page = ida.open(path);
        assert!(
            page.says("Confirm that it is you.") && page.says("/step-up?to="),
            "{}",
            page.answer.text
        );
        assert!(
            !page.says("type=\"submit\" form=\"saml\"") && !page.says(">Save</button>"),
            "{path}"
        );
    }
    assert!(
        ida.submit(SETTINGS, &required)
            .path
            .starts_with("/o/acme/step-up?to=login-settings")
    );
    let password = [("password", program::entering::PASSWORD)];
    let back = ida.submit("/o/acme/step-up?to=login-settings", &password);
    assert_eq!(back.heading(), "Login Settings");
    ida.submit(SETTINGS, &required);
    assert_eq!(
        bench.run(&["org", "show", "acme"])["settings"]["second_factor"],
        "required"
    );
    bench.run(&["org", "set", "acme", "--second-factor", "optional"]);
    bench.run(&["role", "create", "acme", "Reader", "--allow", "login:read"]);
    let mut reader = bench.enter_as("reader@acme.example", "Reader");
    for path in [SETTINGS, SAML] {
        let page = reader.open(path);
        assert!(page.says("and not change"), "{path}: {}", page.answer.text);
        assert_eq!(reader.post(path, &required).status, 403, "{path}");
    }
}

/// Feature row 22: without a script, the metadata are chosen as a file; a wrong file gets a sentence, and nothing of it stays
/// on the page.
#[test]
fn metadata_are_chosen_as_a_file_without_a_script() {
    let (bench, provider) = (Bench::new(&[]), IdentityProvider::new());
    let mut browser = Browser::open();
    browser.anew(false);
    browser.continues(&bench.enter(), bench.server.address());
    browser.goto(&bench.url(SAML));
    browser.upload("Metadata file", "logo.png", "\u{89}PNG\r\n\u{1a}\n");
    browser.press("Save");
    let trouble = browser.text("[role=alert] p");
    assert!(
        trouble.contains("are not valid metadata of an identity provider: they are not XML"),
        "{trouble}"
    );
    assert_eq!(browser.text("#metadata"), "");
    browser.upload("Metadata file", "metadata.xml", &provider.metadata(&["provider"]));
    browser.press("Save");
    assert_eq!(browser.text("#panel-title"), "Edit SAML Integration");
    assert!(browser.text("dialog.panel").contains(ISSUER));
    browser.is_quiet();
}

/// Feature rows 18, 22: the panel lies over the list of integrations, as that of SCIM does.
#[test]
fn the_panel_lies_over_the_list_of_integrations() {
    let bench = Bench::new(&["--idp", "okta"]);
    bench.hire(NOOR);
    let mut ida = bench.enter();
    for path in [SAML, "/o/acme/integrations/scim"] {
        let panel = ida.open(path);
        for shown in [
            "<div id=\"shell\" inert>",
            "People and groups come from Okta.",
            "href=\"/o/acme/integrations/saml\">SAML</a>",
            "<dialog class=\"panel\" open",
        ] {
            assert!(panel.says(shown), "{path}: {shown}: {}", panel.answer.text);
        }
    }
}

/// Feature rows 18, 22: in a browser, the ACS is copied, a file is read, and changes that are not saved are pointed out.
#[test]
fn the_panel_works_in_a_browser() {
    let (bench, provider) = (Bench::new(&[]), IdentityProvider::new());
    let mut browser = bench.open_browser();
    browser.goto(&bench.url(SAML));
    browser.press("Copy Assertion");
    assert!(browser.clipboard().ends_with(ACS));
    assert_eq!(browser.count("[data-unsaved]:not([hidden])"), 0);
    browser.fill("Metadata (XML)", &provider.metadata(&["provider"]));
    assert_eq!(browser.count("[data-unsaved]:not([hidden])"), 1);
    browser.tick("From a file");
    browser.press("Save");
    browser.wait("dialog.panel", "Edit SAML Integration");
    browser.press("Test sign-in");
    browser.wait("#trial", "The trial is ready.");
    browser.is_quiet();
}
