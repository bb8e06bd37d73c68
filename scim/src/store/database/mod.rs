//! The database that a [document store](super::documents) and an application share: SQLite, one file, one writer that
//! commits in groups, readers that hold their snapshots.
//!
//! A [`Database`] is the handle. Work is given to it as closures that run on its own threads: a [`Reader`] may only
//! look, a [`Transaction`] may change. Both speak SQL with neutral [`Param`]s and [`Row`]s, so that an application
//! joins a write with statements of its own without knowing the driver.
//!
//! ```
//! use scim::store::database::{Database, Options};
//!
//! # fn main() -> scim::Result<()> {
//! let database = Database::in_memory(Options::default())?;
//! database.blocking_write(|tx| {
//!     tx.execute_batch("CREATE TABLE note(id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT")?;
//!     tx.execute("INSERT INTO note(body) VALUES (?1)", &["hello".into()])
//! })?;
//! let body = database.blocking_read(|reader| {
//!     reader.query_one("SELECT body FROM note WHERE id = ?1", &[1.into()], |row| {
//!         Ok(row.text(0)?.to_owned())
//!     })
//! })?;
//! assert_eq!(body.as_deref(), Some("hello"));
//! # Ok(())
//! # }
//! ```

mod backup;
mod checkpoint;
mod connection;
mod cost;
mod disk;
mod estimates;
pub(super) mod failure;
mod handle;
mod health;
mod meter;
mod options;
#[cfg(debug_assertions)]
mod portable;
mod priority;
mod queue;
mod reader;
mod share;
mod shared;
mod statements;
mod statistics;
mod stream;
mod turns;
mod walker;
mod writer;

#[cfg(test)]
mod tests;

pub use backup::BackupProgress;
pub use failure::{is_unique_violation, unique_violation};
pub use handle::Database;
pub use health::Health;
pub use options::{Durability, Options};
pub use share::{Full, Share};
#[cfg(test)]
pub(super) use statements::take_steps;
pub use statements::{Param, Reader, Row, Transaction, Value};
pub use statistics::Statistics;
pub use stream::{Sender, Stream};
#[cfg(test)]
pub(super) use tests::wait_until;
