//! How people are found on pages: by what they are called, by a role, several at once, and in a panel over the list.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use std::thread::sleep;
use std::time::{Duration, Instant};

use program::bench::Bench;
use program::browser::Browser;
use program::entering::{ADMINISTRATOR, PASSWORD};
use program::people::{crew, names, page_of, page_of_role, set_active};
use program::person::{Page, open_until};
use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;

/// Waits until the selector finds so many parts of the page.
fn wait_for_count(browser: &mut Browser, of: &str, count: u64) {
    let until = Instant::now() + Duration::from_secs(20);
    while browser.count(of) != count {
        assert!(Instant::now() < until, "there are {} {of}", browser.count(of));
        sleep(Duration::from_millis(50));
    }
}

/// Waits until the browser is at a path.
fn wait_for_path(browser: &mut Browser, path: &str) {
    let until = Instant::now() + Duration::from_secs(20);
    while browser.path() != path {
        assert!(Instant::now() < until, "{} is not {path}", browser.path());
        sleep(Duration::from_millis(50));
    }
}

/// Returns the id of somebody's account.
fn id_of(bench: &Bench, name: &str) -> String {
    page_of(bench, name).rsplit('/').next().unwrap().to_owned()
}

/// Feature rows 50, 108: somebody is found by the beginning of the user name, the display name, the family name and the e-mail
/// address, in any case and Unicode form, and together with the other filters; the command line finds the same people.
#[test]
fn people_are_found_as_one_calls_them() {
    let bench = Bench::new(&["--username", "any"]);
    let mut ida = bench.enter();
    let ada = json!({
        "displayName": "Ada King LOVELACE", "emails": [{ "value": "Countess@x.example", "primary": true }],
    });
    let ada = bench.user_with("alove", &ada);
    bench.user_with(
        "zoe@x.example",
        &json!({ "name": { "givenName": "Zoë", "familyName": "O\u{308}zil" } }),
    );
    bench.run(&[
        "user",
        "create",
        "acme",
        "root@x.example",
        "--display",
        "Grace Lovell",
    ]);
    open_until(&mut ida, "/o/acme/users", "Grace Lovell");
    let (ada_name, zoe, grace) = ("Ada King LOVELACE", "Zoë O\u{308}zil", "Grace Lovell");
    for (text, expected) in [
        ("alo", vec![ada_name]),
        ("ada k", vec![ada_name]),
        ("Lovelace", vec![ada_name]),
        ("LOVEL", vec![ada_name, grace]),
        ("countess@", vec![ada_name]),
        ("zoe@", vec![zoe]),
        ("ZOË", vec![zoe]),
        ("özil", vec![zoe]),
        ("O\u{308}Z", vec![zoe]),
        ("ROOT@x", vec![grace]),
        ("ovelace", vec![]),
        ("x.example", vec![]),
    ] {
        let query: String = byte_serialize(text.as_bytes()).collect();
        let page = ida.open(&format!("/o/acme/users?q={query}"));
        assert_eq!(names(&page), expected, "{text}");
        let listed = bench.run(&["user", "list", "acme", "--search", text]);
        let found: Vec<_> = listed["users"]
            .as_array()
            .unwrap()
            .iter()
            .map(|user| user["display"].clone())
            .collect();
        assert_eq!(found, expected, "{text}");
        assert_eq!(listed["count"], expected.len());
    }
    let of_hand = ida.open("/o/acme/users?q=lovel&source=hand");
    assert_eq!(names(&of_hand), [grace]);
    assert!(of_hand.says("<span>1 person</span>"), "{}", of_hand.answer.text);
    set_active(&bench, &ada, false);
    open_until(&mut ida, "/o/acme/users?show=disabled", "LOVELACE");
    assert_eq!(names(&ida.open("/o/acme/users?q=lovel&show=active")), [grace]);
    // Another name, and nobody is found by the old one; nor is somebody who was erased.
    let married = json!([{ "op": "replace", "path": "displayName", "value": "Ada Byron" }]);
    assert_eq!(bench.patch(&format!("/Users/{ada}"), &married).status, 200);
    let page = open_until(&mut ida, "/o/acme/users?q=byron", "Ada Byron");
    assert_eq!(names(&page), ["Ada Byron"]);
    assert_eq!(names(&ida.open("/o/acme/users?q=lovel")), [grace]);
    let account = id_of(&bench, "alove");
    bench.delete(&format!("/Users/{ada}"));
    bench.run(&["user", "erase", "acme", &account, "--confirm", "alove"]);
    for text in ["byron", "ada", "alove", "countess"] {
        let page = ida.open(&format!("/o/acme/users?show=removed&q={text}"));
        assert_eq!(names(&page), [] as [&str; 0], "{text}");
    }
    bench.is_sound();
}

/// Feature rows 50, 86: the list shows who has a role now, whatever gives it, and the number of people of a role leads there.
#[test]
fn the_list_shows_who_has_a_role() {
    let bench = Bench::new(&["--assignment", "local-groups"]);
    let mut ida = bench.enter();
    let ann = bench.user_with("ann@x.example", &json!({ "displayName": "Ann" }));
    let bob = bench.user_with("bob@x.example", &json!({ "displayName": "Bob" }));
    bench.user_with("cid@x.example", &json!({ "displayName": "Cid" }));
    bench.user("dan@x.example");
    crew(&bench, &[&ann, &bob]);
    bench.run(&["local-group", "create", "acme", "Night"]);
    bench.run(&["local-group", "set", "acme", "Night", "--allow", "Desk"]);
    bench.run(&[
        "local-group",
        "add",
        "acme",
        "Night",
        "cid@x.example",
        "ann@x.example",
    ]);
    let desk = page_of_role(&bench, "Desk");
    let role = open_until(&mut ida, &desk, "3 people have it");
    let link = format!("/o/acme/users?role={}", desk.rsplit('/').next().unwrap());
    assert!(
        role.says(&format!("<a href=\"{link}\">3 people have it</a>")),
        "{}",
        role.answer.text
    );
    assert!(ida.open("/o/acme/roles").says(&format!("href=\"{link}\">3<")));
    let page = ida.open(&link);
    assert_eq!(names(&page), ["Ann", "Bob", "Cid"]);
    assert!(page.says(" selected>Desk</option>") && page.says("3 of 3 people, by name"));
    assert_eq!(names(&ida.open(&format!("{link}&q=b"))), ["Bob"]);
    assert_eq!(names(&ida.open(&format!("{link}&source=hand"))), [] as [&str; 0]);
    bench.run(&["user", "suspend", "acme", "bob@x.example", "--reason", "x"]);
    open_until(&mut ida, "/o/acme/users?show=suspended", "Bob");
    assert_eq!(names(&ida.open(&link)), ["Ann", "Cid"]);
    let listed = bench.run(&["user", "list", "acme", "--role", "desk"]);
    assert_eq!(
        (&listed["count"], &listed["users"][1]["display"]),
        (&json!(2), &json!("Cid"))
    );
    let nobody = page_of_role(&bench, "Operator");
    let nobody = format!("/o/acme/users?role={}", nobody.rsplit('/').next().unwrap());
    assert!(ida.open(&nobody).says("Nobody here has this role"));
    bench.refused(&["user", "list", "acme", "--role", "Nonsense"]);
}

/// Returns the entries of the audit log about an action.
fn audited(bench: &Bench, action: &str) -> Vec<Value> {
    let listed = bench.run(&["audit", "list", "acme", "--action", action]);
    listed["changes"].as_array().unwrap().clone()
}

/// Returns the path of a page about several people, with its query.
fn of_selected(bench: &Bench, step: &str, people: &[&str]) -> String {
    let people: Vec<_> = people
        .iter()
        .map(|name| format!("person={}", id_of(bench, name)))
        .collect();
    format!("/o/acme/users/selected/{step}?{}", people.join("&"))
}

/// Sends the form of a page about several people.
fn send(ida: &mut program::person::Person<'_>, asked: &Page, field: (&str, &str)) -> Page {
    let people: Vec<_> = asked
        .answer
        .text
        .split("name=\"person\" value=\"")
        .skip(1)
        .collect();
    let mut fields: Vec<_> = people
        .iter()
        .map(|rest| ("person", rest.split('"').next().unwrap()))
        .collect();
    fields.push(field);
    fields.push(("list", asked.between("name=\"list\" value=\"", "\"")));
    let path = asked.path.split('?').next().unwrap().to_owned();
    ida.submit(&path, &fields)
}

/// Feature rows 97, 111: several people are suspended after one question that names their number, each with an audit row; who
/// is refused is named with the reason, and the others are suspended.
#[test]
fn several_people_are_suspended_at_once() {
    let bench = Bench::new(&[]);
    bench.run(&["role", "create", "acme", "Helper", "--allow", "users:write"]);
    bench.enter();
    let mut helper = bench.enter_as("helper@acme.example", "Helper");
    for name in ["ann@x.example", "bob@x.example", "cid@x.example"] {
        bench.user(name);
    }
    let list = open_until(&mut helper, "/o/acme/users", "cid@x.example</a>");
    assert!(list.says("class=\"bulk\"") && list.says("aria-label=\"Select ann@x.example\""));
    assert!(
        !list.says("/users/selected/join"),
        "no group is kept here that has an effect"
    );
    let all = ["ann@x.example", "bob@x.example", "cid@x.example", ADMINISTRATOR];
    let asked = helper.open(&of_selected(&bench, "suspend", &all));
    assert_eq!(asked.heading(), "Suspend the sign-in of 4 people?");
    let wrong = send(&mut helper, &asked, ("reason", " "));
    assert_eq!(
        (wrong.status(), wrong.heading()),
        (422, "Suspend the sign-in of 4 people?")
    );
    assert!(wrong.trouble().contains("a reason to suspend an account"));
    assert_eq!(audited(&bench, "user.suspend").len(), 0);
    bench.run(&["user", "suspend", "acme", "bob@x.example", "--reason", "Earlier"]);
    let done = send(&mut helper, &asked, ("reason", "Laptops stolen"));
    assert_eq!(done.heading(), "2 people were suspended");
    assert!(done.says("2 of 4 were not suspended:"), "{}", done.answer.text);
    let refused = done.between("<ul class=\"list\">", "</ul>");
    assert!(refused.contains("<strong>bob@x.example</strong>") && refused.contains("is suspended already"));
    assert!(
        refused.contains(&format!("<strong>{ADMINISTRATOR}</strong>"))
            && refused.contains("organization:write")
    );
    let page = helper.open("/o/acme/users?show=suspended");
    assert_eq!(names(&page), ["ann@x.example", "bob@x.example", "cid@x.example"]);
    let rows = audited(&bench, "user.suspend");
    let by_helper = rows
        .iter()
        .filter(|row| row["detail"]["reason"] == "Laptops stolen");
    assert_eq!(by_helper.count(), 2, "{rows:#?}");
    let nobody = helper.open("/o/acme/users/selected/suspend");
    assert!(nobody.says("Nobody is selected"), "{}", nobody.answer.text);
    let mut reader = bench.enter_as("reader@acme.example", "Read only");
    assert!(!reader.open("/o/acme/users").says("class=\"bulk\""));
    assert_eq!(
        reader
            .open(&of_selected(&bench, "suspend", &["ann@x.example"]))
            .status(),
        403
    );
    let fields = [
        ("person", &*id_of(&bench, "helper@acme.example")),
        ("reason", "x"),
    ];
    assert_eq!(
        reader.submit("/o/acme/users/selected/suspend", &fields).status(),
        403
    );
    bench.is_sound();
}

/// Feature row 50: several people are put into a group that is kept here, each with an audit row.
#[test]
fn several_people_are_added_to_a_group_at_once() {
    let bench = Bench::new(&["--assignment", "local-groups"]);
    let mut ida = bench.enter();
    for name in ["ann@x.example", "bob@x.example"] {
        bench.user(name);
    }
    bench.run(&["local-group", "create", "acme", "Night"]);
    open_until(&mut ida, "/o/acme/users", "/users/selected/join");
    let list = ida.open("/o/acme/users?source=scim&to=https://evil.example");
    assert!(
        list.says("name=\"list\" value=\"?source=scim\""),
        "{}",
        list.answer.text
    );
    let both = of_selected(&bench, "join", &["ann@x.example", "bob@x.example"]);
    let asked = ida.open(&format!("{both}&list=%3Fsource%3Dscim"));
    assert!(asked.says("href=\"/o/acme/users?source=scim\">Cancel"));
    assert_eq!(asked.heading(), "Add 2 people to a group kept here?");
    let group = asked.between("<option value=\"", "\"").to_owned();
    let done = send(&mut ida, &asked, ("group", &group));
    assert!(
        done.says("2 people are in the group now."),
        "{}",
        done.answer.text
    );
    assert_eq!(done.path, "/o/acme/users?source=scim");
    let members = ida.open(&format!("/o/acme/groups/local/{group}"));
    assert_eq!(names(&members), ["ann@x.example", "bob@x.example"]);
    assert_eq!(audited(&bench, "local-group.assign").len(), 2);
    bench.is_sound();
}

/// Feature rows 50, 90: who must confirm first that it is still they does so without losing whom they have selected, and what they
/// have entered.
#[test]
fn a_selection_outlives_a_confirmation() {
    let bench = Bench::new(&["--assignment", "local-groups"]);
    let mut ida = bench.enter();
    for name in ["ann@x.example", "bob@x.example"] {
        bench.user(name);
    }
    bench.run(&["local-group", "create", "acme", "Chiefs"]);
    bench.run(&["local-group", "set", "acme", "Chiefs", "--allow", "Administrator"]);
    open_until(&mut ida, "/o/acme/users", "/users/selected/join");
    let asked = ida.open(&of_selected(&bench, "join", &["ann@x.example", "bob@x.example"]));
    let group = asked.between("<option value=\"", "\"").to_owned();
    bench.place.execute("UPDATE session SET proved = 0");
    let refused = send(&mut ida, &asked, ("group", &group));
    assert_eq!(refused.heading(), "0 people are in the group now");
    assert!(refused.says("2 of 2 were not added:") && refused.says("step-up?to=users\" target=\"_blank\""));
    let again = format!("name=\"group\" value=\"{group}\"");
    assert!(refused.says(&again), "{}", refused.answer.text);
    let back = ida.submit("/o/acme/step-up?to=users", &[("password", PASSWORD)]);
    assert_eq!(back.path, "/o/acme/users");
    let done = send(&mut ida, &refused, ("group", &group));
    assert!(
        done.says("2 people are in the group now."),
        "{}",
        done.answer.text
    );
    bench.is_sound();
}

/// Feature row 50: without scripts, what was typed of a person is enough if one is called so, and otherwise those who are called
/// so are there to choose from.
#[test]
fn a_person_is_added_by_a_part_of_what_they_are_called() {
    let bench = Bench::new(&["--assignment", "local-groups"]);
    let mut ida = bench.enter();
    for (name, display) in [
        ("a.l@x.example", "Ada Lovelace"),
        ("g.l@x.example", "Grace Lovell"),
        ("x@x.example", "Xi"),
    ] {
        bench.user_with(name, &json!({ "displayName": display }));
    }
    let made = ida.submit("/o/acme/groups/new", &[("name", "Night"), ("description", "")]);
    let night = made.path;
    let add = format!("{night}/members/add");
    open_until(&mut ida, "/o/acme/users", "Xi</a>");
    let one = ida.submit(&add, &[("person", "lovelace")]);
    assert!(
        one.says("Ada Lovelace is in the group now."),
        "{}",
        one.answer.text
    );
    let several = ida.submit(&add, &[("person", "lov")]);
    assert_eq!(several.status(), 422);
    let choices = several.between("<fieldset class=\"stack stack-s\">", "</fieldset>");
    assert!(choices.contains("Several people are called “lov”"), "{choices}");
    assert!(choices.contains("Ada Lovelace") && choices.contains("Grace Lovell") && !choices.contains("Xi"));
    let grace = id_of(&bench, "g.l@x.example");
    assert!(choices.contains(&format!("type=\"radio\" name=\"person\" value=\"{grace}\"")));
    let chosen = ida.submit(&add, &[("person", &grace)]);
    assert!(chosen.says("Grace Lovell is in the group now."));
    assert_eq!(names(&chosen), ["Ada Lovelace", "Grace Lovell"]);
    let nobody = ida.submit(&add, &[("person", "zz")]);
    assert_eq!(
        (nobody.status(), nobody.trouble()),
        (422, "Nobody here is called &#34;zz&#34;.")
    );
    let options = ida.open("/o/acme/users/options?person=LOV");
    assert_eq!(options.answer.text.matches("role=\"option\"").count(), 2);
    assert!(options.says("data-value=\"g.l@x.example\""));
    assert!(
        ida.open("/o/acme/users/options?person=zz")
            .says("Nobody here is called so")
    );
    assert_eq!(ida.open("/o/acme/users/options?person=").answer.text.trim(), "");
}

/// Feature rows 50, 82: in a browser with scripts a person is chosen by arrow keys and Enter, Escape closes the options, and the
/// bar for several people comes with the first tick.
#[test]
fn people_are_chosen_by_keys() {
    let bench = Bench::new(&["--assignment", "local-groups"]);
    for (name, display) in [
        ("a.l@x.example", "Ada Lovelace"),
        ("g.l@x.example", "Grace Lovell"),
    ] {
        bench.user_with(name, &json!({ "displayName": display }));
    }
    let made = bench.run(&["local-group", "create", "acme", "Night"]);
    let mut browser = bench.open_browser();
    browser.goto(&bench.url(&format!("/o/acme/groups/local/{}", made["id"].as_str().unwrap())));
    let (field, options) = (
        "Name of the person to add",
        "#person-options:not([hidden]) [role=option]",
    );
    browser.type_into(field, "lov");
    wait_for_count(&mut browser, options, 2);
    browser.key("Escape");
    wait_for_count(&mut browser, options, 0);
    browser.type_into(field, "e");
    wait_for_count(&mut browser, options, 2);
    browser.key("ArrowDown");
    browser.key("ArrowDown");
    browser.inspect("group-local-options");
    assert_eq!(browser.count("#person[aria-activedescendant=person-2]"), 1);
    browser.key("ArrowDown");
    browser.key("ArrowUp");
    let marked = browser.text("[role=option][aria-selected=true]");
    assert!(marked.starts_with("Grace Lovell"), "{marked}");
    browser.key("Enter");
    wait_for_count(&mut browser, options, 0);
    browser.press("Add");
    browser.wait("#toasts", "Grace Lovell is in the group now.");
    browser.goto(&bench.url("/o/acme/users"));
    browser.wait("#user-list", "Grace Lovell");
    assert_eq!(browser.count(".bulk:visible"), 0);
    browser.tick("Select Grace Lovell");
    browser.wait(".bulk", "Selected people");
    browser.tick("Select all on this page");
    assert_eq!(browser.count("tbody :checked"), 3);
    browser.inspect("users-ticked");
    browser.press_in(".bulk", "Suspend sign-in");
    assert_eq!(browser.heading(), "Suspend the sign-in of 3 people?");
    browser.is_quiet();
}

/// Feature rows 53, 82: a person opens in a panel over the list, at a path of its own, with the focus in it; Escape, Close and
/// the way back lead to the same list, and the focus to where it was. Without scripts, the link leads to the page.
#[test]
fn a_person_opens_in_a_panel_over_the_list() {
    let bench = Bench::new(&[]);
    bench.user_with("ann@x.example", &json!({ "displayName": "Ann" }));
    bench.user_with("bob@x.example", &json!({ "displayName": "Bob" }));
    let (ann, id) = (page_of(&bench, "ann@x.example"), id_of(&bench, "ann@x.example"));
    let mut browser = bench.open_browser();
    browser.goto(&bench.url("/o/acme/users?source=scim&q=a"));
    let focused = format!("[id=\"user-{id}\"]:focus");
    for end in ["back", "Escape", "Close"] {
        wait_for_count(&mut browser, "tbody tr", 1);
        browser.press("Ann");
        browser.wait("#panel dialog", "Managed by SCIM");
        wait_for_count(&mut browser, "#panel-title:focus", 1);
        wait_for_count(&mut browser, "#shell[inert]", 1);
        wait_for_path(&mut browser, &format!("{ann}/panel?source=scim&q=a"));
        match end {
            "Escape" => browser.key("Escape"),
            "Close" => browser.press_in("#panel", "Close"),
            _ => browser.back(),
        }
        wait_for_count(&mut browser, "#panel dialog", 0);
        wait_for_count(&mut browser, "#shell:not([inert])", 1);
        wait_for_path(&mut browser, "/o/acme/users?source=scim&q=a");
        if end != "back" {
            wait_for_count(&mut browser, &focused, 1);
        }
    }
    // The path leads to the same panel by itself, and its close to the list.
    browser.goto(&bench.url(&format!("{ann}/panel?source=scim")));
    assert_eq!(browser.count("#panel-title:focus"), 1);
    browser.key("Escape");
    wait_for_count(&mut browser, "#panel dialog", 0);
    wait_for_count(&mut browser, &focused, 1);
    browser.is_quiet();
    let mut ida = bench.enter_as("eve@acme.example", "Administrator");
    let list = ida.open("/o/acme/users");
    assert!(list.says(&format!("href=\"{ann}\"")));
    let panel = ida.open(&format!("{ann}/panel?show=active"));
    assert!(panel.says("href=\"/o/acme/users?show=active\"") && panel.heading() == "Users");
    assert_eq!(names(&panel).len(), 4);
}
