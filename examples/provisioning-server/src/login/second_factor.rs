//! Second factors: they complete a sign-in, confirm that it is still the same person, and are set up and removed.

use jiff::Timestamp;
use scim::store::database::Transaction;
use serde_json::json;

use super::attempt::Attempt;
use super::begin::{Secrets, SignedIn, asks_for_factor, begin};
use super::current::{Current, current};
use super::visitor::Visitor;
use super::{Login, Outcome, Refusal};
use crate::database::keys::Keys;
use crate::database::second_factors::SecondFactor;
use crate::database::{Stop, mail, passwords, recovery_codes, second_factors, sessions};
use crate::domain::fault::Fault;
use crate::domain::mail::{Content, FactorChange};
use crate::domain::password::Password;
use crate::domain::realm::Realm;
use crate::domain::second_factor::{FactorSecret, RecoveryCode, is_unused};
use crate::domain::secret::Secret;
use crate::domain::session::{Stage, Way};

/// The evidence that it is the same person.
#[derive(Debug, Clone)]
pub(crate) enum Proof {
    /// A code of an authenticator application, or a recovery code.
    Code(String),
    /// The password, for somebody who has no second factor.
    Password(String),
}

/// A second factor that can be set up.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    /// The secret as it is typed.
    pub(crate) typed: String,
    /// The same as applications read it from a picture.
    pub(crate) url: String,
}

/// A second factor that was set up.
#[derive(Debug, Clone)]
pub(crate) struct SetUp {
    /// The codes to keep, as they are shown: once.
    pub(crate) codes: Vec<String>,
    pub(crate) signed_in: SignedIn,
}

/// The second factors of somebody, as they look at them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Factors {
    /// Since when they have a password.
    pub(crate) password: Option<Timestamp>,
    /// Since when they have an authenticator application.
    pub(crate) application: Option<Timestamp>,
    /// How many recovery codes are left.
    pub(crate) codes: u64,
    /// Whether the realm asks for a second factor.
    pub(crate) is_required: bool,
}

impl Login {
    /// Completes a sign-in that waits for its second factor. The session gets another secret.
    ///
    /// # Errors
    /// The code is not right or was used before, too many were wrong, no sign-in waits, or the database fails.
    pub(crate) async fn second_factor(
        &self,
        realm: &Realm,
        session: &Secret,
        code: &str,
        visitor: &Visitor,
    ) -> Outcome<SignedIn> {
        let secrets = Secrets::generate(visitor)?;
        let (keys, code, visitor) = (self.product.keys().clone(), code.to_owned(), visitor.clone());
        self.with(realm, session, move |tx, now, found| {
            if found.session.stage != Stage::SecondFactor {
                return Ok(Err(Refusal::SignedOut));
            }
            let attempt = Attempt::with_code(&found.realm, found.person.account.id);
            if let Some(until) = attempt.begin(tx, now)? {
                return Ok(Err(Refusal::Slowed { until }));
            }
            if !use_code(tx, &keys, found, &code, &visitor, now)? {
                return Ok(Err(Refusal::Wrong));
            }
            attempt.end(tx, true)?;
            let Current { realm, person, .. } = found;
            sessions::end(tx, realm.id(), person.account.id, found.session.id)?;
            let way = (found.session.way, Stage::Full);
            Ok(Ok(begin(tx, realm, person, way, &secrets, &visitor, now)?))
        })
        .await
    }

    /// Confirms that it is still the same person, before something that matters.
    ///
    /// # Errors
    /// The evidence is not right, too much of it was wrong, nobody is signed in, or the database fails.
    pub(crate) async fn step_up(
        &self,
        realm: &Realm,
        session: &Secret,
        proof: &Proof,
        visitor: &Visitor,
    ) -> Outcome<()> {
        let found = self.current(realm, session).await?;
        let is_right_password = match proof {
            Proof::Password(_) if found.has_factor => return Err(Refusal::Wrong),
            Proof::Password(text) => {
                let hash = self.hash_of(&found).await?;
                self.hashing.verify(Password::typed(text), hash).await?
            }
            Proof::Code(_) => false,
        };
        let (keys, proof, visitor) = (self.product.keys().clone(), proof.clone(), visitor.clone());
        self.with(realm, session, move |tx, now, found| {
            if found.stage() != Stage::Full {
                return Ok(Err(Refusal::SignedOut));
            }
            let attempt = Attempt::with_code(&found.realm, found.person.account.id);
            if let Some(until) = attempt.begin(tx, now)? {
                return Ok(Err(Refusal::Slowed { until }));
            }
            let is_right = match &proof {
                Proof::Password(_) => is_right_password,
                Proof::Code(code) => use_code(tx, &keys, found, code, &visitor, now)?,
            };
            if !is_right {
                return Ok(Err(Refusal::Wrong));
            }
            attempt.end(tx, true)?;
            sessions::proved(tx, found.realm.id(), found.session.id, now)?;
            Ok(Ok(()))
        })
        .await
    }

    /// Offers a second factor to set up: the same until it is confirmed. One that is in force holds until then.
    ///
    /// # Errors
    /// Nobody is signed in, they have not confirmed a moment ago that it is they, or the database fails.
    pub(crate) async fn offer_factor(&self, realm: &Realm, session: &Secret) -> Outcome<Offer> {
        let (keys, new) = (self.product.keys().clone(), FactorSecret::generate()?);
        self.with(realm, session, move |tx, now, found| {
            demand_fresh(found, now)?;
            let (id, account) = (found.realm.id(), &found.person.account);
            let secret = match second_factors::find(tx, &keys, id, account.id)? {
                Some(SecondFactor {
                    offer: Some(offer), ..
                }) => offer,
                Some(known) if known.confirmed.is_some() => {
                    second_factors::offer_another(tx, &keys, id, account.id, &new)?;
                    new.clone()
                }
                Some(known) => known.secret,
                None => {
                    second_factors::offer(tx, &keys, id, account.id, &new, now)?;
                    new.clone()
                }
            };
            let issuer = match &found.realm {
                Realm::Organization(organization) => organization.display.clone(),
                Realm::Instance => "Provisioning".to_owned(),
            };
            Ok(Ok(Offer {
                typed: secret.typed_form(),
                url: secret.url(&issuer, &account.name)?,
            }))
        })
        .await
    }

    /// Puts the second factor that was offered into force, with its first code, in the place of one that there is. Other
    /// sessions end, and this one gets another secret.
    ///
    /// # Errors
    /// The code is not right, none was offered, nobody is signed in, or the database fails.
    pub(crate) async fn confirm_factor(
        &self,
        realm: &Realm,
        session: &Secret,
        code: &str,
        visitor: &Visitor,
    ) -> Outcome<SetUp> {
        let secrets = Secrets::generate(visitor)?;
        let codes = RecoveryCode::generate_all()?;
        let (keys, code, visitor) = (self.product.keys().clone(), code.to_owned(), visitor.clone());
        self.with(realm, session, move |tx, now, found| {
            demand_fresh(found, now)?;
            let Current { realm, person, .. } = found;
            let (id, account) = (realm.id(), person.account.id);
            let known = second_factors::find(tx, &keys, id, account)?;
            let known = known.ok_or_else(not_offered)?;
            let step = |secret: &FactorSecret| secret.matching_step(&code, now);
            let (change, action) = match (known.confirmed, &known.offer) {
                (None, _) => {
                    let Some(step) = step(&known.secret) else {
                        return Ok(Err(Refusal::Wrong));
                    };
                    second_factors::used(tx, id, account, step, now)?;
                    (FactorChange::Added, "second-factor.add")
                }
                (Some(_), Some(offer)) => {
                    let Some(step) = step(offer) else {
                        return Ok(Err(Refusal::Wrong));
                    };
                    second_factors::exchange(tx, &keys, id, account, (offer, step), now)?;
                    (FactorChange::Exchanged, "second-factor.exchange")
                }
                (Some(_), None) => return Err(not_offered().into()),
            };
            recovery_codes::replace(tx, id, account, &codes)?;
            changed(tx, found, change, action, &visitor, now)?;
            sessions::end_all(tx, id, account, None)?;
            let way = (found.session.way, Stage::Full);
            let signed_in = begin(tx, realm, person, way, &secrets, &visitor, now)?;
            Ok(Ok(SetUp {
                codes: codes.iter().map(RecoveryCode::shown).collect(),
                signed_in,
            }))
        })
        .await
    }

    /// Makes recovery codes in the place of those before.
    ///
    /// # Errors
    /// They have no second factor, have not confirmed a moment ago that it is they, nobody is signed in, or the database
    /// fails.
    pub(crate) async fn make_codes(
        &self,
        realm: &Realm,
        session: &Secret,
        visitor: &Visitor,
    ) -> Outcome<Vec<String>> {
        let (codes, visitor) = (RecoveryCode::generate_all()?, visitor.clone());
        self.with(realm, session, move |tx, now, found| {
            demand_fresh(found, now)?;
            demand_factor(found)?;
            recovery_codes::replace(tx, found.realm.id(), found.person.account.id, &codes)?;
            changed(
                tx,
                found,
                FactorChange::CodesMade,
                "recovery-codes.make",
                &visitor,
                now,
            )?;
            Ok(Ok(codes.iter().map(RecoveryCode::shown).collect()))
        })
        .await
    }

    /// Removes the second factor of whoever is signed in.
    ///
    /// # Errors
    /// The realm asks for one, they have none, have not confirmed a moment ago that it is they, nobody is signed in, or
    /// the database fails.
    pub(crate) async fn remove_factor(
        &self,
        realm: &Realm,
        session: &Secret,
        visitor: &Visitor,
    ) -> Outcome<()> {
        let visitor = visitor.clone();
        self.with(realm, session, move |tx, now, found| {
            demand_fresh(found, now)?;
            demand_factor(found)?;
            if asks_for_factor(&found.realm) {
                return Err(Fault::conflict(
                    "Your organization asks for a second factor: set another up instead, or ask an administrator to reset \
                     it.",
                )
                .into());
            }
            let (id, account) = (found.realm.id(), found.person.account.id);
            second_factors::end(tx, id, account)?;
            recovery_codes::end(tx, id, account)?;
            changed(
                tx,
                found,
                FactorChange::Removed,
                "second-factor.remove",
                &visitor,
                now,
            )?;
            Ok(Ok(()))
        })
        .await
    }

    /// Returns by what somebody can sign in.
    ///
    /// # Errors
    /// The database fails.
    pub(crate) async fn factors(&self, found: &Current) -> Outcome<Factors> {
        let (realm, account) = (found.realm.clone(), found.person.account.id);
        let factors = self.product.look(move |reader| {
            let id = realm.id();
            Ok(Factors {
                password: passwords::changed(reader, id, account)?,
                application: second_factors::confirmed(reader, id, account)?,
                codes: recovery_codes::count(reader, id, account)?,
                is_required: asks_for_factor(&realm),
            })
        });
        Ok(factors.await?)
    }

    pub(super) async fn hash_of(&self, found: &Current) -> Outcome<Option<String>> {
        let (realm, person) = (found.realm.clone(), found.person.clone());
        let hash = self.product.look(move |reader| Ok(person.hash(reader, &realm)?));
        Ok(hash.await?)
    }

    /// Runs a job on whoever is signed in, as the transaction sees them.
    pub(super) async fn with<T: Send + 'static>(
        &self,
        realm: &Realm,
        session: &Secret,
        job: impl Fn(&Transaction<'_>, Timestamp, &Current) -> Result<Outcome<T>, Stop> + Send + 'static,
    ) -> Outcome<T> {
        let (realm, fingerprint) = (realm.clone(), session.fingerprint());
        let done = self.product.transact(move |tx| {
            let now = Timestamp::now();
            let session = sessions::find(tx, realm.id(), &fingerprint)?;
            let Some(session) = session.filter(|session| session.is_live(now)) else {
                return Ok(Err(Refusal::SignedOut));
            };
            match current(tx, &realm, session)? {
                Some(found) => job(tx, now, &found),
                None => Ok(Err(Refusal::SignedOut)),
            }
        });
        done.await?
    }
}

/// Uses a code of an application, or a recovery code. Answers with whether it is right.
fn use_code(
    tx: &Transaction<'_>,
    keys: &Keys,
    found: &Current,
    code: &str,
    visitor: &Visitor,
    now: Timestamp,
) -> scim::Result<bool> {
    let (id, account) = (found.realm.id(), found.person.account.id);
    let factor = second_factors::find(tx, keys, id, account)?;
    let Some(factor) = factor.filter(|factor| factor.confirmed.is_some()) else {
        return Ok(false);
    };
    let step = factor.secret.matching_step(code, now);
    if let Some(step) = step.filter(|step| is_unused(*step, factor.last_step)) {
        second_factors::used(tx, id, account, step, now)?;
        return Ok(true);
    }
    let Some(code) = RecoveryCode::parse(code) else {
        return Ok(false);
    };
    let is_used = recovery_codes::consume(tx, id, account, &code)?;
    if is_used {
        changed(
            tx,
            found,
            FactorChange::CodeUsed,
            "recovery-codes.use",
            visitor,
            now,
        )?;
    }
    Ok(is_used)
}

/// Writes down that a second factor has changed, and tells its person.
fn changed(
    tx: &Transaction<'_>,
    found: &Current,
    change: FactorChange,
    action: &'static str,
    visitor: &Visitor,
    now: Timestamp,
) -> scim::Result<()> {
    let Current { realm, person, .. } = found;
    let left = recovery_codes::count(tx, realm.id(), person.account.id)?;
    person.note(tx, realm, action, json!({ "codes_left": left }), visitor, now)?;
    let content = Content::SecondFactorChanged { at: now, change };
    mail::tell(tx, realm.id(), now, &person.account, content)
}

/// Checks that somebody may change by what they sign in: they have just confirmed that it is they.
pub(super) fn demand_fresh(found: &Current, now: Timestamp) -> Result<(), Stop> {
    match found.stage() {
        Stage::Full if found.is_fresh(now) => Ok(()),
        Stage::SetUp if found.session.way == Way::Password => Ok(()),
        _ => Err(Fault::stale("Confirm that it is you first: this changes how you sign in.").into()),
    }
}

fn demand_factor(found: &Current) -> Result<(), Stop> {
    match found.has_factor {
        true => Ok(()),
        false => Err(Fault::conflict("You have no second factor: set one up first.").into()),
    }
}

fn not_offered() -> Fault {
    Fault::conflict(
        "No second factor was offered, or it is in force already: open the page that sets one up again.",
    )
}
