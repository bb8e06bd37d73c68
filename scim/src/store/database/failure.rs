//! The handling of a driver's error, and of a job that panics.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt::{self, Display, Formatter};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use rusqlite::ErrorCode;
use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_ROWID, SQLITE_CONSTRAINT_UNIQUE};

use super::disk::Trouble;
use crate::{Error, Result};

/// When to come back after a 503.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Returns whether a statement failed because a value that must be unique is taken (`UNIQUE` or `PRIMARY KEY`).
///
/// ```
/// use scim::store::database::{Database, Options, is_unique_violation};
///
/// # fn main() -> scim::Result<()> {
/// let database = Database::in_memory(Options::default())?;
/// let outcome = database.blocking_write(|tx| {
///     tx.execute_batch("CREATE TABLE name(name TEXT UNIQUE) STRICT; INSERT INTO name VALUES ('a')")?;
///     tx.execute("INSERT INTO name VALUES ('a')", &[])
/// });
/// assert!(outcome.is_err_and(|error| is_unique_violation(&error)));
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn is_unique_violation(error: &Error) -> bool {
    unique_violation(error).is_some()
}

/// Returns the columns of the unique constraint that a statement violated, as SQLite names them: `table.column, table.column`,
/// or `index 'name'` for an index over expressions. `None` if the statement failed for another reason.
#[must_use]
pub fn unique_violation(error: &Error) -> Option<&str> {
    match driver_error(error)? {
        rusqlite::Error::SqliteFailure(code, message)
            if matches!(
                code.extended_code,
                SQLITE_CONSTRAINT_UNIQUE | SQLITE_CONSTRAINT_PRIMARYKEY | SQLITE_CONSTRAINT_ROWID
            ) =>
        {
            let message = message.as_deref().unwrap_or_default();
            Some(message.split_once(": ").map_or(message, |(_, columns)| columns))
        }
        _ => None,
    }
}

/// Returns whether a statement failed because the file is not what a database must be.
pub(in crate::store) fn is_damage(error: &Error) -> bool {
    let code = driver_error(error).and_then(rusqlite::Error::sqlite_error_code);
    matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

fn driver_error(error: &Error) -> Option<&rusqlite::Error> {
    let mut next = error.source();
    while let Some(source) = next {
        if let Some(found) = source.downcast_ref() {
            return Some(found);
        }
        next = source.source();
    }
    None
}

/// Returns 503 if another process holds the file, 500 otherwise; the driver's error is the source.
pub(super) fn failed(error: rusqlite::Error) -> Error {
    if is_busy(&error) {
        busy().with_source(error)
    } else {
        Error::internal(error)
    }
}

/// Returns what hinders the disk, if that is why a job failed.
pub(super) fn trouble_of(error: &Error) -> Option<Trouble> {
    driver_error(error).and_then(driver_trouble)
}

fn driver_trouble(error: &rusqlite::Error) -> Option<Trouble> {
    match error.sqlite_error_code()? {
        ErrorCode::DiskFull => Some(Trouble::Full),
        ErrorCode::SystemIoFailure => Some(Trouble::Fails),
        _ => None,
    }
}

/// Returns 507 if the disk is full (RFC 4918 section 11.5), 503 if something else is wrong with it. The trouble itself stands in
/// the log once a while, and not in each error.
pub(super) fn hindered(trouble: Trouble, retry_after: Duration) -> Error {
    let status = match trouble {
        Trouble::Full => StatusCode::INSUFFICIENT_STORAGE,
        Trouble::Fails | Trouble::Gone => StatusCode::SERVICE_UNAVAILABLE,
    };
    let sentence = match trouble {
        Trouble::Full => "The service has no room to store the change: repeat the request later.",
        Trouble::Fails | Trouble::Gone => {
            "The service cannot store anything at present: repeat the request later."
        }
    };
    Error::new(status, sentence).with_retry_after(retry_after)
}

pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// Returns 503: a queue is full.
pub(super) fn busy() -> Error {
    Error::busy(RETRY_AFTER)
}

/// Returns 429: a tenant has as many jobs waiting as it may.
pub(super) fn too_many_waiting(waiting: usize) -> Error {
    let sentence = format!(
        "The tenant has {waiting} requests waiting, which is as many as it may have (limit tenant_queue): repeat the \
         request when others are answered."
    );
    Error::new(StatusCode::TOO_MANY_REQUESTS, sentence).with_retry_after(RETRY_AFTER)
}

/// Returns whether a statement was ended from outside.
pub(super) fn is_interrupt(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted)
}

/// Returns 503: the database is closed.
pub(super) fn closed() -> Error {
    Error::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "The service is shutting down: repeat the request.",
    )
}

/// Returns 500: a thread ended without answering.
pub(super) fn unanswered() -> Error {
    Error::internal("a thread of the database ended without an answer")
}

pub(super) fn not_opened(path: &Path, cause: impl Display) -> Error {
    Error::misconfigured(format!(
        "The database {} cannot be opened: {cause}",
        path.display()
    ))
}

/// Runs a job; a panic becomes a 500 and the thread lives on.
pub(super) fn guarded<T>(job: impl FnOnce() -> Result<T>) -> Result<T> {
    // Nothing that the job could have left half done is used afterwards: its changes are undone.
    catch_unwind(AssertUnwindSafe(job))
        .unwrap_or_else(|payload| Err(Error::internal(panic_message(&*payload))))
}

/// Returns a message for a panic. Only words that are part of the program are repeated: those that are put together when it
/// panics may hold the text that was worked on.
fn panic_message(payload: &(dyn Any + Send)) -> String {
    match payload.downcast_ref::<&str>() {
        Some(text) => format!("a job panicked: {text}"),
        None => "a job panicked".to_owned(),
    }
}

/// Why a whole group was undone: one cause that each of its jobs is told.
#[derive(Debug, Clone)]
pub(super) struct GroupFailure {
    cause: Cause,
    /// When a client may come back where the disk is the cause.
    disk_retry: Duration,
}

#[derive(Debug, Clone)]
enum Cause {
    Driver(Arc<rusqlite::Error>),
    Disk(Trouble),
}

impl GroupFailure {
    pub(super) fn new(cause: rusqlite::Error, disk_retry: Duration) -> Self {
        let cause = match driver_trouble(&cause) {
            Some(trouble) => Cause::Disk(trouble),
            None => Cause::Driver(Arc::new(cause)),
        };
        Self { cause, disk_retry }
    }

    /// Makes a failure of which the disk is the cause.
    pub(super) fn of_disk(trouble: Trouble, disk_retry: Duration) -> Self {
        Self {
            cause: Cause::Disk(trouble),
            disk_retry,
        }
    }

    pub(super) fn trouble(&self) -> Option<Trouble> {
        match self.cause {
            Cause::Disk(trouble) => Some(trouble),
            Cause::Driver(_) => None,
        }
    }

    pub(super) fn error(&self) -> Error {
        match &self.cause {
            Cause::Disk(trouble) => hindered(*trouble, self.disk_retry),
            // A transaction that was lost under another job of the group may well succeed without that one.
            Cause::Driver(cause)
                if is_busy(cause) || cause.sqlite_error_code() == Some(ErrorCode::OperationAborted) =>
            {
                busy().with_source(self.clone())
            }
            Cause::Driver(_) => Error::internal(self.clone()),
        }
    }
}

impl Display for GroupFailure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Driver(cause) => write!(f, "the group commit failed: {cause}"),
            Cause::Disk(trouble) => write!(f, "the group commit failed: {}", trouble.health()),
        }
    }
}

impl StdError for GroupFailure {
    // The driver's error is in the text, not in the chain: a constraint that fails at COMMIT is nobody's own.
}
