//! The tables of the document store, and the small numbers that stand in them for long names.

use crate::Result;
use crate::error::Error;
use crate::store::sqlite::{Reader, Transaction};

/// Made if they are not there. The document comes last in its row, so that what is looked at without it is read
/// without it.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS scim_tenant(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE IF NOT EXISTS scim_type(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, layout TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS scim_layout(
  id INTEGER PRIMARY KEY, type INTEGER NOT NULL, text TEXT NOT NULL, UNIQUE(type, text)
) STRICT;
CREATE TABLE IF NOT EXISTS scim_attribute(
  id INTEGER PRIMARY KEY, type INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE(type, name)
) STRICT;
CREATE TABLE IF NOT EXISTS scim_resource(
  rid INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, type INTEGER NOT NULL, id ANY NOT NULL,
  version INTEGER NOT NULL, created INTEGER NOT NULL, modified INTEGER NOT NULL,
  edges INTEGER NOT NULL, k1 ANY, k2 ANY, k3 ANY, k4 ANY, label TEXT, layout INTEGER NOT NULL DEFAULT 0,
  hidden BLOB, doc BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS scim_resource_list ON scim_resource(tenant, type);
CREATE UNIQUE INDEX IF NOT EXISTS scim_resource_id ON scim_resource(tenant, type, id);
CREATE INDEX IF NOT EXISTS scim_resource_modified ON scim_resource(tenant, type, modified);
CREATE TABLE IF NOT EXISTS scim_value(
  tenant INTEGER NOT NULL, attr INTEGER NOT NULL, value ANY NOT NULL, sub TEXT NOT NULL, rid INTEGER NOT NULL,
  PRIMARY KEY(tenant, attr, value, sub, rid)
) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS scim_unique(
  tenant INTEGER NOT NULL, attr INTEGER NOT NULL, value ANY NOT NULL, rid INTEGER NOT NULL,
  PRIMARY KEY(tenant, attr, value)
) WITHOUT ROWID, STRICT;
CREATE INDEX IF NOT EXISTS scim_unique_rid ON scim_unique(rid);
CREATE TABLE IF NOT EXISTS scim_edge(
  src INTEGER NOT NULL, attr INTEGER NOT NULL, dst INTEGER NOT NULL, PRIMARY KEY(src, attr, dst)
) WITHOUT ROWID, STRICT;
CREATE INDEX IF NOT EXISTS scim_edge_dst ON scim_edge(dst, attr, src);
CREATE TABLE IF NOT EXISTS scim_counter(
  tenant INTEGER NOT NULL, type INTEGER NOT NULL, n INTEGER NOT NULL, deleted INTEGER NOT NULL,
  PRIMARY KEY(tenant, type)
) WITHOUT ROWID, STRICT;
";

/// What stands for the tenant where a value must be unique among all of them.
pub(super) const ALL_TENANTS: i64 = 0;

pub(super) fn create(tx: &Transaction<'_>) -> Result<()> {
    tx.execute_batch(TABLES)?;
    // The tables of earlier versions do not say by which layout a document was written: 0 is none of them.
    let sql = "SELECT 1 FROM pragma_table_info('scim_resource') WHERE name = 'layout'";
    match tx.query_one(sql, &[], |_| Ok(()))? {
        Some(()) => Ok(()),
        None => tx.execute_batch("ALTER TABLE scim_resource ADD COLUMN layout INTEGER NOT NULL DEFAULT 0"),
    }
}

/// The number of a resource type, and the layout its keys were made for (empty for a new type).
pub(super) fn resource_type(tx: &Transaction<'_>, name: &str) -> Result<(i64, String)> {
    tx.execute(
        "INSERT INTO scim_type(name, layout) VALUES (?1, '') ON CONFLICT DO NOTHING",
        &[name.into()],
    )?;
    tx.query_one(
        "SELECT id, layout FROM scim_type WHERE name = ?1",
        &[name.into()],
        |row| Ok((row.integer(0)?, row.text(1)?.to_owned())),
    )?
    .ok_or_else(|| Error::internal("a resource type vanished"))
}

pub(super) fn keep_layout(tx: &Transaction<'_>, resource_type: i64, layout: &str) -> Result<()> {
    tx.execute(
        "UPDATE scim_type SET layout = ?2 WHERE id = ?1",
        &[resource_type.into(), layout.into()],
    )
    .map(drop)
}

/// The number of the layout by which the documents of a type are written. It is never another layout's.
pub(super) fn document_layout(tx: &Transaction<'_>, resource_type: i64, text: &str) -> Result<i64> {
    let params = [resource_type.into(), text.into()];
    tx.execute(
        "INSERT INTO scim_layout(type, text) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        &params,
    )?;
    tx.query_one(
        "SELECT id FROM scim_layout WHERE type = ?1 AND text = ?2",
        &params,
        |row| row.integer(0),
    )?
    .ok_or_else(|| Error::internal("a layout vanished"))
}

/// The number of an attribute.
pub(super) fn attribute(tx: &Transaction<'_>, resource_type: i64, name: &str) -> Result<i64> {
    tx.execute(
        "INSERT INTO scim_attribute(type, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        &[resource_type.into(), name.into()],
    )?;
    tx.query_one(
        "SELECT id FROM scim_attribute WHERE type = ?1 AND name = ?2",
        &[resource_type.into(), name.into()],
        |row| row.integer(0),
    )?
    .ok_or_else(|| Error::internal("an attribute vanished"))
}

/// The number of a tenant, if anything was ever kept for it. Numbers are never taken back, so that it may be
/// remembered once it is committed.
pub(super) fn tenant(reader: &Reader<'_>, name: &str) -> Result<Option<i64>> {
    reader.query_one(
        "SELECT id FROM scim_tenant WHERE name = ?1",
        &[name.into()],
        |row| row.integer(0),
    )
}

pub(super) fn new_tenant(tx: &Transaction<'_>, name: &str) -> Result<i64> {
    tx.execute("INSERT INTO scim_tenant(name) VALUES (?1)", &[name.into()])?;
    Ok(tx.last_insert_id())
}

/// How many resources of a type a tenant has, and how many were ever deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) live: u64,
    pub(super) deleted: i64,
}

pub(super) fn count(reader: &Reader<'_>, tenant: i64, resource_type: i64) -> Result<Count> {
    let count = reader.query_one(
        "SELECT n, deleted FROM scim_counter WHERE tenant = ?1 AND type = ?2",
        &[tenant.into(), resource_type.into()],
        |row| {
            Ok(Count {
                live: u64::try_from(row.integer(0)?).unwrap_or(0),
                deleted: row.integer(1)?,
            })
        },
    )?;
    Ok(count.unwrap_or_default())
}

pub(super) fn counted(tx: &Transaction<'_>, tenant: i64, resource_type: i64, more: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO scim_counter(tenant, type, n, deleted) VALUES (?1, ?2, ?3, max(-?3, 0))
         ON CONFLICT(tenant, type) DO UPDATE SET n = n + excluded.n, deleted = deleted + excluded.deleted",
        &[tenant.into(), resource_type.into(), more.into()],
    )
    .map(drop)
}
