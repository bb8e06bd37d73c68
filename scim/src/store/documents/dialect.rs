//! SQLite's own SQL: what another engine says in another way.
//!
//! All other statements are written once, with numbered parameters, and with `CROSS JOIN … ON` and a unary plus where
//! the planner must keep to the order in which they name their tables and indexes.

/// Some rows with those that lead to them: tenant, rows, attribute, how many at most.
pub(super) const PAIRS: &str = "/* sqlite */ SELECT e.dst, e.src
    FROM json_each(?2) j CROSS JOIN scim_edge e ON e.tenant = ?1 AND e.dst = j.value AND e.attr = ?3 LIMIT ?4";

/// Some rows with their id and label: tenant, rows.
pub(super) const OWNERS: &str = "/* sqlite */ SELECT g.rid, g.id, g.label
    FROM json_each(?2) j CROSS JOIN scim_resource g ON g.tenant = ?1 AND g.rid = j.value";

/// Writes a list of rows as one parameter.
pub(super) fn list<'i>(rids: impl IntoIterator<Item = &'i i64>) -> String {
    let list: Vec<_> = rids.into_iter().map(i64::to_string).collect();
    format!("[{}]", list.join(","))
}
