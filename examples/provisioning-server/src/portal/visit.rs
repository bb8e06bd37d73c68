//! Requests of browsers: whose pages they ask for, from where they come, and who is signed in.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{SET_COOKIE, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use scim::message::ServiceProviderConfig;

use super::cookies::Cookies;
use super::destination::Destination;
use super::detour::Detour;
use super::form::Form;
use super::frame::{Frame, Frames};
use super::problem::Problem;
use super::said;
use super::single_sign_on::BROWSER;
use crate::database::Product;
use crate::domain::network::Networks;
use crate::domain::organization::Name;
use crate::domain::public_url::PublicUrl;
use crate::domain::realm::Realm;
use crate::domain::secret::{Secret, SecretKind};
use crate::domain::session::Stage;
use crate::fetch::Fetcher;
use crate::login::{Current, Login, Refusal, SignedIn, Visitor};
use crate::operate::peer::Peer;

/// The cookie by which a browser is known from an earlier sign-in, and for how long it keeps it.
const DEVICE: &str = "device";
const DEVICE_AGE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// The state that all pages of sign-in need.
#[derive(Clone)]
pub(super) struct Pages {
    pub(super) product: Arc<Product>,
    pub(super) login: Login,
    pub(super) fetcher: Fetcher,
    pub(super) frames: Frames,
    pub(super) cookies: Cookies,
    /// How browsers reach the server.
    pub(super) base: PublicUrl,
    /// Whether links in mails have no address that others can reach.
    pub(super) lacks_public_url: bool,
    /// The reverse proxies before the server.
    pub(super) proxies: Networks,
    /// The capabilities of the SCIM service.
    pub(super) offered: Arc<ServiceProviderConfig>,
}

/// A request for a page of an organization, or of the instance.
pub(super) struct Visit {
    pub(super) product: Arc<Product>,
    pub(super) login: Login,
    pub(super) fetcher: Fetcher,
    pub(super) realm: Realm,
    pub(super) frame: Frame,
    pub(super) visitor: Visitor,
    pub(super) destination: Destination,
    cookies: Cookies,
    /// How browsers reach the server.
    pub(super) base: PublicUrl,
    /// The capabilities of the SCIM service.
    pub(super) offered: Arc<ServiceProviderConfig>,
    /// The query of the request.
    pub(super) query: Form,
    session: Option<Secret>,
    /// The session of an owner of the instance, who may look at an organization.
    owner: Option<Secret>,
    said: Option<String>,
    browser: Option<Secret>,
    /// The secret by which a browser is known in which a set-up link was opened.
    pub(super) helper: Option<Secret>,
}

impl FromRequestParts<Pages> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, pages: &Pages) -> Result<Self, Problem> {
        // A page shows what another process has done a moment ago, too: a link of the command line, a session of another server.
        pages.product.catch_up();
        let realm = realm(parts, pages).await?;
        let cookies = pages.cookies;
        let headers = &parts.headers;
        let session = cookies.read(headers, &cookie(&realm));
        let owner = match realm {
            Realm::Organization(_) => cookies.read(headers, &cookie(&Realm::Instance)),
            Realm::Instance => None,
        };
        let device = cookies.read(headers, DEVICE);
        let browser = cookies.read(headers, BROWSER);
        let helper = cookies.read(headers, &helper_cookie(&realm));
        let peer = parts.extensions.get::<Peer>();
        Ok(Self {
            product: Arc::clone(&pages.product),
            login: pages.login.clone(),
            fetcher: pages.fetcher.clone(),
            frame: pages.frames.of(&realm, headers),
            base: pages.base.clone(),
            offered: Arc::clone(&pages.offered),
            query: Form::parse(parts.uri.query().unwrap_or_default().as_bytes()),
            said: said::said(cookies, headers),
            owner: owner.and_then(|text| Secret::parse(SecretKind::Session, text)),
            visitor: Visitor {
                address: peer.map(|peer| peer.client(&pages.proxies, headers)),
                agent: agent(headers),
                device: device.and_then(|text| Secret::parse(SecretKind::Device, text)),
            },
            destination: Destination::read(&parts.uri),
            browser: browser.and_then(|text| Secret::parse(SecretKind::Browser, text)),
            helper: helper.and_then(|text| Secret::parse(SecretKind::Helper, text)),
            session: session.and_then(|text| Secret::parse(SecretKind::Session, text)),
            cookies,
            realm,
        })
    }
}

/// Finds whose pages are asked for: the path names an organization, or it leads to the instance.
async fn realm(parts: &mut Parts, pages: &Pages) -> Result<Realm, Problem> {
    let path = RawPathParams::from_request_parts(parts, &()).await;
    let path = path.map_err(|_| Problem::NotFound)?;
    let named = path.iter().find(|(name, _)| *name == "organization");
    match named {
        Some((_, name)) => {
            let name = Name::parse(name).map_err(|_| Problem::NotFound)?;
            Ok(pages.login.realm(&name).await?)
        }
        None => Ok(Realm::Instance),
    }
}

/// Returns the name of the cookie of a realm's sessions.
fn cookie(realm: &Realm) -> String {
    match realm {
        Realm::Organization(organization) => format!("o-{}", organization.name),
        Realm::Instance => "instance".to_owned(),
    }
}

/// Returns the name of the cookie of a browser in which a set-up link of a realm was opened.
pub(super) fn helper_cookie(realm: &Realm) -> String {
    format!("setup-{}", cookie(realm))
}

fn agent(headers: &HeaderMap) -> Option<String> {
    let agent = headers.get(USER_AGENT)?;
    Some(String::from_utf8_lossy(agent.as_bytes()).into_owned())
}

impl Visit {
    /// Returns the secret of the browser's session.
    ///
    /// # Errors
    /// There is none: the way leads to the sign-in, and from there to this page.
    pub(super) fn session(&self, page: &str) -> Result<&Secret, Detour> {
        let session = self.session.as_ref();
        session.ok_or_else(|| self.detour(Refusal::SignedOut, page))
    }

    /// Returns who has signed in, or is about to, if anybody.
    ///
    /// # Errors
    /// The database fails.
    pub(super) async fn current(&self) -> Result<Option<Current>, Problem> {
        let Some(session) = &self.session else {
            return Ok(None);
        };
        match self.login.current(&self.realm, session).await {
            Ok(current) => Ok(Some(current)),
            Err(Refusal::Fault(fault)) => Err(fault.into()),
            Err(_) => Ok(None),
        }
    }

    /// Returns who is signed in.
    ///
    /// # Errors
    /// Nobody is, or not as far as that: the way leads to what is missing, and from there to this page.
    pub(super) async fn signed_in(&self, page: &str) -> Result<(&Secret, Current), Detour> {
        let session = self.session(page)?;
        let Some(current) = self.current().await? else {
            return Err(self.detour(Refusal::SignedOut, page));
        };
        match current.stage() {
            Stage::Full => Ok((session, current)),
            stage => Err(Detour::To(self.next(stage, &Destination::to(page)))),
        }
    }

    /// Returns who is signed in, here or, where the page is of an organization, as an owner of the instance; and the realm
    /// and the secret of their session.
    ///
    /// # Errors
    /// Nobody is, or not as far as that: the way leads to what is missing, and from there to this page.
    pub(super) async fn whoever(&self, page: &str) -> Result<(&Realm, &Secret, Current), Detour> {
        let detour = match self.signed_in(page).await {
            Ok((session, current)) => return Ok((&self.realm, session, current)),
            Err(detour) => detour,
        };
        let Some(owner) = &self.owner else {
            return Err(detour);
        };
        match self.login.current(&Realm::Instance, owner).await {
            Ok(current) if current.stage() == Stage::Full => Ok((&Realm::Instance, owner, current)),
            _ => Err(detour),
        }
    }

    /// Returns the names and attributes of cookies.
    pub(super) const fn cookies(&self) -> Cookies {
        self.cookies
    }

    /// Returns what was done a moment ago.
    pub(super) fn said(&self) -> Option<String> {
        self.said.clone()
    }

    /// Returns the header after which no page says it again.
    pub(super) fn ends_said(&self) -> Option<HeaderValue> {
        said::end(self.cookies)
    }

    /// Has the next page say what was done.
    pub(super) fn say(&self, headers: &mut HeaderMap, sentence: &str) {
        said::say(self.cookies, headers, sentence);
    }

    /// Returns the path that leads on from a stage.
    pub(super) fn next(&self, stage: Stage, destination: &Destination) -> String {
        let query = destination.query();
        match stage {
            Stage::Full => self.frame.path(destination.page()),
            Stage::SecondFactor => self.frame.path("sign-in/second-factor") + &query,
            Stage::SetUp => self.frame.path("second-factor/set-up") + &query,
        }
    }

    /// Returns the way around a refusal that no page shows by itself: to what is missing, and from there to the page.
    pub(super) fn detour(&self, refusal: Refusal, page: &str) -> Detour {
        let query = Destination::to(page).query();
        match refusal {
            Refusal::SignedOut => Detour::To(self.frame.path("sign-in") + &query),
            Refusal::Fault(fault) if fault.kind() == crate::domain::fault::Kind::Stale => {
                Detour::To(self.frame.path("step-up") + &query)
            }
            Refusal::Fault(fault) => Detour::Problem(fault.into()),
            Refusal::Wrong | Refusal::Slowed { .. } | Refusal::LinkOver => Detour::Problem(Problem::NotFound),
        }
    }

    /// Leads on with a session that has begun, to the destination once it is complete.
    pub(super) fn begin(&self, signed_in: &SignedIn, destination: &Destination) -> Response {
        let path = self.next(signed_in.stage, destination);
        self.with_session(signed_in, Redirect::to(&path).into_response())
    }

    /// Gives the browser a session that has begun.
    pub(super) fn with_session(&self, signed_in: &SignedIn, mut answer: Response) -> Response {
        let session = self
            .cookies
            .set(&cookie(&self.realm), signed_in.session.reveal(), None);
        let device = signed_in.device.as_ref();
        let device = device.and_then(|device| self.cookies.set(DEVICE, device.reveal(), Some(DEVICE_AGE)));
        append(answer.headers_mut(), session);
        append(answer.headers_mut(), device);
        answer
    }

    /// Returns the secret by which the browser is known, if a sign-in at the identity provider has begun in it.
    pub(super) fn browser(&self) -> Option<Secret> {
        self.browser.clone()
    }

    /// Gives the browser the secret by which it is known when it comes back from the identity provider.
    pub(super) fn with_browser(&self, browser: &Secret, age: Duration, mut answer: Response) -> Response {
        let cookie = self.cookies.set_across_sites(BROWSER, browser.reveal(), age);
        append(answer.headers_mut(), cookie);
        answer
    }

    /// Leads to a page, without a session.
    pub(super) fn end(&self, page: &str) -> Response {
        let mut answer = Redirect::to(&self.frame.path(page)).into_response();
        append(answer.headers_mut(), self.cookies.delete(&cookie(&self.realm)));
        answer
    }
}

fn append(headers: &mut HeaderMap, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        headers.append(SET_COOKIE, cookie);
    }
}
