//! The content of a row: the values of a resource in its columns, and back.

use super::columns::Columns;
use super::comparison::Kind;
use super::row_table::Table;
use super::value::SqlValue;
use std::ops::ControlFlow;

use crate::error::{Error, Result};
use crate::fold::Fold;
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
            resource: self.object(
                table.resource_type.schema.attributes,
                AttrPath::ROOT,
                &members,
                more,
            ),
        })
    }

    /// Returns the JSON object of all attributes that do not have a column.
    pub(super) fn rest(&self, table: &Table, record: &dyn Record) -> String {
        let columns = self.own().filter(|(_, column)| column.value().is_some());
        let apart: Vec<_> = columns.map(|(path, _)| path).chain(self.kept_once()).collect();
        let projection = Projection::stored_rest(table.resource_type, &apart);
        let mut out = Vec::new();
        write_resource(&mut out, record, &projection, Base::Relative);
        String::from_utf8(out).unwrap_or_default()
    }

    /// Joins the values of columns and all else to one object.
    fn object(
        &self,
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
                (None, _) if is_split && attribute.shape.multi_valued => {
                    self.one_value(attribute, path, columns)
                }
                (None, rest) if is_split => {
                    let inner = self.object(attribute.shape.sub_attributes, path, columns, rest);
                    inner.as_json().members().next().is_some().then_some(inner)
                }
                (None, rest) => rest.map(JsonBuf::from),
            };
            members.extend(value.map(|value| (attribute.name, value)));
        }
        JsonBuf::object(members.iter().map(|(name, value)| (*name, value.as_json())))
    }

    /// Returns the one value that a row keeps of a multi-valued attribute, with what is the same in all rows.
    fn one_value(
        &self,
        attribute: &'static Attribute,
        path: AttrPath,
        columns: &[(AttrPath, View<'_>)],
    ) -> Option<JsonBuf> {
        let value = self.object(attribute.shape.sub_attributes, path, columns, None);
        value.as_json().members().next()?;
        let fixed = self.fixed_below(path).filter_map(|(sub, text)| {
            let index = usize::from(*sub.steps().last()?);
            Some((
                attribute.shape.sub_attributes.get(index)?.name,
                JsonBuf::string(text),
            ))
        });
        let fixed: Vec<_> = fixed.collect();
        let fixed = fixed.iter().map(|(name, value)| (*name, value.as_json()));
        let whole: Vec<_> = value.as_json().members().collect();
        let whole = whole.iter().map(|(name, value)| (&**name, *value));
        let whole = JsonBuf::object(whole.chain(fixed));
        Some(JsonBuf::array([whole.as_json()]))
    }

    /// Returns whether a column, or the JSON object, holds the attribute or a part of it.
    pub(crate) fn holds(&self, path: AttrPath) -> bool {
        let has_more = self.table.as_ref().is_some_and(|table| table.more.is_some());
        let readable = self.own().filter(|(_, column)| column.value().is_some());
        let mut readable = readable.map(|(column, _)| column);
        has_more || readable.any(|column| column.starts_with(path) || path.starts_with(column))
    }
}

fn unreadable(table: &Table, column: &str, what: &str) -> Error {
    Error::internal(format!(
        "the column {column} of {} holds a value that is not {what}",
        table.name
    ))
}

/// Returns the value of a column as an attribute shows it; `None` for one of another kind.
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

impl Columns {
    /// Returns the comparison key of an attribute.
    pub(super) fn key_value(&self, record: &dyn Record, path: AttrPath) -> Result<SqlValue> {
        let Some(attribute) = path.attribute(record.attributes()) else {
            return Ok(SqlValue::Null);
        };
        let mut key = None;
        self.at(
            &View::Complex(record),
            AttrPath::ROOT,
            path.steps(),
            &mut |view| {
                key = view.key(attribute.fold());
            },
        );
        key.map_or(Ok(SqlValue::Null), |key| text(&key, attribute))
    }

    /// Returns the value of an attribute as a column holds it.
    pub(super) fn stored_value(&self, record: &dyn Record, path: AttrPath, kind: Kind) -> Result<SqlValue> {
        let Some(attribute) = path.attribute(record.attributes()) else {
            return Ok(SqlValue::Null);
        };
        let mut value = Ok(SqlValue::Null);
        self.at(
            &View::Complex(record),
            AttrPath::ROOT,
            path.steps(),
            &mut |view| {
                value = sql_value(view, kind, attribute);
            },
        );
        value
    }

    /// Shows the value at the end of the steps; of many, the one that a row keeps.
    fn at(&self, view: &View<'_>, above: AttrPath, steps: &[u16], found: &mut dyn FnMut(&View<'_>)) {
        if let Some(values) = view.values() {
            _ = values.try_for_each(&mut |value| match self.is_kept(&value, above) {
                true => {
                    self.at(&value, above, steps, found);
                    ControlFlow::Break(())
                }
                false => ControlFlow::Continue(()),
            });
            return;
        }
        match (steps, view.record()) {
            ([], _) => found(view),
            ([step, rest @ ..], Some(record)) => {
                self.at(&record.view(usize::from(*step)), above.push(*step), rest, found);
            }
            _ => {}
        }
    }

    /// Returns whether a value of a multi-valued attribute says nothing else of what is the same in all rows.
    fn is_kept(&self, value: &View<'_>, path: AttrPath) -> bool {
        let Some(record) = value.record() else { return true };
        self.fixed_below(path).all(|(sub, text)| {
            let index = sub.steps().last().copied().map_or(usize::MAX, usize::from);
            let fold = record
                .attributes()
                .get(index)
                .map_or(Fold::Exact, Attribute::fold);
            match record.view(index) {
                View::Str(given) if !given.is_empty() => fold.same(&given, text),
                _ => true,
            }
        })
    }
}

/// Returns the value of an attribute as a column of this kind holds it.
fn sql_value(view: &View<'_>, kind: Kind, attribute: &Attribute) -> Result<SqlValue> {
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
}

/// Returns the text, which must be one that databases can search.
fn text(text: &str, attribute: &Attribute) -> Result<SqlValue> {
    match text.contains('\0') {
        true => Err(Error::invalid_value("must not contain U+0000").at(attribute.name)),
        false => Ok(SqlValue::Text(text.to_owned())),
    }
}
