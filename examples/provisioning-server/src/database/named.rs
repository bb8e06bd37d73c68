//! Tables `named` and `named_period`: the people and groups that a request has changed beside its resource, such as members.
//!
//! Members of a group are named in any order. An index of all of them by subject would have every commit write as many pages
//! as it names people, so links are kept in periods of a few thousand: those of the present period are few pages, and
//! whoever looks for a subject looks once into each period.

use scim::store::database::{Reader, Transaction};
use uuid::Uuid;

use super::history::before;

/// How many people and groups are named for one request.
pub(crate) const MOST_NAMED: usize = 1_000;

/// The number of the last one that is named.
const MOST: i64 = 1_000;

/// Links of one period. The last request of a period may exceed it.
const PERIOD: i64 = 4_096;

/// Links a request with people and groups that it has changed beside its resource: those of them that find a place, while
/// `count` is how many there are.
pub(crate) fn insert<'a>(
    tx: &Transaction<'_>,
    organization: Uuid,
    sequence: Uuid,
    ids: impl Iterator<Item = &'a str>,
    count: u64,
) -> scim::Result<()> {
    if count == 0 {
        return Ok(());
    }
    let before = last(tx, organization, sequence)?;
    let period = period(tx, organization)?;
    let mut number = before.min(MOST);
    for id in ids.take(usize::try_from(MOST - number).unwrap_or(0)) {
        number += 1;
        insert_one(tx, organization, period, sequence, id, number)?;
    }
    let links = number - before.min(MOST);
    let others = i64::try_from(count).unwrap_or(i64::MAX).saturating_sub(links);
    if others > 0 {
        count_others(
            tx,
            organization,
            period,
            sequence,
            before.max(MOST).saturating_add(others),
        )?;
    }
    add_links(tx, organization, period, links + 1)
}

/// Links work that goes on over many transactions with people and groups that one of them has made: all of them, because
/// each transaction makes few.
pub(crate) fn insert_made<'a>(
    tx: &Transaction<'_>,
    organization: Uuid,
    sequence: Uuid,
    ids: impl Iterator<Item = &'a str>,
) -> scim::Result<()> {
    let before = last(tx, organization, sequence)?;
    let period = period(tx, organization)?;
    let mut number = before;
    for id in ids {
        number += 1;
        insert_one(tx, organization, period, sequence, id, number)?;
    }
    add_links(tx, organization, period, number - before)
}

fn add_links(tx: &Transaction<'_>, organization: Uuid, period: i64, links: i64) -> scim::Result<()> {
    tx.execute(
        "UPDATE named_period SET links = links + ?3 WHERE org = ?1 AND period = ?2",
        &[organization.as_bytes().into(), period.into(), links.into()],
    )?;
    Ok(())
}

/// Returns the number of the last link of a request.
fn last(reader: &Reader<'_>, organization: Uuid, sequence: Uuid) -> scim::Result<i64> {
    let last = reader.query_one(
        "SELECT number FROM named WHERE org = ?1 AND sequence = ?2 ORDER BY number DESC LIMIT 1",
        &[organization.as_bytes().into(), sequence.as_bytes().into()],
        |row| row.integer(0),
    )?;
    Ok(last.unwrap_or(0))
}

/// Finds the period that has room: the present one, or the next.
fn period(tx: &Transaction<'_>, organization: Uuid) -> scim::Result<i64> {
    let present = tx.query_one(
        "SELECT period, links FROM named_period WHERE org = ?1 ORDER BY period DESC LIMIT 1",
        &[organization.as_bytes().into()],
        |row| Ok((row.integer(0)?, row.integer(1)?)),
    )?;
    let next = match present {
        Some((period, links)) if links < PERIOD => return Ok(period),
        Some((period, _)) => period + 1,
        None => 1,
    };
    tx.execute(
        "INSERT INTO named_period (org, period, links) VALUES (?1, ?2, 0)",
        &[organization.as_bytes().into(), next.into()],
    )?;
    Ok(next)
}

fn insert_one(
    tx: &Transaction<'_>,
    organization: Uuid,
    period: i64,
    sequence: Uuid,
    subject: &str,
    number: i64,
) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO named (org, period, subject, sequence, number) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
        &[
            organization.as_bytes().into(),
            period.into(),
            subject.into(),
            sequence.as_bytes().into(),
            number.into(),
        ],
    )?;
    Ok(())
}

/// Goes on counting, in one row without a subject.
fn count_others(
    tx: &Transaction<'_>,
    organization: Uuid,
    period: i64,
    sequence: Uuid,
    number: i64,
) -> scim::Result<()> {
    let counted = tx.execute(
        "UPDATE named SET number = ?4 WHERE org = ?1 AND sequence = ?2 AND number > ?3",
        &[
            organization.as_bytes().into(),
            sequence.as_bytes().into(),
            MOST.into(),
            number.into(),
        ],
    )?;
    match counted {
        0 => insert_one(tx, organization, period, sequence, "", number),
        _ => Ok(()),
    }
}

/// Returns the first people and groups that a request names, and how many more there were.
pub(super) fn of_request(
    reader: &Reader<'_>,
    organization: Uuid,
    sequence: Uuid,
) -> scim::Result<(Vec<String>, u64)> {
    let subjects = reader.query_all(
        "SELECT subject FROM named WHERE org = ?1 AND sequence = ?2 AND number <= ?3 ORDER BY number",
        &[
            organization.as_bytes().into(),
            sequence.as_bytes().into(),
            MOST.into(),
        ],
        |row| Ok(row.text(0)?.to_owned()),
    )?;
    let more = last(reader, organization, sequence)? - MOST;
    Ok((subjects, u64::try_from(more).unwrap_or(0)))
}

/// The rows `t` of `named` that name subject 5 in period 8.
pub(super) const OF_PERIOD: (&str, &str) = ("named", "t.period = ?8 AND t.subject = ?5");

/// Returns the periods, the newest first.
pub(super) fn periods(reader: &Reader<'_>, organization: Uuid) -> scim::Result<Vec<i64>> {
    reader.query_all(
        "SELECT period FROM named_period WHERE org = ?1 ORDER BY period DESC",
        &[organization.as_bytes().into()],
        |row| row.integer(0),
    )
}

/// A condition of SQL: that some request names the subject `s.subject` of organization `s.org`.
pub(super) const IS_NAMED: &str = "EXISTS (SELECT 1 FROM named_period p JOIN named n
    ON n.org = p.org AND n.period = p.period AND n.subject = s.subject WHERE p.org = s.org)";

/// Removes the links of requests before `limit`, up to so many. Answers how many there were.
pub(super) fn purge(tx: &Transaction<'_>, organization: Uuid, limit: Uuid, most: u32) -> scim::Result<u64> {
    let removed = tx.execute(
        "DELETE FROM named WHERE (org, period, subject, sequence) IN (
             SELECT org, period, subject, sequence FROM named WHERE org = ?1 AND sequence < ?2 ORDER BY sequence LIMIT ?3)",
        &before(organization.as_bytes(), limit.as_bytes(), most),
    )?;
    if removed < u64::from(most) {
        tx.execute(
            "DELETE FROM named_period WHERE org = ?1
               AND NOT EXISTS (SELECT 1 FROM named n WHERE n.org = named_period.org AND n.period = named_period.period)",
            &[organization.as_bytes().into()],
        )?;
    }
    Ok(removed)
}
