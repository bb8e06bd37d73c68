//! What is shown of a row: its document as it is, or what a projection leaves of it, with edges and derived attributes.

use std::collections::HashMap;
use std::ops::ControlFlow;

use bytes::Bytes;

use super::document::utf8;
use super::edges::{Listing, walk, walk_derived};
use super::layout::{Derived, Layout};
use super::rows::StoredRow;
use crate::Result;
use crate::projection::{Base, Projection, write_resource};
use crate::record::ScimResource;
use crate::store::sqlite::{Reader, Sender};

/// Resources with more edges are shown in parts.
pub(super) const MOST_IN_ONE_PIECE: i64 = 1_000;
/// Bytes that a derived attribute or a few edges usually take behind a document.
const ROOM: usize = 512;
/// Bytes of a part.
const PART: usize = 64 << 10;

/// The resource's own part of an answer: its document as it is where that shows just what is wanted, and otherwise what
/// the struct or the schema of today shows of its state.
fn own<R: ScimResource>(layout: &Layout, row: &StoredRow, want: &Projection) -> Result<Vec<u8>> {
    if row.layout == layout.documents && want.fits_stored(&layout.shape.outside) {
        let visible = row.documents.visible.as_bytes();
        let mut out = Vec::with_capacity(visible.len() + ROOM);
        out.extend_from_slice(visible);
        return Ok(out);
    }
    let state = row.documents.state::<R>()?;
    let mut out = Vec::with_capacity(512);
    write_resource(&mut out, state.record(), want, Base::Hole);
    Ok(out)
}

/// Rows with their documents in one piece each, holes and all.
pub(super) fn documents<R: ScimResource>(
    reader: &Reader<'_>,
    layout: &Layout,
    rows: &[StoredRow],
    want: &Projection,
) -> Result<Vec<Bytes>> {
    let mut derived = Vec::new();
    for attribute in &layout.derived {
        if want.includes(attribute.shape.path) {
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

/// One row with its document in one piece; `None` where so many edges lead from it or to it that the document is sent in
/// parts. A resource that is new has no edges to it.
pub(super) fn document<R: ScimResource>(
    reader: &Reader<'_>,
    layout: &Layout,
    row: &StoredRow,
    want: &Projection,
    is_new: bool,
) -> Result<Option<Bytes>> {
    if row.edges > MOST_IN_ONE_PIECE && layout.shows_edges(want) {
        return Ok(None);
    }
    let mut out = own::<R>(layout, row, want)?;
    let mut left = MOST_IN_ONE_PIECE;
    for derived in layout.derived.iter().filter(|_| !is_new) {
        append_derived(reader, derived, row.rid, want, &mut out, &mut left)?;
    }
    if left == 0 {
        return Ok(None);
    }
    if row.edges > 0 {
        append_edges(reader, layout, row.rid, want, &mut out, &mut |_| Ok(()))?;
    }
    Ok(Some(out.into()))
}

/// The members `"groups":[…]` of the documents of a page, by row.
fn members_of(
    reader: &Reader<'_>,
    derived: &Derived,
    rows: &[StoredRow],
    want: &Projection,
) -> Result<HashMap<i64, Vec<u8>>> {
    let rids: Vec<i64> = rows.iter().map(|row| row.rid).collect();
    let mut members: HashMap<i64, Vec<u8>> = HashMap::new();
    walk_derived(reader, derived, &rids, |rid, value| {
        let out = members.entry(rid).or_default();
        let mut listing = listing_derived(derived, want);
        listing.begun = !out.is_empty();
        listing.push(out, value);
        Ok(ControlFlow::Continue(()))
    })?;
    members.retain(|_, out| !out.is_empty());
    for out in members.values_mut() {
        out.push(b']');
    }
    Ok(members)
}

fn listing_derived<'w>(derived: &Derived, want: &'w Projection) -> Listing<'w> {
    Listing {
        name: derived.attribute.name,
        path: derived.shape.path,
        want,
        base: Base::Hole,
        begun: false,
    }
}

/// Appends what mirrors the edges to a row, of which at most `left` are read.
fn append_derived(
    reader: &Reader<'_>,
    derived: &Derived,
    rid: i64,
    want: &Projection,
    out: &mut Vec<u8>,
    left: &mut i64,
) -> Result<()> {
    if !want.includes(derived.shape.path) {
        return Ok(());
    }
    let mut listing = listing_derived(derived, want);
    out.pop();
    walk_derived(reader, derived, &[rid], |_, value| {
        *left = left.saturating_sub(1);
        if *left == 0 {
            return Ok(ControlFlow::Break(()));
        }
        listing.push(out, value);
        Ok(ControlFlow::Continue(()))
    })?;
    listing.end(out);
    out.push(b'}');
    Ok(())
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
    let shown = layout.edges.iter();
    for edges in shown.filter(|edges| want.includes(edges.shape.path)) {
        let mut listing = Listing {
            name: edges.shape.attribute.name,
            path: edges.shape.path,
            want,
            base: Base::Hole,
            begun: false,
        };
        walk(reader, edges, rid, None, |_, value| {
            listing.push(out, value);
            spill(out)?;
            Ok(ControlFlow::Continue(()))
        })?;
        listing.end(out);
    }
    out.push(b'}');
    Ok(())
}

/// Sends a document in parts.
pub(super) fn stream<R: ScimResource>(
    reader: &Reader<'_>,
    layout: &Layout,
    row: &StoredRow,
    want: &Projection,
    sender: &mut Sender,
) -> Result<()> {
    let mut out = own::<R>(layout, row, want)?;
    let mut all = i64::MAX;
    for derived in &layout.derived {
        append_derived(reader, derived, row.rid, want, &mut out, &mut all)?;
    }
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

/// The members of a document that hold the edges of a row, each with a comma in front: part of its state.
pub(super) fn edges_of(reader: &Reader<'_>, layout: &Layout, rid: i64) -> Result<String> {
    let everything = Projection::everything(layout.resource_type);
    let mut out = Vec::new();
    for edges in &layout.edges {
        let mut listing = Listing {
            name: edges.shape.attribute.name,
            path: edges.shape.path,
            want: &everything,
            base: Base::Hole,
            begun: false,
        };
        // A name is written with a comma where anything stands before it.
        out.push(b' ');
        walk(reader, edges, rid, None, |_, value| {
            listing.push(&mut out, value);
            Ok(ControlFlow::Continue(()))
        })?;
        listing.end(&mut out);
    }
    members(out)
}

/// The members of a document that hold what mirrors edges to a row, each with a comma in front.
pub(super) fn derived_of(reader: &Reader<'_>, layout: &Layout, rid: i64) -> Result<String> {
    let everything = Projection::everything(layout.resource_type);
    let mut out = Vec::new();
    for derived in &layout.derived {
        let mut listing = listing_derived(derived, &everything);
        out.push(b' ');
        walk_derived(reader, derived, &[rid], |_, value| {
            listing.push(&mut out, value);
            Ok(ControlFlow::Continue(()))
        })?;
        listing.end(&mut out);
    }
    members(out)
}

fn members(out: Vec<u8>) -> Result<String> {
    let text = utf8(out)?;
    Ok(if text.trim().is_empty() {
        String::new()
    } else {
        text
    })
}
