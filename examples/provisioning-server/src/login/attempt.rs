//! The counters of one attempt to sign in.

use jiff::Timestamp;
use scim::store::database::{Reader, Transaction};
use uuid::Uuid;

use super::person::Person;
use super::visitor::Visitor;
use crate::database::{attempts, devices};
use crate::domain::account::name_key;
use crate::domain::attempts::{Counted, Counter};
use crate::domain::realm::Realm;

/// The counters that an attempt is counted by.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    realm: Uuid,
    counters: Vec<(Counted, String)>,
}

impl Attempt {
    /// Returns the counters of an attempt to sign in with a password. From a browser in which the person has signed in
    /// before it has a counter of its own, so that nobody is locked out from elsewhere.
    pub(super) fn with_password(
        reader: &Reader<'_>,
        realm: &Realm,
        person: Option<&Person>,
        name: &str,
        visitor: &Visitor,
        now: Timestamp,
    ) -> scim::Result<Self> {
        let known = match (person, &visitor.device) {
            (Some(person), Some(device)) => {
                let (id, account) = (realm.id(), person.account.id);
                let fingerprint = device.fingerprint();
                devices::is_known(reader, id, account, &fingerprint, now)?
                    .then(|| format!("{account} {:02x?}", fingerprint.as_bytes()))
            }
            _ => None,
        };
        let counters = match known {
            Some(device) => vec![(Counted::Device, device)],
            None => {
                let place = visitor.place().map(|place| (Counted::Address, place));
                let name = (Counted::Name, name_key(name.trim()));
                [name].into_iter().chain(place).collect()
            }
        };
        Ok(Self {
            realm: realm.id(),
            counters,
        })
    }

    /// Returns the counter of codes that somebody types who has given the right password.
    pub(super) fn with_code(realm: &Realm, account: Uuid) -> Self {
        Self {
            realm: realm.id(),
            counters: vec![(Counted::Device, format!("{account} code"))],
        }
    }

    /// Returns the counters of a mail that is asked for.
    pub(super) fn for_mail(realm: &Realm, name: &str, visitor: &Visitor) -> Self {
        let place = visitor
            .place()
            .map(|place| (Counted::Address, format!("{place} mail")));
        let name = (Counted::Mail, name_key(name.trim()));
        Self {
            realm: realm.id(),
            counters: [name].into_iter().chain(place).collect(),
        }
    }

    /// Counts the attempt. Answers until when it has to wait, if it is not to be made at all.
    pub(super) fn begin(&self, tx: &Transaction<'_>, now: Timestamp) -> scim::Result<Option<Timestamp>> {
        let mut found = Vec::new();
        let mut until = None;
        for (what, text) in &self.counters {
            let counter = attempts::find(tx, self.realm, *what, text)?;
            until = until.max(counter.wait(*what, now));
            found.push(counter);
        }
        if until.is_some() {
            return Ok(until);
        }
        for ((what, text), counter) in self.counters.iter().zip(found) {
            attempts::set(tx, self.realm, *what, text, counter.counted(now))?;
        }
        Ok(None)
    }

    /// Ends the counters of an attempt that has succeeded. Of an address only this attempt is forgotten: others may guess
    /// from there. One that has failed is written as it is, so that both take as long.
    pub(super) fn end(&self, tx: &Transaction<'_>, has_succeeded: bool) -> scim::Result<()> {
        for (what, text) in &self.counters {
            let before = attempts::find(tx, self.realm, *what, text)?;
            let after = match (has_succeeded, what) {
                (false, _) => before,
                (true, Counted::Address) => Counter {
                    failed: before.failed.saturating_sub(1),
                    ..before
                },
                (true, _) => Counter { failed: 0, ..before },
            };
            attempts::set(tx, self.realm, *what, text, after)?;
        }
        Ok(())
    }
}
