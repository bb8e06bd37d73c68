//! Whatever an identity provider sends, it changes only what is its own.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use std::collections::{BTreeMap, BTreeSet};

use program::bench::{Bench, GROUP, PATCH, USER, id};
use program::rows;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use scim::store::database::Value as Cell;
use serde_json::{Value, json};

/// Provisioned people who hold something that was decided here: permissions of their own, a lock, or a local group.
const CAST: [(&str, &[&str]); 4] = [
    ("ann@x.example", &["app:a"]),
    ("bob@x.example", &["app:b", "users:read"]),
    ("cid@x.example", &["app:c"]),
    ("dan@x.example", &[]),
];

/// Whose sign-in is suspended.
const SUSPENDED: usize = 2;

/// The members of the local group.
const IN_DESK: [usize; 2] = [0, 3];

const NAMES: [&str; 9] = [
    "ann@x.example",
    "Bob@x.example",
    "cid@x.example",
    "dan@x.example",
    "new@x.example",
    "other@x.example",
    "root@x.example",
    "ROOT@X.example",
    "jdoe",
];

/// One request. Numbers choose among the people and groups that were ever there.
#[derive(Debug, Clone)]
enum Ask {
    Create {
        name: &'static str,
        external: usize,
    },
    Patch {
        user: usize,
        odd: usize,
    },
    Put {
        user: usize,
        name: &'static str,
        active: usize,
    },
    Delete {
        user: usize,
    },
    Found {
        name: &'static str,
        member: usize,
    },
    PatchGroup {
        group: usize,
        user: usize,
        odd: usize,
    },
    PutGroup {
        group: usize,
        user: usize,
    },
    Dissolve {
        group: usize,
    },
    /// Something to the manual account, by its own id.
    Reach {
        method: &'static str,
    },
}

fn ask() -> impl Strategy<Value = Ask> {
    let name = || select(&NAMES[..]);
    let any = || 0..8_usize;
    prop_oneof![
        3 => (name(), any()).prop_map(|(name, external)| Ask::Create { name, external }),
        6 => (any(), 0..16_usize).prop_map(|(user, odd)| Ask::Patch { user, odd }),
        2 => (any(), name(), 0..5_usize).prop_map(|(user, name, active)| Ask::Put { user, name, active }),
        1 => any().prop_map(|user| Ask::Delete { user }),
        1 => (select(&["Desk", "Crew", "Night"][..]), any()).prop_map(|(name, member)| Ask::Found { name, member }),
        6 => (any(), any(), 0..9_usize).prop_map(|(group, user, odd)| Ask::PatchGroup { group, user, odd }),
        1 => (any(), any()).prop_map(|(group, user)| Ask::PutGroup { group, user }),
        1 => any().prop_map(|group| Ask::Dissolve { group }),
        1 => select(&["GET", "PUT", "PATCH", "DELETE"][..]).prop_map(|method| Ask::Reach { method }),
    ]
}

/// An organization with everything that is not the provider's, and the provider's people and groups.
struct World {
    bench: Bench,
    removes: bool,
    /// The ids of all people that ever were; the cast comes first.
    people: Vec<String>,
    groups: Vec<String>,
    /// The account of each of the cast, as the tables name it.
    accounts: Vec<String>,
    root: String,
    deleted: BTreeSet<usize>,
}

impl World {
    fn new(removes: bool) -> Self {
        let on_delete = if removes { "remove" } else { "deactivate" };
        let bench = Bench::new(&["--assignment", "local-groups", "--on-delete", on_delete]);
        bench.run(&["local-group", "create", "acme", "Desk"]);
        bench.run(&["local-group", "set", "acme", "Desk", "--allow", "Read only"]);
        let root = bench.run(&["user", "create", "acme", "root@x.example"]);
        bench.run(&[
            "user",
            "grant",
            "acme",
            "root@x.example",
            "--role",
            "Operator",
            "--permission",
            "app:root",
        ]);
        bench.run(&["local-group", "add", "acme", "Desk", "root@x.example"]);
        let mut people = Vec::new();
        let mut accounts = Vec::new();
        for (index, (name, permissions)) in CAST.iter().enumerate() {
            people.push(bench.user_with(name, &json!({ "externalId": format!("cast-{index}") })));
            for permission in *permissions {
                bench.run(&["user", "grant", "acme", name, "--permission", permission]);
            }
            if IN_DESK.contains(&index) {
                bench.run(&["local-group", "add", "acme", "Desk", name]);
            }
            accounts.push(hex(&bench.run(&["user", "show", "acme", name])["id"]));
        }
        bench.run(&[
            "user",
            "suspend",
            "acme",
            CAST[SUSPENDED].0,
            "--reason",
            "Laptop lost",
        ]);
        let all: Vec<_> = people.iter().map(String::as_str).collect();
        let groups = vec![bench.group("Crew", &all[..3]), bench.group("Night", &all[1..])];
        bench.run(&["mapping", "set", "acme", &groups[0], "Operator"]);
        bench.run(&["mapping", "set", "acme", &groups[1], "Administrator", "Read only"]);
        Self {
            root: root["id"].as_str().unwrap().to_owned(),
            bench,
            removes,
            people,
            groups,
            accounts,
            deleted: BTreeSet::new(),
        }
    }

    /// Sends one request. Nothing that is asked for makes the server fail.
    fn send(&mut self, ask: &Ask) {
        let (method, path, body) = self.request(ask);
        let answer = self.bench.send(method, &path, &body);
        assert!(answer.status < 500, "{ask:?}: {}", answer.text);
        match ask {
            Ask::Create { .. } if answer.status == 201 => self.people.push(id(&answer)),
            Ask::Found { .. } if answer.status == 201 => self.groups.push(id(&answer)),
            Ask::Delete { user } if answer.status == 204 => _ = self.deleted.insert(user % self.people.len()),
            Ask::Reach { method } => assert!(matches!(answer.status, 400 | 404), "{method}: {}", answer.text),
            _ => {}
        }
    }

    fn user(&self, index: usize) -> &str {
        &self.people[index % self.people.len()]
    }

    fn group(&self, index: usize) -> &str {
        &self.groups[index % self.groups.len()]
    }

    fn request(&self, ask: &Ask) -> (&'static str, String, Value) {
        let patch = |operation: Value| json!({ "schemas": [PATCH], "Operations": [operation] });
        match ask {
            Ask::Create { name, external } => {
                let body = json!({ "schemas": [USER], "userName": name, "externalId": format!("cast-{external}"),
                    "roles": [{ "value": "Administrator" }], "groups": [{ "value": self.group(0) }] });
                ("POST", "/Users".to_owned(), body)
            }
            Ask::Patch { user, odd } => (
                "PATCH",
                format!("/Users/{}", self.user(*user)),
                patch(self.odd_change(*odd)),
            ),
            Ask::Put { user, name, active } => {
                let mut body = json!({ "schemas": [USER], "userName": name });
                let values = [json!(true), json!(false), Value::Null, json!("False")];
                if let Some(value) = values.get(*active) {
                    body["active"] = value.clone();
                }
                ("PUT", format!("/Users/{}", self.user(*user)), body)
            }
            Ask::Delete { user } => ("DELETE", format!("/Users/{}", self.user(*user)), Value::Null),
            Ask::Found { name, member } => {
                let body = json!({ "schemas": [GROUP], "displayName": name, "members": [{ "value": self.user(*member) }] });
                ("POST", "/Groups".to_owned(), body)
            }
            Ask::PatchGroup { group, user, odd } => {
                let operation = self.odd_membership(self.user(*user), *odd);
                (
                    "PATCH",
                    format!("/Groups/{}", self.group(*group)),
                    patch(operation),
                )
            }
            Ask::PutGroup { group, user } => {
                let body = json!({ "schemas": [GROUP], "displayName": "Desk", "members": [{ "value": self.user(*user) }] });
                ("PUT", format!("/Groups/{}", self.group(*group)), body)
            }
            Ask::Dissolve { group } => ("DELETE", format!("/Groups/{}", self.group(*group)), Value::Null),
            Ask::Reach { method } => {
                let mut body = patch(json!({ "op": "replace", "path": "active", "value": false }));
                body["userName"] = json!("root@x.example");
                let body = if matches!(*method, "GET" | "DELETE") {
                    Value::Null
                } else {
                    body
                };
                (method, format!("/Users/{}", self.root), body)
            }
        }
    }

    fn odd_change(&self, odd: usize) -> Value {
        let replace = |path: &str, value: Value| json!({ "op": "replace", "path": path, "value": value });
        match odd {
            0 => replace("active", json!(true)),
            1 => replace("active", json!(false)),
            2 => replace("active", json!("False")),
            3 => replace("active", json!("True")),
            4 => replace("active", Value::Null),
            5 => replace("userName", json!("root@x.example")),
            6 => replace("userName", json!("other@x.example")),
            7 => replace("externalId", json!("cast-1")),
            8 => json!({ "op": "remove", "path": "externalId" }),
            9 => {
                json!({ "op": "add", "path": "roles", "value": [{ "value": "Administrator", "primary": true }] })
            }
            10 => {
                json!({ "op": "add", "path": "entitlements", "value": [{ "value": "organization:write" }] })
            }
            11 => {
                json!({ "op": "replace", "value": { "suspended": null, "permissions": ["organization:write"] } })
            }
            12 => replace("id", json!(self.root)),
            13 => replace("groups", json!([{ "value": self.group(1) }])),
            14 => json!({ "op": "remove", "path": "userName" }),
            _ => json!({ "op": "add", "value": { "active": true, "title": "Boss", "nickName": "x" } }),
        }
    }

    fn odd_membership(&self, user: &str, odd: usize) -> Value {
        match odd {
            0..3 => json!({ "op": "add", "path": "members", "value": [{ "value": user }] }),
            3 => json!({ "op": "remove", "path": format!("members[value eq \"{user}\"]") }),
            4 => json!({ "op": "Remove", "path": "members", "value": [{ "value": user }] }),
            5 => json!({ "op": "replace", "path": "members", "value": [{ "value": user }] }),
            6 => json!({ "op": "add", "path": "members", "value": [{ "value": self.root }] }),
            7 => json!({ "op": "replace", "path": "displayName", "value": "Administrator" }),
            _ => json!({ "op": "remove", "path": "members" }),
        }
    }

    /// Returns everything that is not the provider's: the account that it belongs to, and what is kept.
    fn kept(&self) -> BTreeSet<(String, String)> {
        let cell = |cell: &Cell| match cell {
            Cell::Text(text) => text.clone(),
            other => format!("{other:?}"),
        };
        let found = rows(&self.bench.place, KEPT);
        found.iter().map(|row| (cell(&row[0]), cell(&row[1]))).collect()
    }

    /// Returns what must be kept of that: whoever was deleted has left local groups, and where deleting removes, has nothing.
    fn to_keep(&self, before: BTreeSet<(String, String)>) -> BTreeSet<(String, String)> {
        let deleted: Vec<_> = self
            .deleted
            .iter()
            .filter_map(|index| self.accounts.get(*index))
            .collect();
        let ends = |of: &String, what: &str| {
            deleted.contains(&of)
                && (what.starts_with("member") || self.removes && what.starts_with("permission"))
        };
        before.into_iter().filter(|(of, what)| !ends(of, what)).collect()
    }

    /// Checks that everybody has just what the rules say of what is there.
    fn has_what_the_rules_say(&self) {
        let permissions = self.permissions();
        let mut roles: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mapped = self.bench.run(&["mapping", "list", "acme"]);
        let groups = self.bench.get("/Groups?count=100");
        for group in groups.body["Resources"].as_array().unwrap() {
            let mapping = mapped["mappings"].as_array().unwrap().iter();
            let given: BTreeSet<_> = mapping
                .filter(|mapping| mapping["group_id"] == group["id"])
                .flat_map(|mapping| strings(&mapping["roles"]))
                .collect();
            for member in group["members"].as_array().into_iter().flatten() {
                let member = member["value"].as_str().unwrap().to_owned();
                roles.entry(member).or_default().extend(given.clone());
            }
        }
        let users = self.bench.get("/Users?count=100");
        for user in users.body["Resources"].as_array().unwrap() {
            let id = user["id"].as_str().unwrap();
            let cast = self.people[..CAST.len()].iter().position(|known| known == id);
            let mut has: BTreeSet<_> = roles.remove(id).unwrap_or_default();
            let mut may = BTreeSet::new();
            if let Some(cast) = cast {
                has.extend(IN_DESK.contains(&cast).then(|| "Read only".to_owned()));
                may.extend(CAST[cast].1.iter().map(ToString::to_string));
            }
            may.extend(has.iter().flat_map(|role| permissions[role].clone()));
            if user["active"] == false || cast == Some(SUSPENDED) {
                (has, may) = Default::default();
            }
            self.is_shown(id, &has, &may);
        }
        let has = ["Operator", "Read only"].map(str::to_owned).into();
        let mut may: BTreeSet<_> = permissions["Operator"]
            .union(&permissions["Read only"])
            .cloned()
            .collect();
        may.insert("app:root".to_owned());
        self.is_shown("root@x.example", &has, &may);
    }

    fn is_shown(&self, user: &str, roles: &BTreeSet<String>, permissions: &BTreeSet<String>) {
        let shown = self.bench.run(&["user", "show", "acme", user]);
        let names = |list: &str, name: &str| -> BTreeSet<String> {
            let list = shown[list].as_array().unwrap().iter();
            list.map(|one| one[name].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names("roles", "role"), *roles, "{shown:#}");
        assert_eq!(names("permissions", "permission"), *permissions, "{shown:#}");
    }

    /// Returns the permissions of each role.
    fn permissions(&self) -> BTreeMap<String, BTreeSet<String>> {
        let listed = self.bench.run(&["role", "list", "acme"]);
        let roles = listed["roles"].as_array().unwrap().iter();
        roles
            .map(|role| {
                (
                    role["name"].as_str().unwrap().to_owned(),
                    strings(&role["permissions"]),
                )
            })
            .collect()
    }
}

/// The origin of each of these is a hand. Only whether a permission waits may change: for whoever comes again.
const KEPT: &str = "
    SELECT hex(holder), 'role ' || hex(role) || origin || created || by_whom FROM role_grant
    UNION ALL SELECT hex(holder), 'permission ' || permission || origin || created || by_whom FROM permission_grant
    UNION ALL SELECT hex(account), 'member ' || hex(local_group) || created FROM local_member
    UNION ALL SELECT '', 'group ' || hex(id) || name FROM local_group
    UNION ALL SELECT '', 'role ' || hex(role) || permission FROM role_permission
    UNION ALL SELECT hex(id), 'manual ' || name || display || state || created || changed FROM account
        WHERE managed_by = 'hand'
    UNION ALL SELECT hex(id), 'suspended ' || suspended || suspended_reason || suspended_by FROM account
        WHERE suspended IS NOT NULL";

fn hex(id: &Value) -> String {
    id.as_str().unwrap().replace('-', "").to_uppercase()
}

fn strings(list: &Value) -> BTreeSet<String> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, max_shrink_iters: 60, ..ProptestConfig::default() })]

    /// Feature rows 35, 43, 44, 49, 60, 96, 98, 104, 111: no sequence of requests over SCIM changes a grant of another
    /// origin, a local group, a manual account or a suspension; and everybody has what the rules say.
    #[test]
    fn a_provider_changes_only_what_is_its_own(removes: bool, asked in vec(ask(), 5..30)) {
        let mut world = World::new(removes);
        let before = world.kept();
        assert!(before.len() > 20, "{before:#?}");
        for ask in &asked {
            world.send(ask);
        }
        prop_assert_eq!(world.kept(), world.to_keep(before));
        world.bench.is_sound();
        world.has_what_the_rules_say();
    }
}

/// Feature row 96: nor does a whole story of a provider that comes by a rough network, with people of its own beside.
#[test]
fn a_story_changes_only_what_is_its_own() {
    let world = World::new(true);
    let before = world.kept();
    let url = format!("http://{}/scim/acme/v2", world.bench.server.address());
    let to = ["--url", &url, "--token", &world.bench.token, "--json"];
    let size = [
        "--users",
        "8",
        "--groups",
        "3",
        "--members",
        "4",
        "--changes",
        "40",
    ];
    for (dialect, seed) in [("entra", "3"), ("okta", "4"), ("jumpcloud", "5")] {
        let story = ["simulate", dialect, "--rough", "--seed", seed];
        let output = world.bench.place.run(&[&story[..], &size, &to].concat());
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(
            report["changes"] == 40 && report["request_count"].as_u64() > Some(40),
            "{report:#}"
        );
    }
    assert_eq!(world.kept(), before);
    world.bench.is_sound();
    world.has_what_the_rules_say();
}
