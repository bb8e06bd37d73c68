//! Values that are handed on and never kept (`#[scim(transient)]`), such as a password.

use std::ops::ControlFlow;

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::path::AttrPath;
use crate::record::{Record, apply_to_record};
use crate::schema::Attribute;
use crate::value::{Action, Cx, Edit, Intent, Strict, View};

/// Returns whether a resource carries a value that is handed on and not kept: such a value is a change, though nothing that is
/// kept shows it.
pub(crate) fn carries_transient(record: &dyn Record) -> bool {
    carries(&View::Complex(record), record.attributes())
}

fn carries(view: &View<'_>, table: &[Attribute]) -> bool {
    if let Some(values) = view.values() {
        return values
            .try_for_each(&mut |value| match carries(&value, table) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            })
            .is_break();
    }
    let Some(record) = view.record() else { return false };
    table.iter().enumerate().any(|(index, attribute)| {
        if attribute.transient {
            record.view(index).is_present()
        } else {
            has_transient(attribute) && carries(&record.view(index), attribute.shape.sub_attributes)
        }
    })
}

fn has_transient(attribute: &Attribute) -> bool {
    let subs = attribute.shape.sub_attributes;
    !attribute.edges && subs.iter().any(|sub| sub.transient || has_transient(sub))
}

/// Takes out what is handed on and never kept.
///
/// # Errors
/// 500 if such an attribute is required: a resource without it could not be.
pub(crate) fn clear_transient(record: &mut dyn Record) -> Result<()> {
    let limits = Limits::default();
    let mut cx = Cx::new(Intent::Stored, &Strict, &limits);
    let mut paths = Vec::new();
    transient_paths(record.attributes(), AttrPath::ROOT, &mut paths);
    for path in paths {
        let edit = Edit {
            action: Action::Remove,
            select: None,
            rest: path.steps(),
        };
        let removed = apply_to_record(record, edit, &mut cx);
        _ = removed
            .map_err(|error| Error::internal(format!("a transient attribute is required: {error}")))?;
    }
    Ok(())
}

fn transient_paths(table: &[Attribute], above: AttrPath, paths: &mut Vec<AttrPath>) {
    for (attribute, step) in table.iter().zip(0..u16::MAX) {
        let path = above.push(step);
        if attribute.transient {
            paths.push(path);
        } else if has_transient(attribute) {
            transient_paths(attribute.shape.sub_attributes, path, paths);
        }
    }
}
