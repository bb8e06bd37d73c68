//! The end of what a deleted organization has kept beside its people and groups.

use scim::store::database::Transaction;
use uuid::Uuid;

/// Rows that one transaction removes of a table, so that others can write in between.
const STEP: u32 = 1_000;

/// The tables that end with an organization, each with the columns that tell its rows apart within the organization. Of
/// the others, `organization`, `source`, `token` and the logs stay.
const TABLES: &[(&str, &str)] = &[
    ("account", "id"),
    ("sign_in_name", "name"),
    ("binding", "scim_id"),
    ("provisioned_group", "row"),
    ("role", "id"),
    ("role_permission", "role, permission"),
    ("mapping", "grp, role"),
    ("lost_mapping", "grp, role"),
    ("local_group", "id"),
    ("local_member", "local_group, account"),
    ("role_grant", "holder, role, origin"),
    ("permission_grant", "holder, permission, origin"),
    ("loss", "time, id"),
    ("alert", "id"),
    ("conflict", "id"),
    ("adoption", "name"),
    ("erasure", "account"),
    ("import_position", "org"),
    ("import_id", "of_file"),
    ("synchronisation", "begun"),
    ("connection", "org"),
    ("mail", "id"),
    ("session", "id"),
    ("link", "id"),
    ("setup_link", "id"),
    ("password", "account"),
    ("second_factor", "account"),
    ("recovery_code", "account, fingerprint"),
    ("device", "account, fingerprint"),
    ("attempt", "key"),
    ("saml_provider", "org"),
    ("saml_certificate", "fingerprint"),
    ("saml_assertion", "fingerprint"),
    ("saml_errand", "fingerprint"),
    ("saml_confirmation", "account"),
    ("saml_failure", "id"),
];

/// Removes some of what is left. Whether there may be more.
pub(super) fn step(tx: &Transaction<'_>, organization: Uuid) -> scim::Result<bool> {
    for (table, key) in TABLES {
        let sql = format!(
            "DELETE FROM {table} WHERE org = ?1 AND ({key}) IN (SELECT {key} FROM {table} WHERE org = ?1 LIMIT ?2)"
        );
        let removed = tx.execute(&sql, &[organization.as_bytes().into(), STEP.into()])?;
        if removed > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use scim::store::database::{Database, Options};

    use super::*;
    use crate::database::migrations;

    /// The tables that outlive an organization: what was done there can still be looked up.
    const KEPT: [&str; 15] = [
        "activity",
        "audit",
        "event",
        "history_count",
        "organization",
        "owner",
        "product_migration",
        "request",
        "request_body",
        "source",
        "subject_name",
        "token",
        "tolerance_use",
        "named",
        "named_period",
    ];

    /// Feature row 48: a new table cannot be forgotten, whether it ends with an organization or stays.
    #[test]
    fn every_table_ends_with_an_organization_or_is_kept_on_purpose() {
        let database = Database::in_memory(Options::default()).unwrap();
        let made = database.blocking_write(|tx| migrations::run(tx, Timestamp::UNIX_EPOCH));
        made.unwrap().unwrap();
        let tables = database.blocking_read(|reader| {
            let sql = "/* sqlite */ SELECT m.name FROM sqlite_schema m
                       WHERE m.type = 'table' AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) c WHERE c.name = 'org')
                       ORDER BY m.name";
            reader.query_all(sql, &[], |row| Ok(row.text(0)?.to_owned()))
        });
        let known: Vec<_> = TABLES.iter().map(|(table, _)| *table).chain(KEPT).collect();
        for table in tables.unwrap() {
            assert!(known.contains(&&*table), "{table} is neither removed nor kept");
        }
    }
}
