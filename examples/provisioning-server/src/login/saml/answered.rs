//! Sign-ins by SAML that end here: an answer arrives.

use jiff::Timestamp;
use scim::store::database::{Reader, Transaction};
use serde_json::json;
use uuid::Uuid;

use super::with_saml_rs::{SamlRs, stated};
use super::{Posted, Verifier};
use crate::database::saml::{assertions, candidates, confirmations, errands, failures, provider};
use crate::database::{Stop, organizations};
use crate::domain::account::Account;
use crate::domain::email;
use crate::domain::fault::{Fault, Result};
use crate::domain::organization::Organization;
use crate::domain::public_url::PublicUrl;
use crate::domain::realm::Realm;
use crate::domain::saml::CLOCK_SKEW;
use crate::domain::saml::assertion::{Assertion, Expectation};
use crate::domain::saml::errand::Errand;
use crate::domain::saml::failure::{Asserted, Failure};
use crate::domain::saml::person::{self, Candidate, Confirmation};
use crate::domain::saml::provider::{Provider, Standing};
use crate::domain::saml::refusal::Refusal;
use crate::domain::saml::request::Request;
use crate::domain::saml::xml::Element;
use crate::domain::secret::{Fingerprint, Secret, SecretKind};
use crate::domain::session::{Stage, Way};
use crate::domain::settings::Switch;
use crate::login::begin::{Secrets, SignedIn, begin};
use crate::login::person::Person;
use crate::login::{Login, Visitor};

/// The form and the cookies that a browser brings.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The form field `SAMLResponse`.
    pub(crate) response: String,
    /// The form field `RelayState`.
    pub(crate) relay_state: String,
    /// The secret by which the browser is known, if a sign-in has begun in it.
    pub(crate) browser: Option<Secret>,
}

/// The outcome of an answer.
#[derive(Debug)]
pub(crate) enum Answered {
    /// Somebody is signed in.
    SignedIn(SignedIn),
    /// A trial has succeeded: the person with this name would have been signed in.
    Tried(String),
    /// The person of a manual account has confirmed that they sign in so.
    Confirmed,
    /// Nobody has asked for it, and that is not allowed: a sign-in is to begin here at once.
    Unasked,
    /// It is refused. An administrator finds the reason by the reference, if it is kept.
    Refused(Option<String>),
}

/// The facts that are looked up before an answer is verified.
struct Known {
    provider: Option<Provider>,
    errand: Option<(Errand, Fingerprint)>,
}

/// An answer that was verified, and what it is to be used for.
#[derive(Clone)]
struct Verified {
    assertion: Assertion,
    /// The provider whose answer it is.
    provider: Provider,
    errand: Option<(Errand, Fingerprint)>,
}

/// The decision on a verified answer.
enum Used {
    SignedIn(SignedIn),
    Tried(String),
    Confirmed,
}

/// The requirements on an answer.
enum Expected {
    /// One to this request, or to none, of this provider.
    Answer(Provider, Option<String>),
    /// Nobody has asked for it, so that it is discarded.
    Nothing,
}

impl Login {
    /// Takes an answer of an organization's identity provider: verifies it, and signs in whom it is about.
    ///
    /// # Errors
    /// The database fails. Whatever is wrong with the answer is [`Answered::Refused`].
    pub(crate) async fn answer_saml(
        &self,
        organization: &Organization,
        base: &PublicUrl,
        answer: Answer,
        visitor: &Visitor,
    ) -> Result<Answered> {
        let now = Timestamp::now();
        let stated = stated(&answer.response);
        let link = Secret::parse(SecretKind::Link, &answer.relay_state);
        let known = self.known(organization.id, link, now).await?;
        let outcome = match expected(organization, &known, &answer, stated.as_ref(), now) {
            Ok(Expected::Nothing) => return Ok(Answered::Unasked),
            Ok(Expected::Answer(provider, request)) => {
                let expectation = expectation(organization, base, &provider, request, now);
                match self.verified(expectation, answer.response, now).await? {
                    Ok(assertion) => {
                        let errand = known.errand;
                        let verified = Verified {
                            assertion,
                            provider,
                            errand,
                        };
                        self.use_verified(organization.id, verified, visitor).await?
                    }
                    Err(refusal) => Err(refusal),
                }
            }
            Err(refusal) => Err(refusal),
        };
        Ok(match outcome {
            Ok(Used::SignedIn(signed_in)) => Answered::SignedIn(signed_in),
            Ok(Used::Tried(name)) => Answered::Tried(name),
            Ok(Used::Confirmed) => Answered::Confirmed,
            Err(refusal) => {
                let asserted = stated.as_ref().map(Asserted::of).unwrap_or_default();
                Answered::Refused(
                    self.keep_failure(organization.id, refusal, asserted, visitor)
                        .await?,
                )
            }
        })
    }

    async fn known(&self, organization: Uuid, link: Option<Secret>, now: Timestamp) -> Result<Known> {
        let errand = match link.as_ref().map(Secret::fingerprint) {
            Some(link) => self
                .errand(organization, link, now)
                .await?
                .map(|errand| (errand, link)),
            None => None,
        };
        let look = move |reader: &Reader<'_>| provider::find(reader, organization);
        Ok(Known {
            provider: self.product.read(look).await?,
            errand,
        })
    }

    async fn verified(
        &self,
        expectation: Expectation,
        response: String,
        now: Timestamp,
    ) -> Result<Result<Assertion, Refusal>> {
        let verify = move || {
            let posted = Posted { response: &response };
            SamlRs.verify(&expectation, &posted, now)
        };
        self.turns.take(verify).await
    }

    /// Uses a verified answer, in one transaction with the note that it is used.
    async fn use_verified(
        &self,
        organization: Uuid,
        verified: Verified,
        visitor: &Visitor,
    ) -> Result<Result<Used, Refusal>> {
        let secrets = Secrets::generate(visitor)?;
        let visitor = visitor.clone();
        self.product
            .transact(move |tx| {
                let now = Timestamp::now();
                let (organization, provider) = unchanged(tx, organization, &verified.provider)?;
                let assertion = &verified.assertion;
                if !is_first(tx, organization.id, assertion)? {
                    return Ok(Err(Refusal::Replayed));
                }
                let found = candidates::of_address(tx, organization.id, &assertion.name_id)?;
                let Some((errand, link)) = &verified.errand else {
                    let is_in_force = Standing::of(Some(&provider)).is_in_force(&organization.settings);
                    return match is_in_force {
                        true => sign_in(tx, organization, assertion, &found, &secrets, &visitor, now),
                        false => Ok(Err(Refusal::SsoOff)),
                    };
                };
                let account = match person::find_unconfirmed(assertion, &found) {
                    Ok(account) => account,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                errands::end(tx, organization.id, link)?;
                match errand {
                    Errand::Trial => tried(tx, &organization, provider, account, now),
                    Errand::Confirmation(own) if *own == account.id => {
                        confirmed(tx, organization, assertion, account, &visitor, now)
                    }
                    Errand::Confirmation(_) => Ok(Err(Refusal::OtherPerson)),
                }
            })
            .await
    }

    /// Keeps a refused answer for administrators, and returns its reference. Answers that anybody can send in masses are
    /// not kept in masses.
    async fn keep_failure(
        &self,
        organization: Uuid,
        refusal: Refusal,
        asserted: Asserted,
        visitor: &Visitor,
    ) -> Result<Option<String>> {
        let now = Timestamp::now();
        let is_kept = move |reader: &Reader<'_>| failures::is_kept(reader, organization, now);
        if !self.product.read(is_kept).await? {
            return Ok(None);
        }
        let failure = Failure {
            id: Uuid::now_v7(),
            time: now,
            refusal,
            asserted,
            address: visitor.shown_address(),
        };
        let reference = failure.reference();
        self.product
            .transact(move |tx| Ok(failures::insert(tx, organization, &failure)?))
            .await?;
        Ok(Some(reference))
    }
}

/// Decides what an answer has to be, before it is verified. Its own statements are believed by nobody so far: the
/// verification compares it.
fn expected(
    organization: &Organization,
    known: &Known,
    answer: &Answer,
    stated: Option<&Element>,
    now: Timestamp,
) -> Result<Expected, Refusal> {
    let is_in_force = Standing::of(known.provider.as_ref()).is_in_force(&organization.settings);
    let is_errand = known.errand.is_some();
    let provider = known.provider.clone().filter(|_| is_in_force || is_errand);
    let provider = provider.ok_or(Refusal::SsoOff)?;
    let is_own = |id: &str| {
        let browser = answer.browser.as_ref();
        browser.is_some_and(|browser| Request::is_of(id, browser, organization.id, now))
    };
    match stated.map(|stated| stated.attr("InResponseTo")) {
        // An answer that cannot be read is refused by the verification, which says why.
        None => Ok(Expected::Answer(provider, None)),
        Some(Some(id)) if is_own(id) => Ok(Expected::Answer(provider, Some(id.to_owned()))),
        // An errand is for the browser in which it began.
        Some(request) if request.is_some() || is_errand => Err(Refusal::InResponseTo),
        Some(_) => Ok(match organization.settings.idp_initiated_saml {
            Switch::On => Expected::Answer(provider, None),
            Switch::Off => Expected::Nothing,
        }),
    }
}

/// Returns everything that an answer is compared with. The organization of the URL decides about all of it.
fn expectation(
    organization: &Organization,
    base: &PublicUrl,
    provider: &Provider,
    request: Option<String>,
    now: Timestamp,
) -> Expectation {
    let entity_id = base.saml_entity_id(organization.id);
    provider.expectation(entity_id, base.saml_acs(&organization.name), request, now)
}

/// Returns organization and provider as they are now, unless other answers are accepted since the answer was verified.
fn unchanged(
    tx: &Transaction<'_>,
    organization: Uuid,
    verified: &Provider,
) -> Result<(Organization, Provider), Stop> {
    let organization = organizations::by_id(tx, organization)?;
    let provider = match &organization {
        Some(organization) => provider::find(tx, organization.id)?,
        None => None,
    };
    match organization.zip(provider) {
        Some(found) if found.1.accepts_like(verified) => Ok(found),
        _ => Err(Fault::conflict(
            "Somebody has changed how people sign in meanwhile: begin again at the sign-in page.",
        )
        .into()),
    }
}

/// Notes that an assertion is used. Answers with `false` if it was used before.
fn is_first(tx: &Transaction<'_>, organization: Uuid, assertion: &Assertion) -> scim::Result<bool> {
    let until = assertion.not_on_or_after.checked_add(CLOCK_SKEW);
    assertions::take(tx, organization, &assertion.id, until.unwrap_or(Timestamp::MAX))
}

fn sign_in(
    tx: &Transaction<'_>,
    organization: Organization,
    assertion: &Assertion,
    found: &[Candidate],
    secrets: &Secrets,
    visitor: &Visitor,
    now: Timestamp,
) -> Result<Result<Used, Refusal>, Stop> {
    let account = match person::find(assertion, found) {
        Ok(account) => account.id,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let realm = Realm::Organization(Box::new(organization));
    let Some(person) = Person::by_id(tx, &realm, account)? else {
        return Ok(Err(Refusal::Nobody));
    };
    // The identity provider has asked for whatever factors it wants.
    let way = (Way::Saml, Stage::Full);
    let signed_in = begin(tx, &realm, &person, way, secrets, visitor, now)?;
    Ok(Ok(Used::SignedIn(signed_in)))
}

fn tried(
    tx: &Transaction<'_>,
    organization: &Organization,
    provider: Provider,
    account: &Account,
    now: Timestamp,
) -> Result<Result<Used, Refusal>, Stop> {
    let provider = Provider {
        tried: Some(now),
        ..provider
    };
    provider::put(tx, organization.id, &provider)?;
    Ok(Ok(Used::Tried(account.name.clone())))
}

fn confirmed(
    tx: &Transaction<'_>,
    organization: Organization,
    assertion: &Assertion,
    account: &Account,
    visitor: &Visitor,
    now: Timestamp,
) -> Result<Result<Used, Refusal>, Stop> {
    let confirmation = Confirmation {
        address_key: email::key(&assertion.name_id),
        stable_id: assertion.stable_id.clone(),
    };
    confirmations::put(tx, organization.id, account.id, &confirmation, now)?;
    let realm = Realm::Organization(Box::new(organization));
    if let Some(person) = Person::by_id(tx, &realm, account.id)? {
        person.note(tx, &realm, "saml.confirm", json!({}), visitor, now)?;
    }
    Ok(Ok(Used::Confirmed))
}
