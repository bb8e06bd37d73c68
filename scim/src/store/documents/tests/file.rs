use tempfile::tempdir;

use super::*;

fn opened(path: &std::path::Path) -> Bench {
    bench_on(Database::open(path, Options::default()).unwrap())
}

#[test]
fn what_was_answered_is_there_after_the_file_is_opened_again() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("data.db");
    let (user, group) = {
        let bench = opened(&path);
        let user = bench.user("bjensen");
        let group = bench.group("Guides", &[&user]);
        (user, group)
    };
    let bench = opened(&path);
    assert_eq!(
        bench.state::<Group>(&group).members.loaded().unwrap()[0].value,
        user
    );
    assert_eq!(bench.found::<User>("userName eq \"BJENSEN\""), ["bjensen"]);
    assert_eq!(bench.create(User::new("bjensen")).unwrap_err().status(), 409);
    assert_eq!(bench.count::<User>(), 1);
}

/// Two stores with a database of their own each, as two processes have: each sees what the other has written, and
/// uniqueness and versions hold between them.
#[test]
fn two_processes_share_a_file() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("data.db");
    let options = Options {
        snapshot_age: std::time::Duration::ZERO,
        ..Options::default()
    };
    let first = bench_on(Database::open(&path, options.clone()).unwrap());
    let second = bench_on(Database::open(&path, options).unwrap());
    let id = first.user("bjensen");
    assert_eq!(second.create(User::new("bjensen")).unwrap_err().status(), 409);
    assert!(
        second
            .patch::<User>(&id, r#"[{"op":"replace","path":"title","value":"Guide"}]"#)
            .unwrap()
    );
    assert_eq!(first.version::<User>(&id), "2");
    assert_eq!(first.state::<User>(&id).title.as_deref(), Some("Guide"));
    let group = first.group("Guides", &[]);
    assert!(second.patch::<Group>(&group, &add(&id)).unwrap());
    assert_eq!(first.state::<Group>(&group).members.loaded().unwrap().len(), 1);
}

/// A copy of the file and its log, taken while the store is open, is what a crash leaves behind.
#[test]
fn a_crash_loses_nothing_that_was_answered() {
    let directory = tempdir().unwrap();
    let (path, copy) = (directory.path().join("data.db"), directory.path().join("copy.db"));
    let bench = opened(&path);
    let user = bench.user("bjensen");
    let group = bench.group("Guides", &[&user]);
    for extension in ["", "-wal"] {
        let from = format!("{}{extension}", path.display());
        std::fs::copy(from, format!("{}{extension}", copy.display())).unwrap();
    }
    let survivor = opened(&copy);
    assert_eq!(survivor.state::<Group>(&group), bench.state::<Group>(&group));
    assert_eq!(
        survivor.found::<User>(&format!("groups.value eq \"{group}\"")),
        ["bjensen"]
    );
}

/// A-16: keys that another build has made are made anew.
#[test]
fn keys_of_another_build_are_made_anew() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("data.db");
    {
        let bench = opened(&path);
        bench
            .create(User {
                emails: vec![email("Babs@example.com", "work")],
                ..User::new("BJensen")
            })
            .unwrap();
        bench
            .store
            .database()
            .blocking_write(|tx| {
                tx.execute_batch(
                    "UPDATE scim_resource SET k2 = x'0400', label = NULL;
                     UPDATE scim_value SET value = x'0400';
                     UPDATE scim_unique SET value = x'0400';
                     UPDATE scim_type SET layout = 'keys of another build'",
                )
            })
            .unwrap();
        assert!(bench.found::<User>("userName eq \"bjensen\"").is_empty());
    }
    let bench = opened(&path);
    assert_eq!(bench.found::<User>("userName eq \"bjensen\""), ["BJensen"]);
    assert_eq!(
        bench.found::<User>("emails.value eq \"babs@example.com\""),
        ["BJensen"]
    );
    assert_eq!(bench.create(User::new("bjensen")).unwrap_err().status(), 409);
}

#[test]
fn a_file_is_made_with_the_tables_of_the_application_beside() {
    let directory = tempdir().unwrap();
    let store: DocumentStore = DocumentStore::open(directory.path().join("data.db"))
        .unwrap()
        .resource::<User>()
        .build()
        .unwrap();
    let made = store
        .database()
        .blocking_write(|tx| tx.execute_batch("CREATE TABLE note(body TEXT) STRICT"));
    assert!(made.is_ok());
}

/// Keys by new rules may make two values one; then the file is left as it is.
#[test]
fn a_file_whose_values_are_no_longer_unique_is_not_opened_and_says_why() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("data.db");
    {
        let bench = opened(&path);
        let (anna, other) = (bench.user("anna"), bench.user("other"));
        let document = bench.shown::<User>(&anna, "").to_string();
        _ = other;
        bench
            .store
            .database()
            .blocking_write(move |tx| {
                tx.execute(
                    "/* sqlite */ UPDATE scim_resource SET doc = ?1 WHERE k2 = CAST(x'04' || 'other' AS BLOB)",
                    &[document.as_bytes().into()],
                )?;
                tx.execute_batch("UPDATE scim_type SET layout = 'keys of another build'")
            })
            .unwrap();
    }
    let database = Database::open(&path, Options::default()).unwrap();
    let error = with_types(DocumentStore::on(database)).build().unwrap_err();
    let source = error.to_string();
    assert!(source.contains("Two resources of the type User"), "{source}");
    let database = Database::open(&path, Options::default()).unwrap();
    let kept = database.blocking_read(|reader| {
        reader.query_all("/* sqlite */ SELECT k2 FROM scim_resource", &[], |row| {
            row.blob(0).map(<[u8]>::to_owned)
        })
    });
    assert_eq!(kept.unwrap(), [&b"\x04anna"[..], b"\x04other"]);
}

/// A member of a team with a rank, for which an edge has no place.
#[derive(Debug, Clone, PartialEq, crate::ScimComplex)]
struct Mate {
    #[scim(key)]
    value: String,
    rank: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:scim:schemas:2.0:Team", endpoint = "/Teams")]
struct Team {
    id: crate::value::ResourceId,
    meta: crate::value::Meta,
    #[scim(edges)]
    mates: crate::value::Edges<Mate>,
}

#[test]
fn edges_that_would_lose_a_value_are_refused_at_the_start() {
    let error = DocumentStore::<()>::in_memory()
        .unwrap()
        .resource::<Team>()
        .build()
        .unwrap_err();
    let source = error.to_string();
    assert!(source.contains("mates") && source.contains("rank"), "{source}");
}

#[test]
fn a_store_that_cannot_work_is_not_built() {
    let builder = || DocumentStore::<()>::in_memory().unwrap();
    assert!(builder().resource::<User>().resource::<User>().build().is_err());
    let link = builder()
        .resource::<User>()
        .link(Group::paths().members(), User::paths().groups());
    assert!(link.build().is_err(), "the groups are not kept");
    let store = builder().resource::<User>().build().unwrap();
    let write = Write::create(&Arc::new(()), "1", Group::new("x"));
    assert_eq!(runtime().block_on(store.write(write)).unwrap_err().status(), 500);
}
