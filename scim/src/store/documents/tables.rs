//! The tables of the document store, and the small numbers that stand in them for long names.

use super::carry_over;
use crate::Result;
use crate::error::Error;
use crate::store::database::{Reader, Transaction};

/// The tables as SQLite has them, made if they are not there, and never changed afterwards. The primary key
/// `(tenant, rid)` that a database server would have is the row key of SQLite, which is shorter: the application makes
/// each `rid` once. The document comes last in its row, so that what is looked at without it is read without it.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS scim_format(
  version INTEGER NOT NULL PRIMARY KEY
) STRICT;
CREATE TABLE IF NOT EXISTS scim_tenant(
  id INTEGER NOT NULL PRIMARY KEY, name BLOB NOT NULL UNIQUE
) STRICT;
CREATE TABLE IF NOT EXISTS scim_type(
  id INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL UNIQUE, layout TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS scim_layout(
  id INTEGER NOT NULL PRIMARY KEY, type INTEGER NOT NULL, text TEXT NOT NULL, UNIQUE(type, text)
) STRICT;
CREATE TABLE IF NOT EXISTS scim_attribute(
  id INTEGER NOT NULL PRIMARY KEY, type INTEGER NOT NULL, name TEXT NOT NULL, slot INTEGER,
  UNIQUE(type, name), UNIQUE(type, slot)
) STRICT;
CREATE TABLE IF NOT EXISTS scim_resource(
  rid INTEGER NOT NULL PRIMARY KEY, tenant INTEGER NOT NULL, type INTEGER NOT NULL, id BLOB NOT NULL,
  version INTEGER NOT NULL, created INTEGER NOT NULL, modified INTEGER NOT NULL,
  edges INTEGER NOT NULL, k1 BLOB, k2 BLOB, k3 BLOB, k4 BLOB, label BLOB, layout INTEGER NOT NULL,
  hidden BLOB, doc BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS scim_resource_list ON scim_resource(tenant, type);
CREATE UNIQUE INDEX IF NOT EXISTS scim_resource_id ON scim_resource(tenant, id, type);
CREATE INDEX IF NOT EXISTS scim_resource_modified ON scim_resource(tenant, type, modified);
CREATE INDEX IF NOT EXISTS scim_resource_k1 ON scim_resource(tenant, type, k1);
CREATE INDEX IF NOT EXISTS scim_resource_k2 ON scim_resource(tenant, type, k2);
CREATE INDEX IF NOT EXISTS scim_resource_k3 ON scim_resource(tenant, type, k3);
CREATE INDEX IF NOT EXISTS scim_resource_k4 ON scim_resource(tenant, type, k4);
CREATE TABLE IF NOT EXISTS scim_value(
  tenant INTEGER NOT NULL, attr INTEGER NOT NULL, value BLOB NOT NULL, sub BLOB NOT NULL, rid INTEGER NOT NULL,
  PRIMARY KEY(tenant, attr, value, sub, rid)
) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS scim_unique(
  tenant INTEGER NOT NULL, attr INTEGER NOT NULL, value BLOB NOT NULL, rid INTEGER NOT NULL,
  PRIMARY KEY(tenant, attr, value)
) WITHOUT ROWID, STRICT;
CREATE TABLE IF NOT EXISTS scim_edge(
  tenant INTEGER NOT NULL, src INTEGER NOT NULL, attr INTEGER NOT NULL, dst INTEGER NOT NULL,
  PRIMARY KEY(tenant, src, attr, dst)
) WITHOUT ROWID, STRICT;
CREATE INDEX IF NOT EXISTS scim_edge_dst ON scim_edge(tenant, dst, attr, src);
CREATE TABLE IF NOT EXISTS scim_counter(
  tenant INTEGER NOT NULL, type INTEGER NOT NULL, shard INTEGER NOT NULL, n INTEGER NOT NULL, deleted INTEGER NOT NULL,
  PRIMARY KEY(tenant, type, shard)
) WITHOUT ROWID, STRICT;
";

/// The version of the tables. A database of a version before is [carried over](super::carry_over) when it is opened.
const FORMAT: i64 = 2;

/// Key columns in a row.
pub(super) const SLOTS: usize = 4;

/// The number that stands for the tenant where a value must be unique among all of them.
pub(super) const ALL_TENANTS: i64 = 0;

/// Makes the tables, and carries over what an earlier version has kept.
///
/// # Errors
/// The database was written by a later version, or fails.
pub(super) fn create(tx: &Transaction<'_>) -> Result<()> {
    let is_earlier = carry_over::put_aside(tx)?;
    tx.execute_batch(TABLES)?;
    let found = tx.query_one("SELECT max(version) FROM scim_format", &[], |row| {
        row.optional_integer(0)
    })?;
    match found.flatten() {
        None => {
            tx.execute("INSERT INTO scim_format(version) VALUES (?1)", &[FORMAT.into()])?;
        }
        Some(FORMAT) => {}
        Some(later) => {
            return Err(Error::misconfigured(format!(
                "The database was written by a later version of this library, in format {later}: this version knows \
                 formats up to {FORMAT}."
            )));
        }
    }
    if is_earlier {
        carry_over::take_back(tx)?;
    }
    Ok(())
}

/// Returns the number of a resource type, and the layout its keys were made for (empty for a new type).
pub(super) fn resource_type(tx: &Transaction<'_>, name: &str) -> Result<(i64, String)> {
    tx.execute(
        "INSERT INTO scim_type(id, name, layout) SELECT coalesce(max(id), 0) + 1, ?1, '' FROM scim_type WHERE true
         ON CONFLICT(name) DO NOTHING",
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

/// Returns the number of the layout by which the documents of a type are written. It is never another layout's.
pub(super) fn document_layout(tx: &Transaction<'_>, resource_type: i64, text: &str) -> Result<i64> {
    let params = [resource_type.into(), text.into()];
    tx.execute(
        "INSERT INTO scim_layout(id, type, text) SELECT coalesce(max(id), 0) + 1, ?1, ?2 FROM scim_layout WHERE true
         ON CONFLICT(type, text) DO NOTHING",
        &params,
    )?;
    tx.query_one(
        "SELECT id FROM scim_layout WHERE type = ?1 AND text = ?2",
        &params,
        |row| row.integer(0),
    )?
    .ok_or_else(|| Error::internal("a layout vanished"))
}

/// Returns the number of an attribute.
pub(super) fn attribute(tx: &Transaction<'_>, resource_type: i64, name: &str) -> Result<i64> {
    tx.execute(
        "INSERT INTO scim_attribute(id, type, name)
         SELECT coalesce(max(id), 0) + 1, ?1, ?2 FROM scim_attribute WHERE true ON CONFLICT(type, name) DO NOTHING",
        &[resource_type.into(), name.into()],
    )?;
    tx.query_one(
        "SELECT id FROM scim_attribute WHERE type = ?1 AND name = ?2",
        &[resource_type.into(), name.into()],
        |row| row.integer(0),
    )?
    .ok_or_else(|| Error::internal("an attribute vanished"))
}

/// Returns the key column of an attribute, counted from 1; `None` if all belong to others. A column belongs to one
/// attribute for ever, so that no key is ever read as that of another.
pub(super) fn slot(tx: &Transaction<'_>, resource_type: i64, attribute: i64) -> Result<Option<usize>> {
    let taken = tx.query_all(
        "SELECT id, slot FROM scim_attribute WHERE type = ?1 AND slot IS NOT NULL",
        &[resource_type.into()],
        |row| Ok((row.integer(0)?, usize::try_from(row.integer(1)?).unwrap_or(0))),
    )?;
    if let Some((_, slot)) = taken.iter().find(|(owner, _)| *owner == attribute) {
        return Ok(Some(*slot));
    }
    let free = (1..=SLOTS).find(|slot| !taken.iter().any(|(_, other)| other == slot));
    if let Some(slot) = free {
        let number = i64::try_from(slot).map_err(Error::internal)?;
        tx.execute(
            "UPDATE scim_attribute SET slot = ?2 WHERE id = ?1",
            &[attribute.into(), number.into()],
        )?;
    }
    Ok(free)
}

/// Returns the number of a tenant, if anything was ever kept for it. Numbers are never taken back, so that it may be
/// remembered once it is committed.
pub(super) fn tenant(reader: &Reader<'_>, name: &str) -> Result<Option<i64>> {
    reader.query_one(
        "SELECT id FROM scim_tenant WHERE name = ?1",
        &[name.as_bytes().into()],
        |row| row.integer(0),
    )
}

pub(super) fn new_tenant(tx: &Transaction<'_>, name: &str) -> Result<i64> {
    tx.execute(
        "INSERT INTO scim_tenant(id, name) SELECT coalesce(max(id), 0) + 1, ?1 FROM scim_tenant WHERE true
         ON CONFLICT(name) DO NOTHING",
        &[name.as_bytes().into()],
    )?;
    tenant(tx, name)?.ok_or_else(|| Error::internal("a tenant vanished"))
}

/// How many resources of a type a tenant has, and how many were ever deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) live: u64,
    pub(super) deleted: i64,
}

pub(super) fn count(reader: &Reader<'_>, tenant: i64, resource_type: i64) -> Result<Count> {
    let count = reader.query_one(
        "SELECT coalesce(sum(n), 0), coalesce(sum(deleted), 0) FROM scim_counter WHERE tenant = ?1 AND type = ?2",
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

/// Counts resources that come or go. There is one writer, so that one row of counters suffices.
pub(super) fn counted(tx: &Transaction<'_>, tenant: i64, resource_type: i64, more: i64) -> Result<()> {
    let gone = more.min(0).saturating_neg();
    tx.execute(
        "INSERT INTO scim_counter(tenant, type, shard, n, deleted) VALUES (?1, ?2, 0, ?3, ?4)
         ON CONFLICT(tenant, type, shard)
         DO UPDATE SET n = scim_counter.n + excluded.n, deleted = scim_counter.deleted + excluded.deleted",
        &[tenant.into(), resource_type.into(), more.into(), gone.into()],
    )
    .map(drop)
}
