//! Carries a database over that the version before has written, once, when it is opened.

use crate::Result;
use crate::store::database::Transaction;

/// The tables of format 1.
const EARLIER: [&str; 9] = [
    "scim_tenant",
    "scim_type",
    "scim_layout",
    "scim_attribute",
    "scim_resource",
    "scim_value",
    "scim_unique",
    "scim_edge",
    "scim_counter",
];

/// Takes the rows of format 1 into the tables of today. Ids become bytes, edges get their tenant; keys are made again
/// from the documents, because the types count as new.
const TAKE_BACK: &str = "
INSERT INTO scim_tenant(id, name) SELECT id, CAST(name AS BLOB) FROM earlier_scim_tenant;
INSERT INTO scim_type(id, name, layout) SELECT id, name, '' FROM earlier_scim_type;
INSERT INTO scim_layout(id, type, text) SELECT id, type, text FROM earlier_scim_layout;
INSERT INTO scim_attribute(id, type, name) SELECT id, type, name FROM earlier_scim_attribute;
INSERT INTO scim_resource(rid, tenant, type, id, version, created, modified, edges, layout, hidden, doc)
  SELECT rid, tenant, type,
         CASE typeof(id) WHEN 'blob' THEN CAST(x'06' || id AS BLOB) ELSE CAST(x'04' || id AS BLOB) END,
         version, created, modified, edges, layout, hidden, doc
  FROM earlier_scim_resource;
INSERT INTO scim_edge(tenant, src, attr, dst)
  SELECT r.tenant, e.src, e.attr, e.dst FROM earlier_scim_edge e JOIN earlier_scim_resource r ON r.rid = e.src;
INSERT INTO scim_counter(tenant, type, shard, n, deleted)
  SELECT tenant, type, 0, n, deleted FROM earlier_scim_counter;
";

/// Renames the tables of format 1, if the database has them. Says whether it has.
pub(super) fn put_aside(tx: &Transaction<'_>) -> Result<bool> {
    if has_table(tx, "scim_format")? || !has_table(tx, "scim_resource")? {
        return Ok(false);
    }
    complete(tx)?;
    let indexes = tx.query_all(
        "/* sqlite */ SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND tbl_name LIKE 'scim\\_%' ESCAPE '\\'",
        &[],
        |row| row.text(0).map(str::to_owned),
    )?;
    for index in indexes {
        tx.execute_batch(&format!("DROP INDEX {index}"))?;
    }
    for table in EARLIER {
        tx.execute_batch(&format!("ALTER TABLE {table} RENAME TO earlier_{table}"))?;
    }
    Ok(true)
}

/// Completes the tables. The first versions of format 1 did not say by which layout a document was written: 0 is none
/// of them.
fn complete(tx: &Transaction<'_>) -> Result<()> {
    let sql = "/* sqlite */ SELECT 1 FROM pragma_table_info('scim_resource') WHERE name = 'layout'";
    if tx.query_one(sql, &[], |_| Ok(()))?.is_none() {
        tx.execute_batch(
            "ALTER TABLE scim_resource ADD COLUMN layout INTEGER NOT NULL DEFAULT 0;
             CREATE TABLE scim_layout(
               id INTEGER PRIMARY KEY, type INTEGER NOT NULL, text TEXT NOT NULL, UNIQUE(type, text)
             ) STRICT;",
        )?;
    }
    Ok(())
}

fn has_table(tx: &Transaction<'_>, name: &str) -> Result<bool> {
    let sql = "/* sqlite */ SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1";
    Ok(tx.query_one(sql, &[name.into()], |_| Ok(()))?.is_some())
}

/// Fills the tables of today with what was put aside.
pub(super) fn take_back(tx: &Transaction<'_>) -> Result<()> {
    tx.execute_batch(TAKE_BACK)?;
    for table in EARLIER {
        tx.execute_batch(&format!("DROP TABLE earlier_{table}"))?;
    }
    Ok(())
}
