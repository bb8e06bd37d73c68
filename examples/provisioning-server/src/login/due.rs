//! Links that are to be made and sent: behind what asked for them, a few at a time.
//!
//! A link is made when its mail is queued, so that its time does not run while thousands wait before it, and so that the
//! answer to whoever has asked does not tell whether there was anybody to send one to.

use std::time::Duration;

use jiff::Timestamp;
use scim::store::database::Transaction;
use uuid::Uuid;

use super::Login;
use super::person::Person;
use crate::database::keys::Keys;
use crate::database::{entries, links, mail, organizations};
use crate::domain::fault::Result;
use crate::domain::link::{Link, LinkKind};
use crate::domain::mail::{Link as MailLink, Mail, Recipient};
use crate::domain::realm::Realm;
use crate::domain::secret::{Secret, SecretKind};

/// How often it is looked what other processes have left to do.
const EVERY: Duration = Duration::from_secs(1);

/// How many links one transaction makes: others who write wait for it.
const LINKS: u32 = 20;

impl Login {
    /// Makes links that are due, and queues their mails, as long as the server runs.
    pub(crate) async fn run(self) {
        loop {
            if let Err(fault) = self.make_due().await {
                tracing::error!("Links could not be made: {}", fault.with_causes());
            }
            let _ = tokio::time::timeout(EVERY, self.due.notified()).await;
        }
    }

    /// Makes links that are due in every realm: of each at most as many as one transaction makes, and no more invitations
    /// than may go out in a minute.
    ///
    /// # Errors
    /// The database fails.
    pub(crate) async fn make_due(&self) -> Result<()> {
        let realms = self.product.read(entries::realms_with_due).await?;
        for realm in realms {
            self.make_due_of(realm).await?;
        }
        Ok(())
    }

    async fn make_due_of(&self, realm: Uuid) -> Result<()> {
        let secrets = (0..LINKS).map(|_| Secret::generate(SecretKind::Link));
        let secrets = secrets.collect::<Result<Vec<Secret>>>()?;
        let keys = self.product.keys().clone();
        self.product
            .transact(move |tx| Ok(make(tx, &keys, realm, &secrets, Timestamp::now())?))
            .await
    }
}

/// Makes the next links that are due, those that people have asked for first.
fn make(
    tx: &Transaction<'_>,
    keys: &Keys,
    realm: Uuid,
    secrets: &[Secret],
    now: Timestamp,
) -> scim::Result<()> {
    let realm = match realm.is_nil() {
        true => Realm::Instance,
        false => match organizations::by_id(tx, realm)? {
            Some(organization) => Realm::Organization(Box::new(organization)),
            None => return Ok(()),
        },
    };
    let mut due = entries::due(tx, realm.id(), LinkKind::ResetLink, LINKS)?;
    if due.is_empty() {
        due = entries::due(tx, realm.id(), LinkKind::Invitation, room(tx, &realm)?.min(LINKS))?;
    }
    for (account, secret) in due.iter().zip(secrets) {
        let person = Person::by_id(tx, &realm, *account)?;
        entries::set_due(tx, realm.id(), *account, None)?;
        let Some(person) = person else { continue };
        if let Some(kind) = person.entry.link(&person.account) {
            send(tx, keys, &realm, &person, kind, secret, now)?;
        }
    }
    Ok(())
}

/// Returns how many invitations may be queued: those that wait are to go out within a minute.
fn room(tx: &Transaction<'_>, realm: &Realm) -> scim::Result<u32> {
    let Realm::Organization(organization) = realm else {
        return Ok(LINKS);
    };
    let pace = organization.settings.mails_per_minute.get();
    let queued = mail::count_queued(tx, organization.id, pace)?;
    Ok(pace.saturating_sub(u32::try_from(queued).unwrap_or(u32::MAX)))
}

fn send(
    tx: &Transaction<'_>,
    keys: &Keys,
    realm: &Realm,
    person: &Person,
    kind: LinkKind,
    secret: &Secret,
    now: Timestamp,
) -> scim::Result<()> {
    let Some(recipient) = Recipient::of(&person.account) else {
        return Ok(());
    };
    let link = Link {
        id: Uuid::now_v7(),
        account: person.account.id,
        kind,
        created: now,
        expires: kind.expiry(now),
    };
    links::replace(tx, realm.id(), &link, &secret.fingerprint())?;
    let path = format!("{}/link/{}", realm.path(), secret.reveal());
    let path = MailLink::parse(&path).map_err(scim::Error::internal)?;
    let mail = match kind {
        LinkKind::Invitation => Mail::invitation(recipient, path, link.expires),
        LinkKind::ResetLink | LinkKind::Recovery | LinkKind::SetUp => {
            Mail::reset_link(recipient, path, link.expires)
        }
    };
    // The link in one that waits was replaced.
    mail::cancel(tx, realm.id(), person.account.id, mail.content.kind())?;
    mail::queue(tx, keys, realm.id(), now, &mail).map(drop)
}
