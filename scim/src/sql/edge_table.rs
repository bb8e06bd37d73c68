//! A table whose rows are edges.

use super::column::{Column, Rows};
use super::row_table::Table;
use super::value::SqlValue;
use crate::schema::ResourceType;

/// A table with a row for each edge, such as one between groups and people.
#[derive(Debug, Clone)]
pub struct EdgeTable {
    pub(super) name: String,
    pub(super) owner: String,
    pub(super) target: String,
    pub(super) reach: Option<Reach>,
}

/// The table of resources at the other end of an edge.
#[derive(Debug, Clone)]
pub(crate) struct Reach {
    pub(super) resource_type: &'static ResourceType,
    pub(super) table: String,
    pub(super) id: Column,
    pub(super) tenant: Option<String>,
    /// The column of the name for people.
    pub(super) display: Option<String>,
}

/// The other end of an edge, as it was read.
pub(crate) struct ReachedRow {
    pub(crate) id: String,
    pub(crate) resource_type: &'static ResourceType,
    pub(crate) display: Option<String>,
}

impl Reach {
    /// Returns the end in a row that was read; `None` for a row without an id.
    pub(crate) fn end(&self, row: &[SqlValue]) -> Option<ReachedRow> {
        let display = match row.get(1) {
            Some(SqlValue::Text(text)) if !text.is_empty() => Some(text.clone()),
            _ => None,
        };
        Some(ReachedRow {
            id: self.id.id_of(row.first()?)?,
            resource_type: self.resource_type,
            display,
        })
    }
}

impl EdgeTable {
    /// Returns the type of the resources to which the edges lead.
    pub(crate) fn target_type(&self) -> Option<&'static ResourceType> {
        self.reach.as_ref().map(|reach| reach.resource_type)
    }

    /// Returns how filters find the edges of a row.
    pub(super) fn search(&self, owner: &Table) -> Option<(Rows, Column)> {
        let id = &owner.id.expression;
        let tie = format!("{}.{} = {}.{id}", self.name, self.owner, owner.name);
        let mut column = self.reach.as_ref()?.id.clone();
        column.expression = format!("{}.{}", self.name, self.target);
        Some((Rows::new(&self.name, tie), column))
    }

    /// Returns the table at the other end.
    pub(crate) fn reach(&self) -> Option<&Reach> {
        self.reach.as_ref()
    }
}
