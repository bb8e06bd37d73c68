//! Comparison keys: what is indexed of a resource.

use std::ops::ControlFlow;

use super::layout::{Layout, SLOTS};
use crate::fold::Fold;
use crate::path::AttrPath;
use crate::record::Record;
use crate::store::links::display_name;
use crate::store::sqlite::Value;
use crate::value::{DateTime, View};

/// Everything that is indexed of one resource.
#[derive(Debug, PartialEq)]
pub(super) struct Keys {
    pub(super) slots: [Value; SLOTS],
    /// Sorted, each once.
    pub(super) values: Vec<ValueRow>,
    /// Attribute, key, and whether it is unique among all tenants; by the position of the attribute in the layout.
    pub(super) uniques: Vec<(usize, Value)>,
    /// The name by which others show the resource.
    pub(super) label: Option<String>,
}

/// A row of the value table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ValueRow {
    pub(super) attribute: i64,
    pub(super) value: Value,
    pub(super) kind: String,
}

impl Keys {
    pub(super) fn of(layout: &Layout, record: &dyn Record) -> Self {
        let mut slots = [Value::Null, Value::Null, Value::Null, Value::Null];
        for (slot, indexed) in slots.iter_mut().zip(&layout.slots) {
            *slot =
                at(record, indexed.path, &|view| key(view, indexed.attribute.fold())).unwrap_or(Value::Null);
        }
        let mut values = Vec::new();
        for valued in &layout.values {
            each(record, valued.holder, &mut |held| {
                let value = down(held, valued.within, &|view| key(view, valued.attribute.fold()));
                let kind = valued
                    .kind
                    .zip(valued.kind_attribute)
                    .and_then(|(path, attribute)| down(held, path, &|view| text_key(view, attribute.fold())));
                values.extend(value.map(|value| ValueRow {
                    attribute: valued.number,
                    value,
                    kind: kind.unwrap_or_default(),
                }));
            });
        }
        dedup(&mut values);
        let mut uniques = Vec::new();
        for (position, unique) in layout.uniques.iter().enumerate() {
            each(record, unique.holder, &mut |held| {
                let value = down(held, unique.within, &|view| key(view, unique.attribute.fold()));
                uniques.extend(value.map(|value| (position, value)));
            });
        }
        dedup(&mut uniques);
        let label = display_name(record);
        Self {
            slots,
            values,
            uniques,
            label,
        }
    }
}

/// Few elements: a user has few e-mail addresses.
fn dedup<T: PartialEq>(rows: &mut Vec<T>) {
    let mut kept: Vec<T> = Vec::with_capacity(rows.len());
    for row in rows.drain(..) {
        if !kept.contains(&row) {
            kept.push(row);
        }
    }
    *rows = kept;
}

/// The key of one value.
pub(super) fn key(view: &View<'_>, fold: Fold) -> Option<Value> {
    match view {
        View::Str(text) | View::Relative(text) => Some(Value::Text(fold.key(text).into_owned())),
        View::Bool(value) => Some(Value::Integer(i64::from(*value))),
        View::Int(value) => Some(Value::Integer(*value)),
        View::Decimal(value) => Some(Value::Real(*value)),
        View::Time(value) => Some(time(*value)),
        View::Binary(bytes) => Some(Value::Blob(bytes.to_vec())),
        _ => None,
    }
}

/// Instants are compared by the microsecond; what lies within one is told apart by the document.
pub(super) fn time(value: DateTime) -> Value {
    Value::Integer(value.as_unix_micros())
}

fn text_key(view: &View<'_>, fold: Fold) -> Option<String> {
    match view {
        View::Str(text) => Some(fold.key(text).into_owned()),
        _ => None,
    }
}

/// What `read` makes of the value at `path` below a record.
pub(super) fn at<T>(record: &dyn Record, path: AttrPath, read: &dyn Fn(&View<'_>) -> Option<T>) -> Option<T> {
    steps(&View::Complex(record), path.steps(), read)
}

/// What `read` makes of the value at `path` below a value.
pub(super) fn down<T>(view: &View<'_>, path: AttrPath, read: &dyn Fn(&View<'_>) -> Option<T>) -> Option<T> {
    steps(view, path.steps(), read)
}

fn steps<T>(view: &View<'_>, path: &[u16], read: &dyn Fn(&View<'_>) -> Option<T>) -> Option<T> {
    match path {
        [] => read(view),
        [step, rest @ ..] => steps(&view.record()?.view(usize::from(*step)), rest, read),
    }
}

/// Visits the values of the attribute at `path`, or its one value.
pub(super) fn each(record: &dyn Record, path: AttrPath, visit: &mut dyn FnMut(&View<'_>)) {
    let visit = std::cell::RefCell::new(visit);
    _ = at(record, path, &|view| {
        let mut visit = visit.borrow_mut();
        match view.values() {
            Some(values) => {
                _ = values.try_for_each(&mut |element| {
                    visit(&element);
                    ControlFlow::Continue(())
                });
            }
            None => visit(view),
        }
        None::<()>
    });
}
