//! Whatever was exported can be imported, and is the same then; and what nobody has exported is refused.

use std::collections::BTreeMap;
use std::sync::Mutex;

use proptest::prelude::*;

use super::keys::{Badge, Door, badge, badges};
use super::*;
use crate::resources::{EnterpriseUser, Password};
use crate::store::database::Transaction;
use crate::store::documents::Tally;
use crate::store::{Hooks, Transition};
use crate::value::{Json, JsonBuf};
use crate::{Error, ScimType};

impl Bench {
    fn chunks(&self, tenant: &str) -> (Vec<Vec<u8>>, Tally) {
        let mut export = self.store.export(tenant);
        let mut chunks = Vec::new();
        while let Some(chunk) = self.block(export.next()) {
            chunks.push(chunk.unwrap().to_vec());
        }
        (chunks, export.tally())
    }

    fn ids<R: ScimResource>(&self) -> Vec<String> {
        let (_, items) = self.query(&all::<R>()).unwrap();
        let id = |item: &serde_json::Value| item["id"].as_str().unwrap().to_owned();
        items.iter().map(id).collect()
    }

    fn export(&self) -> Vec<String> {
        let (chunks, _) = self.chunks(&self.tenant);
        let text = String::from_utf8(chunks.concat()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn take_in(&self, line: &str) -> Result<u64> {
        let import = self.store.import(&Policy::default());
        let line = import.read(line.as_bytes())?;
        let tenant = self.tenant.clone();
        let apply = move |tx: &Transaction<'_>| import.apply(tx, &tenant, &line);
        self.store.database().blocking_write(apply)
    }

    fn take_in_all(&self, lines: &[String]) -> u64 {
        let new = |line: &String| {
            self.take_in(line)
                .unwrap_or_else(|error| panic!("{error}: {line}"))
        };
        lines.iter().map(new).sum()
    }

    fn refusal(&self, line: &str) -> Error {
        let before = self.export();
        let error = self.take_in(line).unwrap_err();
        assert_eq!(self.export(), before, "nothing of a bad line stays: {line}");
        error
    }
}

fn kind(line: &str) -> (&'static str, bool) {
    let is = |start: &str| line.starts_with(start);
    match () {
        () if is(r#"{"type":"User","resource":{"#) => ("User", true),
        () if is(r#"{"type":"Group","resource":{"#) => ("Group", true),
        () if is(r#"{"type":"Group","id":"#) => ("Group", false),
        () => panic!("{line}"),
    }
}

/// Makes a directory with everything that a resource can have.
fn furnished() -> Bench {
    let bench = bench();
    let mut user = User::new("bjensen");
    user.emails = vec![email("babs@example.com", "work").primary()];
    user.password = Some(Password::new("t1meMa$heen"));
    user.extensions.enterprise = Some(EnterpriseUser {
        department: Some("Tour \"Operations\" \u{1f30d}".into()),
        ..EnterpriseUser::default()
    });
    let first = id_of(&bench.create(user).unwrap());
    let inner = bench.group("Guides", &[&first]);
    bench.hands.set(2_000);
    let second = bench.user("später");
    bench.group("All", &[&second, &inner, &first]);
    bench.patch::<Group>(&inner, &add(&second)).unwrap();
    bench.delete::<User>(&first).unwrap();
    bench
}

#[test]
fn an_import_brings_everything_as_it_was_and_its_export_is_the_same() {
    let source = furnished();
    let lines = source.export();
    let copy = bench();
    copy.hands.set(9_000);
    let new = copy.take_in_all(&lines);
    assert_eq!(new, 1 + 2 + 3, "people, groups and members");
    assert_eq!(copy.export(), lines);
    for id in source.ids::<Group>() {
        assert_eq!(copy.version::<Group>(&id), source.version::<Group>(&id));
        assert_eq!(
            copy.shown::<Group>(&id, "")["meta"],
            source.shown::<Group>(&id, "")["meta"]
        );
    }
    for id in source.ids::<User>() {
        assert_eq!(copy.shown::<User>(&id, ""), source.shown::<User>(&id, ""));
    }
    assert_eq!(copy.count::<User>(), source.count::<User>());
    assert_eq!(copy.found::<User>(r#"userName eq "SPÄTER""#), ["später"]);
}

/// A file can be imported again, from its start, after an import that was interrupted anywhere.
#[test]
fn what_is_there_already_is_no_change() {
    let lines = furnished().export();
    for interrupted in 0..=lines.len() {
        let copy = bench();
        let begun = copy.take_in_all(&lines[..interrupted]);
        let rest = copy.take_in_all(&lines);
        assert_eq!(begun + rest, 6);
        assert_eq!(copy.take_in_all(&lines), 0);
        assert_eq!(copy.export(), lines);
    }
}

#[test]
fn what_is_never_shown_and_what_no_schema_knows_is_exported_and_imported() {
    let source = badges();
    let mut secret = badge("b-1");
    secret.pin = Some("1234".to_owned());
    secret.note = Some("lost once".to_owned());
    secret.doors = vec![Door {
        value: "front".to_owned(),
    }];
    secret.other.insert("colour", JsonBuf::string("red").as_json());
    secret.other.insert(
        "Größe",
        Json::parse(b"[1, {\"a\": null}]", &Limits::default()).unwrap(),
    );
    let id = id_of(&source.create(secret).unwrap());
    let lines = source.export();
    let copy = badges();
    assert_eq!(copy.take_in_all(&lines), 1);
    assert_eq!(copy.state::<Badge>(&id), source.state::<Badge>(&id));
    assert_eq!(copy.export(), lines);
    assert_eq!(copy.take_in_all(&lines), 0);
}

#[test]
fn a_value_that_is_taken_is_refused_with_its_attribute() {
    let source = badges();
    let mut first = badge("b-1");
    first.doors = vec![Door {
        value: "front".to_owned(),
    }];
    source.create(first).unwrap();
    let line = source.export().remove(0);
    let other_id = line.replacen(r#""id":""#, r#""id":"x"#, 1);
    let error = source.refusal(&other_id);
    assert_eq!(
        (error.status().as_u16(), error.scim_type()),
        (409, Some(ScimType::Uniqueness))
    );
    assert!(error.to_string().contains("serial"), "{error}");
    // The row is there when the second table of unique values refuses: it must go again.
    let error = source.refusal(&other_id.replacen("\"b-1\"", "\"b-2\"", 1));
    assert!(error.to_string().contains("doors"), "{error}");
}

#[test]
fn another_state_of_a_resource_is_not_overwritten() {
    let bench = furnished();
    let lines = bench.export();
    let id = bench.ids::<User>().remove(0);
    bench
        .patch::<User>(&id, r#"[{"op":"replace","path":"title","value":"Guide"}]"#)
        .unwrap();
    let error = bench.refusal(&lines[0]);
    assert_eq!(error.status(), 409);
    assert!(error.to_string().contains("in another state"), "{error}");
}

#[test]
fn edges_complete_the_version_that_they_name_and_change_any_other() {
    let lines = furnished().export();
    let copy = bench();
    copy.take_in_all(&lines);
    let id = copy.ids::<Group>().remove(0);
    let newcomer = copy.user("newcomer");
    let version = copy.version::<Group>(&id);
    let of_version = |version: &str| {
        format!(
            r#"{{"type":"Group","id":"{id}","version":"W/\"{version}\"","attribute":"members","add":["{newcomer}"]}}"#
        )
    };
    copy.patch::<Group>(&id, &add(&newcomer)).unwrap();
    assert_eq!(copy.take_in(&of_version(&version)).unwrap(), 0, "it is there");
    copy.patch::<Group>(
        &id,
        &format!(r#"[{{"op":"remove","path":"members[value eq \"{newcomer}\"]"}}]"#),
    )
    .unwrap();
    let before: u64 = copy.version::<Group>(&id).parse().unwrap();
    assert_eq!(copy.take_in(&of_version(&version)).unwrap(), 1);
    assert_eq!(
        copy.version::<Group>(&id),
        (before + 1).to_string(),
        "the group has changed meanwhile"
    );
}

#[test]
fn resources_of_others_and_members_who_do_not_exist_are_refused() {
    let bench = furnished();
    let id = bench.ids::<Group>().remove(0);
    let member = bench.ids::<User>().remove(0);
    let edges = |id: &str, members: &str| {
        format!(r#"{{"type":"Group","id":"{id}","attribute":"members","add":[{members}]}}"#)
    };
    let error = bench.refusal(&edges("nobody", &format!("\"{member}\"")));
    assert!(error.to_string().contains("there is no Group"), "{error}");
    let error = bench.refusal(&edges(&id, &format!("\"{member}\",\"nobody\"")));
    assert!(error.to_string().contains("there is no User or Group"), "{error}");
    let error = bench.refusal(&edges(&id, &format!("\"{id}\"")));
    assert!(error.to_string().contains("itself"), "{error}");
    let mut other = furnished();
    other.tenant = Arc::new("other".to_owned());
    assert!(
        other.take_in(&edges(&id, "")).is_err(),
        "tenants do not see each other"
    );
}

#[test]
fn a_file_is_hostile_input() {
    let bench = bench();
    let user = |members: &str| {
        format!(
            r#"{{"type":"User","resource":{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],{members}}}}}"#
        )
    };
    let meta = r#""id":"a","meta":{"created":"2020-01-01T00:00:00Z","lastModified":"2020-01-02T00:00:00Z","version":"W/\"1\""}"#;
    let with = |more: &str| user(&format!("{meta},{more}"));
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let cases = BTreeMap::from([
        (String::new(), "The line is empty"),
        ("\u{0}\u{1}\u{2}".to_owned(), "malformed"),
        ("[]".to_owned(), "must be a JSON object"),
        ("{}".to_owned(), "type is required"),
        (
            r#"{"type":"Device","resource":{}}"#.to_owned(),
            "must be User or Group",
        ),
        (r#"{"type":7}"#.to_owned(), "must be a string"),
        (r#"{"type":"User","type":"Group"}"#.to_owned(), "twice"),
        (
            r#"{"type":"User","resource":[]}"#.to_owned(),
            "must be a JSON object",
        ),
        (
            r#"{"type":"User","resource":{},"more":1}"#.to_owned(),
            "the member \"more\"",
        ),
        (
            r#"{"type":"User","id":"a","attribute":"members","add":[]}"#.to_owned(),
            "kept as edges",
        ),
        (
            r#"{"type":"Group","id":"a","attribute":"members","add":{}}"#.to_owned(),
            "array",
        ),
        (
            r#"{"type":"Group","id":"a","attribute":"members","add":[1]}"#.to_owned(),
            "add[0]",
        ),
        (
            r#"{"type":"Group","id":"","attribute":"members","add":[]}"#.to_owned(),
            "id is required",
        ),
        (format!(r#"{{"type":"User","resource":{deep}}}"#), "nested deeper"),
        (with(r#""userName":"a","shoeSize":43"#), "Attribute shoeSize "),
        (with(r#""userName":"a","name":{"nick":"x"}"#), "name.nick"),
        (with(r#""userName":7"#), "userName must be a string"),
        (with(r#""displayName":"a""#), "userName is required"),
        (with(r#""userName":" ""#), "blank"),
        (
            with(r#""userName":"a","groups":[{"value":"x"}]"#),
            "groups is derived",
        ),
        (with(r#""userName":"a","password":"x""#), "never kept"),
        (user(r#""userName":"a""#), "id is required"),
        (user(r#""userName":"a","id":"bulkId""#), "bulkId"),
        (user(r#""userName":"a","id":"a""#), "meta.created is required"),
        (
            with(r#""userName":"a""#).replace("2020-01-02", "2019-01-02"),
            "before meta.created",
        ),
        (
            with(r#""userName":"a""#).replace(r#"W/\"1\""#, "zero"),
            "meta.version",
        ),
        (
            with(r#""userName":"a""#).replace(r#"W/\"1\""#, "0"),
            "meta.version",
        ),
        (
            with(r#""userName":"a""#).replace("schemas:core", "schemas:none"),
            "schema",
        ),
    ]);
    for (line, expected) in cases {
        let error = bench.refusal(&line).to_string();
        assert!(error.contains(expected), "{line}: {error}");
    }
    assert_eq!(
        bench.take_in(&with(r#""userName":"a""#)).unwrap(),
        1,
        "and this is how it should be"
    );
    let group = user(r#""displayName":"g""#)
        .replace("User", "Group")
        .replace(r#""displayName""#, &format!("{meta},\"displayName\""));
    assert_eq!(bench.take_in(&group).unwrap(), 1);
    let inline = group.replace(r#""id":"a""#, r#""id":"b","members":[{"value":"a"}]"#);
    assert!(bench.refusal(&inline).to_string().contains("lines of its own"));
}

/// An import tells the hooks in its transaction, and each of them may refuse.
#[test]
fn hooks_in_the_transaction_of_an_import_are_told_and_may_refuse() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    let store = with_types(DocumentStore::in_memory().unwrap())
        .in_transaction::<User>(move |_, _, event| {
            heard
                .lock()
                .unwrap()
                .push(event.after().map(|user| user.user_name.clone()));
            Ok(())
        })
        .in_transaction::<Group>(|_, _, event| match event.transition {
            Transition::Created { .. } => Err(Error::invalid_value("The application wants no groups.")),
            _ => Ok(()),
        })
        .build()
        .unwrap();
    let copy = Bench { store, ..bench() };
    let lines = furnished().export();
    assert_eq!(copy.take_in(&lines[0]).unwrap(), 1);
    assert!(copy.refusal(&lines[1]).to_string().contains("no groups"));
    assert_eq!(copy.take_in(&lines[0]).unwrap(), 0);
    assert_eq!(told.lock().unwrap().len(), 1, "nothing is said of what is there");
}

/// The rules of an application hold for what is imported: they may change or refuse it.
#[test]
fn rules_are_asked_of_what_is_imported() {
    let rules = Hooks::<String>::new()
        .before_write::<User>(|_, proposed| {
            if let Some(user) = proposed.after_mut() {
                user.nick_name = Some("imported".into());
            }
            Ok(())
        })
        .before_write::<Group>(|_, _| Err(Error::invalid_value("The application wants no groups.")));
    let copy = bench();
    let import = copy.store.import(&Policy::default()).hooks(rules);
    let lines = furnished().export();
    let take_in = |line: &str| {
        let (import, line) = (import.clone(), import.read(line.as_bytes())?);
        let apply = move |tx: &Transaction<'_>| import.apply(tx, &ACME.to_owned(), &line);
        copy.store.database().blocking_write(apply)
    };
    assert_eq!(take_in(&lines[0]).unwrap(), 1);
    assert_eq!(take_in(&lines[0]).unwrap(), 0, "the same line is the same state");
    let id = copy.ids::<User>().remove(0);
    assert_eq!(copy.state::<User>(&id).nick_name.as_deref(), Some("imported"));
    assert!(take_in(&lines[1]).unwrap_err().to_string().contains("no groups"));
}

#[test]
fn only_what_a_policy_keeps_is_imported() {
    let lines = furnished().export();
    let copy = bench();
    let kept = crate::policy::Kept::new(User::RESOURCE_TYPE, &["userName", "active"]).unwrap();
    let import = copy.store.import(&Policy::tolerant().keeping(kept));
    let line = import.read(lines[0].as_bytes()).unwrap();
    let apply = move |tx: &Transaction<'_>| import.apply(tx, &ACME.to_owned(), &line);
    copy.store.database().blocking_write(apply).unwrap();
    let user = copy.found::<User>("userName pr");
    assert_eq!(user, ["später"]);
    let id = copy.ids::<User>().remove(0);
    assert!(copy.state::<User>(&id).emails.is_empty());
}

/// `{"members":…}` of a group of 100,000 would be one line of five megabytes.
#[test]
fn a_group_of_100_000_members_travels_in_short_lines() {
    const MEMBERS: u64 = 100_000;
    let bench = bench();
    bench.user("u0");
    let group = bench.group("All", &[]);
    bench
        .store
        .database()
        .blocking_write(|tx| {
            tx.execute(
                "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 99999)
                 INSERT INTO scim_resource(rid, tenant, type, id, version, created, modified, edges, k2, label, layout, doc)
                 SELECT rid * 1000000 + x, tenant, type, CAST(x'04' || 'u' || x AS BLOB), 1, created, modified, 0,
                        CAST(x'04' || 'u' || x AS BLOB), CAST('u' || x AS BLOB), layout, doc
                 FROM scim_resource, n WHERE k2 = CAST(x'04' || 'u0' AS BLOB)",
                &[],
            )?;
            tx.execute(
                "INSERT INTO scim_edge(tenant, src, attr, dst)
                 SELECT g.tenant, g.rid, a.id, u.rid FROM scim_resource g, scim_attribute a, scim_resource u
                 WHERE g.label = CAST('All' AS BLOB) AND a.name = 'members' AND u.type <> g.type",
                &[],
            )?;
            tx.execute("/* sqlite */ UPDATE scim_resource SET edges = 100000 WHERE label = CAST('All' AS BLOB)", &[])
        })
        .unwrap();
    let (chunks, tally) = bench.chunks(ACME);
    assert_eq!(
        (tally.resources["User"], tally.resources["Group"], tally.edges),
        (MEMBERS, 1, MEMBERS)
    );
    let longest = chunks.iter().map(Vec::len).max().unwrap();
    assert!(longest < 128 << 10, "a chunk of {longest} bytes");
    let lines = bench.export();
    let edges: Vec<_> = lines.iter().filter(|line| !kind(line).1).cloned().collect();
    assert_eq!(edges.len(), 100);
    assert!(edges.iter().all(|line| line.len() < 64 << 10));
    let forget = |tx: &Transaction<'_>| {
        tx.execute("/* sqlite */ DELETE FROM scim_edge", &[])?;
        tx.execute("/* sqlite */ UPDATE scim_resource SET edges = 0", &[])
    };
    bench.store.database().blocking_write(forget).unwrap();
    assert_eq!(bench.take_in_all(&edges), MEMBERS);
    assert_eq!(bench.version::<Group>(&group), "1");
    assert_eq!(bench.export(), lines);
}

#[test]
fn an_export_is_one_state_whatever_is_written_meanwhile() {
    let bench = bench();
    let ids: Vec<_> = (0..1_500)
        .map(|n| bench.user(&format!("user{n:0>120}")))
        .collect();
    let members: Vec<_> = ids.iter().map(String::as_str).collect();
    bench.group("All", &members);
    let expected = bench.export();
    let mut export = bench.store.export(ACME);
    let mut text = bench.block(export.next()).unwrap().unwrap().to_vec();
    for id in &ids[..50] {
        bench.delete::<User>(id).unwrap();
    }
    bench.user("newcomer");
    while let Some(chunk) = bench.block(export.next()) {
        text.extend_from_slice(&chunk.unwrap());
    }
    let text = String::from_utf8(text).unwrap();
    assert!(text.lines().eq(expected.iter().map(String::as_str)));
    assert_ne!(bench.export(), expected);
}

#[test]
fn a_tenant_that_has_nothing_exports_nothing() {
    let (chunks, tally) = furnished().chunks("nobody");
    assert!(chunks.is_empty());
    assert_eq!(tally.resources, BTreeMap::from([("Group", 0), ("User", 0)]));
}

/// Something that happens to a directory; numbers choose among those who are there.
#[derive(Debug, Clone)]
enum Event {
    Hire(Option<String>),
    Found(Vec<usize>),
    Rename(usize, String),
    Join(usize, usize),
    Nest(usize, usize),
    Leave(usize),
}

fn event() -> impl Strategy<Value = Event> {
    let text = || proptest::option::of("\\PC{1,12}");
    prop_oneof![
        text().prop_map(Event::Hire),
        proptest::collection::vec(0..20usize, 0..4).prop_map(Event::Found),
        (0..20usize, "\\PC{1,12}").prop_map(|(who, title)| Event::Rename(who, title)),
        (0..20usize, 0..20usize).prop_map(|(group, who)| Event::Join(group, who)),
        (0..20usize, 0..20usize).prop_map(|(group, inner)| Event::Nest(group, inner)),
        (0..20usize).prop_map(Event::Leave),
    ]
}

fn happen(bench: &Bench, event: Event, number: usize) {
    let users = bench.ids::<User>();
    let groups = bench.ids::<Group>();
    let pick = |list: &[String], at: usize| list.get(at % list.len().max(1)).cloned();
    match event {
        Event::Hire(title) => {
            let mut user = User::new(format!("user{number}"));
            user.title = title;
            bench.create(user).unwrap();
        }
        Event::Found(members) => {
            let members: Vec<_> = members.into_iter().filter_map(|at| pick(&users, at)).collect();
            let members: Vec<_> = members.iter().map(String::as_str).collect();
            bench.group(&format!("group{number}"), &members);
        }
        Event::Rename(who, title) => {
            let title = JsonBuf::string(&title);
            let change = format!(r#"[{{"op":"replace","path":"title","value":{title}}}]"#);
            pick(&users, who).map(|id| bench.patch::<User>(&id, &change).unwrap());
        }
        Event::Join(group, who) => {
            pick(&groups, group)
                .zip(pick(&users, who))
                .map(|(group, who)| bench.patch::<Group>(&group, &add(&who)));
        }
        Event::Nest(group, inner) => {
            pick(&groups, group)
                .zip(pick(&groups, inner))
                .map(|(group, who)| bench.patch::<Group>(&group, &add(&who)));
        }
        Event::Leave(who) => {
            if let Some(id) = pick(&users, who) {
                bench.delete::<User>(&id).unwrap();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn export_import_export_is_the_same(events in proptest::collection::vec(event(), 0..30)) {
        let source = bench();
        for (number, event) in events.into_iter().enumerate() {
            source.hands.set(1_000 + number as i64);
            happen(&source, event, number);
        }
        let lines = source.export();
        let copy = bench();
        copy.take_in_all(&lines);
        prop_assert_eq!(copy.export(), lines);
    }

    #[test]
    fn no_line_panics(line in "\\PC{0,80}", at in 0..400usize, cut in 0..40usize) {
        let bench = bench();
        _ = bench.take_in(&line);
        let mut good = furnished().export().remove(0).into_bytes();
        let at = at % good.len();
        let end = (at + cut).min(good.len());
        good.splice(at..end, line.bytes());
        let import = bench.store.import(&Policy::default());
        _ = import.read(&good);
    }
}
