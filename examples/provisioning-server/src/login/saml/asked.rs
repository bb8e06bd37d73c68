//! Sign-ins by SAML that begin here.

use jiff::Timestamp;
use scim::store::database::{Reader, Transaction};
use uuid::Uuid;

use super::with_saml_rs::redirect_url;

use crate::database::organizations;
use crate::database::saml::{errands, provider};
use crate::domain::account::ManagedBy;
use crate::domain::clock::later;
use crate::domain::fault::{Fault, Result};
use crate::domain::organization::Organization;
use crate::domain::public_url::PublicUrl;
use crate::domain::realm::Realm;
use crate::domain::saml::errand::{Errand, LIFE};
use crate::domain::saml::metadata::of_service;
use crate::domain::saml::provider::Standing;
use crate::domain::saml::refusal::Refusal;
use crate::domain::saml::request::Request;
use crate::domain::secret::{Fingerprint, Secret, SecretKind, random};
use crate::login::{Current, Login, Outcome};

/// The longest state that an identity provider has to send back (SAML 2.0 Bindings section 3.4.3), in bytes.
const RELAY_STATE_MAX: usize = 80;

/// A sign-in that has begun.
#[derive(Debug, Clone)]
pub(crate) struct Begun {
    /// The URL that the browser goes to now.
    pub(crate) url: String,
    /// The secret by which the browser is known when it comes back.
    pub(crate) browser: Secret,
}

/// The step after a sign-in.
#[derive(Debug, Clone)]
pub(crate) enum Then {
    /// This page of the organization.
    Page(String),
    /// An errand: nobody is signed in.
    Errand(Secret),
}

impl Then {
    /// Returns the text that the identity provider sends back. A page that is too long is forgotten.
    fn relay_state(&self) -> Option<&str> {
        let text = match self {
            Self::Page(page) => page.as_str(),
            Self::Errand(secret) => secret.reveal(),
        };
        Some(text).filter(|text| (1..=RELAY_STATE_MAX).contains(&text.len()))
    }
}

impl Login {
    /// Returns whether people of a realm can sign in at an identity provider now.
    ///
    /// # Errors
    /// The database fails.
    pub(crate) async fn has_saml(&self, realm: &Realm) -> Result<bool> {
        let Realm::Organization(organization) = realm else {
            return Ok(false);
        };
        let id = organization.id;
        let found = self
            .product
            .read(move |reader| provider::find(reader, id))
            .await?;
        Ok(Standing::of(found.as_ref()).is_in_force(&organization.settings))
    }

    /// Returns our own metadata for the identity provider of an organization, if there is such an organization.
    ///
    /// # Errors
    /// The database fails.
    pub(crate) async fn saml_metadata(&self, organization: Uuid, base: &PublicUrl) -> Result<Option<String>> {
        let found = self
            .product
            .read(move |reader| organizations::by_id(reader, organization))
            .await?;
        Ok(found.map(|found| of_service(&base.saml_entity_id(found.id), &base.saml_acs(&found.name))))
    }

    /// Returns whether somebody has a manual account, and single sign-on is in force, so that they can confirm that they
    /// sign in so.
    ///
    /// # Errors
    /// The database fails.
    pub(crate) async fn can_confirm_saml(&self, found: &Current) -> Result<bool> {
        Ok(found.account().managed_by == ManagedBy::Hand && self.has_saml(&found.realm).await?)
    }

    /// Begins to confirm that whoever is signed in to a manual account signs in by SAML from now on: returns what the
    /// sign-in at the identity provider is for.
    ///
    /// # Errors
    /// They have not confirmed a moment ago that it is they, their account is not a manual one, single sign-on is not in
    /// force, or the database fails.
    pub(crate) async fn saml_confirmation(&self, found: &Current, now: Timestamp) -> Outcome<Secret> {
        if !found.is_fresh(now) {
            return Err(Fault::stale("Confirm that it is you first: this changes how you sign in.").into());
        }
        if !self.can_confirm_saml(found).await? {
            return Err(Fault::conflict("Your account needs no confirmation to sign in by SAML.").into());
        }
        let secret = Secret::generate(SecretKind::Link)?;
        let (fingerprint, realm, account) = (secret.fingerprint(), found.realm.id(), found.account().id);
        self.product
            .transact(move |tx| {
                let errand = Errand::Confirmation(account);
                Ok(errands::insert(
                    tx,
                    realm,
                    errand,
                    &fingerprint,
                    later(now, LIFE),
                )?)
            })
            .await?;
        Ok(secret)
    }

    /// Returns an errand that can be done. One that is not known is asked for anew: it may have been made this moment, by
    /// another process.
    pub(super) async fn errand(
        &self,
        organization: Uuid,
        link: Fingerprint,
        now: Timestamp,
    ) -> Result<Option<Errand>> {
        let look = move |reader: &Reader<'_>| errands::find(reader, organization, &link, now);
        match self.product.read(look).await? {
            Some(known) => Ok(Some(known)),
            None => {
                let look = move |tx: &Transaction<'_>| Ok(errands::find(tx, organization, &link, now)?);
                self.product.transact(look).await
            }
        }
    }

    /// Begins a sign-in at the identity provider of an organization. Nothing is kept of it here.
    ///
    /// # Errors
    /// Single sign-on is not in force, the errand cannot be done any more, or the database fails.
    pub(crate) async fn begin_saml(
        &self,
        organization: &Organization,
        base: &PublicUrl,
        browser: Option<Secret>,
        then: &Then,
    ) -> Result<Result<Begun, Refusal>> {
        let (now, id) = (Timestamp::now(), organization.id);
        let errand = match then {
            Then::Page(_) => None,
            Then::Errand(secret) => self.errand(id, secret.fingerprint(), now).await?,
        };
        let provider = self
            .product
            .read(move |reader| provider::find(reader, id))
            .await?;
        if matches!(then, Then::Errand(_)) && errand.is_none() {
            return Err(Fault::conflict(
                "The link was used, or its time is over: ask for another one.",
            ));
        }
        let is_in_force = Standing::of(provider.as_ref()).is_in_force(&organization.settings);
        let Some(provider) = provider.filter(|_| is_in_force || errand.is_some()) else {
            return Ok(Err(Refusal::SsoOff));
        };
        let browser = match browser {
            Some(known) => known,
            None => Secret::generate(SecretKind::Browser)?,
        };
        let request = Request::new(&browser, id, random()?, now);
        let (entity_id, acs) = (base.saml_entity_id(id), base.saml_acs(&organization.name));
        let xml = request.xml(&provider.sso_url, &entity_id, &acs);
        let url = redirect_url(&provider.sso_url, &xml, then.relay_state())?;
        Ok(Ok(Begun { url, browser }))
    }
}
