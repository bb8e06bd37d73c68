//! Comparison keys: what is indexed of a resource.

use std::ops::ControlFlow;

use super::key::Key;
use super::layout::Layout;
use super::tables::SLOTS;
use crate::fold::Fold;
use crate::path::AttrPath;
use crate::record::Record;
use crate::store::database::Param;
use crate::store::links::display_name;
use crate::value::View;

/// Everything that is indexed of one resource.
#[derive(Debug, PartialEq)]
pub(super) struct Keys {
    slots: [Option<Key>; SLOTS],
    /// Each once.
    pub(super) values: Vec<ValueRow>,
    /// The unique values, by the position of the attribute in the layout.
    pub(super) uniques: Vec<(usize, Key)>,
    /// The name by which others show the resource.
    label: Option<String>,
}

/// A row of the value table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ValueRow {
    pub(super) attribute: i64,
    pub(super) value: Key,
    /// The folded `type` of the value; empty if it has none.
    pub(super) kind: String,
}

impl ValueRow {
    /// Its columns: tenant, attribute, value, kind, row.
    pub(super) fn params(&self, tenant: i64, rid: i64) -> [Param<'_>; 5] {
        [
            tenant.into(),
            self.attribute.into(),
            self.value.as_bytes().into(),
            self.kind.as_bytes().into(),
            rid.into(),
        ]
    }
}

impl Keys {
    pub(super) fn of(layout: &Layout, record: &dyn Record) -> Self {
        let mut slots = [None, None, None, None];
        for indexed in &layout.slots {
            if let Some(slot) = slots.get_mut(indexed.column - 1) {
                *slot = at(record, indexed.path, &|view| key(view, indexed.attribute.fold()));
            }
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

    /// The key columns of the row.
    pub(super) fn columns(&self) -> [Param<'_>; SLOTS] {
        self.slots
            .each_ref()
            .map(|slot| slot.as_ref().map(Key::as_bytes).into())
    }

    /// The column of the name.
    pub(super) fn label(&self) -> Param<'_> {
        self.label.as_deref().map(str::as_bytes).into()
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
pub(super) fn key(view: &View<'_>, fold: Fold) -> Option<Key> {
    match view {
        View::Str(text) | View::Relative(text) => Some(Key::text(&fold.key(text))),
        View::Bool(value) => Some(Key::boolean(*value)),
        View::Int(value) => Some(Key::integer(*value)),
        View::Decimal(value) => Some(Key::decimal(*value)),
        View::Time(value) => Some(Key::time(*value)),
        View::Binary(bytes) => Some(Key::binary(bytes)),
        _ => None,
    }
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
