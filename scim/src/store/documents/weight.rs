//! How many bytes a page takes, estimated before it is rendered: from the documents of its rows, the counters of their
//! edges, and what is shown of those who lead to them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use super::edges::{Pair, pairs, pairs_between, visit_values};
use super::layout::{Derived, Layout};
use super::page_rows::PageRow;
use crate::Result;
use crate::projection::Projection;
use crate::store::PAGE_IN_ONE_PIECE;
use crate::store::database::Reader;

/// Bytes that the value of an edge usually takes.
const EDGE: usize = 192;

/// The rows of a page with what each takes, cut where they would take too much.
pub(super) struct Weighed<'l> {
    pub(super) rows: Vec<(PageRow, usize)>,
    pub(super) owners: Vec<Owners<'l>>,
    total: usize,
}

/// Edges that are read at once because they lead to a row between the first and the last of a page. Other types may have
/// rows there, too.
const NEAR: usize = 8_192;

/// The rows that lead to the rows of a page, for an attribute that mirrors edges, and what is shown of each.
pub(super) struct Owners<'l> {
    pub(super) derived: &'l Derived,
    /// By row.
    pairs: Vec<Pair>,
    /// The row at which the reading ended: there may be more that lead to it.
    unread: Option<i64>,
    /// How many bytes each takes; of those that are not here, it is only known that they are too much for the page.
    lengths: BTreeMap<i64, usize>,
    /// Each rendered, as long as they are short together.
    values: Option<BTreeMap<i64, Vec<u8>>>,
}

impl<'l> Owners<'l> {
    /// Reads as many edges as the largest page can show, and one more. The row at which it ends counts as so heavy that it
    /// is the first of the page, and then sent in parts, or cut off.
    fn read(
        reader: &Reader<'_>,
        derived: &'l Derived,
        tenant: i64,
        page: Rows<'_>,
        want: &Projection,
        most: usize,
    ) -> Result<Self> {
        let (pairs, unread) = read_pairs(reader, derived, tenant, page, most)?;
        let mut owners = Self {
            derived,
            pairs,
            unread,
            lengths: BTreeMap::new(),
            values: Some(BTreeMap::new()),
        };
        let distinct: BTreeSet<i64> = page.rids.iter().flat_map(|rid| owners.of(*rid)).collect();
        owners.measure(reader, tenant, &distinct, want, most)?;
        Ok(owners)
    }

    /// Renders each that leads to a row, however many rows it leads to.
    fn measure(
        &mut self,
        reader: &Reader<'_>,
        tenant: i64,
        distinct: &BTreeSet<i64>,
        want: &Projection,
        most: usize,
    ) -> Result<()> {
        let mut total = 0_usize;
        visit_values(reader, self.derived, tenant, distinct, want, |owner, value| {
            total = total.saturating_add(value.len());
            self.lengths.insert(owner, value.len());
            if total > PAGE_IN_ONE_PIECE.min(most) {
                self.values = None;
            }
            if let Some(values) = &mut self.values {
                values.insert(owner, value);
            }
            match total > most {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })
    }

    /// Returns the rows that lead to a row.
    pub(super) fn of(&self, rid: i64) -> impl Iterator<Item = i64> + '_ {
        let start = self.pairs.partition_point(|(to, _)| *to < rid);
        let pairs = self.pairs.iter().skip(start);
        pairs.take_while(move |(to, _)| *to == rid).map(|(_, from)| *from)
    }

    /// Returns the text that is shown of each, if that is short.
    pub(super) fn values(&self) -> Option<&BTreeMap<i64, Vec<u8>>> {
        self.values.as_ref()
    }

    /// Returns how many bytes they take in the document of a row, where the page may have `most`.
    fn bytes(&self, rid: i64, most: usize) -> usize {
        let unknown = most.max(PAGE_IN_ONE_PIECE).saturating_add(1);
        if self.unread == Some(rid) {
            return unknown;
        }
        let lengths = self.of(rid);
        let lengths = lengths.map(|owner| self.lengths.get(&owner).map_or(unknown, |length| length + 1));
        lengths.fold(0, usize::saturating_add)
    }
}

/// The rows of a page, before anything is known of them but their numbers.
#[derive(Clone, Copy)]
struct Rows<'r> {
    rids: &'r [i64],
    order: Order,
}

/// Reads who leads to the rows of a page, by row, and says at which row it ended, if it did not come to the end.
fn read_pairs(
    reader: &Reader<'_>,
    derived: &Derived,
    tenant: i64,
    Rows { rids, order }: Rows<'_>,
    most: usize,
) -> Result<(Vec<Pair>, Option<i64>)> {
    if let (Order::OfRows, Some(first), Some(last)) = (order, rids.first(), rids.last()) {
        let pairs = pairs_between(reader, derived, tenant, (*first, *last), NEAR)?;
        if pairs.len() < NEAR {
            return Ok((pairs, None));
        }
    }
    let limit = most / EDGE + 1;
    let mut pairs = pairs(reader, derived, tenant, rids, limit)?;
    let unread = pairs.last().filter(|_| pairs.len() >= limit).map(|(rid, _)| *rid);
    pairs.sort_by_key(|(rid, _)| *rid);
    Ok((pairs, unread))
}

/// How the rows of a page follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// All rows of a type, as they stand in the table.
    OfRows,
    /// Some rows, in any order.
    Any,
}

impl<'l> Weighed<'l> {
    pub(super) fn new(
        reader: &Reader<'_>,
        layout: &'l Layout,
        tenant: i64,
        rows: Vec<PageRow>,
        order: Order,
        want: &Projection,
        most: usize,
    ) -> Result<Self> {
        let rids: Vec<i64> = rows.iter().map(|row| row.rid).collect();
        let shown = layout.derived.iter();
        let owners = shown
            .filter(|derived| !rids.is_empty() && want.includes(derived.shape.path))
            .map(|derived| Owners::read(reader, derived, tenant, Rows { rids: &rids, order }, want, most))
            .collect::<Result<Vec<_>>>()?;
        let shows_edges = layout.shows_edges(want);
        let mut page = Self {
            rows: Vec::with_capacity(rows.len()),
            owners,
            total: 0,
        };
        for row in rows {
            let edges = if shows_edges { row.edges } else { 0 };
            let mirrored = page.owners.iter().map(|owners| owners.bytes(row.rid, most));
            let mirrored = mirrored.fold(0, usize::saturating_add);
            let edges = usize::try_from(edges).unwrap_or(0).saturating_mul(EDGE);
            let weight = edges.saturating_add(mirrored).saturating_add(row.bytes());
            let total = page.total.saturating_add(weight);
            if total > most && !page.rows.is_empty() {
                break;
            }
            page.total = total;
            page.rows.push((row, weight));
        }
        Ok(page)
    }

    /// Returns whether it is too long for one piece.
    pub(super) fn is_long(&self) -> bool {
        self.total > PAGE_IN_ONE_PIECE
    }

    pub(super) fn last(&self) -> Option<&PageRow> {
        self.rows.last().map(|(row, _)| row)
    }
}
