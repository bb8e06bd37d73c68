//! People who sign in to a realm, and what is kept of what they do there.

use jiff::Timestamp;
use scim::store::database::{Reader, Transaction};
use serde_json::Value;
use uuid::Uuid;

use super::visitor::Visitor;
use crate::database::{accounts, audit, entries, instance_owners, organizations, passwords, second_factors};
use crate::domain::account::Account;
use crate::domain::audit::{ActorKind, AuditRow};
use crate::domain::entry::Entry;
use crate::domain::organization::Organization;
use crate::domain::realm::Realm;

/// Somebody who has an account, or is an owner of the instance.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) account: Account,
    pub(crate) entry: Entry,
}

impl Person {
    /// Finds somebody by the name under which they sign in.
    pub(super) fn by_name(reader: &Reader<'_>, realm: &Realm, name: &str) -> scim::Result<Option<Self>> {
        let account = match realm {
            Realm::Organization(organization) => accounts::by_name(reader, organization.id, name.trim())?,
            Realm::Instance => instance_owners::by_address(reader, name)?.map(|owner| owner.account()),
        };
        Self::of(reader, realm, account)
    }

    /// Finds somebody by the id of their account.
    pub(super) fn by_id(reader: &Reader<'_>, realm: &Realm, id: Uuid) -> scim::Result<Option<Self>> {
        let account = match realm {
            Realm::Organization(organization) => accounts::by_id(reader, organization.id, id)?,
            Realm::Instance => instance_owners::by_id(reader, id)?.map(|owner| owner.account()),
        };
        Self::of(reader, realm, account)
    }

    fn of(reader: &Reader<'_>, realm: &Realm, account: Option<Account>) -> scim::Result<Option<Self>> {
        let Some(account) = account else {
            return Ok(None);
        };
        let entry = entries::find(reader, realm.id(), account.id)?;
        Ok(entry.map(|entry| Self { account, entry }))
    }

    /// Returns whether they may use a password.
    pub(super) fn may_use_password(&self) -> bool {
        self.account.has_access() && self.entry.has_password()
    }

    /// Returns the hash of their password, if they may use it.
    pub(super) fn hash(&self, reader: &Reader<'_>, realm: &Realm) -> scim::Result<Option<String>> {
        match self.may_use_password() {
            true => passwords::find(reader, realm.id(), self.account.id),
            false => Ok(None),
        }
    }

    /// Returns whether they have a second factor.
    pub(super) fn has_factor(&self, reader: &Reader<'_>, realm: &Realm) -> scim::Result<bool> {
        Ok(second_factors::confirmed(reader, realm.id(), self.account.id)?.is_some())
    }

    /// Returns the words that others connect with them.
    pub(super) fn about<'p>(&'p self, realm: &'p Realm) -> Vec<&'p str> {
        let mut words = vec![self.account.name.as_str(), self.account.display.as_str()];
        if let Realm::Organization(organization) = realm {
            words.extend([organization.name.as_str(), organization.display.as_str()]);
        }
        words
    }

    /// Writes down what they have done.
    pub(super) fn note(
        &self,
        tx: &Transaction<'_>,
        realm: &Realm,
        action: &'static str,
        detail: Value,
        visitor: &Visitor,
        now: Timestamp,
    ) -> scim::Result<()> {
        let row = AuditRow {
            organization: realm.id(),
            time: now,
            actor_kind: match realm {
                Realm::Organization(_) => ActorKind::Account,
                Realm::Instance => ActorKind::Owner,
            },
            actor: self.account.name.clone(),
            action: action.into(),
            subject_type: "account".into(),
            subject: self.account.id.to_string(),
            subject_name: self.account.name.clone(),
            detail,
            address: visitor.shown_address(),
            request_id: None,
        };
        audit::insert(tx, &row).map(drop)
    }
}

/// Looks at a realm anew: its settings may have changed, or it may have ended.
pub(super) fn present(reader: &Reader<'_>, realm: &Realm) -> scim::Result<Option<Realm>> {
    match realm {
        Realm::Instance => Ok(Some(Realm::Instance)),
        Realm::Organization(known) => {
            let found: Option<Organization> = organizations::by_id(reader, known.id)?;
            Ok(found.map(|found| Realm::Organization(Box::new(found))))
        }
    }
}
