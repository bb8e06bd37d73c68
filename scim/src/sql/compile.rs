//! From an expression to a condition with parameters.
//!
//! SQL knows true, false and unknown. A comparison is unknown where its column is NULL; AND and OR keep that apart from
//! true, a WHERE and an EXISTS take it for false, and NOT is written as IS NOT TRUE: so unknown is false everywhere, as
//! it is for the evaluator.

use std::fmt::{self, Display, Formatter};

use super::columns::{Column, Columns, Dialect, Kind, Rows};
use super::statement::SqlValue;
use crate::filter::{Compare, Expression, Numeric, Operand, Operator, PathTest, ReferenceOperand};
use crate::fold::Fold;
use crate::path::AttrPath;
use crate::schema::Attribute;
use crate::sort::Sort;
use crate::value::View;

/// A condition for a WHERE clause.
#[derive(Debug, Clone, PartialEq)]
pub struct SqlFilter {
    /// The condition. Numbers are the only literals of the filter in it: text goes by parameter.
    pub condition: String,
    /// The values of the parameters, in order.
    pub parameters: Vec<SqlValue>,
}

/// What a filter or sort asks that the columns cannot answer. The application evaluates it itself, or refuses it.
#[derive(Debug, Clone)]
pub struct NotTranslatable {
    /// The attribute, as indices from the resource.
    pub path: AttrPath,
    /// What it is.
    pub attribute: &'static Attribute,
    /// What is asked of it; `None` for presence, for its values as a whole and for sorting.
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
    /// The condition that selects the rows of the resources for which `expression` is true.
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

    /// What stands behind ORDER BY. Resources without value come last in ascending and first in descending order. Add a
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

const AS_WRITTEN: &str = "its column holds the text as written, and the attribute ignores case";

/// What surrounds a condition.
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
                self.push(") IS NOT TRUE");
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

    fn push(&mut self, sql: &str) {
        self.sql.push_str(sql);
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

    fn parameter(&mut self, value: SqlValue) -> String {
        let number = self.columns.first_parameter.saturating_add(self.parameters.len());
        self.parameters.push(value);
        self.columns.dialect.placeholder(number)
    }

    /// Whether a multi-valued attribute has a value.
    fn any_row(&mut self, path: AttrPath, attribute: &'static Attribute) -> Result<()> {
        if let Some(Column { expression, .. }) = self.columns.one_at(path) {
            self.push(&format!("{expression} IS NOT NULL"));
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

    /// Whether a single value is there; it may be an element that has no sub-attributes.
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
        let condition = match kind {
            Kind::Key | Kind::Text | Kind::Reference => format!("{expression} <> ''"),
            Kind::Binary => format!("length({expression}) > 0"),
            Kind::Boolean if attribute.is_complex() => format!("{expression} = TRUE"),
            Kind::Boolean | Kind::Integer | Kind::Real | Kind::Micros | Kind::Numbered => {
                format!("{expression} IS NOT NULL")
            }
        };
        self.push(&condition);
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
            self.push(&format!("({expression} IS NOT NULL AND "));
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

    /// The one value of a complex attribute. Conditions that are true of no value need to know that there is one.
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
        let (expression, operator) = (column.expression.as_str(), compare.operator);
        match (column.kind, &compare.operand) {
            (
                Kind::Key | Kind::Text | Kind::Reference | Kind::Numbered,
                Operand::Text { key, .. } | Operand::Reference(ReferenceOperand { key, .. }),
            ) if key.contains('\0') => Err(refuse("databases do not search for U+0000")),
            (Kind::Text, Operand::Text { fold, .. } | Operand::Reference(ReferenceOperand { fold, .. }))
                if *fold != Fold::Exact =>
            {
                Err(refuse(AS_WRITTEN))
            }
            (
                Kind::Key | Kind::Text,
                Operand::Text { key, .. } | Operand::Reference(ReferenceOperand { key, .. }),
            ) => {
                self.text(expression, operator, key, place);
                Ok(())
            }
            (Kind::Numbered, Operand::Text { key, .. }) => {
                self.number(column, operator, key, place);
                Ok(())
            }
            (Kind::Reference, Operand::Reference(operand)) => {
                self.paths(expression, &operand.paths, place);
                Ok(())
            }
            (Kind::Boolean, Operand::Bool(value)) => {
                self.ordinary(expression, operator, SqlValue::Bool(*value));
                Ok(())
            }
            (Kind::Binary, Operand::Binary(bytes)) => {
                self.ordinary(expression, operator, SqlValue::Binary(bytes.to_vec()));
                Ok(())
            }
            (Kind::Integer, Operand::Number(Numeric::Integer(value))) => {
                self.ordinary(expression, operator, SqlValue::Integer(*value));
                Ok(())
            }
            (Kind::Integer, Operand::Number(Numeric::Decimal(value))) => {
                self.between_integers(expression, operator, value.floor());
                Ok(())
            }
            (Kind::Real, Operand::Number(number)) => {
                let value = match number {
                    Numeric::Integer(value) => {
                        exact(*value).ok_or_else(|| refuse("no floating-point number is that integer"))?
                    }
                    Numeric::Decimal(value) => *value,
                };
                self.ordinary(expression, operator, SqlValue::Real(value));
                Ok(())
            }
            (Kind::Micros, Operand::Time(time)) => {
                let micros = time.as_unix_micros();
                if time.as_unix_nanos().rem_euclid(1_000) == 0 {
                    self.ordinary(expression, operator, SqlValue::Integer(micros));
                } else {
                    self.between(expression, operator, micros);
                }
                Ok(())
            }
            _ => Err(refuse("its column holds another type")),
        }
    }

    fn ordinary(&mut self, expression: &str, operator: Operator, value: SqlValue) {
        let symbol = match operator {
            Operator::Eq => "=",
            Operator::Ne => "<>",
            Operator::Gt => ">",
            Operator::Ge => ">=",
            Operator::Lt => "<",
            Operator::Le => "<=",
            // Resolution lets them pass for text alone.
            Operator::Co | Operator::Sw | Operator::Ew => return self.push("1 = 0"),
        };
        let parameter = self.parameter(value);
        self.push(&format!("{expression} {symbol} {parameter}"));
    }

    fn text(&mut self, expression: &str, operator: Operator, key: &str, place: Place) {
        match operator {
            Operator::Co => {
                let function = match self.columns.dialect {
                    Dialect::Sqlite => "instr",
                    Dialect::Postgres => "strpos",
                };
                let parameter = self.parameter(SqlValue::Text(key.to_owned()));
                self.push(&format!("{function}({expression}, {parameter}) > 0"));
            }
            Operator::Sw => self.prefix(expression, key, place),
            Operator::Ew => {
                let before = key.chars().count();
                let parameter = self.parameter(SqlValue::Text(key.to_owned()));
                self.push(&format!(
                    "substr({expression}, length({expression}) - {before} + 1) = {parameter}"
                ));
            }
            _ => self.ordinary(expression, operator, SqlValue::Text(key.to_owned())),
        }
    }

    /// The column holds the number in a text. Equal texts are equal numbers, which an index finds.
    fn number(&mut self, column: &Column, operator: Operator, key: &str, place: Place) {
        match (operator, column.id_value(key)) {
            (Operator::Eq, Some(number)) => self.ordinary(&column.expression, operator, number),
            (Operator::Eq, None) => self.push("1 = 0"),
            _ => self.text(&column.as_text(), operator, key, place),
        }
    }

    /// Text that starts with a prefix is a range, which an index serves.
    fn prefix(&mut self, expression: &str, key: &str, place: Place) {
        let from = self.parameter(SqlValue::Text(key.to_owned()));
        let Some(end) = successor(key) else {
            return self.push(&format!("{expression} >= {from}"));
        };
        let to = self.parameter(SqlValue::Text(end));
        let range = format!("{expression} >= {from} AND {expression} < {to}");
        match place {
            Place::Outermost => self.push(&range),
            Place::Among => self.push(&format!("({range})")),
        }
    }

    /// The column holds the path below the base URL.
    fn paths(&mut self, expression: &str, test: &PathTest, place: Place) {
        match test {
            PathTest::All => self.push(&format!("{expression} IS NOT NULL")),
            PathTest::Any(any) => match any.as_slice() {
                [] => self.push("1 = 0"),
                [(operator, key)] => self.text(expression, *operator, key, place),
                any => {
                    self.push("(");
                    for (position, (operator, key)) in any.iter().enumerate() {
                        if position > 0 {
                            self.push(" OR ");
                        }
                        self.text(expression, *operator, key, Place::Among);
                    }
                    self.push(")");
                }
            },
        }
    }

    /// Compares integers to a number that is none, of which `floor` is the integer below.
    fn between_integers(&mut self, expression: &str, operator: Operator, floor: f64) {
        let beyond = 2f64.powi(63);
        let grows = matches!(operator, Operator::Gt | Operator::Ge);
        let shrinks = matches!(operator, Operator::Lt | Operator::Le);
        if floor >= beyond || floor < -beyond {
            let all = if floor > 0.0 { shrinks } else { grows };
            return match all {
                true => self.push(&format!("{expression} IS NOT NULL")),
                false => self.push("1 = 0"),
            };
        }
        self.between(expression, operator, floor as i64);
    }

    /// Compares integers to something between `below` and the next integer.
    fn between(&mut self, expression: &str, operator: Operator, below: i64) {
        match operator {
            Operator::Gt | Operator::Ge => self.ordinary(expression, Operator::Gt, SqlValue::Integer(below)),
            Operator::Lt | Operator::Le => self.ordinary(expression, Operator::Le, SqlValue::Integer(below)),
            _ => self.push("1 = 0"),
        }
    }
}

fn join(prefix: AttrPath, path: AttrPath) -> AttrPath {
    path.steps().iter().fold(prefix, |path, step| path.push(*step))
}

/// The floating-point number that is this integer, if there is one.
fn exact(integer: i64) -> Option<f64> {
    let float = integer as f64;
    (Numeric::Decimal(float) == Numeric::Integer(integer)).then_some(float)
}

/// The least text that comes after every text with this prefix, in the order of code points; `None` if there is none.
fn successor(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}
