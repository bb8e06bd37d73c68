//! Where an application keeps which attribute.

use crate::path::AttrPath;

/// What differs between database engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SQLite: parameters are `?1`, `?2` and so on.
    Sqlite,
    /// PostgreSQL: parameters are `$1`, `$2` and so on. Text columns must compare by code point: declare them with
    /// `COLLATE "C"`, or say so in the expression.
    Postgres,
}

/// An SQL expression that holds an attribute, and what kind of value it holds. `NULL` is: no value.
///
/// The expression is the application's own text and goes into the statement as it is. Text must not contain U+0000,
/// which databases cannot search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub(super) expression: String,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Key,
    Text,
    Reference,
    Integer,
    Real,
    Boolean,
    Micros,
    Binary,
}

macro_rules! columns {
    ($($(#[$doc:meta])* $name:ident $kind:ident;)*) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name(expression: impl Into<String>) -> Self {
                Self {
                    expression: expression.into(),
                    kind: Kind::$kind,
                }
            }
        )*
    };
}

impl Column {
    columns! {
        /// The comparison key of a text: what [`Attribute::fold`](crate::schema::Attribute::fold) makes of it. Rebuild
        /// the column when [`fold::VERSION`](crate::fold::VERSION) changes.
        key Key;
        /// A text as it was written, composed (NFC). It serves attributes that are `caseExact` alone.
        text Text;
        /// A reference to a resource of this service, below the base URL: `Users/2819`.
        reference Reference;
        /// An integer.
        integer Integer;
        /// A floating-point number.
        real Real;
        /// A boolean. At the path of a complex attribute: whether it has any value.
        boolean Boolean;
        /// A time, as whole microseconds since 1970 began in UTC. Values with finer fractions of a second are rounded
        /// down before they are stored, or filters disagree.
        micros Micros;
        /// Bytes.
        binary Binary;
    }
}

/// A table with a row for each value of a multi-valued attribute. Values without content have no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    pub(super) table: String,
    pub(super) condition: String,
}

impl Rows {
    /// `table` is what stands behind `FROM`, and `condition` ties its rows to the row of the resource:
    /// `Rows::new("email", "email.owner = person.id")`.
    #[must_use]
    pub fn new(table: impl Into<String>, condition: impl Into<String>) -> Self {
        Self {
            table: table.into(),
            condition: condition.into(),
        }
    }
}

/// Which SQL expressions hold which attributes of a resource.
///
/// Paths are typed paths or [`AttrPath`]s from the resource: `emails().value()` is the path of a column of the table
/// that `emails()` has [`rows`](Self::rows) in.
#[derive(Debug, Clone)]
pub struct Columns {
    pub(super) dialect: Dialect,
    pub(super) first_parameter: usize,
    columns: Vec<(AttrPath, Column)>,
    rows: Vec<(AttrPath, Rows)>,
    sorted: Vec<(AttrPath, Column)>,
}

impl Columns {
    /// No columns yet.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            first_parameter: 1,
            columns: Vec::new(),
            rows: Vec::new(),
            sorted: Vec::new(),
        }
    }

    /// The attribute at `path` is held by a column.
    #[must_use]
    pub fn column(mut self, path: impl Into<AttrPath>, column: Column) -> Self {
        self.columns.push((path.into(), column));
        self
    }

    /// The values of the multi-valued attribute at `path` are rows of a table. The columns of that table are given with
    /// [`column`](Self::column), at the paths of the sub-attributes, or at this same path if the values have none.
    #[must_use]
    pub fn rows(mut self, path: impl Into<AttrPath>, rows: Rows) -> Self {
        self.rows.push((path.into(), rows));
        self
    }

    /// The value by which resources are sorted at `path`, where a filter sees many: that of the primary element, or
    /// else of the first.
    #[must_use]
    pub fn sorted_by(mut self, path: impl Into<AttrPath>, column: Column) -> Self {
        self.sorted.push((path.into(), column));
        self
    }

    /// The number of the first parameter, 1 by default: for a condition that becomes part of a longer statement.
    #[must_use]
    pub fn parameters_from(mut self, first: usize) -> Self {
        self.first_parameter = first;
        self
    }

    pub(super) fn column_at(&self, path: AttrPath) -> Option<&Column> {
        at(&self.columns, path)
    }

    pub(super) fn rows_at(&self, path: AttrPath) -> Option<&Rows> {
        at(&self.rows, path)
    }

    /// The column to sort by: that of one value for each resource.
    pub(super) fn sort_column_at(&self, path: AttrPath) -> Option<&Column> {
        let many = self.rows.iter().any(|(rows, _)| path.starts_with(*rows));
        at(&self.sorted, path).or_else(|| self.column_at(path).filter(|_| !many))
    }
}

/// What was said last of a path.
fn at<T>(entries: &[(AttrPath, T)], path: AttrPath) -> Option<&T> {
    entries
        .iter()
        .rev()
        .find(|(known, _)| *known == path)
        .map(|(_, entry)| entry)
}
