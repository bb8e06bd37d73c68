//! The sessions of whoever is signed in: listed, and ended.

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::current::Current;
use super::visitor::Visitor;
use super::{Login, Outcome};
use crate::database::{credentials, sessions};
use crate::domain::credential::Event;
use crate::domain::realm::Realm;
use crate::domain::secret::Secret;
use crate::domain::session::Session;

impl Login {
    /// Returns the sessions of somebody, the newest first.
    ///
    /// # Errors
    /// The database fails.
    pub(crate) async fn sessions(&self, found: &Current) -> Outcome<Vec<Session>> {
        let (realm, account) = (found.realm.id(), found.person.account.id);
        let all = self
            .product
            .look(move |reader| Ok(sessions::live(reader, realm, account, Timestamp::now())?));
        Ok(all.await?)
    }

    /// Ends the session of a browser. If there is none, it does nothing.
    ///
    /// # Errors
    /// The database fails.
    pub(crate) async fn sign_out(&self, realm: &Realm, session: &Secret) -> Outcome<()> {
        let (id, fingerprint) = (realm.id(), session.fingerprint());
        let done = self.product.transact(move |tx| {
            if let Some(session) = sessions::find(tx, id, &fingerprint)? {
                sessions::end(tx, id, session.account, session.id)?;
            }
            Ok(())
        });
        Ok(done.await?)
    }

    /// Ends one session of whoever is signed in, or does nothing if it has ended.
    ///
    /// # Errors
    /// Nobody is signed in, or the database fails.
    pub(crate) async fn end_session(&self, realm: &Realm, session: &Secret, ended: Uuid) -> Outcome<()> {
        self.with(realm, session, move |tx, _, found| {
            sessions::end(tx, found.realm.id(), found.person.account.id, ended)?;
            Ok(Ok(()))
        })
        .await
    }

    /// Ends all sessions of whoever is signed in, this one too.
    ///
    /// # Errors
    /// Nobody is signed in, or the database fails.
    pub(crate) async fn sign_out_everywhere(
        &self,
        realm: &Realm,
        session: &Secret,
        visitor: &Visitor,
    ) -> Outcome<()> {
        let visitor = visitor.clone();
        self.with(realm, session, move |tx, now, found| {
            let Current { realm, person, .. } = found;
            credentials::apply(tx, realm.id(), person.account.id, Event::SignOutEverywhere)?;
            person.note(tx, realm, "session.end-all", json!({}), &visitor, now)?;
            Ok(Ok(()))
        })
        .await
    }
}
