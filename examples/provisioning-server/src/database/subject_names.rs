//! Table `subject_name`: how people and groups were called that requests were about.

use scim::fold::user_name;
use scim::store::database::{Reader, Transaction};
use uuid::Uuid;

use super::{history, named};
use crate::domain::naming;

/// How many people and groups of one name are looked for.
const MOST_OF_A_NAME: u32 = 100;

/// Keeps a name or external id of a person or group.
pub(crate) fn insert(
    tx: &Transaction<'_>,
    organization: Uuid,
    name: &str,
    subject: &str,
) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO subject_name (org, name, subject) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        &[
            organization.as_bytes().into(),
            (&*key(name)).into(),
            subject.into(),
        ],
    )?;
    Ok(())
}

/// Returns the form in which names are compared.
fn key(name: &str) -> String {
    user_name(name.trim()).into_owned()
}

/// Returns the subject of a request that asked for a person or group of this name and was refused.
pub(super) fn asked_for(name: &str) -> String {
    format!("name:{}", key(name))
}

/// The people and groups that are or were called 2 or 3, or 4 by the provider: what has its name stands with its account or
/// group, and names that are over stand by themselves.
const MEANT: &str = "SELECT subject FROM subject_name WHERE org = ?1 AND name = ?2
    UNION SELECT b.scim_id FROM account a JOIN binding b ON b.org = a.org AND b.account = a.id
        WHERE a.org = ?1 AND a.name_key = ?2
    UNION SELECT scim_id FROM binding WHERE org = ?1 AND external_id = ?4
    UNION SELECT id FROM provisioned_group WHERE org = ?1 AND name_key = ?3
    UNION SELECT id FROM provisioned_group WHERE org = ?1 AND external_id = ?4
    ORDER BY 1 LIMIT ?5";

/// Returns the subjects that somebody means by an id, an external id or a name.
pub(super) fn meant(reader: &Reader<'_>, organization: Uuid, text: &str) -> scim::Result<Vec<String>> {
    let mut subjects = vec![text.to_owned()];
    reader.query(
        MEANT,
        &[
            organization.as_bytes().into(),
            (&*key(text)).into(),
            (&*naming::key(text)).into(),
            text.into(),
            MOST_OF_A_NAME.into(),
        ],
        |row| {
            subjects.push(row.text(0)?.to_owned());
            Ok(())
        },
    )?;
    subjects.sort_unstable();
    subjects.dedup();
    Ok(subjects)
}

/// Returns a condition of SQL, behind [`history::PERIODS`]: that some request was about the subject `s.subject` of
/// organization 1.
fn is_meant() -> String {
    format!(
        "(EXISTS (SELECT 1 FROM period p CROSS JOIN request r
             ON r.org = ?1 AND r.period = p.n AND r.resource_id = s.subject) OR {})",
        named::IS_NAMED
    )
}

/// A row of `subject_name`.
#[derive(Debug, Clone, Default)]
pub(super) struct SubjectName {
    name: String,
    subject: String,
}

/// Returns names, after one of them, by which no request can be found any more; and the last that was looked at, if there
/// are more.
pub(super) fn unused(
    reader: &Reader<'_>,
    organization: Uuid,
    after: &SubjectName,
    most: u32,
) -> scim::Result<(Vec<SubjectName>, Option<SubjectName>)> {
    let mut unused = Vec::new();
    let mut last = None;
    let mut seen = 0;
    reader.query(
        &format!(
            "{} SELECT s.name, s.subject, {} FROM subject_name s
             WHERE s.org = ?1 AND (s.name, s.subject) > (?2, ?3) ORDER BY s.name, s.subject LIMIT ?4",
            history::PERIODS,
            is_meant()
        ),
        &[
            organization.as_bytes().into(),
            (&after.name).into(),
            (&after.subject).into(),
            most.into(),
        ],
        |row| {
            let name = SubjectName {
                name: row.text(0)?.to_owned(),
                subject: row.text(1)?.to_owned(),
            };
            if !row.boolean(2)? {
                unused.push(name.clone());
            }
            seen += 1;
            last = Some(name);
            Ok(())
        },
    )?;
    Ok((unused, last.filter(|_| seen == most)))
}

/// Removes a name if no request can be found by it.
pub(super) fn remove(tx: &Transaction<'_>, organization: Uuid, name: &SubjectName) -> scim::Result<()> {
    tx.execute(
        &format!(
            "{} DELETE FROM subject_name WHERE (org, name, subject) IN (SELECT s.org, s.name, s.subject
               FROM subject_name s WHERE s.org = ?1 AND s.name = ?2 AND s.subject = ?3 AND NOT {})",
            history::PERIODS,
            is_meant()
        ),
        &[
            organization.as_bytes().into(),
            (&name.name).into(),
            (&name.subject).into(),
        ],
    )?;
    Ok(())
}
