//! The statement seam: SQL with neutral values, over the driver's cached prepared statements.

use std::ops::{ControlFlow, Deref};

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};

use super::connection::Connection;
use super::estimates;
use super::failure::{failed, is_interrupt};
use super::meter::Meter;
#[cfg(debug_assertions)]
use super::portable;
use crate::{Error, Result};

/// A parameter of a statement, borrowed for as long as the statement runs.
///
/// ```
/// use scim::store::database::Param;
///
/// let nobody: Option<&str> = None;
/// let row: [Param<'_>; 4] = [7.into(), "bjensen".into(), true.into(), nobody.into()];
/// assert_eq!(row, [Param::Integer(7), Param::Text("bjensen"), Param::Integer(1), Param::Null]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Param<'a> {
    /// SQL `NULL`.
    Null,
    /// A 64-bit integer; also a boolean, as 0 or 1.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
}

/// A value that owns its content, for statements that are composed at run time.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// SQL `NULL`.
    Null,
    /// A 64-bit integer; also a boolean, as 0 or 1.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Value {
    /// Returns the value as the parameter of a statement.
    #[must_use]
    pub fn as_param(&self) -> Param<'_> {
        match self {
            Self::Null => Param::Null,
            Self::Integer(value) => Param::Integer(*value),
            Self::Real(value) => Param::Real(*value),
            Self::Text(value) => Param::Text(value),
            Self::Blob(value) => Param::Blob(value),
        }
    }
}

impl<'a> From<&'a Value> for Param<'a> {
    fn from(value: &'a Value) -> Self {
        value.as_param()
    }
}

impl From<Param<'_>> for Value {
    fn from(param: Param<'_>) -> Self {
        match param {
            Param::Null => Self::Null,
            Param::Integer(value) => Self::Integer(value),
            Param::Real(value) => Self::Real(value),
            Param::Text(value) => Self::Text(value.to_owned()),
            Param::Blob(value) => Self::Blob(value.to_owned()),
        }
    }
}

macro_rules! conversions {
    ($($from:ty => $variant:ident($into:expr);)*) => {
        $(
            impl<'a> From<$from> for Param<'a> {
                fn from(value: $from) -> Self {
                    Self::$variant($into(value))
                }
            }

            impl<'a> From<$from> for Value {
                fn from(value: $from) -> Self {
                    Param::from(value).into()
                }
            }
        )*
    };
}

conversions! {
    i64 => Integer(i64::from);
    i32 => Integer(i64::from);
    u32 => Integer(i64::from);
    bool => Integer(i64::from);
    f64 => Real(f64::from);
    &'a str => Text(<&'a str>::from);
    &'a String => Text(String::as_str);
    &'a [u8] => Blob(<&'a [u8]>::from);
    &'a Vec<u8> => Blob(Vec::as_slice);
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Blob(value)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Param<'a> {
    fn from(value: &'a [u8; N]) -> Self {
        Self::Blob(value)
    }
}

impl<'a, T: Into<Param<'a>>> From<Option<T>> for Param<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Keeps the driver's traits off the public types.
struct Bound<'a>(Param<'a>);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Param::Null => ValueRef::Null,
            Param::Integer(value) => ValueRef::Integer(value),
            Param::Real(value) => ValueRef::Real(value),
            Param::Text(value) => ValueRef::Text(value.as_bytes()),
            Param::Blob(value) => ValueRef::Blob(value),
        }))
    }
}

fn bound<'a>(params: &'a [Param<'a>]) -> impl rusqlite::Params + 'a {
    rusqlite::params_from_iter(params.iter().map(|param| Bound(*param)))
}

/// A row of a result, valid while it is visited. Columns are counted from 0.
///
/// Reading a column as a type that it does not have is an internal error (500) that names the column: it is a mistake
/// in the statement or the schema, never of a client.
pub struct Row<'a>(&'a rusqlite::Row<'a>);

impl<'a> Row<'a> {
    fn column(&self, index: usize) -> Result<ValueRef<'a>> {
        self.0.get_ref(index).map_err(failed)
    }

    /// Returns the value of a column, whatever its type, without a copy.
    ///
    /// # Errors
    /// There is no such column, or its text is not UTF-8.
    pub fn get(&self, index: usize) -> Result<Param<'a>> {
        Ok(match self.column(index)? {
            ValueRef::Null => Param::Null,
            ValueRef::Integer(value) => Param::Integer(value),
            ValueRef::Real(value) => Param::Real(value),
            ValueRef::Text(value) => Param::Text(utf8(index, value)?),
            ValueRef::Blob(value) => Param::Blob(value),
        })
    }

    /// Returns the value of a column, whatever its type.
    ///
    /// # Errors
    /// There is no such column, or its text is not UTF-8.
    pub fn value(&self, index: usize) -> Result<Value> {
        self.get(index).map(Value::from)
    }

    /// Returns whether a column is `NULL`.
    ///
    /// # Errors
    /// There is no such column.
    pub fn is_null(&self, index: usize) -> Result<bool> {
        Ok(matches!(self.column(index)?, ValueRef::Null))
    }

    /// Reads an integer.
    ///
    /// # Errors
    /// The column does not exist or holds something else.
    pub fn integer(&self, index: usize) -> Result<i64> {
        match self.column(index)? {
            ValueRef::Integer(value) => Ok(value),
            other => Err(mismatch(index, "an integer", other)),
        }
    }

    /// Reads a boolean that was written as 0 or 1.
    ///
    /// # Errors
    /// The column does not exist or holds something else.
    pub fn boolean(&self, index: usize) -> Result<bool> {
        self.integer(index).map(|value| value != 0)
    }

    /// Reads a floating-point number, or an integer as one.
    ///
    /// # Errors
    /// The column does not exist or holds something else.
    pub fn real(&self, index: usize) -> Result<f64> {
        match self.column(index)? {
            ValueRef::Real(value) => Ok(value),
            #[allow(
                clippy::cast_precision_loss,
                reason = "SQLite stores a whole REAL as an integer"
            )]
            ValueRef::Integer(value) => Ok(value as f64),
            other => Err(mismatch(index, "a number", other)),
        }
    }

    /// Reads text, borrowed from the database.
    ///
    /// # Errors
    /// The column does not exist, holds something else, or is not UTF-8.
    pub fn text(&self, index: usize) -> Result<&'a str> {
        match self.column(index)? {
            ValueRef::Text(value) => utf8(index, value),
            other => Err(mismatch(index, "text", other)),
        }
    }

    /// Reads bytes, borrowed from the database; text is given as its UTF-8.
    ///
    /// # Errors
    /// The column does not exist or holds something else.
    pub fn blob(&self, index: usize) -> Result<&'a [u8]> {
        match self.column(index)? {
            ValueRef::Blob(value) | ValueRef::Text(value) => Ok(value),
            other => Err(mismatch(index, "bytes", other)),
        }
    }

    /// Reads an integer or `NULL`.
    ///
    /// # Errors
    /// The column does not exist or holds something else.
    pub fn optional_integer(&self, index: usize) -> Result<Option<i64>> {
        self.optional(index, Self::integer)
    }

    /// Reads a boolean or `NULL`.
    ///
    /// # Errors
    /// The column does not exist or holds something else.
    pub fn optional_boolean(&self, index: usize) -> Result<Option<bool>> {
        self.optional(index, Self::boolean)
    }

    /// Reads a number or `NULL`.
    ///
    /// # Errors
    /// The column does not exist or holds something else.
    pub fn optional_real(&self, index: usize) -> Result<Option<f64>> {
        self.optional(index, Self::real)
    }

    /// Reads text or `NULL`.
    ///
    /// # Errors
    /// The column does not exist, holds something else, or is not UTF-8.
    pub fn optional_text(&self, index: usize) -> Result<Option<&'a str>> {
        self.optional(index, Self::text)
    }

    /// Reads bytes or `NULL`.
    ///
    /// # Errors
    /// The column does not exist or holds something else.
    pub fn optional_blob(&self, index: usize) -> Result<Option<&'a [u8]>> {
        self.optional(index, Self::blob)
    }

    fn optional<T>(&self, index: usize, get: impl FnOnce(&Self, usize) -> Result<T>) -> Result<Option<T>> {
        if self.is_null(index)? {
            Ok(None)
        } else {
            get(self, index).map(Some)
        }
    }
}

fn utf8(index: usize, bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes)
        .map_err(|cause| Error::internal(format!("column {index} is not UTF-8: {cause}")))
}

fn mismatch(index: usize, expected: &str, found: ValueRef<'_>) -> Error {
    let found = found.data_type();
    Error::internal(format!(
        "column {index} should hold {expected}, but holds {found}"
    ))
}

/// The interface that a read job gets: statements that look at one unchanging snapshot of the database.
///
/// SQL is prepared once per connection and kept, so write statements as constants with parameters (`?1`, `?2`, …).
/// Statements that would end the transaction, attach files or change how the connection works are refused.
pub struct Reader<'a> {
    connection: &'a Connection,
}

#[cfg(feature = "testkit")]
thread_local! {
    /// The texts of the statements of a part that [`Reader::recorded`] runs.
    static RECORDED: std::cell::RefCell<Option<Vec<String>>> = const { std::cell::RefCell::new(None) };
}

impl<'a> Reader<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self { connection }
    }

    /// Prepares a statement, or takes the one that was prepared before: the one place where statements are made.
    fn prepare(&self, sql: &str) -> Result<rusqlite::CachedStatement<'a>> {
        #[cfg(debug_assertions)]
        if self.connection.is_portable() {
            portable::check(sql)?;
        }
        #[cfg(feature = "testkit")]
        RECORDED.with_borrow_mut(|texts| texts.iter_mut().for_each(|texts| texts.push(sql.to_owned())));
        self.connection.count_statement();
        let prepared = self.connection.driver().prepare_cached(sql);
        let statement = prepared.map_err(|error| self.failed(error))?;
        if !statement.readonly() {
            self.connection.note_change();
        }
        Ok(statement)
    }

    /// Runs a part of a job, and answers with the texts of the statements that it has run as well: for tests that look at
    /// the plans of what an application really asks.
    #[cfg(feature = "testkit")]
    pub fn recorded<T>(&self, part: impl FnOnce() -> T) -> (T, Vec<String>) {
        RECORDED.replace(Some(Vec::new()));
        let outcome = part();
        (outcome, RECORDED.take().unwrap_or_default())
    }

    pub(super) fn meter(&self) -> &'a Meter {
        self.connection.meter()
    }

    fn failed(&self, error: rusqlite::Error) -> Error {
        match is_interrupt(&error) {
            true => self.connection.meter().reason(error),
            false => failed(error),
        }
    }

    /// Charges work that a search does outside of the database, such as the evaluation of a filter.
    ///
    /// # Errors
    /// The search is to end: its budget is spent (400 `tooMany`), nobody waits for it any more, or the database is closed.
    /// A job that is not a search has no budget.
    pub fn charge(&self, steps: u64) -> Result<()> {
        self.connection.meter().charge(steps)
    }

    /// Ends the snapshot of a job that owns it, between two statements.
    pub(super) fn end_snapshot(&self) -> Result<()> {
        self.connection.control("COMMIT").map_err(failed)
    }

    /// Begins another.
    pub(super) fn begin_snapshot(&self) -> Result<()> {
        self.connection.control("BEGIN").map_err(failed)
    }

    /// Runs a part of a job that should be brief. `None` if the database would take more than about so many steps for it.
    pub(in crate::store) fn within<T>(
        &self,
        steps: u64,
        part: impl FnOnce() -> Result<T>,
    ) -> Result<Option<T>> {
        self.connection.meter().within(steps, part)
    }

    /// Visits the rows one by one until there are no more or `visit` says so. Nothing is copied: text and blobs are
    /// borrowed from the database while the row is visited.
    ///
    /// # Errors
    /// The statement fails (503 if another process holds the database, 500 otherwise), or `visit` returns an error.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// # use scim::store::database::{Database, Options};
    /// # fn main() -> scim::Result<()> {
    /// # let database = Database::in_memory(Options::default())?;
    /// let sum = database.blocking_read(|reader| {
    ///     let mut sum = 0;
    ///     reader.visit("SELECT value FROM json_each(?1)", &["[1,2,3,4]".into()], |row| {
    ///         sum += row.integer(0)?;
    ///         Ok(if sum < 6 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    ///     })?;
    ///     Ok(sum)
    /// })?;
    /// assert_eq!(sum, 6);
    /// # Ok(())
    /// # }
    /// ```
    pub fn visit(
        &self,
        sql: &str,
        params: &[Param<'_>],
        mut visit: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let mut statement = self.prepare(sql)?;
        let mut rows = statement
            .query(bound(params))
            .map_err(|error| self.failed(error))?;
        while let Some(row) = rows.next().map_err(|error| self.failed(error))? {
            if visit(&Row(row))?.is_break() {
                break;
            }
        }
        drop(rows);
        count_steps(&statement);
        Ok(())
    }

    /// Visits all rows.
    ///
    /// # Errors
    /// As [`Reader::visit`].
    pub fn query(
        &self,
        sql: &str,
        params: &[Param<'_>],
        mut visit: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        self.visit(sql, params, |row| visit(row).map(ControlFlow::Continue))
    }

    /// Returns the first row, if there is one.
    ///
    /// # Errors
    /// As [`Reader::visit`].
    pub fn query_one<T>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut statement = self.prepare(sql)?;
        let mut rows = statement
            .query(bound(params))
            .map_err(|error| self.failed(error))?;
        let row = rows.next().map_err(|error| self.failed(error))?;
        let found = row.map(|row| read(&Row(row))).transpose();
        drop(rows);
        count_steps(&statement);
        found
    }

    /// Returns all rows, collected.
    ///
    /// # Errors
    /// As [`Reader::visit`].
    pub fn query_all<T>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut all = Vec::new();
        self.query(sql, params, |row| {
            all.push(read(row)?);
            Ok(())
        })?;
        Ok(all)
    }
}

#[cfg(test)]
thread_local! {
    /// The steps that SQLite's machine has taken for the statements of this thread.
    static STEPS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Takes the number of steps since the last time, on the thread of the job that asks.
#[cfg(test)]
pub(in crate::store) fn take_steps() -> u64 {
    STEPS.take()
}

#[cfg(test)]
fn count_steps(statement: &rusqlite::Statement<'_>) {
    let steps = statement.reset_status(rusqlite::StatementStatus::VmStep);
    STEPS.set(STEPS.get() + u64::from(steps.unsigned_abs()));
}

#[cfg(not(test))]
fn count_steps(_: &rusqlite::Statement<'_>) {}

/// The interface that a write job gets: everything a [`Reader`] offers, and statements that change.
///
/// It sees the newest state and its own changes. If the job returns an error or panics, its changes are undone and
/// those of the jobs that share its commit are not. Foreign keys are enforced; declare none as deferred, because a
/// constraint that fails at the commit fails every job of the group. For the same reason use no `OR ROLLBACK`.
pub struct Transaction<'a> {
    reader: Reader<'a>,
}

impl<'a> Deref for Transaction<'a> {
    type Target = Reader<'a>;

    fn deref(&self) -> &Reader<'a> {
        &self.reader
    }
}

impl<'a> Transaction<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self {
            reader: Reader::new(connection),
        }
    }

    /// Runs a statement and returns the number of rows it changed.
    ///
    /// # Errors
    /// The statement fails (see [`is_unique_violation`](super::is_unique_violation)), or returns rows: use
    /// [`Reader::query_one`] for `RETURNING`.
    pub fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<u64> {
        let mut statement = self.prepare(sql)?;
        let changed = statement.execute(bound(params)).map_err(failed)?;
        count_steps(&statement);
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    /// Runs several statements without parameters, separated by semicolons: for schemas and migrations.
    ///
    /// # Errors
    /// One of the statements fails; the later ones do not run.
    pub fn execute_batch(&self, sql: &str) -> Result<()> {
        self.connection.note_change();
        self.connection.driver().execute_batch(sql).map_err(failed)
    }

    /// Tells the planner that one tenant may have many rows of the tables whose keys begin with this column, so that it prefers
    /// an index that finds few of them. Before it is told, it expects a dozen rows of each tenant, takes the first key that
    /// begins with the column, and goes through all that the tenant has. To be called after tables and indexes were made.
    ///
    /// # Errors
    /// The estimates cannot be written.
    ///
    /// ```
    /// # use scim::store::database::{Database, Options};
    /// # fn main() -> scim::Result<()> {
    /// # let database = Database::in_memory(Options::default())?;
    /// database.blocking_write(|tx| {
    ///     tx.execute_batch(
    ///         "CREATE TABLE badge (org BLOB NOT NULL, id BLOB NOT NULL, holder TEXT NOT NULL, PRIMARY KEY (org, id))
    ///              STRICT, WITHOUT ROWID;
    ///          CREATE INDEX badge_holder ON badge (org, holder);",
    ///     )?;
    ///     tx.expect_large_tenants("org")
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn expect_large_tenants(&self, column: &str) -> Result<()> {
        self.connection.note_change();
        estimates::write(self.connection, column)
    }

    /// Returns the row id that the last `INSERT` made.
    #[must_use]
    pub fn last_insert_id(&self) -> i64 {
        self.connection.driver().last_insert_rowid()
    }

    /// Runs a part of the job that can fail on its own: an error undoes what the part did, and nothing else.
    ///
    /// # Errors
    /// Those of `part`, or that the savepoint could not be made or ended.
    pub fn nested<T>(&self, part: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        self.connection.control("SAVEPOINT part").map_err(failed)?;
        let outcome = part(self);
        if outcome.is_err() {
            self.connection.control("ROLLBACK TO part").map_err(failed)?;
        }
        self.connection.control("RELEASE part").map_err(failed)?;
        outcome
    }
}

#[cfg(test)]
impl Transaction<'_> {
    /// Lets the file have no more than this many pages from the next transaction on: SQLite's own way to a full disk.
    pub(in crate::store::database) fn let_grow_to(&self, pages: u32) {
        let sql = format!("PRAGMA main.max_page_count = {pages}");
        // The pragma returns a row, which is an error for a statement that should return none.
        _ = self.connection.control(sql.leak());
    }
}
