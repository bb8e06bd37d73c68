//! Tables `loss` and `alert`: rights that were taken away, and the alerts about many of them at once.

use std::collections::BTreeSet;

use jiff::Timestamp;
use scim::store::database::{Reader, Row, Transaction};
use serde_json::json;
use uuid::Uuid;

use super::accounts::read_word;
use super::{read_id, read_time};
use crate::domain::keyword::Keyword;
use crate::domain::mass_change::{Alert, Loss, LossKind};

/// Losses of one cause that are listed one by one; the others are counted together.
pub(crate) const MOST_LISTED: usize = 1_000;

pub(crate) fn insert(tx: &Transaction<'_>, organization: Uuid, loss: &Loss) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO loss (org, time, id, kind, cause, account, people) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &[
            organization.as_bytes().into(),
            loss.time.as_microsecond().into(),
            Uuid::now_v7().as_bytes().into(),
            loss.kind.word().into(),
            (&loss.cause).into(),
            loss.account.as_ref().map(Uuid::as_bytes).into(),
            integer(loss.people).into(),
        ],
    )?;
    Ok(())
}

/// Returns the losses of an organization since a time, those of one cause together but for the people who are named: the first
/// thousand of them.
pub(crate) fn since(reader: &Reader<'_>, organization: Uuid, from: Timestamp) -> scim::Result<Vec<Loss>> {
    let mut losses = reader.query_all(
        "SELECT max(time), kind, cause, NULL, sum(people) FROM loss WHERE org = ?1 AND time >= ?2 GROUP BY kind, cause",
        &[organization.as_bytes().into(), from.as_microsecond().into()],
        read,
    )?;
    // Named people are part of the sums: they are told of without being counted twice.
    let named = reader.query_all(
        "SELECT time, kind, cause, account, 0 FROM loss WHERE org = ?1 AND time >= ?2 AND account IS NOT NULL
         ORDER BY time LIMIT ?3",
        &[
            organization.as_bytes().into(),
            from.as_microsecond().into(),
            i64::try_from(MOST_LISTED).unwrap_or(i64::MAX).into(),
        ],
        read,
    )?;
    losses.extend(named);
    Ok(losses)
}

fn read(row: &Row<'_>) -> scim::Result<Loss> {
    Ok(Loss {
        time: read_time(row.integer(0)?)?,
        kind: read_word(row.text(1)?)?,
        cause: row.text(2)?.to_owned(),
        account: row.optional_blob(3)?.map(read_id).transpose()?,
        people: u64::try_from(row.integer(4)?).unwrap_or(0),
    })
}

/// Forgets the losses before a time. Answers with how many there were, up to `most`.
pub(crate) fn forget(tx: &Transaction<'_>, before: Timestamp, most: u32) -> scim::Result<u64> {
    tx.execute(
        "DELETE FROM loss WHERE (org, time, id) IN (SELECT org, time, id FROM loss WHERE time < ?1 LIMIT ?2)",
        &[before.as_microsecond().into(), most.into()],
    )
}

/// Returns the organizations in which somebody has lost something since a time.
pub(crate) fn organizations_since(reader: &Reader<'_>, from: Timestamp) -> scim::Result<Vec<Uuid>> {
    let mut organizations = BTreeSet::new();
    reader.query(
        "SELECT org FROM loss WHERE time >= ?1",
        &[from.as_microsecond().into()],
        |row| {
            organizations.insert(read_id(row.blob(0)?)?);
            Ok(())
        },
    )?;
    Ok(organizations.into_iter().collect())
}

/// An alert as it was raised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Raised {
    pub(crate) id: Uuid,
    pub(crate) time: Timestamp,
    pub(crate) kind: LossKind,
    pub(crate) people: u64,
    pub(crate) threshold: u32,
    pub(crate) sentence: String,
    /// The causes with how many people each has hit, as JSON.
    pub(crate) causes: serde_json::Value,
    /// When an administrator has seen it.
    pub(crate) seen: Option<Timestamp>,
}

/// Keeps an alert.
pub(crate) fn raise(
    tx: &Transaction<'_>,
    organization: Uuid,
    alert: &Alert,
    now: Timestamp,
) -> scim::Result<()> {
    let causes = alert
        .causes
        .iter()
        .map(|(cause, people)| json!({ "cause": cause, "people": people }));
    let causes = serde_json::Value::Array(causes.take(20).collect());
    tx.execute(
        "INSERT INTO alert (org, id, time, kind, people, threshold, sentence, causes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &[
            organization.as_bytes().into(),
            Uuid::now_v7().as_bytes().into(),
            now.as_microsecond().into(),
            alert.kind.word().into(),
            integer(alert.people).into(),
            alert.threshold.into(),
            (&alert.sentence()).into(),
            (&causes.to_string()).into(),
        ],
    )?;
    Ok(())
}

/// Returns when the last alert of a kind was raised.
pub(crate) fn last_raised(
    reader: &Reader<'_>,
    organization: Uuid,
    kind: LossKind,
) -> scim::Result<Option<Timestamp>> {
    let last = reader.query_one(
        "SELECT time FROM alert WHERE org = ?1 AND kind = ?2 ORDER BY time DESC LIMIT 1",
        &[organization.as_bytes().into(), kind.word().into()],
        |row| row.integer(0),
    )?;
    last.map(read_time).transpose()
}

/// Returns the last alerts, the newest first.
pub(crate) fn alerts(reader: &Reader<'_>, organization: Uuid, most: u32) -> scim::Result<Vec<Raised>> {
    reader.query_all(
        "SELECT id, time, kind, people, threshold, sentence, causes, seen FROM alert
         WHERE org = ?1 ORDER BY id DESC LIMIT ?2",
        &[organization.as_bytes().into(), most.into()],
        |row| {
            Ok(Raised {
                id: read_id(row.blob(0)?)?,
                time: read_time(row.integer(1)?)?,
                kind: read_word(row.text(2)?)?,
                people: u64::try_from(row.integer(3)?).unwrap_or(0),
                threshold: u32::try_from(row.integer(4)?).unwrap_or(u32::MAX),
                sentence: row.text(5)?.to_owned(),
                causes: serde_json::from_str(row.text(6)?).map_err(scim::Error::internal)?,
                seen: row.optional_integer(7)?.map(read_time).transpose()?,
            })
        },
    )
}

/// Notes that alerts were seen. Answers with how many were not before.
pub(crate) fn see_all(tx: &Transaction<'_>, organization: Uuid, now: Timestamp) -> scim::Result<u64> {
    tx.execute(
        "UPDATE alert SET seen = ?2 WHERE org = ?1 AND seen IS NULL",
        &[organization.as_bytes().into(), now.as_microsecond().into()],
    )
}

/// Returns how many alerts of all organizations nobody has seen, for the metrics of the instance.
pub(crate) fn unseen(reader: &Reader<'_>) -> scim::Result<u64> {
    super::count(reader, "SELECT count(*) FROM alert WHERE seen IS NULL", &[])
}

fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
