//! The end of rows that are older than an organization keeps them.

use std::time::Duration;

use jiff::Timestamp;
use scim::store::database::{Reader, Transaction};
use uuid::Uuid;

use super::subject_names::SubjectName;
use super::{
    Product, activity, attempts, audit, conflict, devices, event, history, links, mail, named, organizations,
    request_body, saml, sessions, setup_links, subject_names, tolerance_use,
};
use crate::domain::clock::earlier;
use crate::domain::endpoint::first_sequence;
use crate::domain::fault::Result;
use crate::domain::retention::{self, Purged, Retention};
use crate::domain::settings::Settings;
use crate::domain::setup_link;

/// Rows that one transaction removes: others who write wait for it.
const ROWS: u32 = 500;

/// How long others have the writer for themselves between two transactions.
const PAUSE: Duration = Duration::from_millis(5);

impl Product {
    /// Removes what every organization keeps no longer.
    pub(crate) async fn purge_old(&self, now: Timestamp) -> Result<()> {
        self.purge_sign_in(Uuid::nil(), now).await?;
        for (organization, settings) in self.read(organizations::all_settings).await? {
            self.purge_history(organization, &settings, now).await?;
            self.purge_sign_in(organization, now).await?;
        }
        self.end_mails(now).await?;
        // The instance keeps what concerns it as long as an organization does that has chosen nothing else.
        let of_instance = Settings::default();
        self.purge_mails(Uuid::nil(), &of_instance, now).await?;
        self.purge_audit(Uuid::nil(), &of_instance, now).await?;
        Ok(())
    }

    /// Removes rows of the audit log that an organization keeps no longer. Answers how many there were.
    async fn purge_audit(&self, organization: Uuid, settings: &Settings, now: Timestamp) -> Result<u64> {
        let Some(limit) = settings.audit_days.limit(now) else {
            return Ok(0);
        };
        let before = first_sequence(limit.as_millisecond());
        self.remove(move |tx| audit::purge(tx, organization, before, ROWS))
            .await
    }

    /// Removes mails that an organization keeps no longer, as long as its history.
    async fn purge_mails(&self, organization: Uuid, settings: &Settings, now: Timestamp) -> Result<()> {
        if let Some(limit) = Retention::from(settings.history_days).limit(now) {
            let before = first_sequence(limit.as_millisecond());
            self.remove(move |tx| mail::purge(tx, organization, before, ROWS))
                .await?;
        }
        Ok(())
    }

    /// Removes what an organization keeps no longer, in small transactions, and answers how much that was.
    pub(crate) async fn purge_history(
        &self,
        organization: Uuid,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<Purged> {
        let mut purged = Purged::default();
        let of = |at: Timestamp| first_sequence(at.as_millisecond());
        let bodies = earlier(now, retention::BODIES);
        purged.bodies = self
            .remove(move |tx| request_body::purge(tx, organization, of(bodies), ROWS))
            .await?;
        if let Some(limit) = Retention::from(settings.history_days).limit(now) {
            // Links end before what they lead to.
            let named = self
                .remove(move |tx| named::purge(tx, organization, of(limit), ROWS))
                .await?;
            purged.requests = self
                .remove(move |tx| history::purge(tx, organization, of(limit), ROWS))
                .await?;
            purged.events = self
                .remove(move |tx| event::purge(tx, organization, of(limit), ROWS))
                .await?;
            self.remove(move |tx| tolerance_use::purge(tx, organization, limit, ROWS))
                .await?;
            self.remove(move |tx| activity::purge(tx, organization, limit, ROWS))
                .await?;
            self.remove(move |tx| conflict::purge(tx, organization, limit, ROWS))
                .await?;
            if purged.requests + named > 0 {
                self.remove_unused_names(organization).await?;
            }
        }
        purged.audit = self.purge_audit(organization, settings, now).await?;
        self.purge_mails(organization, settings, now).await?;
        Ok(purged)
    }

    /// Removes what is left of sign-in to a realm and is of no use any more.
    async fn purge_sign_in(&self, realm: Uuid, now: Timestamp) -> Result<()> {
        self.remove(move |tx| sessions::purge(tx, realm, now, ROWS))
            .await?;
        self.remove(move |tx| links::purge(tx, realm, now, ROWS)).await?;
        let setup_links_before = earlier(now, setup_link::SHOWN);
        self.remove(move |tx| setup_links::purge(tx, realm, setup_links_before, ROWS))
            .await?;
        self.remove(move |tx| attempts::purge(tx, realm, now, ROWS))
            .await?;
        self.remove(move |tx| devices::purge(tx, realm, now, ROWS))
            .await?;
        self.remove(move |tx| saml::assertions::purge(tx, realm, now, ROWS))
            .await?;
        self.remove(move |tx| saml::errands::purge(tx, realm, now, ROWS))
            .await?;
        self.remove(move |tx| saml::failures::purge(tx, realm, now, ROWS))
            .await?;
        Ok(())
    }

    /// Repeats a removal in transactions of its own until it finds nothing more. Answers how many rows it has removed.
    async fn remove(
        &self,
        job: impl Fn(&Transaction<'_>) -> scim::Result<u64> + Clone + Send + 'static,
    ) -> Result<u64> {
        let mut all = 0;
        loop {
            let job = job.clone();
            let removed = self.write(move |tx| Ok(Ok(job(tx)?))).await?;
            all += removed;
            if removed < u64::from(ROWS) {
                return Ok(all);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Removes names by which no request can be found any more.
    async fn remove_unused_names(&self, organization: Uuid) -> Result<()> {
        let mut after = Some(SubjectName::default());
        while let Some(place) = after {
            let look = move |reader: &Reader<'_>| subject_names::unused(reader, organization, &place, ROWS);
            let (unused, next) = self.read(look).await?;
            if !unused.is_empty() {
                self.write(move |tx| {
                    for name in &unused {
                        subject_names::remove(tx, organization, name)?;
                    }
                    Ok(Ok(()))
                })
                .await?;
                tokio::time::sleep(PAUSE).await;
            }
            after = next;
        }
        Ok(())
    }
}
