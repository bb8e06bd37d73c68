//! Fair turns between tenants, and between them and the application.

use std::sync::{Arc, Mutex};

use super::*;

/// The names of those who were written, in this order.
type Order = Arc<Mutex<Vec<&'static str>>>;

fn note_down<'d>(
    database: &'d Database,
    order: &Order,
    who: &'static str,
) -> impl Future<Output = Result<()>> + use<'d> {
    let order = Arc::clone(order);
    let job = move |_: &Transaction<'_>| {
        order.lock().unwrap().push(who);
        Ok(())
    };
    async move {
        match who {
            "operator" => database.write(job).await,
            tenant => database.share_of(tenant).write(job).await,
        }
    }
}

/// Issue 9: a tenant that has hundreds of writes waiting delays another by one of them, and the operator by none.
#[test]
fn the_writer_takes_turns_between_tenants() {
    let database = notes(Options {
        batch: 4,
        ..options()
    });
    let order = Order::default();
    let gate = Gate::shut(&database);
    let mut writes: Vec<_> = (0..300)
        .map(|_| start(note_down(&database, &order, "greedy")))
        .collect();
    for who in ["modest", "operator", "modest", "operator"] {
        writes.push(start(note_down(&database, &order, who)));
    }
    gate.open();
    for write in writes {
        finish(write).unwrap();
    }
    let order = order.lock().unwrap();
    let last = |name| order.iter().rposition(|who| *who == name).unwrap();
    assert!(
        last("operator") <= 3 && last("modest") <= 7,
        "{:?}",
        order.get(..12)
    );
}

/// A tenant that has as many writes waiting as it may gets 429 with `Retry-After` (RFC 6585 section 4); others do not.
#[test]
fn a_tenant_that_has_enough_waiting_is_429() {
    let database = notes(Options {
        tenant_queue: 3,
        ..options()
    });
    let order = Order::default();
    let gate = Gate::shut(&database);
    let mut writes: Vec<_> = (0..3)
        .map(|_| start(note_down(&database, &order, "greedy")))
        .collect();
    let error = finish(note_down(&database, &order, "greedy")).unwrap_err();
    assert_eq!(error.status(), 429);
    assert!(error.retry_after().is_some());
    assert!(error.to_string().contains("tenant_queue"), "{error}");
    for who in ["modest", "operator"] {
        writes.push(start(note_down(&database, &order, who)));
    }
    assert_eq!(database.statistics().refused_to_tenants, 1);
    gate.open();
    for write in writes {
        finish(write).unwrap();
    }
}

/// A group of jobs that take long is committed before all have run, and what came meanwhile has its turn.
#[test]
fn a_group_that_takes_long_is_cut() {
    let database = notes(Options {
        batch_time: Duration::ZERO,
        ..options()
    });
    let order = Order::default();
    let before = database.statistics();
    let gate = Gate::shut(&database);
    let mut writes: Vec<_> = (0..10)
        .map(|number| {
            start(
                database
                    .share_of("greedy")
                    .write(move |tx| insert(tx, &number.to_string()).map(drop)),
            )
        })
        .collect();
    writes.push(start(note_down(&database, &order, "modest")));
    gate.open();
    for write in writes {
        finish(write).unwrap();
    }
    let after = database.statistics();
    assert_eq!(
        after.commits - before.commits,
        12,
        "each job has a commit of its own"
    );
    assert!(after.cut_batches > before.cut_batches);
    assert_eq!(database.blocking_read(count).unwrap(), 10);
}

/// Runs a write that takes long, and `meanwhile` while it does.
async fn costly(database: &Database, order: &Order, meanwhile: impl Fn() + Send + 'static) -> Result<()> {
    let order = Arc::clone(order);
    let job = move |_: &Transaction<'_>| {
        thread::sleep(Duration::from_millis(3));
        meanwhile();
        order.lock().unwrap().push("costly");
        Ok(())
    };
    database.share_of("costly").write(job).await
}

/// Issue 9, F2: a write of another tenant is not committed with those of one whose writes take long, nor after more than
/// one of them.
#[test]
fn who_writes_what_takes_long_holds_up_no_others() {
    let database = notes(options());
    let order = Order::default();
    finish(costly(&database, &order, || {})).unwrap();
    let gate = Gate::shut(&database);
    let (inside, is_inside) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel::<()>();
    let goes_on = Mutex::new(goes_on);
    let mut writes = vec![start(costly(&database, &order, move || {
        inside.send(()).unwrap();
        goes_on.lock().unwrap().recv().unwrap();
    }))];
    for _ in 0..5 {
        writes.push(start(costly(&database, &order, || {})));
    }
    writes.push(start(note_down(&database, &order, "modest")));
    let commits = database.statistics().commits;
    gate.open();
    is_inside.recv_timeout(GENEROUS).unwrap();
    finish(writes.pop().unwrap()).unwrap();
    let late = start(note_down(&database, &order, "late"));
    go_on.send(()).unwrap();
    finish(late).unwrap();
    for write in writes {
        finish(write).unwrap();
    }
    let order = order.lock().unwrap();
    assert_eq!(order[..4], ["costly", "modest", "costly", "late"]);
    assert_eq!(order.len(), 9);
    assert_eq!(
        database.statistics().commits - commits,
        5,
        "the gate; modest; one that is costly; late; the rest"
    );
}

/// Another process, here another connection to the same file, gets its write in while sixteen writers keep the lock busy
/// with groups that last: within so many tries, however long these take.
#[test]
fn another_process_gets_the_lock_between_groups() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("database");
    let options = Options {
        batch_time: Duration::from_millis(5),
        busy_timeout: GENEROUS,
        ..options()
    };
    let busy = Database::open(&path, options.clone()).unwrap();
    make_notes(&busy);
    let other = Database::open(&path, options).unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    let slow = |tx: &Transaction<'_>| {
                        thread::sleep(Duration::from_millis(2));
                        tx.execute("INSERT INTO note(body) VALUES (NULL)", &[])
                    };
                    finish(busy.share_of("greedy").write(slow)).unwrap();
                }
            });
        }
        wait_until("the writers are at it", || busy.statistics().commits > 5);
        for _ in 0..10 {
            other
                .blocking_write(|tx| tx.execute("INSERT INTO note(body) VALUES (NULL)", &[]))
                .unwrap();
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    let tries = other.statistics().lock_waits;
    assert!(tries < 2_000, "{tries} tries for ten writes");
}
