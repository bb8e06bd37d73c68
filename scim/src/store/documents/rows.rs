//! The rows of resources, and the rows of their keys.

use std::borrow::Cow;

use super::document::{Documents, RowStamp};
use super::key::{self, Key};
use super::keys::{Keys, ValueRow, lacking};
use super::layout::{Layout, Unique};
use super::row_key::RowKey;
use crate::Result;
use crate::error::Error;
use crate::store::database::{Param, Reader, Row, Transaction};
use crate::store::layout::ROOM;

/// A resource as it stands in the table.
#[derive(Debug)]
pub(super) struct StoredRow {
    pub(super) rid: i64,
    pub(super) stamp: RowStamp,
    /// How many edges it has.
    pub(super) edges: i64,
    /// The layout by which its documents were written.
    pub(super) layout: i64,
    pub(super) documents: Documents,
}

/// The columns of [`StoredRow`] of a row `r`.
pub(super) const COLUMNS: &str =
    "r.rid, r.version, r.created, r.modified, r.edges, r.layout, r.hidden, r.doc";

impl StoredRow {
    /// Returns the same row with another stamp and number of edges: what a change of edges does to the resource that has
    /// them.
    pub(super) fn restamped(&self, layout: &Layout, id: &str, stamp: RowStamp, edges: i64) -> Result<Self> {
        Ok(Self {
            rid: self.rid,
            stamp,
            edges,
            layout: self.layout,
            documents: Documents {
                visible: Documents::stamped(&self.documents.visible, layout, id, stamp)?,
                hidden: self.documents.hidden.clone(),
            },
        })
    }

    /// Returns the key of the row, which is one of this tenant's.
    pub(super) fn key(&self, tenant: i64) -> RowKey {
        RowKey {
            tenant,
            rid: self.rid,
        }
    }

    pub(super) fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            rid: row.integer(0)?,
            stamp: RowStamp {
                version: row.integer(1)?,
                created: row.integer(2)?,
                modified: row.integer(3)?,
            },
            edges: row.integer(4)?,
            layout: row.integer(5)?,
            documents: Documents {
                hidden: row.optional_blob(6)?.map(|bytes| text(bytes, 0)).transpose()?,
                visible: text(row.blob(7)?, ROOM)?,
            },
        })
    }
}

/// Makes a copy of a text, with room for more behind it.
fn text(bytes: &[u8], room: usize) -> Result<String> {
    let text = std::str::from_utf8(bytes).map_err(Error::internal)?;
    let mut copy = String::with_capacity(text.len() + room);
    copy.push_str(text);
    Ok(copy)
}

/// Reads the identifier in a column.
pub(super) fn id_of(row: &Row<'_>, column: usize) -> Result<String> {
    key::id_of(row.blob(column)?).map(Cow::into_owned)
}

/// Reads the name by which others show a resource, in a column.
pub(super) fn label_of<'r>(row: &Row<'r>, column: usize) -> Result<Option<Cow<'r, str>>> {
    let bytes = row.optional_blob(column)?;
    bytes
        .map(|bytes| std::str::from_utf8(bytes).map(Cow::Borrowed))
        .transpose()
        .map_err(Error::internal)
}

pub(super) fn find(reader: &Reader<'_>, layout: &Layout, tenant: i64, id: &str) -> Result<Option<StoredRow>> {
    reader.query_one(
        "SELECT r.rid, r.version, r.created, r.modified, r.edges, r.layout, r.hidden, r.doc
         FROM scim_resource r WHERE r.tenant = ?1 AND r.id = ?2 AND r.type = ?3",
        &[tenant.into(), Key::id(id).as_bytes().into(), layout.number.into()],
        StoredRow::read,
    )
}

/// Returns the key of the last row; 0 if there is none.
pub(super) fn last(reader: &Reader<'_>) -> Result<i64> {
    // Of all tenants: asked once, when a database is opened.
    let last = reader.query_one(
        "SELECT coalesce(max(rid), 0) FROM scim_resource WHERE tenant >= 0",
        &[],
        |row| row.integer(0),
    )?;
    Ok(last.unwrap_or(0))
}

/// Makes the row of a new resource and the rows of its keys.
pub(super) fn insert(
    tx: &Transaction<'_>,
    layout: &Layout,
    row: RowKey,
    id: &str,
    stamp: RowStamp,
    documents: &Documents,
    keys: &Keys,
) -> Result<()> {
    insert_uniques(tx, layout, row, keys, None)?;
    let RowKey { tenant, rid } = row;
    let id = Key::id(id);
    let [k1, k2, k3, k4] = keys.columns();
    tx.execute(
        "INSERT INTO scim_resource(rid, tenant, type, id, version, created, modified, edges,
                                   k1, k2, k3, k4, label, layout, hidden, doc)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        &[
            rid.into(),
            tenant.into(),
            layout.number.into(),
            id.as_bytes().into(),
            stamp.version.into(),
            stamp.created.into(),
            stamp.modified.into(),
            k1,
            k2,
            k3,
            k4,
            keys.label(),
            layout.documents.into(),
            documents.hidden.as_ref().map(String::as_bytes).into(),
            documents.visible.as_bytes().into(),
        ],
    )?;
    keys.values
        .iter()
        .try_for_each(|value| insert_value(tx, tenant, rid, value))
}

/// Writes the next state of a resource. `before` are the keys it had, where the layout has rows of keys.
pub(super) fn update(
    tx: &Transaction<'_>,
    layout: &Layout,
    tenant: i64,
    next: &StoredRow,
    keys: &Keys,
    before: Option<&Keys>,
) -> Result<()> {
    let row = next.key(tenant);
    if let Some(before) = before {
        delete_uniques(tx, layout, row, before, Some(keys))?;
        insert_uniques(tx, layout, row, keys, Some(before))?;
        for value in lacking(&before.values, &keys.values) {
            delete_value(tx, tenant, next.rid, value)?;
        }
        for value in lacking(&keys.values, &before.values) {
            insert_value(tx, tenant, next.rid, value)?;
        }
    }
    let [k1, k2, k3, k4] = keys.columns();
    tx.execute(
        "UPDATE scim_resource SET version = ?3, modified = ?4, edges = ?5,
                k1 = ?6, k2 = ?7, k3 = ?8, k4 = ?9, label = ?10, layout = ?11, hidden = ?12, doc = ?13
         WHERE tenant = ?1 AND rid = ?2",
        &[
            tenant.into(),
            next.rid.into(),
            next.stamp.version.into(),
            next.stamp.modified.into(),
            next.edges.into(),
            k1,
            k2,
            k3,
            k4,
            keys.label(),
            layout.documents.into(),
            next.documents.hidden.as_ref().map(String::as_bytes).into(),
            next.documents.visible.as_bytes().into(),
        ],
    )
    .map(drop)
}

/// Writes a new stamp and nothing else: what a change of edges does to the resource that has them.
pub(super) fn restamp(tx: &Transaction<'_>, tenant: i64, next: &StoredRow) -> Result<()> {
    tx.execute(
        "UPDATE scim_resource SET version = ?3, modified = ?4, edges = ?5, doc = ?6 WHERE tenant = ?1 AND rid = ?2",
        &[
            tenant.into(),
            next.rid.into(),
            next.stamp.version.into(),
            next.stamp.modified.into(),
            next.edges.into(),
            next.documents.visible.as_bytes().into(),
        ],
    )
    .map(drop)
}

/// Deletes a resource and its keys; the caller deletes the edges.
pub(super) fn delete(
    tx: &Transaction<'_>,
    layout: &Layout,
    tenant: i64,
    rid: i64,
    keys: Option<&Keys>,
) -> Result<()> {
    for value in keys.iter().flat_map(|keys| &keys.values) {
        delete_value(tx, tenant, rid, value)?;
    }
    if let Some(keys) = keys {
        delete_uniques(tx, layout, RowKey { tenant, rid }, keys, None)?;
    }
    tx.execute(
        "DELETE FROM scim_resource WHERE tenant = ?1 AND rid = ?2",
        &[tenant.into(), rid.into()],
    )
    .map(drop)
}

pub(super) fn insert_value(tx: &Transaction<'_>, tenant: i64, rid: i64, row: &ValueRow) -> Result<()> {
    tx.execute(
        "INSERT INTO scim_value(tenant, attr, value, sub, rid) VALUES (?1, ?2, ?3, ?4, ?5)",
        &row.params(tenant, rid),
    )
    .map(drop)
}

fn delete_value(tx: &Transaction<'_>, tenant: i64, rid: i64, row: &ValueRow) -> Result<()> {
    tx.execute(
        "DELETE FROM scim_value WHERE tenant = ?1 AND attr = ?2 AND value = ?3 AND sub = ?4 AND rid = ?5",
        &row.params(tenant, rid),
    )
    .map(drop)
}

/// Returns the unique values of a resource, but for those that it has in `but` as well: the attribute, the value, and
/// the columns of the row, which are tenant, attribute, value and resource.
fn unique_rows<'k>(
    layout: &'k Layout,
    RowKey { tenant, rid }: RowKey,
    keys: &'k Keys,
    but: Option<&'k Keys>,
) -> impl Iterator<Item = (&'k Unique, &'k Key, [Param<'k>; 4])> {
    let rows = lacking(&keys.uniques, but.map_or(&[], |keys| &keys.uniques));
    rows.filter_map(move |(position, value)| {
        let unique = layout.uniques.get(*position)?;
        let params = [
            unique.scope(tenant).into(),
            unique.number.into(),
            value.as_bytes().into(),
            rid.into(),
        ];
        Some((unique, value, params))
    })
}

/// Gives up the unique values that a resource had, but for those that it still has.
fn delete_uniques(
    tx: &Transaction<'_>,
    layout: &Layout,
    row: RowKey,
    had: &Keys,
    has: Option<&Keys>,
) -> Result<()> {
    unique_rows(layout, row, had, has).try_for_each(|(_, _, params)| {
        tx.execute(
            "DELETE FROM scim_unique WHERE tenant = ?1 AND attr = ?2 AND value = ?3 AND rid = ?4",
            &params,
        )
        .map(drop)
    })
}

/// Takes the unique values of a resource, but for those that it had.
///
/// # Errors
/// 409 `uniqueness` if another resource has one of them.
pub(super) fn insert_uniques(
    tx: &Transaction<'_>,
    layout: &Layout,
    row: RowKey,
    has: &Keys,
    had: Option<&Keys>,
) -> Result<()> {
    unique_rows(layout, row, has, had).try_for_each(|(unique, value, params)| {
        let inserted = tx.execute(
            "INSERT INTO scim_unique(tenant, attr, value, rid) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT(tenant, attr, value) DO NOTHING",
            &params,
        )?;
        match inserted {
            0 => Err(taken(layout, &layout.name(unique.holder), value)),
            _ => Ok(()),
        }
    })
}

fn taken(layout: &Layout, attribute: &str, key: &Key) -> Error {
    let (name, key) = (layout.resource_type.name, key.described());
    Error::uniqueness(format!(
        "must be unique, and another {name} has the value {key} already"
    ))
    .at(attribute.to_owned())
}
