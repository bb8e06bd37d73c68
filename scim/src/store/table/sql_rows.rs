//! Rows that are plain columns: the library writes the statements.

use std::future::Future;
use std::sync::Arc;

use super::rows::{End, Row, Rows};
use super::tables::{Failure, Purpose, Tables};
use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::path::AttrPath;
use crate::record::ScimResource;
use crate::schema::Attribute;
use crate::sql::{Columns, Content, EdgeChanges, EdgeTable, SqlFilter, SqlValue, Statement, Window};
use crate::store::edges::edge_attributes;
use crate::store::layout::step;
use crate::store::{Event, Version};
use crate::value::{Cx, Intent, Strict};

/// Tables that can run a statement of the library.
pub trait SqlTables<C>: Tables<C> {
    /// Runs a statement and returns the rows that it returns.
    ///
    /// # Errors
    /// Those of the driver.
    fn run(
        &self,
        unit: &mut Self::Unit,
        statement: &Statement,
    ) -> impl Future<Output = Result<Vec<Vec<SqlValue>>, Failure>> + Send;

    /// Returns the tenant of a unit, as the [column](Columns::tenant) that says whose row it is holds it. Tables that have no
    /// such column need not say it.
    fn tenant(&self, unit: &Self::Unit) -> SqlValue {
        _ = unit;
        SqlValue::Null
    }
}

/// The rows of type `R`, where each is plain columns: [`Columns::table`] says all, and the library writes the statements.
pub trait SqlRows<R: ScimResource, C: Send + Sync + 'static>: SqlTables<C> {
    /// Returns the columns.
    fn columns(&self) -> &Columns;

    /// Carries out the same as [`Rows::record`].
    ///
    /// # Errors
    /// Those of the driver and of the application.
    fn record(
        &self,
        unit: &mut Self::Unit,
        cx: &Arc<C>,
        event: &Event<R>,
    ) -> impl Future<Output = Result<(), Failure>> + Send {
        _ = (unit, cx, event);
        async { Ok(()) }
    }
}

impl<R: ScimResource, C: Send + Sync + 'static, T: SqlRows<R, C>> Rows<R, C> for T {
    async fn find(&self, unit: &mut T::Unit, id: &str, purpose: Purpose) -> Result<Option<Row<R>>, Failure> {
        let columns = SqlRows::columns(self);
        let tenant = self.tenant(unit);
        let Some(statement) = columns.find(&tenant, id, purpose == Purpose::Write)? else {
            return Ok(None);
        };
        let rows = self.run(unit, &statement).await?;
        rows.first().map(|row| read(columns, row)).transpose()
    }

    async fn insert(&self, unit: &mut T::Unit, row: &Row<R>) -> Result<String, Failure> {
        let columns = SqlRows::columns(self);
        let statement = columns.insert(&self.tenant(unit), &content(row))?;
        let rows = self.run(unit, &statement).await?;
        let id = rows.first().and_then(|row| columns.id_in(row));
        Ok(id.ok_or_else(|| Error::internal("an INSERT has returned no id"))?)
    }

    async fn update(&self, unit: &mut T::Unit, row: &Row<R>, expected: &Version) -> Result<bool, Failure> {
        let columns = SqlRows::columns(self);
        let statement = columns.update(&self.tenant(unit), &content(row), expected.as_str())?;
        Ok(!self.run(unit, &statement).await?.is_empty())
    }

    async fn remove(&self, unit: &mut T::Unit, id: &str, expected: &Version) -> Result<bool, Failure> {
        let columns = SqlRows::columns(self);
        for (path, _) in edge_attributes(R::RESOURCE_TYPE.schema.attributes) {
            for table in columns.edge_tables(path) {
                if let Some(statement) = table.clear(columns, id)? {
                    self.run(unit, &statement).await?;
                }
            }
        }
        let statement = columns.delete(&self.tenant(unit), id, expected.as_str())?;
        Ok(!self.run(unit, &statement).await?.is_empty())
    }

    fn columns(&self) -> Option<&Columns> {
        Some(SqlRows::columns(self))
    }

    async fn count(&self, unit: &mut T::Unit, condition: Option<&SqlFilter>) -> Result<u64, Failure> {
        let statement = SqlRows::columns(self).count(&self.tenant(unit), condition)?;
        Ok(counted(&self.run(unit, &statement).await?)?)
    }

    async fn select(&self, unit: &mut T::Unit, window: &Window<'_>) -> Result<Vec<Row<R>>, Failure> {
        let columns = SqlRows::columns(self);
        let statement = columns.select(&self.tenant(unit), window)?;
        let rows = self.run(unit, &statement).await?;
        rows.iter().map(|row| read(columns, row)).collect()
    }

    async fn known(&self, unit: &mut T::Unit, ids: &[&str]) -> Result<Vec<String>, Failure> {
        let columns = SqlRows::columns(self);
        let Some(statement) = columns.known(&self.tenant(unit), ids)? else {
            return Ok(Vec::new());
        };
        let rows = self.run(unit, &statement).await?;
        Ok(rows.iter().filter_map(|row| columns.id_in(row)).collect())
    }

    fn edge_targets(&self, attribute: AttrPath) -> Option<Vec<&'static str>> {
        let tables = SqlRows::columns(self).edge_tables(attribute);
        Some(
            tables
                .filter_map(EdgeTable::target_type)
                .map(|known| known.name)
                .collect(),
        )
    }

    async fn edges(
        &self,
        unit: &mut T::Unit,
        attribute: AttrPath,
        id: &str,
        only: Option<&[&str]>,
    ) -> Result<Vec<End>, Failure> {
        let columns = SqlRows::columns(self);
        let mut ends = Vec::new();
        for table in columns.edge_tables(attribute) {
            let statement = table.read(columns, &self.tenant(unit), id, only)?;
            if let (Some(statement), Some(reach)) = (statement, table.reach()) {
                let rows = self.run(unit, &statement).await?;
                ends.extend(rows.iter().filter_map(|row| reach.end(row)).map(end_of));
            }
        }
        Ok(ends)
    }

    async fn count_edges(&self, unit: &mut T::Unit, attribute: AttrPath, id: &str) -> Result<usize, Failure> {
        let columns = SqlRows::columns(self);
        let mut count = 0;
        for table in columns.edge_tables(attribute) {
            if let Some(statement) = table.count(columns, id)? {
                count += counted(&self.run(unit, &statement).await?)?;
            }
        }
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    async fn leading_to(
        &self,
        unit: &mut T::Unit,
        attribute: AttrPath,
        target: &str,
    ) -> Result<Vec<End>, Failure> {
        let columns = SqlRows::columns(self);
        let mut ends = Vec::new();
        for table in columns.edge_tables(attribute) {
            let statement = table.leading_to(columns, &self.tenant(unit), target)?;
            if let (Some(statement), Some(owners)) = (statement, columns.reach()) {
                let rows = self.run(unit, &statement).await?;
                ends.extend(rows.iter().filter_map(|row| owners.end(row)).map(end_of));
            }
        }
        Ok(ends)
    }

    async fn edit_edges(
        &self,
        unit: &mut T::Unit,
        attribute: AttrPath,
        id: &str,
        removed: &[End],
        added: &[End],
    ) -> Result<(), Failure> {
        let columns = SqlRows::columns(self);
        for table in columns.edge_tables(attribute) {
            let mut statements = table.remove(columns, &changes(table, id, removed))?;
            statements.extend(table.add(columns, &changes(table, id, added))?);
            for statement in &statements {
                self.run(unit, statement).await?;
            }
        }
        Ok(())
    }

    fn record(
        &self,
        unit: &mut T::Unit,
        cx: &Arc<C>,
        event: &Event<R>,
    ) -> impl Future<Output = Result<(), Failure>> + Send {
        SqlRows::record(self, unit, cx, event)
    }

    fn check(&self) -> Result<()> {
        let columns = SqlRows::columns(self);
        let table = columns.name_for(R::RESOURCE_TYPE)?;
        let schema = R::RESOURCE_TYPE.schema;
        for (index, attribute) in schema.attributes.iter().enumerate() {
            let path = step(AttrPath::ROOT, index);
            let is_missing = match attribute.edges {
                true => columns.edge_tables(path).next().is_none(),
                false => must_be_held(attribute) && !columns.holds(path),
            };
            if is_missing {
                let (how, name) = match attribute.edges {
                    true => ("marked edges", "edges"),
                    false => ("required", "column"),
                };
                return Err(Error::misconfigured(format!(
                    "The attribute {} of {} is {how}, but {table} does not hold it: name where it is with .{name}({}::paths()…, …).",
                    attribute.name,
                    R::RESOURCE_TYPE.name,
                    R::RESOURCE_TYPE.name,
                )));
            }
        }
        Ok(())
    }
}

fn must_be_held(attribute: &Attribute) -> bool {
    attribute.shape.required && matches!(attribute.role, crate::schema::Role::Plain)
}

fn content<R: ScimResource>(row: &Row<R>) -> Content<'_> {
    Content {
        id: &row.id,
        version: row.version.as_ref().map_or("", Version::as_str),
        created: row.created,
        modified: row.modified,
        record: &row.resource,
    }
}

fn read<R: ScimResource>(columns: &Columns, row: &[SqlValue]) -> Result<Row<R>, Failure> {
    let found = columns.read(row)?;
    let limits = Limits::default();
    let mut cx = Cx::new(Intent::Stored, &Strict, &limits);
    let resource = R::decode(found.resource.as_json(), &mut cx).map_err(Error::internal)?;
    Ok(Row {
        id: found.id,
        version: found.version.map(Version::new),
        created: found.created,
        modified: found.modified,
        resource,
    })
}

fn counted(rows: &[Vec<SqlValue>]) -> Result<u64> {
    match rows.first().and_then(|row| row.first()) {
        Some(SqlValue::Integer(number)) => u64::try_from(*number).map_err(Error::internal),
        _ => Err(Error::internal("a count has returned no number")),
    }
}

fn end_of(end: crate::sql::ReachedRow) -> End {
    End {
        id: end.id,
        resource_type: Some(end.resource_type),
        display: end.display,
        rest: None,
    }
}

/// Returns the changes of edges that this table holds: those that lead to its targets.
fn changes<'a>(table: &EdgeTable, owner: &'a str, ends: &'a [End]) -> EdgeChanges<'a> {
    let is_here =
        |end: &&End| end.resource_type.map(|known| known.name) == table.target_type().map(|known| known.name);
    EdgeChanges {
        owner,
        targets: ends.iter().filter(is_here).map(|end| end.id.as_str()).collect(),
    }
}
