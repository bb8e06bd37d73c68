//! Table `conflict`: what an identity provider could not do because of something here.

use jiff::Timestamp;
use scim::store::database::{Reader, Row, Transaction};
use uuid::Uuid;

use super::{accounts, read_id, read_time};
use crate::domain::account::ManagedBy;
use crate::domain::conflict::{Conflict, ConflictKind, ConflictSeen, ConflictState, Cursor};
use crate::domain::keyword::Keyword;

/// Notes that something went wrong, or that it did once more. A resolved conflict is open again; an ignored one stays so.
pub(crate) fn insert(tx: &Transaction<'_>, seen: &ConflictSeen) -> scim::Result<()> {
    let account = match seen.kind {
        ConflictKind::DuplicateName => accounts::by_name(tx, seen.organization, &seen.name)?,
        _ => None,
    };
    match account.filter(|account| account.managed_by == ManagedBy::Hand) {
        Some(manual) => {
            let kind = ConflictKind::ManualAccount;
            let seen = ConflictSeen { kind, ..seen.clone() };
            insert_about(tx, &seen, Some(manual.id))
        }
        None => insert_about(tx, seen, None),
    }
}

/// Notes the same of something that is known to be about an account.
pub(super) fn insert_about(
    tx: &Transaction<'_>,
    seen: &ConflictSeen,
    account: Option<Uuid>,
) -> scim::Result<()> {
    tx.execute(
        "INSERT INTO conflict (org, id, kind, subject, name, external_id, account, detail, first, last, count, state,
                               request)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, 1, 'open', ?10)
         ON CONFLICT (org, kind, subject) DO UPDATE SET name = excluded.name, external_id = excluded.external_id,
             account = excluded.account, detail = excluded.detail, last = excluded.last, count = conflict.count + 1,
             request = excluded.request, state = CASE conflict.state WHEN 'ignored' THEN 'ignored' ELSE 'open' END",
        &[
            seen.organization.as_bytes().into(),
            Uuid::now_v7().as_bytes().into(),
            seen.kind.word().into(),
            (&seen.subject).into(),
            (&seen.name).into(),
            seen.external_id.as_ref().into(),
            account.as_ref().map(Uuid::as_bytes).into(),
            (&seen.detail).into(),
            seen.time.as_microsecond().into(),
            seen.request.as_ref().map(Uuid::as_bytes).into(),
        ],
    )?;
    Ok(())
}

/// The ids of the conflicts about a person or group that are open: mostly none.
const OPEN_OF_SUBJECT: &str = "SELECT id FROM conflict WHERE org = ?1 AND subject = ?2 AND state = 'open'";

/// Resolves the conflicts that are kept under one of these subjects.
pub(crate) fn resolve<'a>(
    tx: &Transaction<'_>,
    organization: Uuid,
    subjects: impl IntoIterator<Item = &'a str>,
) -> scim::Result<()> {
    if !has_open(tx, organization)? {
        return Ok(());
    }
    for subject in subjects {
        let open = tx.query_all(
            OPEN_OF_SUBJECT,
            &[organization.as_bytes().into(), subject.into()],
            |row| read_id(row.blob(0)?),
        )?;
        for id in open {
            put_state(tx, organization, id, ConflictState::Resolved)?;
        }
    }
    Ok(())
}

/// Resolves a conflict of one kind, even if it was put aside, because there is nothing to decide any more.
pub(super) fn end(
    tx: &Transaction<'_>,
    organization: Uuid,
    kind: ConflictKind,
    subject: &str,
) -> scim::Result<()> {
    tx.execute(
        "UPDATE conflict SET state = ?4 WHERE org = ?1 AND kind = ?2 AND subject = ?3 AND state <> ?4",
        &[
            organization.as_bytes().into(),
            kind.word().into(),
            subject.into(),
            ConflictState::Resolved.word().into(),
        ],
    )?;
    Ok(())
}

/// Resolves open conflicts with an identity provider that does not come any more, up to so many. Answers how many there
/// were. Permissions that wait are not the provider's.
pub(crate) fn end_of_provider(tx: &Transaction<'_>, organization: Uuid, most: u32) -> scim::Result<u64> {
    tx.execute(
        "UPDATE conflict SET state = ?4 WHERE (org, id) IN (
             SELECT org, id FROM conflict WHERE org = ?1 AND state = ?2 AND kind <> ?3 LIMIT ?5)",
        &[
            organization.as_bytes().into(),
            ConflictState::Open.word().into(),
            ConflictKind::WaitingPermissions.word().into(),
            ConflictState::Resolved.word().into(),
            most.into(),
        ],
    )
}

/// Returns whether any conflict is open: of most organizations none is, and this is asked with every change.
fn has_open(reader: &Reader<'_>, organization: Uuid) -> scim::Result<bool> {
    let sql = "SELECT 1 FROM conflict WHERE org = ?1 AND state = 'open' LIMIT 1";
    let found = reader.query_one(sql, &[organization.as_bytes().into()], |row| row.integer(0))?;
    Ok(found.is_some())
}

fn put_state(tx: &Transaction<'_>, organization: Uuid, id: Uuid, state: ConflictState) -> scim::Result<()> {
    tx.execute(
        "UPDATE conflict SET state = ?3 WHERE org = ?1 AND id = ?2",
        &[
            organization.as_bytes().into(),
            id.as_bytes().into(),
            state.word().into(),
        ],
    )?;
    Ok(())
}

/// Changes what has become of a conflict. Answers it as it is then.
pub(crate) fn set_state(
    tx: &Transaction<'_>,
    organization: Uuid,
    id: Uuid,
    state: ConflictState,
) -> scim::Result<Option<Conflict>> {
    put_state(tx, organization, id, state)?;
    find(tx, organization, id)
}

const COLUMNS: &str =
    "id, kind, state, subject, name, external_id, account, detail, first, last, count, request";

/// The ids of the conflicts in one state, the last first.
const IN_STATE: &str = "SELECT id FROM conflict WHERE org = ?1 AND state = ?2 AND (last, id) < (?4, ?5)
    ORDER BY last DESC, id DESC LIMIT ?3";

/// Returns one conflict.
pub(crate) fn find(reader: &Reader<'_>, organization: Uuid, id: Uuid) -> scim::Result<Option<Conflict>> {
    reader.query_one(
        &format!("SELECT {COLUMNS} FROM conflict WHERE org = ?1 AND id = ?2"),
        &[organization.as_bytes().into(), id.as_bytes().into()],
        read,
    )
}

/// Returns the conflicts in one state behind a place, the last first.
pub(crate) fn list(
    reader: &Reader<'_>,
    organization: Uuid,
    state: ConflictState,
    behind: Cursor,
    limit: u32,
) -> scim::Result<Vec<Conflict>> {
    let mut conflicts = reader.query_all(
        &format!("SELECT {COLUMNS} FROM conflict WHERE org = ?1 AND id IN ({IN_STATE})"),
        &[
            organization.as_bytes().into(),
            state.word().into(),
            limit.into(),
            behind.last.as_microsecond().into(),
            behind.id.as_bytes().into(),
        ],
        read,
    )?;
    conflicts.sort_unstable_by_key(|conflict| std::cmp::Reverse((conflict.last, conflict.id)));
    Ok(conflicts)
}

/// Returns how many conflicts are open, up to so many.
pub(crate) fn count_open(reader: &Reader<'_>, organization: Uuid, most: u32) -> scim::Result<u64> {
    super::count(
        reader,
        "SELECT count(*) FROM (SELECT 1 FROM conflict WHERE org = ?1 AND state = 'open' LIMIT ?2)",
        &[organization.as_bytes().into(), most.into()],
    )
}

/// Removes conflicts that were seen last before a time, up to so many, except those that wait for a decision. Answers how
/// many there were.
pub(super) fn purge(
    tx: &Transaction<'_>,
    organization: Uuid,
    limit: Timestamp,
    most: u32,
) -> scim::Result<u64> {
    let mut removed = 0;
    for state in ConflictState::ALL {
        removed += tx.execute(
            "DELETE FROM conflict WHERE (org, id) IN (
                 SELECT org, id FROM conflict WHERE org = ?1 AND state = ?2 AND last < ?3
                   AND (kind <> ?5 OR state = ?6) ORDER BY last LIMIT ?4)",
            &[
                organization.as_bytes().into(),
                state.word().into(),
                limit.as_microsecond().into(),
                most.into(),
                ConflictKind::WaitingPermissions.word().into(),
                ConflictState::Resolved.word().into(),
            ],
        )?;
    }
    Ok(removed)
}

fn read(row: &Row<'_>) -> scim::Result<Conflict> {
    let unknown = || scim::Error::internal("a conflict of an unknown kind or state");
    Ok(Conflict {
        id: read_id(row.blob(0)?)?,
        kind: ConflictKind::from_word(row.text(1)?).ok_or_else(unknown)?,
        state: ConflictState::from_word(row.text(2)?).ok_or_else(unknown)?,
        subject: row.text(3)?.to_owned(),
        name: row.text(4)?.to_owned(),
        external_id: row.optional_text(5)?.map(str::to_owned),
        account: row.optional_blob(6)?.map(read_id).transpose()?,
        detail: row.text(7)?.to_owned(),
        first: read_time(row.integer(8)?)?,
        last: read_time(row.integer(9)?)?,
        count: u64::try_from(row.integer(10)?).unwrap_or(0),
        request: row.optional_blob(11)?.map(read_id).transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use scim::store::database::{Database, Options, Param};

    use super::*;
    use crate::database::migrations;

    fn database() -> Database {
        let database = Database::in_memory(Options::default()).unwrap();
        database
            .blocking_write(|tx| migrations::run(tx, Timestamp::UNIX_EPOCH))
            .unwrap()
            .unwrap();
        database
    }

    fn seen(second: i64) -> ConflictSeen {
        ConflictSeen {
            organization: Uuid::nil(),
            kind: ConflictKind::RefusedValue,
            subject: "name:a@x".to_owned(),
            name: "a@x".to_owned(),
            external_id: None,
            detail: "must be an e-mail address".to_owned(),
            time: Timestamp::from_second(second).unwrap(),
            request: None,
        }
    }

    /// Feature row 99: one entry for what goes wrong again and again; what is ignored stays so, what was resolved comes back.
    #[test]
    fn a_conflict_is_counted_and_comes_back_unless_it_is_ignored() {
        let states = database().blocking_write(|tx| {
            let mut states = Vec::new();
            let mut note = |tx: &Transaction<'_>| -> scim::Result<Uuid> {
                let all = ConflictState::ALL
                    .iter()
                    .map(|state| list(tx, Uuid::nil(), *state, Cursor::START, 10));
                let all: Vec<_> = all.collect::<scim::Result<Vec<_>>>()?.concat();
                let conflict = all.first().cloned().unwrap();
                states.push((conflict.state, conflict.count, all.len()));
                Ok(conflict.id)
            };
            insert(tx, &seen(1))?;
            note(tx)?;
            resolve(tx, Uuid::nil(), ["name:other"])?;
            note(tx)?;
            resolve(tx, Uuid::nil(), ["name:a@x"])?;
            note(tx)?;
            insert(tx, &seen(2))?;
            let id = note(tx)?;
            set_state(tx, Uuid::nil(), id, ConflictState::Ignored)?;
            insert(tx, &seen(3))?;
            note(tx)?;
            purge(tx, Uuid::nil(), seen(3).time, 10)?;
            note(tx)?;
            assert_eq!(purge(tx, Uuid::nil(), seen(4).time, 10)?, 1);
            Ok(states)
        });
        assert_eq!(
            states.unwrap(),
            [
                (ConflictState::Open, 1, 1),
                (ConflictState::Open, 1, 1),
                (ConflictState::Resolved, 1, 1),
                (ConflictState::Open, 2, 1),
                (ConflictState::Ignored, 3, 1),
                (ConflictState::Ignored, 3, 1),
            ]
        );
    }

    /// Feature row 99: whoever goes from page to page sees every conflict once, the last first.
    #[test]
    fn the_inbox_is_read_page_by_page() {
        let pages = database().blocking_write(|tx| {
            for (number, second) in (0..).zip([3, 1, 2, 2, 2, 3, 1]) {
                let subject = format!("{number}");
                insert(
                    tx,
                    &ConflictSeen {
                        subject,
                        ..seen(second)
                    },
                )?;
            }
            let (mut pages, mut behind) = (Vec::new(), Cursor::START);
            loop {
                let page = list(tx, Uuid::nil(), ConflictState::Open, behind, 2)?;
                let Some(last) = page.last() else { break };
                behind = last.cursor();
                pages.push(page);
            }
            Ok((
                pages,
                list(tx, Uuid::nil(), ConflictState::Open, Cursor::START, 10)?,
            ))
        });
        let (pages, whole) = pages.unwrap();
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 2, 1]);
        assert_eq!(pages.concat(), whole);
        assert!(whole.is_sorted_by_key(|conflict| std::cmp::Reverse(conflict.last)));
    }

    /// Feature row 99: the inbox is read by its index, and a change that has no conflict looks at none.
    #[test]
    fn the_inbox_is_read_by_its_index() {
        for (sql, params, step) in [
            (
                IN_STATE,
                5,
                "SEARCH conflict USING COVERING INDEX conflict_state (org=? AND state=? AND (last,id)<(?,?))",
            ),
            (
                OPEN_OF_SUBJECT,
                2,
                "SEARCH conflict USING COVERING INDEX conflict_open (org=? AND subject=?)",
            ),
        ] {
            let plan = database().blocking_write(move |tx| {
                let nothing = [Param::Null; 5];
                let sql = format!("EXPLAIN QUERY PLAN {sql}");
                tx.query_all(&sql, nothing.get(..params).unwrap(), |row| {
                    Ok(row.text(3)?.to_owned())
                })
            });
            assert_eq!(plan.unwrap(), [step]);
        }
    }
}
