//! A tenant's end.

use super::core::Core;
use super::tables;
use crate::Result;
use crate::store::sqlite::Transaction;

/// Rows that one transaction deletes, so that others can write in between.
const STEP: i64 = 1_000;

/// Deletes some of what a tenant has. Whether there is more.
pub(super) fn step<C: 'static>(core: &Core<C>, tx: &Transaction<'_>, tenant: &str) -> Result<bool> {
    let Some(number) = tables::tenant(tx, tenant)? else {
        return Ok(false);
    };
    // Values first: none may be left that leads to a row which is another's by then.
    let values = tx.execute(
        "DELETE FROM scim_value WHERE (tenant, attr, value, sub, rid) IN
           (SELECT tenant, attr, value, sub, rid FROM scim_value WHERE tenant = ?1 LIMIT ?2)",
        &[number.into(), STEP.into()],
    )?;
    if values > 0 {
        return Ok(true);
    }
    for resource_type in core.numbered.keys() {
        if delete_some(tx, number, *resource_type)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn delete_some(tx: &Transaction<'_>, tenant: i64, resource_type: i64) -> Result<bool> {
    let rids = tx.query_all(
        "SELECT rid FROM scim_resource WHERE tenant = ?1 AND type = ?2 LIMIT ?3",
        &[tenant.into(), resource_type.into(), STEP.into()],
        |row| row.integer(0),
    )?;
    for rid in &rids {
        for sql in [
            "DELETE FROM scim_edge WHERE src = ?1",
            "DELETE FROM scim_edge WHERE dst = ?1",
            "DELETE FROM scim_unique WHERE rid = ?1",
            "DELETE FROM scim_resource WHERE rid = ?1",
        ] {
            tx.execute(sql, &[(*rid).into()])?;
        }
    }
    if !rids.is_empty() {
        let gone = i64::try_from(rids.len()).unwrap_or(0);
        tables::counted(tx, tenant, resource_type, -gone)?;
    }
    Ok(!rids.is_empty())
}
