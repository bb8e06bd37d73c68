//! The seam: values, rows and errors.

use std::ops::ControlFlow;

use proptest::prelude::*;

use super::*;

fn one<T: Send + 'static>(
    sql: &'static str,
    read: impl Fn(&Row<'_>) -> Result<T> + Send + 'static,
) -> Result<Option<T>> {
    let database = Database::in_memory(options())?;
    database.blocking_read(move |reader| reader.query_one(sql, &[], |row| read(row)))
}

#[test]
fn columns_are_read_by_type() {
    let sql = "SELECT 7, 1.5, 'text', x'00ff', NULL, 1";
    one(sql, |row| {
        assert_eq!(row.integer(0)?, 7);
        assert_eq!((row.real(1)?, row.real(0)?), (1.5, 7.0));
        assert_eq!(row.text(2)?, "text");
        assert_eq!((row.blob(3)?, row.blob(2)?), (&[0, 255][..], &b"text"[..]));
        assert!(row.is_null(4)? && !row.is_null(0)?);
        assert!(row.boolean(5)?);
        assert_eq!(
            (row.optional_integer(4)?, row.optional_integer(0)?),
            (None, Some(7))
        );
        assert_eq!((row.optional_real(4)?, row.optional_real(1)?), (None, Some(1.5)));
        assert_eq!(
            (row.optional_text(4)?, row.optional_text(2)?),
            (None, Some("text"))
        );
        assert_eq!(
            (row.optional_blob(4)?, row.optional_blob(3)?),
            (None, Some(&[0, 255][..]))
        );
        assert_eq!(
            (row.optional_boolean(4)?, row.optional_boolean(5)?),
            (None, Some(true))
        );
        assert_eq!(row.value(2)?, Value::Text("text".to_owned()));
        Ok(())
    })
    .unwrap()
    .unwrap();
}

#[test]
fn a_column_of_another_type_is_an_internal_error_that_names_it() {
    type Read = fn(&Row<'_>) -> Result<()>;
    let wrong: [(&str, Read); 6] = [
        ("column 1 should hold an integer, but holds Text", |row| {
            row.integer(1).map(drop)
        }),
        ("column 1 should hold a number, but holds Text", |row| {
            row.real(1).map(drop)
        }),
        ("column 0 should hold text, but holds Integer", |row| {
            row.text(0).map(drop)
        }),
        ("column 0 should hold bytes, but holds Integer", |row| {
            row.blob(0).map(drop)
        }),
        ("column 2 should hold text, but holds Null", |row| {
            row.text(2).map(drop)
        }),
        ("Invalid column index: 9", |row| row.integer(9).map(drop)),
    ];
    for (expected, read) in wrong {
        let error = one("SELECT 7, 'text', NULL", read).unwrap_err();
        assert_eq!(error.status(), 500);
        assert_eq!(cause(&error), expected);
    }
    let error = one("SELECT CAST(x'ff' AS TEXT)", |row| row.text(0).map(drop)).unwrap_err();
    assert!(
        cause(&error).starts_with("column 0 is not UTF-8"),
        "{}",
        cause(&error)
    );
}

#[test]
fn no_row_is_none() {
    assert_eq!(one("SELECT 1 WHERE false", |row| row.integer(0)).unwrap(), None);
}

#[test]
fn a_wrong_number_of_parameters_is_an_error() {
    let database = Database::in_memory(options()).unwrap();
    for params in [&[][..], &[Param::Integer(1), Param::Integer(2)]] {
        let outcome = database.blocking_read(move |reader| reader.query("SELECT ?1", params, |_| Ok(())));
        assert!(cause(&outcome.unwrap_err()).contains("number of parameters"));
    }
}

#[test]
fn a_visit_may_stop_and_the_statement_starts_anew() {
    let database = notes(options());
    let seen = database.blocking_write(|tx| {
        for body in ["a", "b", "c"] {
            insert(tx, body)?;
        }
        let mut seen = Vec::new();
        for _ in 0..2 {
            tx.visit("SELECT body FROM note ORDER BY body", &[], |row| {
                seen.push(row.text(0)?.to_owned());
                Ok(if seen.len() % 2 == 0 {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                })
            })?;
        }
        Ok(seen)
    });
    assert_eq!(seen.unwrap(), ["a", "b", "a", "b"]);
}

#[test]
fn an_error_of_the_visitor_is_the_error_of_the_query() {
    let database = Database::in_memory(options()).unwrap();
    let outcome = database.blocking_read(|reader| {
        reader.query("SELECT 1", &[], |_| {
            Err(crate::Error::too_many("matches too much"))
        })
    });
    assert_eq!(outcome.unwrap_err().scim_type(), Some(crate::ScimType::TooMany));
}

#[test]
fn statements_may_run_inside_one_another() {
    let database = notes(options());
    let pairs = database.blocking_write(|tx| {
        insert(tx, "a")?;
        insert(tx, "b")?;
        let mut pairs = Vec::new();
        let sql = "SELECT body FROM note ORDER BY body";
        tx.query(sql, &[], |outer| {
            let outer = outer.text(0)?;
            tx.query(sql, &[], |inner| {
                pairs.push(format!("{outer}{}", inner.text(0)?));
                Ok(())
            })
        })?;
        Ok(pairs)
    });
    assert_eq!(pairs.unwrap(), ["aa", "ab", "ba", "bb"]);
}

#[test]
fn ids_and_counts_of_changes_are_known() {
    let database = notes(options());
    database
        .blocking_write(|tx| {
            insert(tx, "a")?;
            assert_eq!(tx.last_insert_id(), 1);
            insert(tx, "b")?;
            assert_eq!(tx.last_insert_id(), 2);
            assert_eq!(tx.execute("UPDATE note SET body = body || '!'", &[])?, 2);
            let returned = tx.query_one("INSERT INTO note(body) VALUES ('c') RETURNING id", &[], |row| {
                row.integer(0)
            })?;
            assert_eq!(returned, Some(3));
            assert_eq!(tx.execute("DELETE FROM note", &[])?, 3);
            Ok(())
        })
        .unwrap();
}

#[test]
fn unique_violations_are_told_from_others() {
    let database = Database::in_memory(options()).unwrap();
    database
        .blocking_write(|tx| {
            tx.execute_batch(
                "CREATE TABLE person(id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, name TEXT, mail TEXT) STRICT;
                 CREATE UNIQUE INDEX person_name ON person(tenant, name);
                 CREATE UNIQUE INDEX person_mail ON person(tenant, lower(mail));
                 CREATE TABLE pair(a INTEGER NOT NULL, b INTEGER NOT NULL, PRIMARY KEY(a, b)) STRICT, WITHOUT ROWID;
                 INSERT INTO person VALUES (1, 1, 'a', 'a@x'); INSERT INTO pair VALUES (1, 2);",
            )
        })
        .unwrap();
    for (sql, columns) in [
        (
            "INSERT INTO person VALUES (2, 1, 'a', 'b')",
            Some("person.tenant, person.name"),
        ),
        (
            "INSERT INTO person VALUES (2, 1, 'b', 'A@x')",
            Some("index 'person_mail'"),
        ),
        ("INSERT INTO person VALUES (1, 1, 'b', 'b')", Some("person.id")),
        ("INSERT INTO pair VALUES (1, 2)", Some("pair.a, pair.b")),
        ("INSERT INTO person VALUES (2, NULL, 'b', 'b')", None),
        ("INSERT INTO person VALUES ('x', 1, 'b', 'b')", None),
        ("INSERT INTO nowhere VALUES (1)", None),
    ] {
        let error = database
            .blocking_write(move |tx| tx.execute(sql, &[]))
            .unwrap_err();
        assert_eq!(unique_violation(&error), columns, "{sql}");
        assert_eq!(is_unique_violation(&error), columns.is_some(), "{sql}");
        let wrapped = crate::Error::uniqueness("is taken").with_source(error);
        assert_eq!(
            unique_violation(&wrapped),
            columns,
            "{sql}: also behind another error"
        );
    }
}

#[test]
fn foreign_keys_are_enforced() {
    let database = notes(options());
    database
        .blocking_write(|tx| tx.execute_batch("CREATE TABLE tag(note INTEGER REFERENCES note(id)) STRICT"))
        .unwrap();
    let error = database
        .blocking_write(|tx| tx.execute("INSERT INTO tag VALUES (77)", &[]))
        .unwrap_err();
    assert!(cause(&error).contains("FOREIGN KEY"));
    assert!(!is_unique_violation(&error));
}

#[test]
fn the_schema_may_change_under_held_snapshots() {
    let database = notes(options());
    database.blocking_read(count).unwrap();
    database
        .blocking_write(|tx| {
            tx.execute_batch("ALTER TABLE note ADD COLUMN extra TEXT; PRAGMA user_version = 2")
        })
        .unwrap();
    let read = database.blocking_read(|reader| {
        count(reader)?;
        reader.query("SELECT extra FROM note", &[], |_| Ok(()))?;
        reader.query_one("PRAGMA user_version", &[], |row| row.integer(0))
    });
    assert_eq!(read.unwrap(), Some(2));
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::Integer),
        // SQLite keeps NaN as NULL.
        any::<f64>()
            .prop_filter("a number", |real| !real.is_nan())
            .prop_map(Value::Real),
        ".*".prop_map(Value::Text),
        proptest::collection::vec(any::<u8>(), 0..64).prop_map(Value::Blob),
    ]
}

#[test]
fn every_value_comes_back_as_it_went_in() {
    let database = Database::in_memory(options()).unwrap();
    proptest!(|(values in proptest::collection::vec(any_value(), 3))| {
        let given = values.clone();
        let returned = database
            .blocking_read(move |reader| {
                let params: Vec<Param<'_>> = given.iter().map(Param::from).collect();
                reader.query_one("SELECT ?1, ?2, ?3", &params, |row| {
                    (0..3).map(|index| row.value(index)).collect::<Result<Vec<_>>>()
                })
            })
            .unwrap();
        prop_assert_eq!(returned, Some(values));
    });
}

#[test]
fn values_and_parameters_are_made_from_what_a_struct_holds() {
    let text = "x".to_owned();
    assert_eq!(Value::from("x"), Value::Text(text.clone()));
    assert_eq!(Value::from(text.clone()), Value::from(&text));
    assert_eq!(Value::from(Some(3_u32)), Value::Integer(3));
    assert_eq!(Value::from(None::<String>), Value::Null);
    assert_eq!(Value::from(vec![1_u8]), Value::Blob(vec![1]));
    assert_eq!(Param::from(&[1_u8, 2]), Param::Blob(&[1, 2]));
    assert_eq!(Param::from(Some(text.as_str())), Param::Text("x"));
    assert_eq!(Value::from(false), Value::Integer(0));
}

#[test]
fn statements_are_counted_in_jobs_of_all_kinds() {
    let database = notes(options());
    let before = database.statistics().statements;
    database.blocking_write(|tx| insert(tx, "one")).unwrap();
    database
        .blocking_read(|reader| Ok((count(reader)?, count(reader)?)))
        .unwrap();
    assert_eq!(database.statistics().statements - before, 3);
}

/// Returns the access to `badge` in the plan of a statement that looks for a person without one.
fn way_to_badges(reader: &Reader<'_>) -> Result<String> {
    let steps = reader.query_all(
        "EXPLAIN QUERY PLAN SELECT p.id FROM person p WHERE p.org = ?1
         AND NOT EXISTS (SELECT 1 FROM badge b WHERE b.org = ?1 AND b.holder = p.id AND b.until IS NULL)",
        &[Param::Null],
        |row| Ok(row.text(3)?.to_owned()),
    )?;
    Ok(steps
        .into_iter()
        .find(|step| step.starts_with("SEARCH b "))
        .unwrap())
}

#[test]
fn the_planner_knows_that_a_tenant_may_be_large() {
    let database = Database::in_memory(options()).unwrap();
    let make = |tx: &Transaction<'_>| {
        tx.execute_batch(
            "CREATE TABLE person (org BLOB NOT NULL, id BLOB NOT NULL, PRIMARY KEY (org, id)) STRICT, WITHOUT ROWID;
             CREATE TABLE badge (org BLOB NOT NULL, id BLOB NOT NULL, holder BLOB NOT NULL, until INTEGER,
                 PRIMARY KEY (org, id)) STRICT, WITHOUT ROWID;
             CREATE INDEX badge_holder ON badge (org, holder);
             CREATE INDEX badge_returned ON badge (org, until, id) WHERE until IS NOT NULL;
             CREATE UNIQUE INDEX badge_serial ON badge (org, holder, id) WHERE until IS NOT NULL;",
        )?;
        way_to_badges(tx)
    };
    let before = database.blocking_write(make).unwrap();
    assert!(before.ends_with("(org=?)"), "it is needed no more: {before}");
    // Told twice, it knows it once.
    for _ in 0..2 {
        let told = database.blocking_write(|tx| {
            tx.expect_large_tenants("org")?;
            way_to_badges(tx)
        });
        assert!(told.unwrap().ends_with("(org=? AND holder=?)"));
        let read = database.blocking_read(way_to_badges).unwrap();
        assert!(read.ends_with("(org=? AND holder=?)"), "{read}");
    }
    let estimates = database.blocking_read(|reader| {
        let sql = "SELECT tbl || ' ' || idx || ' ' || stat FROM sqlite_stat1 ORDER BY tbl, idx";
        reader.query_all(sql, &[], |row| Ok(row.text(0)?.to_owned()))
    });
    assert_eq!(
        estimates.unwrap(),
        [
            "badge badge 1000000 100000 1 noskipscan",
            "badge badge_holder 1000000 100000 9 noskipscan",
            "badge badge_returned 10000 1000 9 8 noskipscan",
            "badge badge_serial 1000000 100000 9 1 noskipscan",
            "person person 1000000 100000 1 noskipscan"
        ]
    );
}
