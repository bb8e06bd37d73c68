//! What a row holds: the values of a resource in its columns, and back.

use super::columns::{Columns, Kind, Table};
use super::statement::SqlValue;
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::path::AttrPath;
use crate::projection::{Base, Projection, write_resource};
use crate::record::Record;
use crate::schema::Attribute;
use crate::value::{DateTime, Json, JsonBuf, View};

/// A row that is to be written.
pub(crate) struct Content<'a> {
    pub(crate) id: &'a str,
    pub(crate) version: &'a str,
    pub(crate) created: Option<DateTime>,
    pub(crate) modified: Option<DateTime>,
    pub(crate) record: &'a dyn Record,
}

/// A row that was read.
pub(crate) struct Found {
    pub(crate) id: String,
    pub(crate) version: Option<String>,
    pub(crate) created: Option<DateTime>,
    pub(crate) modified: Option<DateTime>,
    /// The attributes as a JSON object.
    pub(crate) resource: JsonBuf,
}

impl Columns {
    /// Reads what a statement of these columns has selected.
    pub(crate) fn read(&self, row: &[SqlValue]) -> Result<Found> {
        let table = self.described()?;
        let mut values = row.iter();
        let mut next = || values.next().unwrap_or(&SqlValue::Null);
        let id = table.id.id_of(next());
        let id = id.ok_or_else(|| unreadable(table, &table.id.expression, "an id"))?;
        let mut integer = |column: &Option<String>| match column.as_ref().map(|name| (name, next())) {
            None | Some((_, SqlValue::Null)) => Ok(None),
            Some((_, SqlValue::Integer(number))) => Ok(Some(*number)),
            Some((name, _)) => Err(unreadable(table, name, "an integer")),
        };
        let version = integer(&table.version)?.map(|number| number.to_string());
        let created = integer(&table.created)?.map(DateTime::from_unix_micros);
        let modified = integer(&table.modified)?.map(DateTime::from_unix_micros);
        let mut members = Vec::new();
        for (path, column) in self.own() {
            if let Some(name) = column.value() {
                let value = shown_value(next(), column.kind);
                let value = value.ok_or_else(|| unreadable(table, name, "of the kind that was given"))?;
                members.push((path, value));
            }
        }
        let more = match table.more.as_ref().map(|name| (name, next())) {
            None | Some((_, SqlValue::Null)) => None,
            Some((_, SqlValue::Text(text))) => Some(JsonBuf::parse(text.as_bytes(), &Limits::default())?),
            Some((name, _)) => return Err(unreadable(table, name, "a text")),
        };
        let more = more.as_ref().map(JsonBuf::as_json);
        Ok(Found {
            id,
            version,
            created,
            modified,
            resource: object(table.resource_type.schema.attributes, AttrPath::ROOT, &members, more),
        })
    }

    /// The JSON object of all attributes for which there is no column.
    pub(super) fn rest(&self, table: &Table, record: &dyn Record) -> String {
        let columns = self.own().filter(|(_, column)| column.value().is_some());
        let apart: Vec<_> = columns.map(|(path, _)| path).collect();
        let projection = Projection::stored_rest(table.resource_type, &apart);
        let mut out = Vec::new();
        write_resource(&mut out, record, &projection, Base::Relative);
        String::from_utf8(out).unwrap_or_default()
    }

    /// Whether a column, or the JSON object, holds the attribute or a part of it.
    pub(crate) fn holds(&self, path: AttrPath) -> bool {
        let has_more = self.table.as_ref().is_some_and(|table| table.more.is_some());
        let readable = self.own().filter(|(_, column)| column.value().is_some());
        let mut readable = readable.map(|(column, _)| column);
        has_more || readable.any(|column| column.starts_with(path) || path.starts_with(column))
    }
}

fn unreadable(table: &Table, column: &str, what: &str) -> Error {
    Error::internal(format!("the column {column} of {} holds a value that is not {what}", table.name))
}

/// Joins the values of columns and all else to one object.
fn object(
    attributes: &'static [Attribute],
    above: AttrPath,
    columns: &[(AttrPath, View<'_>)],
    more: Option<Json<'_>>,
) -> JsonBuf {
    let mut members = Vec::new();
    for (index, attribute) in attributes.iter().enumerate() {
        let Ok(step) = u16::try_from(index) else { continue };
        let path = above.push(step);
        let rest = more.and_then(|more| more.get(attribute.name));
        let column = columns.iter().find(|(column, _)| *column == path);
        let is_split = columns.iter().any(|(column, _)| column.starts_with(path));
        let value = match (column, rest) {
            (Some((_, view)), _) => view.is_present().then(|| view.to_json()),
            (None, rest) if is_split => {
                let inner = object(attribute.shape.sub_attributes, path, columns, rest);
                inner.as_json().members().next().is_some().then_some(inner)
            }
            (None, rest) => rest.map(JsonBuf::from),
        };
        members.extend(value.map(|value| (attribute.name, value)));
    }
    JsonBuf::object(members.iter().map(|(name, value)| (*name, value.as_json())))
}

/// The value of a column as an attribute shows it; `None` for one of another kind.
fn shown_value(value: &SqlValue, kind: Kind) -> Option<View<'_>> {
    Some(match (kind, value) {
        (_, SqlValue::Null) => View::Absent,
        (Kind::Key | Kind::Text | Kind::Reference, SqlValue::Text(text)) => View::text(text),
        (Kind::Integer, SqlValue::Integer(number)) => View::Int(*number),
        (Kind::Real, SqlValue::Real(number)) => View::Decimal(*number),
        (Kind::Real, SqlValue::Integer(number)) => View::Decimal(*number as f64),
        (Kind::Boolean, SqlValue::Bool(value)) => View::Bool(*value),
        (Kind::Boolean, SqlValue::Integer(number)) => View::Bool(*number != 0),
        (Kind::Micros, SqlValue::Integer(number)) => View::Time(DateTime::from_unix_micros(*number)),
        (Kind::Binary, SqlValue::Binary(bytes)) => View::Binary(bytes.as_slice().into()),
        _ => return None,
    })
}

/// Shows the single value at the end of the steps.
fn at<T>(view: &View<'_>, steps: &[u16], found: impl FnOnce(&View<'_>) -> T) -> T {
    match (steps, view.record()) {
        ([], _) => found(view),
        ([step, rest @ ..], Some(record)) => at(&record.view(usize::from(*step)), rest, found),
        _ => found(&View::Absent),
    }
}

/// The comparison key of an attribute.
pub(super) fn key_value(record: &dyn Record, path: AttrPath) -> Result<SqlValue> {
    let Some(attribute) = path.attribute(record.attributes()) else {
        return Ok(SqlValue::Null);
    };
    let key = at(&View::Complex(record), path.steps(), |view| view.key(attribute.fold()));
    key.map_or(Ok(SqlValue::Null), |key| text(&key, attribute))
}

/// The value of an attribute as a column holds it.
pub(super) fn stored_value(record: &dyn Record, path: AttrPath, kind: Kind) -> Result<SqlValue> {
    let Some(attribute) = path.attribute(record.attributes()) else {
        return Ok(SqlValue::Null);
    };
    at(&View::Complex(record), path.steps(), |view| {
        Ok(match (kind, view) {
            (_, View::Absent) => SqlValue::Null,
            (Kind::Key | Kind::Text | Kind::Reference, View::Str(value) | View::Relative(value)) => {
                return text(value, attribute);
            }
            (Kind::Integer, View::Int(number)) => SqlValue::Integer(*number),
            (Kind::Real, View::Decimal(number)) => SqlValue::Real(*number),
            (Kind::Boolean, View::Bool(value)) => SqlValue::Bool(*value),
            (Kind::Micros, View::Time(time)) => SqlValue::Integer(time.as_unix_micros()),
            (Kind::Binary, View::Binary(bytes)) => SqlValue::Binary(bytes.to_vec()),
            _ => {
                return Err(Error::misconfigured(format!(
                    "The attribute {} is of another type than the column that is to hold it.",
                    attribute.name
                )));
            }
        })
    })
}

/// A text, which must be one that databases can search.
fn text(text: &str, attribute: &Attribute) -> Result<SqlValue> {
    match text.contains('\0') {
        true => Err(Error::invalid_value("must not contain U+0000").at(attribute.name)),
        false => Ok(SqlValue::Text(text.to_owned())),
    }
}
