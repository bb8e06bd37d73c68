//! From an expression to a condition with parameters.
//!
//! SQL knows true, false and unknown. A comparison is unknown where its column is NULL; AND and OR keep that apart from
//! true, a WHERE and an EXISTS take it for false, and NOT is written as IS NOT TRUE: so unknown is false everywhere, as
//! it is for the evaluator.

use std::fmt::{self, Display, Formatter};

use super::column::{Column, Rows};
use super::columns::Columns;
use super::comparison::{AS_WRITTEN, Kind, present};
use super::range::{Bound, IS_NOT_TRUE, Range, Sink};
use super::value::SqlValue;
use crate::filter::{Compare, Expression, Operator};
use crate::fold::Fold;
use crate::path::AttrPath;
use crate::schema::Attribute;
use crate::sort::Sort;
use crate::value::View;

/// A condition for a WHERE clause.
#[derive(Debug, Clone, PartialEq)]
pub struct SqlFilter {
    /// The condition. No value of the filter is in it, so that filters of one form share a prepared statement.
    pub condition: String,
    /// The values of the parameters, in order.
    pub parameters: Vec<SqlValue>,
}

/// A part of a filter or sort that the columns cannot answer. The application evaluates it itself, or refuses it.
#[derive(Debug, Clone)]
pub struct NotTranslatable {
    /// The attribute, as indices from the resource.
    pub path: AttrPath,
    /// Its name and shape.
    pub attribute: &'static Attribute,
    /// The comparison asked of it; `None` for presence, for its values as a whole and for sorting.
    pub operator: Option<Operator>,
    /// Why not.
    pub why: &'static str,
}

impl Display for NotTranslatable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "attribute {}", self.attribute.name)?;
        if let Some(operator) = self.operator {
            write!(f, " with {}", operator.as_str())?;
        }
        write!(f, ": {}", self.why)
    }
}

impl std::error::Error for NotTranslatable {}

type Result<T> = std::result::Result<T, NotTranslatable>;

const NO_COLUMN: &str = "no column holds it";

impl Columns {
    /// Returns the condition that selects the rows of the resources for which `expression` is true.
    ///
    /// # Errors
    /// The first part of the expression that the columns cannot answer.
    pub fn compile(&self, expression: &Expression) -> Result<SqlFilter> {
        let mut compiler = Compiler {
            columns: self,
            sql: String::new(),
            parameters: Vec::new(),
        };
        compiler.expression(expression, AttrPath::ROOT, Place::Outermost)?;
        Ok(SqlFilter {
            condition: compiler.sql,
            parameters: compiler.parameters,
        })
    }

    /// Returns the text behind ORDER BY. Resources without value come last in ascending and first in descending order. Add a
    /// unique column behind it: rows that compare equal are in no order.
    ///
    /// # Errors
    /// That no column holds one comparable value for each resource.
    pub fn order_by(&self, sort: &Sort) -> Result<String> {
        let refuse = |why| NotTranslatable {
            path: sort.path(),
            attribute: sort.attribute(),
            operator: None,
            why,
        };
        let column = self
            .sort_column_at(sort.path())
            .ok_or_else(|| refuse("no column holds one value of it for each resource"))?;
        if column.kind == Kind::Text && sort.attribute().fold() != Fold::Exact {
            return Err(refuse(AS_WRITTEN));
        }
        let (column, direction) = (column.as_text(), if sort.is_descending() { " DESC" } else { "" });
        Ok(format!("({column} IS NULL){direction}, {column}{direction}"))
    }
}

/// The surroundings of a condition.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing, or parentheses.
    Outermost,
    /// Other conditions.
    Among,
}

struct Compiler<'c> {
    columns: &'c Columns,
    sql: String,
    parameters: Vec<SqlValue>,
}

impl Sink for Compiler<'_> {
    fn push(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    fn bind(&mut self, bound: &Bound<'_>) {
        let number = self.columns.first_parameter.saturating_add(self.parameters.len());
        self.sql.push_str(&self.columns.dialect.placeholder(number));
        self.parameters.push(bound.into());
    }
}

impl<'c> Compiler<'c> {
    fn expression(&mut self, expression: &Expression, prefix: AttrPath, place: Place) -> Result<()> {
        match expression {
            Expression::Always => self.push("1 = 1"),
            Expression::Never => self.push("1 = 0"),
            Expression::And(all) => self.join(all, " AND ", prefix, place)?,
            Expression::Or(any) => self.join(any, " OR ", prefix, place)?,
            Expression::Not(inner) => {
                self.push("(");
                self.expression(inner, prefix, Place::Outermost)?;
                self.push(")");
                self.push(IS_NOT_TRUE);
            }
            Expression::Present { path, attribute } if attribute.shape.multi_valued && !path.is_root() => {
                self.any_row(join(prefix, *path), attribute)?;
            }
            Expression::Present { path, attribute } => self.present(join(prefix, *path), attribute)?,
            Expression::Compare(compare) => self.compare(compare, join(prefix, compare.path), place)?,
            Expression::Any {
                path,
                attribute,
                inner,
            } => self.any(join(prefix, *path), attribute, inner, place)?,
        }
        Ok(())
    }

    fn join(&mut self, parts: &[Expression], word: &str, prefix: AttrPath, place: Place) -> Result<()> {
        if place == Place::Among {
            self.push("(");
        }
        for (position, part) in parts.iter().enumerate() {
            if position > 0 {
                self.push(word);
            }
            self.expression(part, prefix, Place::Among)?;
        }
        if place == Place::Among {
            self.push(")");
        }
        Ok(())
    }

    /// Writes the test of whether a multi-valued attribute has a value.
    fn any_row(&mut self, path: AttrPath, attribute: &'static Attribute) -> Result<()> {
        if let Some(Column { expression, .. }) = self.columns.one_at(path) {
            Range::Everything.write(expression, self);
            return Ok(());
        }
        let Rows { table, condition } = self.rows(path, attribute)?;
        self.push(&format!("EXISTS (SELECT 1 FROM {table} WHERE {condition})"));
        Ok(())
    }

    fn rows(&self, path: AttrPath, attribute: &'static Attribute) -> Result<&'c Rows> {
        self.columns.rows_at(path).ok_or(NotTranslatable {
            path,
            attribute,
            operator: None,
            why: "no table holds its values",
        })
    }

    /// Writes the test of whether a single value is there; it may be an element that has no sub-attributes.
    fn present(&mut self, path: AttrPath, attribute: &'static Attribute) -> Result<()> {
        let columns = self.columns;
        let Some(Column { expression, kind, .. }) = columns.column_at(path) else {
            return Err(NotTranslatable {
                path,
                attribute,
                operator: None,
                why: NO_COLUMN,
            });
        };
        present(attribute, *kind).write(expression, self);
        Ok(())
    }

    fn any(
        &mut self,
        path: AttrPath,
        attribute: &'static Attribute,
        inner: &Expression,
        place: Place,
    ) -> Result<()> {
        if !attribute.shape.multi_valued {
            return self.complex(path, attribute, inner, place);
        }
        if let Some(Column { expression, .. }) = self.columns.one_at(path) {
            self.push("(");
            Range::Everything.write(expression, self);
            self.push(" AND ");
            self.expression(inner, path, Place::Among)?;
            self.push(")");
            return Ok(());
        }
        let Rows { table, condition } = self.rows(path, attribute)?;
        self.push(&format!("EXISTS (SELECT 1 FROM {table} WHERE {condition} AND "));
        self.expression(inner, path, Place::Among)?;
        self.push(")");
        Ok(())
    }

    /// Writes the condition on the one value of a complex attribute. Conditions that are true of no value need to know that there
    /// is one.
    fn complex(
        &mut self,
        path: AttrPath,
        attribute: &'static Attribute,
        inner: &Expression,
        place: Place,
    ) -> Result<()> {
        if !inner.holds_for(&View::Absent) {
            return self.expression(inner, path, place);
        }
        self.push("(");
        self.present(path, attribute)?;
        self.push(" AND ");
        self.expression(inner, path, Place::Among)?;
        self.push(")");
        Ok(())
    }

    fn compare(&mut self, compare: &Compare, path: AttrPath, place: Place) -> Result<()> {
        let refuse = |why| NotTranslatable {
            path,
            attribute: compare.attribute,
            operator: Some(compare.operator),
            why,
        };
        let columns = self.columns;
        let Some(column) = columns.column_at(path) else {
            return Err(refuse(NO_COLUMN));
        };
        let (expression, test) = column.test(compare).map_err(refuse)?;
        match place {
            Place::Outermost => test.write(&expression, columns.dialect, self),
            Place::Among => test.write_among(&expression, columns.dialect, self),
        }
        Ok(())
    }
}

fn join(prefix: AttrPath, path: AttrPath) -> AttrPath {
    path.steps().iter().fold(prefix, |path, step| path.push(*step))
}
