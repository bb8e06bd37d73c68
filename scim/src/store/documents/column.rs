//! Columns that filters search, each with how it encodes a value.

use super::composed::Sql;
use super::key::Key;
use super::tables::SLOTS;
use crate::sql::{Bound, Range, Sink};
use crate::store::database::Value;

/// A column of a statement.
#[derive(Clone, Copy)]
pub(super) struct Column {
    /// The expression.
    name: &'static str,
    /// Makes what it keeps of a value.
    encode: fn(&Bound<'_>) -> Value,
}

impl Column {
    /// The id of a row.
    pub(super) const ID: Self = Self::new("r.id", id);
    /// The time of the last change of a row.
    pub(super) const MODIFIED: Self = Self::new("r.modified", plain);
    /// The value in a row of the value table.
    pub(super) const VALUE: Self = Self::new("v.value", key);
    /// The kind of that value.
    pub(super) const KIND: Self = Self::new("v.sub", kind);
    /// The key columns of a row, in order.
    const KEYS: [Self; SLOTS] = [
        Self::new("r.k1", key),
        Self::new("r.k2", key),
        Self::new("r.k3", key),
        Self::new("r.k4", key),
    ];

    const fn new(name: &'static str, encode: fn(&Bound<'_>) -> Value) -> Self {
        Self { name, encode }
    }

    /// Returns a key column, counted from 1.
    pub(super) fn key(number: usize) -> Option<Self> {
        Self::KEYS.get(number.checked_sub(1)?).copied()
    }

    /// Writes the condition that the value is in a range, which an index may serve.
    pub(super) fn search(self, range: &Range<'_>, sql: &mut Sql) {
        self.write(range, self.name, sql);
    }

    /// Writes the condition that there is no value, which an index may serve.
    pub(super) fn search_missing(self, sql: &mut Sql) {
        sql.push(self.name);
        sql.push(" IS NULL");
    }

    /// Returns the condition on rows that something else has selected: a unary plus hides the column from the planner.
    pub(super) fn test(self, range: &Range<'_>) -> Sql {
        let mut sql = Sql::new("(");
        self.write(range, &format!("+{}", self.name), &mut sql);
        sql.push(")");
        sql
    }

    fn write(self, range: &Range<'_>, name: &str, sql: &mut Sql) {
        let encode = self.encode;
        range.write(name, &mut Encoded { sql, encode });
    }
}

/// A statement into which a condition on a column is written.
struct Encoded<'s> {
    sql: &'s mut Sql,
    encode: fn(&Bound<'_>) -> Value,
}

impl Sink for Encoded<'_> {
    fn push(&mut self, sql: &str) {
        self.sql.push(sql);
    }

    fn bind(&mut self, bound: &Bound<'_>) {
        self.sql.push("?");
        self.sql.params.push((self.encode)(bound));
    }
}

/// Returns the key of a value.
fn key(bound: &Bound<'_>) -> Value {
    Value::Blob(Key::of(bound).into_bytes())
}

/// Returns the key of an id.
fn id(bound: &Bound<'_>) -> Value {
    match bound {
        Bound::Text(text) => Value::Blob(Key::id(text).into_bytes()),
        other => key(other),
    }
}

/// Returns the folded text of a kind.
fn kind(bound: &Bound<'_>) -> Value {
    match bound {
        Bound::Text(text) => Value::Blob(text.as_bytes().to_vec()),
        other => key(other),
    }
}

/// Returns the value itself.
fn plain(bound: &Bound<'_>) -> Value {
    match bound {
        Bound::Text(text) => Value::Text(text.clone().into_owned()),
        Bound::Integer(number) => Value::Integer(*number),
        Bound::Real(number) => Value::Real(*number),
        Bound::Bool(value) => Value::Integer((*value).into()),
        Bound::Binary(bytes) => Value::Blob(bytes.to_vec()),
    }
}
