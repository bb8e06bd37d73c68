//! What is shown of a row: its document as it is, or what a projection leaves of it, with edges and derived attributes.

use std::collections::HashMap;

use bytes::Bytes;

use super::document::{self, unload};
use super::edges::{push_value, walk, walk_derived};
use super::layout::{Derived, Layout};
use super::rows::Kept;
use crate::Result;
use crate::projection::{Base, Projection, write_resource};
use crate::record::{Record, ScimResource};
use crate::store::sqlite::{Reader, Sender};

/// Resources with more edges are shown in parts.
pub(super) const MOST_IN_ONE_PIECE: i64 = 1_000;
/// Bytes that a derived attribute or a few edges usually take behind a document.
const ROOM: usize = 512;
/// Bytes of a part.
const PART: usize = 64 << 10;

/// Whether an answer shows anything that is not in the resource's own row, and may change without it.
pub(super) fn shows_others(layout: &Layout, want: &Projection) -> bool {
    layout.outside.iter().any(|path| want.includes(*path))
}

/// Whether an answer shows edges.
pub(super) fn shows_edges(layout: &Layout, want: &Projection) -> bool {
    layout.edges.iter().any(|edges| want.includes(edges.path))
}

/// A document without edges and derived attributes.
fn own<R: ScimResource>(layout: &Layout, row: &Kept, want: &Projection) -> Result<Vec<u8>> {
    if want.fits_stored(&layout.outside) {
        let visible = row.documents.visible.as_bytes();
        let mut out = Vec::with_capacity(visible.len() + ROOM);
        out.extend_from_slice(visible);
        return Ok(out);
    }
    let mut resource: R = row.documents.decode("")?;
    unload(layout, &mut resource)?;
    let mut out = Vec::with_capacity(512);
    write_resource(&mut out, &resource, want, Base::Hole);
    Ok(out)
}

/// Rows with their documents in one piece each, holes and all.
pub(super) fn documents<R: ScimResource>(
    reader: &Reader<'_>,
    layout: &Layout,
    rows: &[Kept],
    want: &Projection,
) -> Result<Vec<Bytes>> {
    let mut derived = Vec::new();
    for attribute in &layout.derived {
        if want.includes(attribute.path) {
            derived.push(members_of(reader, attribute, rows, want)?);
        }
    }
    let mut documents = Vec::with_capacity(rows.len());
    for row in rows {
        let mut out = own::<R>(layout, row, want)?;
        for members in &mut derived {
            if let Some(members) = members.remove(&row.rid) {
                out.pop();
                if out.len() > 1 && !members.is_empty() {
                    out.push(b',');
                }
                out.extend_from_slice(&members);
                out.push(b'}');
            }
        }
        if row.edges > 0 {
            append_edges(reader, layout, row.rid, want, &mut out, &mut |_| Ok(()))?;
        }
        documents.push(out.into());
    }
    Ok(documents)
}

/// The members `"groups":[…]` of the documents of a page, by row.
fn members_of(
    reader: &Reader<'_>,
    derived: &Derived,
    rows: &[Kept],
    want: &Projection,
) -> Result<HashMap<i64, Vec<u8>>> {
    let rids: Vec<i64> = rows.iter().map(|row| row.rid).collect();
    let mut members: HashMap<i64, Vec<u8>> = HashMap::new();
    walk_derived(reader, derived, &rids, |rid, value| {
        let out = members.entry(rid).or_default();
        let mut begun = !out.is_empty();
        push_value(
            out,
            value,
            derived.attribute.name,
            derived.path,
            want,
            &mut begun,
            Base::Hole,
        );
        Ok(())
    })?;
    members.retain(|_, out| !out.is_empty());
    for out in members.values_mut() {
        out.push(b']');
    }
    Ok(members)
}

/// Appends the edges that are shown, and lets `spill` take what has gathered.
fn append_edges(
    reader: &Reader<'_>,
    layout: &Layout,
    rid: i64,
    want: &Projection,
    out: &mut Vec<u8>,
    spill: &mut dyn FnMut(&mut Vec<u8>) -> Result<()>,
) -> Result<()> {
    out.pop();
    for edges in layout.edges.iter().filter(|edges| want.includes(edges.path)) {
        let mut begun = false;
        walk(reader, edges, rid, None, |_, value| {
            push_value(
                out,
                value,
                edges.attribute.name,
                edges.path,
                want,
                &mut begun,
                Base::Hole,
            );
            spill(out)
        })?;
        if begun {
            out.push(b']');
        }
    }
    out.push(b'}');
    Ok(())
}

/// Sends a document in parts.
pub(super) fn stream<R: ScimResource>(
    reader: &Reader<'_>,
    layout: &Layout,
    row: &Kept,
    want: &Projection,
    sender: &mut Sender,
) -> Result<()> {
    let mut out = documents_without_edges::<R>(reader, layout, row, want)?;
    append_edges(reader, layout, row.rid, want, &mut out, &mut |out| {
        if out.len() < PART {
            return Ok(());
        }
        // A comma is written when the next value comes, and the name of a member looks at what stands before it: both
        // find the last byte here.
        let rest = out.split_off(out.len() - 1);
        sender.send(std::mem::replace(out, rest))
    })?;
    sender.send(out)
}

fn documents_without_edges<R: ScimResource>(
    reader: &Reader<'_>,
    layout: &Layout,
    row: &Kept,
    want: &Projection,
) -> Result<Vec<u8>> {
    let mut out = own::<R>(layout, row, want)?;
    for derived in layout
        .derived
        .iter()
        .filter(|derived| want.includes(derived.path))
    {
        let mut begun = false;
        out.pop();
        walk_derived(reader, derived, &[row.rid], |_, value| {
            push_value(
                &mut out,
                value,
                derived.attribute.name,
                derived.path,
                want,
                &mut begun,
                Base::Hole,
            );
            Ok(())
        })?;
        if begun {
            out.push(b']');
        }
        out.push(b'}');
    }
    Ok(out)
}

/// The members of a document that hold the edges of a row, each with a comma in front: part of its state.
pub(super) fn edges_of(reader: &Reader<'_>, layout: &Layout, rid: i64) -> Result<String> {
    let everything = Projection::everything(layout.resource_type);
    let mut out = Vec::new();
    for edges in &layout.edges {
        // `push_value` begins with a comma where anything stands before it.
        let mut begun = false;
        out.push(b' ');
        walk(reader, edges, rid, None, |_, value| {
            let (name, path) = (edges.attribute.name, edges.path);
            push_value(
                &mut out,
                value,
                name,
                path,
                &everything,
                &mut begun,
                Base::Relative,
            );
            Ok(())
        })?;
        if begun {
            out.push(b']');
        }
    }
    let text = document::utf8(out)?;
    Ok(if text.trim().is_empty() {
        String::new()
    } else {
        text
    })
}

fn array_of_edges(reader: &Reader<'_>, layout: &Layout, at: usize, rid: i64) -> Result<Option<String>> {
    let everything = Projection::everything(layout.resource_type);
    let Some(edges) = layout.edges.get(at) else {
        return Ok(None);
    };
    let mut out = Vec::new();
    let mut begun = false;
    walk(reader, edges, rid, None, |_, value| {
        push_value(
            &mut out,
            value,
            "",
            edges.path,
            &everything,
            &mut begun,
            Base::Relative,
        );
        Ok(())
    })?;
    array(out, begun)
}

/// Takes the name of the member away.
fn array(mut out: Vec<u8>, begun: bool) -> Result<Option<String>> {
    if !begun {
        return Ok(None);
    }
    out.push(b']');
    let text = document::utf8(out)?;
    Ok(text.split_once(':').map(|(_, array)| array.to_owned()))
}

/// Completes the edges of a resource that was written with the ids alone.
pub(super) fn fill_edges(
    reader: &Reader<'_>,
    layout: &Layout,
    rid: i64,
    record: &mut dyn Record,
) -> Result<()> {
    for (at, edges) in layout.edges.iter().enumerate() {
        let loaded = super::edges::ids_in(record, edges).is_some_and(|ids| !ids.is_empty());
        if let ([index], true) = (edges.path.steps(), loaded)
            && let Some(array) = array_of_edges(reader, layout, at, rid)?
        {
            document::set(record, *index, &array)?;
        }
    }
    Ok(())
}

/// Completes the derived attributes of a resource.
pub(super) fn fill_derived(
    reader: &Reader<'_>,
    layout: &Layout,
    rid: i64,
    record: &mut dyn Record,
) -> Result<()> {
    let everything = Projection::everything(layout.resource_type);
    for derived in &layout.derived {
        let mut out = Vec::new();
        let mut begun = false;
        walk_derived(reader, derived, &[rid], |_, value| {
            push_value(
                &mut out,
                value,
                "",
                derived.path,
                &everything,
                &mut begun,
                Base::Relative,
            );
            Ok(())
        })?;
        if let ([index], Some(array)) = (derived.path.steps(), array(out, begun)?) {
            document::set(record, *index, &array)?;
        }
    }
    Ok(())
}
