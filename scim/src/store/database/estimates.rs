//! Estimates for the planner, which knows nothing of a table before it is told.

use super::connection::Connection;
use super::failure::failed;
use crate::Result;

/// Rows that a table is expected to have.
const ROWS: u64 = 1_000_000;

/// Rows of one tenant among them.
const OF_TENANT: u64 = 100_000;

/// An index of some of the rows has one of so many: it is there for what is rare, unless it sees to it that values differ.
const RARE: u64 = 100;

/// Rows that have the same values in the first columns of a key, the tenant among them. Further columns take one row off.
const ALIKE: u64 = 10;

/// The least of them, as long as the key may be there twice.
const LEAST: u64 = 5;

/// Writes what is expected of the keys of each table that has one which begins with a column, in place of what was expected
/// of them before.
pub(super) fn write(connection: &Connection, column: &str) -> Result<()> {
    let driver = connection.driver();
    // Makes the table of estimates, if there is none.
    driver.execute_batch("ANALYZE sqlite_schema").map_err(failed)?;
    let wanted = wanted();
    for change in [
        "DELETE FROM sqlite_stat1 WHERE (tbl, idx) IN (SELECT tbl, idx FROM wanted)",
        "INSERT INTO sqlite_stat1 (tbl, idx, stat) SELECT tbl, idx, stat FROM wanted",
    ] {
        let sql = format!("WITH {wanted} {change}");
        driver.execute(&sql, [column]).map_err(failed)?;
    }
    // The planner reads them.
    driver.execute_batch("ANALYZE sqlite_schema").map_err(failed)
}

/// Returns the part of a statement that names the estimates: one row for each key, with the rows of the table, and how many
/// of them are alike in the first column, in the first two, and so on. A key that is unique has one row for all of its
/// columns. The key of a table without row ids bears the name of the table. There may be as many tenants as rows: nothing is
/// gained by a walk from one to the next (`noskipscan`).
fn wanted() -> String {
    format!(
        "keys AS (
             SELECT t.name AS tbl, CASE WHEN t.wr AND i.origin = 'pk' THEN t.name ELSE i.name END AS idx, i.name AS key,
                 i.\"unique\" AS is_unique, CASE WHEN i.partial AND NOT i.\"unique\" THEN {RARE} ELSE 1 END AS rare
             FROM pragma_table_list t CROSS JOIN pragma_index_list(t.name) i
             WHERE t.schema = 'main' AND t.type = 'table'
         ), columns AS (
             SELECT k.tbl, k.idx, k.is_unique, k.rare, c.seqno, c.name, count(*) OVER (PARTITION BY k.key) AS many
             FROM keys k CROSS JOIN pragma_index_info(k.key) c
         ), estimates AS (
             SELECT tbl, idx, rare, seqno, CASE
                 WHEN is_unique AND seqno = many - 1 THEN 1
                 WHEN seqno = 0 AND name = ?1 THEN {OF_TENANT} / rare
                 ELSE max({ALIKE} - seqno, {LEAST})
             END AS alike
             FROM columns
         ), wanted AS (
             SELECT tbl, idx, ({ROWS} / rare) || ' ' || group_concat(alike, ' ') || ' noskipscan' AS stat
             FROM (SELECT * FROM estimates ORDER BY tbl, idx, seqno)
             WHERE tbl IN (SELECT tbl FROM columns WHERE seqno = 0 AND name = ?1)
             GROUP BY tbl, idx
         )"
    )
}
