//! Edges that are rows of a table between two others.

use super::column::Column;
use super::columns::Columns;
use super::dialect::Dialect;
use super::edge_table::{EdgeTable, Reach};
use super::statement::{Statement, Writer};
use super::value::SqlValue;
use crate::error::Result;
use crate::path::AttrPath;

/// How many edges one statement names: below the number of parameters that databases allow.
const AT_ONCE: usize = 500;

/// Edges that a statement adds or removes, by the ids of their other ends.
pub(crate) struct EdgeChanges<'a> {
    pub(crate) owner: &'a str,
    pub(crate) targets: Vec<&'a str>,
}

impl EdgeTable {
    /// Makes a table of edges: the rows of the table `name` say in the column `owner` whose edges they are, and in the column
    /// `target` to which row of the table of `targets` they lead. Give the two columns a unique constraint together, and a
    /// foreign key each.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        owner: impl Into<String>,
        target: impl Into<String>,
        targets: &Columns,
    ) -> Self {
        Self {
            name: name.into(),
            owner: owner.into(),
            target: target.into(),
            reach: targets.reach(),
        }
    }

    /// Returns the statement that reads the edges of a row, all or those to certain targets: the id and name of each.
    pub(crate) fn read(
        &self,
        columns: &Columns,
        tenant: &SqlValue,
        owner: &str,
        only: Option<&[&str]>,
    ) -> Result<Option<Statement>> {
        let table = columns.described()?;
        let (Some(reach), Some(owner)) = (&self.reach, table.id.id_value(owner)) else {
            return Ok(None);
        };
        let mut writer = self.joined(columns.dialect, tenant, reach, &self.target);
        writer.push(&format!("edge.{} = ", self.owner)).bind(owner);
        if let Some(only) = only {
            let only: Vec<_> = only.iter().filter_map(|id| reach.id.id_value(id)).collect();
            if only.is_empty() {
                return Ok(None);
            }
            writer.push(&format!(" AND edge.{} IN ", self.target)).list(only);
        }
        writer.push(&format!(" ORDER BY edge.{}", self.target));
        Ok(Some(writer.finish()))
    }

    /// Returns the statement that reads which rows have an edge to this one.
    pub(crate) fn leading_to(
        &self,
        columns: &Columns,
        tenant: &SqlValue,
        target: &str,
    ) -> Result<Option<Statement>> {
        let (Some(owners), Some(reach)) = (columns.reach(), &self.reach) else {
            return Ok(None);
        };
        let Some(target) = reach.id.id_value(target) else {
            return Ok(None);
        };
        let mut writer = self.joined(columns.dialect, tenant, &owners, &self.owner);
        writer.push(&format!("edge.{} = ", self.target)).bind(target);
        writer.push(&format!(" ORDER BY edge.{}", self.owner));
        Ok(Some(writer.finish()))
    }

    /// Begins a statement that reads the other ends of edges, of the tenant alone.
    fn joined(&self, dialect: Dialect, tenant: &SqlValue, reach: &Reach, column: &str) -> Writer {
        let display = reach.display.as_ref();
        let display = display.map_or("NULL".to_owned(), |display| format!("reached.{display}"));
        let (edges, table, id) = (&self.name, &reach.table, &reach.id.expression);
        let mut writer = Writer::new(
            dialect,
            format!(
                "SELECT reached.{id}, {display} FROM {edges} edge JOIN {table} reached ON reached.{id} = edge.{column} WHERE "
            ),
        );
        if let Some(column) = &reach.tenant {
            writer
                .push(&format!("reached.{column} = "))
                .bind(tenant.clone())
                .push(" AND ");
        }
        writer
    }

    /// Returns the statement that counts the edges of a row.
    pub(crate) fn count(&self, columns: &Columns, owner: &str) -> Result<Option<Statement>> {
        let Some(owner) = columns.described()?.id.id_value(owner) else {
            return Ok(None);
        };
        let mut writer = Writer::new(
            columns.dialect,
            format!("SELECT count(*) FROM {} WHERE ", self.name),
        );
        writer.push(&self.owner).push(" = ").bind(owner);
        Ok(Some(writer.finish()))
    }

    /// Returns the statements that add edges.
    pub(crate) fn add(&self, columns: &Columns, changes: &EdgeChanges<'_>) -> Result<Vec<Statement>> {
        let (owner, targets) = self.ends(columns, changes)?;
        let statements = targets.chunks(AT_ONCE).map(|targets| {
            let into = format!(
                "INSERT INTO {} ({}, {}) VALUES ",
                self.name, self.owner, self.target
            );
            let mut writer = Writer::new(columns.dialect, into);
            for (position, target) in targets.iter().enumerate() {
                if position > 0 {
                    writer.push(", ");
                }
                writer.list([owner.clone(), target.clone()]);
            }
            writer.push(" ON CONFLICT DO NOTHING");
            writer.finish()
        });
        Ok(statements.collect())
    }

    /// Returns the statements that remove edges.
    pub(crate) fn remove(&self, columns: &Columns, changes: &EdgeChanges<'_>) -> Result<Vec<Statement>> {
        let (owner, targets) = self.ends(columns, changes)?;
        let statements = targets.chunks(AT_ONCE).map(|targets| {
            let from = format!("DELETE FROM {} WHERE {} = ", self.name, self.owner);
            let mut writer = Writer::new(columns.dialect, from);
            writer
                .bind(owner.clone())
                .push(" AND ")
                .push(&self.target)
                .push(" IN ");
            writer.list(targets.iter().cloned());
            writer.finish()
        });
        Ok(statements.collect())
    }

    /// Returns the statement that removes all edges of a row.
    pub(crate) fn clear(&self, columns: &Columns, owner: &str) -> Result<Option<Statement>> {
        let Some(owner) = columns.described()?.id.id_value(owner) else {
            return Ok(None);
        };
        let mut writer = Writer::new(columns.dialect, format!("DELETE FROM {} WHERE ", self.name));
        writer.push(&self.owner).push(" = ").bind(owner);
        Ok(Some(writer.finish()))
    }

    fn ends(&self, columns: &Columns, changes: &EdgeChanges<'_>) -> Result<(SqlValue, Vec<SqlValue>)> {
        let owner = columns
            .described()?
            .id
            .id_value(changes.owner)
            .unwrap_or(SqlValue::Null);
        let reach = self.reach.as_ref();
        let ids = changes.targets.iter();
        let targets = ids.filter_map(|id| reach.and_then(|reach| reach.id.id_value(id)));
        Ok((owner, targets.collect()))
    }
}

impl Columns {
    /// Returns this table as the end of an edge; `None` for columns that name no table.
    pub(crate) fn reach(&self) -> Option<Reach> {
        let table = self.table.as_ref()?;
        let path = "displayName".parse().ok();
        let path = path.and_then(|name| AttrPath::resolve(&name, table.resource_type.schema));
        let path = path.or_else(|| {
            let attributes = table.resource_type.schema.attributes;
            let is_unique = |path: &AttrPath| {
                let mut way = path.attributes(attributes);
                way.next()
                    .is_some_and(|attribute| attribute.shape.uniqueness != crate::schema::Uniqueness::None)
            };
            self.own().map(|(path, _)| path).find(is_unique)
        });
        let display = path.and_then(|path| self.column_at(path));
        Some(Reach {
            resource_type: table.resource_type,
            table: table.name.clone(),
            id: table.id.clone(),
            tenant: table.tenant.clone(),
            display: display.and_then(Column::value).map(str::to_owned),
        })
    }

    /// Returns the tables that hold the edges at `path`.
    pub(crate) fn edge_tables(&self, path: AttrPath) -> impl Iterator<Item = &EdgeTable> {
        let tables = self.edges.iter().filter(move |(known, _)| *known == path);
        tables.map(|(_, table)| table)
    }
}
