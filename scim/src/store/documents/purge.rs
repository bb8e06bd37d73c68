//! A tenant's end.

use super::core::Core;
use super::keys::Keys;
use super::kind::Decode;
use super::layout::Layout;
use super::rows::{self, COLUMNS, StoredRow};
use super::tables;
use crate::Result;
use crate::store::database::Transaction;

/// Rows that one transaction deletes, so that others can write in between.
const STEP: i64 = 1_000;

/// Deletes some of what a tenant has. Whether there is more.
pub(super) fn step<C: 'static>(core: &Core<C>, tx: &Transaction<'_>, tenant: &str) -> Result<bool> {
    let Some(number) = tables::tenant(tx, tenant)? else {
        return Ok(false);
    };
    for (layout, kind) in core.numbered.values() {
        if delete_some(tx, number, layout, kind.decode)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Deletes some resources of a type, with their keys and edges.
fn delete_some(tx: &Transaction<'_>, tenant: i64, layout: &Layout, decode: Decode) -> Result<bool> {
    let some = tx.query_all(
        &format!("SELECT {COLUMNS} FROM scim_resource r WHERE r.tenant = ?1 AND r.type = ?2 LIMIT ?3"),
        &[tenant.into(), layout.number.into(), STEP.into()],
        StoredRow::read,
    )?;
    for row in &some {
        let params = [tenant.into(), row.rid.into()];
        tx.execute("DELETE FROM scim_edge WHERE tenant = ?1 AND src = ?2", &params)?;
        tx.execute("DELETE FROM scim_edge WHERE tenant = ?1 AND dst = ?2", &params)?;
        let keys = match layout.has_key_rows() {
            true => Some(Keys::of(layout, &*decode(&row.documents)?.record)),
            false => None,
        };
        rows::delete(tx, layout, tenant, row.rid, keys.as_ref())?;
    }
    if !some.is_empty() {
        let gone = i64::try_from(some.len()).unwrap_or(0);
        tables::counted(tx, tenant, layout.number, -gone)?;
    }
    Ok(!some.is_empty())
}
