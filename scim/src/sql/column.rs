//! A column that holds an attribute.

use std::borrow::Cow;

use super::comparison::{Kind, Test};
use super::range::{Bound, Range};
use super::value::SqlValue;
use crate::filter::{Compare, Operand, Operator, ReferenceOperand};

/// An SQL expression that holds an attribute, and what kind of value it holds. `NULL` is: no value.
///
/// The expression is the application's own text and goes into the statement as it is; where the library
/// [writes](super::Columns::table) rows, it is the name of a column. Text must not contain U+0000, which databases cannot search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub(super) expression: String,
    pub(super) kind: Kind,
    /// Of a key, the column that holds the text as it was written.
    pub(super) written: Option<String>,
    /// Of a number that is shown as text, what stands before it.
    pub(super) prefix: String,
    /// Of a text that is the same in all rows, that text: nothing is read or written.
    pub(super) fixed: Option<&'static str>,
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
                    written: None,
                    prefix: String::new(),
                    fixed: None,
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

    /// Makes a column for a text as it was written, with its comparison [`key`](Self::key) in a column beside it: it is read from
    /// the one and searched by the other.
    #[must_use]
    pub fn folded(text: impl Into<String>, key: impl Into<String>) -> Self {
        let mut column = Self::key(key);
        column.written = Some(text.into());
        column
    }

    /// Makes a column for the id of a row that the database has numbered, shown behind a prefix: `Column::numbered("id", "p")`
    /// shows 12 as `p12`. With prefixes of their own, no two tables have an id in common.
    #[must_use]
    pub fn numbered(expression: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self {
            expression: expression.into(),
            kind: Kind::Numbered,
            written: None,
            prefix: prefix.into(),
            fixed: None,
        }
    }

    /// Returns the column that holds the value itself; `None` for a key without its text.
    pub(super) fn value(&self) -> Option<&str> {
        match self.kind {
            _ if self.fixed.is_some() => None,
            Kind::Key => self.written.as_deref(),
            _ => Some(&self.expression),
        }
    }

    /// Returns the expression as text: of a numbered row, its id as it is shown.
    pub(super) fn as_text(&self) -> String {
        match self.kind {
            Kind::Numbered => format!("('{}' || {})", self.prefix.replace('\'', "''"), self.expression),
            _ => self.expression.clone(),
        }
    }

    /// Returns the value by which a row is found that has this id; `None` if no row can have it.
    pub(super) fn id_value(&self, id: &str) -> Option<SqlValue> {
        if self.kind != Kind::Numbered {
            return Some(SqlValue::Text(id.to_owned())).filter(|_| !id.contains('\0'));
        }
        self.number_in(id).map(SqlValue::Integer)
    }

    /// Returns the number of the row that has this id; `None` if no numbered row can have it.
    fn number_in(&self, id: &str) -> Option<i64> {
        let digits = id.strip_prefix(&self.prefix)?;
        let number: i64 = digits.parse().ok()?;
        // One row has one id: `p012` and `p+12` are none.
        (number.to_string() == digits).then_some(number)
    }

    /// Returns the test for a comparison, and the expression to which it applies.
    ///
    /// # Errors
    /// The reason why there is none.
    pub(super) fn test<'a>(&self, compare: &'a Compare) -> Result<(Cow<'_, str>, Test<'a>), &'static str> {
        let is_text = matches!(
            self.kind,
            Kind::Key | Kind::Text | Kind::Reference | Kind::Numbered
        );
        match &compare.operand {
            Operand::Text { key, .. } | Operand::Reference(ReferenceOperand { key, .. })
                if is_text && key.contains('\0') =>
            {
                Err("databases do not search for U+0000")
            }
            // Equal texts are equal numbers, which an index finds.
            Operand::Text { key, .. } if self.kind == Kind::Numbered && compare.operator == Operator::Eq => {
                let number = self.number_in(key).map(Bound::Integer);
                let range = number.map_or(Range::Nothing, Range::equal);
                Ok((Cow::Borrowed(&self.expression), Test::Range(range)))
            }
            _ if self.kind == Kind::Numbered => {
                Ok((Cow::Owned(self.as_text()), Test::of(compare, self.kind)?))
            }
            _ => Ok((Cow::Borrowed(&self.expression), Test::of(compare, self.kind)?)),
        }
    }

    /// Returns the id that a value stands for; `None` for a value of another type.
    pub(super) fn id_of(&self, value: &SqlValue) -> Option<String> {
        match value {
            SqlValue::Text(text) => Some(text.clone()),
            SqlValue::Integer(number) => Some(format!("{}{number}", self.prefix)),
            _ => None,
        }
    }
}

/// A table with a row for each value of a multi-valued attribute. Values without content have no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    pub(super) table: String,
    pub(super) condition: String,
}

impl Rows {
    /// Makes rows of another table: `table` is what stands behind `FROM`, and `condition` ties its rows to the row of the
    /// resource: `Rows::new("email", "email.owner = person.id")`.
    #[must_use]
    pub fn new(table: impl Into<String>, condition: impl Into<String>) -> Self {
        Self {
            table: table.into(),
            condition: condition.into(),
        }
    }
}
