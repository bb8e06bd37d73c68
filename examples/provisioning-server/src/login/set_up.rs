//! The first owner of the instance, who comes by a link that the server prints as long as there is none.

use jiff::Timestamp;
use scim::store::database::{Reader, Transaction};
use serde_json::json;
use uuid::Uuid;

use super::begin::{Secrets, SignedIn, begin};
use super::person::Person;
use super::visitor::Visitor;
use super::{Login, Outcome, Refusal};
use crate::database::{Product, instance_owners, links, passwords};
use crate::domain::entry::Entry;
use crate::domain::fault::{Fault, Result};
use crate::domain::instance_owner::InstanceOwner;
use crate::domain::link::{Link, LinkKind};
use crate::domain::password::Password;
use crate::domain::realm::Realm;
use crate::domain::secret::{Fingerprint, Secret, SecretKind};
use crate::domain::session::{Stage, Way};
use crate::domain::settings::FirstLogin;

/// The choices of the first owner.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    pub(crate) address: String,
    pub(crate) password: String,
}

/// Makes the link by which the first owner comes, in the place of the one before; `None` where there is an owner.
///
/// # Errors
/// The database fails.
pub(crate) async fn link(product: &Product) -> Result<Option<Secret>> {
    let secret = Secret::generate(SecretKind::Link)?;
    let made = secret.clone();
    product
        .transact(move |tx| {
            if instance_owners::count(tx)? > 0 {
                return Ok(None);
            }
            let now = Timestamp::now();
            let link = Link {
                id: Uuid::now_v7(),
                account: Uuid::nil(),
                kind: LinkKind::SetUp,
                created: now,
                expires: LinkKind::SetUp.expiry(now),
            };
            links::replace(tx, Realm::Instance.id(), &link, &made.fingerprint())?;
            Ok(Some(made.clone()))
        })
        .await
}

impl Login {
    /// Checks that a set-up link can be used.
    ///
    /// # Errors
    /// It cannot, or the database fails.
    pub(crate) async fn demand_set_up(&self, secret: &Secret) -> Outcome<()> {
        let fingerprint = secret.fingerprint();
        let is_live = self
            .product
            .look(move |reader| Ok(is_live(reader, &fingerprint, Timestamp::now())?));
        match is_live.await? {
            true => Ok(()),
            false => Err(Refusal::LinkOver),
        }
    }

    /// Makes the first owner and signs them in.
    ///
    /// # Errors
    /// The link cannot be used, address or password cannot be chosen, or the database fails.
    pub(crate) async fn set_up(
        &self,
        secret: &Secret,
        chosen: &Chosen,
        visitor: &Visitor,
    ) -> Outcome<SignedIn> {
        self.demand_set_up(secret).await?;
        let owner = InstanceOwner::new(Uuid::now_v7(), &chosen.address, Timestamp::now())?;
        let password = Password::chosen(&chosen.password, &[&owner.address])?;
        let hash = self.hashing.hash(password).await?;
        let secrets = Secrets::generate(visitor)?;
        let (fingerprint, visitor) = (secret.fingerprint(), visitor.clone());
        let done = self.product.transact(move |tx: &Transaction<'_>| {
            let now = Timestamp::now();
            if !is_live(tx, &fingerprint, now)? || instance_owners::count(tx)? > 0 {
                return Ok(Err(Refusal::LinkOver));
            }
            let realm = Realm::Instance;
            links::end(tx, realm.id(), Uuid::nil(), LinkKind::SetUp)?;
            if !instance_owners::insert(tx, &owner)? {
                return Err(Fault::conflict("There is an owner already.").into());
            }
            passwords::set(tx, realm.id(), owner.id, &hash, now)?;
            let account = owner.account();
            let entry = Entry::of_carried_over(&account, FirstLogin::Invitation);
            let person = Person { account, entry };
            person.note(tx, &realm, "admin.set-up", json!({}), &visitor, now)?;
            let way = (Way::Password, Stage::Full);
            Ok(Ok(begin(tx, &realm, &person, way, &secrets, &visitor, now)?))
        });
        done.await?
    }
}

fn is_live(reader: &Reader<'_>, fingerprint: &Fingerprint, now: Timestamp) -> scim::Result<bool> {
    let link = links::find(reader, Realm::Instance.id(), fingerprint)?;
    Ok(link.is_some_and(|link| link.kind == LinkKind::SetUp && link.is_live(now)))
}
