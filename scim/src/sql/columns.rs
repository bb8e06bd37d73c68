//! The places where an application keeps its attributes.

use super::column::{Column, Rows};
use super::dialect::Dialect;
use super::edge_table::EdgeTable;
use super::row_table::Table;
use crate::path::AttrPath;
use crate::policy::Kept;
use crate::record::ScimResource;
use crate::schema::{Attribute, Role, position};

/// Which SQL expressions hold which attributes of a resource.
///
/// Paths are typed paths or [`AttrPath`]s from the resource: `emails().value()` is the path of a column of the table
/// that `emails()` has [`rows`](Self::rows) in.
#[derive(Debug, Clone)]
pub struct Columns {
    pub(super) dialect: Dialect,
    pub(super) first_parameter: usize,
    pub(super) table: Option<Table>,
    pub(super) edges: Vec<(AttrPath, EdgeTable)>,
    /// Multi-valued attributes of which a row keeps one value, with the column of its `value`.
    ones: Vec<(AttrPath, Column)>,
    columns: Vec<(AttrPath, Column)>,
    rows: Vec<(AttrPath, Rows)>,
    sorted: Vec<(AttrPath, Column)>,
}

impl Columns {
    /// Makes a set of columns that is still empty.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            first_parameter: 1,
            table: None,
            edges: Vec::new(),
            ones: Vec::new(),
            columns: Vec::new(),
            rows: Vec::new(),
            sorted: Vec::new(),
        }
    }

    /// Makes a set of columns that has only the id yet, of a table whose rows are resources of type `R`: the library reads and
    /// writes them. The id is a [text](Column::text), which the library makes, or [numbered](Column::numbered) by the database.
    ///
    /// ```
    /// use scim::resources::User;
    /// use scim::sql::{Column, Columns, Dialect};
    ///
    /// let user = User::paths();
    /// let people = Columns::table::<User>(Dialect::Postgres, "people", Column::numbered("id", "p"))
    ///     .column(user.user_name(), Column::folded("login", "login_key"))
    ///     .column(user.name().given_name(), Column::text("given_name"))
    ///     .version("version");
    /// assert_eq!(people.kept::<User>().names(), ["userName", "name.givenName"]);
    /// ```
    #[must_use]
    pub fn table<R: ScimResource>(dialect: Dialect, name: impl Into<String>, id: Column) -> Self {
        let mut columns = Self::new(dialect);
        if let Some(path) = path_of::<R>("id") {
            columns.columns.push((path, id.clone()));
        }
        columns.table = Some(Table {
            resource_type: R::RESOURCE_TYPE,
            name: name.into(),
            id,
            tenant: None,
            version: None,
            created: None,
            modified: None,
            more: None,
        });
        columns
    }

    /// Sets the column that says whose row it is: no statement reaches those of another tenant, whose name is its first
    /// parameter.
    #[must_use]
    pub fn tenant(self, column: impl Into<String>) -> Self {
        self.parameters_from(2)
            .with_table(|table| table.tenant = Some(column.into()))
    }

    /// Sets the integer column that counts the versions of a row, from 1. Without it, a digest of the content is the version.
    #[must_use]
    pub fn version(self, column: impl Into<String>) -> Self {
        self.with_table(|table| table.version = Some(column.into()))
    }

    /// Sets the integer column that says when a row was made, in [microseconds](Column::micros).
    #[must_use]
    pub fn created(self, column: impl Into<String>) -> Self {
        let column = column.into();
        self.time("meta.created", &column)
            .with_table(|table| table.created = Some(column))
    }

    /// Sets the integer column that says when a row was changed last, in [microseconds](Column::micros).
    #[must_use]
    pub fn modified(self, column: impl Into<String>) -> Self {
        let column = column.into();
        self.time("meta.lastModified", &column)
            .with_table(|table| table.modified = Some(column))
    }

    /// Sets the text column that holds, as a JSON object, all attributes that do not have a column. Filters over them are
    /// evaluated in memory.
    #[must_use]
    pub fn more(self, column: impl Into<String>) -> Self {
        self.with_table(|table| table.more = Some(column.into()))
    }

    /// Keeps the edges at `path`, such as the members of a group, as rows of a table. An attribute whose edges lead to several
    /// types has a table for each.
    #[must_use]
    pub fn edges(mut self, path: impl Into<AttrPath>, edges: EdgeTable) -> Self {
        let path = path.into();
        if self.edge_tables(path).next().is_none() {
            self.search_edges(path, &edges);
        } else {
            // No one table has them all.
            self.rows.retain(|(rows, _)| *rows != path);
            self.columns.retain(|(column, _)| !column.starts_with(path));
        }
        self.edges.push((path, edges));
        self
    }

    /// Has filters find edges in their table.
    fn search_edges(&mut self, path: AttrPath, edges: &EdgeTable) {
        let Some(table) = &self.table else { return };
        let attribute = path.attribute(table.resource_type.schema.attributes);
        let subs = attribute.map_or(&[][..], |attribute| attribute.shape.sub_attributes);
        let key = subs.iter().position(|sub| sub.key);
        let key = key.or_else(|| position(subs, "value").map(|(index, _)| index));
        let key = key.and_then(|key| u16::try_from(key).ok());
        if let (Some(key), Some((rows, column))) = (key, edges.search(table)) {
            self.rows.push((path, rows));
            self.columns.push((path.push(key), column));
        }
    }

    /// Returns the attributes that the columns hold, for [`Policy::keeping`](crate::policy::Policy::keeping): the service accepts
    /// and lists no others.
    #[must_use]
    pub fn kept<R: ScimResource>(&self) -> Kept {
        let has_more = self.table.as_ref().is_some_and(|table| table.more.is_some());
        let all = has_more.then_some(AttrPath::ROOT);
        let columns = self.columns.iter().map(|(path, _)| *path);
        let others = self.rows.iter().map(|(path, _)| *path);
        let edges = self.edges.iter().map(|(path, _)| *path);
        Kept::of_paths(R::RESOURCE_TYPE, columns.chain(others).chain(edges).chain(all))
    }

    fn with_table(mut self, edit: impl FnOnce(&mut Table)) -> Self {
        if let Some(table) = &mut self.table {
            edit(table);
        }
        self
    }

    fn time(mut self, name: &str, column: &str) -> Self {
        let schema = self.table.as_ref().map(|table| table.resource_type.schema);
        let path = schema.and_then(|schema| AttrPath::resolve(&name.parse().ok()?, schema));
        self.columns
            .extend(path.map(|path| (path, Column::micros(column))));
        self
    }

    /// Returns the columns of the table itself that hold attributes, but for the id and the times.
    pub(super) fn own(&self) -> impl Iterator<Item = (AttrPath, &Column)> {
        let attributes = self
            .table
            .as_ref()
            .map_or(&[][..], |table| table.resource_type.schema.attributes);
        let is_own = move |path: &AttrPath| {
            let many = self.rows.iter().any(|(rows, _)| path.starts_with(*rows));
            let mut way = path.attributes(attributes);
            !many && !way.next().is_some_and(is_of_the_library)
        };
        self.columns
            .iter()
            .map(|(path, column)| (*path, column))
            .filter(move |(path, _)| is_own(path))
    }

    /// Keeps the attribute at `path` in a column.
    #[must_use]
    pub fn column(mut self, path: impl Into<AttrPath>, column: Column) -> Self {
        self.columns.push((path.into(), column));
        self
    }

    /// Keeps one value of the multi-valued attribute at `path` in a row: its sub-attribute `value` in a column, and others that
    /// are always the same. Of what a client sends, the first value is kept that says nothing else of these.
    ///
    /// ```
    /// use scim::resources::User;
    /// use scim::sql::{Column, Columns, Dialect};
    ///
    /// let people = Columns::table::<User>(Dialect::Sqlite, "people", Column::numbered("id", "p"))
    ///     .one(User::paths().emails(), Column::folded("email", "email_key"), &[("type", "work")]);
    /// assert_eq!(people.kept::<User>().names(), ["emails.value", "emails.type"]);
    /// let filter = User::paths().emails().any(|email| email.kind().eq("work")).resolve()?;
    /// assert!(people.compile(filter.expression()).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn one(mut self, path: impl Into<AttrPath>, value: Column, fixed: &[(&str, &'static str)]) -> Self {
        let path = path.into();
        let table = self
            .table
            .as_ref()
            .map(|table| table.resource_type.schema.attributes);
        let attribute = table.and_then(|table| path.attribute(table));
        let subs = attribute.map_or(&[][..], |attribute| attribute.shape.sub_attributes);
        let sub = |name: &str| {
            let (index, attribute) = position(subs, name)?;
            Some((path.push(u16::try_from(index).ok()?), attribute))
        };
        if let Some((at, _)) = sub("value") {
            self.columns.push((at, value.clone()));
        }
        for (name, text) in fixed {
            let Some((at, attribute)) = sub(name) else {
                continue;
            };
            let key = attribute.fold().key(text).replace('\'', "''");
            let mut column = Column::key(format!(
                "CASE WHEN {} IS NOT NULL THEN '{key}' END",
                value.expression
            ));
            column.fixed = Some(text);
            self.columns.push((at, column));
        }
        self.ones.push((path, value));
        self
    }

    /// Keeps the values of the multi-valued attribute at `path` as rows of a table. The columns of that table are given with
    /// [`column`](Self::column), at the paths of the sub-attributes, or at this same path if the values have none.
    #[must_use]
    pub fn rows(mut self, path: impl Into<AttrPath>, rows: Rows) -> Self {
        self.rows.push((path.into(), rows));
        self
    }

    /// Sets the value by which resources are sorted at `path`, if a filter sees many: that of the primary element, or
    /// else of the first.
    #[must_use]
    pub fn sorted_by(mut self, path: impl Into<AttrPath>, column: Column) -> Self {
        self.sorted.push((path.into(), column));
        self
    }

    /// Sets the number of the first parameter, 1 by default: for a condition that becomes part of a longer statement.
    #[must_use]
    pub fn parameters_from(mut self, first: usize) -> Self {
        self.first_parameter = first;
        self
    }

    pub(super) fn column_at(&self, path: AttrPath) -> Option<&Column> {
        at(&self.columns, path)
    }

    /// Returns the column of the one value that a row keeps of a multi-valued attribute.
    pub(super) fn one_at(&self, path: AttrPath) -> Option<&Column> {
        at(&self.ones, path)
    }

    /// Returns the multi-valued attributes of which a row keeps one value.
    pub(super) fn kept_once(&self) -> impl Iterator<Item = AttrPath> {
        self.ones.iter().map(|(path, _)| *path)
    }

    /// Returns the sub-attributes that are the same in all rows, of the one value at `path`.
    pub(super) fn fixed_below(&self, path: AttrPath) -> impl Iterator<Item = (AttrPath, &'static str)> {
        let below = self
            .columns
            .iter()
            .filter(move |(column, _)| column.starts_with(path));
        below.filter_map(|(column, held)| Some((*column, held.fixed?)))
    }

    pub(super) fn rows_at(&self, path: AttrPath) -> Option<&Rows> {
        at(&self.rows, path)
    }

    /// Returns the column to sort by: that of one value for each resource.
    pub(super) fn sort_column_at(&self, path: AttrPath) -> Option<&Column> {
        let many = self.rows.iter().any(|(rows, _)| path.starts_with(*rows));
        at(&self.sorted, path).or_else(|| self.column_at(path).filter(|_| !many))
    }
}

/// Returns whether an attribute is the id or `meta`: the library writes them with columns of their own.
fn is_of_the_library(attribute: &Attribute) -> bool {
    matches!(attribute.role, Role::Common) && attribute.name != "externalId"
}

fn path_of<R: ScimResource>(name: &str) -> Option<AttrPath> {
    AttrPath::resolve(&name.parse().ok()?, R::RESOURCE_TYPE.schema)
}

/// Returns what was said last of a path.
fn at<T>(entries: &[(AttrPath, T)], path: AttrPath) -> Option<&T> {
    entries
        .iter()
        .rev()
        .find(|(known, _)| *known == path)
        .map(|(_, entry)| entry)
}
