//! The session of a request: who it is, and what they may do at this moment.

use std::net::IpAddr;

use jiff::Timestamp;
use scim::store::database::Reader;

use super::begin::asks_for_factor;
use super::person::{Person, present};
use super::{Login, Outcome, Refusal};
use crate::database::effective::Members;
use crate::database::sessions;
use crate::domain::account::Account;
use crate::domain::actor::{Actor, Who};
use crate::domain::permission::Permissions;
use crate::domain::realm::Realm;
use crate::domain::secret::Secret;
use crate::domain::session::{Session, Stage, Way};

/// Somebody who is signed in, or about to be.
#[derive(Debug, Clone)]
pub(crate) struct Current {
    /// As it is now.
    pub(crate) realm: Realm,
    pub(crate) session: Session,
    pub(crate) person: Person,
    pub(crate) permissions: Permissions,
    pub(crate) has_factor: bool,
}

impl Current {
    /// Returns how far they have come. If a second factor came to be asked for since they signed in, they set one up now.
    pub(crate) fn stage(&self) -> Stage {
        let is_lacking =
            self.session.way == Way::Password && !self.has_factor && asks_for_factor(&self.realm);
        match self.session.stage {
            Stage::Full if is_lacking => Stage::SetUp,
            stage => stage,
        }
    }

    /// Returns the account.
    pub(crate) fn account(&self) -> &Account {
        &self.person.account
    }

    /// Returns whether they have confirmed a factor a moment ago.
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        self.session.is_fresh(now)
    }

    /// Returns the actor as whom they act.
    ///
    /// # Errors
    /// They have not come so far.
    pub(crate) fn actor(&self, address: Option<IpAddr>, now: Timestamp) -> Outcome<Actor> {
        if self.stage() != Stage::Full {
            return Err(Refusal::SignedOut);
        }
        let Account { id, name, .. } = self.account().clone();
        Ok(Actor {
            who: match &self.realm {
                Realm::Organization(organization) => Who::Account {
                    organization: organization.id,
                    id,
                    name,
                },
                Realm::Instance => Who::Owner { id, name },
            },
            permissions: self.permissions.clone(),
            fresh: self.is_fresh(now),
            address,
        })
    }
}

impl Login {
    /// Returns whose session a secret is: up to a moment old.
    ///
    /// # Errors
    /// Nobody's: its time is over, or its person has no access any more. Or the database fails.
    pub(crate) async fn current(&self, realm: &Realm, session: &Secret) -> Outcome<Current> {
        let now = Timestamp::now();
        let (known, fingerprint) = (realm.clone(), session.fingerprint());
        let found = self
            .product
            .look(move |reader| {
                let session = sessions::find(reader, known.id(), &fingerprint)?;
                match session.filter(|session| session.is_live(now)) {
                    Some(session) => Ok(current(reader, &known, session)?),
                    None => Ok(None),
                }
            })
            .await?;
        let current = found.ok_or(Refusal::SignedOut)?;
        if current.session.is_to_be_noted(now) {
            let (realm, id) = (realm.id(), current.session.id);
            self.product
                .transact(move |tx| Ok(sessions::used(tx, realm, id, now)?))
                .await?;
        }
        Ok(current)
    }
}

/// Looks at everything that decides about a session.
pub(super) fn current(reader: &Reader<'_>, realm: &Realm, session: Session) -> scim::Result<Option<Current>> {
    let Some(realm) = present(reader, realm)? else {
        return Ok(None);
    };
    let person = Person::by_id(reader, &realm, session.account)?;
    let Some(person) = person.filter(|person| person.account.has_access()) else {
        return Ok(None);
    };
    let permissions = match &realm {
        Realm::Organization(organization) => Members::of(reader, organization)?
            .effective(reader, &person.account)?
            .permitted(),
        Realm::Instance => Permissions::catalogue(),
    };
    let has_factor = person.has_factor(reader, &realm)?;
    Ok(Some(Current {
        realm,
        session,
        person,
        permissions,
        has_factor,
    }))
}
