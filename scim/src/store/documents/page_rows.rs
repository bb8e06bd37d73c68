//! The rows of a page, whose documents stand in memory that they share.

use bytes::{BufMut as _, BytesMut};

use super::document::{Documents, RowStamp, utf8};
use super::row_key::RowKey;
use super::rows::StoredRow;
use crate::Result;
use crate::store::Version;
use crate::store::database::Row;
use crate::store::layout::ROOM;

/// Bytes of memory that documents of a page share. Each in its own would cost as much as the rest of the page.
const SHARED: usize = 8 << 10;

/// The columns of [`PageRow`] of a row `r`.
pub(super) const COLUMNS: &str = "r.rid, r.version, r.edges, r.layout, r.hidden, r.doc";

/// A row of a page. Its visible document has room behind it, so that it is shown without another copy.
#[derive(Debug)]
pub(super) struct PageRow {
    pub(super) rid: i64,
    /// The number of its version.
    pub(super) version: i64,
    /// How many edges it has.
    pub(super) edges: i64,
    /// The layout by which its documents were written.
    pub(super) layout: i64,
    pub(super) visible: BytesMut,
    hidden: Option<String>,
}

impl PageRow {
    /// Returns the key of the row, which is one of this tenant's.
    pub(super) fn key(&self, tenant: i64) -> RowKey {
        RowKey {
            tenant,
            rid: self.rid,
        }
    }

    pub(super) fn version(&self) -> Version {
        RowStamp::version_of(self.version)
    }

    /// Returns how many bytes its documents have.
    pub(super) fn bytes(&self) -> usize {
        self.visible.len() + self.hidden.as_ref().map_or(0, String::len)
    }

    /// Returns a copy of its documents, to be decoded.
    pub(super) fn documents(&self) -> Result<Documents> {
        Ok(Documents {
            visible: utf8(self.visible.to_vec())?,
            hidden: self.hidden.clone(),
        })
    }
}

/// Rows of a page, until they have so many bytes that it is full.
pub(super) struct PageRows {
    rows: Vec<PageRow>,
    bytes: usize,
    most: usize,
    memory: BytesMut,
}

impl PageRows {
    pub(super) fn up_to(most: usize) -> Self {
        Self {
            rows: Vec::new(),
            bytes: 0,
            most,
            memory: BytesMut::new(),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes > self.most
    }

    /// Adds a row with the [`COLUMNS`], unless the page is full. A document that is shown as it was stored is not looked
    /// at.
    pub(super) fn read(&mut self, row: &Row<'_>) -> Result<()> {
        if self.is_full() {
            return Ok(());
        }
        let hidden = row.optional_blob(4)?.map(<[u8]>::to_vec).map(utf8);
        let row = PageRow {
            rid: row.integer(0)?,
            version: row.integer(1)?,
            edges: row.integer(2)?,
            layout: row.integer(3)?,
            visible: self.copied(row.blob(5)?),
            hidden: hidden.transpose()?,
        };
        self.push(row);
        Ok(())
    }

    /// Adds a row that was read for another reason, unless the page is full.
    pub(super) fn add(&mut self, row: StoredRow) {
        if self.is_full() {
            return;
        }
        let row = PageRow {
            rid: row.rid,
            version: row.stamp.version,
            edges: row.edges,
            layout: row.layout,
            visible: self.copied(row.documents.visible.as_bytes()),
            hidden: row.documents.hidden,
        };
        self.push(row);
    }

    fn push(&mut self, row: PageRow) {
        self.bytes = self.bytes.saturating_add(row.bytes());
        self.rows.push(row);
    }

    /// Makes a copy of a document in the memory of the page.
    fn copied(&mut self, document: &[u8]) -> BytesMut {
        let room = document.len() + ROOM;
        if self.memory.capacity() < room {
            self.memory = BytesMut::with_capacity(room.max(SHARED));
        }
        self.memory.put_slice(document);
        let rest = self.memory.split_off(room);
        std::mem::replace(&mut self.memory, rest)
    }

    pub(super) fn into_rows(self) -> Vec<PageRow> {
        self.rows
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// However much is written behind a document, those beside it stay as they are.
        #[test]
        fn documents_that_share_memory_keep_to_themselves(
            lengths in prop::collection::vec((0_usize..40_000, 0_usize..2_000), 1..12),
        ) {
            let mut page = PageRows::up_to(usize::MAX);
            let fill = |number: usize| u8::try_from(number).unwrap_or(0);
            let mut documents: Vec<BytesMut> = Vec::new();
            for (number, (length, _)) in lengths.iter().enumerate() {
                documents.push(page.copied(&vec![fill(number); *length]));
            }
            for (number, (_, behind)) in lengths.iter().enumerate() {
                documents[number].put_bytes(100 + fill(number), *behind);
            }
            for (number, (length, behind)) in lengths.iter().enumerate() {
                let mut expected = vec![fill(number); *length];
                expected.resize(length + behind, 100 + fill(number));
                prop_assert_eq!(&documents[number][..], &expected[..]);
            }
        }
    }
}
