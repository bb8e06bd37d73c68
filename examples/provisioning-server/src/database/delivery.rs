//! The mails of table `mail` that wait: which one is next, to whom it is left, and what becomes of it.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use scim::store::database::{Reader, Row, Transaction};
use uuid::Uuid;

use super::keys::Keys;
use super::{Product, mail, organizations, read_id, read_time};
use crate::domain::clock::earlier;
use crate::domain::fault::Result;
use crate::domain::mail::{Content, Link, retry};
use crate::domain::organization::Organization;
use crate::domain::settings::Settings;

/// The key under which table `instance` says whether mails are sent.
const MARK: &str = "mail";

/// The values of it: they are sent, or stay in the mailbox of the product.
const SENT: &str = "sent";
const KEPT: &str = "kept";

/// The key under which table `instance` says why the mail server cannot be used.
const TROUBLE: &str = "mail_trouble";

/// Mails that one transaction moves at once.
const STEP: u32 = 500;

/// The time within which mails are counted for the pace.
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// A mail that is left to a process for a while.
#[derive(Debug, Clone)]
pub(crate) struct Claimed {
    pub(crate) organization: Uuid,
    pub(crate) id: Uuid,
    /// Which attempt this is, from 1 on.
    pub(crate) attempt: u32,
    pub(crate) recipient: String,
    pub(crate) message_id: String,
    pub(crate) created: Timestamp,
    params: String,
    sealed_link: Option<Vec<u8>>,
    /// The organization whose mail it is; none for those of the instance.
    pub(crate) sender: Option<Organization>,
}

impl Claimed {
    /// Reads the content of the mail.
    ///
    /// # Errors
    /// It is not one that this version knows.
    pub(crate) fn content(&self) -> scim::Result<Content> {
        serde_json::from_str(&self.params).map_err(scim::Error::internal)
    }

    /// Opens the link in the mail, if there is one.
    ///
    /// # Errors
    /// Its key is not there, or it was changed.
    pub(crate) fn link(&self, keys: &Keys) -> scim::Result<Option<Link>> {
        let open = |sealed| mail::open_link(keys, self.organization, self.id, sealed);
        self.sealed_link.as_deref().map(open).transpose()
    }
}

/// The outcome of sending a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The mail server has taken it.
    Sent,
    /// It is tried again.
    Later(String),
    /// It is of no use to try again.
    Refused(String),
}

/// Returns whether mails stay in the mailbox of the product.
pub(crate) fn is_kept(reader: &Reader<'_>) -> scim::Result<bool> {
    let sql = "SELECT value FROM instance WHERE key = ?1";
    let mark = reader.query_one(sql, &[MARK.into()], |row| Ok(row.text(0)? == KEPT))?;
    Ok(mark.unwrap_or(false))
}

impl Product {
    /// Notes that mails are sent from now on.
    pub(crate) async fn send_mails(&self) -> Result<()> {
        self.note_mail_trouble(None).await?;
        self.note(MARK, SENT.to_owned()).await
    }

    /// Notes that mails stay in the mailbox of the product, and leaves those there that wait.
    pub(crate) async fn keep_mails(&self) -> Result<()> {
        self.note(MARK, KEPT.to_owned()).await?;
        while self.write(|tx| Ok(Ok(keep(tx)?))).await? > 0 {}
        Ok(())
    }

    /// Returns whether mails stay in the mailbox of the product.
    pub(crate) async fn keeps_mails(&self) -> Result<bool> {
        self.read(is_kept).await
    }

    /// Notes why the mail server cannot be used, or that it can be.
    pub(crate) async fn note_mail_trouble(&self, why: Option<&str>) -> Result<()> {
        self.note(TROUBLE, why.unwrap_or_default().to_owned()).await
    }

    /// Returns why the mail server cannot be used, as far as a server has found out.
    pub(crate) async fn mail_trouble(&self) -> Result<Option<String>> {
        Ok(self.noted(TROUBLE).await?.filter(|why| !why.is_empty()))
    }
}

pub(super) fn keep(tx: &Transaction<'_>) -> scim::Result<u64> {
    tx.execute(
        "UPDATE mail SET state = 'kept', due = NULL WHERE (org, id) IN (
             SELECT org, id FROM mail WHERE state = 'queued' ORDER BY until LIMIT ?1)",
        &[STEP.into()],
    )
}

impl Product {
    /// Cancels mails whose link has ended, and gives up those that were tried for long enough. Answers how many were given
    /// up.
    pub(crate) async fn end_mails(&self, now: Timestamp) -> Result<u64> {
        let mut given_up = 0;
        while self.read(move |reader| is_any_over(reader, now)).await? {
            given_up += self.write(move |tx| Ok(Ok(end(tx, now)?))).await?;
        }
        Ok(given_up)
    }
}

/// Returns whether there are mails that [`end`] would end.
pub(super) fn is_any_over(reader: &Reader<'_>, now: Timestamp) -> scim::Result<bool> {
    for sql in [
        "SELECT 1 FROM mail WHERE sealed_link IS NOT NULL AND link_ends <= ?1 LIMIT 1",
        "SELECT 1 FROM mail WHERE state = 'queued' AND until <= ?1 LIMIT 1",
    ] {
        if reader
            .query_one(sql, &[now.as_microsecond().into()], |_| Ok(()))?
            .is_some()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes the next step of [`Product::end_mails`].
pub(super) fn end(tx: &Transaction<'_>, now: Timestamp) -> scim::Result<u64> {
    tx.execute(
        "UPDATE mail SET state = 'cancelled', due = NULL, sealed_link = NULL, link_ends = NULL WHERE (org, id) IN (
             SELECT org, id FROM mail WHERE sealed_link IS NOT NULL AND link_ends <= ?1 ORDER BY link_ends LIMIT ?2)",
        &[now.as_microsecond().into(), STEP.into()],
    )?;
    tx.execute(
        "UPDATE mail SET state = 'failed', due = NULL,
                error = coalesce(error, 'The mail server could not be used for three days.')
         WHERE (org, id) IN (
             SELECT org, id FROM mail WHERE state = 'queued' AND until <= ?1 ORDER BY until LIMIT ?2)",
        &[now.as_microsecond().into(), STEP.into()],
    )
}

/// Returns how many mails wait, up to a bound.
pub(crate) fn waiting(reader: &Reader<'_>) -> scim::Result<u64> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM mail WHERE state = 'queued' LIMIT 100000)";
    super::count(reader, sql, &[])
}

/// A mail that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) organization: Uuid,
    id: Uuid,
}

/// Finds the mail that is to be sent next: the first of the next organization behind one, in turn, that has one due and has
/// not had its share of the minute. All together have `pace` mails a minute.
pub(crate) fn next(
    reader: &Reader<'_>,
    behind: Uuid,
    pace: u32,
    now: Timestamp,
) -> scim::Result<Option<Due>> {
    let tried = tried(reader, now)?;
    if tried.values().sum::<u32>() >= pace {
        return Ok(None);
    }
    let is_free = |due: &Due| -> scim::Result<bool> {
        let share = match organizations::by_id(reader, due.organization)? {
            Some(organization) => organization.settings.mails_per_minute.get(),
            None => Settings::default().mails_per_minute.get(),
        };
        Ok(tried.get(&due.organization).is_none_or(|count| *count < share))
    };
    for (behind, up_to) in [(Some(behind), Uuid::max()), (None, behind)] {
        let mut place = behind;
        while let Some((due, at)) = first(reader, place)?.filter(|(due, _)| due.organization <= up_to) {
            if at <= now && is_free(&due)? {
                return Ok(Some(due));
            }
            place = Some(due.organization);
        }
    }
    Ok(None)
}

/// Returns how many mails of each organization were tried within the last minute.
fn tried(reader: &Reader<'_>, now: Timestamp) -> scim::Result<HashMap<Uuid, u32>> {
    let since = earlier(now, MINUTE);
    let mut tried = HashMap::new();
    let sql = "SELECT org FROM mail WHERE tried > ?1";
    reader.query(sql, &[since.as_microsecond().into()], |row| {
        *tried.entry(read_id(row.blob(0)?)?).or_default() += 1;
        Ok(())
    })?;
    Ok(tried)
}

/// Returns the mail that is due first of the first organization behind one, and when it is.
fn first(reader: &Reader<'_>, behind: Option<Uuid>) -> scim::Result<Option<(Due, Timestamp)>> {
    let read = |row: &Row<'_>| {
        let due = Due {
            organization: read_id(row.blob(0)?)?,
            id: read_id(row.blob(1)?)?,
        };
        Ok((due, read_time(row.integer(2)?)?))
    };
    match behind {
        Some(behind) => reader.query_one(
            "SELECT org, id, due FROM mail WHERE state = 'queued' AND org > ?1 ORDER BY org, due, id LIMIT 1",
            &[behind.as_bytes().into()],
            read,
        ),
        None => reader.query_one(
            "SELECT org, id, due FROM mail WHERE state = 'queued' ORDER BY org, due, id LIMIT 1",
            &[],
            read,
        ),
    }
}

/// Claims the mail that is to be sent next. Nobody else sends it until its lease ends, or it is [settled](settle).
pub(crate) fn claim(
    tx: &Transaction<'_>,
    behind: Uuid,
    pace: u32,
    now: Timestamp,
) -> scim::Result<Option<Claimed>> {
    let Some(Due { organization, id }) = next(tx, behind, pace, now)? else {
        return Ok(None);
    };
    tx.execute(
        "UPDATE mail SET due = ?3, tried = ?4, attempts = attempts + 1 WHERE org = ?1 AND id = ?2",
        &[
            organization.as_bytes().into(),
            id.as_bytes().into(),
            retry::lease(now).as_microsecond().into(),
            now.as_microsecond().into(),
        ],
    )?;
    let sender = organizations::by_id(tx, organization)?;
    tx.query_one(
        "SELECT attempts, recipient, message_id, created, params, sealed_link FROM mail WHERE org = ?1 AND id = ?2",
        &[organization.as_bytes().into(), id.as_bytes().into()],
        |row| {
            Ok(Claimed {
                organization,
                id,
                attempt: u32::try_from(row.integer(0)?).unwrap_or(u32::MAX),
                recipient: row.text(1)?.to_owned(),
                message_id: row.text(2)?.to_owned(),
                created: read_time(row.integer(3)?)?,
                params: row.text(4)?.to_owned(),
                sealed_link: row.optional_blob(5)?.map(<[u8]>::to_vec),
                sender: sender.clone(),
            })
        },
    )
}

/// Notes what came of a mail, unless it was cancelled meanwhile, or another process has claimed it since. That it was sent
/// is noted in any case.
pub(crate) fn settle(
    tx: &Transaction<'_>,
    claimed: &Claimed,
    outcome: &Outcome,
    chance: f64,
    now: Timestamp,
) -> scim::Result<()> {
    let (org, id) = (claimed.organization, claimed.id);
    let attempt = claimed.attempt;
    match outcome {
        Outcome::Sent => tx.execute(
            "UPDATE mail SET state = 'sent', sent = ?3, due = NULL, error = NULL, sealed_link = NULL, link_ends = NULL
             WHERE org = ?1 AND id = ?2 AND state <> 'sent'",
            &[org.as_bytes().into(), id.as_bytes().into(), now.as_microsecond().into()],
        )?,
        Outcome::Later(why) => tx.execute(
            "UPDATE mail SET due = ?4, error = ?5 WHERE org = ?1 AND id = ?2 AND state = 'queued' AND attempts = ?3",
            &[
                org.as_bytes().into(),
                id.as_bytes().into(),
                attempt.into(),
                retry::again(now, attempt, chance).as_microsecond().into(),
                why.into(),
            ],
        )?,
        Outcome::Refused(why) => tx.execute(
            "UPDATE mail SET state = 'failed', due = NULL, error = ?4
             WHERE org = ?1 AND id = ?2 AND state = 'queued' AND attempts = ?3",
            &[
                org.as_bytes().into(),
                id.as_bytes().into(),
                attempt.into(),
                why.into(),
            ],
        )?,
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::product_of_test;
    use crate::domain::mail::{Kind, Mail, Recipient, State};

    fn hours(number: i64) -> Timestamp {
        let begin = Timestamp::from_second(1_800_000_000).unwrap();
        begin.checked_add(SignedDuration::from_hours(number)).unwrap()
    }

    fn recipient(account: u128) -> Recipient {
        Recipient {
            account: Some(Uuid::from_u128(account)),
            address: "ann@x.example".to_owned(),
        }
    }

    /// Queues an invitation whose link ends after an hour, and a notice, both for the first account, and a notice for another.
    async fn product() -> (Product, tempfile::TempDir) {
        let (product, folder) = product_of_test().await;
        let keys = product.keys().clone();
        let queued = product.write(move |tx| {
            let link = Link::parse("/instance/link/x").unwrap();
            for mail in [
                Mail::invitation(recipient(1), link, hours(1)),
                Mail::notice(recipient(1), Content::PasswordChanged { at: hours(0) }),
                Mail::notice(recipient(2), Content::PasswordChanged { at: hours(0) }),
            ] {
                mail::queue(tx, &keys, Uuid::nil(), hours(0), &mail)?;
            }
            Ok(Ok(()))
        });
        queued.await.unwrap();
        (product, folder)
    }

    /// Returns the states of the mails, in their order, and how many links there are.
    async fn states(product: &Product) -> (Vec<State>, usize) {
        let found = product.read(|reader| mail::list(reader, Uuid::nil(), None, None, 10));
        let mut found = found.await.unwrap();
        found.reverse();
        let links = found.iter().filter(|mail| mail.has_link()).count();
        (found.iter().map(|mail| mail.state).collect(), links)
    }

    async fn change(product: &Product, job: impl Fn(&Transaction<'_>) -> scim::Result<()> + Send + 'static) {
        product.write(move |tx| Ok(Ok(job(tx)?))).await.unwrap();
        assert_eq!(product.inspect(|_| {}).await.unwrap().findings, [""; 0]);
    }

    /// Feature row 20: an invitation is of no use once its link has ended, and other mails are given up after three days.
    #[tokio::test]
    async fn mails_end_with_their_links_and_after_three_days() {
        use State::{Cancelled, Failed, Queued};
        let (product, _folder) = product().await;
        for (at, given_up, expected, links) in [
            (hours(0), 0, [Queued, Queued, Queued], 1),
            (hours(1), 0, [Cancelled, Queued, Queued], 0),
            (hours(71), 0, [Cancelled, Queued, Queued], 0),
            (hours(72), 2, [Cancelled, Failed, Failed], 0),
        ] {
            assert_eq!(product.end_mails(at).await.unwrap(), given_up);
            assert_eq!(states(&product).await, (expected.to_vec(), links));
        }
        change(&product, |_| Ok(())).await;
    }

    /// Feature row 92: what stays in the mailbox of the product keeps its link until that ends, and what was restored sends
    /// nothing and has none.
    #[tokio::test]
    async fn what_was_restored_is_not_sent() {
        use State::{Cancelled, Kept};
        let (product, _folder) = product().await;
        product.keep_mails().await.unwrap();
        assert_eq!(states(&product).await, (vec![Kept; 3], 1));
        change(&product, mail::cancel_restored).await;
        assert_eq!(states(&product).await, (vec![Cancelled, Kept, Kept], 0));
        let (product, _folder) = self::product().await;
        change(&product, mail::cancel_restored).await;
        assert_eq!(states(&product).await, (vec![Cancelled; 3], 0));
    }

    /// Feature rows 20, 24: what ends links of one kind cancels their mails, and what ends an account all that were not sent.
    #[tokio::test]
    async fn mails_are_cancelled_with_their_reason() {
        use State::{Cancelled, Queued};
        let (product, _folder) = product().await;
        let account = Uuid::from_u128(1);
        change(&product, move |tx| {
            mail::cancel(tx, Uuid::nil(), account, Kind::Invitation).map(drop)
        })
        .await;
        assert_eq!(states(&product).await, (vec![Cancelled, Queued, Queued], 0));
        change(&product, move |tx| mail::cancel_all_to(tx, Uuid::nil(), account)).await;
        assert_eq!(states(&product).await, (vec![Cancelled, Cancelled, Queued], 0));
    }

    /// Feature row 82: mails are kept as long as the history, unless they wait.
    #[tokio::test]
    async fn old_mails_are_removed_unless_they_wait() {
        let (product, _folder) = product().await;
        let claimed = product.write(|tx| Ok(Ok(claim(tx, Uuid::nil(), 9, hours(0))?)));
        let claimed = claimed.await.unwrap().unwrap();
        let sent = move |tx: &Transaction<'_>| settle(tx, &claimed, &Outcome::Sent, 0.5, hours(0));
        change(&product, sent).await;
        change(&product, |tx| {
            tx.execute("UPDATE mail SET until = 9000000000000000, link_ends = 9000000000000000 WHERE state = 'queued'", &[])?;
            tx.execute("UPDATE mail SET link_ends = NULL WHERE sealed_link IS NULL", &[]).map(drop)
        })
        .await;
        let (now, days) = (
            Timestamp::now(),
            i64::from(Settings::default().history_days.get()),
        );
        let after = |days: i64| now.checked_add(SignedDuration::from_hours(24 * days)).unwrap();
        for (at, expected) in [(now, 3), (after(days - 1), 3), (after(days + 1), 2)] {
            product.purge_old(at).await.unwrap();
            assert_eq!(states(&product).await.0.len(), expected);
        }
        assert_eq!(states(&product).await.0, [State::Queued; 2]);
    }
}
