//! Accounts: provisioned people and manual accounts, what they may do and why, and what is decided by hand.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use program::bench::{Bench, USER, texts};
use serde_json::{Value, json};

/// Returns the names of the people whom a list shows.
fn users(bench: &Bench, flags: &[&str]) -> Vec<String> {
    let listed = bench.run(&[&["user", "list", "acme"], flags].concat());
    let users = listed["users"].as_array().unwrap().iter();
    users
        .map(|user| user["name"].as_str().unwrap().to_owned())
        .collect()
}

fn show(bench: &Bench, user: &str) -> Value {
    bench.run(&["user", "show", "acme", user])
}

/// Returns the names of the permissions of a person.
fn permissions(shown: &Value) -> Vec<&str> {
    let held = shown["permissions"].as_array().unwrap().iter();
    held.map(|held| held["permission"].as_str().unwrap()).collect()
}

fn set_active(bench: &Bench, user: &str, active: bool) {
    let operation = json!([{ "op": "replace", "path": "active", "value": active }]);
    assert_eq!(bench.patch(&format!("/Users/{user}"), &operation).status, 200);
}

/// Feature row 42: somebody who is provisioned without a group has nothing.
#[test]
fn a_person_without_a_group_has_nothing() {
    let bench = Bench::new(&[]);
    let ann = bench.user("ann@x.example");
    let shown = show(&bench, "Ann@X.example");
    assert_eq!(
        (&shown["scim_id"], &shown["state"], &shown["managed_by"]),
        (&json!(ann), &json!("active"), &json!("scim"))
    );
    assert_eq!((&shown["roles"], &shown["permissions"]), (&json!([]), &json!([])));
}

/// Feature row 77: each role and permission is shown with every way that leads to it.
#[test]
fn access_is_explained() {
    let bench = Bench::new(&[]);
    let ann = bench.user("ann@x.example");
    bench.group("Crew", &[&ann]);
    bench.group("Night", &[&ann]);
    bench.run(&["role", "create", "acme", "Desk", "--allow", "users:read"]);
    bench.run(&["mapping", "set", "acme", "Crew", "Desk"]);
    bench.run(&["mapping", "set", "acme", "Night", "Desk"]);
    bench.run(&[
        "user",
        "grant",
        "acme",
        "ann@x.example",
        "--permission",
        "app:reports",
    ]);
    let shown = show(&bench, "ann@x.example");
    assert_eq!(
        shown["roles"],
        json!([{ "role": "Desk", "why": [
            { "origin": "mapping", "group": "Crew" },
            { "origin": "mapping", "group": "Night" },
        ]}])
    );
    assert_eq!(
        shown["permissions"],
        json!([
            { "permission": "users:read", "why": [
                { "origin": "mapping", "role": "Desk", "group": "Crew" },
                { "origin": "mapping", "role": "Desk", "group": "Night" },
            ]},
            { "permission": "app:reports", "why": [{ "origin": "hand" }] },
        ])
    );
}

/// Feature rows 43, 44, 45: roles of provisioned people are not given by hand, permissions are, and those outlive changes of
/// the provider.
#[test]
fn permissions_are_given_by_hand_and_roles_are_not() {
    let bench = Bench::new(&[]);
    let ann = bench.user("ann@x.example");
    let refused = bench.refused(&["user", "grant", "acme", "ann@x.example", "--role", "Operator"]);
    assert!(refused.contains("its roles come by groups"), "{refused}");
    let refused = bench.refused(&["user", "revoke", "acme", "ann@x.example", "--role", "Operator"]);
    assert!(refused.contains("its roles come by groups"), "{refused}");
    bench.run(&[
        "user",
        "grant",
        "acme",
        "ann@x.example",
        "--permission",
        "users:read",
    ]);
    let body = json!({ "schemas": [USER], "userName": "ann@x.example", "title": "Cook" });
    assert_eq!(bench.send("PUT", &format!("/Users/{ann}"), &body).status, 200);
    set_active(&bench, &ann, false);
    assert!(
        permissions(&show(&bench, "ann@x.example")).is_empty(),
        "a disabled person has none"
    );
    set_active(&bench, &ann, true);
    assert_eq!(permissions(&show(&bench, "ann@x.example")), ["users:read"]);
    let left = bench.run(&[
        "user",
        "revoke",
        "acme",
        "ann@x.example",
        "--permission",
        "users:read",
    ]);
    assert!(permissions(&left).is_empty());
    bench.is_sound();
}

/// Feature rows 34, 35, 104: a manual account is neither seen nor taken over by SCIM, and its name is taken.
#[test]
fn a_manual_account_is_out_of_reach_of_scim() {
    let bench = Bench::new(&[]);
    let made = bench.run(&["user", "create", "acme", "root@x.example", "--display", "Root"]);
    let account = made["id"].as_str().unwrap();
    for name in ["root@x.example", "ROOT@x.example"] {
        let body = json!({ "schemas": [USER], "userName": name });
        let refused = bench.send("POST", "/Users", &body);
        assert_eq!(
            (refused.status, refused.body["scimType"].as_str()),
            (409, Some("uniqueness")),
            "{}",
            refused.text
        );
        assert!(refused.detail().contains("managed by hand"), "{}", refused.text);
    }
    let found = bench.get("/Users?filter=userName%20eq%20%22root@x.example%22");
    assert_eq!(found.body["totalResults"], 0);
    for (method, status) in [("GET", 404), ("DELETE", 404), ("PATCH", 404), ("PUT", 404)] {
        let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "replace", "path": "active", "value": false }], "userName": "x@x.example" });
        let answer = bench.send(method, &format!("/Users/{account}"), &body);
        assert!(
            answer.status == status || (method == "PUT" && answer.status == 400),
            "{method}: {}",
            answer.text
        );
    }
    // Nor is somebody renamed to it, or a manual account made of a name that is taken.
    let ann = bench.user("ann@x.example");
    let rename = json!([{ "op": "replace", "path": "userName", "value": "root@x.example" }]);
    assert_eq!(bench.patch(&format!("/Users/{ann}"), &rename).status, 409);
    assert_eq!(show(&bench, "ann@x.example")["scim_id"], json!(ann));
    assert!(
        bench
            .refused(&["user", "create", "acme", "Ann@x.example"])
            .contains("is taken")
    );
    bench.is_sound();
}

/// Feature rows 49, 53, 103, 112: manual accounts are looked after here, and only they; roles are given to them by hand.
#[test]
fn a_manual_account_has_a_life_of_its_own() {
    let bench = Bench::new(&[]);
    bench.run(&["user", "create", "acme", "root@x.example"]);
    let given = bench.run(&["user", "grant", "acme", "root@x.example", "--role", "Read only"]);
    assert_eq!(given["roles"][0]["why"], json!([{ "origin": "hand" }]));
    let off = bench.run(&["user", "disable", "acme", "root@x.example"]);
    assert_eq!((&off["state"], &off["roles"]), (&json!("disabled"), &json!([])));
    let on = bench.run(&["user", "enable", "acme", "root@x.example"]);
    assert_eq!(on["roles"][0]["role"], "Read only");
    let renamed = bench.run(&[
        "user",
        "set",
        "acme",
        "root@x.example",
        "--rename",
        "owner@x.example",
    ]);
    assert_eq!(renamed["address"], "owner@x.example");
    bench.user("root@x.example");
    bench.run(&["user", "remove", "acme", "owner@x.example"]);
    assert_eq!(users(&bench, &[]), ["root@x.example"]);
    assert_eq!(users(&bench, &["--state", "removed"]), ["owner@x.example"]);
    bench.user("owner@x.example");
    let ours = bench.refused(&["user", "disable", "acme", "root@x.example"]);
    assert!(ours.contains("managed by the identity provider"), "{ours}");
    assert!(
        bench
            .refused(&["user", "remove", "acme", "root@x.example"])
            .contains("managed by the identity provider")
    );
    assert!(
        bench
            .refused(&["user", "set", "acme", "root@x.example", "--display", "X"])
            .contains("managed by the identity")
    );
    assert!(
        bench
            .refused(&["user", "create", "acme", "nobody"])
            .contains("expected an e-mail address")
    );
    bench.is_sound();
}

/// Feature row 46: what becomes of somebody whom the provider deletes, by setting.
#[test]
fn a_deleted_person_is_hidden_or_listed_as_disabled() {
    for (setting, state, listed) in [("remove", "removed", 0), ("deactivate", "disabled", 1)] {
        let bench = Bench::new(&["--on-delete", setting]);
        let ann = bench.user("ann@x.example");
        bench.delete(&format!("/Users/{ann}"));
        assert_eq!(bench.get(&format!("/Users/{ann}")).status, 404);
        assert_eq!(users(&bench, &[]).len(), listed, "{setting}");
        let shown = show(&bench, &ann);
        assert_eq!(
            (&shown["state"], &shown["name"], texts(&shown["former_scim_ids"])),
            (&json!(state), &json!("ann@x.example"), vec![ann.as_str()])
        );
        let again = bench.user("ann@x.example");
        assert_ne!(again, ann);
        bench.is_sound();
    }
}

/// Feature row 47: a deleted person who is created again has the account of before only if the provider's own id says that it
/// is the same person, and then individual permissions wait.
#[test]
fn a_person_comes_back_only_with_the_same_external_id() {
    let bench = Bench::new(&["--on-delete", "deactivate"]);
    let known = json!({ "externalId": "e-1" });
    let ann = bench.user_with("ann@x.example", &known);
    bench.run(&[
        "user",
        "grant",
        "acme",
        "ann@x.example",
        "--permission",
        "app:reports",
    ]);
    let account = show(&bench, &ann)["id"].clone();
    bench.delete(&format!("/Users/{ann}"));
    // A recycled name inherits nothing.
    let other = bench.user_with("ann@x.example", &json!({ "externalId": "e-2" }));
    assert_ne!(show(&bench, &other)["id"], account);
    bench.delete(&format!("/Users/{other}"));
    let nameless = bench.user("ann@x.example");
    assert_ne!(show(&bench, &nameless)["id"], account);
    bench.delete(&format!("/Users/{nameless}"));
    let back = bench.user_with("ann@x.example", &known);
    let shown = show(&bench, "ann@x.example");
    assert_eq!((&shown["id"], &shown["scim_id"]), (&account, &json!(back)));
    assert_eq!(texts(&shown["former_scim_ids"]), [ann.as_str()]);
    assert_eq!(
        (permissions(&shown).len(), texts(&shown["waiting"])),
        (0, vec!["app:reports"])
    );
    let released = bench.run(&[
        "user",
        "grant",
        "acme",
        "ann@x.example",
        "--permission",
        "app:reports",
    ]);
    assert_eq!(
        (permissions(&released), &released["waiting"]),
        (vec!["app:reports"], &json!([]))
    );
    bench.is_sound();
}

/// Returns the entries of the inbox in one state.
fn inbox(bench: &Bench, state: &str) -> Vec<Value> {
    let listed = bench.run(&["conflict", "list", "acme", "--state", state]);
    listed["conflicts"].as_array().unwrap().clone()
}

/// Feature rows 47, 99: permissions that wait are in the inbox as long as they do: the provider decides nothing of them.
#[test]
fn permissions_that_wait_are_in_the_inbox() {
    let bench = Bench::new(&["--on-delete", "deactivate"]);
    let name = "ann@x.example";
    let known = json!({ "externalId": "e-1" });
    let ann = bench.user_with(name, &known);
    let grant = ["user", "grant", "acme", name, "--permission"];
    for permission in ["app:reports", "app:files"] {
        bench.run(&[&grant[..], &[permission]].concat());
    }
    assert_eq!(inbox(&bench, "open"), Vec::<Value>::new());
    bench.delete(&format!("/Users/{ann}"));
    let back = bench.user_with(name, &known);
    let open = inbox(&bench, "open");
    let [entry] = &open[..] else { panic!("{open:#?}") };
    assert_eq!(
        (&entry["kind"], &entry["name"], &entry["account"]),
        (
            &json!("waiting-permissions"),
            &json!(name),
            &show(&bench, name)["id"]
        )
    );
    assert!(
        entry["detail"]
            .as_str()
            .unwrap()
            .starts_with("2 permissions wait")
    );
    let request = bench.run(&["history", "show", "acme", entry["request"].as_str().unwrap()]);
    assert_eq!(request["status"], 201);
    set_active(&bench, &back, false);
    set_active(&bench, &back, true);
    bench.run(&[&grant[..], &["app:reports"]].concat());
    assert_eq!(inbox(&bench, "open").len(), 1, "one waits still");
    bench.is_sound();
    // Put aside, it ends with what it tells of nevertheless.
    let id = entry["id"].as_str().unwrap();
    bench.run(&["conflict", "ignore", "acme", id]);
    bench.is_sound();
    bench.run(&["user", "revoke", "acme", name, "--permission", "app:files"]);
    assert_eq!(inbox(&bench, "resolved").len(), 1);
    bench.is_sound();
    // Nobody decides over somebody who is gone; whoever comes back is there again.
    bench.delete(&format!("/Users/{back}"));
    let again = bench.user_with(name, &known);
    assert_eq!(inbox(&bench, "open")[0]["id"], id);
    bench.delete(&format!("/Users/{again}"));
    assert_eq!(inbox(&bench, "open"), Vec::<Value>::new());
    bench.user_with(name, &known);
    bench.is_sound();
    let place = bench.end();
    place.execute("UPDATE conflict SET state = 'resolved'");
    let output = place.run(&["check", "--json"]);
    let found = String::from_utf8(output.stdout).unwrap();
    assert!(
        !output.status.success() && found.contains("not in the inbox"),
        "{found}"
    );
}

/// Feature row 98: absence of `active` never enables anybody.
#[test]
fn only_true_enables() {
    let bench = Bench::new(&[]);
    let ann = bench.user("ann@x.example");
    set_active(&bench, &ann, false);
    for active in [Value::Null, json!("absent")] {
        let mut body = json!({ "schemas": [USER], "userName": "ann@x.example", "title": active.to_string() });
        if active.is_null() {
            body["active"] = Value::Null;
        }
        assert_eq!(bench.send("PUT", &format!("/Users/{ann}"), &body).status, 200);
        assert_eq!(show(&bench, "ann@x.example")["state"], "disabled");
    }
    set_active(&bench, &ann, true);
    assert_eq!(show(&bench, "ann@x.example")["state"], "active");
    bench.is_sound();
}

/// Feature row 111: a suspension holds whatever SCIM says, is invisible there, and only an administrator lifts it.
#[test]
fn a_suspension_is_above_scim() {
    let bench = Bench::new(&[]);
    let ann = bench.user_with("ann@x.example", &json!({ "active": true }));
    bench.group("Crew", &[&ann]);
    bench.run(&["mapping", "set", "acme", "Crew", "Operator"]);
    let before = bench.get(&format!("/Users/{ann}")).body;
    let locked = bench.run(&[
        "user",
        "suspend",
        "acme",
        "ann@x.example",
        "--reason",
        "Laptop lost",
    ]);
    assert_eq!(
        (&locked["suspended"]["reason"], &locked["roles"]),
        (&json!("Laptop lost"), &json!([]))
    );
    assert_eq!(
        bench.get(&format!("/Users/{ann}")).body,
        before,
        "SCIM does not show it"
    );
    set_active(&bench, &ann, false);
    set_active(&bench, &ann, true);
    assert_eq!(show(&bench, "ann@x.example")["roles"], json!([]));
    assert_eq!(users(&bench, &["--suspended"]), ["ann@x.example"]);
    assert!(
        bench
            .refused(&["user", "suspend", "acme", "ann@x.example", "--reason", "x"])
            .contains("suspended already")
    );
    let open = bench.run(&["user", "resume", "acme", "ann@x.example"]);
    assert_eq!(open["roles"][0]["role"], "Operator");
    bench.is_sound();
}

/// Feature row 54: a changed attribute is shown, and the account stays the same.
#[test]
fn a_change_of_the_provider_is_shown() {
    let bench = Bench::new(&["--username", "any"]);
    let ann = bench.user_with(
        "ann",
        &json!({ "emails": [{ "value": "ann@x.example", "primary": true }] }),
    );
    let before = show(&bench, "ann");
    assert_eq!(
        (&before["display"], &before["address"]),
        (&json!("ann"), &json!("ann@x.example"))
    );
    let change = json!([
        { "op": "replace", "path": "name.givenName", "value": "Ann" },
        { "op": "replace", "path": "emails", "value": [{ "value": "a@y.example", "type": "work" }] },
        { "op": "replace", "path": "userName", "value": "ann.b" },
    ]);
    assert_eq!(bench.patch(&format!("/Users/{ann}"), &change).status, 200);
    let after = show(&bench, "ann.b");
    assert_eq!(
        (&after["id"], &after["display"], &after["address"]),
        (&before["id"], &json!("Ann"), &json!("a@y.example"))
    );
    assert!(
        bench
            .refused(&["user", "show", "acme", "ann"])
            .contains("has no account")
    );
    bench.is_sound();
}

/// Feature row 50: with local groups, new people wait unassigned until an administrator puts them into one.
#[test]
fn people_wait_until_they_are_assigned() {
    let bench = Bench::new(&["--like", "level-access"]);
    for name in ["ann@x.example", "bob@x.example", "cid@x.example"] {
        bench.user(name);
    }
    bench.run(&["user", "create", "acme", "root@x.example"]);
    let unassigned = || users(&bench, &["--unassigned"]);
    assert_eq!(unassigned(), ["ann@x.example", "bob@x.example", "cid@x.example"]);
    bench.run(&["local-group", "create", "acme", "Desk"]);
    bench.run(&["local-group", "set", "acme", "Desk", "--allow", "Read only"]);
    let desk = bench.run(&[
        "local-group",
        "add",
        "acme",
        "desk",
        "ann@x.example",
        "root@x.example",
    ]);
    assert_eq!(texts(&desk["members"]).len(), 2);
    assert_eq!(unassigned(), ["bob@x.example", "cid@x.example"]);
    assert_eq!(
        show(&bench, "ann@x.example")["roles"],
        json!([{ "role": "Read only", "why": [{ "origin": "local-group", "group": "Desk" }] }])
    );
    let bob = show(&bench, "bob@x.example")["scim_id"]
        .as_str()
        .unwrap()
        .to_owned();
    bench.group("Crew", &[&bob]);
    assert_eq!(
        unassigned(),
        ["bob@x.example", "cid@x.example"],
        "a group that is not mapped gives nothing"
    );
    bench.run(&["mapping", "set", "acme", "Crew", "Operator"]);
    assert_eq!(unassigned(), ["cid@x.example"]);
    assert_eq!(
        bench.get("/Groups").body["totalResults"],
        1,
        "SCIM does not show local groups"
    );
    bench.run(&["local-group", "remove", "acme", "Desk", "ann@x.example"]);
    assert_eq!(unassigned(), ["ann@x.example", "cid@x.example"]);
    bench.run(&["local-group", "delete", "acme", "Desk"]);
    assert_eq!(show(&bench, "root@x.example")["roles"], json!([]));
    bench.is_sound();
    let mapped = Bench::new(&[]);
    assert!(
        mapped
            .refused(&["local-group", "create", "acme", "Desk"])
            .contains("mapped groups alone")
    );
}

/// Feature row 108: a long list is read page by page, in the order of names, and filtered.
#[test]
fn people_are_listed_page_by_page() {
    let bench = Bench::new(&[]);
    for n in 0..7 {
        bench.user(&format!("p{n}@x.example"));
    }
    bench.user("other@x.example");
    let mut seen = Vec::new();
    let mut after: Vec<String> = Vec::new();
    loop {
        let mut arguments = vec!["user", "list", "acme", "--search", "P", "--limit", "3"];
        if !after.is_empty() {
            arguments.push("--after");
            arguments.extend(after.iter().map(String::as_str));
        }
        let page = bench.run(&arguments);
        seen.extend(
            page["users"]
                .as_array()
                .unwrap()
                .iter()
                .map(|user| user["name"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_array() {
            Some(next) => {
                after = next
                    .iter()
                    .map(|part| part.as_str().unwrap().to_owned())
                    .collect();
            }
            None => break,
        }
    }
    let expected: Vec<_> = (0..7).map(|n| format!("p{n}@x.example")).collect();
    assert_eq!(seen, expected);
    assert_eq!(users(&bench, &["--managed-by", "hand"]), [] as [&str; 0]);
    let answer = bench.get("/Users?count=1");
    assert_ne!(answer.body["totalResults"], 0);
}

/// Feature row 88: a manual account is adopted only after an administrator has confirmed it for this name and external id; roles
/// that were given by hand go, permissions stay, and accounts by which more can be gained are never adopted.
#[test]
fn a_manual_account_is_adopted_once_that_is_confirmed() {
    let refusing = Bench::new(&[]);
    refusing.run(&["user", "create", "acme", "ann@x.example"]);
    let refused = refusing.refused(&["user", "adopt", "acme", "ann@x.example"]);
    assert!(refused.contains("existing-account"), "{refused}");

    let bench = Bench::new(&["--existing-account", "adopt"]);
    let account = bench.run(&["user", "create", "acme", "ann@x.example"])["id"].clone();
    bench.run(&[
        "user",
        "grant",
        "acme",
        "ann@x.example",
        "--role",
        "Read only",
        "--permission",
        "app:reports",
    ]);
    let post = |external_id: &str| {
        let body = json!({ "schemas": [USER], "userName": "Ann@x.example", "externalId": external_id });
        bench.send("POST", "/Users", &body)
    };
    assert_eq!(post("e-1").status, 409);
    let preview = bench.run(&[
        "user",
        "adopt",
        "acme",
        "ann@x.example",
        "--external-id",
        "e-1",
        "--preview",
    ]);
    assert_eq!(
        (
            &preview["confirmed"],
            texts(&preview["roles_lost"]),
            texts(&preview["permissions_kept"])
        ),
        (&json!(false), vec!["Read only"], vec!["app:reports"])
    );
    assert_eq!(post("e-1").status, 409, "a preview confirms nothing");
    let confirmed = bench.run(&["user", "adopt", "acme", "ann@x.example", "--external-id", "e-1"]);
    assert_eq!(confirmed["confirmed"], true);
    assert_eq!(post("e-2").status, 409, "another person of the same name");
    let created = post("e-1");
    assert_eq!(created.status, 201, "{}", created.text);
    let shown = show(&bench, "ann@x.example");
    assert_eq!(
        (
            &shown["id"],
            &shown["managed_by"],
            &shown["scim_id"],
            &shown["roles"]
        ),
        (&account, &json!("scim"), &created.body["id"], &json!([]))
    );
    assert_eq!(permissions(&shown), ["app:reports"]);
    // The confirmed step has happened, and its confirmation holds for nothing else.
    bench.delete(&format!("/Users/{}", created.body["id"].as_str().unwrap()));
    bench.run(&["user", "create", "acme", "ann@x.example"]);
    assert_eq!(post("e-1").status, 409);

    bench.run(&["user", "create", "acme", "root@x.example"]);
    bench.run(&[
        "user",
        "grant",
        "acme",
        "root@x.example",
        "--role",
        "Administrator",
    ]);
    let refused = bench.refused(&["user", "adopt", "acme", "root@x.example"]);
    assert!(refused.contains("is protected"), "{refused}");
    bench.is_sound();
}
