//! The pages of integrations: their list, and the settings of SCIM.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use program::bench::Bench;
use program::entering::PASSWORD;
use program::person::{Page, Person, open_until};

const LIST: &str = "/o/acme/integrations";
const PANEL: &str = "/o/acme/integrations/scim";
const TOKEN: &str = "/o/acme/integrations/scim/token";

/// Makes an organization with these settings whose integration is still to be set up.
fn unconnected(settings: &[&str]) -> Bench {
    let bench = Bench::new(settings);
    bench.run(&["integration", "delete", "acme"]);
    bench
}

/// Returns the token that a page shows.
fn secret(page: &Page) -> String {
    assert_eq!(page.status(), 200, "{}", page.answer.text);
    page.between("<code id=\"secret\" tabindex=\"0\">", "</code>")
        .to_owned()
}

/// Returns the id of the newest token, as the form has it.
fn newest(page: &Page) -> String {
    page.between("name=\"newest\" value=\"", "\"").to_owned()
}

fn generate(person: &mut Person<'_>) -> Page {
    let page = person.open(PANEL);
    let newest = newest(&page);
    person.submit(TOKEN, &[("how", "generate"), ("newest", &newest), ("days", "")])
}

fn status(bench: &Bench, token: &str) -> u16 {
    bench.server.scim("acme", token).status
}

/// Feature rows 2, 4, 6, 9, 10, 12: a token is made first and shown once; then there is a switch, which is off until it is
/// saved; the panel is created before and edited after.
#[test]
fn a_token_comes_first_and_is_shown_once() {
    let bench = unconnected(&[]);
    let mut ida = bench.enter();
    let page = ida.open(PANEL);
    assert!(page.says("Create SCIM Integration for Provisioning Administrator Accounts"));
    assert!(page.says("/scim/acme/v2\"") && page.says(">API Url<"));
    assert!(
        !page.says("name=\"enabled\"") && !page.says("Enabled"),
        "too early"
    );
    let made = generate(&mut ida);
    let token = secret(&made);
    assert!(made.says("name=\"enabled\"") && made.says("it is not shown again"));
    assert!(made.answer.head.contains("cache-control: no-store"));
    assert_eq!(status(&bench, &token), 403, "off until it is saved");
    let again = ida.open(PANEL);
    let ending = &token[token.len() - 4..];
    assert!(!again.says(&token) && again.says(ending) && again.says("Create SCIM"));
    let saved = ida.submit(PANEL, &[("has-switch", "yes"), ("enabled", "on")]);
    assert_eq!(saved.path, PANEL);
    assert!(saved.says("The settings were saved.") && saved.says("Edit SCIM Integration for"));
    assert_eq!(status(&bench, &token), 200);
    open_until(&mut ida, PANEL, "last request ");
    let off = ida.submit(PANEL, &[("has-switch", "yes")]);
    assert!(off.says("Edit SCIM"), "{}", off.answer.text);
    assert_eq!((status(&bench, &token), status(&bench, "scimp_x")), (403, 401));
    bench.is_sound();
}

/// Feature rows 7, 8, 72: another token ends the present one, after that was said; with an overlap both work until the
/// rotation is completed or cancelled; and a form that is sent twice makes one token.
#[test]
fn another_token_is_made_after_the_consequence_was_said() {
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    let asked = ida.open("/o/acme/integrations/scim/token/generate");
    let ending = bench.token[bench.token.len() - 4..].to_owned();
    assert_eq!(asked.heading(), "Make a new API Token?");
    assert!(asked.says(&format!("ending {ending} stops working at once")));
    let fields = [("how", "generate"), ("newest", &newest(&asked))];
    let first = secret(&ida.submit(TOKEN, &fields));
    assert_eq!((status(&bench, &bench.token), status(&bench, &first)), (401, 200));
    let twice = ida.submit(TOKEN, &fields);
    assert_eq!(twice.status(), 422);
    assert!(twice.says("Another token was made or revoked meanwhile"));
    assert_eq!(status(&bench, &first), 200);

    for (step, ends_new) in [("complete", false), ("cancel", true)] {
        let old = secret(&generate(&mut ida));
        let asked = ida.open("/o/acme/integrations/scim/token/overlap");
        let fields = [("how", "overlap"), ("newest", &newest(&asked))];
        let new = secret(&ida.submit(TOKEN, &fields));
        assert_eq!((status(&bench, &old), status(&bench, &new)), (200, 200));
        assert!(ida.open(PANEL).says("Rotation is under way"));
        let asked = ida.open(&format!("/o/acme/integrations/scim/token/{step}"));
        assert!(asked.says(if ends_new {
            &new[new.len() - 4..]
        } else {
            &old[old.len() - 4..]
        }));
        let done = ida.submit(TOKEN, &[("how", step)]);
        assert_eq!(done.path, PANEL);
        let expected = if ends_new { (200, 401) } else { (401, 200) };
        assert_eq!((status(&bench, &old), status(&bench, &new)), expected, "{step}");
    }
}

/// Feature rows 7, 73: a token is revoked after the consequence was said, and one that expires says when.
#[test]
fn a_token_is_revoked_and_expires() {
    let bench = unconnected(&[]);
    let mut ida = bench.enter();
    let made = ida.submit(TOKEN, &[("how", "generate"), ("newest", ""), ("days", "90")]);
    let token = secret(&made);
    assert!(made.says("Expires on "), "{}", made.answer.text);
    let id = newest(&ida.open(PANEL));
    let path = format!("{TOKEN}/{id}/revoke");
    let asked = ida.open(&path);
    assert!(
        asked.says("nothing is provisioned until you make another"),
        "{}",
        asked.answer.text
    );
    assert_eq!(ida.submit(&path, &[]).path, PANEL);
    assert_eq!(status(&bench, &token), 401);
    assert_eq!(ida.submit(&path, &[]).status(), 404);
}

/// Feature rows 12, 14: where activation comes first, the URL and the key are made after it.
#[test]
fn activation_can_come_first() {
    let bench = unconnected(&["--like", "level-access", "--idp", "okta"]);
    let mut ida = bench.enter();
    let page = ida.open(PANEL);
    assert!(page.says("Activate SCIM in our platform"));
    assert!(!page.says(">SCIM URL<") && !page.says("type=\"submit\" form=\"token-form\""));
    let early = ida.submit(TOKEN, &[("how", "generate"), ("newest", "")]);
    assert_eq!(early.status(), 422);
    assert!(early.says("activate it first"));
    let active = ida.submit(PANEL, &[("has-switch", "yes"), ("enabled", "on")]);
    assert!(active.says("Generate SCIM URL and API"), "{}", active.answer.text);
    let made = generate(&mut ida);
    assert!(made.says(">SCIM URL<") && made.says("SCIM API key"));
    assert_eq!(status(&bench, &secret(&made)), 200);
}

/// Feature row 13: where saving makes the key, the first save shows it and later ones never do.
#[test]
fn saving_can_make_the_key() {
    let bench = unconnected(&["--like", "third-platform"]);
    let mut ida = bench.enter();
    let page = ida.open(PANEL);
    assert!(page.says("press Save") && !page.says(">SCIM URI<") && !page.says("name=\"enabled\""));
    let saved = ida.submit(PANEL, &[("idp", "jumpcloud")]);
    let key = secret(&saved);
    assert!(saved.says("SCIM URI") && saved.says("Rotate API Key") && saved.says("JumpCloud calls it"));
    let again = ida.submit(
        PANEL,
        &[("idp", "okta"), ("has-switch", "yes"), ("enabled", "on")],
    );
    assert!(!again.says("id=\"secret\"") && again.says("Okta calls it"));
    assert_eq!(status(&bench, &key), 200);
    assert_eq!(bench.run(&["org", "show", "acme"])["settings"]["idp"], "okta");
}

/// Feature rows 11, 32, 62, 108: what a change does to what is there is said before it is saved; what cannot be undone asks
/// for the organization's name.
#[test]
fn a_change_with_consequences_is_confirmed() {
    let bench = Bench::new(&[]);
    bench.user("ada@acme.example");
    bench.group("Crew", &[]);
    let mut ida = bench.enter();
    let fields = [("attributes", "mapped"), ("groups", "mirror")];
    let asked = ida.submit(PANEL, &fields);
    assert_eq!(asked.heading(), "Save these settings?");
    assert!(asked.says("erased at once, of 1 person") && asked.says("Each group becomes a role of its own"));
    assert_eq!(bench.run(&["org", "show", "acme"])["settings"]["groups"], "map");
    let confirmed = [&fields[..], &[("confirmed", "yes"), ("typed", "acm")]].concat();
    let refused = ida.submit(PANEL, &confirmed);
    assert_eq!(refused.status(), 422);
    assert!(
        refused.trouble().contains("Confirm it with the name"),
        "{}",
        refused.trouble()
    );
    let confirmed = [&fields[..], &[("confirmed", "yes"), ("typed", "acme")]].concat();
    assert!(ida.submit(PANEL, &confirmed).says("The settings were saved."));
    let settings = bench.run(&["org", "show", "acme"])["settings"].clone();
    assert_eq!(
        (&settings["groups"], &settings["attributes"]),
        (&"mirror".into(), &"mapped".into())
    );
}

/// Feature rows 11, 65, 75: what does not fit is marked with what was typed, and nothing is saved.
#[test]
fn what_does_not_fit_is_marked() {
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    let refused = ida.submit(
        PANEL,
        &[("history-days", "0"), ("support-contact", "help@acme.example")],
    );
    assert_eq!(refused.status(), 422);
    assert!(refused.trouble().contains("Nothing was saved"));
    assert!(refused.says("value=\"0\"") && refused.says("expected 1 to 3650"));
    assert!(refused.says("value=\"help@acme.example\""));
    let saved = ida.submit(
        PANEL,
        &[("history-days", "30"), ("support-contact", "help@acme.example")],
    );
    assert!(saved.says("Support: help@acme.example"), "{}", saved.answer.text);
    assert_eq!(
        bench.run(&["org", "show", "acme"])["settings"]["history_days"],
        30
    );
}

/// Feature rows 18, 19, 25: SAML-enabled accounts need SAML, also where somebody sends the form by hand; SCIM needs none.
#[test]
fn saml_enabled_accounts_need_saml() {
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    let page = ida.open(PANEL);
    assert!(page.says("Admin Login Settings") && page.says("SAML is not configured yet. Configure it first"));
    assert!(page.says("value=\"saml\" disabled"), "{}", page.answer.text);
    let refused = ida.submit(PANEL, &[("first-login", "saml")]);
    assert_eq!(refused.status(), 422);
    assert!(refused.trouble().contains("need SAML"), "{}", refused.trouble());
    let saved = ida.submit(PANEL, &[("first-login", "password-reset")]);
    assert!(saved.says("The settings were saved."));
    assert_eq!(status(&bench, &bench.token), 200);
}

/// Feature row 63: the end of the integration asks for the organization's name, and what becomes of people.
#[test]
fn the_end_of_the_integration_asks_what_becomes_of_people() {
    let bench = Bench::new(&[]);
    bench.user("ada@acme.example");
    let mut ida = bench.enter();
    let path = "/o/acme/integrations/scim/delete";
    assert!(ida.open(path).says("1 active person is"));
    let refused = ida.submit(path, &[("people", "detach"), ("typed", "other")]);
    assert_eq!(refused.status(), 422);
    assert!(refused.says("value=\"detach\" checked"));
    assert_eq!(status(&bench, &bench.token), 200);
    let deleted = ida.submit(path, &[("people", "detach"), ("typed", "acme")]);
    assert_eq!(deleted.path, LIST);
    assert_eq!(status(&bench, &bench.token), 404);
    let listed = bench.run(&["user", "list", "acme"]);
    let users = listed["users"].as_array().unwrap();
    let ada = users
        .iter()
        .find(|user| user["name"] == "ada@acme.example")
        .unwrap();
    assert_eq!(ada["managed_by"], "hand", "{ada}");
    bench.is_sound();
}

/// Feature rows 14, 15: without the permission there is no link and no page; a reader has no buttons, and what they send is
/// refused; the panel of another organization is not theirs.
#[test]
fn whoever_may_not_change_integrations_cannot() {
    let bench = Bench::new(&[]);
    bench.run(&["org", "create", "other"]);
    bench.run(&[
        "role",
        "create",
        "acme",
        "Looker",
        "--allow",
        "integrations:read",
        "--allow",
        "tokens:read",
    ]);
    bench.run(&["role", "create", "acme", "Desk", "--allow", "users:read"]);
    let mut reader = bench.enter_as("rea@acme.example", "Looker");
    let page = reader.open(PANEL);
    assert_eq!(page.status(), 200);
    assert!(page.says("In use") || page.says("Waiting for first use"));
    for button in [
        "Save<",
        "Revoke",
        "Rotate with overlap",
        "Generate API Token",
        "Delete integration",
    ] {
        assert!(!page.says(button), "{button}");
    }
    assert!(
        page.says("name=\"idp\" disabled") && page.says("name=\"enabled\" value=\"on\" checked disabled")
    );
    assert!(!page.says("id=\"tab-mapping\"") && !page.says("id=\"tab-history\""));
    let mut stranger = bench.enter_as("dee@acme.example", "Desk");
    assert!(!stranger.open("/o/acme/").says(LIST));
    let forms: &[(&str, &[(&str, &str)])] = &[
        (PANEL, &[("has-switch", "yes")]),
        (PANEL, &[("idp", "okta")]),
        (TOKEN, &[("how", "generate"), ("newest", "")]),
        (TOKEN, &[("how", "complete")]),
        ("/o/acme/integrations/scim/delete", &[("typed", "acme")]),
    ];
    for (path, fields) in forms {
        assert_eq!(stranger.post(path, fields).status, 403, "{path} {fields:?}");
        assert_eq!(reader.post(path, fields).status, 403, "{path} {fields:?}");
        assert_eq!(stranger.post_across(path, fields).status, 403);
    }
    for path in [LIST, PANEL] {
        assert_eq!(stranger.open(path).status(), 403, "{path}");
    }
    assert_eq!(
        status(&bench, &bench.token),
        200,
        "nobody may have switched it off"
    );
    assert_eq!(
        reader.open("/o/other/integrations/scim").path,
        "/o/other/sign-in?to=integrations/scim"
    );
}

/// Feature rows 1, 2, 3, 4: the list is searched while one types; the panel takes the focus, is left by Esc, has tabs with
/// links of their own, and its URL and token are copied.
#[test]
fn the_panel_in_a_browser() {
    let bench = unconnected(&[]);
    let mut browser = bench.open_browser();
    browser.press_in("nav", "Integrations");
    browser.type_into("Search integrations", "SC");
    browser.wait("#integration-results", "1 integration");
    assert_eq!(browser.count("#integration-results article"), 1);
    browser.type_into("Search integrations", "zz");
    browser.wait("#integration-results", "Nothing matches “SCzz”");
    browser.press("Show all integrations");
    browser.press("SCIM");
    assert_eq!(browser.text(":focus"), browser.text("#panel-title"));
    assert_eq!(browser.text("[role=tab][aria-selected=true]"), "SCIM Settings");
    assert_eq!(browser.count("#shell[inert]"), 1);
    browser.key("Escape");
    assert_eq!(browser.count("[role=tab]"), 0);
    browser.press("SCIM");
    browser.press("Copy API Url");
    assert_eq!(browser.clipboard(), bench.url("/scim/acme/v2"));
    browser.press("Generate API Token");
    let shown = browser.text("#secret");
    browser.press("Copy API Token");
    assert_eq!(browser.clipboard(), shown);
    assert_eq!(browser.count("[data-unsaved]:not([hidden])"), 0);
    browser.tick("Enabled");
    assert_eq!(browser.count("[data-unsaved]:not([hidden])"), 1);
    browser.press("Save");
    browser.wait(".toast", "The settings were saved.");
    assert!(
        browser
            .text("#panel-title")
            .starts_with("Edit SCIM Integration for")
    );
    bench.server.scim("acme", &shown);
    browser.wait("#scim-connection", "Connected");
    browser.is_quiet();
}

/// Feature rows 7, 11, 87, 90: what asks for a fresh confirmation leads to it before anything is typed, and a form that was
/// filled in is not lost by it.
#[test]
fn settings_outlive_a_confirmation() {
    let bench = Bench::new(&[]);
    let mut ida = bench.enter();
    bench.place.execute("UPDATE session SET proved = 0");
    for page in ["token/generate", "token/overlap", "delete"] {
        let asked = ida.open(&format!("{PANEL}/{page}"));
        assert_eq!(asked.path, format!("/o/acme/step-up?to=integrations/scim/{page}"));
    }
    let fields = [
        ("first-login", "password-reset"),
        ("support-contact", "help@acme.example"),
    ];
    let asked = ida.submit(PANEL, &fields);
    assert_eq!(asked.status(), 422);
    assert!(asked.says("Nothing is saved yet.") && asked.says("value=\"help@acme.example\""));
    assert!(
        asked.says("value=\"password-reset\" checked"),
        "{}",
        asked.answer.text
    );
    assert_eq!(
        bench.run(&["org", "show", "acme"])["settings"]["first_login"],
        "invitation"
    );
    let back = ida.submit("/o/acme/step-up?to=integrations/scim", &[("password", PASSWORD)]);
    assert_eq!(back.path, PANEL);
    assert!(ida.submit(PANEL, &fields).says("The settings were saved."));
    assert_eq!(
        bench.run(&["org", "show", "acme"])["settings"]["first_login"],
        "password-reset"
    );
}
