//! Two databases on one file stand for two processes: they share nothing but the file.

use super::*;

struct Pair {
    ours: Database,
    theirs: Database,
    _directory: tempfile::TempDir,
}

fn pair(options: &Options) -> Pair {
    // None of these tests is about power cuts, and the disk may be slow.
    let options = Options {
        durability: Durability::Normal,
        ..options.clone()
    };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("database");
    let ours = Database::open(&path, options.clone()).unwrap();
    make_notes(&ours);
    let theirs = Database::open(&path, options).unwrap();
    Pair {
        ours,
        theirs,
        _directory: directory,
    }
}

#[test]
fn a_foreign_commit_is_seen_when_the_snapshot_gets_old() {
    let pair = pair(&Options {
        snapshot_age: Duration::from_millis(20),
        snapshot_idle: NEVER,
        ..options()
    });
    assert_eq!(pair.ours.blocking_read(count).unwrap(), 0);
    pair.theirs.blocking_write(|tx| insert(tx, "theirs")).unwrap();
    wait_until("the foreign commit is seen", || {
        pair.ours.blocking_read(count).unwrap() == 1
    });
}

#[test]
fn a_foreign_commit_is_seen_after_a_rest() {
    let pair = pair(&Options {
        readers: 1,
        snapshot_age: NEVER,
        snapshot_idle: Duration::from_millis(1),
        ..options()
    });
    assert_eq!(pair.ours.blocking_read(count).unwrap(), 0);
    wait_until("the snapshot is released", || {
        pair.ours.statistics().idle_releases == 1
    });
    pair.theirs.blocking_write(|tx| insert(tx, "theirs")).unwrap();
    assert_eq!(pair.ours.blocking_read(count).unwrap(), 1);
}

/// Shows that the two tests above test something: nothing else makes a held snapshot give way.
#[test]
fn a_foreign_commit_is_not_seen_by_a_snapshot_that_is_held() {
    let pair = pair(&Options {
        readers: 1,
        snapshot_age: NEVER,
        snapshot_idle: NEVER,
        ..options()
    });
    assert_eq!(pair.ours.blocking_read(count).unwrap(), 0);
    pair.theirs.blocking_write(|tx| insert(tx, "theirs")).unwrap();
    assert_eq!(pair.ours.blocking_read(count).unwrap(), 0);
    assert_eq!(
        pair.ours.blocking_write(|tx| count(tx)).unwrap(),
        1,
        "a write sees the newest state"
    );
}

#[test]
fn a_foreign_commit_is_seen_by_whoever_catches_up() {
    let pair = pair(&Options {
        snapshot_age: NEVER,
        snapshot_idle: NEVER,
        ..options()
    });
    for number in 0..20 {
        assert_eq!(pair.ours.blocking_read(count).unwrap(), number);
        let body = number.to_string();
        pair.theirs.blocking_write(move |tx| insert(tx, &body)).unwrap();
        pair.ours.catch_up();
        assert_eq!(pair.ours.blocking_read(count).unwrap(), number + 1);
    }
}

#[test]
fn both_may_write_at_the_same_time() {
    let pair = pair(&Options {
        busy_timeout: GENEROUS,
        ..options()
    });
    thread::scope(|scope| {
        for (name, database) in [("ours", &pair.ours), ("theirs", &pair.theirs)] {
            for thread in 0..2 {
                scope.spawn(move || {
                    for number in 0..25 {
                        let body = format!("{name} {thread} {number}");
                        database.blocking_write(move |tx| insert(tx, &body)).unwrap();
                    }
                });
            }
        }
    });
    for database in [&pair.ours, &pair.theirs] {
        assert_eq!(database.blocking_write(|tx| count(tx)).unwrap(), 100);
    }
}

#[test]
fn a_file_that_stays_locked_is_503() {
    let pair = pair(&Options {
        busy_timeout: Duration::from_millis(10),
        ..options()
    });
    let gate = Gate::shut(&pair.theirs);
    let error = pair.ours.blocking_write(|tx| insert(tx, "ours")).unwrap_err();
    assert_eq!(error.status(), 503);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(1)));
    assert_eq!(pair.ours.blocking_read(count).unwrap(), 0, "reads do not mind");
    gate.open();
    pair.theirs.blocking_write(|tx| insert(tx, "theirs")).unwrap();
    pair.ours.blocking_write(|tx| insert(tx, "ours")).unwrap();
    assert_eq!(bodies(&pair.ours), ["ours", "theirs"]);
}

#[test]
fn many_may_open_a_new_file_at_the_same_moment() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("database");
    let start = std::sync::Barrier::new(6);
    let all: Vec<Database> = thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    Database::open(
                        &path,
                        Options {
                            busy_timeout: GENEROUS,
                            ..options()
                        },
                    )
                    .unwrap()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    make_notes(&all[0]);
    for database in &all {
        assert_eq!(database.blocking_write(|tx| count(tx)).unwrap(), 0);
    }
}
