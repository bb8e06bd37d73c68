//! The change of one's own password.

use scim::store::database::Transaction;
use serde_json::json;

use super::begin::{Secrets, SignedIn, begin};
use super::current::Current;
use super::second_factor::demand_fresh;
use super::visitor::Visitor;
use super::{Login, Outcome, Refusal};
use crate::database::{mail, passwords, sessions};
use crate::domain::fault::Fault;
use crate::domain::mail::Content;
use crate::domain::password::Password;
use crate::domain::realm::Realm;
use crate::domain::secret::Secret;

/// The change of a password.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// The password until now.
    pub(crate) present: String,
    pub(crate) new: String,
}

impl Login {
    /// Changes the password of whoever is signed in. Other sessions end, and this one gets another secret.
    ///
    /// # Errors
    /// The present password is not right, the new one cannot be chosen, nobody is signed in, they have not confirmed a
    /// moment ago that it is they, or the database fails.
    pub(crate) async fn change_password(
        &self,
        realm: &Realm,
        session: &Secret,
        change: &Change,
        visitor: &Visitor,
    ) -> Outcome<SignedIn> {
        let found = self.current(realm, session).await?;
        if !found.person.may_use_password() {
            return Err(Refusal::Fault(Fault::conflict(
                "You sign in at your organization's identity provider and have no password here.",
            )));
        }
        let new = Password::chosen(&change.new, &found.person.about(&found.realm))?;
        let hash = self.hash_of(&found).await?;
        let is_right = self
            .hashing
            .verify(Password::typed(&change.present), hash.clone())
            .await?;
        let hashed = self.hashing.hash(new).await?;
        let secrets = Secrets::generate(visitor)?;
        let visitor = visitor.clone();
        self.with(realm, session, move |tx: &Transaction<'_>, now, found| {
            demand_fresh(found, now)?;
            let Current { realm, person, .. } = found;
            let (id, account) = (realm.id(), person.account.id);
            if !is_right || person.hash(tx, realm)? != hash {
                return Ok(Err(Refusal::Wrong));
            }
            passwords::set(tx, id, account, &hashed, now)?;
            sessions::end_all(tx, id, account, None)?;
            person.note(tx, realm, "password.change", json!({}), &visitor, now)?;
            mail::tell(tx, id, now, &person.account, Content::PasswordChanged { at: now })?;
            let way = (found.session.way, found.session.stage);
            Ok(Ok(begin(tx, realm, person, way, &secrets, &visitor, now)?))
        })
        .await
    }
}
