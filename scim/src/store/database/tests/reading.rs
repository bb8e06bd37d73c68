//! Held snapshots: what readers see, and when they let go.

use super::*;

fn held() -> Options {
    Options {
        readers: 1,
        snapshot_age: NEVER,
        snapshot_idle: NEVER,
        ..options()
    }
}

#[test]
fn every_reader_sees_an_answered_write_at_once() {
    let database = notes(Options {
        readers: 4,
        snapshot_age: NEVER,
        snapshot_idle: NEVER,
        ..options()
    });
    for number in 1..=100_i64 {
        database
            .blocking_write(move |tx| insert(tx, &number.to_string()))
            .unwrap();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| assert_eq!(database.blocking_read(count).unwrap(), number));
            }
        });
    }
}

#[test]
fn a_snapshot_is_held_until_something_is_committed() {
    let database = notes(held());
    let snapshots = || database.statistics().snapshots;
    for _ in 0..10 {
        database.blocking_read(count).unwrap();
    }
    assert_eq!(snapshots(), 1);
    database.blocking_write(|tx| insert(tx, "a")).unwrap();
    database.blocking_read(count).unwrap();
    database.blocking_read(count).unwrap();
    assert_eq!(snapshots(), 2);
}

#[test]
fn a_write_that_changes_nothing_costs_no_snapshot() {
    let database = notes(held());
    database.blocking_read(count).unwrap();
    database
        .blocking_write(|tx| tx.execute("UPDATE note SET body = 'x' WHERE id = 77", &[]))
        .unwrap();
    _ = database.blocking_write(|tx| {
        insert(tx, "undone")?;
        Err::<(), _>(crate::Error::uniqueness("is taken"))
    });
    assert_eq!(database.blocking_read(count).unwrap(), 0);
    assert_eq!(database.statistics().snapshots, 1);
}

#[test]
fn a_job_sees_one_state_whatever_is_committed_meanwhile() {
    let database = notes(options());
    let other = database.clone();
    let (to_reader, from_writer) = mpsc::channel();
    let (to_writer, from_reader) = mpsc::channel();
    let writer = thread::spawn(move || {
        from_reader.recv().unwrap();
        other.blocking_write(|tx| insert(tx, "new")).unwrap();
        to_reader.send(()).unwrap();
    });
    let seen = database.blocking_read(move |reader| {
        let before = count(reader)?;
        to_writer.send(()).unwrap();
        from_writer.recv().unwrap();
        Ok((before, count(reader)?))
    });
    assert_eq!(seen.unwrap(), (0, 0));
    assert_eq!(database.blocking_read(count).unwrap(), 1);
    writer.join().unwrap();
}

#[test]
fn a_reader_without_work_lets_go_of_its_snapshot() {
    let database = notes(Options {
        snapshot_idle: Duration::from_millis(1),
        ..held()
    });
    database.blocking_read(count).unwrap();
    wait_until("the snapshot is released", || {
        database.statistics().idle_releases == 1
    });
    database.blocking_read(count).unwrap();
    assert_eq!(database.statistics().snapshots, 2);
}

#[test]
fn a_panic_leaves_the_reader_alive() {
    let database = notes(held());
    let error = database
        .blocking_read(|_| -> Result<()> { panic!("on purpose") })
        .unwrap_err();
    assert_eq!(error.status(), 500);
    assert!(cause(&error).contains("on purpose"));
    assert_eq!(database.blocking_read(count).unwrap(), 0);
}

#[test]
fn a_reader_cannot_change_anything() {
    let database = notes(options());
    for sql in [
        "INSERT INTO note(body) VALUES ('x') RETURNING id",
        "DROP TABLE note",
        "CREATE TABLE other(x)",
        "PRAGMA user_version = 7",
        "COMMIT",
        "BEGIN",
        "PRAGMA query_only = OFF",
    ] {
        let outcome = database.blocking_read(move |reader| reader.query(sql, &[], |_| Ok(())));
        assert_eq!(outcome.expect_err(sql).status(), 500, "{sql}");
    }
    assert_eq!(database.blocking_read(count).unwrap(), 0);
}

#[test]
fn too_many_reads_are_503() {
    let database = notes(Options { queue: 2, ..held() });
    let (entered, inside) = mpsc::channel();
    let (open, opened) = mpsc::channel::<()>();
    let stuck = start(database.read(move |_| {
        entered.send(()).unwrap();
        opened.recv().unwrap();
        Ok(())
    }));
    inside.recv().unwrap();
    let waiting = [start(database.read(count)), start(database.read(count))];
    let error = finish(database.read(count)).unwrap_err();
    assert_eq!(error.status(), 503);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(1)));
    open.send(()).unwrap();
    finish(stuck).unwrap();
    for read in waiting {
        assert_eq!(finish(read).unwrap(), 0);
    }
}

/// The log cannot start over by itself while readers are at it without a pause.
#[test]
fn the_log_stays_short_under_readers_that_never_rest() {
    let database = notes(Options {
        snapshot_age: NEVER,
        snapshot_idle: NEVER,
        wal_bytes: 64 * 4096,
        ..options()
    });
    let stop = std::sync::atomic::AtomicBool::new(false);
    let mut written = 0;
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    database.blocking_read(count).unwrap();
                }
            });
        }
        let deadline = Instant::now() + GENEROUS;
        while database.statistics().wal_restarts < 5 && Instant::now() < deadline {
            let body = format!("{written:04000}");
            database.blocking_write(move |tx| insert(tx, &body)).unwrap();
            written += 1;
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    let statistics = database.statistics();
    assert!(statistics.wal_restarts >= 5, "{statistics:?}");
    assert!(statistics.checkpoints > 0, "{statistics:?}");
    let log = std::fs::metadata(directory_of(&database).join("database-wal"))
        .unwrap()
        .len();
    // Each row was written twice, to its table and to the index; without restarts all of that would be in the log.
    assert!(log < written * 8000, "{log} bytes for {written} rows");
    assert_eq!(
        database.blocking_read(count).unwrap(),
        i64::try_from(written).unwrap()
    );
}

#[test]
fn a_foreign_reader_that_holds_the_log_stops_nobody() {
    let database = notes(Options {
        wal_bytes: 16 * 4096,
        ..options()
    });
    let foreign = rusqlite::Connection::open(directory_of(&database).join("database")).unwrap();
    foreign.execute_batch("BEGIN; SELECT * FROM note").unwrap();
    let mut rows = 0;
    while database.statistics().failed_restarts == 0 {
        assert!(rows < 10_000, "{:?}", database.statistics());
        let body = format!("{rows:04000}");
        database.blocking_write(move |tx| insert(tx, &body)).unwrap();
        rows += 1;
    }
    database.blocking_write(|tx| insert(tx, "still")).unwrap();
    assert_eq!(database.blocking_read(count).unwrap(), rows + 1);
}

/// A look-up runs where its caller is, and sees what was answered before, also right after an idle snapshot was ended.
#[test]
fn a_look_up_runs_on_the_callers_thread_and_sees_every_answered_write() {
    let database = Database::in_memory(Options {
        snapshot_idle: Duration::from_millis(5),
        ..Options::default()
    })
    .unwrap();
    database
        .blocking_write(|tx| tx.execute_batch("CREATE TABLE n(v INTEGER) STRICT"))
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for expected in 1..=20 {
        database
            .blocking_write(|tx| tx.execute("INSERT INTO n VALUES (1)", &[]))
            .unwrap();
        let (count, thread) = runtime
            .block_on(database.look_up(|reader| {
                let count = reader.query_one("SELECT count(*) FROM n", &[], |row| row.integer(0))?;
                Ok((count, thread::current().id()))
            }))
            .unwrap();
        assert_eq!((count, thread), (Some(expected), thread::current().id()));
    }
    // Nobody comes any more: the thread of each connection that was borrowed ends its snapshot.
    for _ in 0..1_000 {
        if database.statistics().idle_releases > 0 {
            return;
        }
        thread::sleep(Duration::from_millis(5));
    }
    panic!("a snapshot that a look-up has taken was never ended");
}

/// A history row of each read must not cost the next read its snapshot and its pages.
#[test]
fn a_look_up_keeps_its_snapshot_across_what_is_appended_and_every_other_read_sees_it() {
    let database = notes(held());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let look_up = || runtime.block_on(database.look_up(count)).unwrap();
    let append = |body: &'static str| {
        runtime
            .block_on(database.append(move |tx| insert(tx, body)))
            .unwrap();
    };
    assert_eq!(look_up(), 0);
    let before = database.statistics().snapshots;
    append("of a look-up");
    assert_eq!((look_up(), database.statistics().snapshots), (0, before));
    assert_eq!(database.blocking_read(count).unwrap(), 1);
    assert_eq!(look_up(), 1, "a newer snapshot is there already");
    append("of another");
    database.blocking_write(|tx| insert(tx, "written")).unwrap();
    assert_eq!(look_up(), 3, "an answered write is seen, and all before it");
    append("the last");
    database.catch_up();
    assert_eq!(look_up(), 4);
    let error = runtime
        .block_on(database.append(|tx| insert(tx, "written")))
        .unwrap_err();
    assert_eq!(error.status(), 500, "it fails as a write does");
}

/// All connections are taken: the look-up waits in the queue like any read.
#[test]
fn a_look_up_waits_its_turn_where_no_connection_is_free() {
    let database = Database::in_memory(Options {
        readers: 1,
        ..Options::default()
    })
    .unwrap();
    let other = database.clone();
    let (begun, is_begun) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let holder = thread::spawn(move || {
        other.blocking_read(move |_| {
            begun.send(()).unwrap();
            released.recv().unwrap();
            Ok(())
        })
    });
    is_begun.recv().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let waiter = thread::spawn(move || {
        runtime.block_on(database.look_up(|reader| reader.query_one("SELECT 7", &[], |row| row.integer(0))))
    });
    release.send(()).unwrap();
    assert_eq!(waiter.join().unwrap().unwrap(), Some(7));
    holder.join().unwrap().unwrap();
}

#[test]
fn a_closed_database_answers_no_look_up() {
    let database = Database::in_memory(Options::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(database.close());
    let error = runtime.block_on(database.look_up(|_| Ok(()))).unwrap_err();
    assert_eq!(error.status(), 503);
}
