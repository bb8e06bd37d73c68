//! The whole path, on pages: from an empty database to roles that are in force, and to a session that ends because its person
//! was deactivated at the provider.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod program;

use std::thread::sleep;
use std::time::{Duration, Instant};

use program::browser::Browser;
use program::person::Person;
use program::{Place, Server};
use serde_json::{Value, json};

const OWNER: &str = "odile@instance.example";
const PASSWORD: &str = "seven herons over the grey fjord";
const OTHER: &str = "a lighthouse keeps no calendar";

/// The most actions from a built program to a provider that is connected, with a mapped group.
const MOST: usize = 15;

/// Returns the actions that the README names, in their order.
fn named() -> Vec<String> {
    let readme = include_str!("../../../README.md");
    let (_, section) = readme
        .split_once("### Connect an identity provider on pages")
        .unwrap();
    let section = section.split("\n#").next().unwrap();
    let items = section.lines().filter_map(|line| {
        let (number, text) = line.split_once(". ")?;
        number.parse::<usize>().ok().map(|_| text.to_owned())
    });
    items.collect()
}

/// Somebody who does what the README names, one action after the other.
struct Follower {
    browser: Browser,
    named: Vec<String>,
    done: usize,
}

impl Follower {
    /// Checks that the next action of the README has these words, and counts it.
    fn act(&mut self, words: &[&str]) -> &mut Browser {
        let next = self.named.get(self.done).unwrap();
        for word in words {
            assert!(
                next.contains(word),
                "{word} is not in action {}: {next}",
                self.done + 1
            );
        }
        self.done += 1;
        &mut self.browser
    }
}

/// The names of a provider here and in the simulator.
struct Provider {
    organization: &'static str,
    name: &'static str,
    option: &'static str,
    dialect: &'static str,
}

const OKTA: Provider = Provider {
    organization: "Halden Freight",
    name: "halden-freight",
    option: "Okta",
    dialect: "okta",
};

const ENTRA: Provider = Provider {
    organization: "Osterby Clinic",
    name: "osterby-clinic",
    option: "Microsoft Entra ID",
    dialect: "entra",
};

/// Lets a simulated provider synchronize four people and a group.
fn simulate(place: &Place, server: &Server, provider: &Provider, token: &str) {
    let url = format!("http://{}/scim/{}/v2", server.address(), provider.name);
    let size = [
        "--users",
        "4",
        "--groups",
        "1",
        "--members",
        "4",
        "--changes",
        "0",
    ];
    let sent = ["simulate", provider.dialect, "--url", &url, "--token", token];
    place.json(&[&sent[..], &size].concat());
}

/// Returns the name of the first group of an organization.
fn group(place: &Place, organization: &str) -> String {
    let listed = place.json(&["group", "list", organization]);
    listed["groups"][0]["name"].as_str().unwrap().to_owned()
}

/// Waits until a mail with a link has come to somebody, and returns the path of the link.
fn mailed(place: &Place, organization: &str, recipient: &str) -> String {
    let patience = Instant::now() + Duration::from_secs(30);
    loop {
        let listed = place.json(&["mail", "list", organization]);
        let mails = listed["mails"].as_array().unwrap();
        let mail = mails
            .iter()
            .find(|mail| mail["kind"] == "invitation" && mail["recipient"] == recipient);
        if let Some(mail) = mail {
            let shown = place.json(&[
                "mail",
                "show",
                organization,
                mail["id"].as_str().unwrap(),
                "--link",
            ]);
            let text = shown["text"].as_str().unwrap();
            let link = &text[text.find("/o/").unwrap()..];
            return link.split_whitespace().next().unwrap().to_owned();
        }
        assert!(Instant::now() < patience, "no invitation has come");
        sleep(Duration::from_millis(50));
    }
}

/// Maps the group to a role on the tab of mappings, which says beforehand who gains it.
fn map(browser: &mut Browser, group: &str) {
    browser.choose("Identity Provider Group", group);
    browser.click("#roles summary");
    browser.tick("Operator Sees everything but the bodies of requests; changes people, groups and mappings.");
    browser.press("+ Add the mapping to the list");
    browser.wait("#mapping-preview", "gain Operator");
}

/// Feature rows 5, 9, 10, 28, 55, 58, 75, 77, 89, 97, 100: fresh database, first owner, organization, token, provider, groups,
/// mapping with preview, roles in force, history, deactivation, and the end of an open session; up to the mapping, exactly
/// the actions that the README names, which are at most fifteen.
#[test]
fn from_an_empty_database_to_a_session_that_ends() {
    let place = Place::new();
    let server = place.serve(&[]);
    let mut follower = Follower {
        browser: Browser::open(),
        named: named(),
        done: 0,
    };
    assert!(follower.named.len() <= MOST, "{:?}", follower.named);
    let set_up = server.started["set_up_url"].as_str().unwrap();
    follower.act(&["the link that it prints"]).goto(set_up);
    let browser = follower.act(&["e-mail address", "*Create and sign in*"]);
    browser.fill("E-mail address", OWNER);
    browser.fill("Password", PASSWORD);
    browser.fill("The same password again", PASSWORD);
    browser.press("Create and sign in");
    follower.act(&["*Not now*"]).press("Not now");
    let browser = follower.act(&["*Add an organization*"]);
    browser.press_in("#nav", "Organizations");
    browser.press("Add an organization");
    let browser = follower.act(&["*Add organization*"]);
    browser.fill("Name", OKTA.organization);
    browser.choose("Identity provider", OKTA.option);
    browser.press("Add organization");
    assert_eq!(browser.heading(), "Set up provisioning from Okta");
    follower.act(&["*Generate it*"]).press("Generate it");
    let browser = follower.act(&["*Generate API Token*"]);
    browser.press("Generate API Token");
    let token = browser.text("#secret");
    let browser = follower.act(&["*Enabled*", "*Save*"]);
    browser.tick("Enabled");
    browser.press("Save");
    browser.wait(".toast", "The settings were saved.");
    follower.act(&["`simulate okta`"]);
    simulate(&place, &server, &OKTA, &token);
    follower.act(&["*Group Mapping*"]).click("#tab-mapping");
    let crew = group(&place, OKTA.name);
    map(follower.act(&["*Identity Provider Group*", "*+*"]), &crew);
    let browser = follower.act(&["*Save*"]);
    browser.press("Save");
    browser.wait(".toast", "The mappings were saved.");
    assert_eq!(
        follower.done,
        follower.named.len(),
        "every action that the README names was done"
    );
    let mut browser = follower.browser;
    is_in_force(&place, &server, &mut browser, &OKTA, &crew, &token);

    // The same with the other provider, by hand.
    browser.goto(&format!("http://{}/instance/new-organization", server.address()));
    browser.fill("Name", ENTRA.organization);
    browser.choose("Identity provider", ENTRA.option);
    browser.press("Add organization");
    browser.press("Generate it");
    browser.press("Generate API Token");
    let token = browser.text("#secret");
    browser.tick("Enabled");
    browser.press("Save");
    simulate(&place, &server, &ENTRA, &token);
    browser.goto(&url(&server, &ENTRA, "integrations/scim/wizard"));
    browser.wait("#arrivals", "4 people, 1 group");
    browser.goto(&url(&server, &ENTRA, "integrations/scim/mapping"));
    let crew = group(&place, ENTRA.name);
    map(&mut browser, &crew);
    browser.press("Save");
    browser.wait(".toast", "The mappings were saved.");
    is_in_force(&place, &server, &mut browser, &ENTRA, &crew, &token);
    browser.is_quiet();
    let checked = place.json(&["check"]);
    assert_eq!(checked["sound"], true, "{checked:#}");
}

fn url(server: &Server, provider: &Provider, page: &str) -> String {
    format!("http://{}/o/{}/{page}", server.address(), provider.name)
}

/// Checks that somebody of the group comes by their invitation and has the role, that the history says what came, and that once
/// they are deactivated at the provider, they are out within a second.
fn is_in_force(
    place: &Place,
    server: &Server,
    browser: &mut Browser,
    provider: &Provider,
    group: &str,
    token: &str,
) {
    let organization = provider.name;
    let listed = place.json(&["user", "list", organization, "--state", "active"]);
    let somebody = listed["users"].as_array().unwrap().iter().find_map(|user| {
        let name = user["name"].as_str().unwrap();
        let shown = place.json(&["user", "show", organization, name]);
        let has_role = shown["roles"].to_string().contains("Operator");
        let address = user["address"].as_str().filter(|_| has_role)?;
        Some((
            name.to_owned(),
            address.to_owned(),
            shown["scim_id"].as_str().unwrap().to_owned(),
        ))
    });
    let (name, address, id) = somebody.unwrap();
    let mut person = Person::new(server);
    let link = mailed(place, organization, &address);
    let page = person.submit(&link, &[("new", OTHER), ("again", OTHER)]);
    assert_eq!(
        (page.path, page.answer.status),
        (format!("/o/{organization}/"), 200)
    );
    let users = format!("/o/{organization}/users");
    assert_eq!(person.open(&users).status(), 200, "an Operator sees people");

    browser.goto(&url(
        server,
        provider,
        &format!("integrations/scim/history?subject={id}"),
    ));
    browser.wait("#history-rows", &format!("Created user {name}"));
    browser.goto(&url(server, provider, "integrations/scim/history"));
    browser.wait("#history-rows", &format!("Created group {group}"));

    let set = json!([{ "op": "replace", "path": "active", "value": false }]);
    let body = json!({ "schemas": [program::bench::PATCH], "Operations": set });
    let authorization = format!("Bearer {token}");
    let path = format!("/scim/{organization}/v2/Users/{id}");
    let headers = [("authorization", authorization.as_str())];
    let answer = server.send("PATCH", &path, &headers, &body.to_string());
    assert!((200..300).contains(&answer.status), "{}", answer.text);
    let ended = Instant::now() + Duration::from_secs(1);
    while person.open(&users).heading() != "Sign in" {
        assert!(Instant::now() < ended, "the session goes on");
        sleep(Duration::from_millis(20));
    }
    let shown: Value = place.json(&["user", "show", organization, &name]);
    assert_eq!(shown["state"], "disabled", "{shown:#}");
}
