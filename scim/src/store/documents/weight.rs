//! How many bytes a page takes, estimated before any of it is rendered: from the documents of its rows, the counters of
//! their edges, and who leads to them.

use super::edges::{Pair, pairs, pairs_between};
use super::layout::{Derived, Layout};
use super::rows::StoredRow;
use crate::Result;
use crate::projection::Projection;
use crate::store::database::Reader;
use crate::store::{LARGEST_PAGE, PAGE_IN_ONE_PIECE};

/// Bytes that the value of an edge usually takes.
const EDGE: usize = 192;

/// The rows of a page with what each takes, cut where they would take too much.
pub(super) struct Weighed<'l> {
    pub(super) rows: Vec<(StoredRow, usize)>,
    pub(super) owners: Vec<Owners<'l>>,
    total: usize,
}

/// Edges that are read at once because they lead to a row between the first and the last of a page. Other types may have
/// rows there, too.
const NEAR: usize = 8_192;

/// Who leads to the rows of a page, for an attribute that mirrors edges.
pub(super) struct Owners<'l> {
    pub(super) derived: &'l Derived,
    /// By row.
    pairs: Vec<Pair>,
}

impl<'l> Owners<'l> {
    /// Reads as many edges as the largest page can show, and one more. The row at which it ends is so heavy that it is the
    /// first of the page, and then sent in parts, or cut off.
    fn read(
        reader: &Reader<'_>,
        derived: &'l Derived,
        tenant: i64,
        rids: &[i64],
        order: Order,
    ) -> Result<Self> {
        if let (Order::OfRows, Some(first), Some(last)) = (order, rids.first(), rids.last()) {
            let pairs = pairs_between(reader, derived, tenant, (*first, *last), NEAR)?;
            if pairs.len() < NEAR {
                return Ok(Self { derived, pairs });
            }
        }
        let mut pairs = pairs(reader, derived, tenant, rids, LARGEST_PAGE / EDGE + 1)?;
        pairs.sort_by_key(|(rid, _)| *rid);
        Ok(Self { derived, pairs })
    }

    /// The rows that lead to a row.
    pub(super) fn of(&self, rid: i64) -> impl Iterator<Item = i64> + '_ {
        let start = self.pairs.partition_point(|(to, _)| *to < rid);
        let pairs = self.pairs.iter().skip(start);
        pairs.take_while(move |(to, _)| *to == rid).map(|(_, from)| *from)
    }
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
        rows: Vec<StoredRow>,
        order: Order,
        want: &Projection,
    ) -> Result<Self> {
        let rids: Vec<i64> = rows.iter().map(|row| row.rid).collect();
        let shown = layout.derived.iter();
        let owners = shown
            .filter(|derived| !rids.is_empty() && want.includes(derived.shape.path))
            .map(|derived| Owners::read(reader, derived, tenant, &rids, order))
            .collect::<Result<Vec<_>>>()?;
        let shows_edges = layout.shows_edges(want);
        let mut page = Self {
            rows: Vec::with_capacity(rows.len()),
            owners,
            total: 0,
        };
        for row in rows {
            let edges = if shows_edges { row.edges } else { 0 };
            let mirrored: usize = page.owners.iter().map(|owners| owners.of(row.rid).count()).sum();
            let values = usize::try_from(edges).unwrap_or(0).saturating_add(mirrored);
            let weight = values.saturating_mul(EDGE).saturating_add(row.documents.bytes());
            let total = page.total.saturating_add(weight);
            if total > LARGEST_PAGE && !page.rows.is_empty() {
                break;
            }
            page.total = total;
            page.rows.push((row, weight));
        }
        Ok(page)
    }

    /// Whether it is too long for one piece.
    pub(super) fn is_long(&self) -> bool {
        self.total > PAGE_IN_ONE_PIECE
    }

    pub(super) fn last(&self) -> Option<&StoredRow> {
        self.rows.last().map(|(row, _)| row)
    }
}
