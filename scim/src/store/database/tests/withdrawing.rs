//! The work of a tenant whose access is withdrawn: it ends, and that of others does not.

use super::searching::{endless, endless_searches};
use super::*;
use crate::store::Budget;

fn refused<T: std::fmt::Debug>(outcome: Result<T>) {
    let error = outcome.unwrap_err();
    assert_eq!(error.status(), 503, "{error}");
    assert!(error.retry_after().is_some());
}

/// Issue 9: searches that are at work or wait end; those of another tenant go on, and what comes afterwards is done.
#[test]
fn searches_end_with_the_access() {
    let database = notes(Options {
        searches: 3,
        tenant_searches: 1,
        ..options()
    });
    let at_work = endless_searches(&database, "acme", 1);
    let share = database.share_of("acme");
    let waiting: Vec<_> = (0..3)
        .map(|_| start(share.search(Budget::unlimited(), endless)))
        .collect();
    let mut others = endless_searches(&database, "other", 1);
    database.end_work_of("acme");
    for search in at_work.into_iter().chain(waiting) {
        refused(finish(search));
    }
    assert_eq!(finish(share.search(Budget::unlimited(), count)).unwrap(), 0);
    for other in &mut others {
        let poll = other.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(poll.is_pending());
    }
}

/// A stream that nobody reads ends, one that searches, and one that waits for a thread.
#[test]
fn streams_end_with_the_access() {
    let database = notes(Options {
        streams: 2,
        tenant_streams: 2,
        stream_patience: NEVER,
        stream_limit: NEVER,
        ..options()
    });
    let share = database.share_of("acme");
    let (begun, is_begun) = mpsc::channel();
    let is_stalled = begun.clone();
    let stalled = share.stream(move |_, sender| {
        is_stalled.send(()).unwrap();
        loop {
            sender.send("chunk")?;
        }
    });
    let mut searching = share.stream(move |reader, _| {
        begun.send(()).unwrap();
        endless(reader).map(drop)
    });
    for _ in 0..2 {
        is_begun.recv_timeout(GENEROUS).unwrap();
    }
    let mut waiting = share.stream(|reader, _| endless(reader).map(drop));
    database.end_work_of("acme");
    for stream in [&mut searching, &mut waiting] {
        refused(finish(stream.next()).unwrap());
    }
    wait_until("the one that nobody reads has ended, too", || {
        database.statistics().streams == 3
    });
    drop(stalled);
}

/// Writes that wait are not carried out; those of others and of the application are, and what comes afterwards.
#[test]
fn writes_that_have_not_begun_are_not_carried_out() {
    let database = notes(options());
    let write = |tenant, body: &'static str| {
        let share = database.share_of(tenant);
        share.write(move |tx| insert(tx, body))
    };
    let gate = Gate::shut(&database);
    let withdrawn = [start(write("acme", "a")), start(write("acme", "b"))];
    let other = start(write("other", "c"));
    let own = start(database.write(|tx| insert(tx, "d")));
    database.end_work_of("acme");
    let later = start(write("acme", "e"));
    gate.open();
    for write in withdrawn {
        refused(finish(write));
    }
    for write in [other, own, later] {
        finish(write).unwrap();
    }
    assert_eq!(bodies(&database), ["c", "d", "e"]);
}
