//! Sign-in with name and password.
//!
//! It is always two transactions and one comparison of passwords, whether there is an account or not.

use jiff::Timestamp;
use scim::store::database::Transaction;

use super::attempt::Attempt;
use super::begin::{Secrets, SignedIn, begin, stage_after_password};
use super::hashing::is_outdated;
use super::person::{Person, present};
use super::visitor::Visitor;
use super::{Login, Outcome, Refusal};
use crate::database::passwords;
use crate::domain::password::Password;
use crate::domain::realm::Realm;
use crate::domain::session::Way;

/// An attempt that may be made.
struct Admitted {
    attempt: Attempt,
    /// The hash to compare with, if somebody can sign in under this name with a password.
    hash: Option<String>,
}

impl Login {
    /// Signs somebody in, or asks for their second factor.
    ///
    /// # Errors
    /// Name and password are not those of somebody who can sign in with them, too many attempts have failed, or the
    /// database fails.
    pub(crate) async fn sign_in(
        &self,
        realm: &Realm,
        name: &str,
        password: &str,
        visitor: &Visitor,
    ) -> Outcome<SignedIn> {
        let secrets = Secrets::generate(visitor)?;
        let Admitted { attempt, hash } = self.admit(realm, name, visitor).await??;
        let typed = Password::typed(password);
        let is_right = self.hashing.verify(typed.clone(), hash.clone()).await?;
        let hash = hash.filter(|_| is_right);
        let renewed = match (typed, &hash) {
            (Some(typed), Some(hash)) if is_outdated(hash) => Some(self.hashing.hash(typed).await?),
            _ => None,
        };
        let (realm, name, visitor) = (realm.clone(), name.to_owned(), visitor.clone());
        let job = move |tx: &Transaction<'_>| {
            let now = Timestamp::now();
            let found = Person::by_name(tx, &realm, &name)?;
            let person = found.filter(|_| hash.is_some());
            let realm = present(tx, &realm)?;
            let (Some(person), Some(realm)) = (person, realm) else {
                attempt.end(tx, false)?;
                return Ok(Err(Refusal::Wrong));
            };
            // It may have been changed, or the account locked, while the password was compared.
            let is_still_right = person.hash(tx, &realm)? == hash;
            attempt.end(tx, is_still_right)?;
            if !is_still_right {
                return Ok(Err(Refusal::Wrong));
            }
            if let Some(renewed) = &renewed {
                passwords::renew(tx, realm.id(), person.account.id, renewed)?;
            }
            let stage = stage_after_password(&realm, person.has_factor(tx, &realm)?);
            let way = (Way::Password, stage);
            Ok(Ok(begin(tx, &realm, &person, way, &secrets, &visitor, now)?))
        };
        self.product.transact(job).await?
    }

    async fn admit(
        &self,
        realm: &Realm,
        name: &str,
        visitor: &Visitor,
    ) -> crate::domain::fault::Result<Outcome<Admitted>> {
        let (realm, name, visitor) = (realm.clone(), name.to_owned(), visitor.clone());
        let job = move |tx: &Transaction<'_>| {
            let now = Timestamp::now();
            let person = Person::by_name(tx, &realm, &name)?;
            let attempt = Attempt::with_password(tx, &realm, person.as_ref(), &name, &visitor, now)?;
            if let Some(until) = attempt.begin(tx, now)? {
                return Ok(Err(Refusal::Slowed { until }));
            }
            let hash = match &person {
                Some(person) => person.hash(tx, &realm)?,
                None => None,
            };
            Ok(Ok(Admitted { attempt, hash }))
        };
        self.product.transact(job).await
    }
}
