//! The rows of resources, and the rows of their keys.

use uuid::Uuid;

use super::document::{Documents, RowStamp};
use super::keys::{Keys, ValueRow};
use super::layout::{Layout, SLOTS};
use super::tables::ALL_TENANTS;
use crate::Result;
use crate::error::{Error, quoted};
use crate::store::sqlite::{Param, Reader, Row, Transaction, Value, unique_violation};

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
                hidden: row.optional_blob(6)?.map(text).transpose()?,
                visible: text(row.blob(7)?)?,
            },
        })
    }
}

fn text(bytes: &[u8]) -> Result<String> {
    std::str::from_utf8(bytes)
        .map(str::to_owned)
        .map_err(Error::internal)
}

/// An identifier as it is kept: 16 bytes if it is a UUID in its usual spelling, which saves more than half of each
/// index entry, and as it is otherwise.
pub(super) fn key_of_id(id: &str) -> Value {
    match Uuid::try_parse(id) {
        Ok(uuid) if uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == id => {
            Value::Blob(uuid.as_bytes().to_vec())
        }
        _ => Value::Text(id.to_owned()),
    }
}

/// The identifier in a column.
pub(super) fn id_of(row: &Row<'_>, column: usize) -> Result<String> {
    match row.get(column)? {
        Param::Blob(bytes) => Uuid::from_slice(bytes)
            .map(|uuid| uuid.to_string())
            .map_err(Error::internal),
        Param::Text(text) => Ok(text.to_owned()),
        _ => Err(Error::internal("an identifier is neither text nor bytes")),
    }
}

pub(super) fn find(reader: &Reader<'_>, layout: &Layout, tenant: i64, id: &str) -> Result<Option<StoredRow>> {
    reader.query_one(
        "SELECT r.rid, r.version, r.created, r.modified, r.edges, r.layout, r.hidden, r.doc
         FROM scim_resource r WHERE r.tenant = ?1 AND r.type = ?2 AND r.id = ?3",
        &[tenant.into(), layout.number.into(), key_of_id(id).as_param()],
        StoredRow::read,
    )
}

/// Makes the row of a new resource and the rows of its keys.
pub(super) fn insert(
    tx: &Transaction<'_>,
    layout: &Layout,
    tenant: i64,
    id: &str,
    stamp: RowStamp,
    documents: &Documents,
    keys: &Keys,
) -> Result<i64> {
    let id = key_of_id(id);
    let [k1, k2, k3, k4] = &keys.slots;
    tx.execute(
        "INSERT INTO scim_resource(tenant, type, id, version, created, modified, edges,
                                   k1, k2, k3, k4, label, layout, hidden, doc)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        &[
            tenant.into(),
            layout.number.into(),
            id.as_param(),
            stamp.version.into(),
            stamp.created.into(),
            stamp.modified.into(),
            k1.into(),
            k2.into(),
            k3.into(),
            k4.into(),
            keys.label.as_ref().into(),
            layout.documents.into(),
            documents.hidden.as_ref().map(String::as_bytes).into(),
            documents.visible.as_bytes().into(),
        ],
    )
    .map_err(|error| taken_slot(layout, keys, error))?;
    let rid = tx.last_insert_id();
    for value in &keys.values {
        insert_value(tx, tenant, rid, value)?;
    }
    insert_uniques(tx, layout, tenant, rid, keys)?;
    Ok(rid)
}

/// Writes the next state of a resource. `before` are the keys it had, where the layout has rows for values.
pub(super) fn update(
    tx: &Transaction<'_>,
    layout: &Layout,
    tenant: i64,
    next: &StoredRow,
    keys: &Keys,
    before: Option<&Keys>,
) -> Result<()> {
    let [k1, k2, k3, k4] = &keys.slots;
    tx.execute(
        "UPDATE scim_resource SET version = ?2, modified = ?3, edges = ?4,
                k1 = ?5, k2 = ?6, k3 = ?7, k4 = ?8, label = ?9, layout = ?10, hidden = ?11, doc = ?12
         WHERE rid = ?1",
        &[
            next.rid.into(),
            next.stamp.version.into(),
            next.stamp.modified.into(),
            next.edges.into(),
            k1.into(),
            k2.into(),
            k3.into(),
            k4.into(),
            keys.label.as_ref().into(),
            layout.documents.into(),
            next.documents.hidden.as_ref().map(String::as_bytes).into(),
            next.documents.visible.as_bytes().into(),
        ],
    )
    .map_err(|error| taken_slot(layout, keys, error))?;
    if let Some(before) = before {
        for value in before.values.iter().filter(|value| !keys.values.contains(value)) {
            delete_value(tx, tenant, next.rid, value)?;
        }
        for value in keys.values.iter().filter(|value| !before.values.contains(value)) {
            insert_value(tx, tenant, next.rid, value)?;
        }
    }
    if !layout.uniques.is_empty() {
        delete_uniques(tx, next.rid)?;
        insert_uniques(tx, layout, tenant, next.rid, keys)?;
    }
    Ok(())
}

/// Writes a new stamp and nothing else: what a change of edges does to the resource that has them.
pub(super) fn restamp(tx: &Transaction<'_>, next: &StoredRow) -> Result<()> {
    tx.execute(
        "UPDATE scim_resource SET version = ?2, modified = ?3, edges = ?4, doc = ?5 WHERE rid = ?1",
        &[
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
    if !layout.uniques.is_empty() {
        delete_uniques(tx, rid)?;
    }
    tx.execute("DELETE FROM scim_resource WHERE rid = ?1", &[rid.into()])
        .map(drop)
}

pub(super) fn insert_value(tx: &Transaction<'_>, tenant: i64, rid: i64, row: &ValueRow) -> Result<()> {
    tx.execute(
        "INSERT INTO scim_value(tenant, attr, value, sub, rid) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[
            tenant.into(),
            row.attribute.into(),
            (&row.value).into(),
            (&row.kind).into(),
            rid.into(),
        ],
    )
    .map(drop)
}

fn delete_value(tx: &Transaction<'_>, tenant: i64, rid: i64, row: &ValueRow) -> Result<()> {
    tx.execute(
        "DELETE FROM scim_value WHERE tenant = ?1 AND attr = ?2 AND value = ?3 AND sub = ?4 AND rid = ?5",
        &[
            tenant.into(),
            row.attribute.into(),
            (&row.value).into(),
            (&row.kind).into(),
            rid.into(),
        ],
    )
    .map(drop)
}

fn delete_uniques(tx: &Transaction<'_>, rid: i64) -> Result<()> {
    tx.execute("DELETE FROM scim_unique WHERE rid = ?1", &[rid.into()])
        .map(drop)
}

pub(super) fn insert_uniques(
    tx: &Transaction<'_>,
    layout: &Layout,
    tenant: i64,
    rid: i64,
    keys: &Keys,
) -> Result<()> {
    for (position, value) in &keys.uniques {
        let Some(unique) = layout.uniques.get(*position) else {
            continue;
        };
        let scope = if unique.global { ALL_TENANTS } else { tenant };
        tx.execute(
            "INSERT INTO scim_unique(tenant, attr, value, rid) VALUES (?1, ?2, ?3, ?4)",
            &[scope.into(), unique.number.into(), value.into(), rid.into()],
        )
        .map_err(|error| match unique_violation(&error) {
            Some(_) => taken(layout, &layout.name(unique.holder), value),
            None => error,
        })?;
    }
    Ok(())
}

/// Says whose value is taken, where the index of a key column has refused it.
fn taken_slot(layout: &Layout, keys: &Keys, error: Error) -> Error {
    let Some(columns) = unique_violation(&error) else {
        return error;
    };
    (1..=SLOTS)
        .find(|slot| columns.ends_with(&format!("scim_resource.k{slot}")))
        .and_then(|slot| Some((layout.slots.get(slot - 1)?, keys.slots.get(slot - 1)?)))
        .map(|(slot, key)| taken(layout, &layout.name(slot.path), key))
        .unwrap_or(error)
}

fn taken(layout: &Layout, attribute: &str, key: &Value) -> Error {
    let key = match key {
        Value::Text(text) => quoted(text),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Null | Value::Blob(_) => "of this resource".to_owned(),
    };
    let name = layout.resource_type.name;
    Error::uniqueness(format!(
        "must be unique, and another {name} has the value {key} already"
    ))
    .at(attribute.to_owned())
}
