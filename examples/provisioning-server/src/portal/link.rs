//! Links that were sent by mail.

use askama::Template;
use axum::extract::RawPathParams;
use axum::response::Response;
use http::StatusCode;

use super::destination::Destination;
use super::detour::Detour;
use super::form::Form;
use super::frame::Frame;
use super::passwords::Passwords;
use super::trouble::Trouble;
use super::visit::Visit;
use super::{moment, page};
use crate::domain::link::LinkKind;
use crate::domain::secret::{Secret, SecretKind};
use crate::login::{Refusal, Shown};

#[derive(Debug, Template)]
#[template(path = "invitation.html")]
pub(super) struct Invitation {
    pub(super) frame: Frame,
    pub(super) display: String,
    pub(super) name: String,
    pub(super) expires: String,
    pub(super) passwords: Passwords,
}

#[derive(Debug, Template)]
#[template(path = "reset-link.html")]
pub(super) struct ResetLink {
    pub(super) frame: Frame,
    pub(super) name: String,
    pub(super) expires: String,
    /// Whether its use removes the second factor, too.
    pub(super) removes_factor: bool,
    pub(super) passwords: Passwords,
}

#[derive(Debug, Template)]
#[template(path = "link-over.html")]
pub(super) struct LinkOver {
    pub(super) frame: Frame,
}

/// Shows what a link is for, and changes nothing: mail scanners open links, too.
pub(super) async fn get(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let shown = match secret(&path) {
        Some(secret) => visit.login.link(&visit.realm, &secret).await,
        None => Err(Refusal::LinkOver),
    };
    match shown {
        Ok(shown) => Ok(ask(
            StatusCode::OK,
            &visit,
            &shown,
            Passwords::ask(label(shown.kind)),
        )),
        Err(refusal) => over(&visit, refusal),
    }
}

/// Uses a link: sets the password, and signs its person in.
pub(super) async fn post(visit: Visit, path: RawPathParams, form: Form) -> Result<Response, Detour> {
    let Some(secret) = secret(&path) else {
        return over(&visit, Refusal::LinkOver);
    };
    let shown = match visit.login.link(&visit.realm, &secret).await {
        Ok(shown) => shown,
        Err(refusal) => return over(&visit, refusal),
    };
    let label = label(shown.kind);
    let password = match Passwords::read(label, &form) {
        Ok(password) => password,
        Err(asked) => return Ok(ask(StatusCode::UNPROCESSABLE_ENTITY, &visit, &shown, asked)),
    };
    let used = visit
        .login
        .use_link(&visit.realm, &secret, password, &visit.visitor)
        .await;
    match used {
        Ok(signed_in) => Ok(visit.begin(&signed_in, &Destination::default())),
        Err(refusal) => match Trouble::of(refusal, "") {
            Ok(trouble) => Ok(ask(
                trouble.status,
                &visit,
                &shown,
                Passwords::refused(label, trouble.sentence),
            )),
            Err(refusal) => over(&visit, refusal),
        },
    }
}

/// Reads the secret in the path.
pub(super) fn secret(path: &RawPathParams) -> Option<Secret> {
    let (_, text) = path.iter().find(|(name, _)| *name == "secret")?;
    Secret::parse(SecretKind::Link, text)
}

const fn label(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::Invitation | LinkKind::SetUp => "Password",
        LinkKind::ResetLink | LinkKind::Recovery => "New password",
    }
}

/// Asks for the password.
fn ask(status: StatusCode, visit: &Visit, shown: &Shown, passwords: Passwords) -> Response {
    let account = &shown.person.account;
    let (frame, name) = (visit.frame.clone(), account.name.clone());
    let expires = moment::minute(shown.expires);
    match shown.kind {
        LinkKind::Invitation | LinkKind::SetUp => {
            let display = account.display.clone();
            page::answer(
                status,
                &Invitation {
                    frame,
                    display,
                    name,
                    expires,
                    passwords,
                },
            )
        }
        LinkKind::ResetLink | LinkKind::Recovery => page::answer(
            status,
            &ResetLink {
                frame,
                name,
                expires,
                removes_factor: shown.kind == LinkKind::Recovery,
                passwords,
            },
        ),
    }
}

/// Says that a link cannot be used, if that is why it was refused.
pub(super) fn over(visit: &Visit, refusal: Refusal) -> Result<Response, Detour> {
    match refusal {
        Refusal::LinkOver => {
            let frame = visit.frame.clone();
            Ok(page::answer(StatusCode::GONE, &LinkOver { frame }))
        }
        other => Err(visit.detour(other, "")),
    }
}
