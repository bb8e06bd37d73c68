//! Opening, closing, and what is left on the disk.

use std::fs;
use std::sync::Mutex;

use super::*;

fn files(directory: &tempfile::TempDir) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn dropping_the_last_clone_does_what_waits_and_leaves_one_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("database");
    let database = Database::open(&path, options()).unwrap();
    make_notes(&database);
    let clone = database.clone();
    drop(database);
    let gate = Gate::shut(&clone);
    for number in 0..20 {
        clone
            .write_behind(move |tx| insert(tx, &number.to_string()).map(drop))
            .unwrap();
    }
    assert_eq!(files(&directory), ["database", "database-shm", "database-wal"]);
    gate.open();
    drop(clone);
    assert_eq!(files(&directory), ["database"], "the log is cleared away");
    let database = Database::open(&path, options()).unwrap();
    assert_eq!(database.blocking_read(count).unwrap(), 20);
}

#[test]
fn close_waits_for_what_waits_and_refuses_what_comes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("database");
    let database = Database::open(&path, options()).unwrap();
    make_notes(&database);
    let gate = Gate::shut(&database);
    let write = start(database.write(|tx| insert(tx, "waiting")));
    let close = start(database.close());
    let error = finish(database.write(|tx| insert(tx, "late"))).unwrap_err();
    assert_eq!(error.status(), 503);
    assert_eq!(database.write_behind(|_| Ok(())), Err(Full));
    assert_eq!(database.blocking_read(count).unwrap_err().status(), 503);
    let mut late = database.stream(|_, _| Ok(()));
    assert_eq!(finish(late.next()).unwrap().unwrap_err().status(), 503);
    gate.open();
    finish(close);
    finish(database.close());
    assert_eq!(finish(write).unwrap(), 1);
    assert_eq!(files(&directory), ["database"]);
    let again = Database::open(&path, options()).unwrap();
    assert_eq!(bodies(&again), ["waiting"]);
}

/// Makes a job that waits until the clone it owns is the last.
fn last_owner(inner: Database) -> (impl Fn() -> Result<()>, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (entered, inside) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel();
    let inner = Mutex::new(Some(inner));
    let job = move || {
        entered.send(()).unwrap();
        may_go_on.recv().unwrap();
        drop(inner.lock().unwrap().take());
        Ok(())
    };
    (job, inside, go_on)
}

#[test]
fn the_last_clone_may_be_dropped_inside_a_write() {
    let database = notes(options());
    let directory = directory_of(&database);
    let (job, inside, go_on) = last_owner(database.clone());
    database.write_behind(move |_| job()).unwrap();
    inside.recv().unwrap();
    drop(database);
    assert!(directory.exists());
    go_on.send(()).unwrap();
    wait_until("the database is gone", || !directory.exists());
}

#[test]
fn the_last_clone_may_be_dropped_inside_a_read() {
    let database = notes(options());
    let directory = directory_of(&database);
    let (job, inside, go_on) = last_owner(database.clone());
    let read = start(database.read(move |_| job()));
    inside.recv().unwrap();
    drop(read);
    drop(database);
    assert!(directory.exists());
    go_on.send(()).unwrap();
    wait_until("the database is gone", || !directory.exists());
}

#[test]
fn a_database_in_memory_leaves_nothing_behind() {
    let database = notes(options());
    let directory = directory_of(&database);
    assert!(directory.exists());
    drop(database);
    assert!(!directory.exists());
}

#[test]
fn what_was_written_is_there_after_it_is_opened_again() {
    for durability in [Durability::Full, Durability::Normal] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("database");
        let options = Options {
            durability,
            ..options()
        };
        let database = Database::open(&path, options.clone()).unwrap();
        make_notes(&database);
        database.blocking_write(|tx| insert(tx, "kept")).unwrap();
        drop(database);
        assert_eq!(bodies(&Database::open(&path, options).unwrap()), ["kept"]);
    }
}

#[cfg(unix)]
#[test]
fn a_new_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let database = Database::open(directory.path().join("database"), options()).unwrap();
    make_notes(&database);
    for name in files(&directory) {
        let mode = fs::metadata(directory.path().join(&name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("letter.txt");
    let text = "Dear Sir or Madam, ".repeat(100);
    fs::write(&path, &text).unwrap();
    let error = Database::open(&path, options()).unwrap_err();
    assert_eq!(error.status(), 500);
    assert!(error.to_string().contains("letter.txt"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_directory_that_is_missing_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let error = Database::open(directory.path().join("missing/database"), options()).unwrap_err();
    assert!(error.to_string().contains("missing"), "{error}");
}

#[test]
fn a_path_is_a_path_and_no_address() {
    let directory = tempfile::tempdir().unwrap();
    for name in [":memory:", "file:database?mode=memory"] {
        let database = Database::open(directory.path().join(name), options()).unwrap();
        make_notes(&database);
        drop(database);
        assert!(directory.path().join(name).exists(), "{name}");
    }
}

#[tokio::test]
async fn it_works_inside_an_executor_even_when_blocking() {
    let database = notes(options());
    assert_eq!(database.write(|tx| insert(tx, "a")).await.unwrap(), 1);
    assert_eq!(database.read(count).await.unwrap(), 1);
    assert_eq!(database.blocking_read(count).unwrap(), 1);
    database.close().await;
}
