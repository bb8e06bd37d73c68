//! The end of everything by which a removed person was known, wherever it stands.

use scim::store::database::{Param, Reader, Transaction};
use uuid::Uuid;

use super::{history, read_id, subject_names};
use crate::domain::account::name_key;
use crate::domain::erasure::Mentions;

/// A table with texts that may name somebody.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Texts {
    table: &'static str,
    /// The column that tells its rows apart within the organization: a blob.
    key: &'static str,
    columns: &'static [&'static str],
}

const fn texts(table: &'static str, key: &'static str, columns: &'static [&'static str]) -> Texts {
    Texts { table, key, columns }
}

/// All such tables, but for what is the person's own: that is erased last, so that a run that was killed can be gone on with.
pub(crate) const ALL: &[Texts] = &[
    texts(
        "request",
        "sequence",
        &["path", "sentence", "external_id", "request_id", "notes", "error"],
    ),
    texts("request_body", "sequence", &["body"]),
    texts("audit", "sequence", &["actor", "subject_name", "detail"]),
    texts("event", "sequence", &["data"]),
    texts("conflict", "id", &["subject", "name", "external_id", "detail"]),
    texts("account", "id", &["suspended_reason", "suspended_by"]),
    texts("alert", "id", &["sentence", "causes"]),
    texts("mail", "id", &["recipient", "error", "params"]),
];

/// A row in which somebody is named, with its texts as they are to be.
#[derive(Debug, Clone)]
pub(crate) struct Changed {
    key: Uuid,
    texts: Vec<Option<String>>,
}

/// Notes that the erasure of an account has begun. Answers with whether it had not before.
pub(crate) fn begin(tx: &Transaction<'_>, organization: Uuid, account: Uuid) -> scim::Result<bool> {
    let begun = tx.execute(
        "INSERT INTO erasure (org, account) VALUES (?1, ?2) ON CONFLICT (org, account) DO NOTHING",
        &[organization.as_bytes().into(), account.as_bytes().into()],
    )?;
    Ok(begun > 0)
}

/// Returns the accounts whose erasure has begun and is not done, with their organizations.
pub(crate) fn begun(reader: &Reader<'_>) -> scim::Result<Vec<(Uuid, Uuid)>> {
    reader.query_all(
        "SELECT org, account FROM erasure ORDER BY org, account",
        &[],
        |row| Ok((read_id(row.blob(0)?)?, read_id(row.blob(1)?)?)),
    )
}

/// Notes that the erasure of an account is done, or that there is nothing to erase.
pub(crate) fn end(tx: &Transaction<'_>, organization: Uuid, account: Uuid) -> scim::Result<()> {
    tx.execute(
        "DELETE FROM erasure WHERE org = ?1 AND account = ?2",
        &[organization.as_bytes().into(), account.as_bytes().into()],
    )?;
    Ok(())
}

/// Looks at the next rows behind a key. Answers those that change, and the last key if there may be more.
pub(crate) fn look(
    reader: &Reader<'_>,
    organization: Uuid,
    of: Texts,
    mentions: &Mentions,
    behind: Uuid,
    most: u32,
) -> scim::Result<(Vec<Changed>, Option<Uuid>)> {
    let Texts { table, key, columns } = of;
    let sql = format!(
        "SELECT {key}, {} FROM {table} WHERE org = ?1 AND {key} > ?2 ORDER BY {key} LIMIT ?3",
        columns.join(", ")
    );
    let params = [
        organization.as_bytes().into(),
        behind.as_bytes().into(),
        most.into(),
    ];
    let (mut changed, mut last, mut seen) = (Vec::new(), behind, 0);
    reader.query(&sql, &params, |row| {
        last = read_id(row.blob(0)?)?;
        seen += 1;
        let mut is_named = false;
        let mut texts = Vec::new();
        for column in 1..=columns.len() {
            let text = row.optional_text(column)?;
            let replaced = text.and_then(|text| mentions.replace(text));
            is_named |= replaced.is_some();
            texts.push(replaced.or_else(|| text.map(str::to_owned)));
        }
        if is_named {
            changed.push(Changed { key: last, texts });
        }
        Ok(())
    })?;
    Ok((changed, (seen == most).then_some(last)))
}

/// Writes rows as they are to be.
pub(crate) fn write(
    tx: &Transaction<'_>,
    organization: Uuid,
    of: Texts,
    changed: &[Changed],
) -> scim::Result<()> {
    let set: Vec<_> = (3..)
        .zip(of.columns)
        .map(|(n, column)| format!("{column} = ?{n}"))
        .collect();
    let sql = format!(
        "UPDATE {} SET {} WHERE org = ?1 AND {} = ?2",
        of.table,
        set.join(", "),
        of.key
    );
    for row in changed {
        let mut params: Vec<Param<'_>> = vec![organization.as_bytes().into(), row.key.as_bytes().into()];
        params.extend(row.texts.iter().map(|text| Param::from(text.as_ref())));
        tx.execute(&sql, &params)?;
    }
    Ok(())
}

/// Returns the names and identifiers by which somebody over SCIM was ever known.
pub(crate) fn names(reader: &Reader<'_>, organization: Uuid, scim_id: &str) -> scim::Result<Vec<String>> {
    reader.query_all(
        "SELECT name FROM subject_name WHERE org = ?1 AND subject = ?2",
        &[organization.as_bytes().into(), scim_id.into()],
        |row| Ok(row.text(0)?.to_owned()),
    )
}

/// Erases what is kept under the names and ids of somebody: links of requests that were refused, what was confirmed for a
/// name, who has given or mapped something, and the names by which requests are found.
pub(crate) fn erase_names(
    tx: &Transaction<'_>,
    organization: Uuid,
    scim_ids: &[String],
    known: &[String],
    pseudonym: &str,
) -> scim::Result<()> {
    for name in known {
        for table in ["role_grant", "permission_grant", "mapping"] {
            tx.execute(
                &format!("UPDATE {table} SET by_whom = ?3 WHERE org = ?1 AND by_whom = ?2"),
                &[organization.as_bytes().into(), name.into(), pseudonym.into()],
            )?;
        }
        tx.execute(
            "UPDATE request SET asked_for = ?3 WHERE org = ?1 AND asked_for = ?2",
            &[
                organization.as_bytes().into(),
                (&subject_names::asked_for(name)).into(),
                (&subject_names::asked_for(pseudonym)).into(),
            ],
        )?;
        tx.execute(
            "DELETE FROM adoption WHERE org = ?1 AND name = ?2",
            &[organization.as_bytes().into(), (&name_key(name)).into()],
        )?;
    }
    for id in scim_ids {
        tx.execute(
            "DELETE FROM subject_name WHERE org = ?1 AND subject = ?2",
            &[organization.as_bytes().into(), id.into()],
        )?;
        subject_names::insert(tx, organization, pseudonym, id)?;
        tx.execute(
            "UPDATE binding SET external_id = NULL WHERE org = ?1 AND scim_id = ?2",
            &[organization.as_bytes().into(), id.into()],
        )?;
    }
    Ok(())
}

/// Removes the bodies of requests about somebody: not all that stands in them is known by name.
pub(crate) fn remove_bodies(
    tx: &Transaction<'_>,
    organization: Uuid,
    scim_id: &str,
    most: u32,
) -> scim::Result<u64> {
    tx.execute(
        &format!(
            "{} DELETE FROM request_body WHERE org = ?1 AND sequence IN (
                 SELECT b.sequence FROM period p
                     CROSS JOIN request r ON r.org = ?1 AND r.period = p.n AND r.resource_id = ?2
                     CROSS JOIN request_body b ON b.org = r.org AND b.sequence = r.sequence LIMIT ?3)",
            history::PERIODS
        ),
        &[organization.as_bytes().into(), scim_id.into(), most.into()],
    )
}
