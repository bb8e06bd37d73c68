//! People, groups and roles of the organization "acme", and the pages that show them.

use serde_json::json;

use super::bench::Bench;
use super::person::Page;

/// Returns the path of the page of a person.
pub fn page_of(bench: &Bench, name: &str) -> String {
    let shown = bench.run(&["user", "show", "acme", name]);
    format!("/o/acme/users/{}", shown["id"].as_str().unwrap())
}

/// Returns the path of the page of a role.
pub fn page_of_role(bench: &Bench, name: &str) -> String {
    let shown = bench.run(&["role", "show", "acme", name]);
    format!("/o/acme/roles/{}", shown["id"].as_str().unwrap())
}

/// Returns the names that the list shows, in order.
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
