//! The statements that read and write the rows of a table.

use super::columns::Columns;
use super::comparison::Kind;
use super::compile::SqlFilter;
use super::content::Content;
use super::dialect::Dialect;
use super::row_table::Table;
use super::value::SqlValue;
use crate::error::{Error, Result};
use crate::schema::ResourceType;
use crate::value::DateTime;

/// A statement with the values of its parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The text. Values are never part of it.
    pub text: String,
    /// The values of the parameters, in order.
    pub parameters: Vec<SqlValue>,
}

/// A statement that is being written.
pub(super) struct Writer {
    dialect: Dialect,
    text: String,
    parameters: Vec<SqlValue>,
}

impl Writer {
    pub(super) fn new(dialect: Dialect, text: impl Into<String>) -> Self {
        Self {
            dialect,
            text: text.into(),
            parameters: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Writes a parameter with this value.
    pub(super) fn bind(&mut self, value: SqlValue) -> &mut Self {
        self.parameters.push(value);
        let placeholder = self.dialect.placeholder(self.parameters.len());
        self.push(&placeholder)
    }

    /// Writes a list of parameters with these values in parentheses.
    pub(super) fn list(&mut self, values: impl IntoIterator<Item = SqlValue>) -> &mut Self {
        self.push("(");
        for (position, value) in values.into_iter().enumerate() {
            if position > 0 {
                self.push(", ");
            }
            self.bind(value);
        }
        self.push(")")
    }

    pub(super) fn finish(self) -> Statement {
        Statement {
            text: self.text,
            parameters: self.parameters,
        }
    }
}

/// The rows that a list shows.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Window<'a> {
    /// The condition that they meet; `None` for all.
    pub condition: Option<&'a SqlFilter>,
    /// The text behind ORDER BY, and in front of the column that tells rows apart which compare equal; `None` for the order
    /// of creation.
    pub order: Option<&'a str>,
    /// How many to skip.
    pub offset: u64,
    /// How many at most.
    pub count: usize,
}

impl Columns {
    pub(super) fn described(&self) -> Result<&Table> {
        self.table.as_ref().ok_or_else(|| {
            Error::misconfigured("These columns name no table: make them with Columns::table.")
        })
    }

    /// Returns the name of the table, if its rows are of this type.
    pub(crate) fn name_for(&self, resource_type: &'static ResourceType) -> Result<&str> {
        let table = self.described()?;
        if table.resource_type.name == resource_type.name {
            return Ok(&table.name);
        }
        Err(Error::misconfigured(format!(
            "The columns of {} were made for {}, but hold {}.",
            table.name, table.resource_type.name, resource_type.name
        )))
    }

    /// Returns the id in a row that begins with it.
    pub(crate) fn id_in(&self, row: &[SqlValue]) -> Option<String> {
        self.table.as_ref()?.id.id_of(row.first()?)
    }

    pub(super) fn writer(&self, text: String) -> Writer {
        Writer::new(self.dialect, text)
    }

    /// Returns the names of what is read of a row: id, version, times, attributes, and all else.
    fn selected(&self, table: &Table) -> String {
        let library = [Some(table.id.expression.as_str()), table.version.as_deref()];
        let times = [table.created.as_deref(), table.modified.as_deref()];
        let attributes = self.own().filter_map(|(_, column)| column.value());
        let names = library.into_iter().chain(times).flatten();
        let names: Vec<_> = names.chain(attributes).chain(table.more.as_deref()).collect();
        names.join(", ")
    }

    /// Writes that rows are of the tenant, behind WHERE.
    fn of_tenant(table: &Table, tenant: &SqlValue, writer: &mut Writer) -> Result<()> {
        match (&table.tenant, tenant) {
            (None, _) => _ = writer.push("1 = 1"),
            (Some(column), SqlValue::Null) => {
                return Err(Error::misconfigured(format!(
                    "The column {column} of {} says whose row it is, but SqlTables::tenant does not say whose rows are asked for.",
                    table.name
                )));
            }
            (Some(column), tenant) => _ = writer.push(column).push(" = ").bind(tenant.clone()),
        }
        Ok(())
    }

    /// Returns the statement that finds a row; `None` if none can have the id.
    pub(crate) fn find(&self, tenant: &SqlValue, id: &str, locks: bool) -> Result<Option<Statement>> {
        let table = self.described()?;
        let Some(id) = table.id.id_value(id) else {
            return Ok(None);
        };
        let mut writer = self.writer(format!(
            "SELECT {} FROM {} WHERE ",
            self.selected(table),
            table.name
        ));
        Self::of_tenant(table, tenant, &mut writer)?;
        writer
            .push(" AND ")
            .push(&table.id.expression)
            .push(" = ")
            .bind(id);
        if locks && self.dialect == Dialect::Postgres {
            writer.push(" FOR UPDATE");
        }
        Ok(Some(writer.finish()))
    }

    /// Returns the statement that says which of these ids rows have; `None` if none can.
    pub(crate) fn known(&self, tenant: &SqlValue, ids: &[&str]) -> Result<Option<Statement>> {
        let table = self.described()?;
        let ids: Vec<_> = ids.iter().filter_map(|id| table.id.id_value(id)).collect();
        if ids.is_empty() {
            return Ok(None);
        }
        let column = &table.id.expression;
        let mut writer = self.writer(format!("SELECT {column} FROM {} WHERE ", table.name));
        Self::of_tenant(table, tenant, &mut writer)?;
        writer.push(" AND ").push(column).push(" IN ").list(ids);
        Ok(Some(writer.finish()))
    }

    /// Returns the statement that makes a row and returns its id.
    pub(crate) fn insert(&self, tenant: &SqlValue, content: &Content<'_>) -> Result<Statement> {
        let table = self.described()?;
        let mut names = Vec::new();
        let mut values = Vec::new();
        if table.id.kind != Kind::Numbered {
            names.push(table.id.expression.as_str());
            values.push(SqlValue::Text(content.id.to_owned()));
        }
        if let Some(column) = &table.tenant {
            names.push(column);
            values.push(tenant.clone());
        }
        if let Some(column) = &table.created {
            names.push(column);
            values.push(time(content.created));
        }
        for (name, value) in self.written(table, content)? {
            names.push(name);
            values.push(value);
        }
        let mut writer = self.writer(format!(
            "INSERT INTO {} ({}) VALUES ",
            table.name,
            names.join(", ")
        ));
        writer.list(values).push(" RETURNING ").push(&table.id.expression);
        Ok(writer.finish())
    }

    /// Returns the statement that writes the next state of a row that has the version `expected`, and returns its id.
    pub(crate) fn update(
        &self,
        tenant: &SqlValue,
        content: &Content<'_>,
        expected: &str,
    ) -> Result<Statement> {
        let table = self.described()?;
        let mut writer = self.writer(format!("UPDATE {} SET ", table.name));
        for (position, (name, value)) in self.written(table, content)?.into_iter().enumerate() {
            if position > 0 {
                writer.push(", ");
            }
            writer.push(name).push(" = ").bind(value);
        }
        writer.push(" WHERE ");
        self.of_version(table, tenant, content.id, expected, writer)
    }

    /// Returns the statement that deletes a row that has the version `expected`, and returns its id.
    pub(crate) fn delete(&self, tenant: &SqlValue, id: &str, expected: &str) -> Result<Statement> {
        let table = self.described()?;
        let writer = self.writer(format!("DELETE FROM {} WHERE ", table.name));
        self.of_version(table, tenant, id, expected, writer)
    }

    /// Ends a statement about one row.
    fn of_version(
        &self,
        table: &Table,
        tenant: &SqlValue,
        id: &str,
        expected: &str,
        mut writer: Writer,
    ) -> Result<Statement> {
        Self::of_tenant(table, tenant, &mut writer)?;
        let id = table
            .id
            .id_value(id)
            .ok_or_else(|| Error::internal("a row with the id of another table"))?;
        writer
            .push(" AND ")
            .push(&table.id.expression)
            .push(" = ")
            .bind(id);
        if let Some(column) = &table.version {
            writer
                .push(" AND ")
                .push(column)
                .push(" = ")
                .bind(version(expected)?);
        }
        writer.push(" RETURNING ").push(&table.id.expression);
        Ok(writer.finish())
    }

    /// Returns the columns that every write sets.
    fn written<'c>(&'c self, table: &'c Table, content: &Content<'_>) -> Result<Vec<(&'c str, SqlValue)>> {
        let mut columns = Vec::new();
        for (path, column) in self.own() {
            if column.kind == Kind::Key && column.fixed.is_none() {
                columns.push((column.expression.as_str(), self.key_value(content.record, path)?));
            }
            if let Some(name) = column.value() {
                columns.push((name, self.stored_value(content.record, path, column.kind)?));
            }
        }
        if let Some(name) = &table.version {
            columns.push((name, version(content.version)?));
        }
        if let Some(name) = &table.modified {
            columns.push((name, time(content.modified)));
        }
        if let Some(name) = &table.more {
            columns.push((name, SqlValue::Text(self.rest(table, content.record))));
        }
        Ok(columns)
    }

    /// Returns the statement that counts the rows of a list.
    pub(crate) fn count(&self, tenant: &SqlValue, condition: Option<&SqlFilter>) -> Result<Statement> {
        let table = self.described()?;
        let mut writer = self.writer(format!("SELECT count(*) FROM {}", table.name));
        self.conditions(table, tenant, condition, &mut writer)?;
        Ok(writer.finish())
    }

    /// Returns the statement that reads the rows of a list. Rows that compare equal are in the order of their ids, which is that
    /// of their creation.
    pub(crate) fn select(&self, tenant: &SqlValue, window: &Window<'_>) -> Result<Statement> {
        let table = self.described()?;
        let mut writer = self.writer(format!("SELECT {} FROM {}", self.selected(table), table.name));
        self.conditions(table, tenant, window.condition, &mut writer)?;
        writer.push(" ORDER BY ");
        if let Some(order) = window.order {
            writer.push(order).push(", ");
        }
        let count = i64::try_from(window.count).unwrap_or(i64::MAX);
        let offset = i64::try_from(window.offset).unwrap_or(i64::MAX);
        writer
            .push(&table.id.expression)
            .push(" LIMIT ")
            .bind(SqlValue::Integer(count));
        writer.push(" OFFSET ").bind(SqlValue::Integer(offset));
        Ok(writer.finish())
    }

    fn conditions(
        &self,
        table: &Table,
        tenant: &SqlValue,
        condition: Option<&SqlFilter>,
        writer: &mut Writer,
    ) -> Result<()> {
        writer.push(" WHERE ");
        Self::of_tenant(table, tenant, writer)?;
        if let Some(filter) = condition {
            writer.push(" AND (").push(&filter.condition).push(")");
            writer.parameters.extend_from_slice(&filter.parameters);
        }
        Ok(())
    }
}

fn time(time: Option<DateTime>) -> SqlValue {
    time.map_or(SqlValue::Null, |time| SqlValue::Integer(time.as_unix_micros()))
}

fn version(version: &str) -> Result<SqlValue> {
    let number = version.parse().map_err(Error::internal)?;
    Ok(SqlValue::Integer(number))
}
