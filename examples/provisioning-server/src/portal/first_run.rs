//! The set-up link of the first start.

use askama::Template;
use axum::extract::{RawPathParams, State};
use axum::response::Response;
use http::StatusCode;

use super::destination::Destination;
use super::detour::Detour;
use super::form::Form;
use super::frame::Frame;
use super::link::{over, secret};
use super::page;
use super::passwords::Passwords;
use super::trouble::Trouble;
use super::visit::{Pages, Visit};
use crate::domain::email::is_email;
use crate::login::{Chosen, Refusal};

#[derive(Debug, Template)]
#[template(path = "first-run.html")]
pub(super) struct FirstRun {
    pub(super) frame: Frame,
    /// The address that was typed before.
    pub(super) email: String,
    pub(super) email_error: Option<String>,
    pub(super) passwords: Passwords,
    pub(super) lacks_public_url: bool,
}

/// Asks for the first owner.
pub(super) async fn get(
    visit: Visit,
    State(pages): State<Pages>,
    path: RawPathParams,
) -> Result<Response, Detour> {
    let usable = match secret(&path) {
        Some(secret) => visit.login.demand_set_up(&secret).await,
        None => Err(Refusal::LinkOver),
    };
    match usable {
        Ok(()) => Ok(ask(
            StatusCode::OK,
            &visit,
            &pages,
            "",
            None,
            Passwords::ask(LABEL),
        )),
        Err(refusal) => over(&visit, refusal),
    }
}

/// Makes the first owner, and signs them in.
pub(super) async fn post(
    visit: Visit,
    State(pages): State<Pages>,
    path: RawPathParams,
    form: Form,
) -> Result<Response, Detour> {
    let Some(secret) = secret(&path) else {
        return over(&visit, Refusal::LinkOver);
    };
    let email = form.text("email").trim();
    let password = match Passwords::read(LABEL, &form) {
        Ok(password) => password,
        Err(asked) => {
            return Ok(ask(
                StatusCode::UNPROCESSABLE_ENTITY,
                &visit,
                &pages,
                email,
                None,
                asked,
            ));
        }
    };
    let chosen = Chosen {
        address: email.to_owned(),
        password: password.to_owned(),
    };
    let trouble = match visit.login.set_up(&secret, &chosen, &visit.visitor).await {
        Ok(signed_in) => return Ok(visit.begin(&signed_in, &Destination::to("second-factor/set-up"))),
        Err(refusal) => match Trouble::of(refusal, "") {
            Ok(trouble) => trouble,
            Err(refusal) => return over(&visit, refusal),
        },
    };
    let (email_error, asked) = match is_email(email) {
        true => (None, Passwords::refused(LABEL, trouble.sentence)),
        false => (Some(trouble.sentence), Passwords::ask(LABEL)),
    };
    Ok(ask(trouble.status, &visit, &pages, email, email_error, asked))
}

const LABEL: &str = "Password";

fn ask(
    status: StatusCode,
    visit: &Visit,
    pages: &Pages,
    email: &str,
    email_error: Option<String>,
    passwords: Passwords,
) -> Response {
    let asked = FirstRun {
        frame: visit.frame.clone(),
        email: email.to_owned(),
        email_error,
        passwords,
        lacks_public_url: pages.lacks_public_url,
    };
    page::answer(status, &asked)
}
