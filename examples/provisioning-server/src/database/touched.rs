//! Tables `touched` and `subject_name`: which people and groups a request was about, and how they were called.

use scim::fold::user_name;
use scim::store::database::{Reader, Transaction};
use uuid::Uuid;

use super::history::before;
use super::named;
use crate::domain::history::Touched;
use crate::domain::naming;

/// How many people and groups of one name are looked for.
const MOST_OF_A_NAME: u32 = 100;

/// Links a request with its resource.
pub(super) fn insert(
    tx: &Transaction<'_>,
    organization: Uuid,
    sequence: Uuid,
    subject: &str,
) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO touched (org, subject, sequence) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        &[
            organization.as_bytes().into(),
            subject.into(),
            sequence.as_bytes().into(),
        ],
    )?;
    Ok(())
}

/// Keeps a name or external id of a person or group.
pub(crate) fn insert_name(
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

/// The form in which names are compared.
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
    let mut subjects = vec![text.to_owned(), asked_for(text)];
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

/// Returns the people and groups that a request was about: its resource first.
pub(crate) fn of_request(reader: &Reader<'_>, organization: Uuid, sequence: Uuid) -> scim::Result<Touched> {
    let mut subjects = reader.query_all(
        "SELECT subject FROM touched WHERE org = ?1 AND sequence = ?2",
        &[organization.as_bytes().into(), sequence.as_bytes().into()],
        |row| Ok(row.text(0)?.to_owned()),
    )?;
    let (named, more) = named::of_request(reader, organization, sequence)?;
    subjects.extend(named);
    Ok(Touched { subjects, more })
}

/// Removes the links of requests before `limit`, up to so many. Answers how many there were.
pub(super) fn purge(tx: &Transaction<'_>, organization: Uuid, limit: Uuid, most: u32) -> scim::Result<u64> {
    tx.execute(
        "DELETE FROM touched WHERE (org, subject, sequence) IN (
             SELECT org, subject, sequence FROM touched WHERE org = ?1 AND sequence < ?2 ORDER BY sequence LIMIT ?3)",
        &before(organization.as_bytes(), limit.as_bytes(), most),
    )
}

/// A condition of SQL: that some request was about the subject `s.subject` of organization `s.org`.
const IS_TOUCHED: &str = "EXISTS (SELECT 1 FROM touched t WHERE t.org = s.org AND t.subject = s.subject)";

/// A row of `subject_name`.
#[derive(Debug, Clone, Default)]
pub(super) struct SubjectName {
    name: String,
    subject: String,
}

/// Returns names, after one of them, by which no request can be found any more; and the last that was looked at, if there
/// are more.
pub(super) fn unused_names(
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
            "SELECT s.name, s.subject, {IS_TOUCHED} OR {} FROM subject_name s
             WHERE s.org = ?1 AND (s.name, s.subject) > (?2, ?3) ORDER BY s.name, s.subject LIMIT ?4",
            named::IS_NAMED
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
pub(super) fn remove_name(tx: &Transaction<'_>, organization: Uuid, name: &SubjectName) -> scim::Result<()> {
    tx.execute(
        &format!(
            "DELETE FROM subject_name WHERE (org, name, subject) IN (SELECT s.org, s.name, s.subject FROM subject_name s
               WHERE s.org = ?1 AND s.name = ?2 AND s.subject = ?3 AND NOT ({IS_TOUCHED} OR {}))",
            named::IS_NAMED
        ),
        &[
            organization.as_bytes().into(),
            (&name.name).into(),
            (&name.subject).into(),
        ],
    )?;
    Ok(())
}
