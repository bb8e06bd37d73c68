//! Sign-in at an organization's identity provider.

use std::time::Duration;

use askama::Template;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::CONTENT_TYPE;
use http::{StatusCode, Uri};
use jiff::Timestamp;
use uuid::Uuid;

use super::destination::Destination;
use super::detour::Detour;
use super::form::Form;
use super::frame::Frame;
use super::page;
use super::problem::Problem;
use super::visit::{Pages, Visit};
use crate::domain::organization::Organization;
use crate::domain::realm::Realm;
use crate::domain::saml::RESPONSE_MAX;
use crate::domain::secret::{Secret, SecretKind};
use crate::login::saml::{Answer, Answered, Begun, Then};

/// The cookie by which a browser is known that comes back from an identity provider, and for how long it keeps it.
pub(super) const BROWSER: &str = "saml";
const BROWSER_AGE: Duration = Duration::from_secs(15 * 60);

/// How many bytes a form with an answer may have: in base64, three of four characters may have to be escaped.
const FORM_MAX: usize = 2 * RESPONSE_MAX;

/// The field of a link that tries a sign-in.
const LINK: &str = "link";

#[derive(Debug, Template)]
#[template(path = "saml-error.html")]
pub(super) struct SamlError {
    pub(super) frame: Frame,
    /// By which an administrator finds the reason, if it is kept.
    pub(super) reference: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "saml-tried.html")]
pub(super) struct SamlTried {
    pub(super) frame: Frame,
    /// The name of whoever would have been signed in.
    pub(super) name: String,
}

/// Returns the path of a page that tries a sign-in once.
pub(crate) fn trial_path(realm: &Realm, link: &Secret) -> String {
    format!("{}/saml/start?{LINK}={}", realm.path(), link.reveal())
}

/// Shows our own metadata to an identity provider.
pub(super) async fn metadata(
    State(pages): State<Pages>,
    Path(organization): Path<String>,
) -> Result<Response, Problem> {
    let id = Uuid::parse_str(&organization).map_err(|_| Problem::NotFound)?;
    pages.product.catch_up();
    let metadata = pages.login.saml_metadata(id, &pages.base).await?;
    let metadata = metadata.ok_or(Problem::NotFound)?;
    Ok(([(CONTENT_TYPE, "application/samlmetadata+xml")], metadata).into_response())
}

/// Leads to the identity provider.
pub(super) async fn start(State(pages): State<Pages>, visit: Visit, uri: Uri) -> Result<Response, Detour> {
    let query = Form::parse(uri.query().unwrap_or_default().as_bytes());
    let then = match Secret::parse(SecretKind::Link, query.text(LINK)) {
        Some(link) => Then::Errand(link),
        None => Then::Page(visit.destination.page().to_owned()),
    };
    begin(&pages, &visit, &then).await
}

/// Leads whoever has a manual account to the identity provider, to confirm that they sign in so from now on.
pub(super) async fn confirm(State(pages): State<Pages>, visit: Visit) -> Result<Response, Detour> {
    let (_, current) = visit.signed_in("account").await?;
    let errand = pages.login.saml_confirmation(&current, Timestamp::now()).await;
    let link = errand.map_err(|refusal| visit.detour(refusal, "account"))?;
    begin(&pages, &visit, &Then::Errand(link)).await
}

async fn begin(pages: &Pages, visit: &Visit, then: &Then) -> Result<Response, Detour> {
    let organization = organization(visit)?;
    let begun = pages
        .login
        .begin_saml(organization, &pages.base, visit.browser(), then);
    match begun.await? {
        Ok(Begun { url, browser }) => {
            Ok(visit.with_browser(&browser, BROWSER_AGE, Redirect::to(&url).into_response()))
        }
        // It was switched off a moment ago, or the address was typed.
        Err(_) => Err(Detour::To(visit.frame.path("sign-in"))),
    }
}

/// Takes the answer of the identity provider: the assertion consumer service.
pub(super) async fn answer(
    State(pages): State<Pages>,
    visit: Visit,
    request: Request,
) -> Result<Response, Detour> {
    let organization = organization(&visit)?;
    let form = Form::read(request, FORM_MAX).await?;
    let relay_state = form.text("RelayState").to_owned();
    let answer = Answer {
        response: form.text("SAMLResponse").to_owned(),
        relay_state: relay_state.clone(),
        browser: visit.browser(),
    };
    let answered = pages
        .login
        .answer_saml(organization, &pages.base, answer, &visit.visitor);
    let frame = visit.frame.clone();
    Ok(match answered.await? {
        Answered::SignedIn(signed_in) => visit.begin(&signed_in, &destination(&pages, &visit, &relay_state)),
        Answered::Tried(name) => page::answer(StatusCode::OK, &SamlTried { frame, name }),
        Answered::Confirmed => Redirect::to(&frame.path("account")).into_response(),
        Answered::Unasked => {
            let destination = destination(&pages, &visit, &relay_state);
            Redirect::to(&(frame.path("saml/start") + &destination.query())).into_response()
        }
        Answered::Refused(reference) => page::answer(StatusCode::FORBIDDEN, &SamlError { frame, reference }),
    })
}

/// Returns the page that somebody comes to: of this organization, whether the state says it in full or not.
fn destination(pages: &Pages, visit: &Visit, relay_state: &str) -> Destination {
    let path = relay_state
        .strip_prefix(&pages.base.to_string())
        .unwrap_or(relay_state);
    Destination::to(path.strip_prefix(&visit.frame.path("")).unwrap_or(path))
}

fn organization(visit: &Visit) -> Result<&Organization, Problem> {
    match &visit.realm {
        Realm::Organization(organization) => Ok(organization),
        Realm::Instance => Err(Problem::NotFound),
    }
}
