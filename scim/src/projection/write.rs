//! A record as a JSON document, in one pass over its views.

use std::io::Write;
use std::ops::ControlFlow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::path::AttrPath;
use crate::projection::Projection;
use crate::projection::holes::{Base, push_name, push_reference, push_string};
use crate::projection::select::{Show, show_at};
use crate::record::{Record, extensions_in_use};
use crate::value::{Multi, View};

/// Writes what `projection` shows of `record` to the end of `out`: `schemas` first, then the attributes in the order of
/// the table. Anything that is unassigned, or has nothing to show, is left out; `null` is never written.
///
/// `schemas` lists the extensions of which the resource holds anything, shown or not (RFC 7643 section 3.3). Edges that
/// are not loaded print nothing.
pub fn write_resource(out: &mut Vec<u8>, record: &dyn Record, projection: &Projection, base: Base<'_>) {
    out.push(b'{');
    if projection.schemas {
        push_name(out, "schemas");
        out.push(b'[');
        push_string(out, projection.resource_type().schema.id);
        for extension in extensions_in_use(record) {
            out.push(b',');
            push_string(out, extension.id);
        }
        out.push(b']');
    }
    write_members(out, record, projection.shows(), base);
    out.push(b'}');
}

/// Writes a value of the attribute at `path`, or one element of it if it is multi-valued, as far as `projection` shows
/// it. Returns whether there was anything to write; if not, `out` is as it was.
///
/// A store that keeps values as rows prints them with it, one by one.
pub fn write_value(
    out: &mut Vec<u8>,
    view: &View<'_>,
    projection: &Projection,
    path: AttrPath,
    base: Base<'_>,
) -> bool {
    let start = out.len();
    let has_content = projection
        .at(path)
        .is_some_and(|parts| write_view(out, view, parts, base));
    if !has_content {
        out.truncate(start);
    }
    has_content
}

/// Writes the members that are shown, each after a comma if one is before it.
fn write_members(out: &mut Vec<u8>, record: &dyn Record, shows: Option<&[Show]>, base: Base<'_>) {
    for (index, attribute) in record.attributes().iter().enumerate() {
        let Some(parts) = show_at(shows, index, attribute).parts() else {
            continue;
        };
        let view = record.view(index);
        if matches!(view, View::Absent) {
            continue;
        }
        let start = out.len();
        push_name(out, attribute.name);
        if !write_view(out, &view, parts, base) {
            out.truncate(start);
        }
    }
}

/// Writes a value. Returns whether there was one; what was written in vain is for the caller to take back.
fn write_view(out: &mut Vec<u8>, view: &View<'_>, parts: Option<&[Show]>, base: Base<'_>) -> bool {
    match view {
        View::Absent => return false,
        View::Str(text) => push_string(out, text),
        View::Relative(path) => push_reference(out, base, path),
        View::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        // JSON has no word for infinity. Writing to memory cannot fail.
        View::Decimal(value) if !value.is_finite() => return false,
        View::Decimal(value) => _ = serde_json::to_writer(out, value),
        View::Int(value) => _ = serde_json::to_writer(out, value),
        View::Time(time) => _ = write!(out, "\"{time}\""),
        View::Binary(bytes) => {
            out.push(b'"');
            out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
            out.push(b'"');
        }
        View::Complex(record) => return write_object(out, *record, parts, base),
        View::Owned(record) => return write_object(out, &**record, parts, base),
        View::Multi(values) => return write_array(out, *values, parts, base),
        View::OwnedMulti(values) => return write_array(out, &**values, parts, base),
    }
    true
}

fn write_object(out: &mut Vec<u8>, record: &dyn Record, parts: Option<&[Show]>, base: Base<'_>) -> bool {
    out.push(b'{');
    let start = out.len();
    write_members(out, record, parts, base);
    let has_content = out.len() > start;
    out.push(b'}');
    has_content
}

fn write_array(out: &mut Vec<u8>, values: &dyn Multi, parts: Option<&[Show]>, base: Base<'_>) -> bool {
    out.push(b'[');
    let mut has_content = false;
    _ = values.try_for_each(&mut |value| {
        let start = out.len();
        if has_content {
            out.push(b',');
        }
        if write_view(out, &value, parts, base) {
            has_content = true;
        } else {
            out.truncate(start);
        }
        ControlFlow::Continue(())
    });
    out.push(b']');
    has_content
}
