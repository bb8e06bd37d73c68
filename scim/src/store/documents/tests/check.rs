//! The findings of a check: none in a store that only the store has written, and every kind of damage.

use proptest::prelude::*;

use super::*;
use crate::store::documents::{Checked, Finding, Inspected, Inspector};

#[derive(Default)]
struct Notes {
    findings: Vec<Finding>,
    inspected: Vec<(String, &'static str, String)>,
}

impl Inspector for Notes {
    fn resource(&mut self, resource: &Inspected<'_>) -> Result<()> {
        let name = resource.resource_type.name;
        self.inspected
            .push((resource.tenant.to_owned(), name, resource.id.to_owned()));
        Ok(())
    }

    fn finding(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
}

impl Bench {
    fn check(&self) -> (Checked, Notes) {
        // A connection of its own sees what somebody else has written into the file.
        let store = self.store.clone();
        let walk = self.store.database().walk(move |reader| {
            let mut notes = Notes::default();
            let checked = store.check(reader, &mut notes)?;
            Ok((checked, notes))
        });
        runtime().block_on(walk).unwrap()
    }

    fn findings(&self) -> Vec<String> {
        let (_, notes) = self.check();
        notes.findings.iter().map(ToString::to_string).collect()
    }

    fn execute(&self, sql: &str) {
        let sql = sql.to_owned();
        let database = self.store.database();
        database.blocking_write(move |tx| tx.execute_batch(&sql)).unwrap();
    }
}

/// Creates two people, one of them in a group.
fn inhabited() -> (Bench, String, String) {
    let bench = bench();
    let mut user = User::new("ann");
    user.emails = vec![email("ann@example.com", "work")];
    let ann = id_of(&bench.create(user).unwrap());
    bench.user("bob");
    let group = bench.group("crew", &[&ann]);
    (bench, ann, group)
}

#[test]
fn a_sound_store_is_gone_over_without_a_finding() {
    let (bench, ann, group) = inhabited();
    let (checked, notes) = bench.check();
    assert_eq!(notes.findings, []);
    assert_eq!((checked.resources, checked.edges), (3, 1));
    assert_eq!(notes.inspected.len(), 3);
    for (name, id) in [("User", ann), ("Group", group)] {
        assert!(notes.inspected.contains(&(ACME.to_owned(), name, id)));
    }
}

#[test]
fn every_kind_of_damage_is_found_and_named() {
    for (damage, expected) in [
        (
            "UPDATE scim_resource SET version = 7 WHERE k2 = CAST(x'04' || 'ann' AS BLOB)",
            "the meta of its document",
        ),
        (
            "UPDATE scim_resource SET modified = 7 WHERE k2 = CAST(x'04' || 'ann' AS BLOB)",
            "the meta of its document",
        ),
        (
            "UPDATE scim_resource SET k2 = CAST(x'04' || 'anne' AS BLOB) WHERE k2 = CAST(x'04' || 'ann' AS BLOB)",
            "the index of userName has another value",
        ),
        (
            "UPDATE scim_resource SET label = x'78' WHERE k2 = CAST(x'04' || 'ann' AS BLOB)",
            "the index of the display name",
        ),
        (
            "UPDATE scim_resource SET doc = CAST('x' AS BLOB) WHERE k2 = CAST(x'04' || 'ann' AS BLOB)",
            "its document is no JSON",
        ),
        (
            "UPDATE scim_resource SET doc = x'ff' WHERE k2 = CAST(x'04' || 'ann' AS BLOB)",
            "its document is no text",
        ),
        (
            "UPDATE scim_resource SET doc = CAST(replace(doc, '\"userName\"', '\"useName\"') AS BLOB) WHERE k2 = CAST(x'04' || 'ann' AS BLOB)",
            "its document does not fit its schema",
        ),
        (
            "UPDATE scim_resource SET doc = (SELECT doc FROM scim_resource WHERE k2 = CAST(x'04' || 'bob' AS BLOB)) WHERE k2 = CAST(x'04' || 'ann' AS BLOB)",
            "its document has another id",
        ),
        (
            "UPDATE scim_resource SET id = x'07' WHERE k2 = CAST(x'04' || 'ann' AS BLOB)",
            "has no readable id",
        ),
        (
            "UPDATE scim_resource SET tenant = 99 WHERE k2 = CAST(x'04' || 'bob' AS BLOB)",
            "a tenant that does not exist",
        ),
        ("DELETE FROM scim_value", "the index of emails has another value"),
        (
            "INSERT INTO scim_value SELECT tenant, attr, x'0478', sub, rid FROM scim_value LIMIT 1",
            "1 indexed values of the type User (scim_value) are not those of any resource",
        ),
        (
            "INSERT INTO scim_value SELECT tenant, attr, x'0478', sub, 99 FROM scim_value LIMIT 1",
            "1 indexed values belong to no resource",
        ),
        (
            "DELETE FROM scim_unique",
            "the values that only it may have are not kept for it",
        ),
        (
            "INSERT INTO scim_unique SELECT tenant, attr, x'0478', rid FROM scim_unique LIMIT 1",
            "1 indexed values of the type User (scim_unique) are not those of any resource",
        ),
        (
            "INSERT INTO scim_unique VALUES (1, 1, x'0478', 99)",
            "unique values are held by resources that do not exist",
        ),
        ("DELETE FROM scim_edge", "the number of its edges"),
        (
            "INSERT INTO scim_edge VALUES (1, 99, 1, 1)",
            "an edge starts from a resource that does not exist",
        ),
        (
            "UPDATE scim_edge SET dst = 99",
            "an edge leads to a resource that does not exist",
        ),
        (
            "UPDATE scim_edge SET attr = 99",
            "an edge belongs to no attribute",
        ),
        (
            "UPDATE scim_counter SET n = n + 1 WHERE type = 1",
            "there are 2 resources of the type User, and 3 are counted",
        ),
        (
            "DELETE FROM scim_counter",
            "there are 1 resources of the type Group, and 0 are counted",
        ),
        (
            "INSERT INTO scim_type VALUES (9, 'Robot', ''); UPDATE scim_resource SET type = 9 WHERE k2 = CAST(x'04' || 'bob' AS BLOB)",
            "1 resources of the type Robot were not looked at",
        ),
    ] {
        let (bench, ..) = inhabited();
        bench.execute(damage);
        let findings = bench.findings();
        assert!(
            findings.iter().any(|finding| finding.contains(expected)),
            "{damage}\n{findings:#?}"
        );
    }
}

#[test]
fn a_finding_names_the_resource_and_no_value_of_it() {
    let (bench, ann, _) = inhabited();
    bench.execute(
        "UPDATE scim_resource SET k2 = CAST(x'04' || 'anne' AS BLOB), doc = CAST(replace(doc, '\"ann\"', '7777') AS BLOB) WHERE k2 = CAST(x'04' || 'ann' AS BLOB)",
    );
    let (_, notes) = bench.check();
    let finding = &notes.findings[0];
    assert_eq!(finding.resource, Some(("User", ann.clone())));
    assert_eq!(finding.tenant.as_deref(), Some(ACME));
    assert!(
        finding
            .to_string()
            .starts_with(&format!("{ACME}: User \"{ann}\": ")),
        "{finding}"
    );
    for finding in &notes.findings {
        let text = finding.to_string();
        assert!(!text.contains("7777") && !text.contains("anne"), "{text}");
    }
}

#[test]
fn an_edge_to_another_tenant_is_found() {
    let (bench, _, group) = inhabited();
    let elsewhere = Bench {
        tenant: Arc::new("elsewhere".to_owned()),
        ..bench_on(bench.store.database().clone())
    };
    let stranger = elsewhere.user("eve");
    assert_eq!(bench.findings(), Vec::<String>::new());
    bench.execute(
        "UPDATE scim_edge SET dst = (SELECT rid FROM scim_resource WHERE k2 = CAST(x'04' || 'eve' AS BLOB))",
    );
    let findings = bench.findings();
    assert_eq!(
        findings,
        [format!(
            "{ACME}: Group \"{group}\": an edge leads to a resource that does not exist"
        )]
    );
    assert!(!findings[0].contains(&stranger));
}

/// Opens the file as somebody who keeps no rules.
fn vandal(bench: &Bench) -> (rusqlite::Connection, std::path::PathBuf) {
    let path = bench
        .store
        .database()
        .blocking_read(|reader| {
            reader.query_one("PRAGMA database_list", &[], |row| row.text(2).map(str::to_owned))
        })
        .unwrap()
        .unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "foreign_keys", false).unwrap();
    (connection, path.into())
}

#[test]
fn a_reference_of_the_application_that_leads_nowhere_is_found() {
    let (bench, ..) = inhabited();
    let (vandal, _) = vandal(&bench);
    vandal
        .execute_batch(
            "CREATE TABLE a(x INTEGER PRIMARY KEY) STRICT; CREATE TABLE b(x INTEGER REFERENCES a(x)) STRICT;
             INSERT INTO b VALUES (1)",
        )
        .unwrap();
    assert_eq!(
        bench.findings(),
        ["a row of the table b leads to a row of a that does not exist"]
    );
}

#[test]
fn a_damaged_file_is_said_to_be_damaged_and_not_looked_at_any_further() {
    use std::io::{Seek, SeekFrom, Write};
    let (bench, ..) = inhabited();
    let (vandal, path) = vandal(&bench);
    let page: u32 = vandal
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'scim_resource_list'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    // Readers let go of their snapshots when they are idle, and then the log can be emptied.
    let emptied = |_| {
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        let busy: i64 = vandal.query_row(sql, [], |row| row.get(0)).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(10));
        busy == 0
    };
    assert!((0..1_000).any(emptied));
    let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(u64::from(page - 1) * 4_096)).unwrap();
    file.write_all(&[0xff; 64]).unwrap();
    let (checked, notes) = bench.check();
    assert_eq!(checked, Checked::default());
    let findings: Vec<_> = notes.findings.iter().map(ToString::to_string).collect();
    assert!(findings[0].starts_with("the file is damaged: "), "{findings:?}");
    assert_eq!(notes.inspected, []);
}

#[test]
fn an_inspector_can_end_the_check() {
    struct Tired;
    impl Inspector for Tired {
        fn resource(&mut self, _: &Inspected<'_>) -> Result<()> {
            Err(crate::Error::internal("enough"))
        }
        fn finding(&mut self, _: Finding) {}
    }
    let (bench, ..) = inhabited();
    let store = bench.store.clone();
    let ended = bench
        .store
        .database()
        .blocking_read(move |reader| store.check(reader, &mut Tired).map(drop));
    assert!(ended.is_err());
}

/// An act of somebody on a store with a few people and groups.
#[derive(Debug, Clone)]
enum Act {
    Hire(u8),
    Found(u8, Vec<u8>),
    Mail(u8, u8),
    Rename(u8, u8),
    Join(u8, Vec<u8>),
    Leave(u8, u8),
    Replace(u8, Vec<u8>),
    Fire(u8),
    Dissolve(u8),
}

fn act() -> impl Strategy<Value = Act> {
    let some = 0..12_u8;
    let few = prop::collection::vec(0..12_u8, 0..4);
    prop_oneof![
        some.clone().prop_map(Act::Hire),
        (some.clone(), few.clone()).prop_map(|(n, members)| Act::Found(n, members)),
        (some.clone(), some.clone()).prop_map(|(n, mail)| Act::Mail(n, mail)),
        (some.clone(), some.clone()).prop_map(|(n, name)| Act::Rename(n, name)),
        (some.clone(), few.clone()).prop_map(|(n, members)| Act::Join(n, members)),
        (some.clone(), some.clone()).prop_map(|(n, member)| Act::Leave(n, member)),
        (some.clone(), few).prop_map(|(n, members)| Act::Replace(n, members)),
        some.clone().prop_map(Act::Fire),
        some.prop_map(Act::Dissolve),
    ]
}

/// The ids of everybody who was ever there, dead ones too.
#[derive(Default)]
struct Cast {
    people: Vec<String>,
    groups: Vec<String>,
}

fn nth(ids: &[String], n: u8) -> Option<&String> {
    ids.get(usize::from(n) % ids.len().max(1))
}

impl Cast {
    fn members(&self, numbers: &[u8]) -> Vec<Member> {
        let ids = numbers.iter().filter_map(|n| nth(&self.people, *n));
        ids.map(Member::new).collect()
    }

    /// Carries it out, whatever comes of it: a refusal must not leave anything behind either.
    fn play(&mut self, bench: &Bench, act: &Act) {
        let user = |n: &u8| nth(&self.people, *n).cloned().unwrap_or_default();
        let group = |n: &u8| nth(&self.groups, *n).cloned().unwrap_or_default();
        match act {
            Act::Hire(n) => {
                let hired = bench.create(User::new(format!("user{n}")));
                self.people.extend(hired.ok().as_ref().map(id_of));
            }
            Act::Found(n, members) => {
                let mut group = Group::new(format!("group{n}"));
                group.members = self.members(members).into();
                let founded = bench.create(group);
                self.groups.extend(founded.ok().as_ref().map(id_of));
            }
            Act::Mail(n, mail) => {
                let operations = format!(
                    r#"[{{"op":"add","path":"emails","value":[{{"value":"m{mail}@x","type":"home"}}]}}]"#
                );
                _ = bench.patch::<User>(&user(n), &operations);
            }
            Act::Rename(n, name) => {
                let operations = format!(r#"[{{"op":"replace","path":"userName","value":"user{name}"}}]"#);
                _ = bench.patch::<User>(&user(n), &operations);
            }
            Act::Join(n, members) => {
                let ids: Vec<_> = members
                    .iter()
                    .map(|n| format!(r#"{{"value":"{}"}}"#, user(n)))
                    .collect();
                let operations = format!(r#"[{{"op":"add","path":"members","value":[{}]}}]"#, ids.join(","));
                _ = bench.patch::<Group>(&group(n), &operations);
            }
            Act::Leave(n, member) => {
                let operations = format!(
                    r#"[{{"op":"remove","path":"members[value eq \"{}\"]"}}]"#,
                    user(member)
                );
                _ = bench.patch::<Group>(&group(n), &operations);
            }
            Act::Replace(n, members) => {
                let mut next = Group::new("replaced");
                next.members = self.members(members).into();
                _ = bench.replace(&group(n), next);
            }
            Act::Fire(n) => _ = bench.delete::<User>(&user(n)),
            Act::Dissolve(n) => _ = bench.delete::<Group>(&group(n)),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is done through the store, and whatever it refuses, a check finds nothing.
    #[test]
    fn a_store_keeps_itself_sound(acts in prop::collection::vec(act(), 0..40)) {
        let bench = bench();
        let mut cast = Cast::default();
        for act in &acts {
            cast.play(&bench, act);
        }
        prop_assert_eq!(bench.findings(), Vec::<String>::new());
    }
}
