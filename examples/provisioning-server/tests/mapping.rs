//! Groups of the identity provider become roles: mappings, previews, and roles that mirror groups.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use program::bench::{Bench, texts};
use serde_json::json;

/// Counts the people who have a role.
fn people(bench: &Bench, role: &str) -> u64 {
    bench.run(&["role", "show", "acme", role])["people"]
        .as_u64()
        .unwrap()
}

/// Returns the names of the groups that a list shows.
fn groups(bench: &Bench, flags: &[&str]) -> Vec<String> {
    let listed = bench.run(&[&["group", "list", "acme"], flags].concat());
    let groups = listed["groups"].as_array().unwrap().iter();
    groups
        .map(|group| group["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Feature rows 55, 56: groups that were pushed can be mapped, by name, and leave that list once they are.
#[test]
fn a_pushed_group_can_be_mapped_until_it_is() {
    let bench = Bench::new(&[]);
    assert!(groups(&bench, &["--unmapped"]).is_empty());
    for name in ["Zoo", "admins", "Sales", "sales west"] {
        bench.group(name, &[]);
    }
    assert_eq!(
        groups(&bench, &["--unmapped"]),
        ["admins", "Sales", "sales west", "Zoo"]
    );
    assert_eq!(groups(&bench, &["--search", "SALES"]), ["Sales", "sales west"]);
    assert_eq!(groups(&bench, &["--limit", "1"]), ["admins"]);
    bench.run(&["mapping", "set", "acme", "Sales", "Operator"]);
    assert_eq!(groups(&bench, &["--unmapped"]), ["admins", "sales west", "Zoo"]);
    bench.run(&["mapping", "delete", "acme", "Sales"]);
    assert_eq!(
        groups(&bench, &["--unmapped"]),
        ["admins", "Sales", "sales west", "Zoo"]
    );
    bench.is_sound();
}

/// Feature rows 57, 58, 77: a group has one or several roles, all its members have them with the change, and a preview says
/// so before.
#[test]
fn a_preview_says_what_the_mapping_does() {
    let bench = Bench::new(&[]);
    let people_ids: Vec<_> = (0..3).map(|n| bench.user(&format!("p{n}@x.example"))).collect();
    let ids: Vec<_> = people_ids.iter().map(String::as_str).collect();
    bench.group("Crew", &ids);
    bench.group("Night", &ids[..1]);
    let preview = bench.run(&[
        "mapping",
        "set",
        "acme",
        "Crew",
        "Operator",
        "Read only",
        "--preview",
    ]);
    assert_eq!(preview["applied"], false);
    assert_eq!(preview["people"], 3);
    assert_eq!(
        preview["effect"],
        "3 people gain Operator, 3 people gain Read only."
    );
    assert_eq!(people(&bench, "Operator"), 0, "a preview changes nothing");
    let done = bench.run(&["mapping", "set", "acme", "Crew", "Operator", "Read only"]);
    assert_eq!(
        (&done["effect"], &done["roles"], &done["applied"]),
        (&preview["effect"], &preview["roles"], &json!(true))
    );
    assert_eq!((people(&bench, "Operator"), people(&bench, "Read only")), (3, 3));
    // Whoever has a role by another group does not lose it.
    bench.run(&["mapping", "set", "acme", "Night", "Operator"]);
    let smaller = bench.run(&["mapping", "set", "acme", "Crew", "Read only"]);
    assert_eq!(smaller["effect"], "2 people lose Operator.");
    assert_eq!(smaller["people"], 2);
    assert_eq!(people(&bench, "Operator"), 1);
    let again = bench.run(&["mapping", "set", "acme", "Crew", "Read only"]);
    assert_eq!(again["effect"], "Nobody gains or loses anything.");
    let listed = bench.run(&["mapping", "list", "acme"]);
    let mapped: Vec<_> = listed["mappings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["group"], &one["roles"]))
        .collect();
    assert_eq!(
        mapped,
        [
            (&json!("Crew"), &json!(["Read only"])),
            (&json!("Night"), &json!(["Operator"]))
        ]
    );
    bench.is_sound();
}

/// Feature rows 60, 61: roles are those of all groups of a person; who leaves a group, or whose group is removed, has the
/// others, and a disabled person has none.
#[test]
fn a_person_has_the_roles_of_their_groups() {
    let bench = Bench::new(&[]);
    let ann = bench.user("ann@x.example");
    let bob = bench.user("bob@x.example");
    let crew = bench.group("Crew", &[&ann, &bob]);
    let night = bench.group("Night", &[&ann]);
    bench.run(&["mapping", "set", "acme", "Crew", "Operator"]);
    bench.run(&["mapping", "set", "acme", "Night", "Operator", "Read only"]);
    assert_eq!((people(&bench, "Operator"), people(&bench, "Read only")), (2, 1));
    bench.leave(&crew, &ann);
    assert_eq!((people(&bench, "Operator"), people(&bench, "Read only")), (2, 1));
    let off = json!([{ "op": "replace", "path": "active", "value": false }]);
    assert_eq!(bench.patch(&format!("/Users/{ann}"), &off).status, 200);
    assert_eq!((people(&bench, "Operator"), people(&bench, "Read only")), (1, 0));
    let on = json!([{ "op": "replace", "path": "active", "value": true }]);
    assert_eq!(bench.patch(&format!("/Users/{ann}"), &on).status, 200);
    assert_eq!((people(&bench, "Operator"), people(&bench, "Read only")), (2, 1));
    bench.delete(&format!("/Groups/{night}"));
    assert_eq!((people(&bench, "Operator"), people(&bench, "Read only")), (1, 0));
    let listed = bench.run(&["mapping", "list", "acme"]);
    assert_eq!(
        listed["mappings"].as_array().unwrap().len(),
        1,
        "the mapping goes with the group"
    );
    bench.is_sound();
}

/// Feature row 60: only direct membership gives roles.
#[test]
fn a_group_in_a_group_gives_nothing() {
    let bench = Bench::new(&[]);
    let ann = bench.user("ann@x.example");
    let inner = bench.group("Inner", &[&ann]);
    bench.group("Outer", &[&inner]);
    bench.run(&["mapping", "set", "acme", "Outer", "Operator"]);
    assert_eq!(people(&bench, "Operator"), 0);
    assert_eq!(bench.run(&["group", "show", "acme", "Outer"])["members"], 0);
}

/// Feature row 62b: a renamed group keeps its mapping, and of two groups of one name each is named by its id.
#[test]
fn a_mapping_is_of_the_group_and_not_of_its_name() {
    let bench = Bench::new(&[]);
    let ann = bench.user("ann@x.example");
    let crew = bench.group("Crew", &[&ann]);
    bench.run(&["mapping", "set", "acme", "Crew", "Operator"]);
    let rename = json!([{ "op": "replace", "path": "displayName", "value": "Night" }]);
    assert_eq!(bench.patch(&format!("/Groups/{crew}"), &rename).status, 200);
    assert_eq!(people(&bench, "Operator"), 1);
    let other = bench.group("night ", &[]);
    let refused = bench.refused(&["mapping", "set", "acme", "NIGHT", "Operator"]);
    assert!(refused.contains(&crew) && refused.contains(&other), "{refused}");
    bench.run(&["mapping", "set", "acme", &other, "Read only"]);
    let shown = bench.run(&["group", "show", "acme", &crew]);
    assert_eq!(
        (&shown["name"], texts(&shown["roles"])),
        (&json!("Night"), vec!["Operator"])
    );
    assert_eq!(texts(&shown["first"]), ["ann@x.example"]);
}

/// Feature row 62: where groups are mirrored, each is a role without permissions until somebody gives it some.
#[test]
fn a_mirrored_group_is_a_role() {
    let bench = Bench::new(&["--groups", "mirror"]);
    let ann = bench.user("ann@x.example");
    let crew = bench.group("Crew", &[&ann]);
    // A role of the organization's own that has the same name is another one.
    bench.run(&["role", "create", "acme", "Crew", "--allow", "users:read"]);
    let roles = bench.run(&["role", "list", "acme"]);
    let mirrored = roles["roles"]
        .as_array()
        .unwrap()
        .iter()
        .find(|role| role["mirrored"] == true)
        .unwrap();
    assert_eq!(
        (
            &mirrored["name"],
            &mirrored["needs_permissions"],
            &mirrored["permissions"]
        ),
        (&json!("Crew"), &json!(true), &json!([]))
    );
    let id = mirrored["id"].as_str().unwrap();
    let given = bench.run(&["role", "set", "acme", id, "--allow", "app:reports"]);
    assert_eq!(
        (&given["people"], &given["needs_permissions"]),
        (&json!(1), &json!(false))
    );
    let refused = bench.refused(&["role", "set", "acme", id, "--rename", "Other"]);
    assert!(refused.contains("mirrors a group"), "{refused}");
    assert!(
        bench
            .refused(&["role", "delete", "acme", id, "--yes"])
            .contains("mirrors a group")
    );
    assert!(
        bench
            .refused(&["mapping", "set", "acme", "Crew", "Operator"])
            .contains("have no effect")
    );
    let rename = json!([{ "op": "replace", "path": "displayName", "value": "Night" }]);
    assert_eq!(bench.patch(&format!("/Groups/{crew}"), &rename).status, 200);
    assert_eq!(bench.run(&["role", "show", "acme", id])["name"], "Night");
    bench.delete(&format!("/Groups/{crew}"));
    assert!(
        bench
            .refused(&["role", "show", "acme", id])
            .contains("has no role")
    );
    bench.is_sound();
}

/// Feature row 112: roles are made, renamed, edited and removed; a new organization has three.
#[test]
fn roles_have_a_life() {
    let bench = Bench::new(&[]);
    let names = |bench: &Bench| -> Vec<String> {
        let listed = bench.run(&["role", "list", "acme"]);
        let roles = listed["roles"].as_array().unwrap().iter();
        roles
            .map(|role| role["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&bench), ["Administrator", "Operator", "Read only"]);
    let made = bench.run(&[
        "role",
        "create",
        "acme",
        "Help desk",
        "--allow",
        "users:read",
        "--allow",
        "app:tickets",
    ]);
    assert_eq!(texts(&made["permissions"]), ["users:read", "app:tickets"]);
    assert!(
        bench
            .refused(&["role", "create", "acme", " help DESK"])
            .contains("already")
    );
    let set = bench.run(&[
        "role",
        "set",
        "acme",
        "help desk",
        "--rename",
        "First line",
        "--deny",
        "users:read",
    ]);
    assert_eq!(
        (&set["name"], texts(&set["permissions"])),
        (&json!("First line"), vec!["app:tickets"])
    );
    let (code, said) = bench
        .place
        .refusal(&["role", "set", "acme", "First line", "--allow", "users:fly"]);
    assert_eq!((code, &said["error"]), (2, &json!("usage")), "{said}");
    assert!(
        bench
            .refused(&["role", "set", "acme", "First line"])
            .contains("Nothing to change")
    );
    let ann = bench.user("ann@x.example");
    bench.group("Crew", &[&ann]);
    bench.run(&["mapping", "set", "acme", "Crew", "First line"]);
    let refused = bench.refused(&["role", "delete", "acme", "First line"]);
    assert!(
        refused.contains("1 person would lose") && refused.contains("ann@x.example"),
        "{refused}"
    );
    let gone = bench.run(&["role", "delete", "acme", "First line", "--yes"]);
    assert_eq!(
        (&gone["people"], texts(&gone["first"])),
        (&json!(1), vec!["ann@x.example"])
    );
    assert_eq!(names(&bench), ["Administrator", "Operator", "Read only"]);
    assert_eq!(bench.run(&["mapping", "list", "acme"])["mappings"], json!([]));
    bench.is_sound();
}

/// Feature rows 70, 80: each change of a role or mapping is an event with the number of people, and so for the audit log.
#[test]
fn changes_of_roles_and_mappings_are_told() {
    let bench = Bench::new(&[]);
    let ann = bench.user("ann@x.example");
    bench.group("Crew", &[&ann]);
    bench.run(&["mapping", "set", "acme", "Crew", "Operator"]);
    bench.run(&["role", "set", "acme", "Operator", "--allow", "app:x"]);
    bench.run(&["role", "delete", "acme", "Operator", "--yes"]);
    let feed = bench.run(&["event", "list", "acme"]);
    let told: Vec<_> = feed["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (event["kind"].as_str().unwrap(), event["people"].as_u64().unwrap()))
        .collect();
    let ours: Vec<_> = told
        .iter()
        .filter(|(kind, _)| kind.starts_with("role") || kind.starts_with("mapping"))
        .collect();
    assert_eq!(
        ours,
        [
            &("mapping.changed", 1),
            &("role.changed", 1),
            &("role.removed", 1)
        ]
    );
}
