//! A database of the version before is carried over when it is opened, once.

use tempfile::tempdir;

use super::*;
use crate::store::documents::{Checked, Finding, Inspected, Inspector};

/// The tables that a server with the format before has written: two people, one deleted, and a group in a group.
const FORMAT_1: &str = include_str!("format_1.sql");
const TENANT: &str = "01a2233e-0a09-705f-a67f-7c5c399d433a";
const ANN: &str = "01a2233e-131b-740a-b1c6-1251e7fe4f71";
const GUIDES: &str = "01a2233e-1506-723a-b80b-b6abc70a954f";
const ALL: &str = "01a2233e-15c5-76dc-bc9f-13e99143b2b2";

/// Makes a file with these tables, as they were or changed before it is opened.
fn file(change: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let directory = tempdir().unwrap();
    let path = directory.path().join("data.db");
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(FORMAT_1).unwrap();
    old.execute_batch(change).unwrap();
    (directory, path)
}

fn opened(path: &std::path::Path) -> Bench {
    let database = Database::open(path, Options::default()).unwrap();
    Bench {
        tenant: Arc::new(TENANT.to_owned()),
        ..bench_on(database)
    }
}

struct Findings(Vec<String>);

impl Inspector for Findings {
    fn resource(&mut self, _: &Inspected<'_>) -> Result<()> {
        Ok(())
    }

    fn finding(&mut self, finding: Finding) {
        self.0.push(finding.to_string());
    }
}

/// Asserts that everything that was kept is found and shown, by id, by every index and by its edges, and nothing is twice.
fn assert_carried_over(bench: &Bench) {
    assert_eq!((bench.count::<User>(), bench.count::<Group>()), (2, 2));
    for filter in [
        "userName eq \"ann@example.com\"",
        "externalId eq \"ext-1\"",
        "displayName sw \"ann\"",
        "active eq true",
        "emails[type eq \"work\" and value eq \"ANN@example.com\"]",
    ] {
        assert_eq!(bench.found::<User>(filter), ["Ann@example.com"], "{filter}");
    }
    let filter = format!("members.value eq \"{ANN}\"");
    assert_eq!(bench.found::<Group>(&filter), ["Guides"]);
    let shown = bench.shown::<User>(ANN, "");
    assert_eq!(shown["groups"][0]["display"], "Guides");
    assert_eq!(shown["meta"]["created"], "2026-11-28T17:40:00.411121Z");
    let guides = bench.state::<Group>(GUIDES);
    assert_eq!(guides.members.loaded().unwrap().len(), 2);
    assert_eq!(bench.version::<Group>(GUIDES), "2");
    assert_eq!(
        bench.state::<Group>(ALL).members.loaded().unwrap()[0].value,
        GUIDES
    );
    let taken = bench.create(User::new("ANN@example.com")).unwrap_err();
    assert_eq!(taken.status(), 409);
    let store = bench.store.clone();
    let (checked, findings) = bench
        .store
        .database()
        .blocking_read(move |reader| {
            let mut findings = Findings(Vec::new());
            let checked = store.check(reader, &mut findings)?;
            Ok((checked, findings.0))
        })
        .unwrap();
    assert_eq!(findings, Vec::<String>::new());
    let Checked { resources, edges, .. } = checked;
    assert_eq!((resources, edges), (4, 3));
}

#[test]
fn a_database_of_the_format_before_is_carried_over_once() {
    let (_directory, path) = file("");
    assert_carried_over(&opened(&path));
    let bench = opened(&path);
    assert_carried_over(&bench);
    // New resources come behind those that were there.
    bench.create(User::new("new@example.com")).unwrap();
    assert_eq!(
        bench.found::<User>("userName pr"),
        ["Ann@example.com", "bob@example.com", "new@example.com"]
    );
    let left = bench.store.database().blocking_read(|reader| {
        let sql = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'earlier%'";
        reader.query_one(sql, &[], |row| row.integer(0))
    });
    assert_eq!(left.unwrap(), Some(0));
}

/// The first versions did not say by which layout a document was written.
#[test]
fn a_file_without_layouts_is_carried_over() {
    let (_directory, path) = file("ALTER TABLE scim_resource DROP COLUMN layout; DROP TABLE scim_layout");
    assert_carried_over(&opened(&path));
}

/// An identifier may be any text, not only a UUID.
#[test]
fn identifiers_that_are_no_uuids_are_carried_over() {
    let change = "UPDATE scim_resource SET id = 'zoë 1', doc = CAST(replace(CAST(doc AS TEXT),
                    '01a2233e-13ab-71e6-9944-ae1ff0f60e24', 'zoë 1') AS BLOB) WHERE rid = 2";
    let (_directory, path) = file(change);
    let bench = opened(&path);
    assert_eq!(bench.state::<User>("zoë 1").user_name, "bob@example.com");
}

/// A file of a later version is not touched.
#[test]
fn a_database_of_a_later_format_is_not_opened_and_says_why() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("data.db");
    let later =
        |tx: &crate::store::database::Transaction<'_>| tx.execute_batch("UPDATE scim_format SET version = 9");
    opened(&path).store.database().blocking_write(later).unwrap();
    let database = Database::open(&path, Options::default()).unwrap();
    let error = with_types(DocumentStore::on(database))
        .build()
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("a later version") && error.contains("format 9"),
        "{error}"
    );
}
