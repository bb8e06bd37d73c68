//! Values in and out of rusqlite.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, Null, ToSql, ToSqlOutput, ValueRef};

use super::value::SqlValue;

/// Needs the feature `rusqlite`.
impl ToSql for SqlValue {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Null => Null.to_sql(),
            Self::Text(text) => text.to_sql(),
            Self::Integer(number) => number.to_sql(),
            Self::Real(number) => number.to_sql(),
            Self::Bool(value) => value.to_sql(),
            Self::Binary(bytes) => bytes.to_sql(),
        }
    }
}

/// Needs the feature `rusqlite`.
impl FromSql for SqlValue {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Real(number) => Self::Real(number),
            ValueRef::Text(text) => {
                let text = str::from_utf8(text).map_err(|error| FromSqlError::Other(Box::new(error)))?;
                Self::Text(text.to_owned())
            }
            ValueRef::Blob(bytes) => Self::Binary(bytes.to_vec()),
        })
    }
}
