//! A resource for the tests of filters, sorting and SQL: every type, and values that are easy to write.

use std::ops::ControlFlow;

use crate::Result;
use crate::fold::Fold;
use crate::record::Record;
use crate::schema::{Attribute, Mutability, Returned, Role, Schema, Shape, Type};
use crate::value::{Binary, Change, Cx, DateTime, Edit, Multi, View};

/// A value of any type.
#[derive(Debug, Clone, Default)]
pub(crate) enum Value {
    #[default]
    Absent,
    Text(String),
    Bool(bool),
    Int(i64),
    Decimal(f64),
    Time(DateTime),
    Binary(Binary),
    Relative(String),
    Complex(Row),
    Many(Vec<Value>),
}

/// A record of any table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    table: &'static [Attribute],
    values: Vec<Value>,
}

impl Row {
    pub(crate) fn new(table: &'static [Attribute]) -> Self {
        Self {
            table,
            values: vec![Value::Absent; table.len()],
        }
    }

    /// Sets an attribute; several values of one name make it multi-valued.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        let index = self
            .table
            .iter()
            .position(|attribute| attribute.name == name)
            .unwrap();
        self.values[index] = value.into();
        self
    }
}

impl Record for Row {
    fn attributes(&self) -> &'static [Attribute] {
        self.table
    }

    fn view(&self, index: usize) -> View<'_> {
        self.values.get(index).map_or(View::Absent, Value::view)
    }

    fn apply(&mut self, _: usize, _: Edit<'_>, _: &mut Cx<'_>) -> Result<Change> {
        Ok(Change::None)
    }
}

impl Value {
    fn view(&self) -> View<'_> {
        match self {
            Self::Absent => View::Absent,
            Self::Text(text) => View::text(text),
            Self::Bool(value) => View::Bool(*value),
            Self::Int(value) => View::Int(*value),
            Self::Decimal(value) => View::Decimal(*value),
            Self::Time(value) => View::Time(*value),
            Self::Binary(value) => View::Binary(value.as_bytes().into()),
            Self::Relative(path) => View::Relative(path.into()),
            Self::Complex(row) => View::Complex(row),
            Self::Many(values) if values.is_empty() => View::Absent,
            Self::Many(_) => View::Multi(self),
        }
    }
}

impl Multi for Value {
    fn len(&self) -> usize {
        match self {
            Self::Many(values) => values.len(),
            _ => 0,
        }
    }

    fn try_for_each(&self, visit: &mut dyn FnMut(View<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        match self {
            Self::Many(values) => values.iter().try_for_each(|value| visit(value.view())),
            _ => ControlFlow::Continue(()),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<Row> for Value {
    fn from(row: Row) -> Self {
        Self::Complex(row)
    }
}

impl<V: Into<Value>> From<Vec<V>> for Value {
    fn from(values: Vec<V>) -> Self {
        Self::Many(values.into_iter().map(Into::into).collect())
    }
}

pub(crate) fn time(text: &str) -> Value {
    Value::Time(DateTime::parse(text).unwrap())
}

const fn plain(name: &'static str, kind: Type) -> Attribute {
    Attribute::new(name, Shape::new(kind).optional())
}

const fn many(name: &'static str, shape: Shape) -> Attribute {
    Attribute::new(name, shape.multiple())
}

const fn exact(mut attribute: Attribute) -> Attribute {
    attribute.shape.case_exact = true;
    attribute
}

pub(crate) static NAME: &[Attribute] = &[
    plain("familyName", Type::String),
    plain("givenName", Type::String),
];

pub(crate) static EMAIL: &[Attribute] = &[
    plain("value", Type::String),
    plain("type", Type::String),
    plain("primary", Type::Boolean),
];

pub(crate) static BADGE: &[Attribute] = &[plain("number", Type::Integer), plain("label", Type::String)];

static META: &[Attribute] = &[plain("lastModified", Type::DateTime)];

pub(crate) static STAFF_SCHEMA: Schema = Schema {
    id: "urn:example:2.0:Staff",
    name: "Staff",
    description: "",
    attributes: STAFF,
};

pub(crate) static STAFF: &[Attribute] = &[
    plain("department", Type::String),
    Attribute::new("badges", Shape::complex(BADGE).multiple()),
];

pub(crate) static PERSON_SCHEMA: Schema = Schema {
    id: "urn:example:2.0:Person",
    name: "Person",
    description: "",
    attributes: PERSON,
};

pub(crate) static PERSON: &[Attribute] = &[
    exact(plain("id", Type::String)),
    exact(plain("externalId", Type::String)),
    Attribute::new("meta", Shape::complex(META)),
    {
        let mut attribute = plain("userName", Type::String);
        attribute.fold = Some(Fold::UserName);
        attribute
    },
    plain("title", Type::String),
    plain("active", Type::Boolean),
    plain("age", Type::Integer),
    plain("score", Type::Decimal),
    plain("certificate", Type::Binary),
    plain("manager", Type::Reference),
    Attribute::new("name", Shape::complex(NAME).optional()),
    Attribute::new("emails", Shape::complex(EMAIL).multiple()),
    many("zones", Shape::new(Type::String)),
    {
        let mut attribute = plain("password", Type::String);
        attribute.shape.mutability = Mutability::WriteOnly;
        attribute.shape.returned = Returned::Never;
        attribute
    },
    {
        let mut attribute = Attribute::new("urn:example:2.0:Staff", Shape::complex(STAFF).optional());
        attribute.role = Role::Extension(&STAFF_SCHEMA);
        attribute
    },
    Attribute::new("badges", Shape::complex(BADGE).multiple()),
];

pub(crate) fn person() -> Row {
    Row::new(PERSON)
}

pub(crate) fn email(value: &str, kind: &str) -> Row {
    Row::new(EMAIL).with("value", value).with("type", kind)
}
