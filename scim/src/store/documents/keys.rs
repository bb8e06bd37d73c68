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
    /// Each once, in order.
    pub(super) values: Vec<ValueRow>,
    /// The unique values, by the position of the attribute in the layout, in order.
    pub(super) uniques: Vec<(usize, Key)>,
    /// The name by which others show the resource.
    label: Option<String>,
}

/// A row of the value table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ValueRow {
    pub(super) attribute: i64,
    pub(super) value: Key,
    /// The folded `type` of the value; empty if it has none.
    pub(super) kind: String,
}

impl ValueRow {
    /// Returns its columns: tenant, attribute, value, kind, row.
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
        once(&mut values);
        let mut uniques = Vec::new();
        for (position, unique) in layout.uniques.iter().enumerate() {
            each(record, unique.holder, &mut |held| {
                let value = down(held, unique.within, &|view| key(view, unique.attribute.fold()));
                uniques.extend(value.map(|value| (position, value)));
            });
        }
        once(&mut uniques);
        let label = display_name(record);
        Self {
            slots,
            values,
            uniques,
            label,
        }
    }

    /// Returns the key columns of the row.
    pub(super) fn columns(&self) -> [Param<'_>; SLOTS] {
        self.slots
            .each_ref()
            .map(|slot| slot.as_ref().map(Key::as_bytes).into())
    }

    /// Returns the column of the name.
    pub(super) fn label(&self) -> Param<'_> {
        self.label.as_deref().map(str::as_bytes).into()
    }
}

/// Keeps each row once, in an order by which it is found.
fn once<T: Ord>(rows: &mut Vec<T>) {
    rows.sort_unstable();
    rows.dedup();
}

/// Returns the rows that others lack, by a search in their order: neither grows with the square of the values.
pub(super) fn lacking<'k, T: Ord>(rows: &'k [T], others: &'k [T]) -> impl Iterator<Item = &'k T> {
    rows.iter().filter(|row| others.binary_search(row).is_err())
}

/// Returns the key of one value.
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

/// Returns what `read` makes of the value at `path` below a record.
pub(super) fn at<T>(record: &dyn Record, path: AttrPath, read: &dyn Fn(&View<'_>) -> Option<T>) -> Option<T> {
    steps(&View::Complex(record), path.steps(), read)
}

/// Returns what `read` makes of the value at `path` below a value.
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::cmp::Ordering;

    use super::*;

    thread_local! {
        static COMPARED: Cell<usize> = const { Cell::new(0) };
    }

    /// A row that counts how often it is compared.
    #[derive(Debug, Clone, Copy, Eq)]
    struct Counting(usize);

    impl PartialEq for Counting {
        fn eq(&self, other: &Self) -> bool {
            self.cmp(other).is_eq()
        }
    }

    impl PartialOrd for Counting {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }

    impl Ord for Counting {
        fn cmp(&self, other: &Self) -> Ordering {
            COMPARED.set(COMPARED.get() + 1);
            self.0.cmp(&other.0)
        }
    }

    /// Returns how many comparisons it takes to write the keys of a resource with `count` values, half of them others
    /// than before.
    fn comparisons(count: usize) -> usize {
        let mixed = |offset: usize| {
            (0..count)
                .map(|n| Counting(offset + n * 7_919 % count))
                .collect::<Vec<_>>()
        };
        let (mut before, mut after) = (mixed(0), mixed(count / 2));
        COMPARED.set(0);
        once(&mut before);
        once(&mut after);
        let moved = lacking(&before, &after).count() + lacking(&after, &before).count();
        assert_eq!(moved, count / 2 * 2);
        COMPARED.get()
    }

    /// Issue 9, F2: keys of a person with many addresses are told apart in no more than n log n comparisons.
    #[test]
    fn keys_are_compared_in_little_more_than_linear_time() {
        let (small, large) = (comparisons(2_000), comparisons(16_000));
        assert!(
            large < 8 * small * 3 / 2,
            "{small} comparisons of 2,000 values, {large} of 16,000"
        );
        let mut twice = vec![Counting(2), Counting(1), Counting(2)];
        once(&mut twice);
        assert_eq!(twice, [Counting(1), Counting(2)]);
    }
}
