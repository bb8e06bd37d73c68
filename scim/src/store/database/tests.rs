//! The promises of the kernel, each checked by a test.

use std::future::Future;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use super::*;
use crate::Result;

mod backup;
mod fairness;
mod health;
mod lifetime;
mod reading;
mod searching;
mod sharing;
mod statements;
mod streaming;
mod withdrawing;
mod writing;

/// Longer than any test takes: what waits for this long has failed.
const GENEROUS: Duration = Duration::from_secs(60);
/// A limit that no test reaches.
const NEVER: Duration = Duration::from_secs(100_000);

fn options() -> Options {
    Options {
        readers: 2,
        streams: 1,
        ..Options::default()
    }
}

/// Makes a database with a table `note(id, body UNIQUE)`.
fn notes(options: Options) -> Database {
    let database = Database::in_memory(options).unwrap();
    make_notes(&database);
    database
}

fn make_notes(database: &Database) {
    database
        .blocking_write(|tx| {
            tx.execute_batch("CREATE TABLE note(id INTEGER PRIMARY KEY, body TEXT UNIQUE) STRICT")
        })
        .unwrap();
}

fn insert(tx: &Transaction<'_>, body: &str) -> Result<u64> {
    tx.execute("INSERT INTO note(body) VALUES (?1)", &[body.into()])
}

fn count(reader: &Reader<'_>) -> Result<i64> {
    let count = reader.query_one("SELECT count(*) FROM note", &[], |row| row.integer(0))?;
    Ok(count.unwrap_or(-1))
}

fn bodies(database: &Database) -> Vec<String> {
    database
        .blocking_read(|reader| {
            reader.query_all("SELECT body FROM note ORDER BY body", &[], |row| {
                row.text(0).map(str::to_owned)
            })
        })
        .unwrap()
}

fn directory_of(database: &Database) -> PathBuf {
    let path = database
        .blocking_read(|reader| {
            reader.query_one("PRAGMA database_list", &[], |row| row.text(2).map(PathBuf::from))
        })
        .unwrap()
        .unwrap();
    path.parent().unwrap().to_owned()
}

/// Returns the cause that stays in the log.
fn cause(error: &crate::Error) -> String {
    std::error::Error::source(error)
        .map(ToString::to_string)
        .unwrap_or_default()
}

pub(in crate::store) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + GENEROUS;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Stops the writer inside a job until it is opened, so that jobs gather behind it.
struct Gate(mpsc::Sender<()>);

impl Gate {
    fn shut(database: &Database) -> Self {
        let (entered, inside) = mpsc::channel();
        let (open, opened) = mpsc::channel();
        database
            .write_behind(move |_| {
                entered.send(()).unwrap();
                opened.recv().unwrap();
                Ok(())
            })
            .unwrap();
        inside.recv().unwrap();
        Self(open)
    }

    fn open(self) {
        self.0.send(()).unwrap();
    }
}

type Started<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Polls a future once: its job is in the queue then.
fn start<'a, T>(future: impl Future<Output = T> + 'a) -> Started<'a, T> {
    let mut future: Started<'a, T> = Box::pin(future);
    let poll = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(poll.is_pending());
    future
}

/// Runs a future on an executor that is not tokio's: it polls without ever being woken.
fn finish<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let deadline = Instant::now() + GENEROUS;
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
        assert!(Instant::now() < deadline, "the future is never ready");
        thread::sleep(Duration::from_millis(1));
    }
}
