//! The disk: full, failing, or not the one that was opened; and a writer that is stuck.

use std::fs;
use std::path::Path;

use super::*;

fn with_file(options: Options) -> (tempfile::TempDir, PathBuf, Database) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("database");
    let database = Database::open(&path, options).unwrap();
    make_notes(&database);
    (directory, path, database)
}

fn long(tx: &Transaction<'_>) -> Result<u64> {
    let rows = count(tx)?;
    insert(tx, &format!("{rows:060000}"))
}

/// A full disk is 507 with `Retry-After` (RFC 4918 section 11.5) for those who write, and for nobody else; when there is
/// room again, writes succeed, and the health says so.
#[test]
fn a_full_disk_is_507_until_there_is_room() {
    let options = Options {
        disk_retry: Duration::from_secs(7_000),
        ..options()
    };
    let (_directory, _, database) = with_file(options);
    database
        .blocking_write(|tx| {
            tx.let_grow_to(100);
            Ok(())
        })
        .unwrap();
    let mut written = 0;
    let error = loop {
        match database.blocking_write(long) {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 100, "the file grows without end");
    };
    assert_eq!(error.status(), 507, "{error}");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7_000)));
    assert!(
        std::error::Error::source(&error).is_none(),
        "a cause is a line in the log for each request"
    );
    assert_eq!(database.health(), Health::DiskFull);
    assert_eq!(database.blocking_read(count).unwrap(), written);
    // Those who share a commit with one that finds no room are told the same, and not that they failed.
    let gate = Gate::shut(&database);
    let jobs = [start(database.write(long)), start(database.write(long))];
    gate.open();
    for job in jobs {
        assert_eq!(finish(job).unwrap_err().status(), 507);
    }
    database
        .blocking_write(|tx| tx.execute("DELETE FROM note", &[]))
        .unwrap();
    assert_eq!(database.health(), Health::Good);
    assert_eq!(database.blocking_write(long).unwrap(), 1);
}

/// If nobody writes, because a balancer sends nobody to a server that is not ready, room is found all the same.
#[test]
fn room_is_looked_for_where_nobody_writes() {
    let options = Options {
        disk_retry: Duration::from_millis(1),
        ..options()
    };
    let (directory, _, database) = with_file(options);
    database
        .blocking_write(|tx| {
            tx.let_grow_to(50);
            Ok(())
        })
        .unwrap();
    while database.blocking_write(long).is_ok() {}
    wait_until("room is found", || database.health() == Health::Good);
    let names = fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(names, 3, "the trial leaves nothing behind");
}

/// Nothing is acknowledged into a file that nobody will find.
#[cfg(unix)]
#[test]
fn a_file_that_was_removed_takes_no_writes() {
    let (_directory, path, database) = with_file(options());
    database.blocking_write(|tx| insert(tx, "kept")).unwrap();
    assert_eq!(database.health(), Health::Good);
    fs::remove_file(&path).unwrap();
    for _ in 0..3 {
        refuses(&database);
    }
    assert!(
        database.blocking_read(count).is_ok(),
        "a read still sees the file"
    );
    let copy = path.with_extension("copy");
    let error = finish(database.back_up(&copy, |_| ())).unwrap_err();
    assert_eq!(error.status(), 503);
    assert!(!copy.exists());
}

fn refuses(database: &Database) {
    let error = database.blocking_write(long).unwrap_err();
    assert_eq!(error.status(), 503, "{error}");
    assert!(error.retry_after().is_some());
    assert_eq!(database.health(), Health::FileGone);
}

/// The same for one that was replaced, as by a restore under a running program; when the old one is back, it goes on.
#[cfg(unix)]
#[test]
fn a_file_that_was_replaced_takes_no_writes_until_it_is_back() {
    let (_directory, path, database) = with_file(options());
    database.blocking_write(|tx| insert(tx, "kept")).unwrap();
    let aside = path.with_extension("aside");
    fs::rename(&path, &aside).unwrap();
    fs::copy(&aside, &path).unwrap();
    let before = fs::read(&path).unwrap();
    for _ in 0..3 {
        refuses(&database);
    }
    assert!(
        fs::read(&path).unwrap() == before,
        "nothing is written into the other file"
    );
    fs::rename(&aside, &path).unwrap();
    assert_eq!(database.blocking_write(|tx| insert(tx, "later")).unwrap(), 1);
    assert_eq!(database.health(), Health::Good);
}

/// Commits stand in the log before they stand in the file.
#[cfg(unix)]
#[test]
fn a_log_that_was_removed_takes_no_writes() {
    let (directory, _, database) = with_file(options());
    database.blocking_write(|tx| insert(tx, "kept")).unwrap();
    let log: &Path = &directory.path().join("database-wal");
    fs::remove_file(log).unwrap();
    refuses(&database);
}

/// A job that does not end is to be seen from outside.
#[test]
fn a_writer_at_one_job_for_long_is_stuck() {
    let database = notes(Options {
        stuck_after: Duration::ZERO,
        ..options()
    });
    wait_until("nothing to do is not stuck", || database.health() == Health::Good);
    let gate = Gate::shut(&database);
    assert!(matches!(database.health(), Health::Stuck(_)));
    gate.open();
    wait_until("the writer rests", || database.health() == Health::Good);
    let patient = notes(Options {
        stuck_after: NEVER,
        ..options()
    });
    let gate = Gate::shut(&patient);
    assert_eq!(patient.health(), Health::Good);
    gate.open();
}
