//! People, groups and roles of the organization "acme", and the pages that show them.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;

use super::bench::Bench;
use super::person::{Page, Person};

/// Opens a page again and again until it says something: what others write is seen a moment later.
pub fn open_until(person: &mut Person<'_>, path: &str, text: &str) -> Page {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let page = person.open(path);
        if page.says(text) {
            return page;
        }
        assert!(
            Instant::now() < until,
            "{path} does not say {text:?}: {}",
            page.answer.text
        );
        sleep(Duration::from_millis(50));
    }
}

/// The path of the page of a person.
pub fn page_of(bench: &Bench, name: &str) -> String {
    let shown = bench.run(&["user", "show", "acme", name]);
    format!("/o/acme/users/{}", shown["id"].as_str().unwrap())
}

/// The path of the page of a role.
pub fn page_of_role(bench: &Bench, name: &str) -> String {
    let shown = bench.run(&["role", "show", "acme", name]);
    format!("/o/acme/roles/{}", shown["id"].as_str().unwrap())
}

/// The names that the list shows, in order.
pub fn names(page: &Page) -> Vec<String> {
    let rows = page.answer.text.split("class=\"row-link\"").skip(1);
    rows.map(|row| {
        let text = row.split_once('>').unwrap().1;
        text.split_once('<').unwrap().0.to_owned()
    })
    .collect()
}

/// Makes a group that gives its members the role "Desk", and returns its id.
pub fn crew(bench: &Bench, members: &[&str]) -> String {
    let group = bench.group("Crew", members);
    bench.run(&["role", "create", "acme", "Desk", "--allow", "users:read"]);
    bench.run(&["mapping", "set", "acme", "Crew", "Desk"]);
    group
}

/// Has the provider say whether somebody is active.
pub fn set_active(bench: &Bench, user: &str, active: bool) {
    let operation = json!([{ "op": "replace", "path": "active", "value": active }]);
    assert_eq!(bench.patch(&format!("/Users/{user}"), &operation).status, 200);
}
