//! `export` and `import` carry who has access to what: accounts, roles, mappings, local groups and grants.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use std::fs;

use program::Place;
use program::bench::Bench;
use serde_json::{Value, json};

/// Makes an organization that has one of everything by which people have access.
fn full() -> Bench {
    let bench = Bench::new(&["--assignment", "local-groups"]);
    let ids: Vec<_> = ["ada", "bob", "cleo", "dan"]
        .iter()
        .map(|name| bench.user_with(&format!("{name}@x.example"), &json!({ "externalId": name })))
        .collect();
    bench.group("Sales", &[&ids[0], &ids[1]]);
    bench.group("Support", &[&ids[1], &ids[2]]);
    for arguments in [
        &[
            "role",
            "create",
            "acme",
            "Auditor",
            "--allow",
            "audit:read",
            "--allow",
            "app:reports",
        ][..],
        &[
            "role",
            "set",
            "acme",
            "Operator",
            "--rename",
            "Helper",
            "--deny",
            "mappings:write",
        ],
        &["role", "delete", "acme", "Read only"],
        &["mapping", "set", "acme", "Sales", "Auditor", "Helper"],
        &["mapping", "set", "acme", "Support", "Administrator"],
        &[
            "local-group",
            "create",
            "acme",
            "Board",
            "--description",
            "Decides",
        ],
        &["local-group", "set", "acme", "Board", "--allow", "Auditor"],
        &["user", "create", "acme", "root@x.example", "--display", "Root"],
        &["user", "create", "acme", "out@x.example"],
        &["user", "create", "acme", "gone@x.example"],
        &[
            "local-group",
            "add",
            "acme",
            "Board",
            "root@x.example",
            "cleo@x.example",
        ],
        &[
            "user",
            "grant",
            "acme",
            "root@x.example",
            "--role",
            "Administrator",
        ],
        &[
            "user",
            "grant",
            "acme",
            "root@x.example",
            "--permission",
            "app:own",
        ],
        &[
            "user",
            "grant",
            "acme",
            "ada@x.example",
            "--permission",
            "app:ada",
        ],
        &[
            "user",
            "grant",
            "acme",
            "dan@x.example",
            "--permission",
            "app:dan",
        ],
        &[
            "user",
            "suspend",
            "acme",
            "bob@x.example",
            "--reason",
            "lost laptop",
        ],
        &[
            "user",
            "suspend",
            "acme",
            "root@x.example",
            "--reason",
            "on leave",
        ],
        &["user", "disable", "acme", "out@x.example"],
        &["user", "remove", "acme", "gone@x.example"],
    ] {
        bench.run(arguments);
    }
    bench
}

/// Lets each group be a role of its own, and one of them permit something. Its mappings stay, and sleep.
fn mirror(bench: &Bench) {
    bench.run(&[
        "org",
        "set",
        "acme",
        "--groups",
        "mirror",
        "--on-delete",
        "deactivate",
    ]);
    let roles = bench.run(&["role", "list", "acme"]);
    let mut roles = roles["roles"].as_array().unwrap().iter();
    let role = roles.find(|role| role["mirrored"] == true && role["name"] == "Sales");
    let id = role.unwrap()["id"].as_str().unwrap();
    bench.run(&["role", "set", "acme", id, "--allow", "app:sales"]);
}

/// Writes a file of the whole organization.
fn export(place: &Place, name: &str) -> String {
    let file = place.path(name);
    place.json(&["export", "acme", "--out", &file]);
    file
}

/// Returns the lines but the first and the last.
fn content(file: &str) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines[1..lines.len() - 1].to_vec()
}

/// Sorts roles: they are shown in the order of their ids, which mean nothing.
fn sort(shown: &mut Value) {
    let roles = shown["roles"].as_array_mut().unwrap();
    roles.sort_by_key(|role| role["role"].to_string());
    for permission in shown["permissions"].as_array_mut().unwrap() {
        let why = permission["why"].as_array_mut().unwrap();
        why.sort_by_key(Value::to_string);
    }
}

/// Returns the access of everybody, and the reasons, by name.
fn access(place: &Place) -> Vec<Value> {
    let mut all = Vec::new();
    for state in ["active", "disabled"] {
        let listed = place.json(&["user", "list", "acme", "--state", state]);
        for user in listed["users"].as_array().unwrap() {
            let mut shown = place.json(&["user", "show", "acme", user["id"].as_str().unwrap()]);
            shown.as_object_mut().unwrap().remove("changed");
            sort(&mut shown);
            all.push(shown);
        }
    }
    all
}

/// Feature row 115: everything by which people have access moves along, under the same ids, and nobody can do more or less
/// than before. Whatever is exported there is what was exported here.
#[test]
fn access_moves_with_the_organization() {
    for mirrors in [false, true] {
        let bench = full();
        // Somebody who comes back, and whose permission waits; and somebody who does not.
        let ids = ["dan@x.example", "ada@x.example"].map(|name| {
            let shown = bench.run(&["user", "show", "acme", name]);
            shown["scim_id"].as_str().unwrap().to_owned()
        });
        if mirrors {
            mirror(&bench);
            bench.delete(&format!("/Users/{}", ids[0]));
            bench.user_with("dan@x.example", &json!({ "externalId": "dan" }));
            bench.delete(&format!("/Users/{}", ids[1]));
        }
        let before = access(&bench.place);
        let waits = before.iter().any(|user| user["waiting"] == json!(["app:dan"]));
        assert_eq!(waits, mirrors);
        let file = export(&bench.place, "acme.jsonl");
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains(&bench.token) && !text.contains("fingerprint"));

        let target = Place::new();
        let imported = target.json(&["import", &file]);
        assert_eq!(imported["complete"], true, "{imported}");
        let lines = content(&file);
        let about_access = lines
            .iter()
            .filter(|line| line.starts_with("{\"access\""))
            .count();
        assert_eq!(imported["access"], about_access);
        let after = access(&target);
        assert_eq!(after, before);
        assert_eq!(content(&export(&target, "copy.jsonl")), lines);
        assert_eq!(target.json(&["check"])["sound"], true);

        let again = target.json(&["import", &file]);
        assert_eq!((&again["access"], &again["people"]), (&json!(0), &json!(0)));
        assert_eq!(again["unchanged"], lines.len());
        let audit = target.json(&["audit", "list", "acme"]);
        let actions: Vec<_> = audit["changes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["action"].as_str().unwrap())
            .collect();
        assert!(actions.contains(&"organization.import"), "{actions:?}");
    }
}

/// Feature row 115: a copy beside its original has ids of its own, and the same access.
#[test]
fn ids_that_another_organization_has_are_not_taken_over() {
    let bench = full();
    let file = export(&bench.place, "acme.jsonl");
    bench.run(&["import", &file, "--org", "copy"]);
    let ids = |organization: &str| -> Vec<String> {
        let listed = bench.run(&["user", "list", organization]);
        let users = listed["users"].as_array().unwrap().iter();
        users
            .map(|user| user["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let (original, copy) = (ids("acme"), ids("copy"));
    assert_eq!(original.len(), copy.len());
    assert!(copy.iter().all(|id| !original.contains(id)));
    for name in [
        "ada@x.example",
        "bob@x.example",
        "cleo@x.example",
        "root@x.example",
    ] {
        let show = |organization: &str| {
            let mut shown = bench.run(&["user", "show", organization, name]);
            sort(&mut shown);
            shown
        };
        let (here, there) = (show("acme"), show("copy"));
        for key in ["roles", "permissions", "local_groups", "waiting", "state"] {
            assert_eq!(there[key], here[key], "{name}");
        }
        assert_eq!(there["suspended"]["reason"], here["suspended"]["reason"]);
    }
    bench.is_sound();
}

/// Feature row 115: into an organization that has roles, roles go by their names, and nobody has more by that than the file
/// says.
#[test]
fn roles_of_the_same_name_are_one_role_unless_the_one_here_permits_more() {
    let bench = full();
    let file = export(&bench.place, "acme.jsonl");
    let target = Place::new();
    target.json(&["org", "create", "acme", "--assignment", "local-groups"]);
    let helper = |place: &Place, allow: &str| {
        place.json(&["role", "create", "acme", "Helper", "--allow", allow]);
        place.json(&["role", "show", "acme", "Helper"])["id"].clone()
    };
    let more = helper(&target, "app:more");
    let (code, refused) = target.refusal(&["import", &file, "--org", "acme"]);
    assert_eq!(code, 1);
    let detail = refused["detail"].as_str().unwrap();
    assert!(
        detail.contains("permits more") && detail.contains("app:more"),
        "{detail}"
    );
    target.json(&[
        "role",
        "set",
        "acme",
        "Helper",
        "--deny",
        "app:more",
        "--allow",
        "users:read",
    ]);
    let done = target.json(&["import", &file, "--org", "acme"]);
    assert_eq!(done["complete"], true);
    let role = target.json(&["role", "show", "acme", "Helper"]);
    assert_eq!(
        (&role["id"], &role["permissions"]),
        (&more, &json!(["users:read"]))
    );
    let ada = target.json(&["user", "show", "acme", "ada@x.example"]);
    let roles: Vec<_> = ada["roles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|held| &held["role"])
        .collect();
    assert!(roles.contains(&&json!("Helper")), "{ada}");
    assert_eq!(target.json(&["check"])["sound"], true);
}

/// Feature rows 35, 115: a file takes over no account that is here under the same name, and lifts no suspension.
#[test]
fn a_file_takes_nothing_over() {
    let bench = full();
    let file = export(&bench.place, "acme.jsonl");
    let target = Place::new();
    target.json(&["org", "create", "acme"]);
    target.json(&["user", "create", "acme", "root@x.example"]);
    let (_, refused) = target.refusal(&["import", &file, "--org", "acme"]);
    assert!(
        refused["detail"].as_str().unwrap().contains("is taken"),
        "{refused}"
    );
    let root = target.json(&["user", "show", "acme", "root@x.example"]);
    assert_eq!(root["permissions"], json!([]));

    bench.run(&["user", "resume", "acme", "bob@x.example"]);
    bench.run(&["user", "suspend", "acme", "cleo@x.example", "--reason", "later"]);
    bench.run(&["import", &file]);
    let suspended = bench.run(&["user", "list", "acme", "--suspended"]);
    let names: Vec<_> = suspended["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["bob@x.example", "cleo@x.example", "root@x.example"]);
}

/// Feature row 115: a line that gives what only groups give, or names what is not there, is refused with its number.
#[test]
fn lines_that_break_a_rule_are_refused() {
    let bench = full();
    let file = export(&bench.place, "acme.jsonl");
    let text = fs::read_to_string(&file).unwrap();
    let ada = bench.run(&["user", "show", "acme", "ada@x.example"])["id"].clone();
    let grant = text.lines().find(|line| line.contains("role-grant")).unwrap();
    let mut to_ada: Value = serde_json::from_str(grant).unwrap();
    to_ada["holder"] = json!({ "account": ada });
    for (bad, expected) in [
        (grant.replace("\"hand\"", "\"mapping\""), "follow from groups"),
        (ordered(&to_ada), "managed by the identity provider"),
        (grant.replace("\"role\":\"0", "\"role\":\"f"), "there is none"),
        (grant.replace("\"by\"", "\"bye\""), "is not valid"),
    ] {
        let place = Place::new();
        let path = place.file("bad.jsonl", &text.replacen(grant, &bad, 1));
        let (_, refused) = place.refusal(&["import", &path]);
        let detail = refused["detail"].as_str().unwrap();
        assert!(
            detail.starts_with("Line ") && detail.contains(expected),
            "{detail}"
        );
        let good = place.json(&["import", &file]);
        assert_eq!(good["complete"], true, "{good}");
    }
}

/// Writes a line as the program does: what it is comes first.
fn ordered(line: &Value) -> String {
    let mut line = line.as_object().unwrap().clone();
    let kind = line.remove("access").unwrap();
    let rest = serde_json::to_string(&line).unwrap();
    format!("{{\"access\":{kind},{}", &rest[1..])
}
