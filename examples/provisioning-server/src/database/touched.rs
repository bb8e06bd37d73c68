//! Tables `touched` and `subject_name`: which people and groups a request was about, and how they were called.

use scim::fold::user_name;
use scim::store::database::{Reader, Transaction};
use uuid::Uuid;

use super::history::before;
use crate::domain::history::Touched;
use crate::domain::naming;

/// How many people and groups are named for one request, beside the resource that it is about.
pub(crate) const MOST_NAMED: usize = 1_000;

/// The number of the resource that a request is about.
const RESOURCE: i64 = 1;

/// The last number of one that is named.
const LAST: i64 = RESOURCE + 1_000;

/// How many people and groups of one name are looked for.
const MOST_OF_A_NAME: u32 = 100;

/// Links a request with its resource.
pub(super) fn insert_resource(
    tx: &Transaction<'_>,
    organization: Uuid,
    sequence: Uuid,
    id: &str,
) -> scim::Result<()> {
    insert(tx, organization, sequence, id, RESOURCE)
}

/// Links a request with people and groups that it has changed with its resource: those of them that find a place, while
/// `count` is how many there are.
pub(crate) fn insert_named<'a>(
    tx: &Transaction<'_>,
    organization: Uuid,
    sequence: Uuid,
    ids: impl Iterator<Item = &'a str>,
    count: u64,
) -> scim::Result<()> {
    if count == 0 {
        return Ok(());
    }
    let mut last = tx
        .query_one(
            "SELECT number FROM touched WHERE org = ?1 AND sequence = ?2 ORDER BY number DESC LIMIT 1",
            &[organization.as_bytes().into(), sequence.as_bytes().into()],
            |row| row.integer(0),
        )?
        .unwrap_or(RESOURCE);
    let mut more = i64::try_from(count).unwrap_or(i64::MAX);
    for id in ids.take(usize::try_from(LAST.saturating_sub(last)).unwrap_or(0)) {
        last += 1;
        more -= 1;
        insert(tx, organization, sequence, id, last)?;
    }
    if more <= 0 {
        return Ok(());
    }
    tx.execute(
        "INSERT INTO touched (org, subject, sequence, number) VALUES (?1, '', ?2, ?3)
         ON CONFLICT (org, subject, sequence) DO UPDATE SET number = touched.number + ?4",
        &[
            organization.as_bytes().into(),
            sequence.as_bytes().into(),
            LAST.saturating_add(more).into(),
            more.into(),
        ],
    )?;
    Ok(())
}

fn insert(
    tx: &Transaction<'_>,
    organization: Uuid,
    sequence: Uuid,
    subject: &str,
    number: i64,
) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO touched (org, subject, sequence, number) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        &[
            organization.as_bytes().into(),
            subject.into(),
            sequence.as_bytes().into(),
            number.into(),
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

/// What a request is linked with that asked for a person or group of this name and was refused.
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

/// Returns the people and groups that a request was about.
pub(crate) fn of_request(reader: &Reader<'_>, organization: Uuid, sequence: Uuid) -> scim::Result<Touched> {
    let mut touched = Touched::default();
    reader.query(
        "SELECT subject, number FROM touched WHERE org = ?1 AND sequence = ?2 ORDER BY number",
        &[organization.as_bytes().into(), sequence.as_bytes().into()],
        |row| {
            match row.text(0)? {
                "" => touched.more = u64::try_from(row.integer(1)? - LAST).unwrap_or(0),
                subject => touched.subjects.push(subject.to_owned()),
            }
            Ok(())
        },
    )?;
    Ok(touched)
}

/// Removes the links of requests before `limit`, up to so many. Answers how many there were.
pub(super) fn purge(tx: &Transaction<'_>, organization: Uuid, limit: Uuid, most: u32) -> scim::Result<u64> {
    tx.execute(
        "DELETE FROM touched WHERE (org, subject, sequence) IN (
             SELECT org, subject, sequence FROM touched WHERE org = ?1 AND sequence < ?2 ORDER BY sequence LIMIT ?3)",
        &before(organization.as_bytes(), limit.as_bytes(), most),
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
        "SELECT s.name, s.subject,
                EXISTS (SELECT 1 FROM touched t WHERE t.org = s.org AND t.subject = s.subject)
         FROM subject_name s WHERE s.org = ?1 AND (s.name, s.subject) > (?2, ?3) ORDER BY s.name, s.subject LIMIT ?4",
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
        "DELETE FROM subject_name WHERE org = ?1 AND name = ?2 AND subject = ?3
           AND NOT EXISTS (SELECT 1 FROM touched t WHERE t.org = ?1 AND t.subject = ?3)",
        &[
            organization.as_bytes().into(),
            (&name.name).into(),
            (&name.subject).into(),
        ],
    )?;
    Ok(())
}
