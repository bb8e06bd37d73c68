//! One's own account: password, second factor, sessions.

use askama::Template;
use axum::extract::RawPathParams;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use jiff::Timestamp;

use super::detour::Detour;
use super::form::Form;
use super::frame::Frame;
use super::passwords::Passwords;
use super::path::id;
use super::shell::{Section, Shell};
use super::trouble::Trouble;
use super::visit::Visit;
use super::{agent, moment, page};
use crate::domain::fault::Fault;
use crate::domain::session::Session as Signed;
use crate::login::{Change, Current, Refusal};

/// A session as its person sees it.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) browser: String,
    pub(super) place: String,
    pub(super) is_this: bool,
}

#[derive(Debug, Template)]
#[template(path = "account.html")]
pub(super) struct Account {
    pub(super) frame: Frame,
    pub(super) shell: Shell,
    pub(super) trouble: Option<String>,
    /// When the password was changed; none where there is no password.
    pub(super) password: Option<String>,
    /// When the application was set up.
    pub(super) application: Option<String>,
    /// How many recovery codes are left, in words.
    pub(super) codes: String,
    pub(super) is_required: bool,
    /// Whether they can confirm that they sign in at the identity provider from now on.
    pub(super) can_confirm_saml: bool,
    pub(super) sessions: Vec<Session>,
}

#[derive(Debug, Template)]
#[template(path = "password.html")]
pub(super) struct Password {
    pub(super) frame: Frame,
    pub(super) name: String,
    /// Whether the password until now was another.
    pub(super) is_wrong: bool,
    pub(super) passwords: Passwords,
}

#[derive(Debug, Template)]
#[template(path = "remove-second-factor.html")]
pub(super) struct RemoveSecondFactor {
    pub(super) frame: Frame,
}

/// The page of the account, and those that lead back to it.
const ACCOUNT: &str = "account";
const PASSWORD: &str = "account/password";
const REMOVE: &str = "account/second-factor/remove";

const NEW: &str = "New password";

/// Shows the account.
pub(super) async fn get(visit: Visit) -> Result<Response, Detour> {
    show(&visit, StatusCode::OK, None).await
}

async fn show(visit: &Visit, status: StatusCode, trouble: Option<String>) -> Result<Response, Detour> {
    let (_, current) = visit.signed_in(ACCOUNT).await?;
    let detour = |refusal| visit.detour(refusal, ACCOUNT);
    let factors = visit.login.factors(&current).await.map_err(detour)?;
    let sessions = visit.login.sessions(&current).await.map_err(detour)?;
    let shown = Account {
        frame: visit.frame.clone(),
        shell: Shell::new(&current, Section::Own, ACCOUNT),
        trouble,
        password: factors.password.map(moment::day),
        application: factors.application.map(moment::day),
        codes: format!("{} left", factors.codes),
        is_required: factors.is_required,
        can_confirm_saml: visit.login.can_confirm_saml(&current).await?,
        sessions: sessions
            .iter()
            .map(|session| Session::of(session, &current))
            .collect(),
    };
    Ok(page::answer(status, &shown))
}

impl Session {
    fn of(session: &Signed, current: &Current) -> Self {
        let since = format!("since {}", moment::minute(session.created));
        Self {
            id: session.id.to_string(),
            browser: agent::readable(session.agent.as_deref()),
            place: match &session.address {
                Some(address) => format!("{address}, {since}"),
                None => since,
            },
            is_this: session.id == current.session.id,
        }
    }
}

/// Demands that somebody has confirmed a moment ago that it is they, before a page asks for more.
pub(super) fn demand_fresh(visit: &Visit, current: &Current, page: &str) -> Result<(), Detour> {
    match current.is_fresh(Timestamp::now()) {
        true => Ok(()),
        false => {
            let stale = Fault::stale("Confirm that it is you first.");
            Err(visit.detour(stale.into(), page))
        }
    }
}

/// Asks for another password.
pub(super) async fn get_password(visit: Visit) -> Result<Response, Detour> {
    let (_, current) = visit.signed_in(PASSWORD).await?;
    demand_fresh(&visit, &current, PASSWORD)?;
    Ok(ask(StatusCode::OK, &visit, &current, false, Passwords::ask(NEW)))
}

fn ask(
    status: StatusCode,
    visit: &Visit,
    current: &Current,
    is_wrong: bool,
    passwords: Passwords,
) -> Response {
    let asked = Password {
        frame: visit.frame.clone(),
        name: current.account().name.clone(),
        is_wrong,
        passwords,
    };
    page::answer(status, &asked)
}

/// Changes the password.
pub(super) async fn post_password(visit: Visit, form: Form) -> Result<Response, Detour> {
    let (session, current) = visit.signed_in(PASSWORD).await?;
    let new = match Passwords::read(NEW, &form) {
        Ok(new) => new.to_owned(),
        Err(asked) => {
            return Ok(ask(
                StatusCode::UNPROCESSABLE_ENTITY,
                &visit,
                &current,
                false,
                asked,
            ));
        }
    };
    let present = form.text("present").to_owned();
    let changed = visit
        .login
        .change_password(&visit.realm, session, &Change { present, new }, &visit.visitor)
        .await;
    let refusal = match changed {
        Ok(signed_in) => {
            let answer = Redirect::to(&visit.frame.path(ACCOUNT)).into_response();
            return Ok(visit.with_session(&signed_in, answer));
        }
        Err(refusal) => refusal,
    };
    let is_wrong = matches!(refusal, Refusal::Wrong);
    let trouble = Trouble::of(refusal, "").map_err(|refusal| visit.detour(refusal, PASSWORD))?;
    let passwords = match is_wrong {
        true => Passwords::ask(NEW),
        false => Passwords::refused(NEW, trouble.sentence.clone()),
    };
    Ok(trouble.mark(ask(trouble.status, &visit, &current, is_wrong, passwords)))
}

/// Asks whether to remove the second factor.
pub(super) async fn get_remove(visit: Visit) -> Result<Response, Detour> {
    let (_, current) = visit.signed_in(REMOVE).await?;
    demand_fresh(&visit, &current, REMOVE)?;
    let frame = visit.frame.clone();
    Ok(page::answer(StatusCode::OK, &RemoveSecondFactor { frame }))
}

/// Removes the second factor.
pub(super) async fn post_remove(visit: Visit) -> Result<Response, Detour> {
    let session = visit.session(REMOVE)?;
    let removed = visit
        .login
        .remove_factor(&visit.realm, session, &visit.visitor)
        .await;
    match removed {
        Ok(()) => Err(Detour::To(visit.frame.path(ACCOUNT))),
        Err(refusal) => {
            let trouble = Trouble::of(refusal, "").map_err(|refusal| visit.detour(refusal, REMOVE))?;
            show(&visit, trouble.status, Some(trouble.sentence)).await
        }
    }
}

/// Ends one session.
pub(super) async fn post_end(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let id = id(&path, "session")?;
    let session = visit.session(ACCOUNT)?;
    let ended = visit.login.end_session(&visit.realm, session, id).await;
    ended.map_err(|refusal| visit.detour(refusal, ACCOUNT))?;
    Err(Detour::To(visit.frame.path(ACCOUNT)))
}

/// Ends all sessions, this one too.
pub(super) async fn post_sign_out_everywhere(visit: Visit) -> Result<Response, Detour> {
    let session = visit.session(ACCOUNT)?;
    let ended = visit
        .login
        .sign_out_everywhere(&visit.realm, session, &visit.visitor)
        .await;
    ended.map_err(|refusal| visit.detour(refusal, ACCOUNT))?;
    Ok(visit.end("sign-out"))
}
