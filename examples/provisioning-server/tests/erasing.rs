//! `user erase`: a pseudonym stands wherever a removed person was named.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use program::bench::Bench;
use program::{Place, rows};
use scim::store::database::{Database, Options, Value as Cell};
use serde_json::json;

/// The texts that must not be found anywhere.
const NEEDLES: [&str; 4] = ["ada.byron", "ada%2ebyron", "countess", "emp-1815"];

/// Finds every text and blob of the whole database in which one of the needles stands, with its table and column.
fn mentions(place: &Place) -> Vec<String> {
    let database = Database::open(place.database(), Options::default()).unwrap();
    let found = database.blocking_read(|reader| {
        let mut found = Vec::new();
        let tables = reader.query_all(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
            &[],
            |row| Ok(row.text(0)?.to_owned()),
        )?;
        assert!(tables.len() > 30, "{tables:?}");
        for table in tables {
            let sql = format!("SELECT name FROM pragma_table_info('{table}')");
            let columns = reader.query_all(&sql, &[], |row| Ok(row.text(0)?.to_owned()))?;
            for column in columns {
                let sql = format!("SELECT {column} FROM {table}");
                reader.query(&sql, &[], |row| {
                    let text = match row.value(0)? {
                        Cell::Text(text) => text,
                        Cell::Blob(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                        _ => return Ok(()),
                    };
                    let lower = text.to_lowercase();
                    if NEEDLES.iter().any(|needle| lower.contains(needle)) {
                        found.push(format!("{table}.{column}: {text}"));
                    }
                    Ok(())
                })?;
            }
        }
        Ok(found)
    });
    found.unwrap()
}

/// Makes somebody who has left traces in every table, and is removed.
fn removed() -> (Bench, String) {
    let bench = Bench::new(&["--capture-bodies", "on", "--assignment", "local-groups"]);
    let person = json!({ "displayName": "Countess Ada", "externalId": "emp-1815" });
    let id = bench.user_with("ada.byron@x.example", &person);
    let other = bench.user("bob@x.example");
    let group = bench.group("Engines", &[&id, &other]);
    // Searches, refusals, a conflict, an administrator's acts.
    for query in [
        "/Users?filter=userName%20eq%20%22Ada.Byron%40x.example%22",
        "/Users?filter=externalId%20eq%20%22emp-1815%22",
    ] {
        assert_eq!(bench.get(query).status, 200);
    }
    let twin = json!({ "schemas": [program::bench::USER], "userName": "ADA.byron@x.example" });
    assert_eq!(bench.send("POST", "/Users", &twin).status, 409);
    for arguments in [
        &[
            "user",
            "grant",
            "acme",
            "ada.byron@x.example",
            "--permission",
            "app:engine",
        ][..],
        &[
            "user",
            "suspend",
            "acme",
            "ada.byron@x.example",
            "--reason",
            "ask Countess Ada",
        ],
        &[
            "user",
            "suspend",
            "acme",
            "bob@x.example",
            "--reason",
            "seen with ada.byron@x.example",
        ],
    ] {
        bench.run(arguments);
    }
    bench.leave(&group, &id);
    bench.delete(&format!("/Users/{id}"));
    let gone = bench.get("/Users?filter=userName%20eq%20%22ada.byron@x.example%22");
    assert_eq!(gone.body["totalResults"], 0);
    (bench, id)
}

/// Feature row 114: after the erasure nothing names the person in any table, the history and the audit log keep a
/// pseudonym, and the act is audited.
#[test]
fn an_erased_person_is_named_nowhere() {
    let (bench, id) = removed();
    assert!(mentions(&bench.place).len() > 10);
    let account = bench.run(&["user", "show", "acme", &id])["id"].clone();
    let refused = bench.refused(&["user", "erase", "acme", &id, "--confirm", "bob@x.example"]);
    assert!(refused.contains("is not the name"), "{refused}");
    // Anything that the server has not written yet is written when it ends.
    let Bench { server, place, .. } = bench;
    server.terminate();
    let erased = place.json(&[
        "user",
        "erase",
        "acme",
        "ada.byron@x.example",
        "--confirm",
        "ada.byron@x.example",
    ]);
    let pseudonym = erased["pseudonym"].as_str().unwrap();
    assert!(pseudonym.starts_with("erased person "), "{pseudonym}");
    assert_eq!(erased["id"], account);
    assert_eq!(mentions(&place), Vec::<String>::new());

    let history = place.json(&["history", "list", "acme", "--about", &id]);
    let text = history.to_string();
    assert!(text.contains(&format!("created user {pseudonym}")), "{text}");
    let audit = place.json(&["audit", "list", "acme", "--subject", account.as_str().unwrap()]);
    let changes = audit["changes"].as_array().unwrap();
    assert_eq!(changes[0]["action"], "user.erase");
    assert!(changes.len() > 2 && changes.iter().all(|change| change["subject_name"] == pseudonym));
    let shown = place.json(&["user", "show", "acme", account.as_str().unwrap()]);
    assert_eq!(
        (&shown["name"], &shown["address"]),
        (&json!(pseudonym), &json!(null))
    );
    assert_eq!(place.json(&["check"])["sound"], true);
}

/// Feature row 114: only whoever is removed can be erased, and nobody else of the same name goes with them.
#[test]
fn only_removed_people_are_erased() {
    let bench = Bench::new(&[]);
    let refused = |bench: &Bench| {
        bench.refused(&[
            "user",
            "erase",
            "acme",
            "ada@x.example",
            "--confirm",
            "ada@x.example",
        ])
    };
    let id = bench.user("ada@x.example");
    assert!(refused(&bench).contains("is not removed"));
    bench.delete(&format!("/Users/{id}"));
    bench.run(&["user", "create", "acme", "ada@x.example"]);
    assert!(refused(&bench).contains("Another account is called"));
    let events = rows(
        &bench.place,
        "SELECT 1 FROM event WHERE data LIKE '%ada@x.example%'",
    );
    assert!(!events.is_empty());
}

/// Feature row 114: an erasure that was killed in the middle is gone on with by a server, or when it is repeated, and
/// nothing is left of the person.
#[test]
fn an_erasure_that_was_killed_is_gone_on_with() {
    for by_server in [true, false] {
        gone_on_with(by_server);
    }
}

fn gone_on_with(by_server: bool) {
    let (bench, _) = removed();
    let Bench { server, place, .. } = bench;
    server.terminate();
    place.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
         INSERT INTO request (org, sequence, time, method, path, status, duration_us, sentence, request_id, idp)
         SELECT o.id, randomblob(16), 0, 'GET', '/Users?filter=userName eq \"ada.byron@x.example\"', 200, 1, '', 'r', 'other'
         FROM organization o, n WHERE o.name = 'acme'",
    );
    let named = |place: &Place| rows(place, "SELECT 1 FROM request WHERE path LIKE '%ada.byron%'").len();
    let all = named(&place);
    let erase = [
        "user",
        "erase",
        "acme",
        "ada.byron@x.example",
        "--confirm",
        "ada.byron@x.example",
    ];
    let mut child = place.begin(&erase);
    while named(&place) == all {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    let was_killed = !child.wait().unwrap().success();
    if was_killed {
        let checked = place.json(&["check"]);
        assert_eq!(
            (&checked["sound"], &checked["under_way"]),
            (&json!(true), &json!(["1 erasure of a person"]))
        );
    }
    match by_server {
        true => {
            let server = place.serve(&[]);
            while !rows(&place, "SELECT 1 FROM erasure").is_empty() {
                std::thread::yield_now();
            }
            server.terminate();
        }
        false if was_killed => _ = place.json(&erase),
        false => {}
    }
    let acts = "SELECT subject_name FROM audit WHERE action = 'user.erase'";
    let acts = rows(&place, acts);
    assert!(
        acts.len() == 1 && format!("{acts:?}").contains("erased person"),
        "{acts:?}"
    );
    assert_eq!(mentions(&place).len(), 0);
    let checked = place.json(&["check"]);
    assert_eq!(
        (&checked["sound"], &checked["under_way"]),
        (&json!(true), &json!([]))
    );
}
