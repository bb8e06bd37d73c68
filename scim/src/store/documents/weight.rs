//! How many bytes a page takes, estimated before any of it is rendered: from the documents of its rows, the counters of
//! their edges, and who leads to them.

use std::collections::HashMap;

use super::edges::walk_pairs;
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

/// Who leads to the rows of a page, for an attribute that mirrors edges.
pub(super) struct Owners<'l> {
    pub(super) derived: &'l Derived,
    of_rows: HashMap<i64, Vec<i64>>,
}

impl<'l> Owners<'l> {
    /// Reads as many edges as the largest page can show, and one more. The row at which it ends is so heavy that it is the
    /// first of the page, and then sent in parts, or cut off.
    fn read(reader: &Reader<'_>, derived: &'l Derived, tenant: i64, rids: &[i64]) -> Result<Self> {
        let mut of_rows: HashMap<i64, Vec<i64>> = HashMap::new();
        walk_pairs(
            reader,
            derived,
            tenant,
            rids,
            LARGEST_PAGE / EDGE + 1,
            |rid, owner| {
                of_rows.entry(rid).or_default().push(owner);
                Ok(())
            },
        )?;
        Ok(Self { derived, of_rows })
    }

    /// The rows that lead to a row.
    pub(super) fn of(&self, rid: i64) -> &[i64] {
        self.of_rows.get(&rid).map_or(&[], Vec::as_slice)
    }
}

impl<'l> Weighed<'l> {
    pub(super) fn new(
        reader: &Reader<'_>,
        layout: &'l Layout,
        tenant: i64,
        rows: Vec<StoredRow>,
        want: &Projection,
    ) -> Result<Self> {
        let rids: Vec<i64> = rows.iter().map(|row| row.rid).collect();
        let shown = layout.derived.iter();
        let owners = shown
            .filter(|derived| !rids.is_empty() && want.includes(derived.shape.path))
            .map(|derived| Owners::read(reader, derived, tenant, &rids))
            .collect::<Result<Vec<_>>>()?;
        let shows_edges = layout.shows_edges(want);
        let mut page = Self {
            rows: Vec::with_capacity(rows.len()),
            owners,
            total: 0,
        };
        for row in rows {
            let edges = if shows_edges { row.edges } else { 0 };
            let mirrored: usize = page.owners.iter().map(|owners| owners.of(row.rid).len()).sum();
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
