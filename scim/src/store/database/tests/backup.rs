//! Copies of a database in use.

use std::fs;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn names_in(folder: &tempfile::TempDir) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Inserts enough notes for several steps of the copy.
fn fill(database: &Database) {
    database
        .blocking_write(|tx| {
            tx.execute_batch(
                "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 4000)
                 INSERT INTO note(body) SELECT printf('%d %s', x, hex(zeroblob(2000))) FROM n",
            )
        })
        .unwrap();
}

#[tokio::test]
async fn a_backup_is_a_database_of_its_own_with_everything_in_it() {
    let database = notes(options());
    fill(&database);
    let folder = folder();
    let path = folder.path().join("copy.db");
    let told = Arc::new(Mutex::new(Vec::new()));
    let telling = Arc::clone(&told);
    let bytes = database
        .back_up(&path, move |progress| telling.lock().unwrap().push(progress))
        .await
        .unwrap();
    assert_eq!(bytes, fs::metadata(&path).unwrap().len());
    assert_eq!(names_in(&folder), ["copy.db"], "nothing else belongs to it");
    let told = told.lock().unwrap();
    assert!(told.len() > 2, "{told:?}");
    assert!(told.windows(2).all(|pair| pair[0].copied < pair[1].copied));
    assert!(
        told.last()
            .is_some_and(|last| last.copied == last.total && last.total > 1_000)
    );
    let copy = Database::open(&path, options()).unwrap();
    assert_eq!(bodies(&copy), bodies(&database));
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_may_read_a_backup() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let path = folder.path().join("copy.db");
    notes(options()).back_up(&path, |_| {}).await.unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

/// A copy that mixed states would hold an unequal number of the two.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_shows_one_moment_while_others_write() {
    let database = notes(options());
    fill(&database);
    let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let writer = thread::spawn({
        let (database, stop, written) = (database.clone(), Arc::clone(&stop), Arc::clone(&written));
        move || {
            while !stop.load(Ordering::Relaxed) {
                let n = written.fetch_add(1, Ordering::Relaxed);
                database
                    .blocking_write(move |tx| {
                        insert(tx, &format!("left {n}"))?;
                        insert(tx, &format!("right {n}"))
                    })
                    .unwrap();
            }
        }
    });
    wait_until("somebody writes", || written.load(Ordering::Relaxed) > 3);
    let folder = folder();
    let path = folder.path().join("copy.db");
    let (began, during) = (Arc::clone(&written), Arc::new(AtomicU64::new(0)));
    let seen = Arc::clone(&during);
    database
        .back_up(&path, move |progress| {
            // Others must come to write before the copy goes on.
            let now = began.load(Ordering::Relaxed);
            wait_until("a write is answered", || began.load(Ordering::Relaxed) > now + 1);
            seen.store(progress.total, Ordering::Relaxed);
        })
        .await
        .unwrap();
    stop.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    let copy = Database::open(&path, options()).unwrap();
    let counted = |pattern: &'static str| {
        copy.blocking_read(move |reader| {
            let sql = "SELECT count(*) FROM note WHERE body LIKE ?1";
            reader.query_one(sql, &[pattern.into()], |row| row.integer(0))
        })
        .unwrap()
    };
    assert_eq!(counted("left %"), counted("right %"));
    assert!(during.load(Ordering::Relaxed) > 0);
    assert!(
        bodies(&copy).len() < bodies(&database).len(),
        "later writes are not in it"
    );
}

#[tokio::test]
async fn a_file_that_is_there_is_left_alone() {
    let folder = folder();
    let path = folder.path().join("copy.db");
    fs::write(&path, "mine").unwrap();
    let error = notes(options()).back_up(&path, |_| {}).await.unwrap_err();
    assert!(cause(&error).contains("exists already"), "{}", cause(&error));
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    assert_eq!(names_in(&folder), ["copy.db"]);
}

#[tokio::test]
async fn where_nothing_can_be_written_the_reason_is_told() {
    let folder = folder();
    let path = folder.path().join("missing").join("copy.db");
    let error = notes(options()).back_up(&path, |_| {}).await.unwrap_err();
    assert!(
        cause(&error).contains("No such file") || cause(&error).contains("cannot find"),
        "{}",
        cause(&error)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_nobody_waits_for_leaves_nothing_behind() {
    let database = notes(options());
    fill(&database);
    let folder = folder();
    let path = folder.path().join("copy.db");
    let (begun, begin) = mpsc::channel();
    let (go_on, went_on) = mpsc::channel::<()>();
    let mut backup = Box::pin(database.back_up(&path, move |_| {
        _ = begun.send(());
        _ = went_on.recv();
    }));
    let waker = Waker::noop();
    assert!(backup.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
    begin.recv().unwrap();
    drop(backup);
    drop(go_on);
    database.close().await;
    assert!(names_in(&folder).is_empty(), "{:?}", names_in(&folder));
}

#[tokio::test]
async fn what_an_earlier_attempt_has_left_is_replaced() {
    let folder = folder();
    let path = folder.path().join("copy.db");
    fs::write(folder.path().join("copy.db.partial"), "half").unwrap();
    let database = notes(options());
    database.back_up(&path, |_| {}).await.unwrap();
    assert_eq!(names_in(&folder), ["copy.db"]);
}

#[tokio::test]
async fn a_walk_keeps_its_snapshot_and_holds_up_nobody() {
    let database = notes(options());
    let (entered, inside) = mpsc::channel();
    let (go_on, went_on) = mpsc::channel::<()>();
    let walk = tokio::spawn({
        let database = database.clone();
        async move {
            let job = move |reader: &Reader<'_>| {
                entered.send(()).unwrap();
                went_on.recv().unwrap();
                count(reader)
            };
            database.walk(job).await
        }
    });
    tokio::task::yield_now().await;
    inside.recv().unwrap();
    database.write(|tx| insert(tx, "later")).await.unwrap();
    assert_eq!(database.read(count).await.unwrap(), 1);
    go_on.send(()).unwrap();
    assert_eq!(walk.await.unwrap().unwrap(), 0);
}

#[tokio::test]
async fn closing_waits_for_a_walk_and_refuses_the_next() {
    let database = notes(options());
    let finished = Arc::new(AtomicBool::new(false));
    let finish = Arc::clone(&finished);
    let mut walk = Box::pin(database.walk(move |reader| {
        thread::sleep(Duration::from_millis(20));
        reader.visit("SELECT 1", &[], |_| Ok(ControlFlow::Break(())))?;
        finish.store(true, Ordering::Release);
        Ok(())
    }));
    assert!(
        walk.as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
    database.close().await;
    assert!(finished.load(Ordering::Acquire));
    let refused = database.walk(|_| Ok(())).await.unwrap_err();
    assert_eq!(refused.status(), 503);
}
