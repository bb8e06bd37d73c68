//! Links that somebody has followed: an invitation, or the way to another password. Opening one changes nothing, because
//! mail scanners open links, too.

use jiff::Timestamp;
use scim::store::database::{Reader, Transaction};
use serde_json::json;

use super::begin::{Secrets, SignedIn, begin, stage_after_password};
use super::person::{Person, present};
use super::visitor::Visitor;
use super::{Login, Outcome, Refusal};
use crate::database::{credentials, links, mail, passwords};
use crate::domain::credential::Kind;
use crate::domain::keyword::Keyword;
use crate::domain::link::{Link, LinkKind};
use crate::domain::mail::Content;
use crate::domain::password::Password;
use crate::domain::realm::Realm;
use crate::domain::secret::{Fingerprint, Secret};
use crate::domain::session::Way;

/// A link that can be used, as its page shows it.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) kind: LinkKind,
    pub(crate) expires: Timestamp,
    pub(crate) person: Person,
}

impl Login {
    /// Returns what a link is for.
    ///
    /// # Errors
    /// It cannot be used, or the database fails.
    pub(crate) async fn link(&self, realm: &Realm, secret: &Secret) -> Outcome<Shown> {
        let (realm, fingerprint) = (realm.clone(), secret.fingerprint());
        let found = self
            .product
            .look(move |reader| Ok(find(reader, &realm, &fingerprint, Timestamp::now())?))
            .await?;
        let (link, person) = found.ok_or(Refusal::LinkOver)?;
        Ok(Shown {
            kind: link.kind,
            expires: link.expires,
            person,
        })
    }

    /// Uses a link: sets a password, ends all sessions and other links, and signs its person in, unless a second factor
    /// is asked for.
    ///
    /// # Errors
    /// The link cannot be used, the password cannot be chosen, or the database fails.
    pub(crate) async fn use_link(
        &self,
        realm: &Realm,
        secret: &Secret,
        password: &str,
        visitor: &Visitor,
    ) -> Outcome<SignedIn> {
        let shown = self.link(realm, secret).await?;
        let password = Password::chosen(password, &shown.person.about(realm))?;
        let hash = self.hashing.hash(password).await?;
        let secrets = Secrets::generate(visitor)?;
        let (realm, fingerprint, visitor) = (realm.clone(), secret.fingerprint(), visitor.clone());
        let done = self.product.transact(move |tx: &Transaction<'_>| {
            let now = Timestamp::now();
            let found = find(tx, &realm, &fingerprint, now)?;
            let (Some((link, person)), Some(realm)) = (found, present(tx, &realm)?) else {
                return Ok(Err(Refusal::LinkOver));
            };
            set_password(tx, &realm, &link, &person, &hash, &visitor, now)?;
            let stage = stage_after_password(&realm, person.has_factor(tx, &realm)?);
            let way = (Way::Password, stage);
            Ok(Ok(begin(tx, &realm, &person, way, &secrets, &visitor, now)?))
        });
        done.await?
    }
}

/// Looks for a link that can be used, and whom it lets in.
fn find(
    reader: &Reader<'_>,
    realm: &Realm,
    fingerprint: &Fingerprint,
    now: Timestamp,
) -> scim::Result<Option<(Link, Person)>> {
    let link = links::find(reader, realm.id(), fingerprint)?;
    let Some(link) = link.filter(|link| link.is_live(now) && link.kind != LinkKind::SetUp) else {
        return Ok(None);
    };
    let person = Person::by_id(reader, realm, link.account)?;
    Ok(person
        .filter(Person::may_use_password)
        .map(|person| (link, person)))
}

fn set_password(
    tx: &Transaction<'_>,
    realm: &Realm,
    link: &Link,
    person: &Person,
    hash: &str,
    visitor: &Visitor,
    now: Timestamp,
) -> scim::Result<()> {
    let (id, account) = (realm.id(), person.account.id);
    for kind in [Kind::Invitation, Kind::ResetLink, Kind::Session] {
        credentials::end(tx, id, account, kind)?;
    }
    if link.kind == LinkKind::Recovery {
        credentials::end(tx, id, account, Kind::SecondFactor)?;
        credentials::end(tx, id, account, Kind::RecoveryCode)?;
    }
    let is_first = passwords::changed(tx, id, account)?.is_none();
    passwords::set(tx, id, account, hash, now)?;
    let detail = json!({ "by": link.kind.word() });
    person.note(tx, realm, "password.set", detail, visitor, now)?;
    match is_first {
        true => Ok(()),
        false => mail::tell(tx, id, now, &person.account, Content::PasswordChanged { at: now }),
    }
}
