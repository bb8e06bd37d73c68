//! Streams: back-pressure, one snapshot, and an end in every case.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

fn text(stream: &mut Stream) -> String {
    let mut all = Vec::new();
    while let Some(chunk) = finish(stream.next()) {
        all.extend_from_slice(&chunk.unwrap());
    }
    String::from_utf8(all).unwrap()
}

fn walk(reader: &Reader<'_>, sender: &mut Sender) -> Result<()> {
    reader.query("SELECT id FROM note ORDER BY id", &[], |row| {
        sender.send(format!("{},", row.integer(0)?))
    })
}

fn with_rows(rows: i64, options: Options) -> Database {
    let database = notes(options);
    database
        .blocking_write(move |tx| (0..rows).try_for_each(|row| insert(tx, &row.to_string()).map(drop)))
        .unwrap();
    database
}

#[test]
fn chunks_arrive_in_order_and_then_the_end() {
    let database = with_rows(200, options());
    let mut stream = database.stream(walk);
    let expected: String = (1..=200).map(|id| format!("{id},")).collect();
    assert_eq!(text(&mut stream), expected);
    assert!(finish(stream.next()).is_none(), "the end stays the end");
}

#[test]
fn a_stream_shows_one_state_however_long_it_takes() {
    let database = with_rows(100, options());
    let mut stream = database.stream(walk);
    let first = finish(stream.next()).unwrap().unwrap();
    database
        .blocking_write(|tx| tx.execute("DELETE FROM note", &[]))
        .unwrap();
    assert_eq!(database.blocking_read(count).unwrap(), 0);
    let rest = text(&mut stream);
    assert_eq!((first.len() + rest.len(), rest.ends_with(",100,")), (292, true));
    assert_eq!(
        text(&mut database.stream(walk)),
        "",
        "a later stream shows the later state"
    );
}

#[test]
fn the_job_is_never_far_ahead_of_its_receiver() {
    let database = notes(options());
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let mut stream = database.stream(move |_, sender| {
        for _ in 0..100 {
            sender.send("chunk")?;
            counter.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    });
    for taken in 0..100 {
        assert!(sent.load(Ordering::SeqCst) <= taken + 4, "after {taken} chunks");
        finish(stream.next()).unwrap().unwrap();
    }
    assert!(finish(stream.next()).is_none());
}

#[test]
fn a_stream_that_nobody_reads_holds_up_no_read_and_the_next_stream_waits() {
    let database = with_rows(
        100,
        Options {
            readers: 1,
            ..options()
        },
    );
    let mut stuck = database.stream(walk);
    finish(stuck.next()).unwrap().unwrap();
    assert_eq!(database.blocking_read(count).unwrap(), 100);
    database.blocking_write(|tx| insert(tx, "new")).unwrap();
    let mut next = database.stream(walk);
    let mut poll = pin!(next.next());
    assert!(
        poll.as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
    assert_eq!(database.statistics().streams, 0);
    drop(stuck);
    assert_eq!(finish(poll).unwrap().unwrap(), "1,");
}

#[test]
fn dropping_the_stream_ends_its_job() {
    let database = notes(options());
    let (ended, end) = mpsc::channel();
    let mut stream = database.stream(move |_, sender| {
        let outcome = loop {
            if let Err(error) = sender.send("more") {
                break error;
            }
        };
        ended.send(cause(&outcome)).unwrap();
        Err(outcome)
    });
    finish(stream.next()).unwrap().unwrap();
    drop(stream);
    assert!(end.recv_timeout(GENEROUS).unwrap().contains("gone"));
}

#[test]
fn a_stream_that_was_dropped_before_its_turn_does_not_run() {
    let database = notes(options());
    let mut first = database.stream(|_, sender| sender.send("first"));
    let (open, opened) = mpsc::channel::<()>();
    assert_eq!(text(&mut first), "first");
    let mut blocking = database.stream(move |_, _| {
        opened.recv().unwrap();
        Ok(())
    });
    drop(database.stream(|_, _| panic!("nobody listens")));
    let mut last = database.stream(|_, sender| sender.send("last"));
    open.send(()).unwrap();
    assert_eq!(
        (text(&mut blocking), text(&mut last)),
        (String::new(), "last".to_owned())
    );
    wait_until("three streams have run", || database.statistics().streams == 3);
}

#[test]
fn an_error_comes_after_the_chunks_and_ends_the_stream() {
    let database = notes(options());
    let failures: [fn() -> Result<()>; 2] = [
        || Err(crate::Error::too_many("matches too much")),
        || panic!("on purpose"),
    ];
    for (failure, status) in failures.into_iter().zip([400, 500]) {
        let mut stream = database.stream(move |_, sender| {
            sender.send("first")?;
            failure()
        });
        assert_eq!(finish(stream.next()).unwrap().unwrap(), "first");
        assert_eq!(finish(stream.next()).unwrap().unwrap_err().status(), status);
        assert!(finish(stream.next()).is_none());
    }
    assert_eq!(
        text(&mut database.stream(|_, sender| sender.send("alive"))),
        "alive"
    );
}

#[test]
fn a_receiver_may_not_keep_the_snapshot_for_ever() {
    let database = notes(Options {
        stream_limit: Duration::ZERO,
        ..options()
    });
    let mut stream = database.stream(|_, sender| sender.send("too late"));
    let error = finish(stream.next()).unwrap().unwrap_err();
    assert!(cause(&error).contains("too long"), "{}", cause(&error));
}

#[test]
fn too_many_streams_are_503() {
    let database = notes(Options {
        queue: 1,
        ..options()
    });
    let (entered, inside) = mpsc::channel();
    let (open, opened) = mpsc::channel::<()>();
    let mut running = database.stream(move |_, _| {
        entered.send(()).unwrap();
        opened.recv().unwrap();
        Ok(())
    });
    inside.recv().unwrap();
    let mut waiting = database.stream(|_, sender| sender.send("waited"));
    let mut refused = database.stream(|_, sender| sender.send("refused"));
    let error = finish(refused.next()).unwrap().unwrap_err();
    assert_eq!(error.status(), 503);
    assert!(error.retry_after().is_some());
    assert!(finish(refused.next()).is_none());
    open.send(()).unwrap();
    assert_eq!(
        (text(&mut running), text(&mut waiting)),
        (String::new(), "waited".to_owned())
    );
}

#[test]
fn a_stream_keeps_its_database_open() {
    let database = with_rows(100, options());
    let mut stream = database.stream(walk);
    drop(database);
    assert!(text(&mut stream).ends_with(",100,"));
}

#[test]
fn a_stream_that_is_not_finished_does_not_hang_the_last_drop() {
    let database = with_rows(100, options());
    let mut stream = database.stream(walk);
    finish(stream.next()).unwrap().unwrap();
    drop(database);
    drop(stream);
}

#[test]
fn a_stream_cannot_change_anything() {
    let database = notes(options());
    let mut stream =
        database.stream(|reader, _| reader.query("DELETE FROM note RETURNING id", &[], |_| Ok(())));
    assert_eq!(finish(stream.next()).unwrap().unwrap_err().status(), 500);
}

#[tokio::test]
async fn a_stream_is_the_body_of_a_response() {
    use http_body_util::BodyExt;

    let database = with_rows(1000, options());
    let body = database.stream(walk).collect().await.unwrap().to_bytes();
    assert!(body.starts_with(b"1,2,3,") && body.ends_with(b",1000,"));
}

/// Issue 9, F5: a receiver that takes nothing does not keep its stream, and what that has sent is still there for it.
#[test]
fn a_receiver_that_takes_nothing_ends_its_stream() {
    let database = notes(Options {
        stream_patience: Duration::ZERO,
        ..options()
    });
    let (ended, end) = mpsc::channel();
    let mut stream = database.stream(move |_, sender| {
        let outcome = (0..100).try_for_each(|_| sender.send("chunk"));
        ended.send(()).unwrap();
        outcome
    });
    end.recv_timeout(GENEROUS).unwrap();
    for _ in 0..4 {
        assert_eq!(finish(stream.next()).unwrap().unwrap(), "chunk");
    }
    let error = finish(stream.next()).unwrap().unwrap_err();
    assert!(cause(&error).contains("too little"), "{}", cause(&error));
}

/// An export may be taken at whatever rate: it renews the limit with each chunk.
#[test]
fn a_stream_that_renews_its_limit_waits_for_its_receiver() {
    let database = notes(Options {
        stream_patience: Duration::ZERO,
        ..options()
    });
    let mut stream = database.stream(|_, sender| {
        (0..100).try_for_each(|_| {
            sender.renew();
            sender.send("x")
        })
    });
    assert_eq!(text(&mut stream), "x".repeat(100));
}

/// Issue 9, F5: the log starts over although a receiver does not read, and the stream goes on under a later snapshot.
#[test]
fn a_stream_that_waits_lets_go_of_the_log() {
    let database = notes(Options {
        wal_bytes: 16 * 4096,
        stream_patience: NEVER,
        stream_limit: NEVER,
        ..options()
    });
    let mut stream = database.stream(|reader, sender| {
        let before = count(reader)?;
        while !sender.send_between(reader, "chunk")? {
            assert_eq!(count(reader)?, before, "one snapshot until it is exchanged");
        }
        sender.send(if count(reader)? > before { "later" } else { "same" })
    });
    finish(stream.next()).unwrap().unwrap();
    let mut written = 0;
    while database.statistics().wal_restarts == 0 {
        assert!(written < 10_000, "{:?}", database.statistics());
        let body = format!("{written:04000}");
        database.blocking_write(move |tx| insert(tx, &body)).unwrap();
        written += 1;
    }
    assert!(text(&mut stream).ends_with("chunklater"));
}

/// A tenant has at most so many streams at work: those of one that does not read leave threads to others.
#[test]
fn a_tenant_leaves_threads_for_streams_to_others() {
    let database = with_rows(
        100,
        Options {
            streams: 2,
            tenant_streams: 1,
            ..options()
        },
    );
    let mut stuck: Vec<_> = (0..4).map(|_| database.share_of("greedy").stream(walk)).collect();
    finish(stuck.first_mut().unwrap().next()).unwrap().unwrap();
    for _ in 0..3 {
        assert!(text(&mut database.share_of("modest").stream(walk)).ends_with(",100,"));
    }
    drop(stuck.remove(0));
    assert!(text(stuck.first_mut().unwrap()).ends_with(",100,"));
}

/// Closing does not wait for a receiver.
#[test]
fn closing_ends_a_stream_that_nobody_reads() {
    let database = with_rows(100, options());
    let mut stream = database.stream(walk);
    finish(stream.next()).unwrap().unwrap();
    finish(database.close());
    let error = loop {
        if let Err(error) = finish(stream.next()).unwrap() {
            break error;
        }
    };
    assert_eq!(error.status(), 503);
}
