//! Sign-in by SAML, with answers of an independent identity provider, through the running server.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use program::identity_provider::IdentityProvider;
use program::person::{Person, header};
use program::{Answer, Place, Server};
use saml_rs::binding::deflate_raw_decode;
use serde_json::{Value, json};
use url::Url;

/// The URL at which browsers reach the servers, however many there are.
const PUBLIC: &str = "http://scim.example";
const ADA: &str = "ada@x.example.evil.example";
const ACS: &str = "/portalApi/acme/AuthenticationSAML/AssertionConsumerService";
const SESSION: &str = "o-acme";

/// An organization whose people sign in at an identity provider.
struct Bench {
    place: Place,
    server: Server,
    provider: IdentityProvider,
    token: String,
}

impl Bench {
    /// Makes one that is ready, with Ada in it.
    fn new() -> Self {
        let bench = Self::untried();
        bench.hire(ADA, "x-ada");
        bench.try_out(&bench.server, "acme");
        bench.run(&["org", "set", "acme", "--sso", "on"]);
        bench
    }

    /// Makes one whose provider is known, and no more.
    fn untried() -> Self {
        let place = Place::new();
        let created = place.json(&["org", "create", "acme"]);
        Self::on(place, &created["token"])
    }

    /// Makes the same on a database that has the organization and a token.
    fn on(place: Place, token: &Value) -> Self {
        let bench = Self {
            server: place.serve(&["--public-url", PUBLIC]),
            token: token.as_str().unwrap().to_owned(),
            place,
            provider: IdentityProvider::new(),
        };
        bench.set_metadata("acme", &["provider"], &["--stable-id-attribute", "externalId"]);
        bench
    }

    fn run(&self, arguments: &[&str]) -> Value {
        self.place.json(&[arguments, &["--public-url", PUBLIC]].concat())
    }

    fn set_metadata(&self, organization: &str, keys: &[&str], more: &[&str]) -> Value {
        let file = self.place.file("metadata.xml", &self.provider.metadata(keys));
        self.run(&[&["saml", "set", organization, "--metadata", &file], more].concat())
    }

    /// Provisions a person, and answers with the id.
    fn hire(&self, name: &str, external_id: &str) -> String {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, "externalId": external_id,
        });
        let answer = self.server.acme(&self.token, "POST", "/Users", &body);
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.body["id"].as_str().unwrap().to_owned()
    }

    fn change(&self, id: &str, path: &str, value: &Value) -> Answer {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "replace", "path": path, "value": value }],
        });
        self.server
            .acme(&self.token, "PATCH", &format!("/Users/{id}"), &body)
    }

    /// Returns the request to the provider for an answer to an organization.
    fn asked(&self, organization: &str, request: Option<&str>) -> Value {
        let service = self.run(&["saml", "show", organization])["service"].clone();
        json!({
            "entity_id": service["entity_id"], "acs": service["acs_url"], "request": request,
            "name_id": ADA, "stable_id": "x-ada",
        })
    }

    fn answer(&self, case: &str, request: Option<&str>, changes: &Value) -> String {
        self.answer_to("acme", case, request, changes)
    }

    /// Answers to one request: cases, each with what is other for it.
    fn answers(&self, request: Option<&str>, many: &[(&str, Value)]) -> Vec<String> {
        self.provider.answers(&self.asked("acme", request), many)
    }

    fn answer_to(&self, organization: &str, case: &str, request: Option<&str>, changes: &Value) -> String {
        let mut asked = self.asked(organization, request);
        asked
            .as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        self.provider.answer(case, &asked)
    }

    /// Tries a sign-in, so that it can be allowed.
    fn try_out(&self, server: &Server, organization: &str) {
        self.try_out_with(server, organization, &json!({}));
    }

    /// Tries it in the same way, with what is other about the person.
    fn try_out_with(&self, server: &Server, organization: &str, changes: &Value) {
        let url = self.run(&["saml", "trial", organization])["url"]
            .as_str()
            .unwrap()
            .to_owned();
        let mut admin = Person::new(server);
        let begun = begin(&mut admin, url.strip_prefix(PUBLIC).unwrap());
        let answer = self.answer_to(organization, "assertion", Some(&begun.request), changes);
        let acs = format!("/portalApi/{organization}/AuthenticationSAML/AssertionConsumerService");
        let page = admin.post_across(
            &acs,
            &[("SAMLResponse", &answer), ("RelayState", &begun.relay_state)],
        );
        assert_eq!(page.status, 200, "{}", page.text);
        let name = changes["name_id"].as_str().unwrap_or(ADA).replace('\'', "&#39;");
        assert!(
            page.text.contains("The trial has succeeded") && page.text.contains(&name),
            "{}",
            page.text
        );
        assert!(!has_session(&admin), "a trial signs nobody in");
    }

    /// Returns the last refusal that an administrator sees.
    fn last_failure(&self) -> Value {
        self.run(&["saml", "failures", "acme", "--limit", "1"])["failures"][0].clone()
    }

    /// Checks that an answer lets nobody in, and that an administrator sees why.
    fn refuses(&self, person: &mut Person<'_>, response: &str, refusal: &str, what: &str) {
        let page = person.post_across(ACS, &[("SAMLResponse", response)]);
        assert_eq!(page.status, 403, "{what}: {}", page.text);
        assert!(page.text.contains("did not work"), "{what}: {}", page.text);
        assert!(!has_session(person), "{what}");
        let failure = self.last_failure();
        assert_eq!(failure["refusal"], refusal, "{what}: {failure:#}");
        let reference = failure["reference"].as_str().unwrap();
        assert!(page.text.contains(reference), "{what}: {}", page.text);
        // Nothing of the reason is told to whoever may be an attacker.
        for told in ["found", "remedy"] {
            assert!(!page.text.contains(failure[told].as_str().unwrap()), "{what}");
        }
    }
}

/// A sign-in that has begun.
struct Begun {
    request: String,
    relay_state: String,
}

/// Begins a sign-in, and reads what the provider is sent.
fn begin(person: &mut Person<'_>, path: &str) -> Begun {
    let answer = person.get(path);
    assert_eq!(answer.status, 303, "{}", answer.text);
    let url = Url::parse(header(&answer, "location").unwrap()).unwrap();
    assert!(url.as_str().starts_with("https://provider.example/sso?"), "{url}");
    let field = |name: &str| {
        url.query_pairs()
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.into_owned())
    };
    let deflated = STANDARD.decode(field("SAMLRequest").unwrap()).unwrap();
    let xml = String::from_utf8(deflate_raw_decode(&deflated).unwrap()).unwrap();
    let (_, rest) = xml.split_once(" ID=\"").unwrap();
    Begun {
        request: rest.split_once('"').unwrap().0.to_owned(),
        relay_state: field("RelayState").unwrap_or_default(),
    }
}

fn has_session(person: &Person<'_>) -> bool {
    person.cookies.iter().any(|(name, _)| name == SESSION)
}

fn relay<'f>(response: &'f str, state: &'f str) -> [(&'static str, &'f str); 2] {
    [("SAMLResponse", response), ("RelayState", state)]
}

/// Feature rows 21, 23: whoever has signed in at the provider comes to the page that they had asked for, signed in.
#[test]
fn a_good_answer_signs_in() {
    let bench = Bench::new();
    let mut ada = Person::new(&bench.server);
    assert!(ada.open("/o/acme/sign-in").says("Sign in with single sign-on"));
    let begun = begin(&mut ada, "/o/acme/saml/start?to=account");
    let response = bench.answer("assertion", Some(&begun.request), &json!({}));
    let answer = ada.post_across(ACS, &relay(&response, &begun.relay_state));
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert_eq!(header(&answer, "location"), Some("/o/acme/account"));
    assert!(has_session(&ada));
    let page = ada.open("/o/acme/account");
    assert_eq!(page.heading(), "Sign-in and security");
    let shown = bench.run(&["user", "sign-in", "acme", ADA]);
    assert_eq!(shown["sessions"][0]["way"], "saml", "{shown:#}");
    let failures = bench.run(&["saml", "failures", "acme"]);
    assert_eq!(failures["failures"], json!([]));
}

/// Feature row 21: the name of the person is compared ignoring case, and a signature of the response beside the assertion's
/// makes no difference.
#[test]
fn the_address_is_compared_ignoring_case() {
    let bench = Bench::new();
    let mut ada = Person::new(&bench.server);
    let begun = begin(&mut ada, "/o/acme/saml/start");
    let response = bench.answer(
        "both",
        Some(&begun.request),
        &json!({ "name_id": ADA.to_uppercase() }),
    );
    let answer = ada.post_across(ACS, &relay(&response, ""));
    assert_eq!(header(&answer, "location"), Some("/o/acme/"), "{}", answer.text);
}

/// Feature rows 21, 102: every known attack on an answer is refused at the door, and the administrator sees which check has
/// refused it.
#[test]
fn every_attack_is_refused() {
    let bench = Bench::new();
    let cases = [
        ("unsigned", "unsigned"),
        ("response", "unsigned"),
        ("wrong-key", "signature"),
        ("tampered", "signature"),
        ("sha1", "algorithm"),
        ("sha1-digest", "algorithm"),
        ("hmac", "algorithm"),
        ("doctype", "declaration"),
        ("comment", "declaration"),
        ("instruction", "declaration"),
        ("duplicate-id", "duplicate-id"),
        ("encrypted", "encrypted"),
        ("persistent", "name-id"),
        ("failed", "status"),
        ("xsw1", "structure"),
        ("xsw2", "structure"),
        ("xsw3", "structure"),
        ("xsw4", "structure"),
        ("xsw5", "structure"),
        ("xsw6", "structure"),
        ("xsw7", "structure"),
        ("xsw8", "structure"),
        ("extensions", "structure"),
        ("object", "structure"),
        ("before", "structure"),
        ("after", "structure"),
        ("inside", "structure"),
    ];
    let mut mallory = Person::new(&bench.server);
    let begun = begin(&mut mallory, "/o/acme/saml/start");
    let many = cases.map(|(case, _)| (case, json!({})));
    let responses = bench.answers(Some(&begun.request), &many);
    for ((case, refusal), response) in cases.iter().zip(responses) {
        bench.refuses(&mut mallory, &response, refusal, case);
    }
}

/// Feature row 21: what was made for another service, URL, request, time or by another provider lets nobody in.
#[test]
fn what_is_meant_for_something_else_is_refused() {
    let bench = Bench::new();
    let cases = [
        (json!({ "entity_id": "https://other.example/saml" }), "audience"),
        (json!({ "acs": "http://scim.example/elsewhere" }), "recipient"),
        (json!({ "issuer": "https://evil.example/metadata" }), "issuer"),
        (json!({ "lifetime": -10 }), "time"),
        (json!({ "name_id": "ada" }), "name-id"),
        (json!({ "name_id": "nobody@x.example" }), "nobody"),
        (json!({ "stable_id": "x-bob" }), "other-person"),
    ];
    let mut mallory = Person::new(&bench.server);
    let begun = begin(&mut mallory, "/o/acme/saml/start");
    let many = cases.clone().map(|(changes, _)| ("assertion", changes));
    let responses = bench.answers(Some(&begun.request), &many);
    for ((changes, refusal), response) in cases.iter().zip(responses) {
        bench.refuses(&mut mallory, &response, refusal, &changes.to_string());
    }
    for (response, refusal) in [("", "not-base64"), ("%%%", "not-base64"), ("PGE+", "not-xml")] {
        bench.refuses(&mut mallory, response, refusal, response);
    }
}

/// Feature rows 21, 46, 47, 53, 97: as with Level Access, provisioned by Entra ID: people wait until an administrator puts them
/// into a group, sign in at their provider alone, are deactivated there, and come back.
#[test]
fn like_level_access_by_single_sign_on() {
    let place = Place::new();
    place.json(&[
        "org",
        "create",
        "acme",
        "--like",
        "level-access",
        "--idp",
        "entra",
    ]);
    place.json(&["integration", "enable", "acme"]);
    let token = place.json(&["token", "create", "acme"])["token"].clone();
    let bench = Bench::on(place, &token);
    let url = format!("http://{}/scim/acme/v2", bench.server.address());
    let sent = ["simulate", "entra", "--url", &url, "--token", &bench.token];
    bench.run(
        &[
            &sent[..],
            &[
                "--users",
                "6",
                "--groups",
                "1",
                "--members",
                "6",
                "--changes",
                "0",
            ],
        ]
        .concat(),
    );
    let waiting = bench.run(&["user", "list", "acme", "--state", "active", "--unassigned"]);
    let ada = waiting["users"]
        .as_array()
        .unwrap()
        .iter()
        .find(|user| user["address"].is_string());
    let name = ada.unwrap()["name"].as_str().unwrap().to_owned();
    let id = bench.run(&["user", "show", "acme", &name])["scim_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let known = bench
        .server
        .acme(&bench.token, "GET", &format!("/Users/{id}"), &Value::Null)
        .body;
    let asserted = json!({ "name_id": name, "stable_id": known["externalId"] });
    let mails = bench.run(&["mail", "list", "acme"]);
    assert_eq!(
        mails["mails"],
        json!([]),
        "people who sign in at their provider are not invited"
    );

    bench.try_out_with(&bench.server, "acme", &asserted);
    bench.run(&["org", "set", "acme", "--sso", "on"]);
    let sign_in = |person: &mut Person<'_>| {
        let begun = begin(person, "/o/acme/saml/start");
        let response = bench.answer("assertion", Some(&begun.request), &asserted);
        person.post_across(ACS, &relay(&response, &begun.relay_state))
    };
    let mut ada = Person::new(&bench.server);
    assert_eq!(sign_in(&mut ada).status, 303);
    assert_eq!(
        ada.open("/o/acme/").heading(),
        "You are signed in, but have no access yet"
    );
    bench.run(&["local-group", "create", "acme", "Desk"]);
    bench.run(&["local-group", "set", "acme", "Desk", "--allow", "Read only"]);
    bench.run(&["local-group", "add", "acme", "Desk", &name]);
    assert_eq!(
        ada.open("/o/acme/").heading(),
        "Overview",
        "the open session has the role"
    );
    let password = ada.submit("/o/acme/forgotten-password", &[("name", &name)]);
    assert_eq!(password.status(), 200);

    assert_eq!(bench.change(&id, "active", &json!(false)).status, 200);
    assert_eq!(
        ada.open("/o/acme/account").heading(),
        "Sign in",
        "the session has ended"
    );
    assert_eq!(sign_in(&mut ada).status, 403);
    assert_eq!(ada.open("/o/acme/account").heading(), "Sign in");
    assert_eq!(bench.change(&id, "active", &json!(true)).status, 200);
    assert_eq!(
        ada.open("/o/acme/account").heading(),
        "Sign in",
        "it does not come back"
    );
    assert_eq!(sign_in(&mut ada).status, 303);
    assert_eq!(
        ada.open("/o/acme/").heading(),
        "Overview",
        "the group has kept them"
    );
    assert_eq!(
        bench.run(&["mail", "list", "acme"])["mails"],
        json!([]),
        "nor has a password a way in"
    );
    assert_eq!(bench.run(&["check"])["sound"], true);
}

/// Feature row 21: an answer belongs to the browser in which its request was made; in another one it lets nobody in.
#[test]
fn an_answer_is_bound_to_its_browser() {
    let bench = Bench::new();
    let (mut ada, mut mallory) = (Person::new(&bench.server), Person::new(&bench.server));
    let begun = begin(&mut ada, "/o/acme/saml/start");
    let response = bench.answer("assertion", Some(&begun.request), &json!({}));
    bench.refuses(&mut mallory, &response, "in-response-to", "no cookie");
    begin(&mut mallory, "/o/acme/saml/start");
    bench.refuses(&mut mallory, &response, "in-response-to", "another cookie");
    // Two sign-ins in one browser do not disturb each other.
    begin(&mut ada, "/o/acme/saml/start");
    assert_eq!(ada.post_across(ACS, &relay(&response, "")).status, 303);
}

/// Feature row 21: an assertion is used once, whichever process it comes to, and its session is known in both.
#[test]
fn no_assertion_is_used_twice() {
    let bench = Bench::new();
    let second = bench.place.serve(&["--public-url", PUBLIC]);
    let mut ada = Person::new(&bench.server);
    let begun = begin(&mut ada, "/o/acme/saml/start");
    let response = bench.answer("assertion", Some(&begun.request), &json!({}));
    let mut elsewhere = Person::new(&second);
    elsewhere.cookies = ada.cookies.clone();
    assert_eq!(ada.post_across(ACS, &relay(&response, "")).status, 303);
    bench.refuses(&mut elsewhere, &response, "replayed", "the other process");
    elsewhere.cookies = ada.cookies.clone();
    assert_eq!(
        elsewhere.open("/o/acme/account").heading(),
        "Sign-in and security"
    );
    let mut again = Person::new(&bench.server);
    again.cookies = ada
        .cookies
        .iter()
        .filter(|(name, _)| name != SESSION)
        .cloned()
        .collect();
    bench.refuses(&mut again, &response, "replayed", "the same process");
}

/// Feature row 21: a new certificate signs in from the moment at which the metadata name it, the former one for its overlap,
/// and none after that.
#[test]
fn certificates_roll_over_while_people_sign_in() {
    let bench = Bench::new();
    let signs_in = |key: &str| {
        let mut ada = Person::new(&bench.server);
        let begun = begin(&mut ada, "/o/acme/saml/start");
        let response = bench.answer("assertion", Some(&begun.request), &json!({ "key": key }));
        ada.post_across(ACS, &relay(&response, "")).status == 303
    };
    assert!(signs_in("provider") && !signs_in("second"));
    bench.set_metadata("acme", &["second"], &[]);
    assert!(signs_in("provider") && signs_in("second"));
    bench.set_metadata("acme", &["second"], &["--without-overlap"]);
    assert!(!signs_in("provider") && signs_in("second"));
}

/// Feature row 21: an answer that nobody asked for begins a sign-in here, so that a tile at the provider works; where the
/// organization allows it, it signs in by itself.
#[test]
fn an_answer_that_nobody_asked_for_begins_a_sign_in() {
    let bench = Bench::new();
    let unasked = || bench.answer("assertion", None, &json!({}));
    let mut ada = Person::new(&bench.server);
    let answer = ada.post_across(ACS, &relay(&unasked(), "http://scim.example/o/acme/account"));
    assert_eq!(answer.status, 303, "{}", answer.text);
    assert_eq!(header(&answer, "location"), Some("/o/acme/saml/start?to=account"));
    assert!(!has_session(&ada));
    assert_eq!(bench.run(&["saml", "failures", "acme"])["failures"], json!([]));
    bench.run(&["org", "set", "acme", "--idp-initiated-saml", "on"]);
    let response = unasked();
    let answer = ada.post_across(ACS, &relay(&response, "http://scim.example/o/acme/account"));
    assert_eq!(
        header(&answer, "location"),
        Some("/o/acme/account"),
        "{}",
        answer.text
    );
    assert!(has_session(&ada));
    bench.refuses(
        &mut Person::new(&bench.server),
        &response,
        "replayed",
        "unasked, twice",
    );
}

/// Feature row 21: whatever state comes back, nobody is led to another origin, nor to another organization.
#[test]
fn the_state_leads_to_pages_of_the_organization_alone() {
    let bench = Bench::new();
    let states = [
        "https://evil.example/",
        "//evil.example/",
        "http://scim.example.evil.example/o/acme/account",
        "http://scim.example/o/other/account",
        "/o/other/account",
        "javascript:alert(1)",
        "/\\evil.example",
        "account/../../../other",
    ];
    let mut ada = Person::new(&bench.server);
    let begun = begin(&mut ada, "/o/acme/saml/start");
    let many = states.map(|_| ("assertion", json!({})));
    let responses = bench.answers(Some(&begun.request), &many);
    for (state, response) in states.iter().zip(responses) {
        let answer = ada.post_across(ACS, &relay(&response, state));
        assert_eq!(header(&answer, "location"), Some("/o/acme/"), "{state}");
    }
}

/// Feature row 21: an answer for one organization is none for another, with the same provider, key and person.
#[test]
fn organizations_are_apart() {
    let bench = Bench::new();
    let other = bench.run(&["org", "create", "other"]);
    let token = other["token"].as_str().unwrap();
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": ADA, "externalId": "x-ada",
    });
    let bearer = format!("Bearer {token}");
    let made = bench.server.send(
        "POST",
        "/scim/other/v2/Users",
        &[("authorization", &bearer)],
        &body.to_string(),
    );
    assert_eq!(made.status, 201, "{}", made.text);
    bench.set_metadata("other", &["provider"], &["--stable-id-attribute", "externalId"]);
    bench.try_out(&bench.server, "other");
    bench.run(&["org", "set", "other", "--sso", "on"]);
    bench.run(&["org", "set", "acme", "--idp-initiated-saml", "on"]);
    let mut ada = Person::new(&bench.server);
    let begun = begin(&mut ada, "/o/other/saml/start");
    let response = bench.answer_to("other", "both", Some(&begun.request), &json!({}));
    bench.refuses(&mut ada, &response, "in-response-to", "made for the other one");
    let unasked = bench.answer_to("other", "both", None, &json!({}));
    let page = ada.post_across(ACS, &relay(&unasked, ""));
    assert_eq!(page.status, 403, "{}", page.text);
    let refusal = bench.last_failure()["refusal"].clone();
    assert!(refusal == "audience" || refusal == "recipient", "{refusal}");
    let acs = "/portalApi/other/AuthenticationSAML/AssertionConsumerService";
    assert_eq!(
        header(&ada.post_across(acs, &relay(&response, "")), "location"),
        Some("/o/other/")
    );
    assert!(!has_session(&ada), "the session is one of the other organization");
}

/// Feature rows 19b, 23: single sign-on is allowed after a trial alone; while it is not, no answer lets anybody in, however
/// good it is, and the page of the sign-in does not offer it.
#[test]
fn single_sign_on_is_tried_before_it_is_allowed() {
    let bench = Bench::untried();
    bench.hire(ADA, "x-ada");
    let mut ada = Person::new(&bench.server);
    assert!(!ada.open("/o/acme/sign-in").says("Sign in with single sign-on"));
    assert_eq!(
        header(&ada.get("/o/acme/saml/start"), "location"),
        Some("/o/acme/sign-in")
    );
    let (code, said) = bench.place.refusal(&["org", "set", "acme", "--sso", "on"]);
    assert_eq!((code, &said["error"]), (1, &json!("conflict")), "{said}");
    assert!(said["detail"].as_str().unwrap().contains("saml trial"), "{said}");
    bench.try_out(&bench.server, "acme");
    bench.run(&["org", "set", "acme", "--sso", "on"]);
    assert!(ada.open("/o/acme/sign-in").says("Sign in with single sign-on"));
    let begun = begin(&mut ada, "/o/acme/saml/start");
    bench.run(&["org", "set", "acme", "--sso", "off"]);
    let response = bench.answer("assertion", Some(&begun.request), &json!({}));
    bench.refuses(&mut ada, &response, "sso-off", "switched off meanwhile");
}

/// Feature row 19b: a trial is for its browser, works once, and another provider needs another one.
#[test]
fn a_trial_is_for_one_provider() {
    let bench = Bench::new();
    let url = bench.run(&["saml", "trial", "acme"])["url"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = url.strip_prefix(PUBLIC).unwrap();
    let (mut admin, mut other) = (Person::new(&bench.server), Person::new(&bench.server));
    let begun = begin(&mut admin, path);
    let response = bench.answer("assertion", Some(&begun.request), &json!({}));
    assert_eq!(
        other
            .post_across(ACS, &relay(&response, &begun.relay_state))
            .status,
        403
    );
    assert_eq!(
        admin
            .post_across(ACS, &relay(&response, &begun.relay_state))
            .status,
        200
    );
    assert_eq!(admin.get(path).status, 409, "the link works once");
    let before = bench.run(&["saml", "show", "acme"]);
    assert_eq!(
        (&before["standing"], &before["in_force"]),
        (&json!("tried"), &json!(true))
    );
    let provider = IdentityProvider::called("https://other.example/metadata");
    let file = bench.place.file("other.xml", &provider.metadata(&["provider"]));
    let after = bench.run(&["saml", "set", "acme", "--metadata", &file]);
    assert_eq!(
        (&after["standing"], &after["in_force"]),
        (&json!("untried"), &json!(false))
    );
}

/// Feature row 23b: the address of one person has passed to another, and SCIM has not told yet: with the stable id the new one
/// is never signed in as the former one; once SCIM has told, everybody is who they are.
#[test]
fn an_address_that_has_changed_hands_lets_nobody_in_as_its_former_owner() {
    let bench = Bench::new();
    let bob = bench.hire("bob@x.example", "x-bob");
    let signs_in_as = |address: &str, id: &str| {
        let mut person = Person::new(&bench.server);
        let begun = begin(&mut person, "/o/acme/saml/start");
        let changes = json!({ "name_id": address, "stable_id": id });
        let response = bench.answer("assertion", Some(&begun.request), &changes);
        match person.post_across(ACS, &relay(&response, "")).status {
            303 => None,
            _ => Some(bench.last_failure()["refusal"].as_str().unwrap().to_owned()),
        }
    };
    assert_eq!(signs_in_as("bob@x.example", "x-bob"), None);
    // At the provider, Bob has got Ada's address; here, Ada still has it.
    assert_eq!(signs_in_as(ADA, "x-bob").as_deref(), Some("other-person"));
    let ada = bench.server.acme(
        &bench.token,
        "GET",
        "/Users?filter=externalId%20eq%20%22x-ada%22",
        &Value::Null,
    );
    let ada = ada.body["Resources"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        bench
            .change(&ada, "userName", &json!("ada.king@x.example"))
            .status,
        200
    );
    assert_eq!(signs_in_as(ADA, "x-bob").as_deref(), Some("nobody"));
    assert_eq!(bench.change(&bob, "userName", &json!(ADA)).status, 200);
    assert_eq!(signs_in_as(ADA, "x-bob"), None);
    assert_eq!(signs_in_as(ADA, "x-ada").as_deref(), Some("other-person"));
    assert_eq!(signs_in_as("ada.king@x.example", "x-ada"), None);
}

/// Feature rows 23b, 97: whoever is deactivated at the provider is refused, and so is a manual account that has not confirmed
/// that its person signs in so.
#[test]
fn without_access_or_confirmation_nobody_signs_in() {
    let bench = Bench::new();
    let bob = bench.hire("bob@x.example", "x-bob");
    bench.run(&["user", "create", "acme", "root@x.example"]);
    assert_eq!(bench.change(&bob, "active", &json!(false)).status, 200);
    for (address, id, refusal) in [
        ("bob@x.example", json!("x-bob"), "no-access"),
        ("root@x.example", Value::Null, "unconfirmed"),
    ] {
        let mut person = Person::new(&bench.server);
        let begun = begin(&mut person, "/o/acme/saml/start");
        let changes = json!({ "name_id": address, "stable_id": id });
        let response = bench.answer("assertion", Some(&begun.request), &changes);
        bench.refuses(&mut person, &response, refusal, address);
    }
}

/// Feature row 102: an administrator sees what was asserted, masked, and what to change; anybody can send answers, and of a
/// minute only some are kept.
#[test]
fn refused_sign_ins_are_kept_masked_and_bounded() {
    let bench = Bench::new();
    let mut ada = Person::new(&bench.server);
    let begun = begin(&mut ada, "/o/acme/saml/start");
    let changes = json!({ "name_id": "grace.hopper@x.example", "stable_id": "x-grace" });
    let response = bench.answer("assertion", Some(&begun.request), &changes);
    bench.refuses(&mut ada, &response, "nobody", "unknown");
    let failure = bench.last_failure();
    assert_eq!(failure["asserted"]["name_id"], "g…@x.example");
    assert_eq!(failure["asserted"]["attributes"], json!(["externalId"]));
    assert_eq!(failure["asserted"]["issuer"], "https://provider.example/metadata");
    assert!(
        failure["remedy"].as_str().unwrap().contains("SCIM"),
        "{failure:#}"
    );
    assert!(failure["address"] == "127.0.0.1", "{failure:#}");
    let reference = failure["reference"].as_str().unwrap();
    let found = bench.run(&["saml", "failures", "acme", "--reference", reference]);
    assert_eq!(found["failures"], json!([failure]));
    for _ in 0..40 {
        assert_eq!(ada.post_across(ACS, &relay("PGE+", "")).status, 403);
    }
    let all = bench.run(&["saml", "failures", "acme", "--limit", "100"]);
    assert_eq!(all["failures"].as_array().unwrap().len(), 30);
    bench.run(&["check"]);
}

/// Feature rows 21, 22: an identity provider reads our metadata at our entity id; the service takes forms alone.
#[test]
fn our_metadata_are_at_our_entity_id() {
    let bench = Bench::untried();
    let service = bench.run(&["saml", "show", "acme"])["service"].clone();
    let url = service["metadata_url"].as_str().unwrap();
    let answer = bench.server.get(url.strip_prefix(PUBLIC).unwrap(), &[]);
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(
        answer.head.contains("content-type: application/samlmetadata+xml"),
        "{}",
        answer.head
    );
    assert_eq!(
        answer.text,
        bench.run(&["saml", "metadata", "acme"])["metadata"]
            .as_str()
            .unwrap()
    );
    for path in ["/saml/00000000-0000-0000-0000-000000000000", "/saml/acme"] {
        assert_eq!(bench.server.get(path, &[]).status, 404, "{path}");
    }
    assert_eq!(bench.server.get(ACS, &[]).status, 405);
    let elsewhere = "/portalApi/nobody/AuthenticationSAML/AssertionConsumerService";
    let mut person = Person::new(&bench.server);
    assert_eq!(person.post_across(elsewhere, &relay("PGE+", "")).status, 404);
    let long = "A".repeat(600_000);
    assert_eq!(person.post_across(ACS, &relay(&long, "")).status, 413);
}
