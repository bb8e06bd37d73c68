//! The promises of the seam about the writer's thread: one transaction a write, and bounded work in it.

use std::pin::Pin;
use std::sync::atomic::AtomicU32;
use std::sync::mpsc;

use http::StatusCode;
use serde_json::json;

use super::*;
use crate::service::{Protocol, Request};
use crate::store::database::take_steps;
use crate::store::{Hooks, Pauses, Version};
use crate::value::Edges;

/// Counts the steps of SQLite's machine on the writer's thread while `run` runs.
fn steps<T>(bench: &Bench, run: impl FnOnce() -> T) -> u64 {
    let take = || {
        bench
            .store
            .database()
            .blocking_write(|_| Ok(take_steps()))
            .unwrap()
    };
    take();
    run();
    take()
}

fn writes(bench: &Bench) -> u64 {
    bench.store.database().statistics().writes
}

/// Issue 8, fault 2: POST, PUT and PATCH open one write transaction each, and none where nothing is to be changed.
#[test]
fn a_request_that_writes_opens_one_write_transaction() {
    let bench = bench();
    let protocol = Protocol::builder()
        .resource::<User, _>(bench.store.clone())
        .resource::<Group, _>(bench.store.clone())
        .build()
        .unwrap();
    let ask = |method: &str, target: &str, body: serde_json::Value, status: u16| {
        let request = Request::new(method.parse().unwrap(), target).with_body(body.to_string());
        let before = writes(&bench);
        let answer = bench.block(protocol.handle(&bench.tenant, request));
        assert_eq!(answer.status, status, "{method} {target}");
        (answer.outcome.id.unwrap_or_default(), writes(&bench) - before)
    };
    let user = |title: &str| json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "babs", "title": title});
    let patch = |operation: serde_json::Value| json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]});
    let (id, opened) = ask("POST", "/Users", user("Guide"), 201);
    assert_eq!(opened, 1, "POST");
    let path = format!("/Users/{id}");
    assert_eq!(ask("PUT", &path, user("Chief"), 200).1, 1, "PUT");
    assert_eq!(
        ask("PUT", &path, user("Chief"), 200).1,
        0,
        "a PUT of what is there"
    );
    let title = |title: &str| patch(json!({"op": "replace", "path": "title", "value": title}));
    assert_eq!(ask("PATCH", &path, title("Guide"), 200).1, 1, "PATCH");
    assert_eq!(
        ask("PATCH", &path, title("Guide"), 200).1,
        0,
        "a PATCH to what is there"
    );
    assert_eq!(ask("PUT", "/Users/nobody", user("x"), 404).1, 0, "nobody");
    let group = |members: &[&str]| {
        let members: Vec<_> = members.iter().map(|id| json!({"value": id})).collect();
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "g", "members": members})
    };
    let (group_id, opened) = ask("POST", "/Groups", group(&[&id]), 201);
    assert_eq!(opened, 1, "POST with members");
    let path = format!("/Groups/{group_id}");
    assert_eq!(ask("PUT", &path, group(&[]), 200).1, 1, "PUT without members");
    let member = patch(json!({"op": "add", "path": "members", "value": [{"value": id}]}));
    assert_eq!(ask("PATCH", &path, member, 200).1, 1, "PATCH of members");
    assert_eq!(ask("DELETE", &path, json!(null), 204).1, 1, "DELETE");
}

/// limits: what runs on the writer's thread does not grow with the resource. Everything that must look at members whom
/// the request does not name is worked out on a snapshot before.
#[test]
fn the_writer_takes_as_many_steps_for_a_large_group_as_for_a_small_one() {
    let bench = bench();
    let named = |number: u32| User {
        display_name: Some(format!("u{number}")),
        ..User::new(format!("u{number}"))
    };
    let people: Vec<_> = (0..1_300)
        .map(|number| id_of(&bench.create(named(number)).unwrap()))
        .collect();
    let names: Vec<_> = people.iter().map(String::as_str).collect();
    let (few, many) = (&names[..20], &names[..1_200]);
    let (small, large) = (bench.group("Small", few), bench.group("Large", many));
    let newcomer = names[1_250];
    let with = |members: &[&str], name: &str| Group {
        members: members
            .iter()
            .chain([&newcomer])
            .map(|id| Member::new(*id))
            .collect::<Vec<_>>()
            .into(),
        ..Group::new(name)
    };
    let reply = Reply {
        want: without::<Group>("members"),
        most_edges: None,
    };
    let write =
        |write: Write<Group, String>| steps(&bench, || bench.write(write.answered(reply.clone())).unwrap());
    let put = |group: &str, members: &[&str], name: &str| {
        write(Write::replace(&bench.tenant, group, with(members, name)))
    };
    let patch = |group: &str, operations: &str| {
        write(Write::patch(&bench.tenant, group, &patch_of::<Group>(operations)).unwrap())
    };
    let renamed = |name: &str| Group {
        members: Edges::NotLoaded,
        ..Group::new(name)
    };
    let rename = |group: &str| write(Write::replace(&bench.tenant, group, renamed("Other")));
    for (what, costs) in [
        (
            "a PUT with one more member",
            [put(&small, few, "S"), put(&large, many, "L")],
        ),
        ("a PUT without members", [rename(&small), rename(&large)]),
        (
            "a PATCH that filters by name",
            [&small, &large]
                .map(|group| patch(group, r#"[{"op":"remove","path":"members[display eq \"u3\"]"}]"#)),
        ),
        (
            "a PATCH that reaches into a member",
            [&small, &large].map(|group| {
                let within = format!(
                    r#"[{{"op":"add","path":"members[value eq \"{}\"].type","value":"User"}},
                        {{"op":"replace","path":"displayName","value":"x"}}]"#,
                    names[4]
                );
                patch(group, &within)
            }),
        ),
    ] {
        let [small, large] = costs;
        // A larger table has an index that is a level deeper here and there.
        assert!(
            large <= small + 40,
            "{what}: {small} steps, and {large} for a large group"
        );
        assert!(small > 0, "{what}");
    }
    assert_eq!(
        bench.state::<Group>(&large).members.loaded().unwrap().len(),
        1_200
    );
}

/// A write whose answer has more edges than one piece is answered from a later snapshot of the same version, in parts.
#[test]
fn a_large_group_is_answered_in_parts() {
    let bench = bench();
    let people: Vec<_> = (0..1_100)
        .map(|number| bench.user(&format!("u{number}")))
        .collect();
    let mut group = Group::new("Everybody");
    group.members = people.iter().map(Member::new).collect::<Vec<_>>().into();
    let write = Write::create(&bench.tenant, "everybody", group.clone());
    let written = bench.write(write).unwrap();
    let shown: serde_json::Value = serde_json::from_slice(&bench.body(written.answer.unwrap())).unwrap();
    assert_eq!(shown["members"].as_array().unwrap().len(), 1_100);
    group.display_name = "All".into();
    let written = bench
        .write(Write::replace(&bench.tenant, "everybody", group))
        .unwrap();
    let answer = written.answer.unwrap();
    assert_eq!(
        (answer.version(), &written.version),
        (&Version::from(2), &Version::from(2))
    );
    let Answer::Rendered(rendered) = answer else {
        panic!("not rendered")
    };
    assert!(matches!(rendered.document, Document::Parts(_)));
}

/// Pauses that end at once, and are counted.
#[derive(Default)]
struct NoPauses(AtomicU32);

impl Pauses for NoPauses {
    fn pause(&self, _: u32) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::ready(()))
    }
}

/// Carries out two writes that are both decided before either is carried out. Returns how often one was tried again.
fn at_once<R: ScimResource>(bench: Bench, writes: [Write<R, String>; 2]) -> (Bench, u32) {
    let pauses = Arc::new(NoPauses::default());
    let environment = Environment {
        pauses: pauses.clone(),
        ..Environment::default()
    };
    let database = bench.store.database().clone();
    let store = with_types(DocumentStore::on(database.clone()))
        .environment(environment)
        .build()
        .unwrap();
    let bench = Bench { store, ..bench };
    let runtime = RuntimeBuilder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let decided = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&decided);
    let hooks = Hooks::new().before_write::<R>(move |_, _| {
        counter.fetch_add(1, Ordering::SeqCst);
        Ok(())
    });
    // Nothing is written before both have been decided.
    let (go, wait) = mpsc::channel::<()>();
    let gate = runtime.spawn(async move {
        let hold = move |_: &crate::store::database::Transaction<'_>| {
            _ = wait.recv();
            Ok(())
        };
        database.write(hold).await
    });
    let written = writes.map(|write| {
        let (store, write) = (bench.store.clone(), write.hooks(&hooks));
        runtime.spawn(async move { submit(&store, write).await })
    });
    while decided.load(Ordering::SeqCst) < 2 {
        std::thread::yield_now();
    }
    go.send(()).unwrap();
    runtime.block_on(gate).unwrap().unwrap();
    for written in written {
        assert!(runtime.block_on(written).unwrap().unwrap().changed);
    }
    let tried = pauses.0.load(Ordering::SeqCst);
    (bench, tried)
}

/// Two who change a group that is too large to be looked at again on the writer's thread: the slower one is decided anew
/// on a snapshot, and its client hears nothing of it.
#[test]
fn a_conflict_over_a_large_group_is_tried_again() {
    let bench = bench();
    let people: Vec<_> = (0..1_100)
        .map(|number| bench.user(&format!("u{number}")))
        .collect();
    let names: Vec<_> = people.iter().map(String::as_str).collect();
    let group = bench.group("Everybody", &names);
    let replaced = [0, 1].map(|gone: usize| {
        let left = people.iter().enumerate().filter(|(n, _)| *n != gone);
        let next = Group {
            members: left.map(|(_, id)| Member::new(id)).collect::<Vec<_>>().into(),
            ..Group::new("Everybody")
        };
        Write::replace(&bench.tenant, &group, next)
    });
    let (bench, tried) = at_once(bench, replaced);
    assert_eq!(tried, 1);
    assert_eq!(bench.version::<Group>(&group), "3");
    assert_eq!(
        bench.state::<Group>(&group).members.loaded().unwrap().len(),
        1_099
    );
}

/// Issue 9, F2: a PATCH that takes many steps, and one of a large person, are never decided on the writer's thread.
#[test]
fn a_long_patch_is_decided_beside_the_writer() {
    let bench = bench();
    let mut large = User::new("large");
    large.emails = (0..1_800)
        .map(|n| Email::new(format!("{n:030}@example.com")))
        .collect();
    let large = bench.create(large).unwrap();
    let mut many = User::new("many");
    many.emails = (0..100).map(|n| Email::new(format!("{n}@example.com"))).collect();
    let many = bench.create(many).unwrap();
    let patch = |stored: &Stored<User>, operations: &serde_json::Value| {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": operations,
        });
        let patch = Patch::<User>::parse(
            body.to_string().as_bytes(),
            &Policy::tolerant(),
            &Limits::default(),
        );
        Write::patch(&bench.tenant, stored.resource.id().as_str(), &patch.unwrap()).unwrap()
    };
    let set = |path: &str| json!([{"op": "replace", "path": path, "value": "x"}]);
    let titled = [patch(&large, &set("title")), patch(&large, &set("nickName"))];
    let long = |to: &str| {
        let mark =
            |n| json!({"op": "replace", "path": format!("emails[value co \"{n}@\"].display"), "value": to});
        (0..50).map(mark).collect::<Vec<_>>().into()
    };
    let marked = [patch(&many, &long("a")), patch(&many, &long("b"))];
    let short = [patch(&many, &set("title")), patch(&many, &set("nickName"))];
    let (bench, tried) = at_once(bench, titled);
    assert_eq!(tried, 1, "a large person");
    let (bench, tried) = at_once(bench, marked);
    assert_eq!(tried, 1, "many steps");
    // A short write is decided where it is.
    let (bench, tried) = at_once(bench, short);
    assert_eq!(tried, 0, "a short one");
    let state = bench.state::<User>(many.resource.id().as_str());
    assert_eq!(
        (state.title.as_deref(), state.nick_name.as_deref()),
        (Some("x"), Some("x"))
    );
}

/// A client that named the version it has seen hears of the conflict.
#[test]
fn a_conflict_under_if_match_is_412() {
    let bench = bench();
    let id = bench.user("babs");
    let seen = Precondition::IfMatch(vec![Version::from(1)]);
    let title = |title: &str| User {
        title: Some(title.into()),
        ..User::new("babs")
    };
    let put =
        |to: &str| bench.write(Write::replace(&bench.tenant, &id, title(to)).precondition(seen.clone()));
    put("first").unwrap();
    assert_eq!(
        put("second").unwrap_err().status(),
        StatusCode::PRECONDITION_FAILED
    );
}
