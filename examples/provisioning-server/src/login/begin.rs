//! The beginning of sessions.

use jiff::Timestamp;
use scim::store::database::Transaction;
use serde_json::json;
use uuid::Uuid;

use super::person::Person;
use super::visitor::Visitor;
use crate::database::{devices, entries, sessions};
use crate::domain::keyword::Keyword;
use crate::domain::realm::Realm;
use crate::domain::secret::{Secret, SecretKind};
use crate::domain::session::{Session, Stage, Way};
use crate::domain::settings;

/// A session that has begun, with what the browser is given.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn {
    pub(crate) session: Secret,
    /// How far the person has come.
    pub(crate) stage: Stage,
    /// The secret by which the browser is known from now on.
    pub(crate) device: Option<Secret>,
}

/// The secrets of a session, which are made before its transaction: a job may run again.
#[derive(Debug, Clone)]
pub(super) struct Secrets {
    session: Secret,
    device: Secret,
}

impl Secrets {
    pub(super) fn generate(visitor: &Visitor) -> crate::domain::fault::Result<Self> {
        let device = match &visitor.device {
            Some(known) => known.clone(),
            None => Secret::generate(SecretKind::Device)?,
        };
        Ok(Self {
            session: Secret::generate(SecretKind::Session)?,
            device,
        })
    }
}

/// Returns how far somebody has come who has given the right password.
pub(super) fn stage_after_password(realm: &Realm, has_factor: bool) -> Stage {
    match has_factor {
        true => Stage::SecondFactor,
        false if asks_for_factor(realm) => Stage::SetUp,
        false => Stage::Full,
    }
}

/// Returns whether everybody who signs in with a password needs a second factor.
pub(super) fn asks_for_factor(realm: &Realm) -> bool {
    match realm {
        Realm::Organization(organization) => {
            organization.settings.second_factor == settings::SecondFactor::Required
        }
        Realm::Instance => false,
    }
}

/// Begins a session in the transaction that has let somebody in.
pub(super) fn begin(
    tx: &Transaction<'_>,
    realm: &Realm,
    person: &Person,
    (way, stage): (Way, Stage),
    secrets: &Secrets,
    visitor: &Visitor,
    now: Timestamp,
) -> scim::Result<SignedIn> {
    let account = person.account.id;
    let session = Session {
        id: Uuid::now_v7(),
        account,
        stage,
        way,
        created: now,
        used: now,
        proved: now,
        address: visitor.shown_address(),
        agent: visitor.shown_agent(),
    };
    sessions::insert(tx, realm.id(), &session, &secrets.session.fingerprint())?;
    let mut device = None;
    if stage == Stage::Full {
        entries::signed_in(tx, realm.id(), account, now)?;
        devices::note(tx, realm.id(), account, &secrets.device.fingerprint(), now)?;
        person.note(
            tx,
            realm,
            "session.begin",
            json!({ "way": way.word() }),
            visitor,
            now,
        )?;
        device = Some(secrets.device.clone());
    }
    Ok(SignedIn {
        session: secrets.session.clone(),
        stage,
        device,
    })
}
