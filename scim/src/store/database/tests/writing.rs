//! Group commit: what jobs that share a commit do, and do not do, to each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;

use super::*;

#[test]
fn jobs_that_wait_share_one_commit() {
    let database = notes(options());
    let gate = Gate::shut(&database);
    let jobs: Vec<_> = (0..50)
        .map(|number| start(database.write(move |tx| insert(tx, &number.to_string()))))
        .collect();
    let before = database.statistics();
    gate.open();
    for job in jobs {
        assert_eq!(finish(job).unwrap(), 1);
    }
    let after = database.statistics();
    assert_eq!(after.commits - before.commits, 2, "the gate's and the group's");
    assert_eq!(after.largest_batch, 50);
    assert_eq!(after.writes - before.writes, 51);
}

#[test]
fn a_commit_joins_no_more_jobs_than_the_batch_allows() {
    let database = notes(Options {
        batch: 8,
        ..options()
    });
    let gate = Gate::shut(&database);
    let jobs: Vec<_> = (0..20)
        .map(|number| start(database.write(move |tx| insert(tx, &number.to_string()))))
        .collect();
    gate.open();
    for job in jobs {
        finish(job).unwrap();
    }
    assert_eq!(database.statistics().largest_batch, 8);
}

/// Puts three jobs into one group and returns what became of the first and the last.
fn around<T: std::fmt::Debug + Send + 'static>(
    database: &Database,
    middle: impl Fn(&Transaction<'_>) -> Result<T> + Send + 'static,
) -> (Result<u64>, crate::Error, Result<u64>) {
    let gate = Gate::shut(database);
    let first = start(database.write(|tx| insert(tx, "first")));
    let middle = start(database.write(middle));
    let last = start(database.write(|tx| insert(tx, "last")));
    gate.open();
    (finish(first), finish(middle).unwrap_err(), finish(last))
}

#[test]
fn an_error_undoes_its_own_job_only() {
    let database = notes(options());
    let (first, error, last) = around(&database, |tx| {
        insert(tx, "middle")?;
        Err::<(), _>(crate::Error::uniqueness("is taken").at("userName"))
    });
    assert_eq!(error.to_string(), "Attribute userName is taken.");
    assert_eq!((first.unwrap(), last.unwrap()), (1, 1));
    assert_eq!(bodies(&database), ["first", "last"]);
    assert_eq!(database.statistics().failed_writes, 1);
}

#[test]
fn a_constraint_violation_undoes_its_own_job_only() {
    let database = notes(options());
    let (first, error, last) = around(&database, |tx| {
        insert(tx, "middle")?;
        insert(tx, "first")
    });
    assert!(is_unique_violation(&error));
    assert_eq!(unique_violation(&error), Some("note.body"));
    assert_eq!(error.status(), 500);
    assert!(first.is_ok() && last.is_ok());
    assert_eq!(bodies(&database), ["first", "last"]);
}

#[test]
fn a_panic_undoes_its_own_job_only_and_the_writer_survives() {
    let database = notes(options());
    let (first, error, last) = around(&database, |tx| -> Result<()> {
        insert(tx, "middle")?;
        panic!("on purpose");
    });
    assert_eq!(error.status(), 500);
    assert!(cause(&error).contains("on purpose"));
    assert!(!error.to_string().contains("on purpose"));
    assert!(first.is_ok() && last.is_ok());
    assert_eq!(bodies(&database), ["first", "last"]);
}

/// Makes a job that inserts a note and says how often it has run.
fn counted(
    body: &'static str,
    runs: &Arc<AtomicUsize>,
) -> impl Fn(&Transaction<'_>) -> Result<u64> + Send + 'static + use<> {
    let runs = Arc::clone(runs);
    move |tx| {
        runs.fetch_add(1, Ordering::Relaxed);
        insert(tx, body)
    }
}

/// A group pays for the isolation of its jobs when one of them needs it, and the groups behind it in advance.
#[test]
fn jobs_run_again_only_for_one_that_fails_behind_changes() {
    let database = notes(options());
    let fails = || Err::<u64, _>(crate::Error::uniqueness("is taken"));
    let runs_beside = |body: &'static str, middle: fn(&Transaction<'_>) -> Result<()>| {
        let runs = Arc::default();
        let gate = Gate::shut(&database);
        let first = start(database.write(counted(body, &runs)));
        let middle = start(database.write(move |tx| middle(tx).and_then(|()| fails())));
        gate.open();
        finish(first).unwrap();
        finish(middle).unwrap_err();
        runs.load(Ordering::Relaxed)
    };
    let reads = |tx: &Transaction<'_>| count(tx).map(drop);
    let changes = |tx: &Transaction<'_>| insert(tx, "undone").map(drop);
    assert_eq!(runs_beside("a", reads), 1, "nothing is to be undone");
    assert_eq!(runs_beside("b", changes), 2);
    assert_eq!(runs_beside("c", changes), 1, "behind a savepoint");
    assert_eq!(bodies(&database), ["a", "b", "c"]);
}

/// Something that a job does.
#[derive(Debug, Clone, Copy)]
enum Step {
    Insert(u8),
    InsertInPart(u8),
    MakeTable(u8),
    Fail,
    Panic,
}

fn carry_out(tx: &Transaction<'_>, step: Step) -> Result<()> {
    match step {
        Step::Insert(note) => insert(tx, &note.to_string()).map(drop),
        Step::InsertInPart(note) => tx.nested(|tx| insert(tx, &note.to_string()).map(drop)),
        Step::MakeTable(number) => tx.execute_batch(&format!("CREATE TABLE t{number}(n INTEGER) STRICT")),
        Step::Fail => Err(crate::Error::internal("on purpose")),
        Step::Panic => panic!("on purpose"),
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..12_u8).prop_map(Step::Insert),
        2 => (0..12_u8).prop_map(Step::InsertInPart),
        1 => (0..4_u8).prop_map(Step::MakeTable),
        1 => Just(Step::Fail),
        1 => Just(Step::Panic),
    ];
    prop::collection::vec(step, 0..4)
}

/// Returns the notes and the tables that there are.
fn state_of(database: &Database) -> (Vec<String>, Vec<String>) {
    let tables = database.blocking_read(|reader| {
        reader.query_all(
            "SELECT name FROM sqlite_schema WHERE name LIKE 't_' ORDER BY name",
            &[],
            |row| row.text(0).map(str::to_owned),
        )
    });
    (bodies(database), tables.unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever jobs share a commit, each comes to what it would come to by itself, one after the other.
    #[test]
    fn a_group_is_its_jobs_one_by_one(groups in prop::collection::vec(prop::collection::vec(steps(), 1..8), 1..4)) {
        let (together, apart) = (notes(options()), notes(options()));
        for group in groups {
            let gate = Gate::shut(&together);
            let job = |steps: Vec<Step>| move |tx: &Transaction<'_>| steps.iter().try_for_each(|step| carry_out(tx, *step));
            let started: Vec<_> = group.iter().map(|steps| start(together.write(job(steps.clone())))).collect();
            gate.open();
            for (steps, started) in group.iter().zip(started) {
                let alone = apart.blocking_write(job(steps.clone())).map_err(|error| error.to_string());
                prop_assert_eq!(finish(started).map_err(|error| error.to_string()), alone);
            }
        }
        prop_assert_eq!(state_of(&together), state_of(&apart));
    }
}

#[test]
fn a_panic_in_the_midst_of_rows_leaves_the_statement_usable() {
    let database = notes(options());
    database.blocking_write(|tx| insert(tx, "a")).unwrap();
    for _ in 0..2 {
        let outcome =
            database.blocking_write(|tx| tx.query("SELECT body FROM note", &[], |_| panic!("on purpose")));
        assert_eq!(outcome.unwrap_err().status(), 500);
    }
    assert_eq!(database.blocking_write(|tx| count(tx)).unwrap(), 1);
}

#[test]
fn a_commit_that_fails_fails_all_its_jobs_and_no_other() {
    let database = notes(options());
    database
        .blocking_write(|tx| {
            tx.execute_batch(
                "CREATE TABLE tag(note INTEGER REFERENCES note(id) DEFERRABLE INITIALLY DEFERRED) STRICT",
            )
        })
        .unwrap();
    let gate = Gate::shut(&database);
    let innocent = start(database.write(|tx| insert(tx, "innocent")));
    let guilty = start(database.write(|tx| tx.execute("INSERT INTO tag VALUES (77)", &[])));
    gate.open();
    for job in [innocent, guilty] {
        let error = finish(job).unwrap_err();
        assert_eq!(error.status(), 500);
        assert!(cause(&error).contains("FOREIGN KEY"), "{}", cause(&error));
        assert!(!is_unique_violation(&error));
    }
    database.blocking_write(|tx| insert(tx, "later")).unwrap();
    assert_eq!(bodies(&database), ["later"]);
}

/// A full disk makes SQLite undo the whole transaction under a job; `OR ROLLBACK` is the way to have that on demand.
#[test]
fn a_lost_transaction_is_told_to_those_it_took_along() {
    let database = notes(options());
    database.blocking_write(|tx| insert(tx, "taken")).unwrap();
    let (first, error, last) = around(&database, |tx| {
        tx.execute("INSERT OR ROLLBACK INTO note(body) VALUES ('taken')", &[])
    });
    assert!(is_unique_violation(&error));
    let first = first.unwrap_err();
    assert_eq!(first.status(), 503, "it may well succeed if it is repeated");
    assert!(first.retry_after().is_some());
    assert_eq!(last.unwrap(), 1, "what had not run yet is not affected");
    assert_eq!(bodies(&database), ["last", "taken"]);
}

#[test]
fn a_job_cannot_touch_the_transaction_it_shares() {
    let database = notes(options());
    for sql in [
        "COMMIT",
        "ROLLBACK",
        "BEGIN",
        "BEGIN IMMEDIATE",
        "SAVEPOINT job",
        "RELEASE job",
        "ROLLBACK TO job",
        "/* hidden */ COMMIT",
        "ATTACH ':memory:' AS other",
        "PRAGMA synchronous = OFF",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA wal_checkpoint(TRUNCATE)",
    ] {
        for batch in [false, true] {
            let outcome = database.blocking_write(move |tx| {
                insert(tx, "undone")?;
                if batch {
                    tx.execute_batch(sql)
                } else {
                    tx.query(sql, &[], |_| Ok(()))
                }
            });
            let error = outcome.expect_err(sql);
            assert!(
                cause(&error).contains("not authorized"),
                "{sql}: {}",
                cause(&error)
            );
        }
    }
    assert_eq!(bodies(&database), Vec::<String>::new());
}

#[test]
fn a_full_queue_is_503_and_what_is_in_it_is_still_done() {
    let database = notes(Options {
        queue: 4,
        ..options()
    });
    let gate = Gate::shut(&database);
    let jobs: Vec<_> = (0..4)
        .map(|number| start(database.write(move |tx| insert(tx, &number.to_string()))))
        .collect();
    let error = finish(database.write(|tx| insert(tx, "refused"))).unwrap_err();
    assert_eq!(error.status(), 503);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(1)));
    assert_eq!(database.statistics().refused, 1);
    gate.open();
    for job in jobs {
        finish(job).unwrap();
    }
    assert_eq!(bodies(&database), ["0", "1", "2", "3"]);
}

#[test]
fn what_nobody_awaits_leaves_room_for_what_somebody_does() {
    let database = notes(Options {
        queue: 4,
        ..options()
    });
    let gate = Gate::shut(&database);
    let behind = |body: &'static str| database.write_behind(move |tx| insert(tx, body).map(drop));
    assert_eq!(behind("a"), Ok(()));
    assert_eq!(behind("b"), Ok(()));
    assert_eq!(behind("c"), Err(Full));
    let awaited = start(database.write(|tx| insert(tx, "d")));
    gate.open();
    finish(awaited).unwrap();
    assert_eq!(bodies(&database), ["a", "b", "d"]);
}

#[test]
fn writes_happen_in_the_order_they_were_given() {
    let database = notes(options());
    for number in 0..100_i64 {
        database
            .write_behind(move |tx| {
                assert_eq!(count(tx)?, number);
                insert(tx, &number.to_string()).map(drop)
            })
            .unwrap();
    }
    assert_eq!(database.blocking_write(|tx| count(tx)).unwrap(), 100);
    assert_eq!(database.statistics().failed_behind, 0);
}

#[test]
fn a_failure_that_nobody_awaits_is_counted() {
    let database = notes(options());
    database.write_behind(|tx| insert(tx, "a").map(drop)).unwrap();
    database.write_behind(|tx| insert(tx, "a").map(drop)).unwrap();
    database.write_behind(|_| panic!("on purpose")).unwrap();
    database.blocking_write(|tx| insert(tx, "b")).unwrap();
    assert_eq!(database.statistics().failed_behind, 2);
    assert_eq!(bodies(&database), ["a", "b"]);
}

#[test]
fn a_caller_that_is_gone_does_not_stop_its_job() {
    let database = notes(options());
    let gate = Gate::shut(&database);
    drop(start(database.write(|tx| insert(tx, "done"))));
    gate.open();
    database.blocking_write(|_| Ok(())).unwrap();
    assert_eq!(bodies(&database), ["done"]);
}

#[test]
fn an_answer_that_panics_when_it_is_dropped_does_not_stop_the_writer() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }
    let database = notes(options());
    let gate = Gate::shut(&database);
    drop(start(database.write(|tx| insert(tx, "a").map(|_| Bomb))));
    gate.open();
    database.blocking_write(|tx| insert(tx, "b")).unwrap();
    assert_eq!(bodies(&database), ["a", "b"]);
}

#[test]
fn a_nested_part_is_undone_by_itself() {
    let database = notes(options());
    database
        .blocking_write(|tx| {
            insert(tx, "outer")?;
            let failed = tx.nested(|tx| {
                insert(tx, "inner, undone")?;
                tx.nested(|tx| insert(tx, "innermost, undone with it"))?;
                insert(tx, "outer")
            });
            assert!(is_unique_violation(&failed.unwrap_err()));
            tx.nested(|tx| insert(tx, "inner"))
        })
        .unwrap();
    assert_eq!(bodies(&database), ["inner", "outer"]);
}

#[test]
fn many_callers_lose_nothing() {
    let database = notes(Options {
        batch: 16,
        ..options()
    });
    database
        .blocking_write(|tx| {
            tx.execute_batch("CREATE TABLE sum(n INTEGER) STRICT; INSERT INTO sum VALUES (0)")
        })
        .unwrap();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    database
                        .blocking_write(|tx| {
                            // Read, then write: only safe because jobs never overlap.
                            let n = tx.query_one("SELECT n FROM sum", &[], |row| row.integer(0))?;
                            tx.execute("UPDATE sum SET n = ?1", &[n.map(|n| n + 1).into()])
                        })
                        .unwrap();
                }
            });
        }
    });
    let sum =
        database.blocking_read(|reader| reader.query_one("SELECT n FROM sum", &[], |row| row.integer(0)));
    assert_eq!(sum.unwrap(), Some(400));
}
