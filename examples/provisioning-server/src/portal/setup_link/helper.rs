//! The pages of whoever has a set-up link. The link itself stands in the path of its first page alone.

use std::time::Duration;

use askama::Template;
use axum::extract::RawPathParams;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{REFERRER_POLICY, SET_COOKIE};
use http::{HeaderValue, StatusCode};

use crate::actions::set_up::Progress;
use crate::actions::setup_link::{self, Helper};
use crate::domain::fault::{Fault, Kind};
use crate::domain::guide::Guide;
use crate::domain::keyword::Keyword;
use crate::domain::secret::{Secret, SecretKind};
use crate::domain::settings::IdentityProvider;
use crate::domain::setup_link::SetupLink;
use crate::domain::words::Words;
use crate::portal::detour::Detour;
use crate::portal::frame::Frame;
use crate::portal::headers::NO_REFERRER;
use crate::portal::moment;
use crate::portal::page;
use crate::portal::visit::{Visit, helper_cookie};
use crate::portal::wizard::Choice;
use crate::portal::wizard::view::{Attempt, BlockView, FieldValue, Mark, Reader, View};

/// The path of the guide, after the link was opened.
const PAGE: &str = "setup";

/// How long the browser is known: a link is good for no longer.
const AGE: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug, Template)]
#[template(path = "setup-link/open.html")]
pub(in crate::portal) struct Open {
    pub(in crate::portal) frame: Frame,
}

#[derive(Debug, Template)]
#[template(path = "setup-link/over.html")]
pub(in crate::portal) struct Over {
    pub(in crate::portal) frame: Frame,
}

#[derive(Debug, Template)]
#[template(path = "setup-link/done.html")]
pub(in crate::portal) struct Done {
    pub(in crate::portal) frame: Frame,
}

/// The guide without an account.
#[derive(Debug, Template)]
#[template(path = "setup-link/guide.html")]
pub(in crate::portal) struct GuidePage {
    pub(in crate::portal) frame: Frame,
    /// The person who has made the link, and when it ends.
    pub(in crate::portal) maker: String,
    pub(in crate::portal) expires: String,
    pub(in crate::portal) guide: View,
    pub(in crate::portal) providers: Vec<Choice>,
    pub(in crate::portal) has_token: bool,
    /// The token that was just made.
    pub(in crate::portal) secret: Option<String>,
    pub(in crate::portal) trouble: Option<String>,
    pub(in crate::portal) here: String,
    pub(in crate::portal) open: String,
}

/// The question before another token is made.
#[derive(Debug, Template)]
#[template(path = "setup-link/token.html")]
pub(in crate::portal) struct AnotherToken {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) words: &'static Words,
}

/// Shows a page that sends no referrer.
fn quiet(mut answer: Response) -> Response {
    answer
        .headers_mut()
        .insert(REFERRER_POLICY, HeaderValue::from_static(NO_REFERRER));
    answer
}

/// Returns the page that says that a link is of no use, or the problem that there is.
fn over(visit: &Visit, fault: Fault) -> Result<Response, Detour> {
    match fault.kind() {
        Kind::Gone => Ok(gone(visit)),
        _ => Err(fault.into()),
    }
}

fn gone(visit: &Visit) -> Response {
    let frame = visit.frame.clone();
    quiet(page::answer(StatusCode::GONE, &Over { frame }))
}

/// Reads the secret of a link in the path.
fn secret(path: &RawPathParams) -> Option<Secret> {
    let (_, text) = path.iter().find(|(name, _)| *name == "secret")?;
    Secret::parse(SecretKind::SetupLink, text)
}

/// Returns the browser, if it has opened a link.
fn helper(visit: &Visit) -> Option<Helper> {
    visit.helper.clone().map(|browser| Helper {
        browser,
        address: visit.visitor.address,
    })
}

/// Shows what a link is for, and changes nothing: mail scanners open links, too.
pub(super) async fn get_link(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let Some(secret) = secret(&path) else {
        return Ok(gone(&visit));
    };
    let organization = visit.organization()?.id;
    match setup_link::demand_openable(&visit.product, organization, &secret).await {
        Ok(()) => {
            let frame = visit.frame.clone();
            Ok(quiet(page::answer(StatusCode::OK, &Open { frame })))
        }
        Err(fault) => over(&visit, fault),
    }
}

/// Opens a link in this browser, and leads to the guide.
pub(super) async fn post_link(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let Some(secret) = secret(&path) else {
        return Ok(gone(&visit));
    };
    let browser = Secret::generate(SecretKind::Helper)?;
    let helper = Helper {
        browser: browser.clone(),
        address: visit.visitor.address,
    };
    let organization = visit.organization()?.id;
    match setup_link::open(&visit.product, organization, &secret, helper).await {
        Ok(()) => {
            let mut answer = Redirect::to(&visit.frame.path(PAGE)).into_response();
            let set = visit
                .cookies()
                .set(&helper_cookie(&visit.realm), browser.reveal(), Some(AGE));
            if let Some(set) = set {
                answer.headers_mut().append(SET_COOKIE, set);
            }
            Ok(quiet(answer))
        }
        Err(fault) => over(&visit, fault),
    }
}

/// Shows the guide.
pub(super) async fn get(visit: Visit) -> Result<Response, Detour> {
    show(&visit, StatusCode::OK, None, None).await
}

async fn show(
    visit: &Visit,
    status: StatusCode,
    made: Option<&Secret>,
    trouble: Option<String>,
) -> Result<Response, Detour> {
    let Some(helper) = helper(visit) else {
        return Ok(gone(visit));
    };
    let organization = visit.organization()?;
    match setup_link::progress(&visit.product, organization, &helper).await {
        Ok((link, progress)) => {
            let shown = guide(visit, &link, &progress, made, trouble);
            Ok(quiet(page::answer(status, &shown)))
        }
        Err(fault) => over(visit, fault),
    }
}

fn guide(
    visit: &Visit,
    link: &SetupLink,
    progress: &Progress,
    made: Option<&Secret>,
    trouble: Option<String>,
) -> GuidePage {
    let settings = &progress.organization.settings;
    let asked = IdentityProvider::from_word(visit.query.text("provider"));
    let provider = asked.unwrap_or(settings.idp);
    let is_open = visit.query.text("steps") == "all";
    let here = format!("{}?provider={}", visit.frame.path(PAGE), provider.word());
    GuidePage {
        frame: visit.frame.clone(),
        maker: link.maker.name.clone(),
        expires: moment::minute(link.expires),
        guide: View::of(
            Guide::of(provider, settings),
            progress,
            &visit.base,
            &visit.frame,
            Reader::Linked,
            is_open,
        ),
        providers: Choice::all(provider),
        has_token: progress.has_token,
        secret: made.map(|secret| secret.reveal().to_owned()),
        trouble,
        open: format!("{here}&steps=all"),
        here,
    }
}

/// Asks before another token is made.
pub(super) async fn get_token(visit: Visit) -> Result<Response, Detour> {
    let Some(helper) = helper(&visit) else {
        return Ok(gone(&visit));
    };
    let organization = visit.organization()?;
    match setup_link::progress(&visit.product, organization, &helper).await {
        Ok((_, progress)) => {
            let asked = AnotherToken {
                frame: visit.frame.clone(),
                words: Words::of(progress.organization.settings.words),
            };
            Ok(quiet(page::answer(StatusCode::OK, &asked)))
        }
        Err(fault) => over(&visit, fault),
    }
}

/// Makes the token, and shows it this once.
pub(super) async fn post_token(visit: Visit) -> Result<Response, Detour> {
    let Some(helper) = helper(&visit) else {
        return Ok(gone(&visit));
    };
    let organization = visit.organization()?;
    match setup_link::make_token(&visit.product, organization, &helper).await {
        Ok(issued) => show(&visit, StatusCode::OK, Some(&issued.secret), None).await,
        Err(fault) if matches!(fault.kind(), Kind::Conflict | Kind::Invalid) => {
            show(
                &visit,
                StatusCode::UNPROCESSABLE_ENTITY,
                None,
                Some(fault.to_string()),
            )
            .await
        }
        Err(fault) => over(&visit, fault),
    }
}

/// Ends the link, and says goodbye.
pub(super) async fn post_done(visit: Visit) -> Result<Response, Detour> {
    let Some(helper) = helper(&visit) else {
        return Ok(gone(&visit));
    };
    let organization = visit.organization()?.id;
    match setup_link::finish(&visit.product, organization, helper).await {
        Ok(()) => {
            let frame = visit.frame.clone();
            let mut answer = page::answer(StatusCode::OK, &Done { frame });
            if let Some(ended) = visit.cookies().delete(&helper_cookie(&visit.realm)) {
                answer.headers_mut().append(SET_COOKIE, ended);
            }
            Ok(quiet(answer))
        }
        Err(fault) => over(&visit, fault),
    }
}
