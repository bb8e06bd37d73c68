//! The rules for statements that run on SQLite and on PostgreSQL alike.
//!
//! A debug build checks every text that it prepares where [`Options::portable`](super::Options::portable) asks for it, as
//! the tests of the document store do. A text for SQLite alone begins with [`OWN`].

use crate::{Error, Result};

/// The beginning of a statement that is SQLite's own: another engine has one of its own in its place.
pub(super) const OWN: &str = "/* sqlite */";

/// Tables whose rows belong to a tenant: a statement that does not say of which would read them all.
const OF_TENANTS: [&str; 5] = [
    "scim_resource",
    "scim_value",
    "scim_unique",
    "scim_edge",
    "scim_counter",
];

/// Words that only SQLite knows, or that keep a database from being shared by several servers.
const FORBIDDEN: [(&str, &str); 18] = [
    ("autoincrement", "the application makes the keys of rows"),
    ("glob", "use a range of keys"),
    ("ifnull", "use coalesce"),
    ("indexed", "the planner must find the index"),
    ("instr", "use a range of keys"),
    ("json_each", "it is SQLite's own"),
    ("json_extract", "keep a column"),
    ("like", "use a range of keys"),
    ("listen", "leases are polled"),
    ("nextval", "the application makes the keys of rows"),
    ("notify", "leases are polled"),
    ("randomblob", "the application makes what is random"),
    ("replace", "use ON CONFLICT"),
    ("rowid", "name the key"),
    ("temp", "several servers do not share a temporary table"),
    ("temporary", "several servers do not share a temporary table"),
    ("trigger", "the application writes everything that it means to"),
    ("typeof", "columns have one type"),
];

/// Checks the text of a statement.
///
/// # Errors
/// The rule that it breaks, for the programmer.
pub(super) fn check(sql: &str) -> Result<()> {
    if is_own(sql) {
        return Ok(());
    }
    let words: Vec<_> = words(sql).collect();
    let has = |word: &str| words.iter().any(|found| found == word);
    for (word, remedy) in FORBIDDEN {
        if has(word) {
            return Err(broken(sql, &format!("\"{word}\" is not portable: {remedy}")));
        }
    }
    let table = OF_TENANTS.iter().find(|table| has(table));
    match table.filter(|_| !has("tenant")) {
        Some(table) => Err(broken(
            sql,
            &format!("it does not say whose rows of {table} it means"),
        )),
        None => Ok(()),
    }
}

fn is_own(sql: &str) -> bool {
    let sql = sql.trim_start();
    sql.starts_with(OWN) || ["pragma", "explain"].iter().any(|word| begins_with(sql, word))
}

fn begins_with(sql: &str, word: &str) -> bool {
    sql.get(..word.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// Returns the words of a statement in lower case, but for those in quotes.
fn words(sql: &str) -> impl Iterator<Item = String> {
    let outside = sql.split('\'').step_by(2);
    outside.flat_map(|part| {
        part.split(|character: char| !character.is_ascii_alphanumeric() && character != '_')
            .filter(|word| !word.is_empty())
            .map(str::to_ascii_lowercase)
    })
}

fn broken(sql: &str, rule: &str) -> Error {
    Error::internal(format!(
        "a statement breaks a rule of the database seam: {rule}: {sql}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A statement that one engine alone takes is found when it is prepared, not when the engine is changed.
    #[test]
    fn what_only_one_engine_takes_is_refused() {
        for sql in [
            "INSERT OR REPLACE INTO note VALUES (?1)",
            "SELECT rowid FROM note",
            "SELECT value FROM json_each(?1)",
            "CREATE TEMP TABLE t(x)",
            "SELECT 1 FROM scim_resource WHERE rid = ?1",
            "UPDATE scim_edge SET dst = ?1 WHERE src = ?2",
        ] {
            assert!(check(sql).is_err(), "{sql}");
        }
        for sql in [
            "SELECT 1 FROM scim_resource WHERE tenant = ?1 AND rid = ?2",
            "/* sqlite */ SELECT value FROM json_each(?1)",
            "PRAGMA integrity_check",
            "SELECT id FROM scim_tenant WHERE name = ?1",
            "INSERT INTO note(body) VALUES ('replace or like')",
        ] {
            check(sql).unwrap();
        }
    }
}
