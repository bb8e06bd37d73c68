//! The part of a row that is shown: its document as it is, or what a projection leaves of it, with edges and derived
//! attributes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use bytes::{BufMut as _, Bytes, BytesMut};

use super::document::{Documents, utf8};
use super::edges::{FIRST, Listing, visit_values, walk, walk_behind, walk_derived};
use super::layout::{Derived, Layout};
use super::page_rows::PageRow;
use super::row_key::RowKey;
use super::rows::StoredRow;
use super::sequence;
use super::weight::{Owners, Weighed};
use crate::Result;
use crate::error::Error;
use crate::projection::{Base, Projection, push_name, write_resource};
use crate::record::ScimResource;
use crate::store::PAGE_IN_ONE_PIECE;
use crate::store::database::{Reader, Sender};
use crate::store::layout::ROOM;

/// Resources with more edges are shown in parts.
pub(super) const MOST_IN_ONE_PIECE: i64 = 1_000;
/// Bytes of edges, and of what mirrors them, beyond which a document is shown in parts, however few they are: of each, a
/// name is shown.
const MOST_BYTES: usize = 2 * PAGE_IN_ONE_PIECE;
/// Bytes of a part.
const PART: usize = 64 << 10;

/// Returns the resource's own part of an answer: its document as it is where that shows just what is wanted, and
/// otherwise what the struct or the schema of today shows of its state.
fn own<R: ScimResource>(layout: &Layout, row: StoredRow, want: &Projection) -> Result<Vec<u8>> {
    match as_stored(layout, want) == Some(row.layout) {
        true => Ok(row.documents.visible.into_bytes()),
        false => of_state::<R>(&row.documents, want),
    }
}

/// Returns the same for a row of a page. `as_stored` is the layout whose documents show just what is wanted.
fn own_of_page<R: ScimResource>(row: PageRow, want: &Projection, as_stored: Option<i64>) -> Result<BytesMut> {
    match as_stored == Some(row.layout) {
        true => Ok(row.visible),
        false => Ok(BytesMut::from(&*of_state::<R>(&row.documents()?, want)?)),
    }
}

/// Returns the layout of documents that show just what is wanted, as they are. None do, where something else is wanted.
fn as_stored(layout: &Layout, want: &Projection) -> Option<i64> {
    want.fits_stored(&layout.shape.outside)
        .then_some(layout.documents)
}

fn of_state<R: ScimResource>(documents: &Documents, want: &Projection) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(512);
    write_resource(&mut out, documents.state::<R>()?.record(), want, Base::Hole);
    Ok(out)
}

/// Returns the rows of a page with their documents in one piece each, holes and all. `owners` has who leads to them.
/// `None` where the edges show so much that they are sent in parts.
pub(super) fn documents<R: ScimResource>(
    reader: &Reader<'_>,
    layout: &Layout,
    tenant: i64,
    rows: Vec<PageRow>,
    owners: &[Owners<'_>],
    want: &Projection,
) -> Result<Option<Vec<Bytes>>> {
    let mut derived = Vec::new();
    for owners in owners {
        let values = match owners.values() {
            Some(values) => Cow::Borrowed(values),
            None => {
                let rids = rows.iter().map(|row| row.rid);
                Cow::Owned(values_of(reader, owners, tenant, rids, want)?)
            }
        };
        derived.push((owners, values));
    }
    let (as_stored, shows_edges) = (as_stored(layout, want), layout.shows_edges(want));
    let mut documents = Vec::with_capacity(rows.len());
    for row in rows {
        let (key, has_edges) = (row.key(tenant), shows_edges && row.edges > 0);
        let mut out = own_of_page::<R>(row, want, as_stored)?;
        for (owners, values) in &derived {
            append_values(owners, values, key.rid, &mut out);
        }
        documents.push(match has_edges {
            false => out.freeze(),
            true => match with_edges(reader, layout, key, want, &out)? {
                Some(document) => document,
                None => return Ok(None),
            },
        });
    }
    Ok(Some(documents))
}

/// Returns a document with the edges of its row; `None` where they show so much that it is sent in parts.
fn with_edges(
    reader: &Reader<'_>,
    layout: &Layout,
    row: RowKey,
    want: &Projection,
    own: &[u8],
) -> Result<Option<Bytes>> {
    let mut out = Vec::with_capacity(own.len() + ROOM);
    out.extend_from_slice(own);
    let mut delivery = Delivery::Whole(MOST_BYTES + own.len());
    let flow = append_edges(reader, layout, row, want, &mut out, &mut delivery)?;
    Ok(flow.is_continue().then(|| out.into()))
}

/// Returns one row with its document in one piece; `None` where so many edges lead from it or to it that the document
/// is sent in parts. A resource that is new has no edges to it.
pub(super) fn document<R: ScimResource>(
    reader: &Reader<'_>,
    layout: &Layout,
    tenant: i64,
    row: StoredRow,
    want: &Projection,
    is_new: bool,
) -> Result<Option<Bytes>> {
    let (key, edges) = (row.key(tenant), row.edges);
    if edges > MOST_IN_ONE_PIECE && layout.shows_edges(want) {
        return Ok(None);
    }
    let mut out = own::<R>(layout, row, want)?;
    let mut left = MOST_IN_ONE_PIECE;
    let mut delivery = Delivery::Whole(out.len() + MOST_BYTES);
    for derived in layout.derived.iter().filter(|_| !is_new) {
        let flow = append_derived(reader, derived, key, want, &mut out, &mut left, &mut delivery)?;
        if flow.is_break() || left == 0 {
            return Ok(None);
        }
    }
    if edges > 0 && append_edges(reader, layout, key, want, &mut out, &mut delivery)?.is_break() {
        return Ok(None);
    }
    Ok(Some(out.into()))
}

/// Returns the values that mirror edges to some rows of a page, by the resource at the other end: each is rendered
/// once, however many rows it leads to.
fn values_of(
    reader: &Reader<'_>,
    owners: &Owners<'_>,
    tenant: i64,
    rids: impl Iterator<Item = i64>,
    want: &Projection,
) -> Result<BTreeMap<i64, Vec<u8>>> {
    let distinct: BTreeSet<i64> = rids.flat_map(|rid| owners.of(rid)).collect();
    let mut values = BTreeMap::new();
    visit_values(reader, owners.derived, tenant, &distinct, want, |owner, value| {
        values.insert(owner, value);
        ControlFlow::Continue(())
    })?;
    Ok(values)
}

/// Appends the member `"groups":[…]` to the document of a row, if it has any.
fn append_values(owners: &Owners<'_>, values: &BTreeMap<i64, Vec<u8>>, rid: i64, out: &mut BytesMut) {
    let mut begun = false;
    let shown = owners.of(rid).filter_map(|owner| values.get(&owner));
    for value in shown.filter(|value| !value.is_empty()) {
        if begun {
            out.put_u8(b',');
        } else {
            out.truncate(out.len().saturating_sub(1));
            push_name(out, owners.derived.attribute.name);
            out.put_u8(b'[');
            begun = true;
        }
        out.extend_from_slice(value);
    }
    if begun {
        out.extend_from_slice(b"]}");
    }
}

fn listing_derived<'w>(derived: &Derived, want: &'w Projection) -> Listing<'w> {
    Listing::new(derived.attribute.name, derived.shape.path, want)
}

/// How a document grows.
enum Delivery<'s> {
    /// In one piece, unless it gets longer than this.
    Whole(usize),
    /// In parts: each is taken when it has gathered. No statement is under way meanwhile, so that the snapshot may be
    /// exchanged: a walk goes on behind the row at which it stopped.
    Parts(&'s mut dyn FnMut(&mut Vec<u8>) -> Result<()>),
}

/// Walks in stretches: each is told behind which row it begins, and what has gathered too much, and answers at which row
/// it stopped for that. Says whether the document is too long for one piece.
fn in_stretches(
    out: &mut Vec<u8>,
    delivery: &mut Delivery<'_>,
    mut stretch: impl FnMut(i64, &mut Vec<u8>, &dyn Fn(&[u8]) -> bool) -> Result<Option<i64>>,
) -> Result<ControlFlow<()>> {
    let most = match delivery {
        Delivery::Whole(most) => *most,
        Delivery::Parts(_) => PART,
    };
    let is_enough = |out: &[u8]| out.len() >= most;
    let mut behind = FIRST;
    while let Some(last) = stretch(behind, out, &is_enough)? {
        behind = last;
        match delivery {
            Delivery::Whole(_) => return Ok(ControlFlow::Break(())),
            Delivery::Parts(send) => send(out)?,
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Appends what mirrors the edges to a row, of which at most `left` are read. Says whether the document gets too long.
fn append_derived(
    reader: &Reader<'_>,
    derived: &Derived,
    row: RowKey,
    want: &Projection,
    out: &mut Vec<u8>,
    left: &mut i64,
    delivery: &mut Delivery<'_>,
) -> Result<ControlFlow<()>> {
    if !want.includes(derived.shape.path) {
        return Ok(ControlFlow::Continue(()));
    }
    let mut listing = listing_derived(derived, want);
    out.pop();
    let flow = in_stretches(out, delivery, |behind, out, is_enough| {
        let mut stopped = None;
        walk_derived(reader, derived, row, behind, |owner, value| {
            *left = left.saturating_sub(1);
            if *left == 0 {
                return Ok(ControlFlow::Break(()));
            }
            listing.push(out, value);
            Ok(stop_at(owner, is_enough(out), &mut stopped))
        })?;
        Ok(stopped)
    })?;
    listing.end(out);
    out.push(b'}');
    Ok(flow)
}

/// Appends the edges that are shown. Says whether the document gets too long.
fn append_edges(
    reader: &Reader<'_>,
    layout: &Layout,
    row: RowKey,
    want: &Projection,
    out: &mut Vec<u8>,
    delivery: &mut Delivery<'_>,
) -> Result<ControlFlow<()>> {
    let mut flow = ControlFlow::Continue(());
    out.pop();
    let shown = layout.edges.iter();
    for edges in shown.filter(|edges| want.includes(edges.shape.path)) {
        let mut listing = Listing::new(edges.shape.attribute.name, edges.shape.path, want);
        flow = in_stretches(out, delivery, |behind, out, is_enough| {
            let mut stopped = None;
            walk_behind(reader, edges, row, behind, |target, value| {
                listing.push(out, value);
                Ok(stop_at(target, is_enough(out), &mut stopped))
            })?;
            Ok(stopped)
        })?;
        listing.end(out);
        if flow.is_break() {
            break;
        }
    }
    out.push(b'}');
    Ok(flow)
}

fn stop_at(row: i64, stops: bool, stopped: &mut Option<i64>) -> ControlFlow<()> {
    if !stops {
        return ControlFlow::Continue(());
    }
    *stopped = Some(row);
    ControlFlow::Break(())
}

/// Makes sure that a row is still what it was under an earlier snapshot.
///
/// # Errors
/// 503 if it is not: what was sent and what would follow do not fit together.
fn check_unchanged(reader: &Reader<'_>, row: RowKey, version: i64) -> Result<()> {
    let sql = "SELECT r.version FROM scim_resource r WHERE r.tenant = ?1 AND r.rid = ?2";
    let found = reader.query_one(sql, &[row.tenant.into(), row.rid.into()], |found| {
        found.integer(0)
    })?;
    if found == Some(version) {
        return Ok(());
    }
    Err(Error::conflict()
        .with_source("the resource was changed while it was sent, and the log could not wait"))
}

/// Sends a document in parts.
pub(super) fn stream<R: ScimResource>(
    reader: &Reader<'_>,
    layout: &Layout,
    tenant: i64,
    row: StoredRow,
    want: &Projection,
    sender: &mut Sender,
) -> Result<()> {
    let of = (row.key(tenant), row.stamp.version);
    let own = own::<R>(layout, row, want)?;
    let rest = send_all_but_the_end(reader, layout, of, own, want, sender)?;
    sender.send_between(reader, rest).map(drop)
}

/// Sends the documents of a page as a sequence: many small ones at once, and large ones in parts.
pub(super) fn stream_page<R: ScimResource>(
    reader: &Reader<'_>,
    layout: &Layout,
    tenant: i64,
    page: Weighed<'_>,
    want: &Projection,
    sender: &mut Sender,
) -> Result<()> {
    let Weighed { rows, owners, .. } = page;
    let mut rows = rows.into_iter().peekable();
    let mut is_later = false;
    // The text that an edge shows may be longer than it was weighed.
    let shows_edges = layout.shows_edges(want);
    let is_short = |row: &PageRow, bytes: usize| bytes <= PART && !(shows_edges && row.edges > 0);
    while let Some((row, weight)) = rows.next() {
        if is_later {
            check_unchanged(reader, row.key(tenant), row.version)?;
        }
        if !is_short(&row, weight) {
            let of = (row.key(tenant), row.version);
            let own = own_of_page::<R>(row, want, as_stored(layout, want))?.into();
            let mut rest = send_all_but_the_end(reader, layout, of, own, want, sender)?;
            rest.push(sequence::END);
            is_later |= sender.send_between(reader, rest)?;
            continue;
        }
        let (mut few, mut together) = (vec![row], weight);
        while let Some((row, weight)) = rows.next_if(|(row, weight)| is_short(row, together + weight)) {
            together += weight;
            few.push(row);
        }
        if is_later {
            few.iter()
                .skip(1)
                .try_for_each(|row| check_unchanged(reader, row.key(tenant), row.version))?;
        }
        let mut out = Vec::with_capacity(PART);
        let documents = documents::<R>(reader, layout, tenant, few, &owners, want)?;
        let documents = documents.ok_or_else(|| Error::internal("a document without edges is too long"))?;
        for document in documents {
            out.extend_from_slice(&document);
            out.push(sequence::END);
        }
        is_later |= sender.send_between(reader, out)?;
    }
    Ok(())
}

/// Sends the parts of the document of a row in some version but the last, which it returns. `out` is the resource's own
/// part.
fn send_all_but_the_end(
    reader: &Reader<'_>,
    layout: &Layout,
    (key, version): (RowKey, i64),
    mut out: Vec<u8>,
    want: &Projection,
    sender: &mut Sender,
) -> Result<Vec<u8>> {
    let mut all = i64::MAX;
    let mut send = |out: &mut Vec<u8>| {
        // A comma is written when the next value comes, and the name of a member looks at what stands before it: both
        // find the last byte here.
        let rest = out.split_off(out.len().saturating_sub(1));
        match sender.send_between(reader, std::mem::replace(out, rest))? {
            true => check_unchanged(reader, key, version),
            false => Ok(()),
        }
    };
    let mut delivery = Delivery::Parts(&mut send);
    for derived in &layout.derived {
        _ = append_derived(reader, derived, key, want, &mut out, &mut all, &mut delivery)?;
    }
    _ = append_edges(reader, layout, key, want, &mut out, &mut delivery)?;
    Ok(out)
}

/// Returns the members of a document that hold the edges of a row, each with a comma in front: part of its state.
pub(super) fn edges_of(reader: &Reader<'_>, layout: &Layout, row: RowKey) -> Result<String> {
    let everything = Projection::everything(layout.resource_type);
    let mut out = Vec::new();
    for edges in &layout.edges {
        let mut listing = Listing::new(edges.shape.attribute.name, edges.shape.path, &everything);
        // A name is written with a comma where anything stands before it.
        out.push(b' ');
        walk(reader, edges, row, None, |_, value| {
            listing.push(&mut out, value);
            Ok(ControlFlow::Continue(()))
        })?;
        listing.end(&mut out);
    }
    members(out)
}

/// Returns the members of a document that hold what mirrors edges to a row, each with a comma in front.
pub(super) fn derived_of(reader: &Reader<'_>, layout: &Layout, row: RowKey) -> Result<String> {
    let everything = Projection::everything(layout.resource_type);
    let mut out = Vec::new();
    for derived in &layout.derived {
        let mut listing = listing_derived(derived, &everything);
        out.push(b' ');
        walk_derived(reader, derived, row, FIRST, |_, value| {
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
